"""Hop 4: what the desk knows when a turn begins, read in one go and never changed."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from channels.email import quotes
from desk_core.catalogue.desk import DeskConfig
from desk_core.context import Context
from desk_core.conversations import deep_links, growth, letters, pressing
from desk_core.conversations import repository as conversations
from desk_core.conversations.entities import ButtonToken, Conversation, Inbox, Message, RawInbound
from desk_core.conversations.ports import FORGED_SENDER, InboundKind, InboundMessage, Sender
from desk_core.kit.db import ReadSession
from desk_core.people import repository as people
from desk_core.people.entities import Contact
from desk_core.sla.clock import Metric
from desk_core.sla.words import moment
from desk_core.tickets import copies, invitations
from desk_core.tickets import reading as tickets
from desk_core.tickets.entities import Ticket
from desk_core.tickets.lifecycle import Status
from desk_core.tickets.reading import ActiveTicket
from gateway.flows import finding, in_groups
from nlu.text import bare_subject
from nlu.turn import DialogueState, Manner, OpenRequest, Snapshot

TWIN_WITHIN = timedelta(hours=1)
"""A letter that begins anew in the very same words within this time is the earlier one sent again, or a robot's."""

UNJUDGED = frozenset({"received", "subject_person"})
"""Verdicts that tell nothing of who writes: a machine may bear the words of a rule in its subject as well."""

ANSWERS, ANSWERED_WITHIN = 2, timedelta(minutes=10)
"""So many automatic letters go to one sender within this time. A third would be a loop with a robot that hides what it is; what is sent
beyond that is taken in all the same."""

MANNERS = {"telegram": Manner.CHAT, "email": Manner.MAIL, "webform": Manner.FORM, "api": Manner.FORM}


@dataclass(frozen=True, slots=True)
class TypedCode:
    """Somebody typed digits for a code that proves an address."""

    code_id: str
    right: bool
    hidden: bool  # nobody is to read them; digits that an operator may be waiting for stay


@dataclass(frozen=True, slots=True)
class Situation:
    """Everything read about a burst of inbound messages before anything is decided."""

    inbox: Inbox
    raws: tuple[RawInbound, ...]
    messages: tuple[InboundMessage, ...]
    contact: Contact | None
    conversation: Conversation | None
    joined_by: str  # how the conversation was found: page, thread, token, references, number, duplicate, released, apart, new
    active: Ticket | None  # the request that what was said belongs to
    requests: tuple[ActiveTicket, ...]
    button: ButtonToken | None = None
    on_top: bool = False  # the button's message is the newest of the chat, so that it may change in place
    known_message: Message | None = None  # the message an edit, reaction or bounce is about
    edits_last: bool = False  # what an edit changes is the last thing the person wrote here
    album_of: Message | None = None
    invitation: str = ""  # what marks the link that opened this chat; "spent" where nothing can be opened with it
    invited: Ticket | None = None  # the request of that link
    invited_to: str = ""  # what for (`Purpose`); "own", "on_it" and "group" where nothing is to be confirmed
    masked: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)  # bodies of raw messages without the secret they held, by id
    codes: Mapping[int, TypedCode] = field(default_factory=dict)  # by the place of the message that is nothing but the code
    told_private: bool = False  # this group has heard that the bot works in private
    from_another: bool = False  # somebody else than the requester wrote into the conversation
    participant: bool = False  # by letter, or as somebody on the request: what they say joins it, and decides nothing
    on_it: bool = False  # and they are on the request
    pointed: bool = False  # the person answers a message of `active`, or names its number
    unanswered: bool = False  # a letter that is taken in without a word: the sender has heard from the desk twice just now

    @property
    def first(self) -> InboundMessage:
        return self.messages[0]

    @property
    def in_group(self) -> bool:
        """Somebody speaks to the bot in a group, where others read along."""
        return in_groups.is_seat(self.first.thread_key)

    @property
    def forged(self) -> bool:
        """Not from whom it says, and nobody has answered for it: kept for people to see, and nothing else."""
        return self.first.verdict == FORGED_SENDER

    @property
    def baton(self) -> str:
        return self.conversation.baton if self.conversation else "bot"


async def situation(session: ReadSession, raws: list[RawInbound]) -> Situation:
    """Read the situation of these raw messages (one burst of one sender)."""
    messages = tuple(InboundMessage.from_json(raw.body) for raw in raws)
    if messages[0].card.get("passed_on"):
        messages = (await _by_its_author(session, messages[0]), *messages[1:])
    inbox = await conversations.inbox_by_id(session, raws[0].inbox_id)
    first = await in_groups.seated(session, inbox, messages[0])
    messages = tuple(replace(message, thread_key=first.thread_key) for message in messages)
    contact = await people.contact_by_identity(session, channel=inbox.channel, address=first.sender.address)
    found = await finding.find(session, inbox, first, contact, chats=MANNERS[inbox.channel] is Manner.CHAT)
    conversation, joined_by, pointed, active = found.conversation, found.joined_by, found.pointed, found.active
    by_letter = inbox.channel == "email" and joined_by in ("token", "references", "number")
    from_another = conversation is not None and (contact is None or conversation.contact_id != contact.id)
    if by_letter and from_another and first.kind is InboundKind.MESSAGE and active is None:
        # A talk without a request is nobody's to go on with but the person's own.
        conversation, joined_by, by_letter, from_another = None, "new", False, False
    if conversation is not None and inbox.channel == "email" and first.text:
        first = replace(first, text=quotes.without_ours(first.text, await letters.said_last(session, conversation.id)))
        messages = (first, *messages[1:])
    if joined_by == "apart" and bare_subject(first.subject or "") != first.subject:
        first = replace(first, subject=None)  # under "Re:" it names what this letter is not about
        messages = (first, *messages[1:])
    begins = conversation is None and inbox.channel == "email" and first.kind is InboundKind.MESSAGE and not first.held
    anew = begins and joined_by != "apart"  # what an operator made a request of its own is there already, and is answered
    same = await _said_before(session, inbox, contact, first) if anew and contact is not None and first.acts else None
    repeated = await tickets.ticket_by_id(session, same.ticket_id) if same is not None and same.ticket_id else None
    if same is not None and same.external_id != first.external_id and repeated is not None and not _goes_on(repeated):
        same = None  # the trouble is back: what was solved does not swallow the same words said anew
    if same is None and (why := await _machine(session, inbox, first, contact, conversation)) is not None:
        first = replace(first, held=True, automatic=True, verdict=why)
        messages = (first, *messages[1:])
    owner_id = conversation.contact_id if conversation else contact.id if contact else None
    if conversation is not None and from_another:
        contact = await people.contact_by_id(session, conversation.contact_id)
    # Whoever is not proven and came in by no secret hears nothing of the requests of the person whose address they bear.
    requests = await _open_requests(session, owner_id if first.acts or conversation is not None else None)
    if in_groups.is_seat(first.thread_key):
        requests = tuple(one for one in requests if conversation is not None and one.conversation_id == conversation.id)
    known = None
    if first.edits:
        known = await conversations.message_by_external_id(session, inbox.id, first.edits)
        if first.kind is InboundKind.BOUNCE and known is not None and known.direction != "outbound":
            known = None  # a report about somebody else's letter tells nothing of ours
    if known is None and first.kind is InboundKind.BOUNCE and joined_by == "token" and conversation is not None:
        # It returns a Message-ID that is not ours (a relay writes its own) or none at all; its address says whose mail came back.
        known = await conversations.last_sent(session, conversation.id)
    if first.kind is InboundKind.REACTION and first.reply_to:
        known = await conversations.message_by_external_id(session, inbox.id, first.reply_to)
    album_of = await conversations.album_message(session, conversation.id, first.album) if conversation and first.album else None
    if known is None and first.edits:
        known = album_of  # a later part of an album lies within the message of the first
    # To know an id or a token of a thread proves nothing about who writes: everybody who got a copy of a letter knows it.
    participant = (from_another and (by_letter or joined_by == "copy") and active is not None) or found.beside
    on_it = participant and active is not None and await copies.is_on(session, active.id, first.sender.address)
    unanswered = bool(first.card.get("imported"))
    if anew and contact is not None and not first.held:
        if same is not None:
            conversation, joined_by = await conversations.conversation_by_id(session, same.conversation_id), "duplicate"
            active = repeated
        told = await letters.told_by_itself(
            session, channel=inbox.channel, contact_id=contact.id, since=first.at - ANSWERED_WITHIN, limit=ANSWERS
        )
        unanswered = unanswered or told >= ANSWERS
    button = await pressing.button(session, first.button) if first.button else None
    return Situation(
        inbox=inbox,
        raws=tuple(raws),
        messages=messages,
        contact=contact,
        conversation=conversation,
        joined_by=joined_by,
        active=active,
        pointed=pointed is not None and active is pointed,
        requests=requests,
        button=button,
        on_top=button is not None
        and conversation is not None
        and button.message_id == await conversations.newest_said(session, conversation.id),
        known_message=known,
        edits_last=first.kind is InboundKind.EDIT
        and known is not None
        and conversation is not None
        and (last := await conversations.last_inbound(session, conversation.id)) is not None
        and last.id == known.id,
        unanswered=unanswered,
        told_private=conversation is not None
        and first.card.get("chat_type", "private") != "private"
        and await conversations.has_told(session, conversation.id, "group_private"),
        album_of=album_of,
        from_another=from_another,
        participant=participant,
        on_it=on_it,
    )


def _goes_on(ticket: Ticket) -> bool:
    status = Status(ticket.status)
    return status.is_active and status is not Status.RESOLVED


async def _machine(
    session: ReadSession, inbox: Inbox, message: InboundMessage, contact: Contact | None, conversation: Conversation | None
) -> str | None:
    """Why this letter looks like one of a talk between machines; who was judged already, or taken in from files, is not asked."""
    owner = conversation.contact_id if conversation is not None else contact.id if contact is not None else None
    asked = inbox.channel == "email" and message.kind is InboundKind.MESSAGE and message.verdict in UNJUDGED and not message.held
    if owner is None or not asked or message.files or message.card.get("imported") or message.card.get("ticket"):
        return None
    before = await letters.letters_of(
        session, channel=inbox.channel, contact_id=owner, address=message.sender.address, since=message.at - growth.WITHIN
    )
    said = await letters.said_at(session, owner, channel=inbox.channel, before=message.at) if len(before) >= growth.TURNS - 1 else None
    now = growth.Heard(message.at, message.text, message.subject or "", message.at - said if said is not None else None)
    return growth.pattern([*before, now])


def _invited_by(now: Situation) -> tuple[list[str], bool]:
    """The secrets of invitations that stand in what was written, and whether the first opens its request: by the link, or pasted alone.

    A link among other words is only hidden, since whoever reads it could use it.
    """
    if sent := [token for token in now.first.tokens if token.startswith(invitations.PREFIX)]:
        return sent, now.first.command == "start"
    if now.inbox.channel != "telegram":
        return [], False
    written = (payload for message in now.messages for payload in deep_links.payloads(message.text))
    alone = len(now.messages) == 1 and now.first.kind is InboundKind.MESSAGE and deep_links.is_link(now.first.text)
    return [payload for payload in written if payload.startswith(invitations.PREFIX)], alone


async def with_invitation(session: ReadSession, now: Situation, ctx: Context) -> Situation:
    """The situation with the request whose link opened this chat, where one did. From here on nobody reads the secret any more."""
    secrets, opens = _invited_by(now)
    if not secrets:
        return now
    masked = {}
    for raw in now.raws:
        body = json.dumps(raw.body)
        for secret in secrets:
            body = body.replace(secret, invitations.MASK)
        masked[raw.id] = json.loads(body)
    messages = tuple(replace(InboundMessage.from_json(body), thread_key=now.first.thread_key) for body in masked.values())
    now = replace(now, messages=messages, masked=masked)
    if not opens:
        return now
    started = replace(now.first, command="start", card={**now.first.card, "args": invitations.MASK})
    now = replace(now, messages=(started, *now.messages[1:]), invitation="spent")
    if now.first.card.get("chat_type", "private") != "private":
        return replace(now, invited_to="group")
    found = await invitations.opened_by(session, secrets[0], ctx)
    if found is None:
        return now
    ticket, purpose = found
    to = purpose.value
    if (now.contact is not None and ticket.contact_id == now.contact.id and purpose is invitations.Purpose.JOIN) or (
        purpose is invitations.Purpose.CONTINUE and now.conversation is not None and ticket.conversation_id == now.conversation.id
    ):
        to = "own"
    elif purpose is invitations.Purpose.JOIN and await copies.is_on(session, ticket.id, now.first.sender.address):
        to = "on_it"
    return replace(now, invited=ticket, invited_to=to, invitation=invitations.mark_of(secrets[0]))


async def _by_its_author(session: ReadSession, message: InboundMessage) -> InboundMessage:
    """A letter that one of us passes on is the request of whoever wrote it first; whoever only bears our address passes nothing on."""
    agent = await people.agent_by_email(session, message.sender.address) if message.acts and not message.held else None
    author = message.card["passed_on"]
    passes = agent is not None and agent.disabled_at is None
    # Of a letter that came attached its own files were taken out too: they count where it is passed on, elsewhere it is a file itself.
    others = author.get("files", {}).get("covering" if passes else "enclosed", ())
    message = replace(message, files=tuple(file for at, file in enumerate(message.files) if at not in others))
    if agent is None or not passes:
        return replace(message, card={**message.card, "passed_on": {"name": author["name"], "address": author["address"]}})
    card = {name: value for name, value in message.card.items() if name not in ("passed_on", "number")}
    told = {"by": agent.name, "address": str(author["address"])}
    return replace(
        message,
        sender=Sender(str(author["address"]), str(author["name"])),
        # What the colleague says to it is for colleagues; see `passing_on`. Mail stored before it was told apart is left whole.
        text=str(author.get("text", message.text)),
        subject=author.get("subject", message.subject),
        card={**card, "passed_on_by": agent.name},
        verdict="passed_on" if message.verdict == "received" else message.verdict,
        verdict_params={**message.verdict_params, **told},
    )


async def _said_before(session: ReadSession, inbox: Inbox, contact: Contact, message: InboundMessage) -> Message | None:
    # Words beside a file may be said often; the files differ.
    words = message.text if message.text.strip() and not message.files else None
    return await letters.twin(
        session, channel=inbox.channel, contact_id=contact.id, external_id=message.external_id, subject=message.subject, text=words,
        since=message.at - TWIN_WITHIN,
    )  # fmt: skip


async def _open_requests(session: ReadSession, contact_id: str | None) -> tuple[ActiveTicket, ...]:
    return () if contact_id is None else await tickets.open_of(session, contact_id)


def open_request(ticket: Ticket | ActiveTicket, config: DeskConfig, ctx: Context, zone: ZoneInfo, language: str) -> OpenRequest:
    """A request as the dialogue sees it, with its promise in the person's own time."""
    promise = None
    if ticket.next_due_at is not None and ticket.next_due_metric != Metric.RESOLUTION:
        promise = moment(ticket.next_due_at, ctx.now, zone, language)
    return OpenRequest(
        ticket_id=ticket.id,
        number=ticket.number,
        subject=ticket.subject,
        status=ticket.status,
        category=ticket.category_key,
        promise=promise,
    )


def snapshot(now: Situation, ctx: Context, *, attachments: int = 0) -> Snapshot:
    """The situation in the words of the dialogue."""
    config = ctx.config
    language = (now.conversation.language if now.conversation else None) or (now.contact.language if now.contact else None)
    zone = ZoneInfo((now.contact.time_zone if now.contact else None) or config.time_zone)
    shown = language or now.inbox.language or config.language
    requests = tuple(open_request(ticket, config, ctx, zone, shown) for ticket in now.requests)
    active = open_request(now.active, config, ctx, zone, shown) if now.active else None
    resolved = active if now.active is not None and now.active.status == Status.RESOLVED else None
    calendar = config.calendar_for(next(iter(config.teams.values()), None))
    open_now = calendar.is_open(ctx.now)
    return Snapshot(
        manner=MANNERS[now.inbox.channel],
        state=DialogueState.from_json(now.conversation.dialogue if now.conversation else {}),
        language=now.conversation.language if now.conversation else None,
        contact_language=_spoken_by(now, config),
        inbox_language=now.inbox.language,
        languages=config.languages,
        contact_name=now.contact.name if now.contact else now.first.sender.name,
        # What the desk knows of a person is not for a group to read.
        known={key: str(value) for key, value in (now.contact.facts if now.contact and not now.in_group else {}).items()},
        active=None if resolved else active,
        requests=requests,
        resolved=resolved,
        working_now=open_now,
        next_open=None if open_now else calendar.next_open(ctx.now),
        now=ctx.now.astimezone(zone),
        first_contact=now.conversation is None,
        invited=open_request(now.invited, config, ctx, zone, shown) if now.invited else None,
        invitation=now.invitation,
        invited_to=now.invited_to,
    )


def _spoken_by(now: Situation, config: DeskConfig) -> str | None:
    """The person's own language where it is known: a client set to one that the desk does not speak is answered in English."""
    told = (now.contact.language if now.contact else None) or now.first.sender.language
    if not told:
        return None
    language = told.partition("-")[0].lower()
    return language if language in config.languages else "en" if "en" in config.languages else None


def is_burst(message: InboundMessage) -> bool:
    """Whether further messages may join this one in a single turn."""
    return message.kind is InboundKind.MESSAGE and message.command is None and message.delay > 0
