"""The board of gaps: what people asked and no article answered, and what an editor makes of it."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Query, Request
from starlette.responses import RedirectResponse, Response

from desk_core.kit.errors import Invalid
from desk_core.kit.i18n import gettext_noop as _
from desk_core.knowledge import questions, repository
from desk_core.people.permissions import Right
from gateway.auth.dependencies import CurrentAgent, require
from gateway.auth.sessions import Signed
from gateway.console.frame import Frame
from gateway.console.settings import SPEECH
from gateway.gaps import GapCluster, cluster_of
from gateway.web.paths import Ident
from models.retrieval import IndexedArticle

router = APIRouter(prefix="/console/gaps", include_in_schema=False)

Editor = Annotated[Signed, Depends(require(Right.EDIT_ARTICLES))]
PAGE = 20
EXAMPLES = 4
DONE = {
    "answer": _("Noted. The bot finds that article by these words now."),
    "dismiss": _("Taken off the board."),
    "undo": _("Taken back."),
}


@dataclass(frozen=True, slots=True)
class Shown:
    """A cluster with the articles that come nearest to it."""

    cluster: GapCluster
    near: tuple[IndexedArticle, ...]


@router.get("")
async def board(request: Request, signed: CurrentAgent, page: Annotated[int, Query(ge=1, le=1000)] = 1, done: str = "") -> Response:
    frame = await Frame.of(request, signed)
    found = await frame.desk.understanding.board.clusters()
    on_page = found[(page - 1) * PAGE : page * PAGE]
    context = {
        "shown_gaps": await _with_articles(frame, on_page), "number": page, "more": len(found) > page * PAGE, "speech": SPEECH,
        "asked": sum(len(one.questions) for one in found), "count": len(found), "done": DONE.get(done, ""),
        "undoable": done in ("answer", "dismiss"),
        "may_edit": signed.may(Right.EDIT_ARTICLES), "examples": EXAMPLES,
    }  # fmt: skip
    return frame.render("gaps.html", context)


async def _with_articles(frame: Frame, clusters: Sequence[GapCluster]) -> list[Shown]:
    index = await frame.desk.understanding.shelf(frame.config)

    def look() -> list[Shown]:
        return [
            Shown(one, tuple(index.article_at(ranked.row) for ranked in index.rank(one.questions[0].text, one.questions[0].language)[:6]))
            for one in clusters
        ]

    return await asyncio.to_thread(look)


@router.post("/{question_id}")
async def judge(
    request: Request,
    signed: Editor,
    question_id: Ident,
    act: Annotated[str, Form(max_length=20)],
    article: Annotated[str, Form(max_length=40)] = "",
) -> Response:
    """All questions of a cluster at once: which article should have answered, or that they are no gap."""
    frame = await Frame.of(request, signed)
    cluster = cluster_of(await frame.desk.understanding.board.clusters(), question_id)
    if cluster is not None:
        if act not in ("answer", "dismiss") or (act == "answer" and not article):
            raise Invalid(reason=_("This is none of the choices."))
        async with frame.desk.database.read() as session:
            answer = await repository.article(session, article) if act == "answer" else None
        async with frame.desk.database.unit() as uow:
            ids = [one.id for one in cluster.questions]
            await questions.judge(uow, ids, answer=answer, by=signed.agent.name, now=frame.desk.clock.now())
    return RedirectResponse(f"/console/gaps?done={act}", 303)


@router.post("")
async def undo(request: Request, signed: Editor) -> Response:
    """Take one's latest judgement back."""
    frame = await Frame.of(request, signed)
    async with frame.desk.database.read() as session:
        ids = await questions.judged_last(session, by=signed.agent.name)
    async with frame.desk.database.unit() as uow:
        await questions.unjudge(uow, ids, now=frame.desk.clock.now())
    return RedirectResponse("/console/gaps?done=undo", 303)
