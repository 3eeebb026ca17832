"""Tables of learning: every correction with who and when, and every run that changed or wanted to change a model."""

from datetime import datetime
from typing import Any

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from desk_core.kit.db import Base
from desk_core.kit.types import Id


class Correction(Base):
    """An operator said otherwise than the desk: a labelled text. `kind` is category, priority or article."""

    __tablename__ = "corrections"

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    kind: Mapped[str]
    ticket_id: Mapped[str] = mapped_column(Id)
    language: Mapped[str]
    text: Mapped[str]
    before: Mapped[str | None]
    after: Mapped[str]
    agent_id: Mapped[str | None] = mapped_column(Id)
    at: Mapped[datetime]

    __table_args__ = (Index("ix_corrections_kind_at", "kind", "at"),)


class ModelRun(Base):
    """A training, publication or return that somebody asked for: waiting, then published, kept, failed or returned, with its figures."""

    __tablename__ = "model_runs"

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    act: Mapped[str]  # train | publish | rollback
    state: Mapped[str]
    asked_by: Mapped[str]
    asked_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    outcome: Mapped[dict[str, Any]] = mapped_column(default=dict)

    __table_args__ = (Index("ix_model_runs_asked_at", "asked_at"),)
