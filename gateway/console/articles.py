"""Articles: the list with what became of each, the editor with its versions, and how the bot would answer a question."""

import asyncio
import re
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Query, Request
from starlette.responses import RedirectResponse, Response

from desk_core.kit.errors import DeskError, Invalid
from desk_core.kit.i18n import LANGUAGES
from desk_core.kit.i18n import gettext_noop as _
from desk_core.knowledge import questions, repository, service
from desk_core.knowledge.entities import Article
from desk_core.knowledge.repository import Counts, Shelf
from desk_core.knowledge.service import Audience, Sheet, State
from desk_core.people import repository as people
from desk_core.people.permissions import Right
from gateway.auth.dependencies import CurrentAgent, require
from gateway.auth.sessions import Signed
from gateway.certainty import admitted
from gateway.console.frame import Frame
from gateway.console.settings import SPEECH
from gateway.gaps import cluster_of, draft
from gateway.web.paths import Ident
from models.ranking import NAMES
from models.retrieval import ABSTAIN, IndexedArticle, Ranked

router = APIRouter(prefix="/console/articles", include_in_schema=False)

Editor = Annotated[Signed, Depends(require(Right.EDIT_ARTICLES))]
PAGE = 50
STATES = {State.DRAFT.value: _("Draft"), State.REVIEW.value: _("In review"), State.PUBLISHED.value: _("Published")}
AUDIENCES = {Audience.PUBLIC.value: _("Everybody"), Audience.INTERNAL.value: _("Operators only")}


class ArticleExists(DeskError):
    """Two people, or one twice, began the same article."""

    code, status, text = "article_exists", 409, _("There is already an article with this key in this language.")


@dataclass(frozen=True, slots=True)
class Placed:
    """An article with its chance and the signals behind its place."""

    article: IndexedArticle
    found: Ranked

    @property
    def chance(self) -> float:
        return admitted(self.found.chance)

    @property
    def signals(self) -> dict[str, float]:
        return dict(zip(NAMES, self.found.signals, strict=True))


@dataclass(frozen=True, slots=True)
class Answer:
    """How the bot reads a question, and what it would offer: those ranks whose chance reaches the floor."""

    language: str
    category: str | None
    ranks: tuple[Placed, ...]
    opinions: int  # that taught the order; none while it is the shipped one
    floor: float = ABSTAIN

    @property
    def abstains(self) -> bool:
        return not self.ranks or self.ranks[0].chance < self.floor


@router.get("")
async def articles(
    request: Request, signed: CurrentAgent, q: str = "", state: str = "", written: str = "", page: Annotated[int, Query(ge=1, le=1000)] = 1
) -> Response:
    frame = await Frame.of(request, signed)
    shelf = Shelf(q.strip()[:100], state if state in STATES else "", written if written in LANGUAGES else "")
    async with frame.desk.database.read() as session:
        found = await repository.page(session, shelf, limit=PAGE + 1, offset=(page - 1) * PAGE)
        counts = await repository.counts(session, now=frame.desk.clock.now(), article_ids=[one.id for one in found])
    context = {"found": found[:PAGE], "counts": counts, "nothing": Counts(), "shelf": shelf, "number": page, "more": len(found) > PAGE}
    return _render(frame, "articles.html", context)


@router.get("/try")
async def try_out(request: Request, signed: CurrentAgent, q: str = "") -> Response:
    """Type a question, see what the bot would offer and why."""
    frame = await Frame.of(request, signed)
    text = q.strip()[:1000]
    answer = await _answer(frame, text) if text else None
    return _render(frame, "articles_try.html", {"asked": text, "answer": answer})


async def _answer(frame: Frame, text: str) -> Answer:
    understanding = frame.desk.understanding
    tools, index = await understanding.tools(frame.config), await understanding.shelf(frame.config)

    def look() -> Answer:
        language = tools.detect_language(text)[0] or frame.config.language
        category = tools.triage(text, language=language).category
        ranks = tuple(Placed(index.article_at(found.row), found) for found in index.rank(text, language, category))
        return Answer(language, category, ranks, index.blend.opinions)

    return await asyncio.to_thread(look)


@router.get("/new")
async def new(request: Request, signed: Editor, written: str = "", gap: Ident | None = None) -> Response:
    """An empty sheet, or a draft for the questions that belong to `gap`, for its author to review."""
    frame = await Frame.of(request, signed)
    language = written if written in LANGUAGES else frame.config.language
    sheet = Sheet(key="", language=language, title="", body="")
    if gap is not None and (cluster := cluster_of(await frame.desk.understanding.board.clusters(), gap)):
        async with frame.desk.database.read() as session:
            answers = await questions.answers(session, cluster.ticket_ids)
            names = await people.names(session, contact_ids=cluster.contact_ids)
        sheet = draft(cluster, answers, names, key=service.key_of(gap[:8]))
    return _edit(frame, None, sheet)


@router.get("/{article_id}")
async def article(request: Request, signed: CurrentAgent, article_id: Ident, saved: str = "") -> Response:
    frame = await Frame.of(request, signed)
    async with frame.desk.database.read() as session:
        found = await repository.article(session, article_id)
        versions = await repository.versions(session, article_id)
        pairs = [one for one in await repository.articles(session, key=found.key) if one.id != found.id]
        counts = (await repository.counts(session, now=frame.desk.clock.now(), article_ids=[found.id])).get(found.id, Counts())
    return _edit(frame, found, _sheet_of(found), versions=versions, pairs=pairs, count=counts, saved=saved)


@dataclass
class Typed:
    """What the editor's form holds."""

    title: Annotated[str, Form(max_length=300)] = ""
    body: Annotated[str, Form(max_length=50_000)] = ""
    summary: Annotated[str, Form(max_length=500)] = ""
    key: Annotated[str, Form(max_length=120)] = ""
    language: Annotated[str, Form(max_length=10)] = ""
    category: Annotated[str, Form(max_length=120)] = ""
    keywords: Annotated[str, Form(max_length=5000)] = ""
    audience: Annotated[str, Form(max_length=20)] = Audience.PUBLIC.value
    expires: Annotated[str, Form(max_length=10)] = ""
    version: Annotated[int, Form()] = 0
    act: Annotated[str, Form(max_length=20)] = "save"


@router.post("")
async def create(request: Request, signed: Editor, typed: Annotated[Typed, Depends()]) -> Response:
    return await _keep(request, signed, typed, None)


@router.post("/{article_id}")
async def change(request: Request, signed: Editor, article_id: Ident, typed: Annotated[Typed, Depends()]) -> Response:
    frame = await Frame.of(request, signed)
    async with frame.desk.database.read() as session:
        known = await repository.article(session, article_id)
    return await _keep(request, signed, typed, known)


async def _keep(request: Request, signed: Signed, typed: Typed, known: Article | None) -> Response:
    """Store, publish, take back, or only show how it would look; what does not fit comes back with every word of it."""
    frame = await Frame.of(request, signed)
    sheet, errors = _sheet(frame, typed, known)
    if errors or typed.act == "preview":
        return _edit(frame, known, sheet, errors=errors, preview=not errors, seen=typed.version, status=422 if errors else 200)
    desk = frame.desk
    seen = (typed.version or known.version) if known else None
    async with desk.database.unit() as uow:
        kept, change = await service.write(uow, sheet, by=signed.agent.name, now=desk.clock.now(), seen=seen)
        if known is None and change is not service.Change.CREATED:
            raise ArticleExists(key=sheet.key)
    return RedirectResponse(f"/console/articles/{kept.id}?saved={typed.act if typed.act in ('publish', 'withdraw') else 'save'}", 303)


def _sheet(frame: Frame, typed: Typed, known: Article | None) -> tuple[Sheet, dict[str, str]]:
    errors: dict[str, str] = {}
    title = " ".join(typed.title.split())
    key = known.key if known else service.key_of(typed.key or title)
    language = known.language if known else typed.language
    expires: date | None = None
    if not title or not key:
        errors["title"] = _("An article needs a title.")
    if not typed.body.strip():
        errors["body"] = _("An article needs a text.")
    if typed.expires:
        try:
            expires = date.fromisoformat(typed.expires)
        except ValueError:
            errors["expires"] = _("A day is written as 2027-01-31.")
    if language not in LANGUAGES or typed.audience not in AUDIENCES or (typed.category and typed.category not in frame.config.categories):
        raise Invalid(reason=_("This is none of the choices."))
    state = {"publish": State.PUBLISHED, "withdraw": State.DRAFT, "review": State.REVIEW}.get(typed.act)
    sheet = Sheet(
        key=key, language=language, title=title, body=typed.body.replace("\r\n", "\n").strip(), summary=" ".join(typed.summary.split()),
        category=typed.category or None, keywords=service.keywords_of(re.split(r"[\n,;]", typed.keywords)), audience=typed.audience,
        state=state.value if state else None, expires_on=expires,
    )  # fmt: skip
    return sheet, errors


def _sheet_of(article: Article) -> Sheet:
    return Sheet(
        key=article.key, language=article.language, title=article.title, body=article.body, summary=article.summary,
        category=article.category_key, keywords=tuple(article.keywords), audience=article.audience, state=article.state,
        expires_on=article.expires_on,
    )  # fmt: skip


def _edit(frame: Frame, article: Article | None, sheet: Sheet, *, status: int = 200, seen: int = 0, **more: Any) -> Response:
    context = {
        "article": article, "sheet": sheet, "seen": seen or (article.version if article else 0), "versions": (), "pairs": (), "count": None,
        "errors": {}, "preview": False, "saved": "", "expired": _expired(frame, sheet), **more,
    }  # fmt: skip
    return _render(frame, "article.html", context, status=status)


def _expired(frame: Frame, sheet: Sheet) -> bool:
    return sheet.expires_on is not None and sheet.expires_on < frame.config.today(frame.desk.clock.now())


def _render(frame: Frame, name: str, context: dict[str, Any], *, status: int = 200) -> Response:
    categories = [(key, frame.config.title(key, frame.language)) for key, one in frame.config.categories.items() if one.parent is not None]
    around = {
        "states": STATES, "audiences": AUDIENCES, "speech": SPEECH, "categories": categories,
        "today": frame.config.today(frame.desk.clock.now()), "may_edit": frame.signed.may(Right.EDIT_ARTICLES),
    }  # fmt: skip
    return frame.render(name, {**around, **context}, status=status)
