"""Hops 7 and 8: an outbound message to its channel, and the receipt back into the store."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import timedelta

import structlog
from sqlalchemy import select, update

from channels.email.robots import UNREAD, behind
from desk_core.context import SYSTEM, Context
from desk_core.conversations import letters
from desk_core.conversations import repository as conversations
from desk_core.conversations.entities import Conversation, Inbox, Message
from desk_core.conversations.ports import Ability, Channel, ChannelKind, OutboundMessage, Receipt, Refused, RetryLater, TopicGone
from desk_core.conversations.service import DELIVER
from desk_core.groups.following import follow
from desk_core.kit.db import Database, ReadSession, UnitOfWork
from desk_core.kit.errors import NotFound
from desk_core.lanes import queue
from desk_core.lanes.queue import Work
from desk_core.lanes.worker import Plan, Postpone
from desk_core.tickets import copies, history, topics
from desk_core.tickets.entities import Ticket
from gateway.flows.drawing import Draw
from gateway.flows.topics import topic_of, topic_ticket

log = structlog.get_logger()

PAUSED = timedelta(seconds=15)
NOT_SENT = "not sent: "
"""How a postponement begins that surely left nothing on the wire. After any other end of a try the message may have arrived: it was
never settled (`Work.unsure`), or it failed in a way that nobody foresaw."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the channel said: a receipt, or its refusal in words."""

    ctx: Context
    message_id: str
    receipt: Receipt | None = None
    refused: str = ""
    blocked: bool = False
    inbox_id: str = ""
    conversation_id: str = ""
    is_mail: bool = False
    withheld: bool = False  # nobody reads letters there
    copy: str = ""  # the address of the one whose copy this is
    plain: bool = False  # nothing follows from its arrival but that it is noted


class Deliver:
    """The handler of outbound deliveries. At least once on the wire, exactly once in the store."""

    max_attempts = 10

    def __init__(
        self,
        database: Database,
        *,
        context: Callable[[str], Awaitable[Context]],
        channel: Callable[[str], Awaitable[Channel | None]],
        draw: Draw,
    ) -> None:
        self._database, self._context, self._channel, self._draw = database, context, channel, draw

    async def decide(self, work: Work) -> Plan:
        ctx = await self._context(str(work.payload.get("request_id", "")))
        async with self._database.glance() as session:
            found = await conversations.outbound(session, str(work.payload["message_id"]))
            if found is None:
                raise NotFound(message=work.payload["message_id"])
            message, conversation, inbox = found
            copy = str(work.payload.get("copy", ""))
            if copy and not copies.has_mail(copy):
                ticket = await session.get(Ticket, message.ticket_id) if message.ticket_id else None
                seat = await copies.seat(session, ticket, copy)
                if seat is None:
                    return Plan(Outcome(ctx=ctx, message_id=message.id))  # they have left since
                conversation, inbox = seat, await session.get_one(Inbox, seat.inbox_id)
            outbound = await self._draw(session, ctx, message, conversation, inbox, attempt=work.attempts + 1, copy=copy)
            earlier = await _card(session, message) if not copy else None
        done = Outcome(
            ctx=ctx, message_id=message.id, inbox_id=inbox.id, conversation_id=conversation.id, is_mail=inbox.channel == ChannelKind.EMAIL,
            copy=copy, plain=not copy and inbox.channel != ChannelKind.EMAIL and not {"cc", "leaves_at"} & message.meta.keys(),
        )  # fmt: skip
        if message.delivery_state == "sent" and not done.copy:
            return Plan(Outcome(ctx=ctx, message_id=message.id))
        if done.is_mail and not copy and outbound.automatic and behind(outbound.to) in UNREAD:
            # An operator may take up the letter of a robot; what the desk says by itself would only begin a talk of machines.
            return Plan(replace(done, withheld=True))
        channel = await self._channel(inbox.id)
        uncertain = work.unsure or not (work.last_error or NOT_SENT).startswith(NOT_SENT)
        if channel is None:
            raise Postpone(_so_far("the inbox is paused or not connected", uncertain=uncertain), after=PAUSED, free=True)
        try:
            receipt = await self._show(channel, ctx, outbound, conversation, instead_of=earlier)
        except Refused as error:
            log.warning("deliver.refused", inbox=inbox.name, blocked=error.blocked)
            return Plan(replace(done, refused=error.reason, blocked=error.blocked))
        except RetryLater as error:
            reason = _so_far(error.reason, uncertain=uncertain or error.uncertain)
            raise Postpone(reason, after=error.after, free=error.free) from error
        marked = Receipt(external_id=receipt.external_id, uncertain=receipt.uncertain or uncertain, extra=receipt.extra)
        return Plan(replace(done, receipt=marked))

    async def _show(
        self, channel: Channel, ctx: Context, message: OutboundMessage, conversation: Conversation, *, instead_of: Receipt | None
    ) -> Receipt:
        """Send it, or change what is there into it; what cannot be changed stays, and a new message follows."""
        if instead_of is not None and Ability.EDIT in channel.abilities:
            try:
                return await channel.edit(message, instead_of)
            except Refused as error:
                if error.blocked:
                    raise
        return await self._send(channel, ctx, message, conversation)

    async def _send(self, channel: Channel, ctx: Context, message: OutboundMessage, conversation: Conversation) -> Receipt:
        """Send into the thread; a topic that is not open yet is opened first, and one that somebody deleted is opened again, once."""
        chat = replace(message, thread_key=topics.chat_of(message.thread_key), reply_to=None)
        if topics.is_awaited(message.thread_key):
            if conversation.topic is None:
                return await channel.send(replace(chat, reply_to=message.reply_to))
            message = await self._in_topic(channel, ctx, message, conversation)
        try:
            return await channel.send(message)
        except TopicGone:
            if conversation.topic is None:
                return await channel.send(chat)
        message = await self._in_topic(channel, ctx, replace(message, reply_to=None), conversation)
        try:
            return await channel.send(message)
        except TopicGone:
            return await channel.send(chat)

    async def _in_topic(self, channel: Channel, ctx: Context, message: OutboundMessage, conversation: Conversation) -> OutboundMessage:
        """The message for a topic opened just now; for the chat itself where no topic can be had."""
        chat = topics.chat_of(message.thread_key)
        async with self._database.glance() as session:
            ticket = await topic_ticket(session, conversation.id)
        if ticket is None:
            return replace(message, thread_key=chat)
        wanted = topic_of(ticket, message.language)
        try:
            key = await channel.open_topic(chat, wanted)
        except Refused as refusal:
            if refusal.blocked:
                raise
            log.warning("deliver.no_topic", conversation=conversation.id, reason=refusal.reason)
            async with self._database.unit() as uow:
                await topics.give_up(uow, conversation.id)
            return replace(message, thread_key=chat)
        # Kept at once, in a commit of its own: whatever fails from here on must not open a second one.
        async with self._database.unit() as uow:
            await topics.keep_key(uow, conversation.id, key, wanted.to_json())
        return replace(message, thread_key=key)

    async def apply(self, uow: UnitOfWork, work: Work, plan: Plan) -> None:
        outcome: Outcome = plan.data
        if outcome.withheld:
            (await conversations.message(uow, outcome.message_id)).delivery_state = "withheld"
            outcome.ctx.hint(uow, "conversations", outcome.conversation_id)
            return
        if outcome.receipt is None and not outcome.refused:
            return
        receipt = outcome.receipt
        if outcome.plain and receipt is not None and not receipt.uncertain and not receipt.extra:
            await conversations.note_sent(uow, outcome.message_id, external_id=receipt.external_id, attempts=work.attempts + 1)
            outcome.ctx.hint(uow, "conversations", outcome.conversation_id)
            return
        message = await conversations.message(uow, outcome.message_id)
        if outcome.copy:
            if outcome.refused:
                await _copy_failed(uow, outcome.ctx, message, outcome.copy, outcome.refused)
            elif outcome.receipt is not None and not outcome.is_mail:
                await copies.remember(uow, outcome.inbox_id, (outcome.receipt.external_id, *outcome.receipt.extra), message.id)
            return
        message.delivery_attempts = work.attempts + 1
        if outcome.receipt is not None:
            certain = not outcome.receipt.uncertain or outcome.is_mail  # the same Message-ID twice is one mail
            message.external_id = outcome.receipt.external_id
            message.delivery_state, message.delivery_reason = ("sent", None) if certain else ("uncertain", "may have arrived twice")
            if outcome.receipt.extra:
                message.meta = {**message.meta, "parts": list(outcome.receipt.extra)}
            if outcome.is_mail:
                await letters.remember_reference(uow, outcome.inbox_id, outcome.receipt.external_id, outcome.conversation_id)
            if message.meta.get("cc"):
                await _send_copies(uow, message, work)
            if not certain and message.ticket_id:
                ticket = await history.get(uow, message.ticket_id)
                history.note_event(uow, outcome.ctx, ticket, "delivery_uncertain", actor=SYSTEM, data={"message": message.id})
        else:
            await _failed(uow, outcome.ctx, message, outcome.refused)
            if outcome.blocked:
                message.meta = {**message.meta, "blocked": True}  # sent again when the person comes back
                await uow.execute(
                    update(Conversation)
                    .where(Conversation.id == message.conversation_id)
                    .values(blocked_at=outcome.ctx.now, blocked_reason=outcome.refused[:300])
                )
        outcome.ctx.hint(uow, "conversations", message.conversation_id)
        if "leaves_at" in message.meta:
            follow(uow, outcome.ctx, message.ticket_id)  # until now it could be taken back, and colleagues were not told

    async def buried(self, uow: UnitOfWork, work: Work, dead_id: str, reason: str) -> None:
        """Nobody could deliver it: the message says so, and the request too."""
        ctx = await self._context(str(work.payload.get("request_id", "")))
        message = await uow.session.get(Message, str(work.payload.get("message_id")))
        if message is not None and work.payload.get("copy"):
            await _copy_failed(uow, ctx, message, str(work.payload["copy"]), reason.removeprefix(NOT_SENT))
        elif message is not None:
            message.delivery_attempts = work.attempts + 1
            await _failed(uow, ctx, message, reason.removeprefix(NOT_SENT), dead_id=dead_id)


async def _card(session: ReadSession, message: Message) -> Receipt | None:
    """What stands in the chat in whose place this message is to be shown; None once the person has written below it."""
    over = message.meta.get("over")
    card = await session.get(Message, str(over)) if over else None
    if card is None or card.external_id is None or card.deleted_at is not None or await conversations.answered_since(session, card):
        return None
    return Receipt(card.external_id, extra=tuple(card.meta.get("parts", ())))


def _so_far(reason: str, *, uncertain: bool) -> str:
    """The reason of a postponement, saying whether something may be on the wire already."""
    return f"uncertain: {reason.removeprefix('uncertain: ')}" if uncertain else f"{NOT_SENT}{reason}"


async def _send_copies(uow: UnitOfWork, message: Message, work: Work) -> None:
    """Each person in copy gets the letter in a delivery of their own: one that is refused is no trouble of the others."""
    if message.meta.get("copied"):
        return  # it was sent again, for the requester alone
    message.meta = {**message.meta, "copied": True}
    for _name, address in message.meta.get("cc", ()):
        await queue.put(uow, lane=work.lane, kind=DELIVER, payload={**work.payload, "copy": address}, run_at=message.at)


async def _copy_failed(uow: UnitOfWork, ctx: Context, message: Message, address: str, reason: str) -> None:
    ticket = await uow.session.get(Ticket, message.ticket_id) if message.ticket_id else None
    if ticket is not None:
        data = {"address": address, "reason": reason[:300], "message": message.id}
        history.note_event(uow, ctx, ticket, "copy_failed", actor=SYSTEM, data=data)
        ticket.unread = True


async def _failed(uow: UnitOfWork, ctx: Context, message: Message, reason: str, *, dead_id: str | None = None) -> None:
    message.delivery_state, message.delivery_reason = "failed", reason[:500]
    if message.ticket_id:
        ticket = await uow.scalar(select(Ticket).where(Ticket.id == message.ticket_id))
        if ticket is not None:
            data = {"reason": reason[:300], "message": message.id, **({"dead": dead_id} if dead_id else {})}
            history.note_event(uow, ctx, ticket, "delivery_failed", actor=SYSTEM, data=data)
            ticket.unread = True
