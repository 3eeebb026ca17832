"""Questions about articles: which may be offered, pages of them, and what people said."""

from collections.abc import Sequence
from datetime import date

from sqlalchemy import ColumnElement, or_, select

from desk_core.kit.db import ReadSession
from desk_core.kit.errors import NotFound
from desk_core.knowledge.entities import Article, ArticleVersion


def offered(today: date) -> tuple[ColumnElement[bool], ...]:
    """What makes an article one that people may be offered: published, public, not expired."""
    return (Article.state == "published", Article.audience == "public", or_(Article.expires_on.is_(None), Article.expires_on >= today))


async def articles(session: ReadSession, *, key: str | None = None, limit: int = 10_000) -> Sequence[Article]:
    """Articles by key and language, all or the languages of one key."""
    query = select(Article).order_by(Article.key, Article.language).limit(limit)
    return (await session.scalars(query.where(Article.key == key) if key is not None else query)).all()


async def article(session: ReadSession, article_id: str) -> Article:
    """One article; raises `NotFound`."""
    found = await session.scalar(select(Article).where(Article.id == article_id))
    if found is None:
        raise NotFound(article=article_id)
    return found


async def versions(session: ReadSession, article_id: str, *, limit: int = 50) -> Sequence[ArticleVersion]:
    """What an article said before, newest first."""
    query = select(ArticleVersion).where(ArticleVersion.article_id == article_id).order_by(ArticleVersion.version.desc()).limit(limit)
    return (await session.scalars(query)).all()
