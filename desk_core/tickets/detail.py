"""The whole of one request, or of a conversation without one, as its page shows it: bounded, with a constant number of statements."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import ColumnElement, and_, exists, or_, select
from sqlalchemy.orm import aliased, selectinload

from desk_core.conversations.entities import Conversation, Inbox, Message
from desk_core.kit.db import ReadSession
from desk_core.people.entities import Agent, Contact, ContactIdentity, ContactJoin, Team
from desk_core.sla.entities import AppliedSla, SlaPause
from desk_core.tickets import copies
from desk_core.tickets.entities import Ticket, TicketEvent, TicketLink, TicketParticipant
from desk_core.tickets.repository import TicketRow, ticket_rows

BEFORE_TICKET = timedelta(hours=24)
MESSAGES_SHOWN = 300
EVENTS_SHOWN = 300
OTHERS_SHOWN = 10


@dataclass(frozen=True, slots=True)
class TicketDetail:
    """Everything a ticket page shows."""

    ticket: Ticket
    contact: Contact
    identities: Sequence[ContactIdentity]
    conversation: Conversation | None
    inbox: Inbox | None
    team: Team | None
    assignee: Agent | None
    messages: Sequence[Message]
    events: Sequence[TicketEvent]
    clocks: Sequence[AppliedSla]
    pauses: Sequence[SlaPause]
    others: Sequence[TicketRow]
    links: Sequence[tuple[str, int, str]]  # kind, number of the other request, its subject
    has_earlier: bool
    participants: Sequence[TicketParticipant]
    joined: bool  # others turned out to be this person
    has_bot: bool  # there is a bot by which somebody can join


@dataclass(frozen=True, slots=True)
class ConversationDetail:
    """A conversation on its own, as long as no request exists."""

    conversation: Conversation
    contact: Contact
    identities: Sequence[ContactIdentity]
    inbox: Inbox
    messages: Sequence[Message]
    others: Sequence[TicketRow]


_bot = aliased(Inbox)
_JOINED = exists().where(ContactJoin.contact_id == Ticket.contact_id)
_HAS_BOT = exists().where(_bot.channel == "telegram", _bot.state == "active")


async def ticket_detail(session: ReadSession, number: int) -> TicketDetail | None:
    """The whole of one request in twelve statements, however long its story is."""
    row = (
        await session.execute(
            select(Ticket, Contact, Conversation, Inbox, Team, Agent, _JOINED, _HAS_BOT)
            .join(Contact, Contact.id == Ticket.contact_id)
            .outerjoin(Conversation, Conversation.id == Ticket.conversation_id)
            .outerjoin(Inbox, Inbox.id == Ticket.inbox_id)
            .outerjoin(Team, Team.id == Ticket.team_id)
            .outerjoin(Agent, Agent.id == Ticket.assignee_id)
            .where(Ticket.number == number)
        )
    ).first()
    if row is None:
        return None
    ticket, contact, conversation, inbox, team, assignee, joined, has_bot = row
    messages = await _messages(session, _of_ticket(ticket, conversation))
    events = (
        await session.scalars(
            select(TicketEvent)
            .where(TicketEvent.ticket_id == ticket.id)
            .order_by(TicketEvent.at.desc(), TicketEvent.id.desc())
            .limit(EVENTS_SHOWN)
        )
    ).all()
    clocks = (await session.scalars(select(AppliedSla).where(AppliedSla.ticket_id == ticket.id).order_by(AppliedSla.metric))).all()
    pauses = await session.scalars(
        select(SlaPause)
        .join(AppliedSla, AppliedSla.id == SlaPause.applied_id)
        .where(AppliedSla.ticket_id == ticket.id)
        .order_by(SlaPause.started_at.desc(), SlaPause.id.desc())
        .limit(50)
    )
    return TicketDetail(
        ticket=ticket, contact=contact, identities=await _identities(session, contact.id), conversation=conversation, inbox=inbox,
        team=team, assignee=assignee, messages=messages[-MESSAGES_SHOWN:], events=list(reversed(events)), clocks=clocks,
        pauses=pauses.all(), others=await _others(session, contact.id, but=ticket.id), links=await _links(session, ticket.id),
        has_earlier=len(messages) > MESSAGES_SHOWN, participants=await copies.of(session, ticket.id),
        joined=joined, has_bot=has_bot,
    )  # fmt: skip


def _of_ticket(ticket: Ticket, conversation: Conversation | None) -> ColumnElement[bool]:
    """Its own messages, and what was said with the bot in the same conversation before the request existed."""
    own = Message.ticket_id == ticket.id
    if conversation is None:
        return own
    before = and_(
        Message.conversation_id == conversation.id,
        Message.ticket_id.is_(None),
        Message.at >= ticket.opened_at - BEFORE_TICKET,
    )
    if conversation.active_ticket_id != ticket.id:
        before = and_(before, Message.at <= ticket.opened_at)
    return or_(own, before)


async def _messages(session: ReadSession, which: ColumnElement[bool]) -> list[Message]:
    query = (
        select(Message)
        .where(which)
        .order_by(Message.at.desc(), Message.id.desc())
        .limit(MESSAGES_SHOWN + 1)
        .options(selectinload(Message.attachments), selectinload(Message.versions))
    )
    return list(reversed((await session.scalars(query)).all()))


async def _identities(session: ReadSession, contact_id: str) -> Sequence[ContactIdentity]:
    query = select(ContactIdentity).where(ContactIdentity.contact_id == contact_id).order_by(ContactIdentity.id).limit(50)
    return (await session.scalars(query)).all()


async def _others(session: ReadSession, contact_id: str, *, but: str | None) -> list[TicketRow]:
    query = ticket_rows().where(Ticket.contact_id == contact_id).order_by(Ticket.updated_at.desc(), Ticket.id.desc()).limit(OTHERS_SHOWN)
    if but is not None:
        query = query.where(Ticket.id != but)
    return [TicketRow(*row) for row in await session.execute(query)]


async def _links(session: ReadSession, ticket_id: str) -> list[tuple[str, int, str]]:
    query = (
        select(TicketLink.kind, TicketLink.from_id, Ticket.number, Ticket.subject)
        .join(
            Ticket,
            or_(
                and_(TicketLink.from_id == ticket_id, Ticket.id == TicketLink.to_id),
                and_(TicketLink.to_id == ticket_id, Ticket.id == TicketLink.from_id),
            ),
        )
        .where(or_(TicketLink.from_id == ticket_id, TicketLink.to_id == ticket_id))
        .order_by(TicketLink.at)
        .limit(50)
    )
    return [
        (kind if begins == ticket_id else f"{kind}_of", number, subject) for kind, begins, number, subject in await session.execute(query)
    ]


async def conversation_detail(session: ReadSession, conversation_id: str) -> ConversationDetail | None:
    """A conversation without a request, for reading along."""
    row = (
        await session.execute(
            select(Conversation, Contact, Inbox)
            .join(Contact, Contact.id == Conversation.contact_id)
            .join(Inbox, Inbox.id == Conversation.inbox_id)
            .where(Conversation.id == conversation_id)
        )
    ).first()
    if row is None:
        return None
    conversation, contact, inbox = row
    messages = await _messages(session, Message.conversation_id == conversation.id)
    return ConversationDetail(
        conversation=conversation, contact=contact, identities=await _identities(session, contact.id), inbox=inbox,
        messages=messages[-MESSAGES_SHOWN:], others=await _others(session, contact.id, but=None),
    )  # fmt: skip
