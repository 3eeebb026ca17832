"""Counting mail afterwards, from the store, the mailbox and the sandbox: whether each mail stands where it has to and was answered once."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select

from benchmarks.chaos.desks import MAILBOX, Victim
from benchmarks.chaos.letters import Kind, Letter
from benchmarks.chaos.post import Tray
from benchmarks.chaos.tally import ARRIVED, Count
from desk_core.conversations.entities import INBOUND, Attachment, Inbox, Message, RawInbound
from desk_core.conversations.service import DELIVER
from desk_core.kit.errors import NotFound
from desk_core.lanes.entities import DeadItem, WorkItem
from desk_core.people.entities import ContactIdentity
from desk_core.tickets.entities import Ticket

ACKNOWLEDGEMENT = "created"
_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Raw:
    """What was accepted: where, under which Message-ID, and the message that was made of it."""

    inbox: str  # its address
    message_id: str
    filed_as: str | None  # the message's own id; None while it is unprocessed


@dataclass(frozen=True, slots=True)
class Said:
    """A message of a conversation, either direction."""

    id: str
    conversation: str
    ticket: str | None
    message_id: str
    text: str = ""
    key: str = ""  # which of the desk's replies it is
    state: str | None = None


@dataclass(frozen=True, slots=True)
class Store:
    """The part of the store that the promises are about."""

    raws: Sequence[Raw]
    inbound: Sequence[Said]
    outbound: Sequence[Said]
    requests: Mapping[str, Sequence[str]]  # address of a person -> ids of their requests
    work: Sequence[str] = ()
    dead: Sequence[str] = ()
    spoilt_files: Sequence[str] = ()


async def load(victim: Victim) -> Store:
    """Read it; bodies stay where they are."""
    async with victim.desk.database.read() as session:
        raws = await session.execute(
            select(Inbox.address, RawInbound.external_id, RawInbound.message_id, RawInbound.state).join(
                Inbox, Inbox.id == RawInbound.inbox_id
            )
        )
        accepted = [Raw(row.address, row.external_id, row.message_id if row.state == "done" else None) for row in raws]
        said: dict[str, list[Said]] = {"inbound": [], "outbound": []}
        for row in await session.execute(
            select(
                Message.id, Message.conversation_id, Message.ticket_id, Message.external_id, Message.original_text, Message.text,
                Message.meta, Message.delivery_state, Message.direction,
            ).where(Message.direction.in_(said))
        ):  # fmt: skip
            text = f"{row.text}\n{row.original_text or ''}"
            key = str(row.meta.get("key", ""))
            said[row.direction].append(
                Said(row.id, row.conversation_id, row.ticket_id, row.external_id or "", text=text, key=key, state=row.delivery_state)
            )
        requests: defaultdict[str, list[str]] = defaultdict(list)
        for row in await session.execute(
            select(ContactIdentity.address, Ticket.id).join(Ticket, Ticket.contact_id == ContactIdentity.contact_id)
        ):
            requests[row.address].append(row.id)
        work = [row.lane for row in await session.execute(select(WorkItem.lane).where(WorkItem.kind.in_((INBOUND, DELIVER))))]
        dead = [f"{row.kind}: {row.reason}"[:120] for row in await session.execute(select(DeadItem.kind, DeadItem.reason))]
        files = [(row.sha256, row.size) for row in await session.execute(select(Attachment.sha256, Attachment.size))]
    spoilt = []
    for sha256, size in files:
        try:
            content = await victim.desk.blobs.read(sha256)
        except (NotFound, OSError):
            content = b""
        if len(content) != size:
            spoilt.append(sha256)
    return Store(accepted, said["inbound"], said["outbound"], requests, work, dead, spoilt)


def judge(letters: Sequence[Letter], tray: Tray, store: Store, mailbox: Sequence[tuple[str, bool]]) -> list[Count]:
    """Every promise about mail, and what else there is to tell."""
    return [
        *_kept(letters, store),
        *_acknowledged(letters, tray, store, mailbox),
        *_requests(letters, store),
        *_answers(letters, tray, store),
        _promise("work items left", store.work),
        _promise("dead items", store.dead),
        _promise("attachments missing or cut short", store.spoilt_files),
    ]


def _promise(name: str, broken: Sequence[str]) -> Count:
    return Count(name, len(broken), examples=tuple(sorted(broken)[:_SHOWN]))


def _kept(letters: Sequence[Letter], store: Store) -> list[Count]:
    """Exactly once in the store, as itself."""
    wanted = {(inbox, letter.message_id) for letter in letters for inbox in letter.inboxes}
    found = Counter((raw.inbox, raw.message_id) for raw in store.raws)
    messages = {message.id: message for message in store.inbound}
    filed, copies = Counter(raw.message_id for raw in store.raws), Counter(message.message_id for message in store.inbound)
    markers = {letter.message_id: letter.marker for letter in letters}
    unlike = [
        raw.message_id
        for raw in store.raws
        if raw.filed_as is not None
        and (
            (message := messages.get(raw.filed_as)) is None
            or message.message_id != raw.message_id
            or markers.get(raw.message_id, "?") not in message.text
        )
    ]
    doubled = [name for name, count in copies.items() if count > filed[name]] + [key[1] for key, count in found.items() if count > 1]
    return [
        _promise("lost", [f"{inbox} {name}" for inbox, name in wanted - found.keys()]),
        _promise("doubled in the store", doubled),
        _promise("stored where nobody sent it", [f"{inbox} {name}" for inbox, name in found.keys() - wanted]),
        _promise("stored but never processed", [raw.message_id for raw in store.raws if raw.filed_as is None]),
        _promise("stored under another mail's id or without its words", unlike),
        Count("mails stored, each once in its inbox", len(found), promise=False),
    ]


def _acknowledged(letters: Sequence[Letter], tray: Tray, store: Store, mailbox: Sequence[tuple[str, bool]]) -> list[Count]:
    """250 for every mail in the end; a flag on every mail of the mailbox, and on none that is not stored."""
    kept = {raw.message_id for raw in store.raws if raw.inbox == MAILBOX}
    put, there = sum(letter.by_imap for letter in letters), Counter(name for name, _seen in mailbox)
    short = [letter.message_id for letter in letters if tray.handed_over.get(letter.message_id, 0) < letter.by_smtp + letter.by_imap]
    return [
        _promise("mails without their 250", short),
        _promise("mails refused for good", tray.refused),
        Count("mails missing in the mailbox", put - there.total()),
        _promise("IMAP mails not flagged as seen", [name for name, seen in mailbox if not seen]),
        _promise("IMAP mails flagged but not stored", [name for name, seen in mailbox if seen and name not in kept]),
        Count("mails offered by SMTP, copies included", sum(letter.by_smtp for letter in letters), promise=False),
        Count("mails fetched by IMAP, copies included", len(mailbox), promise=False),
        Count("offered again by their mail servers", tray.again, promise=False),
        Count("of these, stored before their 250 was read", tray.known, promise=False),
    ]


def _requests(letters: Sequence[Letter], store: Store) -> list[Count]:
    """A first mail is one request, whatever ways it comes; an answer stands in the request that it answers; the rest opens none."""
    firsts = [letter for letter in letters if letter.kind is Kind.FIRST]
    by_mail: defaultdict[str, set[str | None]] = defaultdict(set)
    for message in store.inbound:
        by_mail[message.message_id].add(message.ticket)
    wrong = [
        f"{one.message_id} ({one.copy or 'one copy'}): {len(store.requests.get(one.sender, ()))}"
        for one in firsts
        if len(store.requests.get(one.sender, ())) != 1
    ]
    astray = [
        letter.message_id
        for letter in letters
        if letter.kind is Kind.REPLY and letter.answers and by_mail[letter.message_id] - by_mail[letter.answers.message_id]
    ]
    opened = sum(len(ids) for ids in store.requests.values())
    return [
        _promise("first mails that are not exactly one request", wrong),
        _promise("replies outside the request that they answer", astray),
        Count("requests opened by machines", opened - sum(len(store.requests.get(one.sender, ())) for one in firsts)),
        Count("requests opened", opened, promise=False),
    ]


def _answers(letters: Sequence[Letter], tray: Tray, store: Store) -> list[Count]:
    """One acknowledgement a request, in the store and on the wire, where the same one may stand twice under its Message-ID."""
    wire = Counter(seen.message_id for seen in tray.wire)
    by_request: defaultdict[str | None, list[Said]] = defaultdict(list)
    for message in store.outbound:
        if message.key.startswith(ACKNOWLEDGEMENT):
            by_request[message.ticket].append(message)
    every = [ticket for ids in store.requests.values() for ticket in ids]
    acknowledgements = {message.message_id for told in by_request.values() for message in told}
    said = {message.message_id for message in store.outbound}
    heard: defaultdict[str, set[str]] = defaultdict(set)
    for seen in tray.wire:
        heard[seen.mailbox].add(seen.message_id)
    machines = {letter.sender.lower() for letter in letters if letter.kind in (Kind.ROBOT, Kind.BOUNCE)}
    # Whoever is away wrote one mail and has its acknowledgement; a second letter would answer the machine.
    away = {letter.answers.sender: letter for letter in letters if letter.kind is Kind.VACATION and letter.answers}
    answered = [name for name in machines if heard[name]] + [name for name in away if len(heard[name]) > len(store.requests.get(name, ()))]
    return [
        _promise("requests without exactly one acknowledgement", [ticket for ticket in every if len(by_request[ticket]) != 1]),
        _promise("acknowledgements that never left", [name for name in acknowledgements if name not in wire]),
        _promise("letters that the store does not know", [name for name in wire if name not in said]),
        _promise("automatic mails that were answered", answered),
        _promise("answers not sent", [str(one.message_id or one.id) for one in store.outbound if one.state not in ARRIVED]),
        Count("acknowledgements sent", len(acknowledgements & wire.keys()), promise=False),
        Count("second copies of a letter under its Message-ID", sum(count - 1 for count in wire.values()), promise=False),
        Count("other letters sent", len(wire.keys() - acknowledgements), promise=False),
    ]
