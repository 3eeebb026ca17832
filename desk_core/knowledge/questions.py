"""Questions that people put to the articles: kept as they are asked, read for the board of gaps, judged by editors."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from sqlalchemy import func, select, update

from desk_core.catalogue.desk import REVISION
from desk_core.catalogue.entities import DeskSetting
from desk_core.conversations.entities import Conversation, Message
from desk_core.kit.db import ReadSession, UnitOfWork
from desk_core.kit.ids import new_id
from desk_core.knowledge.entities import Article, ArticleFeedback, ArticleQuestion
from desk_core.tickets.entities import Ticket

KEPT = 1_000  # characters of a question
LOOKED_BACK = timedelta(days=90)
MOST = 2_000  # questions that a board looks at, the latest
LEARNED = 5_000  # answers that the index learns from, the latest
JUDGED_AT_ONCE = 500
EACH = 10  # judged questions of one person that teach the order of articles, the latest


class Became(StrEnum):
    """What became of a question."""

    UNANSWERED = "unanswered"  # no article was sure enough to be offered
    OFFERED = "offered"  # something was offered, and nothing said of it
    REFUSED = "refused"
    HELPED = "helped"


class Looked(Protocol):
    """A search as the dialogue tells of it."""

    @property
    def text(self) -> str: ...
    @property
    def category(self) -> str | None: ...
    @property
    def shown(self) -> tuple[str, ...]: ...


async def keep(uow: UnitOfWork, conversation: Conversation, looked: Looked, language: str, *, ticket: Ticket | None, now: datetime) -> None:
    """Write a question down with what was offered."""
    uow.add(
        ArticleQuestion(
            id=new_id(), text=looked.text[:KEPT], language=language, category_key=looked.category, conversation_id=conversation.id,
            contact_id=conversation.contact_id, ticket_id=ticket.id if ticket else None, shown=list(looked.shown), opinions={},
            became=(Became.OFFERED if looked.shown else Became.UNANSWERED).value, at=now,
        )
    )  # fmt: skip


async def note_verdict(uow: UnitOfWork, *, conversation_id: str, contact_id: str, article_id: str, verdict: str, now: datetime) -> None:
    """Shown, helped or refused: kept for the article and for the question that it answered. Saying the same again changes nothing."""
    if verdict != "shown":
        latest = await uow.scalar(
            select(ArticleFeedback.verdict)
            .where(
                ArticleFeedback.contact_id == contact_id, ArticleFeedback.conversation_id == conversation_id,
                ArticleFeedback.article_id == article_id,
            )
            .order_by(ArticleFeedback.at.desc(), ArticleFeedback.id.desc())
            .limit(1)
        )  # fmt: skip
        if latest == verdict:
            return
    uow.add(
        ArticleFeedback(id=new_id(), article_id=article_id, conversation_id=conversation_id, contact_id=contact_id, verdict=verdict, at=now)
    )
    await became(uow, conversation_id=conversation_id, article_id=article_id, verdict=verdict)


async def became(uow: UnitOfWork, *, conversation_id: str, article_id: str, verdict: str) -> None:
    """Note what the person said of an article that their latest question was answered with."""
    if verdict not in (Became.HELPED, Became.REFUSED):
        return
    latest = await uow.scalar(
        select(ArticleQuestion)
        .where(ArticleQuestion.conversation_id == conversation_id)
        .order_by(ArticleQuestion.at.desc(), ArticleQuestion.id.desc())
        .limit(1)
    )
    if latest is None or article_id not in latest.shown:
        return
    latest.opinions = {**latest.opinions, article_id: verdict}
    if latest.became != Became.HELPED:
        latest.became = verdict


async def misled(uow: UnitOfWork, *, ticket_id: str, article_id: str) -> None:
    """Note an operator's word that an article does not answer what led to this request."""
    found = await uow.scalars(
        select(ArticleQuestion).where(ArticleQuestion.ticket_id == ticket_id).order_by(ArticleQuestion.at, ArticleQuestion.id).limit(50)
    )
    for question in found:
        if article_id in question.shown:
            question.opinions = {**question.opinions, article_id: Became.REFUSED.value}
            question.became = question.became if question.became == Became.HELPED else Became.REFUSED.value


async def belongs(uow: UnitOfWork, conversation_id: str, ticket_id: str, *, since: datetime) -> None:
    """What was asked before a request belongs to it."""
    await uow.execute(
        update(ArticleQuestion)
        .where(ArticleQuestion.conversation_id == conversation_id, ArticleQuestion.ticket_id.is_(None), ArticleQuestion.at > since)
        .values(ticket_id=ticket_id)
        .execution_options(synchronize_session=False)
    )


@dataclass(frozen=True, slots=True)
class Gap:
    """A question without a good answer, with the request that came of it."""

    id: str
    text: str
    language: str
    category: str | None
    became: str
    at: datetime
    contact_id: str
    ticket_id: str | None
    ticket_number: int | None
    ticket_status: str | None


async def gaps(session: ReadSession, *, now: datetime) -> list[Gap]:
    """The latest questions that were not answered, refused, or left for a request, and that nobody has judged; newest first."""
    left = (ArticleQuestion.became == Became.OFFERED) & ArticleQuestion.ticket_id.is_not(None)
    query = (
        select(ArticleQuestion, Ticket.number, Ticket.status)
        .outerjoin(Ticket, Ticket.id == ArticleQuestion.ticket_id)
        .where(
            ArticleQuestion.at >= now - LOOKED_BACK,
            ArticleQuestion.answer_id.is_(None),
            ArticleQuestion.dismissed.is_(False),
            ArticleQuestion.became.in_((Became.UNANSWERED, Became.REFUSED)) | left,
        )
        .order_by(ArticleQuestion.at.desc(), ArticleQuestion.id.desc())
        .limit(MOST)
    )
    return [
        Gap(row.id, row.text, row.language, row.category_key, row.became, row.at, row.contact_id, row.ticket_id, number, status)
        for row, number, status in await session.execute(query)
    ]


async def newest(session: ReadSession) -> tuple[object, ...]:
    """Changes whenever a question comes or is judged; what was made of the questions until then is still true while it stays."""
    kept = ArticleQuestion
    counted = func.count(kept.id), func.count(kept.answer_id), func.count(kept.id).filter(kept.dismissed)
    return tuple((await session.execute(select(*counted, func.max(kept.at), func.max(kept.judged_at)))).one())


async def judge(uow: UnitOfWork, ids: Collection[str], *, answer: Article | None, by: str, now: datetime) -> int:
    """Say which article should have answered these questions, or that they are no gap; how many were judged.

    The index of articles is built anew and finds the answer by these very words.
    """
    chosen = list(ids)[:JUDGED_AT_ONCE]
    values = {"answer_id": answer.id if answer else None, "dismissed": answer is None, "judged_by": by, "judged_at": now}
    found = await uow.execute(
        update(ArticleQuestion).where(ArticleQuestion.id.in_(chosen)).values(values).execution_options(synchronize_session=False)
    )
    if answer is not None:
        await uow.execute(update(DeskSetting).where(DeskSetting.key == REVISION).values(updated_at=now))
    return int(getattr(found, "rowcount", len(chosen)))


async def judged_last(session: ReadSession, *, by: str) -> list[str]:
    """The questions of the latest judgement of a person, so that it can be taken back."""
    at = select(func.max(ArticleQuestion.judged_at)).where(ArticleQuestion.judged_by == by).scalar_subquery()
    query = select(ArticleQuestion.id).where(ArticleQuestion.judged_by == by, ArticleQuestion.judged_at == at).order_by(ArticleQuestion.id)
    return list(await session.scalars(query.limit(JUDGED_AT_ONCE)))


async def answers(session: ReadSession, ticket_ids: Collection[str], *, limit: int = 20) -> list[str]:
    """What operators wrote to the people of these requests, of those that were solved; the latest first."""
    query = (
        select(Message.text)
        .join(Ticket, Ticket.id == Message.ticket_id)
        .where(
            Message.ticket_id.in_(list(ticket_ids)[:JUDGED_AT_ONCE]),
            Message.direction == "outbound",
            Message.author_kind == "agent",
            Ticket.status.in_(("resolved", "closed")),
        )
        .order_by(Message.at.desc(), Message.id.desc())
        .limit(limit)
    )
    return list(await session.scalars(query))


async def unjudge(uow: UnitOfWork, ids: Collection[str], *, now: datetime) -> None:
    """Take a judgement back."""
    values = {"answer_id": None, "dismissed": False, "judged_by": None, "judged_at": now}
    await uow.execute(
        update(ArticleQuestion).where(ArticleQuestion.id.in_(list(ids)[:JUDGED_AT_ONCE])).values(values)
        .execution_options(synchronize_session=False)
    )  # fmt: skip
    await uow.execute(update(DeskSetting).where(DeskSetting.key == REVISION).values(updated_at=now))


async def judged(session: ReadSession, *, limit: int) -> Sequence[ArticleQuestion]:
    """Questions of which people said whether an article helped, the latest first; of one person a few, so that none decides for all."""
    latest = ArticleQuestion.at.desc(), ArticleQuestion.id.desc()
    place = func.row_number().over(partition_by=ArticleQuestion.contact_id, order_by=latest).label("place")
    placed = select(ArticleQuestion.id, place).where(ArticleQuestion.became.in_((Became.HELPED, Became.REFUSED))).subquery()
    query = (
        select(ArticleQuestion).join(placed, placed.c.id == ArticleQuestion.id).where(placed.c.place <= EACH).order_by(*latest).limit(limit)
    )
    return (await session.scalars(query)).all()


async def answered(session: ReadSession) -> dict[str, tuple[str, ...]]:
    """Article id -> the questions that editors say it answers, the latest first."""
    rows: Sequence[tuple[str | None, str]] = [
        (row.answer_id, row.text)
        for row in await session.execute(
            select(ArticleQuestion.answer_id, ArticleQuestion.text)
            .where(ArticleQuestion.answer_id.is_not(None))
            .order_by(ArticleQuestion.judged_at.desc(), ArticleQuestion.id.desc())
            .limit(LEARNED)
        )
    ]
    found: dict[str, list[str]] = {}
    for article_id, text in rows:
        if article_id is not None:
            found.setdefault(article_id, []).append(text)
    return {article_id: tuple(texts) for article_id, texts in found.items()}
