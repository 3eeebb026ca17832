"""Tickets, what happened to them, links between them, who else is on them, and the counter of numbers."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, Integer, text
from sqlalchemy.orm import Mapped, mapped_column

from desk_core.kit.db import Base
from desk_core.kit.types import Id

# The lists of the console read these partial indexes; a query must spell the condition exactly so for the store to use them.
WORKING = text("status IN ('new', 'open', 'waiting', 'on_hold')")
WAITING = text("status = 'waiting'")
DONE = text("status IN ('resolved', 'closed', 'cancelled', 'merged')")


class Ticket(Base):
    """One request of one contact. Status changes only through `lifecycle.transition`."""

    __tablename__ = "tickets"

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    number: Mapped[int] = mapped_column(unique=True)
    status: Mapped[str]
    kind: Mapped[str]
    category_key: Mapped[str | None]
    category_confidence: Mapped[float | None]
    category_source: Mapped[str] = mapped_column(default="model")
    triage: Mapped[dict[str, Any]] = mapped_column(default=dict)
    impact: Mapped[str]
    urgency: Mapped[str]
    priority: Mapped[str]
    team_id: Mapped[str | None] = mapped_column(Id, ForeignKey("teams.id"))
    line: Mapped[int]
    assignee_id: Mapped[str | None] = mapped_column(Id, ForeignKey("agents.id"))
    contact_id: Mapped[str] = mapped_column(Id, ForeignKey("contacts.id"), index=True)
    conversation_id: Mapped[str | None] = mapped_column(Id, ForeignKey("conversations.id"), index=True)
    inbox_id: Mapped[str | None] = mapped_column(Id, ForeignKey("inboxes.id"))
    channel: Mapped[str]
    language: Mapped[str]
    subject: Mapped[str]
    slots: Mapped[dict[str, Any]] = mapped_column(default=dict)
    tags: Mapped[list[str]] = mapped_column(default=list)
    why_here: Mapped[dict[str, Any]] = mapped_column(default=dict)
    hand_over: Mapped[dict[str, Any]] = mapped_column(default=dict)
    last_speaker: Mapped[str] = mapped_column(default="contact")
    last_speaker_name: Mapped[str] = mapped_column(default="")
    last_message_at: Mapped[datetime]
    snippet: Mapped[str] = mapped_column(default="")
    unread: Mapped[bool] = mapped_column(default=True)
    next_due_at: Mapped[datetime | None]
    next_due_metric: Mapped[str | None]
    reminded_at: Mapped[datetime | None]
    opened_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    resolved_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    resolution: Mapped[str | None]
    rating_score: Mapped[int | None]
    rating_comment: Mapped[str | None]
    rated_at: Mapped[datetime | None]
    token: Mapped[str] = mapped_column(unique=True)
    version: Mapped[int] = mapped_column(default=1)

    __table_args__ = (
        Index("ix_tickets_assignee_id_status", "assignee_id", "status"),
        Index("ix_tickets_team_id_status", "team_id", "status"),
        Index("ix_tickets_line_status", "line", "status"),
        Index("ix_tickets_updated_at_id", "updated_at", "id"),
        Index("ix_tickets_waiting", "updated_at", "id", sqlite_where=WAITING, postgresql_where=WAITING),
        Index("ix_tickets_working_due", "next_due_at", "id", sqlite_where=WORKING, postgresql_where=WORKING),
        Index("ix_tickets_working_assignee", "assignee_id", "next_due_at", "id", sqlite_where=WORKING, postgresql_where=WORKING),
        Index("ix_tickets_working_line", "line", "next_due_at", "id", sqlite_where=WORKING, postgresql_where=WORKING),
        Index("ix_tickets_done", "updated_at", "id", sqlite_where=DONE, postgresql_where=DONE),
    )


class TicketEvent(Base):
    """One fact in a ticket's history: what, when, by whom, with the data to tell it in any language.

    `version` is the version the ticket got by it, so that "what happened since I looked" is one question.
    """

    __tablename__ = "ticket_events"

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    ticket_id: Mapped[str] = mapped_column(Id, ForeignKey("tickets.id"))
    at: Mapped[datetime]
    kind: Mapped[str]
    actor_kind: Mapped[str]
    actor_id: Mapped[str | None] = mapped_column(Id)
    actor: Mapped[str]
    version: Mapped[int]
    data: Mapped[dict[str, Any]] = mapped_column(default=dict)

    __table_args__ = (Index("ix_ticket_events_ticket_id_at", "ticket_id", "at"),)


class TicketLink(Base):
    """A relation between two tickets: follow_up, merged, related."""

    __tablename__ = "ticket_links"

    from_id: Mapped[str] = mapped_column(Id, ForeignKey("tickets.id"), primary_key=True)
    to_id: Mapped[str] = mapped_column(Id, ForeignKey("tickets.id"), primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    at: Mapped[datetime]


class Invitation(Base):
    """A link that opens a request in a chat, for its `purpose`; known only by the hash of its secret, good once and for a short while.

    Whoever confirmed it in their chat is `contact_id`; `left_conversation_id` is where the answers went before.
    """

    __tablename__ = "invitations"

    token_hash: Mapped[str] = mapped_column(primary_key=True)
    purpose: Mapped[str]
    ticket_id: Mapped[str] = mapped_column(Id, ForeignKey("tickets.id"), index=True)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    contact_id: Mapped[str | None] = mapped_column(Id)
    left_conversation_id: Mapped[str | None] = mapped_column(Id)
    invited_by: Mapped[str | None]


class TicketParticipant(Base):
    """Somebody else on a request: copied in by the requester's letter, by an operator or by a link that somebody gave them (`added_by`).

    Whoever joined by a link sits in a chat (`conversation_id`), and their address is that of the chat's channel; others have mail.

    Who was removed stays so, whatever later letters say, until an operator adds them again.
    """

    __tablename__ = "ticket_participants"

    ticket_id: Mapped[str] = mapped_column(Id, ForeignKey("tickets.id"), primary_key=True)
    address: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    added_by: Mapped[str | None]
    added_at: Mapped[datetime]
    removed_at: Mapped[datetime | None]
    conversation_id: Mapped[str | None] = mapped_column(Id, default=None)


class MessageCopy(Base):
    """How a copy of a message is known in the chat of the one who got it, so that what answers it finds its request."""

    __tablename__ = "message_copies"

    inbox_id: Mapped[str] = mapped_column(Id, primary_key=True)
    external_id: Mapped[str] = mapped_column(primary_key=True)
    message_id: Mapped[str] = mapped_column(Id, ForeignKey("messages.id"), index=True)


class TicketNumber(Base):
    """The counter behind human numbers: each insert yields the next, none is ever given twice.

    SQLite's AUTOINCREMENT and PostgreSQL's sequence remember the highest number given, so there is no row that all writers queue for.
    """

    __tablename__ = "ticket_numbers"

    number: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=True)
    taken_at: Mapped[datetime]

    __table_args__ = ({"sqlite_autoincrement": True},)
