"""The JSON shapes that outside programs rely on (docs/interface.md): tickets, messages, conversations, dead items."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import Select, select
from sqlalchemy.orm import selectinload

from desk_core.catalogue.desk import DeskConfig
from desk_core.conversations.entities import Conversation, Inbox, Message
from desk_core.kit.db import ReadSession
from desk_core.lanes.entities import DeadItem
from desk_core.people.entities import Agent, Contact
from desk_core.tickets import copies
from desk_core.tickets.entities import Ticket, TicketEvent
from desk_core.tickets.lifecycle import Status
from desk_core.tickets.verdicts import tell_verdict

OVER = (Status.CLOSED.value, Status.CANCELLED.value, Status.MERGED.value)
CHUNK = 500

T = TypeVar("T")


def _iso(at: datetime | None) -> str | None:
    return at.isoformat() if at is not None else None


async def tickets(session: ReadSession, config: DeskConfig, query: Select[Any], *, language: str) -> list[dict[str, Any]]:
    """Tickets of a query in the public shape; a handful of statements whatever their number."""
    found: list[Ticket] = list((await session.scalars(query)).all())
    contacts: dict[str, Contact] = {}
    agents = {agent.id: agent.email for agent in await session.scalars(select(Agent))}
    batons: dict[str, str] = {}
    for chunk in _chunks(found):
        wanted = {ticket.contact_id for ticket in chunk} - contacts.keys()
        loaded = await session.scalars(select(Contact).where(Contact.id.in_(wanted)).options(selectinload(Contact.identities)))
        contacts.update({contact.id: contact for contact in loaded})
        ids = {ticket.conversation_id for ticket in chunk if ticket.conversation_id}
        rows = await session.execute(select(Conversation.id, Conversation.baton).where(Conversation.id.in_(ids)))
        batons.update({row.id: row.baton for row in rows})
    return [_ticket(ticket, config, contacts, agents, batons, language) for ticket in found]


def _ticket(
    ticket: Ticket, config: DeskConfig, contacts: Mapping[str, Contact], agents: Mapping[str, str], batons: Mapping[str, str], language: str
) -> dict[str, Any]:
    contact = contacts.get(ticket.contact_id)
    team = config.team_by_id(ticket.team_id)
    promise = {"metric": ticket.next_due_metric, "due_at": _iso(ticket.next_due_at)} if ticket.next_due_at else None
    rating = {"score": ticket.rating_score, "comment": ticket.rating_comment, "at": _iso(ticket.rated_at)}
    return {
        "number": ticket.number,
        "id": ticket.id,
        "status": ticket.status,
        "kind": ticket.kind,
        "category": ticket.category_key,
        "category_title": config.title(ticket.category_key, language),
        "priority": ticket.priority,
        "team": team.key if team else None,
        "line": ticket.line,
        "assignee": agents.get(ticket.assignee_id or ""),
        "channel": ticket.channel,
        "subject": ticket.subject,
        "contact": contact_shape(contact) if contact else None,
        "tags": list(ticket.tags),
        "opened_at": _iso(ticket.opened_at),
        "updated_at": _iso(ticket.updated_at),
        "resolved_at": _iso(ticket.resolved_at),
        "closed_at": _iso(ticket.closed_at),
        "promise": promise,
        "baton": batons.get(ticket.conversation_id or "", "queue"),
        "rating": rating if ticket.rating_score is not None else None,
        "resolution": ticket.resolution,
    }


def contact_shape(contact: Contact) -> dict[str, Any]:
    return {
        "id": contact.id,
        "name": contact.name,
        "language": contact.language,
        "identities": [{"channel": one.channel, "address": one.address} for one in contact.identities],
    }


async def ticket_whole(session: ReadSession, config: DeskConfig, number: int, *, language: str) -> dict[str, Any] | None:
    """One ticket with its messages, events, slots and conversations; None when there is no such number."""
    found = await tickets(session, config, select(Ticket).where(Ticket.number == number), language=language)
    if not found:
        return None
    ticket = await session.get_one(Ticket, found[0]["id"])
    query = select(Message).where(Message.ticket_id == ticket.id)
    events = await session.scalars(select(TicketEvent).where(TicketEvent.ticket_id == ticket.id).order_by(TicketEvent.at, TicketEvent.id))
    talks = select(Conversation).where(
        Conversation.id.in_(select(Message.conversation_id).where(Message.ticket_id == ticket.id))
        | (Conversation.id == ticket.conversation_id)
    )
    return {
        **found[0],
        "messages": await messages(session, query, language=language),
        "events": [
            {
                "id": event.id,
                "kind": event.kind,
                "actor": event.actor,
                "actor_kind": event.actor_kind,
                "data": event.data,
                "at": _iso(event.at),
            }
            for event in events
        ],
        "participants": [{"address": one.address, "name": one.name} for one in await copies.of(session, ticket.id)],
        "slots": ticket.slots,
        "why_here": ticket.why_here,
        "hand_over": ticket.hand_over,
        "triage": {"confidence": ticket.category_confidence, "source": ticket.category_source, **ticket.triage},
        "status_token": ticket.token,
        "conversations": await conversations(session, talks),
    }


async def messages(session: ReadSession, query: Select[Any], *, language: str) -> list[dict[str, Any]]:
    """Messages of a query, oldest first, in the public shape."""
    ordered = query.order_by(Message.at, Message.id).options(selectinload(Message.attachments), selectinload(Message.versions))
    found: list[Message] = list((await session.scalars(ordered)).all())
    inboxes = {row.id: row for row in await session.execute(select(Inbox.id, Inbox.name, Inbox.channel))}
    numbers: dict[str, int] = {}
    for chunk in _chunks(found):
        ids = {message.ticket_id for message in chunk if message.ticket_id}
        numbers.update({row.id: row.number for row in await session.execute(select(Ticket.id, Ticket.number).where(Ticket.id.in_(ids)))})
    return [_message(message, inboxes, numbers, language) for message in found]


def _message(message: Message, inboxes: Mapping[str, Any], numbers: Mapping[str, int], language: str) -> dict[str, Any]:
    inbox = inboxes.get(message.inbox_id)
    author = {"bot": "bot", "system": "system"}.get(message.author_kind, message.author)
    delivery = {"state": message.delivery_state, "reason": message.delivery_reason, "attempts": message.delivery_attempts}
    return {
        "id": message.id,
        "direction": message.direction,
        "channel": inbox.channel if inbox else None,
        "inbox": inbox.name if inbox else None,
        "conversation": message.conversation_id,
        "author": author,
        "text": message.text,
        "versions": [{"text": version.text, "at": _iso(version.at)} for version in message.versions],
        "attachments": [
            {"name": file.name, "size": file.size, "sha256": file.sha256, "content_type": file.content_type} for file in message.attachments
        ],
        "external_id": message.external_id,
        "ticket": numbers.get(message.ticket_id or ""),
        "verdict": {"code": message.verdict_code, "text": tell_verdict(message.verdict_code, message.verdict, language)},
        "at": _iso(message.at),
        "delivery": delivery if message.direction == "outbound" else None,
        "buttons": [[one["label"] for one in row] for row in message.buttons],
        "card": message.card,
        "deleted_at": _iso(message.deleted_at) if message.deleted_at else None,
    }


async def conversations(session: ReadSession, query: Select[Any]) -> list[dict[str, Any]]:
    """Conversations of a query in the public shape."""
    found: list[Conversation] = list((await session.scalars(query)).all())
    inboxes = {row.id: row.name for row in await session.execute(select(Inbox.id, Inbox.name))}
    contacts: dict[str, Contact] = {}
    numbers: dict[str, int] = {}
    for chunk in _chunks(found):
        people = {conversation.contact_id for conversation in chunk}
        loaded = await session.scalars(select(Contact).where(Contact.id.in_(people)).options(selectinload(Contact.identities)))
        contacts.update({contact.id: contact for contact in loaded})
        ids = {conversation.active_ticket_id for conversation in chunk if conversation.active_ticket_id}
        numbers.update({row.id: row.number for row in await session.execute(select(Ticket.id, Ticket.number).where(Ticket.id.in_(ids)))})
    return [
        {
            "id": one.id,
            "inbox": inboxes.get(one.inbox_id),
            "channel": one.channel,
            "contact": contact_shape(contacts[one.contact_id]),
            "baton": one.baton,
            "state": one.dialogue.get("phase", "idle"),
            "ticket": numbers.get(one.active_ticket_id or ""),
            "blocked": one.blocked_at is not None,
            "updated_at": _iso(one.updated_at),
        }
        for one in found
    ]


def dead_items(found: Iterable[DeadItem]) -> list[dict[str, Any]]:
    return [
        {
            "id": one.id, "kind": one.kind, "lane": one.lane, "ticket": one.ticket_number, "reason": one.reason, "attempts": one.attempts,
            "at": _iso(one.at), "payload": one.payload,
        }
        for one in found
    ]  # fmt: skip


def _chunks(items: Sequence[T]) -> Iterable[Sequence[T]]:
    """IN lists stay short: both stores bound the number of parameters."""
    return (items[start : start + CHUNK] for start in range(0, len(items), CHUNK))
