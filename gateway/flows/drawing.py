"""What a stored message is on the wire: whom it goes to, what it answers, its buttons and files as the channel carries them."""

from collections.abc import Sequence
from zoneinfo import ZoneInfo

from desk_core.context import Context
from desk_core.conversations import letters
from desk_core.conversations import repository as conversations
from desk_core.conversations.entities import Attachment, Conversation, Inbox, Message
from desk_core.conversations.ports import ChannelKind, FileLink, OutboundButton, OutboundFile, OutboundMessage
from desk_core.kit.db import ReadSession
from desk_core.people import repository as people
from desk_core.sla.clock import Metric
from desk_core.sla.words import moment
from desk_core.tickets import copies, invitations
from desk_core.tickets import reading as tickets
from desk_core.tickets.entities import Ticket
from desk_core.tickets.lifecycle import Status
from gateway.courtesies import COURTESIES, CourtesyLinks
from gateway.file_links import FileLinks
from gateway.flows.in_groups import is_seat
from gateway.one_time import OneTime


class Draw:
    """Reads what an outbound message needs and puts it together. `mail_limit` is how many bytes of files one letter carries."""

    def __init__(self, *, links: FileLinks, courtesies: CourtesyLinks, one_time: OneTime, mail_limit: int) -> None:
        self._links, self._courtesies, self._one_time, self._mail_limit = links, courtesies, one_time, mail_limit

    async def __call__(
        self,
        session: ReadSession,
        ctx: Context,
        message: Message,
        conversation: Conversation,
        inbox: Inbox,
        *,
        attempt: int = 1,
        copy: str = "",
    ) -> OutboundMessage:
        """What goes on the wire for this message, as it stands in the store; `copy` is whom else on the request this letter is for."""
        ticket = await tickets.ticket_by_id(session, message.ticket_id) if message.ticket_id else None
        by_mail = conversation.channel == ChannelKind.EMAIL
        # A chat is its own address; a letter needs its addressee, what it answers, and the thread it belongs to.
        known = await people.reached(session, conversation.contact_id, channel=conversation.channel) if by_mail else None
        zone = ZoneInfo((known[2] if known else None) or ctx.config.time_zone)
        in_group = is_seat(conversation.thread_key)
        last = await conversations.last_inbound(session, conversation.id) if by_mail or in_group else None
        references = await letters.references_of(session, conversation.id) if by_mail else []
        to = _address(known[0] if known else None, last, conversation)
        carried, linked = _split(message.attachments, self._mail_limit) if by_mail else (message.attachments, [])
        until = self._links.until(message.at, ctx.now)
        # Whoever holds this address may close and rate the request: it is the requester's alone.
        status_url = f"{ctx.public_url}/s/{ticket.token}" if ticket and not copy else None
        team = ctx.config.team_title(ticket.team_id, _language(ctx, conversation, ticket)) if ticket and ticket.team_id else ""
        return OutboundMessage(
            message_id=message.id,
            conversation_id=conversation.id,
            thread_key=conversation.thread_key,
            to=to,
            to_name=(known[1] if known else "") or to,
            text=self._text(message),
            headline=_title(ticket) if ticket and copy else await _headline(session, ticket, message, conversation),
            language=_language(ctx, conversation, ticket),
            at=message.at,
            author=message.author_kind,
            author_name=_name(message, inbox, team) if message.author_kind == "agent" else message.author if copy else "",
            buttons=_buttons(message, conversation.channel, status_url) if not copy or by_mail else (),
            cc=tuple((name, address) for name, address in copies.by_letter(message.meta.get("cc", ())) if address != to),
            copy_for=copy or None,
            files=tuple(OutboundFile(file.name, file.content_type, file.size, file.sha256) for file in carried),
            links=tuple(FileLink(file.name, file.size, self._links.url(file.id, until=until), until) for file in linked),
            # In a group it is an answer to the person, so that everybody sees whom it is for.
            reply_to=None if copy and not by_mail else message.reply_to or (last.external_id if in_group and last else None),
            subject=message.subject or (last.subject if last else None) or conversation.subject or (ticket.subject if ticket else None),
            ticket_number=ticket.number if ticket else None,
            ticket_token=ticket.token if ticket and not copy else None,
            status_url=status_url,
            promise=_promise(message, ticket, zone) if ticket and by_mail else "",
            stop_url=self._courtesies.url(ticket.id) if ticket and by_mail and message.meta.get("key") in COURTESIES else None,
            team=team,
            references=tuple(references),
            automatic=message.author_kind != "agent",
            silent=bool(message.meta.get("silent")),
            phone_button=message.meta.get("phone_button"),
            attempt=attempt,
            original=_original(last, zone) if last and message.meta.get("key") and _may_read(last, to) else {},
        )

    def _text(self, message: Message) -> str:
        """The words as they go out; the secret of a link is made anew for them."""
        if message.meta.get("key") != invitations.INVITES:
            return message.text
        return message.text.replace(invitations.MASK, invitations.PREFIX + self._one_time.invitation(message.id))


async def _headline(session: ReadSession, ticket: Ticket | None, message: Message, conversation: Conversation) -> str:
    """Which request a message is about, where a chat without topics holds several and the message does not say it itself."""
    if ticket is None or conversation.channel != ChannelKind.TELEGRAM or conversation.topic is not None:
        return ""
    if f"#{ticket.number}" in message.text.partition("\n")[0]:
        return ""
    if len(await tickets.open_of(session, conversation.contact_id)) < 2:
        return ""
    return _title(ticket)


def _title(ticket: Ticket) -> str:
    return f"#{ticket.number} · {' '.join(ticket.subject.split())[:60]}"


def _name(message: Message, inbox: Inbox, team: str) -> str:
    """Who speaks, as this inbox wants it told."""
    return team if inbox.signs_as_team and team else message.author


def _split(files: Sequence[Attachment], limit: int) -> tuple[list[Attachment], list[Attachment]]:
    """(what a letter carries, what it links to): as many files as fit go along, the small ones first."""
    left, small = limit, set()
    for file in sorted(files, key=lambda one: (one.size, one.id)):
        left -= file.size
        if left < 0:
            break
        small.add(file.id)
    return [file for file in files if file.id in small], [file for file in files if file.id not in small]


def _language(ctx: Context, conversation: Conversation, ticket: Ticket | None) -> str:
    return conversation.language or (ticket.language if ticket else ctx.config.language)


def _address(known: str | None, last: Message | None, conversation: Conversation) -> str:
    """Where the answer goes: to the address the requester wrote from last, otherwise to the contact's address on this channel."""
    if last is not None and last.meta.get("address") and not last.meta.get("participant"):
        return str(last.meta["address"])
    return known or conversation.thread_key


def _promise(message: Message, ticket: Ticket, zone: ZoneInfo) -> str:
    """When somebody answers, for a letter the desk writes by itself; the acknowledgement has it in its words."""
    owed = (
        ticket.next_due_at is not None
        and ticket.next_due_metric != Metric.RESOLUTION
        and Status(ticket.status) in (Status.NEW, Status.OPEN)
    )
    if ticket.next_due_at is None or not owed or message.author_kind == "agent" or message.meta.get("key") == "created":
        return ""
    return moment(ticket.next_due_at, message.at, zone, ticket.language)


def _original(last: Message, zone: ZoneInfo) -> dict[str, str]:
    """The letter answered, with its time as the person's clock showed it: the promise above it is told in that zone too."""
    return {"author": last.author, "at": last.at.astimezone(zone).isoformat(), "text": last.text[:4000]}


def _may_read(last: Message, to: str) -> bool:
    """Whether the letter answered may be quoted: what somebody else on the request wrote may not have gone to the requester."""
    return not last.meta.get("participant") or to in copies.on_letter(last)


def _buttons(message: Message, channel: str, status_url: str | None) -> tuple[tuple[OutboundButton, ...], ...]:
    """Buttons as the channel can carry them: tokens in a chat, links to the status page in a letter."""
    if channel == ChannelKind.TELEGRAM:
        return tuple(
            tuple(OutboundButton(one["label"], token=one.get("token"), copy=one.get("copy")) for one in row) for row in message.buttons
        )
    if channel != ChannelKind.EMAIL or status_url is None:
        return ()
    rows: list[tuple[OutboundButton, ...]] = []
    for row in message.buttons:
        linked = tuple(
            OutboundButton(
                one["label"],
                url=f"{status_url}?do={one['action']}" + (f"&score={one['label'].count('★')}" if one["action"] == "rate" else ""),
            )
            for one in row
            if one["action"] in ("solved", "not_solved", "rate")
        )
        rows += [linked] if linked else []
    return tuple(rows)
