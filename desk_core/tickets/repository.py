"""The read model of requests: every list and counter. All of it bounded, with a constant number of statements."""

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Generic, TypeVar

from sqlalchemy import ColumnElement, Select, and_, func, literal, or_, select, union_all

from desk_core.conversations.entities import FAILED, HEARD, HELD, Attachment, Conversation, Message
from desk_core.kit.db import ReadSession
from desk_core.lanes.entities import DeadItem
from desk_core.people.entities import Agent, Contact, ContactIdentity
from desk_core.tickets.entities import DONE, WAITING, WORKING, Ticket, TicketParticipant

Row = TypeVar("Row")

COUNT_CAP = 1000
"""Counters stop here: nobody reads "14,203", and counting further costs time for everybody."""

SEARCHED_TICKETS = 20_000
SEARCHED_MESSAGES = 20_000
SEARCHED_PEOPLE = 200
"""Words are looked for in the newest requests, messages and files, until the stored stems of the full-text search replace this scan."""

TALKING_WINDOW = timedelta(hours=24)


class View(StrEnum):
    """The lists of the console."""

    MINE = "mine"
    UNASSIGNED = "unassigned"
    MY_LINE = "my_line"
    OVERDUE = "overdue"
    WAITING = "waiting"
    BOT = "bot"
    FAILED = "failed"
    HELD = "held"
    ALL = "all"
    CLOSED = "closed"


BY_DUE = frozenset({View.MINE, View.UNASSIGNED, View.MY_LINE, View.OVERDUE})
"""Views of work to do: what is owed first stands first. The others show what moved last."""


@dataclass(frozen=True, slots=True)
class TicketFilters:
    """What a list shows: a view of an operator, narrowed by words. A search looks through all requests the view could ever hold."""

    view: View
    now: datetime
    agent_id: str | None = None
    lines: tuple[int, ...] = ()
    search: str = ""


@dataclass(frozen=True, slots=True)
class TicketRow:
    """One line of a list."""

    id: str
    number: int
    status: str
    priority: str
    channel: str
    subject: str
    snippet: str
    contact_name: str
    assignee_id: str | None
    assignee_name: str | None
    baton: str | None
    last_speaker: str
    last_speaker_name: str
    last_message_at: datetime
    updated_at: datetime
    unread: bool
    next_due_at: datetime | None
    next_due_metric: str | None
    category_key: str | None
    category_confidence: float | None
    line: int


@dataclass(frozen=True, slots=True)
class ConversationRow:
    """A conversation that the bot holds, with or without a request."""

    id: str
    channel: str
    contact_name: str
    baton: str
    phase: str
    ticket_number: int | None
    subject: str | None
    last_text: str
    last_author_kind: str
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class FailedRow:
    """A message that did not reach its person."""

    id: str
    channel: str
    contact_name: str
    ticket_number: int | None
    conversation_id: str
    text: str
    author: str
    reason: str
    attempts: int
    at: datetime


@dataclass(frozen=True, slots=True)
class HeldRow:
    """A message that opened nothing by itself."""

    id: str
    channel: str
    contact_name: str
    conversation_id: str
    subject: str
    text: str
    verdict_code: str
    verdict: dict[str, Any]
    at: datetime


@dataclass(frozen=True, slots=True)
class Page(Generic[Row]):
    """Rows in order and the cursor of the next page; None at the end."""

    rows: Sequence[Row]
    after: str | None


@dataclass(frozen=True, slots=True)
class Counters:
    """How many each view holds, up to `COUNT_CAP`."""

    mine: int
    unassigned: int
    my_line: int
    overdue: int
    waiting: int
    bot: int
    failed: int
    held: int
    dead: int


class Cursors:
    """Where a page ended: the sort value (a moment, or nothing) and the id."""

    @staticmethod
    def write(at: datetime | None, ident: str) -> str:
        text = f"{at.isoformat() if at else ''}|{ident}"
        return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")

    @staticmethod
    def read(cursor: str | None) -> tuple[datetime | None, str] | None:
        """None for no cursor, and for one that somebody made up: the list then begins anew."""
        if not cursor:
            return None
        try:
            text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
            at, _, ident = text.partition("|")
            moment = datetime.fromisoformat(at) if at else None
        except (ValueError, binascii.Error):
            return None
        if moment is not None and moment.tzinfo is None:
            return None
        return moment, ident


def ticket_rows() -> Select[*tuple[Any, ...]]:
    return (
        select(
            Ticket.id, Ticket.number, Ticket.status, Ticket.priority, Ticket.channel, Ticket.subject, Ticket.snippet,
            Contact.name.label("contact_name"), Ticket.assignee_id, Agent.name.label("assignee_name"), Conversation.baton,
            Ticket.last_speaker, Ticket.last_speaker_name, Ticket.last_message_at, Ticket.updated_at, Ticket.unread, Ticket.next_due_at,
            Ticket.next_due_metric, Ticket.category_key, Ticket.category_confidence, Ticket.line,
        )
        .join(Contact, Contact.id == Ticket.contact_id)
        .outerjoin(Agent, Agent.id == Ticket.assignee_id)
        .outerjoin(Conversation, Conversation.id == Ticket.conversation_id)
    )  # fmt: skip


def _conditions(filters: TicketFilters) -> list[ColumnElement[bool] | Any]:
    match filters.view:
        case View.MINE:
            return [WORKING, Ticket.assignee_id == filters.agent_id]
        case View.UNASSIGNED:
            return [WORKING, Ticket.assignee_id.is_(None)]
        case View.MY_LINE:
            return [WORKING, Ticket.line == filters.lines[0] if len(filters.lines) == 1 else Ticket.line.in_(filters.lines)]
        case View.OVERDUE:
            return [WORKING, Ticket.next_due_at < filters.now]
        case View.WAITING:
            return [WAITING]
        case View.CLOSED:
            return [DONE]
        case View.ALL | View.BOT | View.FAILED | View.HELD:
            return []


def _holds(place: ColumnElement[str] | Any, word: str, *, dialect: str) -> ColumnElement[bool]:
    """A word, or a part of one, whatever its case."""
    if dialect == "postgresql":
        # After `***=` every sign means itself; ILIKE would fold each text as a whole, which takes twice as long.
        return place.bool_op("~*")(f"***={word}")
    if word.isascii():
        return place.icontains(word, autoescape=True)
    # SQLite's LIKE folds only Latin letters; GLOB takes either case of each, and skips to the first sign fast where that is one alone.
    first, *rest = (_cases(sign) for sign in word)
    after = "".join(_any_of(cases) for cases in rest)
    return or_(*(place.bool_op("GLOB")(f"*{_any_of([case])}{after}*") for case in first))


def _cases(sign: str) -> list[str]:
    return sorted(case for case in {sign, sign.lower(), sign.upper()} if len(case) == 1)


def _any_of(signs: list[str]) -> str:
    """The pattern of GLOB for one of these signs; its own wildcards mean themselves only so."""
    return f"[{''.join(signs)}]" if len(signs) > 1 or signs[0] in "*?[" else signs[0]


def _says(search: str, *, dialect: str) -> ColumnElement[bool]:
    """All words in what one message or file of it is called or says, in its subject, or in a name or address of somebody on it.

    One list of requests, so that the store looks up what was found instead of trying each request of the view.
    """
    number = search.removeprefix("#")
    numbered = [Ticket.number == int(number)] if number.isdecimal() and len(number) < 10 else []
    if numbered and search.startswith("#"):
        return numbered[0]

    def said(place: ColumnElement[str] | Any) -> ColumnElement[bool]:
        return and_(*(_holds(place, word, dialect=dialect) for word in search.split()))

    # Each looks through the newest alone: what a search costs does not grow with the desk.
    ticket = (
        select(Ticket.id, (Ticket.subject + " " + Ticket.snippet).label("told"))
        .order_by(Ticket.updated_at.desc(), Ticket.id.desc())
        .limit(SEARCHED_TICKETS)
        .subquery()
    )
    message = (
        select(Message.ticket_id, Message.direction, Message.deleted_at, Message.text, Message.subject)
        .order_by(Message.at.desc())
        .limit(SEARCHED_MESSAGES)
        .subquery()
    )
    file = select(Attachment.message_id, Attachment.name).order_by(Attachment.id.desc()).limit(SEARCHED_MESSAGES).subquery()
    other = (
        select(TicketParticipant.ticket_id, (TicketParticipant.name + " " + TicketParticipant.address).label("told"))
        .where(TicketParticipant.removed_at.is_(None))
        .order_by(TicketParticipant.ticket_id.desc())
        .limit(SEARCHED_TICKETS)
        .subquery()
    )
    people = select(Contact.id).where(said(Contact.name)).order_by(Contact.id).limit(SEARCHED_PEOPLE)
    addresses = select(ContactIdentity.contact_id).where(said(ContactIdentity.address)).order_by(ContactIdentity.id).limit(SEARCHED_PEOPLE)
    found = union_all(
        *(select(Ticket.id).where(condition) for condition in numbered),
        select(Ticket.id).where(or_(Ticket.contact_id.in_(people), Ticket.contact_id.in_(addresses))),
        select(ticket.c.id).where(said(ticket.c.told)),
        select(message.c.ticket_id).where(
            message.c.ticket_id.is_not(None),
            message.c.direction.in_(("inbound", "outbound", "note")),
            message.c.deleted_at.is_(None),
            or_(said(message.c.text), said(message.c.subject)),
        ),
        select(Message.ticket_id)
        .join(file, file.c.message_id == Message.id)
        .where(said(file.c.name), Message.ticket_id.is_not(None), Message.deleted_at.is_(None)),
        select(other.c.ticket_id).where(said(other.c.told)),
    )
    return Ticket.id.in_(found)


async def page(session: ReadSession, filters: TicketFilters, *, limit: int = 50, after: str | None = None) -> Page[TicketRow]:
    """One page of a view by keyset: the same row never appears twice, whatever arrives meanwhile."""
    query = ticket_rows()
    search = filters.search.strip()[:100]
    for condition in _conditions(filters):
        query = query.where(condition)
    if search:
        query = query.where(_says(search, dialect=session.get_bind().dialect.name))
    cursor = Cursors.read(after)
    by_due = filters.view in BY_DUE
    if by_due:
        query = query.order_by(Ticket.next_due_at.asc().nulls_last(), Ticket.id)
        if cursor is not None:
            at, ident = cursor
            later = and_(Ticket.next_due_at.is_(None), Ticket.id > ident)
            if at is not None:
                later = or_(Ticket.next_due_at > at, and_(Ticket.next_due_at == at, Ticket.id > ident), Ticket.next_due_at.is_(None))
            query = query.where(later)
    else:
        query = query.order_by(Ticket.updated_at.desc(), Ticket.id.desc())
        if cursor is not None and cursor[0] is not None:
            at, ident = cursor[0], cursor[1]
            query = query.where(Ticket.updated_at <= at, or_(Ticket.updated_at < at, and_(Ticket.updated_at == at, Ticket.id < ident)))
    rows = [TicketRow(*row) for row in await session.execute(query.limit(limit + 1))]
    more = rows[limit - 1] if len(rows) > limit else None
    return Page(rows[:limit], Cursors.write(more.next_due_at if by_due else more.updated_at, more.id) if more else None)


async def talking(session: ReadSession, *, now: datetime, limit: int = 50, after: str | None = None) -> Page[ConversationRow]:
    """Conversations that the bot holds and that moved lately, newest first."""
    last = (
        select(Message.text, Message.author_kind, Message.conversation_id)
        .where(Message.conversation_id == Conversation.id, Message.direction.in_(("inbound", "outbound")), HEARD)
        .order_by(Message.at.desc(), Message.id.desc())
        .limit(1)
        .correlate(Conversation)
    )
    query = (
        select(
            Conversation.id, Conversation.channel, Contact.name, Conversation.baton, Conversation.dialogue, Ticket.number, Ticket.subject,
            last.with_only_columns(Message.text).scalar_subquery(), last.with_only_columns(Message.author_kind).scalar_subquery(),
            Conversation.updated_at,
        )
        .join(Contact, Contact.id == Conversation.contact_id)
        .outerjoin(Ticket, Ticket.id == Conversation.active_ticket_id)
        .where(*_talking(now))
        .order_by(Conversation.updated_at.desc(), Conversation.id.desc())
        .limit(limit + 1)
    )  # fmt: skip
    cursor = Cursors.read(after)
    if cursor is not None and cursor[0] is not None:
        at, ident = cursor[0], cursor[1]
        query = query.where(or_(Conversation.updated_at < at, and_(Conversation.updated_at == at, Conversation.id < ident)))
    rows = [
        ConversationRow(
            id=ident, channel=channel, contact_name=name, baton=baton, phase=str((dialogue or {}).get("phase", "idle")),
            ticket_number=number, subject=subject, last_text=text or "", last_author_kind=kind or "contact", updated_at=at,
        )
        for ident, channel, name, baton, dialogue, number, subject, text, kind, at in await session.execute(query)
    ]  # fmt: skip
    more = rows[limit - 1] if len(rows) > limit else None
    return Page(rows[:limit], Cursors.write(more.updated_at, more.id) if more else None)


def _talking(now: datetime) -> tuple[ColumnElement[bool], ...]:
    # Where all that came is held or was left, nobody talks: it belongs to the list of held messages alone.
    heard = select(literal(1)).where(Message.conversation_id == Conversation.id, HEARD).correlate(Conversation).exists()
    return (Conversation.baton == "bot", Conversation.updated_at > now - TALKING_WINDOW, heard)


def _before(query: Select[*tuple[Any, ...]], after: str | None) -> Select[*tuple[Any, ...]]:
    """The messages of a list, newest first, that come after where a page ended."""
    cursor = Cursors.read(after)
    if cursor is None or cursor[0] is None:
        return query
    at, ident = cursor[0], cursor[1]
    return query.where(or_(Message.at < at, and_(Message.at == at, Message.id < ident)))


async def failed(session: ReadSession, *, limit: int = 50, after: str | None = None) -> Page[FailedRow]:
    """Messages that did not reach their person, newest first."""
    query = (
        select(
            Message.id, Conversation.channel, Contact.name, Ticket.number, Message.conversation_id, Message.text, Message.author,
            func.coalesce(Message.delivery_reason, ""), Message.delivery_attempts, Message.at,
        )
        .join(Conversation, Conversation.id == Message.conversation_id)
        .join(Contact, Contact.id == Conversation.contact_id)
        .outerjoin(Ticket, Ticket.id == Message.ticket_id)
        .where(FAILED)
        .order_by(Message.at.desc(), Message.id.desc())
        .limit(limit + 1)
    )  # fmt: skip
    rows = [FailedRow(*tuple(row)) for row in await session.execute(_before(query, after))]
    more = rows[limit - 1] if len(rows) > limit else None
    return Page(rows[:limit], Cursors.write(more.at, more.id) if more else None)


async def held(session: ReadSession, *, limit: int = 50, after: str | None = None) -> Page[HeldRow]:
    """Messages that opened nothing by themselves and that nobody has dealt with, newest first."""
    query = (
        select(
            Message.id, Conversation.channel, Contact.name, Message.conversation_id, func.coalesce(Message.subject, ""), Message.text,
            func.coalesce(Message.verdict_code, ""), Message.verdict, Message.at,
        )
        .join(Conversation, Conversation.id == Message.conversation_id)
        .join(Contact, Contact.id == Conversation.contact_id)
        .where(HELD)
        .order_by(Message.at.desc(), Message.id.desc())
        .limit(limit + 1)
    )  # fmt: skip
    rows = [HeldRow(*tuple(row)) for row in await session.execute(_before(query, after))]
    more = rows[limit - 1] if len(rows) > limit else None
    return Page(rows[:limit], Cursors.write(more.at, more.id) if more else None)


async def counters(session: ReadSession, *, agent_id: str, lines: Sequence[int], now: datetime) -> Counters:
    """Every counter of the console in one statement, each read from its own index and capped."""

    def capped(query: Select[*tuple[Any, ...]]) -> Any:
        return select(func.count()).select_from(query.limit(COUNT_CAP).subquery()).scalar_subquery()

    def tickets(view: View) -> Any:
        filters = TicketFilters(view=view, now=now, agent_id=agent_id, lines=tuple(lines))
        return capped(select(literal(1)).select_from(Ticket).where(*_conditions(filters)))

    query = select(
        tickets(View.MINE), tickets(View.UNASSIGNED), tickets(View.MY_LINE), tickets(View.OVERDUE), tickets(View.WAITING),
        capped(select(literal(1)).select_from(Conversation).where(*_talking(now))),
        capped(select(literal(1)).select_from(Message).where(FAILED)),
        capped(select(literal(1)).select_from(Message).where(HELD)),
        capped(select(literal(1)).select_from(DeadItem).where(DeadItem.replayed_at.is_(None))),
    )  # fmt: skip
    return Counters(*(await session.execute(query)).one())


async def ticket_by_number(session: ReadSession, number: int) -> Ticket | None:
    found: Ticket | None = await session.scalar(select(Ticket).where(Ticket.number == number))
    return found
