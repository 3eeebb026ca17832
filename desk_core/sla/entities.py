"""Promises: calendars, policies, the clocks applied to a ticket, and the ledger of their pauses."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from desk_core.kit.db import Base
from desk_core.kit.types import Id


class BusinessCalendar(Base):
    """Working hours of a team: zone, several intervals a day, holidays."""

    __tablename__ = "calendars"

    key: Mapped[str] = mapped_column(primary_key=True)
    titles: Mapped[dict[str, Any]]
    zone: Mapped[str]
    weekly: Mapped[dict[str, Any]]
    holidays: Mapped[list[str]]


class SlaPolicy(Base):
    """Targets in business seconds by priority and metric."""

    __tablename__ = "sla_policies"

    key: Mapped[str] = mapped_column(primary_key=True)
    titles: Mapped[dict[str, Any]]
    calendar_key: Mapped[str]
    targets: Mapped[dict[str, Any]]


class AppliedSla(Base):
    """One clock of one ticket. `consumed` is business seconds used before `running_since`."""

    __tablename__ = "applied_slas"

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    ticket_id: Mapped[str] = mapped_column(Id, ForeignKey("tickets.id"))
    metric: Mapped[str]
    policy_key: Mapped[str]
    calendar_key: Mapped[str]
    state: Mapped[str]
    target: Mapped[int]
    started_at: Mapped[datetime]
    running_since: Mapped[datetime | None]
    consumed: Mapped[int] = mapped_column(default=0)
    due_at: Mapped[datetime | None]
    at_risk_at: Mapped[datetime | None]
    met_at: Mapped[datetime | None]
    breached_at: Mapped[datetime | None]

    __table_args__ = (UniqueConstraint("ticket_id", "metric"),)


class SlaPause(Base):
    """The pause ledger: who stopped a clock, why, from when to when."""

    __tablename__ = "sla_pauses"

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    applied_id: Mapped[str] = mapped_column(Id, ForeignKey("applied_slas.id"))
    started_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    reason: Mapped[str]
    by: Mapped[str]

    __table_args__ = (Index("ix_sla_pauses_applied_id", "applied_id"),)
