"""Held messages: taken up or left, one by one or many at once, and what was left by mistake is held again."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Form, Request
from pydantic import Field
from starlette.responses import RedirectResponse, Response

from desk_core.conversations import holding
from desk_core.kit.errors import Invalid
from desk_core.kit.i18n import gettext_noop as _
from desk_core.kit.i18n import ntranslate, translate
from desk_core.people.permissions import Right, require
from desk_core.tickets.repository import View
from gateway.auth.dependencies import CurrentAgent
from gateway.console.frame import Chosen, Frame, remember
from gateway.console.inbox_pages import note_change
from gateway.web.language import language_of
from gateway.web.paths import Ident
from gateway.web.templating import wants_part

router = APIRouter(prefix="/console", include_in_schema=False)

MOST_AT_ONCE = 200
Always = Annotated[str, Form(max_length=5)]
Picked = Annotated[list[Ident], Form(), Field(max_length=MOST_AT_ONCE)]


@dataclass(frozen=True, slots=True)
class Notice:
    """What became of held messages, in words; those that were left can be held again."""

    words: str
    left: tuple[str, ...] = ()
    kind: str = "success"


def notice_of(request: Request) -> Notice | None:
    """What the page says after one message was left."""
    words = {
        "left": _("Left as it is: nobody is answered."),
        "left_always": _("Left as it is. Mail of this sender is held from now on."),
    }.get(request.query_params.get("done", ""))
    return Notice(translate(language_of(request), words)) if words else None


@router.post("/messages/{message_id}/release")
async def release(request: Request, signed: CurrentAgent, message_id: Ident, always: Always = "") -> Response:
    """A held message is a person's after all: the bot reads it as if it had just come."""
    require(signed.role, Right.WORK_TICKETS)
    frame = await Frame.of(request, signed)
    ctx = await frame.desk.context(getattr(request.state, "request_id", ""))
    async with frame.desk.database.unit() as uow:
        message = await holding.release(uow, ctx, message_id, by=signed.agent.name, always=bool(always))
        note_change(uow, frame, "message.release", message.id, {"always": message.meta.get("address", "")} if always else {})
    done = "released_always" if always else "released"
    return RedirectResponse(f"/console/conversations/{message.conversation_id}?view=held&done={done}", 303)


@router.post("/messages/{message_id}/leave")
async def leave(request: Request, signed: CurrentAgent, message_id: Ident, always: Always = "") -> Response:
    """A held message stays as it is and leaves the list."""
    require(signed.role, Right.WORK_TICKETS)
    frame = await Frame.of(request, signed)
    ctx = await frame.desk.context(getattr(request.state, "request_id", ""))
    async with frame.desk.database.unit() as uow:
        message = await holding.leave(uow, ctx, message_id, by=signed.agent.name, always=bool(always))
        note_change(uow, frame, "message.leave", message.id, {"always": message.meta.get("address", "")} if always else {})
    return RedirectResponse(f"/console?view=held&done={'left_always' if always else 'left'}", 303)


@router.post("/held")
async def many(
    request: Request,
    signed: CurrentAgent,
    act: Annotated[str, Form(max_length=20)] = "",
    message: Picked = [],  # noqa: B006 - FastAPI reads the default, nobody changes it
) -> Response:
    """Take up or leave what was chosen in the list, or hold again what was just left; the list is shown as it is then."""
    require(signed.role, Right.WORK_TICKETS)
    frame = await Frame.of(request, signed)
    if act not in ACTS:
        raise Invalid(reason=_("This is none of the choices."))
    ctx = await frame.desk.context(getattr(request.state, "request_id", ""))
    async with frame.desk.database.unit() as uow:
        done = [one.id for one in await ACTS[act](uow, ctx, message, by=signed.agent.name)]
        for ident in done:
            note_change(uow, frame, f"message.{act}", ident, {})
    list_ = Chosen(View.HELD)
    async with frame.desk.database.read() as session:
        context = await frame.around(session, list_)
    context |= {"held_notice": _told(frame.language, act, done, asked=len(set(message))), "here": "/console"}
    return remember(frame.render("inbox.html", {**context, "chosen": list_}, block="list" if wants_part(request) else None), list_)


ACTS = {"release": holding.release_all, "leave": holding.leave_all, "hold": holding.hold_again}


def _told(language: str, act: str, done: list[str], *, asked: int) -> Notice:
    if not asked:
        return Notice(translate(language, _("Nothing was chosen. Mark the messages first.")), kind="warning")
    count, missed = len(done), asked - len(done)
    match act:
        case "release":
            said = ntranslate(
                language, "%(n)s message taken up: its sender is answered.", "%(n)s messages taken up: their senders are answered.", count
            )
        case "leave":
            said = ntranslate(language, "%(n)s message left without an answer.", "%(n)s messages left without an answer.", count)
        case _:
            said = ntranslate(language, "%(n)s message is held again.", "%(n)s messages are held again.", count)
    words = [said] if count else []
    if missed:
        words.append(
            ntranslate(
                language, "%(n)s was dealt with by somebody else meanwhile.", "%(n)s were dealt with by somebody else meanwhile.", missed
            )
        )
    return Notice(" ".join(words), tuple(done) if act == "leave" else (), "success" if count else "warning")
