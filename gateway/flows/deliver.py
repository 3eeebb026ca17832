"""Hops 7 and 8: an outbound message to its channel, and the receipt back into the store."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import structlog
from sqlalchemy import select, update

from desk_core.context import SYSTEM, Context
from desk_core.conversations import repository as conversations
from desk_core.conversations.entities import Attachment, Conversation, Message
from desk_core.conversations.ports import (
    Channel,
    ChannelKind,
    FileLink,
    OutboundButton,
    OutboundFile,
    OutboundMessage,
    Receipt,
    Refused,
    RetryLater,
)
from desk_core.conversations.service import DELIVER
from desk_core.kit.db import Database, UnitOfWork
from desk_core.kit.errors import NotFound
from desk_core.lanes import queue
from desk_core.lanes.queue import Work
from desk_core.lanes.worker import Plan, Postpone
from desk_core.people import repository as people
from desk_core.people.entities import Contact
from desk_core.sla.clock import Metric
from desk_core.sla.words import moment
from desk_core.tickets import copies, history
from desk_core.tickets.entities import Ticket
from desk_core.tickets.lifecycle import Status
from gateway.courtesies import COURTESIES, CourtesyLinks
from gateway.file_links import FileLinks

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
    copy: str = ""  # the address of the one whose copy this is


class Deliver:
    """The handler of outbound deliveries. At least once on the wire, exactly once in the store."""

    max_attempts = 10

    def __init__(
        self,
        database: Database,
        *,
        context: Callable[[str], Awaitable[Context]],
        channel: Callable[[str], Awaitable[Channel | None]],
        links: FileLinks,
        courtesies: CourtesyLinks,
        mail_limit: int,
    ) -> None:
        """`mail_limit` is how many bytes of files one letter carries; the rest is offered by `links`."""
        self._database, self._context, self._channel, self._links, self._mail_limit = database, context, channel, links, mail_limit
        self._courtesies = courtesies

    async def decide(self, work: Work) -> Plan:
        ctx = await self._context(str(work.payload.get("request_id", "")))
        async with self._database.glance() as session:
            found = await conversations.outbound(session, str(work.payload["message_id"]))
            if found is None:
                raise NotFound(message=work.payload["message_id"])
            message, conversation, inbox = found
            outbound = await self._outbound(session, ctx, message, conversation, work)
        done = Outcome(
            ctx=ctx, message_id=message.id, inbox_id=inbox.id, conversation_id=conversation.id, is_mail=inbox.channel == ChannelKind.EMAIL,
            copy=str(work.payload.get("copy", "")),
        )  # fmt: skip
        if message.delivery_state == "sent" and not done.copy:
            return Plan(Outcome(ctx=ctx, message_id=message.id))
        channel = await self._channel(inbox.id)
        uncertain = work.unsure or not (work.last_error or NOT_SENT).startswith(NOT_SENT)
        if channel is None:
            raise Postpone(_so_far("the inbox is paused or not connected", uncertain=uncertain), after=PAUSED, free=True)
        try:
            receipt = await channel.send(outbound)
        except Refused as error:
            log.warning("deliver.refused", inbox=inbox.name, blocked=error.blocked)
            return Plan(replace(done, refused=error.reason, blocked=error.blocked))
        except RetryLater as error:
            reason = _so_far(error.reason, uncertain=uncertain or error.uncertain)
            raise Postpone(reason, after=error.after, free=error.free) from error
        marked = Receipt(external_id=receipt.external_id, uncertain=receipt.uncertain or uncertain, extra=receipt.extra)
        return Plan(replace(done, receipt=marked))

    async def apply(self, uow: UnitOfWork, work: Work, plan: Plan) -> None:
        outcome: Outcome = plan.data
        if outcome.receipt is None and not outcome.refused:
            return
        message = await uow.session.get_one(Message, outcome.message_id)
        if outcome.copy:
            if outcome.refused:
                await _copy_failed(uow, outcome.ctx, message, outcome.copy, outcome.refused)
            return
        message.delivery_attempts = work.attempts + 1
        if outcome.receipt is not None:
            certain = not outcome.receipt.uncertain or outcome.is_mail  # the same Message-ID twice is one mail
            message.external_id = outcome.receipt.external_id
            message.delivery_state, message.delivery_reason = ("sent", None) if certain else ("uncertain", "may have arrived twice")
            if outcome.receipt.extra:
                message.meta = {**message.meta, "parts": list(outcome.receipt.extra)}
            if outcome.is_mail:
                await conversations.remember_reference(uow, outcome.inbox_id, outcome.receipt.external_id, outcome.conversation_id)
                if message.meta.get("cc"):
                    await _send_copies(uow, message, work)
            if not certain and message.ticket_id:
                ticket = await history.get(uow, message.ticket_id)
                history.note_event(uow, outcome.ctx, ticket, "delivery_uncertain", actor=SYSTEM, data={"message": message.id})
        else:
            await _failed(uow, outcome.ctx, message, outcome.refused)
            if outcome.blocked:
                await uow.execute(
                    update(Conversation)
                    .where(Conversation.id == message.conversation_id)
                    .values(blocked_at=outcome.ctx.now, blocked_reason=outcome.refused[:300])
                )
        outcome.ctx.hint(uow, "conversations", message.conversation_id)

    async def buried(self, uow: UnitOfWork, work: Work, dead_id: str, reason: str) -> None:
        """Nobody could deliver it: the message says so, and the request too."""
        ctx = await self._context(str(work.payload.get("request_id", "")))
        message = await uow.session.get(Message, str(work.payload.get("message_id")))
        if message is not None and work.payload.get("copy"):
            await _copy_failed(uow, ctx, message, str(work.payload["copy"]), reason.removeprefix(NOT_SENT))
        elif message is not None:
            message.delivery_attempts = work.attempts + 1
            await _failed(uow, ctx, message, reason.removeprefix(NOT_SENT), dead_id=dead_id)

    async def _outbound(self, session: Any, ctx: Context, message: Message, conversation: Conversation, work: Work) -> OutboundMessage:
        ticket = await session.get(Ticket, message.ticket_id) if message.ticket_id else None
        by_mail = conversation.channel == ChannelKind.EMAIL
        # A chat is its own address; a letter needs its addressee, what it answers, and the thread it belongs to.
        known = await people.address_and_name(session, conversation.contact_id, channel=conversation.channel) if by_mail else None
        last = await conversations.last_inbound(session, conversation.id) if by_mail else None
        references = await conversations.references_of(session, conversation.id) if by_mail else []
        to = _address(known[0] if known else None, last, conversation)
        copy = str(work.payload.get("copy", ""))
        carried, linked = _split(message.attachments, self._mail_limit) if by_mail else (message.attachments, [])
        until = self._links.until(message.at, ctx.now)
        # Whoever holds this address may close and rate the request: it is the requester's alone.
        status_url = f"{ctx.public_url}/s/{ticket.token}" if ticket and not copy else None
        return OutboundMessage(
            message_id=message.id,
            conversation_id=conversation.id,
            thread_key=conversation.thread_key,
            to=to,
            to_name=(known[1] if known else "") or to,
            text=message.text,
            language=_language(ctx, conversation, ticket),
            at=message.at,
            author=message.author_kind,
            author_name=message.author if message.author_kind == "agent" else "",
            buttons=_buttons(message, conversation.channel, status_url),
            cc=tuple((str(name), str(address)) for name, address in message.meta.get("cc", ()) if address != to),
            copy_for=copy or None,
            files=tuple(OutboundFile(file.name, file.content_type, file.size, file.sha256) for file in carried),
            links=tuple(FileLink(file.name, file.size, self._links.url(file.id, until=until), until) for file in linked),
            reply_to=message.reply_to,
            subject=message.subject or (last.subject if last else None) or conversation.subject or (ticket.subject if ticket else None),
            ticket_number=ticket.number if ticket else None,
            ticket_token=ticket.token if ticket and not copy else None,
            status_url=status_url,
            promise=await _promise(session, ctx, message, ticket) if ticket and by_mail else "",
            stop_url=self._courtesies.url(ticket.id) if ticket and by_mail and message.meta.get("key") in COURTESIES else None,
            team=ctx.config.team_title(ticket.team_id, _language(ctx, conversation, ticket)) if ticket and ticket.team_id else "",
            references=tuple(references),
            automatic=message.author_kind != "agent",
            silent=bool(message.meta.get("silent")),
            attempt=work.attempts + 1,
            original={"author": last.author, "at": last.at.isoformat(), "text": last.text[:4000]}
            if last and message.meta.get("key") and _may_read(last, to)
            else {},
        )


def _split(files: Sequence[Attachment], limit: int) -> tuple[list[Attachment], list[Attachment]]:
    """(what a letter carries, what it links to): as many files as fit go along, the small ones first."""
    left, small = limit, set()
    for file in sorted(files, key=lambda one: (one.size, one.id)):
        left -= file.size
        if left < 0:
            break
        small.add(file.id)
    return [file for file in files if file.id in small], [file for file in files if file.id not in small]


def _so_far(reason: str, *, uncertain: bool) -> str:
    """The reason of a postponement, saying whether something may be on the wire already."""
    return f"uncertain: {reason.removeprefix('uncertain: ')}" if uncertain else f"{NOT_SENT}{reason}"


def _language(ctx: Context, conversation: Conversation, ticket: Ticket | None) -> str:
    return conversation.language or (ticket.language if ticket else ctx.config.language)


def _address(known: str | None, last: Message | None, conversation: Conversation) -> str:
    """Where the answer goes: to the address the requester wrote from last, otherwise to the contact's address on this channel."""
    if last is not None and last.meta.get("address") and not last.meta.get("participant"):
        return str(last.meta["address"])
    return known or conversation.thread_key


async def _promise(session: Any, ctx: Context, message: Message, ticket: Ticket) -> str:
    """When somebody answers, for a letter the desk writes by itself; the acknowledgement has it in its words."""
    owed = (
        ticket.next_due_at is not None
        and ticket.next_due_metric != Metric.RESOLUTION
        and Status(ticket.status) in (Status.NEW, Status.OPEN)
    )
    if ticket.next_due_at is None or not owed or message.author_kind == "agent" or message.meta.get("key") == "created":
        return ""
    zone = await session.scalar(select(Contact.time_zone).where(Contact.id == ticket.contact_id))
    return moment(ticket.next_due_at, message.at, ZoneInfo(zone or ctx.config.time_zone), ticket.language)


def _may_read(last: Message, to: str) -> bool:
    """Whether the letter answered may be quoted: what somebody else on the request wrote may not have gone to the requester."""
    return not last.meta.get("participant") or to in copies.on_letter(last)


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


def _buttons(message: Message, channel: str, status_url: str | None) -> tuple[tuple[OutboundButton, ...], ...]:
    """Buttons as the channel can carry them: tokens in a chat, links to the status page in a letter."""
    if channel == ChannelKind.TELEGRAM:
        return tuple(tuple(OutboundButton(one["label"], token=one["token"]) for one in row) for row in message.buttons)
    if channel != ChannelKind.EMAIL or status_url is None:
        return ()
    rows: list[tuple[OutboundButton, ...]] = []
    for row in message.buttons:
        linked = tuple(
            OutboundButton(
                one["label"], url=f"{status_url}?do={one['action']}" + (f"&score={len(one['label'])}" if one["action"] == "rate" else "")
            )
            for one in row
            if one["action"] in ("solved", "not_solved", "rate")
        )
        rows += [linked] if linked else []
    return tuple(rows)


async def _failed(uow: UnitOfWork, ctx: Context, message: Message, reason: str, *, dead_id: str | None = None) -> None:
    message.delivery_state, message.delivery_reason = "failed", reason[:500]
    if message.ticket_id:
        ticket = await uow.scalar(select(Ticket).where(Ticket.id == message.ticket_id))
        if ticket is not None:
            data = {"reason": reason[:300], "message": message.id, **({"dead": dead_id} if dead_id else {})}
            history.note_event(uow, ctx, ticket, "delivery_failed", actor=SYSTEM, data=data)
            ticket.unread = True
