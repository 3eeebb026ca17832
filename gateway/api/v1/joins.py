"""Who was joined with a requester, over REST: read it, and take them apart again."""

from typing import Any

from fastapi import APIRouter, Request

from desk_core.context import Actor
from desk_core.kit.db import ReadSession
from desk_core.kit.errors import NotFound
from desk_core.people import joining
from desk_core.people.joining import Joined
from desk_core.tickets.repository import ticket_by_number
from gateway.api.v1 import examples
from gateway.api.v1.access import Reader, Writer, problem
from gateway.api.v1.tickets import desk_of
from gateway.web.paths import Ident, Number

router = APIRouter(tags=["people"])


async def _requester(session: ReadSession, number: int) -> str:
    found = await ticket_by_number(session, number)
    if found is None:
        raise NotFound(ticket=f"#{number}")
    return found.contact_id


def _shape(one: Joined) -> dict[str, Any]:
    return {
        "id": one.id,
        "joined": one.name,
        "reason": one.reason,
        "ticket": one.number,
        "by": one.by,
        "at": one.at.isoformat(),
        "undone_at": one.undone_at.isoformat() if one.undone_at else None,
        "undone_by": one.undone_by,
    }


@router.get("/tickets/{number}/joins", responses={200: examples.answered("The joins of the requester", {"items": [examples.JOIN]})})
async def list_joins(request: Request, _caller: Reader, number: Number) -> dict[str, Any]:
    """The last twenty joins of the requester with others, the latest first."""
    async with desk_of(request).database.read() as session:
        found = await joining.joins_of(session, await _requester(session, number))
    return {"items": [_shape(one) for one in found]}


@router.post(
    "/tickets/{number}/joins/{join_id}/undo",
    responses={
        200: examples.answered("The joins of the requester", {"items": [examples.JOIN]}),
        409: problem("Undone before", "join_already_undone", "This join was undone already."),
    },
)
async def undo_join(request: Request, calling: Writer, number: Number, join_id: Ident) -> dict[str, Any]:
    """Give back what a join moved; what came later stays. Answers with the joins of that requester."""
    desk = desk_of(request)
    ctx = await desk.context(getattr(request.state, "request_id", ""))
    async with desk.database.read() as session:
        contact_id = await _requester(session, number)
    async with desk.database.unit() as uow:
        await joining.undo_join(uow, ctx, join_id, of=contact_id, by=Actor("system", calling.token_id, calling.name))
    async with desk.database.read() as session:
        found = await joining.joins_of(session, contact_id)
    return {"items": [_shape(one) for one in found]}
