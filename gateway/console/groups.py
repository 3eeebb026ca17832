"""Telegram for operators: one's own account, and the groups where requests are worked on."""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from starlette.responses import RedirectResponse, Response

from desk_core.conversations import repository as conversations
from desk_core.conversations.deep_links import deep_link
from desk_core.conversations.entities import Inbox
from desk_core.conversations.ports import ChannelKind
from desk_core.groups import repository, service
from desk_core.kit.errors import NotFound
from desk_core.people.permissions import Right
from desk_core.people.permissions import require as must
from gateway.auth.dependencies import CurrentAgent
from gateway.auth.sessions import Signed
from gateway.console.frame import Frame
from gateway.console.inbox_pages import note_change
from gateway.web.paths import Ident

router = APIRouter(prefix="/console/settings/telegram", include_in_schema=False)


@router.get("")
async def telegram(request: Request, signed: CurrentAgent, saved: str = "") -> Response:
    return await _page(request, signed, saved=saved)


async def _page(request: Request, signed: Signed, *, saved: str = "", mine: str = "", link: str = "", inbox_id: str = "") -> Response:
    """`mine` and `link` are codes that were just made; they are shown this once."""
    frame = await Frame.of(request, signed)
    async with frame.desk.database.read() as session:
        bots = [inbox for inbox in await conversations.inboxes(session) if inbox.channel == ChannelKind.TELEGRAM]
        groups = await repository.groups(session) if signed.may(Right.MANAGE_DESK) else []
        accounts = [one for one in await repository.accounts(session, channel=ChannelKind.TELEGRAM) if one.agent_id == signed.agent.id]
    context = {
        "bots": bots, "names": {bot.id: bot.name for bot in bots}, "groups": groups, "accounts": accounts, "saved": saved, "mine": mine,
        "link": link, "chosen_bot": inbox_id, "deep_link": _deep_link(bots, mine), "minutes": int(service.CODE_LIFE.total_seconds() // 60),
    }  # fmt: skip
    return frame.render("telegram.html", context)


def _deep_link(bots: list[Inbox], code: str) -> str:
    """The address that opens the chat with the bot and sends the code; only where the bot's name is known."""
    name = next((bot.address.removeprefix("@") for bot in bots if bot.address.startswith("@") and bot.state == "active"), "")
    return deep_link(name, f"me-{code}") if name and code else ""


@router.post("/mine")
async def my_code(request: Request, signed: CurrentAgent) -> Response:
    frame = await Frame.of(request, signed)
    async with frame.desk.database.unit() as uow:
        code = await service.make_code(
            uow, purpose=service.FOR_AGENT, subject=signed.agent.id, by=signed.agent.email, now=frame.desk.clock.now()
        )
    return await _page(request, signed, mine=code)


@router.post("/mine/unlink")
async def forget_me(request: Request, signed: CurrentAgent) -> Response:
    frame = await Frame.of(request, signed)
    async with frame.desk.database.unit() as uow:
        await service.unlink_agent(uow, signed.agent.id, channel=ChannelKind.TELEGRAM)
        note_change(uow, frame, "agent.telegram_unlink", signed.agent.email, {})
    return RedirectResponse("/console/settings/telegram?saved=mine", 303)


@router.post("/groups")
async def group_code(request: Request, signed: CurrentAgent, inbox: Annotated[str, Form(max_length=64)] = "") -> Response:
    must(signed.role, Right.MANAGE_DESK)
    frame = await Frame.of(request, signed)
    async with frame.desk.database.read() as session:
        known = {one.id: one for one in await conversations.inboxes(session) if one.channel == ChannelKind.TELEGRAM}
    if inbox not in known:
        raise NotFound(inbox=inbox)
    async with frame.desk.database.unit() as uow:
        code = await service.make_code(uow, purpose=service.FOR_GROUP, subject=inbox, by=signed.agent.email, now=frame.desk.clock.now())
        note_change(uow, frame, "group.code", known[inbox].name, {})
    return await _page(request, signed, link=code, inbox_id=inbox)


@router.post("/groups/{group_id}/unlink")
async def unlink(request: Request, signed: CurrentAgent, group_id: Ident) -> Response:
    must(signed.role, Right.MANAGE_DESK)
    frame = await Frame.of(request, signed)
    async with frame.desk.database.unit() as uow:
        group = await service.end_group(uow, group_id, now=frame.desk.clock.now())
        note_change(uow, frame, "group.unlink", group.title, {"chat": group.chat})
    return RedirectResponse("/console/settings/telegram?saved=group", 303)
