"""Articles, their earlier versions, and what people said of them."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from desk_core.kit.db import Base
from desk_core.kit.types import Id


class Article(Base):
    """One article in one language; the same `key` in another language is its pair. `expires_on` is the last day it may be offered."""

    __tablename__ = "articles"

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    key: Mapped[str]
    language: Mapped[str]
    title: Mapped[str]
    summary: Mapped[str]
    body: Mapped[str]
    category_key: Mapped[str | None]
    keywords: Mapped[list[str]]
    audience: Mapped[str]
    state: Mapped[str]
    expires_on: Mapped[date | None]
    updated_at: Mapped[datetime]
    updated_by: Mapped[str | None]  # unknown for what was there before this was kept
    version: Mapped[int] = mapped_column(default=1)

    __table_args__ = (UniqueConstraint("key", "language"),)


class ArticleVersion(Base):
    """What an article said before it was changed: its text until then, and who had written that, when."""

    __tablename__ = "article_versions"

    article_id: Mapped[str] = mapped_column(Id, ForeignKey("articles.id"), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str]
    body: Mapped[str]
    by: Mapped[str]
    at: Mapped[datetime]


class ArticleQuestion(Base):
    """What a person asked when articles were looked for, what was offered, and what became of it (`questions.Became`).

    `answer_id` is the article that an editor says should have answered: with who and when, a labelled example. What was `dismissed` is no
    gap.
    """

    __tablename__ = "article_questions"

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    text: Mapped[str]
    language: Mapped[str]
    category_key: Mapped[str | None]
    conversation_id: Mapped[str] = mapped_column(Id)
    contact_id: Mapped[str] = mapped_column(Id)
    ticket_id: Mapped[str | None] = mapped_column(Id)
    shown: Mapped[list[str]]
    became: Mapped[str]
    opinions: Mapped[dict[str, Any]] = mapped_column(default=dict)  # article id -> helped or refused
    at: Mapped[datetime]
    answer_id: Mapped[str | None] = mapped_column(Id, ForeignKey("articles.id"), index=True)
    dismissed: Mapped[bool] = mapped_column(default=False)
    judged_by: Mapped[str | None]
    judged_at: Mapped[datetime | None]

    __table_args__ = (Index("ix_article_questions_at", "at"), Index("ix_article_questions_conversation_id_at", "conversation_id", "at"))


class ArticleFeedback(Base):
    """Shown, helped or refused, in which conversation; the raw material of honest deflection."""

    __tablename__ = "article_feedback"

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    article_id: Mapped[str] = mapped_column(Id, ForeignKey("articles.id"), index=True)
    conversation_id: Mapped[str] = mapped_column(Id)
    contact_id: Mapped[str] = mapped_column(Id)
    verdict: Mapped[str]
    at: Mapped[datetime]

    __table_args__ = (Index("ix_article_feedback_contact_id_at", "contact_id", "at"),)
