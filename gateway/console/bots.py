"""Telegram inboxes in the console: state, how the bot is reached, and a checkup. The token is never shown."""

from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Request
from starlette.responses import RedirectResponse, Response

from channels.telegram.channel import MAX_CONNECTIONS, TelegramChannel
from desk_core.conversations.checkups import State
from desk_core.conversations.entities import Inbox
from desk_core.conversations.ports import ChannelKind, DeliveryError
from desk_core.kit.errors import DeskError, Invalid, NotFound, StaleWrite
from desk_core.kit.i18n import gettext_noop as _
from gateway import inboxes
from gateway.checkups import examine_bot, told
from gateway.console.frame import Frame
from gateway.console.mailboxes import Administrator, note_change
from gateway.inboxes import BotOptions
from gateway.web.paths import Ident
from gateway.web.templating import wants_part

router = APIRouter(prefix="/console/settings/telegram", include_in_schema=False)

_IMAGES = ((b"\xff\xd8\xff", "image/jpeg"), (b"\x89PNG", "image/png"), (b"RIFF", "image/webp"))


@dataclass
class Way:
    """How the bot is reached, as the form holds it."""

    mode: Annotated[str, Form(max_length=10)] = "polling"
    webhook_url: Annotated[str, Form(max_length=500)] = ""
    max_connections: Annotated[str, Form(max_length=3)] = str(MAX_CONNECTIONS)
    only_telegram: Annotated[str, Form(max_length=5)] = ""
    groups: Annotated[str, Form(max_length=5)] = ""
    local: Annotated[str | None, Form(max_length=5)] = None
    version: Annotated[int, Form()] = 0

    @classmethod
    def of(cls, inbox: Inbox) -> "Way":
        base = str(inbox.config.get("webhook_url", ""))
        return cls(
            "webhook" if base else "polling", base, str(inbox.config.get("max_connections", MAX_CONNECTIONS)),
            "1" if inbox.config.get("only_telegram") else "", "1" if inbox.config.get("groups") else "",
            "1" if inbox.config.get("local") else "0", inbox.version,
        )  # fmt: skip

    def options(self) -> BotOptions:
        """Raises `Invalid`."""
        local = self.local == "1" if self.local else None  # where there is no such choice on the page it stays as it is
        if self.mode == "polling":
            return BotOptions(webhook_url="", groups=bool(self.groups), local=local)
        if self.mode != "webhook":
            raise Invalid(reason=_("This is none of the choices."))
        if not self.webhook_url.strip():
            raise Invalid(reason=_("A webhook needs the public address of the desk."))
        if not self.max_connections.strip().isdigit():
            raise Invalid(reason=_("Telegram keeps 1 to 100 connections to a webhook"))
        return BotOptions(
            webhook_url=self.webhook_url.strip(), max_connections=int(self.max_connections), only_telegram=bool(self.only_telegram),
            groups=bool(self.groups), local=local,
        )  # fmt: skip


@router.get("/{inbox_id}")
async def bot(request: Request, signed: Administrator, inbox_id: Ident, saved: str = "") -> Response:
    frame = await Frame.of(request, signed)
    inbox = await _inbox(frame, inbox_id)
    return _page(frame, inbox, Way.of(inbox), saved=saved)


@router.post("/{inbox_id}")
async def change(request: Request, signed: Administrator, inbox_id: Ident, way: Annotated[Way, Depends()]) -> Response:
    """Switch between polling and webhook; Telegram keeps what comes meanwhile."""
    frame = await Frame.of(request, signed)
    known = await _inbox(frame, inbox_id)
    try:
        async with frame.desk.database.unit() as uow:
            inbox = await uow.session.get_one(Inbox, known.id)
            if way.version and way.version != inbox.version:
                raise StaleWrite
            changed = await inboxes.set_bot(uow, inbox, way.options(), box=frame.desk.box)
            if changed:
                note_change(uow, frame, "inbox.set", inbox.name, {"changed": changed})
    except Invalid as error:
        reason = error.fields.get("reason")
        return _page(frame, known, way, error=str(reason) if reason else error.text, status=422)
    return RedirectResponse(f"/console/settings/telegram/{inbox_id}?saved=change", 303)


@router.post("/{inbox_id}/state")
async def set_state(request: Request, signed: Administrator, inbox_id: Ident, state: Annotated[str, Form(max_length=10)]) -> Response:
    """Pause or resume; Telegram keeps what comes for a day, answers wait."""
    frame = await Frame.of(request, signed)
    if state not in ("active", "paused"):
        raise Invalid(reason=_("This is none of the choices."))
    async with frame.desk.database.unit() as uow:
        inbox = await uow.session.get_one(Inbox, (await _inbox(frame, inbox_id)).id)
        if inbox.state != state:
            inbox.state = state
            inbox.version += 1
            note_change(uow, frame, "inbox.pause" if state == "paused" else "inbox.resume", inbox.name, {"state": state})
    return RedirectResponse(f"/console/settings/telegram/{inbox_id}?saved={state}", 303)


@router.post("/{inbox_id}/check")
async def check(request: Request, signed: Administrator, inbox_id: Ident) -> Response:
    frame = await Frame.of(request, signed)
    inbox = await _inbox(frame, inbox_id)
    try:
        steps = [told(step, frame.language) for step in await examine_bot(frame.desk, inbox)]
    except DeskError as error:
        return _page(frame, inbox, Way.of(inbox), error=error.text, status=error.status)
    if wants_part(request):
        return frame.render("parts/checkup.html", _around(inbox, Way.of(inbox), steps=steps))
    return _page(frame, inbox, Way.of(inbox), steps=steps)


@router.get("/{inbox_id}/picture")
async def picture(request: Request, signed: Administrator, inbox_id: Ident) -> Response:
    """The bot's picture, handed on by the desk: its address at Telegram holds the token."""
    frame = await Frame.of(request, signed)
    channel = await frame.desk.channel((await _inbox(frame, inbox_id)).id)
    try:
        content = await channel.picture() if isinstance(channel, TelegramChannel) else None
    except DeliveryError:
        content = None
    kind = next((kind for head, kind in _IMAGES if content is not None and content.startswith(head)), None)
    if content is None or kind is None:
        return Response(status_code=404)
    return Response(content, media_type=kind, headers={"cache-control": "private, max-age=3600", "x-content-type-options": "nosniff"})


async def _inbox(frame: Frame, inbox_id: str) -> Inbox:
    async with frame.desk.database.read() as session:
        inbox = await session.get(Inbox, inbox_id)
    if inbox is None or inbox.channel != ChannelKind.TELEGRAM:
        raise NotFound(inbox=inbox_id)
    return inbox


def _page(frame: Frame, inbox: Inbox, way: Way, *, status: int = 200, **more: Any) -> Response:
    return frame.render("bot.html", _around(inbox, way, **more), status=status)


def _around(inbox: Inbox, way: Way, **more: Any) -> dict[str, Any]:
    steps = more.get("steps", [])
    return {
        "inbox": inbox, "way": way, "base": f"/console/settings/telegram/{inbox.id}", "saved": "", "error": "", "steps": steps,
        "failed": sum(step["state"] == State.FAIL for step in steps), "warned": sum(step["state"] == State.WARN for step in steps),
        "tried_itself": True, "errors": {}, **more,
    }  # fmt: skip
