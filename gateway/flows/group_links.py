"""One-time links and codes: an operator's account, the operators' group, and a test of the bot."""

from dataclasses import replace
from datetime import timedelta
from typing import cast

from sqlalchemy import select

from desk_core.conversations.ports import ChannelKind
from desk_core.groups import service
from desk_core.groups.following import BACKLOG, lane_of
from desk_core.groups.ports import Standing
from desk_core.kit.db import UnitOfWork
from desk_core.kit.i18n import gettext_noop as _
from desk_core.kit.i18n import known_language, translate
from desk_core.lanes import queue
from desk_core.tickets.entities import WORKING, Ticket
from gateway.flows.group_heard import Heard, say

ME = "me-"
"""How a deep link begins that links an operator's account."""
MOST_SHOWN_AT_FIRST = 200
APART = timedelta(seconds=20)
"""A topic, its card and what was said are three messages or more, and a group takes twenty a minute: half of that is left to the living."""
CONFIG_KNOWN = timedelta(seconds=6)
"""Until then every process has heard of a group that was linked just now."""
MISSING = {
    "forum": _("switch on Topics in the group's settings"),
    "admin": _("make the bot an administrator"),
    "topics": _("give the bot the right to manage topics"),
    "privacy": _("or let it read all messages: as an administrator, or with its privacy mode off at @BotFather"),
}


async def link_account(uow: UnitOfWork, heard: Heard) -> str:
    message = heard.message
    token = next((token.removeprefix(ME) for token in message.tokens if token.startswith(ME)), "")
    code = await service.take_code(uow, token or str(message.card.get("args", "")), purpose=service.FOR_AGENT, now=heard.ctx.now)
    agent = await service.link_agent(
        uow, code.subject, channel=ChannelKind.TELEGRAM, address=message.sender.address,
        display=message.sender.username or message.sender.name, now=heard.ctx.now,
    )  # fmt: skip
    return translate(
        known_language(agent.language), _("%(name)s, this account is yours now. You can work in the operators' group."), name=agent.name
    )


async def test(uow: UnitOfWork, heard: Heard) -> str:
    """Somebody opened the bot by a link of the console, to see that it receives and answers."""
    message = heard.message
    token = next(token.removeprefix(service.TEST_LINK) for token in message.tokens if token.startswith(service.TEST_LINK))
    code = await service.take_code(uow, token, purpose=service.FOR_TEST, now=heard.ctx.now)
    if code.subject != heard.inbox_id:
        raise service.WrongCode
    name, username = message.sender.name, message.sender.username
    code.used_by = f"{name} (@{username})"[:200] if username else name[:200]
    language = known_language(message.sender.language, heard.language)
    words = translate(language, _("This is the test message you asked for in the console. The bot hears you and answers."))
    await say(uow, replace(heard, language=language), words, code_hash=code.code_hash)
    return ""


async def link_group(uow: UnitOfWork, heard: Heard) -> str:
    message, now = heard.message, heard.ctx.now
    if heard.says:
        return heard.says
    standing = cast("Standing", heard.standing)
    code = await service.take_code(uow, str(message.card.get("args", "")), purpose=service.FOR_GROUP, now=now)
    if code.subject != heard.inbox_id:
        raise service.WrongCode
    if standing.missing:
        code.used_at = None  # it may be used once that is put right
        needed = "; ".join(translate(heard.language, MISSING[one]) for one in standing.missing)
        return translate(heard.language, _("Almost. Please %(needed)s, and send the same line again."), needed=needed)
    chat = (message.thread_key or "").partition(":")[0]
    group = await service.link_group(
        uow, inbox_id=heard.inbox_id, chat=chat, title=standing.title, language=heard.language, by=code.made_by, now=now
    )
    open_now = await uow.scalars(select(Ticket.id).where(WORKING).order_by(Ticket.number.desc()).limit(MOST_SHOWN_AT_FIRST))
    for place, ticket_id in enumerate(open_now):
        # The newest first, in a lane of their own: a request in which something happens does not wait for its turn.
        run_at = now + CONFIG_KNOWN + APART * place
        await queue.put(uow, lane=lane_of(f"backlog:{group.id}"), kind=BACKLOG, payload={"ticket_id": ticket_id}, run_at=run_at)
    heard.ctx.wake(uow)
    return translate(
        heard.language,
        _("Linked: «%(title)s». Each request gets a topic here. Operators link their accounts in the console's settings."),
        title=group.title,
    )
