"""Operators' groups, the topic of each request in them, what of a request stands there, linked accounts and one-time codes."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from desk_core.kit.db import Base
from desk_core.kit.types import Id


class OperatorGroup(Base):
    """A group with topics where operators work. It shows requests and keeps none: whatever is lost there can be shown again.

    `teams` are the keys of the teams whose requests it shows, none for all. `alerts` names the topic of alerts and their kinds.
    `trouble` says in the far side's words why it cannot be reached, as long as that is so.
    """

    __tablename__ = "operator_groups"

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    inbox_id: Mapped[str] = mapped_column(Id, ForeignKey("inboxes.id"))
    chat: Mapped[str]
    title: Mapped[str]
    language: Mapped[str]
    teams: Mapped[list[str]] = mapped_column(default=list)
    alerts: Mapped[dict[str, Any]] = mapped_column(default=dict)
    trouble: Mapped[str | None]
    linked_by: Mapped[str]
    linked_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]

    __table_args__ = (UniqueConstraint("inbox_id", "chat"),)


class GroupTopic(Base):
    """The topic of one request. Without `thread` it is still to be opened, or was deleted by hand and will be opened again.

    `face` and `head_text` are what the title and the head card show now, `seen` the version of the request up to which its history is told.
    """

    __tablename__ = "group_topics"

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    group_id: Mapped[str] = mapped_column(Id, ForeignKey("operator_groups.id"))
    ticket_id: Mapped[str] = mapped_column(Id, ForeignKey("tickets.id"), unique=True)
    thread: Mapped[str | None]
    face: Mapped[str] = mapped_column(default="")
    head: Mapped[str | None]
    head_text: Mapped[str] = mapped_column(default="")
    seen: Mapped[int] = mapped_column(default=0)
    remade: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime]

    __table_args__ = (Index("ix_group_topics_group_id_thread", "group_id", "thread"),)


class GroupMessage(Base):
    """Where a message of a request stands in its topic. `own`: an operator wrote it there, so it is theirs and not ours to change."""

    __tablename__ = "group_messages"

    topic_id: Mapped[str] = mapped_column(Id, ForeignKey("group_topics.id"), primary_key=True)
    message_id: Mapped[str] = mapped_column(Id, primary_key=True)
    place: Mapped[str]
    own: Mapped[bool] = mapped_column(default=False)
    at: Mapped[datetime]

    __table_args__ = (Index("ix_group_messages_topic_id_place", "topic_id", "place"),)


class AgentAccount(Base):
    """An operator's own account on a channel, proven by a one-time code."""

    __tablename__ = "agent_accounts"

    channel: Mapped[str] = mapped_column(primary_key=True)
    address: Mapped[str] = mapped_column(primary_key=True)
    agent_id: Mapped[str] = mapped_column(Id, ForeignKey("agents.id"), index=True)
    display: Mapped[str]
    linked_at: Mapped[datetime]


class LinkCode(Base):
    """A one-time code, known only by its hash: for a group of an inbox, for the account of an operator, or for a test of a bot.

    Of a test `used_by` names who opened the bot with it, and `answered_at` is when the bot's answer was sent to them.
    """

    __tablename__ = "link_codes"

    code_hash: Mapped[str] = mapped_column(primary_key=True)
    purpose: Mapped[str]
    subject: Mapped[str]
    made_by: Mapped[str]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    used_by: Mapped[str | None]
    answered_at: Mapped[datetime | None]
