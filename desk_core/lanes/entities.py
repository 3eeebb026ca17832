"""Tables of the work queue: small lanes to claim, their items, and what was buried."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Index, Integer, text
from sqlalchemy.orm import Mapped, mapped_column

from desk_core.kit.db import Base
from desk_core.kit.types import Id


class Lane(Base):
    """A strictly ordered line of work. `ready_at` is the head item's `run_at`; a lane without items has no row."""

    __tablename__ = "lanes"

    key: Mapped[str] = mapped_column(primary_key=True)
    ready_at: Mapped[datetime]
    leased_until: Mapped[datetime | None]
    lease_token: Mapped[str | None]

    __table_args__ = (Index("ix_lanes_ready_at", "ready_at"),)


class WorkItem(Base):
    """One piece of work; items of a lane run in the order of their ids."""

    __tablename__ = "work_items"

    id: Mapped[int] = mapped_column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True)
    lane: Mapped[str]
    kind: Mapped[str]
    payload: Mapped[dict[str, Any]]
    run_at: Mapped[datetime]
    attempts: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    last_error: Mapped[str | None]

    # AUTOINCREMENT: SQLite would otherwise reuse the id of a deleted last item, and ids are the order of a lane.
    __table_args__ = (Index("ix_work_items_lane_id", "lane", "id"), {"sqlite_autoincrement": True})


class DeadItem(Base):
    """Work that failed for good, kept with its reason until somebody replays it."""

    __tablename__ = "dead_items"

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    lane: Mapped[str]
    kind: Mapped[str]
    payload: Mapped[dict[str, Any]]
    reason: Mapped[str]
    attempts: Mapped[int]
    at: Mapped[datetime]
    ticket_number: Mapped[int | None]
    conversation_id: Mapped[str | None] = mapped_column(Id)
    replayed_at: Mapped[datetime | None]

    __table_args__ = (Index("ix_dead_items_at", "at"),)
