"""Inboxes, what arrived raw, conversations, messages, attachments and the tokens behind buttons."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from desk_core.kit.db import Base
from desk_core.kit.i18n import Phrase
from desk_core.kit.types import Id

FAILED = text("delivery_state = 'failed'")
"""Condition of the partial index behind the list of failed deliveries; the query must spell it exactly so."""

HELD = text("hold = 'held'")
"""Likewise for the list of held messages."""

HEARD = text("(messages.hold IS NULL OR messages.hold = 'released')")
"""Said to somebody: neither held nor left."""

OPEN = text("used_at IS NULL")
"""Likewise for the buttons of a conversation that can still be pressed."""

INBOUND = "inbound"
"""Kind of the work item behind every stored raw message."""


class Inbox(Base):
    """One configured account of a channel. Secrets in `secrets` are encrypted with the desk's key.

    `last_success_at` is when its adapter last reported that all is well, `last_error` what it reported since, in the far side's words.
    `last_error_phrase` is the same as a `Phrase` where the desk put a frame around them, so that `trouble` can be told in any language.
    """

    __tablename__ = "inboxes"

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    channel: Mapped[str]
    address: Mapped[str]
    language: Mapped[str]
    state: Mapped[str] = mapped_column(default="active")
    config: Mapped[dict[str, Any]] = mapped_column(default=dict)
    secrets: Mapped[str | None]
    last_received_at: Mapped[datetime | None]
    last_success_at: Mapped[datetime | None]
    last_error: Mapped[str | None]
    last_error_phrase: Mapped[dict[str, Any] | None]
    created_at: Mapped[datetime]
    version: Mapped[int] = mapped_column(default=1)

    @property
    def trouble(self) -> str | None:
        """What is wrong, for `translate`."""
        return Phrase.of_json(self.last_error_phrase) if self.last_error and self.last_error_phrase else self.last_error

    @property
    def addresses(self) -> tuple[str, ...]:
        """Everywhere people may write to: what answers come from, then its aliases."""
        return (self.address, *self.config.get("aliases", ()))

    @property
    def signs_as_team(self) -> bool:
        """Whether people here hear the name of the team instead of the operator's."""
        return self.config.get("signed_by") == "team"


class RawInbound(Base):
    """What a channel delivered, stored before it was acknowledged; unique by inbox and external id."""

    __tablename__ = "raw_inbound"

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    inbox_id: Mapped[str] = mapped_column(Id, ForeignKey("inboxes.id"))
    external_id: Mapped[str]
    lane: Mapped[str]
    body: Mapped[dict[str, Any]]
    raw: Mapped[bytes | None]
    raw_blob: Mapped[str | None]
    request_id: Mapped[str]
    received_at: Mapped[datetime]
    state: Mapped[str] = mapped_column(default="pending", server_default=text("'pending'"))
    message_id: Mapped[str | None] = mapped_column(Id)

    __table_args__ = (UniqueConstraint("inbox_id", "external_id"), Index("ix_raw_inbound_received_at", "received_at"))


class Conversation(Base):
    """A thread on one inbox: a Telegram chat, a mail thread, a web session. The baton says who speaks: bot, queue or agent.

    `topic` is how the topic of a request looks now in its chat; None where the thread is no request's own topic.
    """

    __tablename__ = "conversations"

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    inbox_id: Mapped[str] = mapped_column(Id, ForeignKey("inboxes.id"))
    channel: Mapped[str]
    contact_id: Mapped[str] = mapped_column(Id, ForeignKey("contacts.id"), index=True)
    thread_key: Mapped[str]
    subject: Mapped[str | None]
    baton: Mapped[str] = mapped_column(default="bot")
    agent_id: Mapped[str | None] = mapped_column(Id, ForeignKey("agents.id"))
    language: Mapped[str | None]
    dialogue: Mapped[dict[str, Any]] = mapped_column(default=dict)
    active_ticket_id: Mapped[str | None] = mapped_column(Id, index=True)
    topic: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    blocked_at: Mapped[datetime | None]
    blocked_reason: Mapped[str | None]
    last_inbound_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    version: Mapped[int] = mapped_column(default=1)

    __table_args__ = (UniqueConstraint("inbox_id", "thread_key"), Index("ix_conversations_updated_at", "updated_at"))


class Message(Base):
    """One thing said, noted or that happened. `text` is the newest text without quoted history."""

    __tablename__ = "messages"

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    conversation_id: Mapped[str] = mapped_column(Id, ForeignKey("conversations.id"))
    inbox_id: Mapped[str] = mapped_column(Id)
    ticket_id: Mapped[str | None] = mapped_column(Id)
    direction: Mapped[str]
    author_kind: Mapped[str]
    agent_id: Mapped[str | None] = mapped_column(Id)
    author: Mapped[str]
    text: Mapped[str]
    original_text: Mapped[str | None]
    html: Mapped[str | None]
    subject: Mapped[str | None]
    card: Mapped[dict[str, Any]] = mapped_column(default=dict)
    buttons: Mapped[list[Any]] = mapped_column(default=list)
    external_id: Mapped[str | None]
    reply_to: Mapped[str | None]
    verdict_code: Mapped[str | None]
    verdict: Mapped[dict[str, Any]] = mapped_column(default=dict)
    delivery_state: Mapped[str | None]
    delivery_reason: Mapped[str | None]
    delivery_attempts: Mapped[int] = mapped_column(default=0)
    at: Mapped[datetime]
    edited_at: Mapped[datetime | None]
    deleted_at: Mapped[datetime | None]
    meta: Mapped[dict[str, Any]] = mapped_column(default=dict)
    hold: Mapped[str | None]

    attachments: Mapped[list["Attachment"]] = relationship(lazy="raise", order_by="Attachment.id")
    versions: Mapped[list["MessageVersion"]] = relationship(lazy="raise", order_by="MessageVersion.at")

    __table_args__ = (
        Index("ix_messages_conversation_id_at", "conversation_id", "at"),
        Index("ix_messages_ticket_id_at", "ticket_id", "at"),
        Index("ix_messages_inbox_id_external_id", "inbox_id", "external_id"),
        Index("ix_messages_at", "at"),
        Index("ix_messages_failed", "at", sqlite_where=FAILED, postgresql_where=FAILED),
        Index("ix_messages_held", "at", sqlite_where=HELD, postgresql_where=HELD),
    )


class MessageVersion(Base):
    """What a message said before it was edited."""

    __tablename__ = "message_versions"

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    message_id: Mapped[str] = mapped_column(Id, ForeignKey("messages.id"), index=True)
    text: Mapped[str]
    at: Mapped[datetime]


class Attachment(Base):
    """A file of a message, kept in the blob store under its SHA-256. `content_type` is what the bytes are, not what was claimed."""

    __tablename__ = "attachments"

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    message_id: Mapped[str] = mapped_column(Id, ForeignKey("messages.id"), index=True)
    name: Mapped[str]
    size: Mapped[int]
    sha256: Mapped[str]
    content_type: Mapped[str]
    declared_type: Mapped[str | None]
    inline: Mapped[bool] = mapped_column(default=False)


class MailReference(Base):
    """Message-IDs of every mail received or sent, so that an answer finds its conversation."""

    __tablename__ = "mail_references"

    inbox_id: Mapped[str] = mapped_column(Id, primary_key=True)
    message_id: Mapped[str] = mapped_column(primary_key=True)
    conversation_id: Mapped[str] = mapped_column(Id, ForeignKey("conversations.id"))


class ButtonToken(Base):
    """What a button stands for; the wire carries only the token."""

    __tablename__ = "button_tokens"

    token: Mapped[str] = mapped_column(primary_key=True)
    conversation_id: Mapped[str] = mapped_column(Id, ForeignKey("conversations.id"))
    message_id: Mapped[str] = mapped_column(Id, index=True)
    action: Mapped[str]
    value: Mapped[dict[str, Any]]
    used_at: Mapped[datetime | None]
    expires_at: Mapped[datetime]

    __table_args__ = (Index("ix_button_tokens_open", "conversation_id", sqlite_where=OPEN, postgresql_where=OPEN),)
