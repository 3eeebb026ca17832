"""What arrives from groups, and by the console's one-time links: read as orders and carried out by the console's own verbs.

Only members linked to an operator act; others are told so once. Groups that are not the operators' are left to the bot's own manners.
"""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import structlog

from desk_core.context import Context
from desk_core.conversations import arrivals, pressing
from desk_core.conversations.entities import Conversation, Inbox, RawInbound
from desk_core.conversations.files import NewFile, store_file
from desk_core.conversations.ports import Channel, ChannelKind, InboundKind, InboundMessage, Limits, Refused, RetryLater
from desk_core.groups import repository, service
from desk_core.groups.ports import Grouping, GroupUnreachable
from desk_core.kit.blobs import DirectoryBlobs
from desk_core.kit.db import Database, UnitOfWork
from desk_core.kit.errors import DeskError, NotFound, StaleWrite, TooLarge
from desk_core.kit.i18n import gettext_noop as _
from desk_core.kit.i18n import translate
from desk_core.lanes import queue
from desk_core.lanes.queue import Work
from desk_core.lanes.worker import Handler, Plan, Postpone
from desk_core.tickets.entities import Ticket
from desk_core.tickets.words import STATUS
from gateway.flows import group_orders, group_view
from gateway.flows.group_acts import carry_out
from gateway.flows.group_heard import Heard, refusal, say
from gateway.flows.group_links import ME
from gateway.flows.group_orders import Do, Order
from gateway.flows.in_groups import GROUPS

log = structlog.get_logger()

GROUP_TALK = "group_talk"
"""Kind of the work item behind what arrives from a group, or by a one-time link of the console."""


def is_group_talk(message: InboundMessage) -> bool:
    """Whether this is for us to read first: everything from groups, and the console's one-time links and codes.

    `/me` with a code links an operator's account; alone it is a person's question and goes the way of every message.
    """
    if message.card.get("chat_type") in GROUPS:
        return True
    if message.command == "me":
        return bool(message.card.get("args"))
    return any(token.startswith((ME, service.TEST_LINK)) for token in message.tokens)


class GroupTalk:
    """The handler of what arrives from groups."""

    max_attempts = 6

    def __init__(
        self,
        database: Database,
        *,
        context: Callable[[str], Awaitable[Context]],
        channel: Callable[[str], Awaitable[Channel | None]],
        blobs: DirectoryBlobs,
        limits: Limits,
        otherwise: Handler,
        attachment_limit: int,
    ) -> None:
        """`otherwise` handles what is none of the operators' business."""
        self._database, self._context, self._channel, self._blobs = database, context, channel, blobs
        self._limits, self._otherwise, self._limit = limits, otherwise, attachment_limit

    async def decide(self, work: Work) -> Plan:
        ctx = await self._context(str(work.payload.get("request_id", "")))
        async with self._database.read() as session:
            raw = next(iter(await arrivals.raw_inbound(session, [str(work.payload["raw_id"])])), None)
            if raw is None:
                raise NotFound(raw=work.payload["raw_id"])
            message = InboundMessage.from_json(raw.body)
            inbox = await session.get_one(Inbox, raw.inbox_id)
            chat, _sep, thread = (message.thread_key or "").partition(":")
            group = ctx.config.group_by_chat(inbox.id, chat)
            heard = Heard(ctx, (raw.id,), message, inbox.id, group.language if group else inbox.language, group=group)
            if group is not None:
                agent = await repository.agent_of(session, channel=ChannelKind.TELEGRAM, address=message.sender.address)
                topic = await repository.topic_by_thread(session, group.id, thread) if thread else None
                button = await pressing.button(session, message.button) if message.button else None
                heard = replace(heard, agent=agent, topic=topic, button=button)
            rows, also = await self._album(session, work, raw, message)
        if message.card.get("chat_type") not in GROUPS:
            return Plan(heard)
        if message.command == "link":
            return Plan(await self._standing(heard, chat))
        if group is None:
            plan = await self._otherwise.decide(work)
            return Plan(replace(heard, elsewhere=plan), also=plan.also)
        if message.kind is InboundKind.MEMBERSHIP or message.held or message.automatic:
            return Plan(heard)
        if heard.agent is None:
            fresh = message.kind is not InboundKind.REACTION and await self._limits.hit(
                "group-stranger", f"{group.id}:{message.sender.address}", limit=1, seconds=86_400
            )
            if message.callback_id:
                await self._answer(heard, translate(heard.language, _("Please link your account in the console first.")))
            return Plan(replace(heard, stranger=fresh))
        if message.kind is InboundKind.PRESS:
            return Plan(await self._press(heard))
        if len(rows) > 1:
            parts = [InboundMessage.from_json(row.body) for row in rows]
            text = "\n".join(part.text for part in parts if part.text)
            message = replace(message, text=text, files=tuple(file for part in parts for file in part.files))
            heard = replace(heard, message=message, raws=tuple(row.id for row in rows))
        if message.kind in (InboundKind.MESSAGE, InboundKind.UNSUPPORTED):
            heard = replace(heard, order=group_orders.read(message))
            heard = await self._fetched(heard)
        return Plan(heard, also=also)

    async def apply(self, uow: UnitOfWork, work: Work, plan: Plan) -> None:
        heard: Heard = plan.data
        if heard.elsewhere is not None:
            await self._otherwise.apply(uow, work, heard.elsewhere)
            return
        await arrivals.note_done(uow, list(heard.raws), message_id=None)
        try:
            # What is refused leaves nothing behind but its reason, told to who asked.
            async with uow.session.begin_nested():
                words = await carry_out(uow, heard)
                await uow.flush()
        except StaleWrite:
            raise
        except DeskError as refused:
            if refused.status >= 500:
                raise
            words = refusal(refused, heard.language)
        if words:
            await say(uow, heard, words)

    async def buried(self, uow: UnitOfWork, work: Work, dead_id: str, reason: str) -> None:
        """The words are kept raw among the dead items; the group is told that they went nowhere."""
        ctx = await self._context("")
        raw = await uow.session.get(RawInbound, str(work.payload.get("raw_id")))
        if raw is None:
            return
        message = InboundMessage.from_json(raw.body)
        group = ctx.config.group_by_chat(raw.inbox_id, (message.thread_key or "").partition(":")[0])
        ours = group is not None or message.command == "link" or message.card.get("chat_type") not in GROUPS
        if not ours:
            await self._otherwise.buried(uow, work, dead_id, reason)
            return
        language = group.language if group is not None else ctx.config.language
        heard = Heard(ctx, (raw.id,), message, raw.inbox_id, language, group=group)
        await say(uow, heard, translate(language, _("This could not be carried out: %(reason)s"), reason=reason))

    # Reading

    async def _album(self, session: Any, work: Work, raw: RawInbound, message: InboundMessage) -> tuple[list[RawInbound], tuple[int, ...]]:
        """The parts of an album, which arrive one by one, are one answer."""
        if not message.album:
            return [raw], ()
        taken, also = [raw], []
        heads = [item for item in await queue.head(session, work.lane, limit=12) if item.id != work.id and item.kind == GROUP_TALK]
        rows = {row.id: row for row in await arrivals.raw_inbound(session, [str(item.payload["raw_id"]) for item in heads])}
        for item in heads:
            row = rows.get(str(item.payload["raw_id"]))
            if row is None or InboundMessage.from_json(row.body).album != message.album:
                break
            taken.append(row)
            also.append(item.id)
        return taken, tuple(also)

    async def _standing(self, heard: Heard, chat: str) -> Heard:
        channel = await self._channel(heard.inbox_id)
        if not isinstance(channel, Grouping):
            raise Postpone("the inbox is paused or not connected")
        try:
            return replace(heard, standing=await channel.group_standing(chat))
        except GroupUnreachable as error:
            return replace(heard, says=error.reason)
        except Refused as error:
            return replace(heard, says=error.reason)
        except RetryLater as error:
            raise Postpone(error.reason, after=error.after) from error

    async def _fetched(self, heard: Heard) -> Heard:
        """The files of an answer or note, in the store before anything is written."""
        channel = await self._channel(heard.inbox_id)
        kept: list[NewFile] = []
        for file in heard.message.files:
            if file.remote_id is None:
                continue
            if channel is None:
                raise Postpone("the inbox is paused or not connected")
            try:
                kept.append(
                    await store_file(
                        self._blobs, name=file.name, content=channel.fetch(file.remote_id), limit=self._limit, declared=file.declared_type
                    )
                )
            except (TooLarge, Refused):
                return replace(heard, too_large=True)
            except RetryLater as error:
                raise Postpone(error.reason, after=error.after) from error
        return replace(heard, files=tuple(kept))

    async def _press(self, heard: Heard) -> Heard:
        """A button: answered at once, with the present state where it means nothing any more."""
        button, ctx = heard.button, heard.ctx
        prefix, _sep, name = (button.action if button else "").partition(":")
        fresh = button is not None and prefix == "group" and button.used_at is None and button.expires_at > ctx.now
        if not fresh or button is None:
            await self._answer(heard, translate(heard.language, _("This button has been used already.")))
            return heard
        order = Order(Do(str(button.value.get("do", name))), str(button.value.get("words", "")))
        async with self._database.read() as session:
            ticket = await session.get(Ticket, str(button.value.get("ticket_id", "")))
            talk = await session.get(Conversation, ticket.conversation_id) if ticket and ticket.conversation_id else None
        if ticket is None:
            await self._answer(heard, translate(heard.language, _("This request is not there any more.")))
            return heard
        state = translate(heard.language, STATUS[ticket.status])
        done = order.do is Do.RESOLVE and ticket.status in ("resolved", *group_view.OVER)
        done |= order.do is Do.REOPEN and ticket.status not in ("resolved", "closed", "cancelled")
        done |= (
            order.do is Do.TAKE and talk is not None and talk.baton == "agent" and talk.agent_id == (heard.agent.id if heard.agent else "")
        )
        done |= order.do is Do.BOT and talk is not None and talk.baton == "bot"
        told = translate(heard.language, _("Already so. The request is: %(state)s"), state=state) if done else None
        await self._answer(heard, told)
        if done:
            return heard
        channel = await self._channel(heard.inbox_id)
        if channel is not None and name == "set" and heard.message.reply_to and heard.message.thread_key:
            await channel.close_buttons(heard.message.thread_key, heard.message.reply_to)
        return replace(heard, order=order, value=button.value)

    async def _answer(self, heard: Heard, words: str | None) -> None:
        channel = await self._channel(heard.inbox_id)
        if channel is not None and heard.message.callback_id:
            await channel.answer_press(heard.message.callback_id, words)
