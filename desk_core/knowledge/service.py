"""Articles are written, published and taken back here; what was said before is kept, and a running desk notices."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import select, update

from desk_core.catalogue.desk import REVISION
from desk_core.catalogue.entities import DeskSetting
from desk_core.kit.db import UnitOfWork
from desk_core.kit.errors import StaleWrite
from desk_core.kit.ids import new_id
from desk_core.knowledge.entities import Article, ArticleVersion

_NOT_KEY = re.compile(r"[^\w.-]+")


class State(StrEnum):
    DRAFT = "draft"
    REVIEW = "review"
    PUBLISHED = "published"


class Audience(StrEnum):
    PUBLIC = "public"
    INTERNAL = "internal"  # for operators; the bot never offers it


class Change(StrEnum):
    CREATED = "created"
    CHANGED = "changed"
    UNCHANGED = "unchanged"


@dataclass(frozen=True, slots=True)
class Sheet:
    """An article as somebody wrote it. `key` and `language` say which one it is."""

    key: str
    language: str
    title: str
    body: str
    summary: str = ""
    category: str | None = None
    keywords: tuple[str, ...] = ()
    audience: str = Audience.PUBLIC.value
    state: str | None = None  # as it is, a draft where there is none yet
    expires_on: date | None = None


def key_of(text: str) -> str:
    """The key that a title or a file name gives."""
    return _NOT_KEY.sub("-", text.strip().lower()).strip("-.")[:120]


def keywords_of(words: Iterable[str]) -> tuple[str, ...]:
    """What people call the thing: each once, none endless."""
    return tuple(dict.fromkeys(word for word in (" ".join(one.split())[:100] for one in words) if word))[:100]


def differs(article: Article, sheet: Sheet) -> bool:
    """Whether writing the sheet would change the article."""
    return _fields(sheet) != {name: getattr(article, name) for name in _fields(sheet)}


async def write(uow: UnitOfWork, sheet: Sheet, *, by: str, now: datetime, seen: int | None = None) -> tuple[Article, Change]:
    """Make the article what the sheet says, keeping what it said; raises `StaleWrite` when it is no longer the version that was seen."""
    article = await uow.scalar(select(Article).where(Article.key == sheet.key, Article.language == sheet.language).with_for_update())
    if article is None:
        fields = {"state": State.DRAFT.value, **_fields(sheet)}
        article = Article(id=new_id(), key=sheet.key, language=sheet.language, updated_at=now, updated_by=by, version=1, **fields)
        uow.add(article)
        await _notice(uow, now)
        return article, Change.CREATED
    if seen is not None and seen != article.version:
        raise StaleWrite(article=sheet.key)
    if not differs(article, sheet):
        return article, Change.UNCHANGED
    uow.add(
        ArticleVersion(
            article_id=article.id, version=article.version, title=article.title, body=article.body, by=article.updated_by or "",
            at=article.updated_at,
        )
    )  # fmt: skip
    for name, value in _fields(sheet).items():
        setattr(article, name, value)
    article.updated_at, article.updated_by, article.version = now, by, article.version + 1
    await _notice(uow, now)
    return article, Change.CHANGED


def _fields(sheet: Sheet) -> dict[str, object]:
    fields: dict[str, object] = {
        "title": sheet.title, "summary": sheet.summary, "body": sheet.body, "category_key": sheet.category,
        "keywords": list(sheet.keywords), "audience": sheet.audience, "expires_on": sheet.expires_on,
    }  # fmt: skip
    return fields if sheet.state is None else {**fields, "state": sheet.state}


async def _notice(uow: UnitOfWork, now: datetime) -> None:
    """Other processes look at the configuration's revision before they answer; the index of articles hangs on it."""
    await uow.execute(update(DeskSetting).where(DeskSetting.key == REVISION).values(updated_at=now))
