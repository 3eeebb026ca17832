"""The inbox: views, counters, the list; and the list alone for pages that are open."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import RedirectResponse, Response

from desk_core.conversations import service as conversations
from desk_core.conversations.entities import Message
from desk_core.kit.errors import NotFound
from desk_core.people.permissions import Right, require
from gateway.auth.dependencies import CurrentAgent
from gateway.console import held
from gateway.console.frame import Frame, chosen, remember
from gateway.web.paths import Ident

router = APIRouter(include_in_schema=False)


@router.get("/console")
async def inbox(request: Request, signed: CurrentAgent, after: str | None = None) -> Response:
    """The whole page, with nothing opened yet."""
    frame, list_ = await Frame.of(request, signed), chosen(request, after=after)
    async with frame.desk.database.read() as session:
        context = await frame.around(session, list_)
    context["held_notice"] = held.notice_of(request)
    return remember(frame.render("inbox.html", context), list_)


@router.get("/console/list")
async def list_part(request: Request, signed: CurrentAgent, after: str | None = None) -> Response:
    """Views, counters and rows alone: what an open page fetches when something changed, or to show more."""
    frame, list_ = await Frame.of(request, signed), chosen(request, after=after)
    async with frame.desk.database.read() as session:
        context = await frame.around(session, list_)
    return frame.render("inbox.html", context, block="rows" if after else "list")


@router.post("/console/messages/{message_id}/resend")
async def resend(request: Request, signed: CurrentAgent, message_id: Ident, back: Annotated[str, Query(max_length=200)] = "") -> Response:
    """Send a failed message again."""
    require(signed.role, Right.WORK_TICKETS)
    frame = await Frame.of(request, signed)
    ctx = await frame.desk.context(getattr(request.state, "request_id", ""))
    async with frame.desk.database.unit() as uow:
        message = await uow.session.get(Message, message_id, with_for_update=True)
        if message is None:
            raise NotFound(message=message_id)
        if message.delivery_state in {"failed", "uncertain"}:
            await conversations.requeue_delivery(uow, ctx, message)
            ctx.hint(uow, "conversations", message.conversation_id)
    target = f"/console/tickets/{int(back)}" if back.isdecimal() else "/console?view=failed"
    return RedirectResponse(target, 303)
