"""A letter that was filed under the wrong request is put right where it stands."""

import re

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from desk_core.context import Context
from desk_core.conversations import holding
from desk_core.conversations.entities import Message
from desk_core.conversations.ports import TakeAs
from desk_core.kit.db import UnitOfWork
from desk_core.kit.errors import Invalid, NotFound
from desk_core.kit.i18n import gettext_noop as _
from desk_core.people.permissions import Right, require
from desk_core.tickets import moving
from gateway.auth.dependencies import CurrentAgent
from gateway.console.acts import Word, carry_out, ident
from gateway.console.frame import Frame, chosen
from gateway.console.inbox_pages import note_change
from gateway.web.paths import Number

router = APIRouter(prefix="/console/tickets/{number}", include_in_schema=False)


@router.post("/messages/apart")
async def make_apart(request: Request, signed: CurrentAgent, number: Number, message: Word, always: Word = "") -> Response:
    """A letter becomes a request of its own; with `always` so does every letter of its sender."""

    frame = await Frame.of(request, signed)

    async def act(uow: UnitOfWork, ctx: Context, ticket_id: str) -> None:
        letter = await moving.make_apart(uow, ctx, await _on(uow, ticket_id, message), by=signed.agent, always=bool(always))
        if always:
            _note_rule(uow, frame, letter, TakeAs.APART)

    return await carry_out(request, signed, number, act)


@router.post("/messages/move")
async def move(request: Request, signed: CurrentAgent, number: Number, message: Word, to: Word = "") -> Response:
    """A letter goes to another request; the page of that request, or of the one that it goes on as, is shown."""
    found = re.fullmatch(r"\s*#?\s*(\d{1,9})\s*", to)
    there: list[int] = []

    async def act(uow: UnitOfWork, ctx: Context, ticket_id: str) -> None:
        if found is None:
            raise Invalid(reason=_("Please give the number of the request, like 1042."))
        target = await moving.move(uow, ctx, await _on(uow, ticket_id, message), number=int(found[1]), by=signed.agent)
        there.append(target.number)

    answer = await carry_out(request, signed, number, act)
    moved = there and answer.status_code == 303
    return RedirectResponse(f"/console/tickets/{there[-1]}?{chosen(request).query}", 303) if moved else answer


@router.post("/messages/robot")
async def take_as_robot(request: Request, signed: CurrentAgent, number: Number, message: Word) -> Response:
    """What the sender of a letter writes is held from now on; the request stays as it is."""

    frame = await Frame.of(request, signed)

    async def act(uow: UnitOfWork, ctx: Context, ticket_id: str) -> None:
        letter = await uow.session.get_one(Message, await _on(uow, ticket_id, message))
        await holding.take_sender_as(uow, letter, TakeAs.ROBOT)
        _note_rule(uow, frame, letter, TakeAs.ROBOT)
        ctx.hint(uow, "tickets", ticket_id)

    return await carry_out(request, signed, number, act)


@router.post("/messages/own")
async def take_as_own(request: Request, signed: CurrentAgent, number: Number, message: Word) -> Response:
    """The address that a letter came from is the requester's own; under "joined with" that can be undone."""
    require(signed.role, Right.MANAGE_PEOPLE)

    async def act(uow: UnitOfWork, ctx: Context, ticket_id: str) -> None:
        await moving.take_as_own(uow, ctx, await _on(uow, ticket_id, message), by=signed.agent)

    return await carry_out(request, signed, number, act)


def _note_rule(uow: UnitOfWork, frame: Frame, letter: Message, what: TakeAs) -> None:
    """A rule for all mail of a sender is audited like one that is made on the page of rules."""
    note_change(uow, frame, "inbox.rule", letter.id, {"about": letter.meta.get("address", ""), "what": what.value})


async def _on(uow: UnitOfWork, ticket_id: str, message: str) -> str:
    """The id of a message of this request."""
    # Locked: what two operators do with one letter at the same time happens one after the other.
    found = await uow.session.get(Message, ident(message), with_for_update=True)
    if found is None or found.ticket_id != ticket_id:
        raise NotFound(message=message)
    return found.id
