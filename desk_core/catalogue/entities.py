"""The desk's own words and rules, loaded from a preset and from then on edited in the console."""

from datetime import datetime
from typing import Any

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from desk_core.kit.db import Base
from desk_core.kit.types import Id


class Category(Base):
    """An entry of the service catalogue, on two levels."""

    __tablename__ = "categories"

    key: Mapped[str] = mapped_column(primary_key=True)
    parent_key: Mapped[str | None]
    titles: Mapped[dict[str, Any]]
    descriptions: Mapped[dict[str, Any]] = mapped_column(default=dict)
    kind: Mapped[str]
    impact: Mapped[str]
    urgency: Mapped[str]
    form_key: Mapped[str | None]
    team_key: Mapped[str | None]
    human_now: Mapped[bool] = mapped_column(default=False)
    position: Mapped[int]


class Form(Base):
    """Which slots a category asks for, in order."""

    __tablename__ = "forms"

    key: Mapped[str] = mapped_column(primary_key=True)
    slots: Mapped[list[str]]


class Slot(Base):
    """One thing to know: its titles, questions, examples, choices and how an answer is checked."""

    __tablename__ = "slots"

    name: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str]
    definition: Mapped[dict[str, Any]]


class Reply(Base):
    """A text the bot says, by key and language."""

    __tablename__ = "replies"

    key: Mapped[str] = mapped_column(primary_key=True)
    language: Mapped[str] = mapped_column(primary_key=True)
    text: Mapped[str]


class TrainingExample(Base):
    """A labelled text of the preset or of the desk (`source` says which); what operators correct is in `corrections`."""

    __tablename__ = "training_examples"

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    label: Mapped[str]
    language: Mapped[str]
    text: Mapped[str]
    source: Mapped[str]
    created_by: Mapped[str | None]
    created_at: Mapped[datetime]

    __table_args__ = (Index("ix_training_examples_label", "label"),)


class DeskSetting(Base):
    """A named piece of desk configuration: organisation, priority matrix, close ladder, limits, lines."""

    __tablename__ = "desk_settings"

    key: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[dict[str, Any]]
    updated_at: Mapped[datetime]
