"""Telegram inboxes in the console: state, how the bot is reached, a checkup and a test message. The token is never shown."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Request
from starlette.responses import RedirectResponse, Response

from channels.telegram.channel import MAX_CONNECTIONS, TelegramChannel
from desk_core.conversations.checkups import State
from desk_core.conversations.entities import Inbox
from desk_core.conversations.ports import ChannelKind, DeliveryError
from desk_core.kit.errors import DeskError, Invalid, StaleWrite
from desk_core.kit.i18n import gettext_noop as _
from gateway import inboxes
from gateway.checkups import examine_bot, last_test, new_test, told
from gateway.console.frame import Frame
from gateway.console.inbox_pages import Administrator, inbox_of, note_change, switch
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
    token: Annotated[str, Form(max_length=200)] = field(default="", repr=False)
    api_url: Annotated[str, Form(max_length=500)] = field(default="", repr=False)
    proxy: Annotated[str, Form(max_length=500)] = field(default="", repr=False)
    version: Annotated[int, Form()] = 0

    @classmethod
    def of(cls, inbox: Inbox, hidden: Mapping[str, str]) -> "Way":
        """Without the token, and without the passwords of addresses."""
        shown = {name: inboxes.masked(inboxes.bot_address(inbox, hidden, name) or "") for name in inboxes.BOT_ADDRESSES}
        return cls(
            mode="webhook" if shown["webhook_url"] else "polling",
            max_connections=str(inbox.config.get("max_connections", MAX_CONNECTIONS)),
            only_telegram="1" if inbox.config.get("only_telegram") else "", groups="1" if inbox.config.get("groups") else "",
            local="1" if inbox.config.get("local") else "0", version=inbox.version, **shown,
        )  # fmt: skip

    def shown_again(self) -> "Way":
        """After a refusal: what was typed, but for secrets."""
        return replace(self, token="", api_url=inboxes.masked(self.api_url), proxy=inboxes.masked(self.proxy))

    def options(self) -> BotOptions:
        """Raises `Invalid`."""
        reached = BotOptions(
            token=self.token.strip() or None, api_url=self.api_url.strip(), proxy=self.proxy.strip(), groups=bool(self.groups),
            local=self.local == "1" if self.local else None,  # where there is no such choice on the page it stays as it is
        )  # fmt: skip
        if self.mode == "polling":
            return replace(reached, webhook_url="")
        if self.mode != "webhook":
            raise Invalid(reason=_("This is none of the choices."))
        if not self.webhook_url.strip():
            raise Invalid(reason=_("A webhook needs the public address of the desk."))
        if not self.max_connections.strip().isdecimal():
            raise Invalid(reason=_("Telegram keeps 1 to 100 connections to a webhook"))
        return replace(
            reached, webhook_url=self.webhook_url.strip(), max_connections=int(self.max_connections), only_telegram=bool(self.only_telegram)
        )


@router.get("/{inbox_id}")
async def bot(request: Request, signed: Administrator, inbox_id: Ident, saved: str = "") -> Response:
    frame = await Frame.of(request, signed)
    inbox = await inbox_of(frame, inbox_id, ChannelKind.TELEGRAM)
    return await _page(frame, inbox, saved=saved)


@router.post("/{inbox_id}")
async def change(request: Request, signed: Administrator, inbox_id: Ident, way: Annotated[Way, Depends()]) -> Response:
    """Switch between polling and webhook; Telegram keeps what comes meanwhile."""
    frame = await Frame.of(request, signed)
    known = await inbox_of(frame, inbox_id, ChannelKind.TELEGRAM)
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
        return await _page(frame, known, way.shown_again(), error=reason or error.text, status=422)
    return RedirectResponse(f"/console/settings/telegram/{inbox_id}?saved=change", 303)


@router.post("/{inbox_id}/state")
async def set_state(request: Request, signed: Administrator, inbox_id: Ident, state: Annotated[str, Form(max_length=10)]) -> Response:
    """Pause or resume; Telegram keeps what comes for a day, answers wait."""
    await switch(await Frame.of(request, signed), inbox_id, ChannelKind.TELEGRAM, state)
    return RedirectResponse(f"/console/settings/telegram/{inbox_id}?saved={state}", 303)


@router.post("/{inbox_id}/check")
async def check(request: Request, signed: Administrator, inbox_id: Ident) -> Response:
    frame = await Frame.of(request, signed)
    inbox = await inbox_of(frame, inbox_id, ChannelKind.TELEGRAM)
    try:
        steps = [told(step, frame.language) for step in await examine_bot(frame.desk, inbox)]
    except DeskError as error:
        return await _page(frame, inbox, error=error.phrase, status=error.status)
    if wants_part(request):
        return frame.render("parts/checkup.html", _around(inbox, steps=steps))
    return await _page(frame, inbox, steps=steps)


@router.post("/{inbox_id}/test")
async def make_test(request: Request, signed: Administrator, inbox_id: Ident) -> Response:
    """A link by which one person gets one test message; it is shown this once."""
    frame = await Frame.of(request, signed)
    inbox = await inbox_of(frame, inbox_id, ChannelKind.TELEGRAM)
    try:
        test = await new_test(frame.desk, inbox, by=signed.agent.email)
    except (Invalid, DeliveryError) as error:
        return await _page(frame, inbox, error=getattr(error, "reason", "") or error.phrase, status=422)
    async with frame.desk.database.unit() as uow:
        note_change(uow, frame, "inbox.test_link", inbox.name, {})
    return await _page(frame, inbox, test=test)


@router.get("/{inbox_id}/test")
async def test_result(request: Request, signed: Administrator, inbox_id: Ident) -> Response:
    """Who got the last test message, and when: asked for again and again while the page waits for it."""
    frame = await Frame.of(request, signed)
    inbox = await inbox_of(frame, inbox_id, ChannelKind.TELEGRAM)
    if not wants_part(request):
        return RedirectResponse(f"/console/settings/telegram/{inbox_id}", 303)
    return frame.render("parts/tested.html", _around(inbox, tested=await last_test(frame.desk, inbox)))


@router.get("/{inbox_id}/picture")
async def picture(request: Request, signed: Administrator, inbox_id: Ident) -> Response:
    """The bot's picture, handed on by the desk: its address at Telegram holds the token."""
    frame = await Frame.of(request, signed)
    channel = await frame.desk.channel((await inbox_of(frame, inbox_id, ChannelKind.TELEGRAM)).id)
    try:
        content = await channel.picture() if isinstance(channel, TelegramChannel) else None
    except DeliveryError:
        content = None
    kind = next((kind for head, kind in _IMAGES if content is not None and content.startswith(head)), None)
    if content is None or kind is None:
        return Response(status_code=404)
    return Response(content, media_type=kind, headers={"cache-control": "private, max-age=3600", "x-content-type-options": "nosniff"})


async def _page(frame: Frame, inbox: Inbox, way: Way | None = None, *, status: int = 200, **more: Any) -> Response:
    """The page as it is stored, or with `way` as it was typed."""
    way = way or Way.of(inbox, frame.desk.box.open(inbox.secrets))
    tested = await last_test(frame.desk, inbox)
    return frame.render("bot.html", _around(inbox, way=way, tested=tested, **more), status=status)


def _around(inbox: Inbox, **more: Any) -> dict[str, Any]:
    steps = more.get("steps", [])
    return {
        "inbox": inbox, "test": None, "base": f"/console/settings/telegram/{inbox.id}", "saved": "", "error": "", "steps": steps,
        "failed": sum(step["state"] == State.FAIL for step in steps), "warned": sum(step["state"] == State.WARN for step in steps),
        "tried_itself": True, "errors": {}, **more,
    }  # fmt: skip
