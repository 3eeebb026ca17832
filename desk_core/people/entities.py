"""People: those who ask (contacts, by their identities) and those who answer (agents in teams)."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from desk_core.kit.db import Base
from desk_core.kit.types import Id


class Organisation(Base):
    __tablename__ = "organisations"

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    name: Mapped[str]
    domain: Mapped[str | None] = mapped_column(unique=True)


class Contact(Base):
    """A requester. `facts` holds what forms learned of them (phone, location) and may prefill."""

    __tablename__ = "contacts"

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    name: Mapped[str]
    language: Mapped[str | None]
    time_zone: Mapped[str | None]
    organisation_id: Mapped[str | None] = mapped_column(Id, ForeignKey("organisations.id"))
    facts: Mapped[dict[str, Any]] = mapped_column(default=dict)
    created_at: Mapped[datetime]

    identities: Mapped[list["ContactIdentity"]] = relationship(lazy="raise", order_by="ContactIdentity.id")


class ContactIdentity(Base):
    """An address of a contact on one channel: a Telegram user id, an e-mail address, a browser's web session."""

    __tablename__ = "contact_identities"

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    contact_id: Mapped[str] = mapped_column(Id, ForeignKey("contacts.id"), index=True)
    channel: Mapped[str]
    address: Mapped[str]
    display: Mapped[str | None]
    verified_at: Mapped[datetime | None]
    failed_at: Mapped[datetime | None]
    failed_reason: Mapped[str | None]

    __table_args__ = (UniqueConstraint("channel", "address"),)


class Agent(Base):
    """Somebody who answers; the interface says operator."""

    __tablename__ = "agents"

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    email: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    password_hash: Mapped[str]
    role: Mapped[str]
    language: Mapped[str]
    time_zone: Mapped[str]
    availability: Mapped[str] = mapped_column(default="online")
    seen_at: Mapped[datetime | None]
    load_cap: Mapped[int] = mapped_column(default=20)
    skills: Mapped[list[str]] = mapped_column(default=list)
    last_assigned_at: Mapped[datetime | None]
    disabled_at: Mapped[datetime | None]
    created_at: Mapped[datetime]


class Team(Base):
    __tablename__ = "teams"

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    key: Mapped[str] = mapped_column(unique=True)
    titles: Mapped[dict[str, Any]]
    line: Mapped[int]
    calendar_key: Mapped[str | None]
    policy_key: Mapped[str | None]


class TeamMember(Base):
    __tablename__ = "team_members"

    team_id: Mapped[str] = mapped_column(Id, ForeignKey("teams.id"), primary_key=True)
    agent_id: Mapped[str] = mapped_column(Id, ForeignKey("agents.id"), primary_key=True, index=True)


class AgentSession(Base):
    """A log-in on one browser; revocable, and known only by the hash of its secret."""

    __tablename__ = "agent_sessions"

    token_hash: Mapped[str] = mapped_column(primary_key=True)
    agent_id: Mapped[str] = mapped_column(Id, ForeignKey("agents.id"), index=True)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    ip: Mapped[str]
    user_agent: Mapped[str]
    revoked_at: Mapped[datetime | None]


class ApiToken(Base):
    """A program's key to the REST interface; only its hash is stored."""

    __tablename__ = "api_tokens"

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    name: Mapped[str]
    token_hash: Mapped[str] = mapped_column(unique=True)
    scopes: Mapped[list[str]]
    created_at: Mapped[datetime]
    last_used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]


class AuditEntry(Base):
    """Who changed what of the desk's settings and people."""

    __tablename__ = "audit_entries"

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    at: Mapped[datetime]
    actor: Mapped[str]
    action: Mapped[str]
    subject: Mapped[str]
    before: Mapped[dict[str, Any]] = mapped_column(default=dict)
    after: Mapped[dict[str, Any]] = mapped_column(default=dict)
    ip: Mapped[str | None]

    __table_args__ = (Index("ix_audit_entries_at", "at"),)


class ContactJoin(Base):
    """Two contacts turned out to be one person. `moved` names what came over, so that it can be undone."""

    __tablename__ = "contact_joins"

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    contact_id: Mapped[str] = mapped_column(Id, ForeignKey("contacts.id"), index=True)
    joined_id: Mapped[str] = mapped_column(Id, ForeignKey("contacts.id"))
    reason: Mapped[str]
    by: Mapped[str]
    at: Mapped[datetime]
    moved: Mapped[dict[str, Any]] = mapped_column(default=dict)
    undone_at: Mapped[datetime | None]
    undone_by: Mapped[str | None]


class AddressCode(Base):
    """A one-time code on its way to an e-mail address, asked for in a chat; the code itself is computed from `id`, not kept.

    `question` is the form's question that was open when it was asked for.
    """

    __tablename__ = "address_codes"

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    contact_id: Mapped[str] = mapped_column(Id, ForeignKey("contacts.id"), index=True)
    conversation_id: Mapped[str] = mapped_column(Id, ForeignKey("conversations.id"), index=True)
    inbox_id: Mapped[str] = mapped_column(Id, ForeignKey("inboxes.id"))
    address: Mapped[str] = mapped_column(index=True)
    language: Mapped[str]
    question: Mapped[str | None]
    tries: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    void_at: Mapped[datetime | None]
