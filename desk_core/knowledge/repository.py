"""Questions about articles: which may be offered, pages of them, and what people said."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import cast

from sqlalchemy import ColumnElement, Table, bindparam, func, or_, select

from desk_core.kit.db import ReadSession, UnitOfWork
from desk_core.kit.errors import NotFound
from desk_core.kit.prepared import Prepared
from desk_core.knowledge.deflection import outcome, topic_of
from desk_core.knowledge.entities import Article, ArticleFeedback, ArticleVersion
from desk_core.tickets.entities import Ticket

MEASURED = timedelta(days=90)
MOST = 20_000  # opinions that are looked at; more make the figure slower, not truer
_ARTICLES = cast("Table", Article.__table__)
_TOLD_OF = Prepared(select(_ARTICLES.c.title, _ARTICLES.c.summary).where(_ARTICLES.c.id == bindparam("article")))


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


async def titles(session: ReadSession, article_ids: Sequence[str]) -> dict[str, str]:
    """Titles by id; one that is gone has none. One statement, none where nothing is asked."""
    if not article_ids:
        return {}
    rows = await session.execute(select(Article.id, Article.title).where(Article.id.in_(article_ids)))
    return {row.id: row.title for row in rows}


async def told_of(uow: UnitOfWork, article_ids: Sequence[str]) -> list[tuple[str, str]]:
    """Title and summary of one or two articles, in their order and without those that are gone: a prepared statement each."""
    found = [await _TOLD_OF.rows(uow.session, {"article": article_id}) for article_id in article_ids]
    return [(title, summary) for rows in found for title, summary in rows]


async def versions(session: ReadSession, article_id: str, *, limit: int = 50) -> Sequence[ArticleVersion]:
    """What an article said before, newest first."""
    query = select(ArticleVersion).where(ArticleVersion.article_id == article_id).order_by(ArticleVersion.version.desc()).limit(limit)
    return (await session.scalars(query)).all()


@dataclass(frozen=True, slots=True)
class Counts:
    """What became of an article in front of people; `helped`, `waiting` and `came_back` are honest (`deflection.outcome`)."""

    shown: int = 0
    refused: int = 0
    helped: int = 0
    waiting: int = 0
    came_back: int = 0


@dataclass(frozen=True, slots=True)
class Shelf:
    """Which articles a list shows."""

    search: str = ""
    state: str = ""
    language: str = ""


async def page(session: ReadSession, shelf: Shelf, *, limit: int, offset: int = 0) -> Sequence[Article]:
    """Articles that fit, newest change first."""
    query = select(Article).order_by(Article.updated_at.desc(), Article.key, Article.language).limit(limit).offset(offset)
    if shelf.state:
        query = query.where(Article.state == shelf.state)
    if shelf.language:
        query = query.where(Article.language == shelf.language)
    if shelf.search:
        # SQLite's LIKE folds only Latin letters, so a Russian word is tried as typed, in lower case and capitalised.
        tried = dict.fromkeys((shelf.search, shelf.search.lower(), shelf.search[:1].upper() + shelf.search[1:].lower()))
        places = (Article.title, Article.key, Article.body)
        query = query.where(or_(*(place.icontains(word, autoescape=True) for place in places for word in tried)))
    return (await session.scalars(query)).all()


async def counts(session: ReadSession, *, now: datetime, article_ids: Sequence[str]) -> dict[str, Counts]:
    """What became of these articles in the last 90 days, by article id. Three statements."""
    said = (ArticleFeedback.at >= now - MEASURED, ArticleFeedback.article_id.in_(article_ids))
    totals = await session.execute(
        select(ArticleFeedback.article_id, ArticleFeedback.verdict, func.count())
        .where(*said, ArticleFeedback.verdict.in_(("shown", "refused")))
        .group_by(ArticleFeedback.article_id, ArticleFeedback.verdict)
    )
    found: dict[str, dict[str, int]] = {}
    for article_id, verdict, number in totals:
        found.setdefault(article_id, {})[verdict] = number
    helped = (*said, ArticleFeedback.verdict == "helped")
    thanks = await session.execute(
        select(ArticleFeedback.article_id, ArticleFeedback.contact_id, ArticleFeedback.at, Article.category_key)
        .join(Article, Article.id == ArticleFeedback.article_id)
        .where(*helped)
        .order_by(ArticleFeedback.at.desc())
        .limit(MOST)
    )
    people = select(ArticleFeedback.contact_id).where(*helped)
    requests = await session.execute(
        select(Ticket.contact_id, Ticket.opened_at, Ticket.category_key)
        .where(Ticket.contact_id.in_(people), Ticket.opened_at >= now - MEASURED)
        .order_by(Ticket.opened_at.desc())
        .limit(MOST)
    )
    later: dict[str, list[tuple[datetime, str | None]]] = {}
    for contact_id, opened_at, category in requests:
        later.setdefault(contact_id, []).append((opened_at, category))
    for article_id, contact_id, at, category in thanks:
        became = outcome(at, topic_of(category), later.get(contact_id, ()), now=now).value
        numbers = found.setdefault(article_id, {})
        numbers[became] = numbers.get(became, 0) + 1
    return {article_id: Counts(**numbers) for article_id, numbers in found.items()}
