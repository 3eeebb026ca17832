"""The read model of requests: every list and counter. All of it bounded, with a constant number of statements."""

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Generic, TypeVar

from sqlalchemy import ColumnElement, Select, and_, func, literal, or_, select

from desk_core.conversations.entities import FAILED, HELD, Conversation, Message
from desk_core.kit.db import ReadSession
from desk_core.lanes.entities import DeadItem
from desk_core.people.entities import Agent, Contact, ContactIdentity
from desk_core.tickets.entities import DONE, WAITING, WORKING, Ticket

Row = TypeVar("Row")

COUNT_CAP = 1000
"""Counters stop here: nobody reads "14,203", and counting further costs time for everybody."""

SEARCHED_TICKETS = 20_000
SEARCHED_PEOPLE = 200
"""Words are looked for in the newest requests, until the stored stems of the full-text search replace this scan."""

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


def _says(search: str, *, dialect: str) -> ColumnElement[bool]:
    """Words in the subject, in what was said last, or in the person's name or address."""
    told = Ticket.subject + " " + Ticket.snippet
    if dialect == "postgresql":
        words, names = told.icontains(search, autoescape=True), Contact.name.icontains(search, autoescape=True)
    else:
        # SQLite's LIKE folds only Latin letters, so a Russian word is tried as typed, in lower case and capitalised.
        tried = dict.fromkeys((search, search.lower(), search[:1].upper() + search[1:].lower()))
        words = or_(*(told.contains(word, autoescape=True) for word in tried))
        names = or_(*(Contact.name.contains(word, autoescape=True) for word in (*tried, search.title())))
    people = select(Contact.id).where(names).order_by(Contact.id).limit(SEARCHED_PEOPLE)
    addresses = select(ContactIdentity.contact_id).where(ContactIdentity.address == search.lower())
    newest = select(Ticket.id).order_by(Ticket.updated_at.desc(), Ticket.id.desc()).limit(SEARCHED_TICKETS)
    number = search.removeprefix("#")
    numbered = [Ticket.number == int(number)] if number.isdecimal() and len(number) < 10 else []
    if numbered and search.startswith("#"):
        return numbered[0]
    return or_(*numbered, Ticket.contact_id.in_(people), Ticket.contact_id.in_(addresses), and_(Ticket.id.in_(newest), words))


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
        .where(Message.conversation_id == Conversation.id, Message.direction.in_(("inbound", "outbound")))
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
    return (Conversation.baton == "bot", Conversation.updated_at > now - TALKING_WINDOW)


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
