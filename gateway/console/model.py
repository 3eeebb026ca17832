"""The page "Model": what the desk learned from, how well it reads, what thresholds would change, and the way back."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Request
from starlette.responses import RedirectResponse, Response

from desk_core.catalogue.form_use import ENOUGH, measured
from desk_core.context import Actor
from desk_core.kit.errors import DeskError
from desk_core.learning import service as corrections
from desk_core.people.permissions import Right
from gateway import learning
from gateway.auth.dependencies import require
from gateway.auth.sessions import Signed
from gateway.console.charts import Matrix, Reliability, what_if
from gateway.console.facts import slot_title
from gateway.console.frame import Frame
from models.artefact import ArtefactRefused
from models.evaluate import share_interval
from models.registry import Registry

router = APIRouter(prefix="/console/model", include_in_schema=False)

Supervisor = Annotated[Signed, Depends(require(Right.SEE_REPORTS))]
Administrator = Annotated[Signed, Depends(require(Right.MANAGE_DESK))]
MODEL, INTENT = "category", "intent"
FEW = 20
"""Examples of a category below which its figure is more chance than knowledge."""
LEAST = 100
"""Messages below which a matrix or a diagram would show noise."""
PERCENT = 100


@dataclass(frozen=True, slots=True)
class ClassRow:
    """One category: how much is known of it and how often it is found, with 95 % certainty."""

    title: str
    examples: int
    corrected: int
    found: int
    low: int
    high: int

    @property
    def few(self) -> bool:
        return self.examples < FEW


@dataclass(frozen=True, slots=True)
class VersionRow:
    """One published model."""

    version: str
    created_at: datetime
    rows: int
    accuracy: float
    current: bool


@router.get("")
async def model_page(request: Request, signed: Supervisor) -> Response:
    return await _page(await Frame.of(request, signed))


async def _page(frame: Frame, *, notice: str = "", status: int = 200) -> Response:
    registry, language = frame.desk.registry, frame.language
    async with frame.desk.database.read() as session:
        counts = await corrections.correction_counts(session)
        runs = await corrections.runs(session)
        asked = [use for use in await measured(session, frame.config) if use.answered]
    context: dict[str, Any] = {
        "here": "/console/settings/model", "notice": notice, "runs": [(run, _became(language, run.outcome.get(MODEL))) for run in runs],
        "waiting": any(run.state == corrections.WAITING for run in runs), "corrected": sum(counts.values()), "least": LEAST,
        "manifest": None, "challenger": None, "asked": [(use, slot_title(frame.config, use.slot, language)) for use in asked],
        "enough": ENOUGH, "intent": _intent(registry),
    }  # fmt: skip
    current = registry.current(MODEL)
    try:
        context |= {} if current is None else _figures(frame, current, counts)
        waiting = registry.challenger(MODEL)
        if waiting is not None:
            context["challenger"] = _became(language, registry.manifest(MODEL, waiting).get("comparison")) or waiting
    except ArtefactRefused:
        context["notice"] = learning.Altered(model=MODEL).said(language)
    return frame.render("model.html", context, status=status)


def _intent(registry: Registry) -> dict[str, Any] | None:
    """How well it is told what a turn wants; None where nothing is published or it cannot be read."""
    current = registry.current(INTENT)
    try:
        figures = registry.manifest(INTENT, current)["metrics"] if current else None
    except ArtefactRefused:
        return None
    if figures is None:
        return None
    low, high = share_interval(round(figures["accuracy"] * figures["rows"]), figures["rows"])
    return {"accuracy": figures["accuracy"], "low": low, "high": high, "rows": figures["rows"], "version": current}


def _figures(frame: Frame, current: str, counts: dict[str, int]) -> dict[str, Any]:
    registry, language = frame.desk.registry, frame.language
    manifest = registry.manifest(MODEL, current)
    held = registry.held(MODEL, current)
    figures = manifest["metrics"]
    low, high = share_interval(round(figures["accuracy"] * figures["rows"]), figures["rows"])
    classes = []
    for label, one in figures["classes"].items():
        least, most = share_interval(round(one["recall"] * one["rows"]), one["rows"])
        classes.append(
            ClassRow(
                frame.config.title(label, language), one["rows"], counts.get(label, 0),
                round(one["recall"] * PERCENT), round(least * PERCENT), round(most * PERCENT),
            )
        )  # fmt: skip
    titles = {label: frame.config.title(label, language) for label in manifest["classes"]}
    enough = held is not None and len(held.texts) >= LEAST
    return {
        "manifest": manifest,
        "figures": figures,
        "low": low,
        "high": high,
        "classes": sorted(classes, key=lambda row: (row.found, row.title)),
        "matrix": Matrix.of(held, titles) if held is not None and enough else None,
        "reliability": Reliability.of(held) if held is not None and enough else None,
        "what_if": what_if(held, act=manifest["thresholds"]["act"]) if held is not None and enough else (),
        "earlier": registry.before(MODEL),
        "versions": [_version(earlier, current=earlier["version"] == current) for earlier in registry.usable(MODEL)[:10]],
    }


def _version(manifest: dict[str, Any], *, current: bool) -> VersionRow:
    made = datetime.fromisoformat(manifest["created_at"])
    return VersionRow(manifest["version"], made, manifest["rows"], manifest["metrics"]["accuracy"], current)


def _became(language: str, comparison: dict[str, Any] | None) -> str:
    return learning.verdict_words(language, comparison) if comparison and "grounds" in comparison else ""


@router.post("/train")
async def train(request: Request, signed: Administrator) -> Response:
    """Ask for a training; the page tells when it is done."""
    frame = await Frame.of(request, signed)
    ctx = await frame.desk.context(getattr(request.state, "request_id", ""))
    try:
        async with frame.desk.database.unit() as uow:
            await corrections.ask_training(uow, ctx, by=Actor.of(signed.agent))
    except DeskError as refused:
        return await _page(frame, notice=refused.said(frame.language), status=refused.status)
    return RedirectResponse("/console/model", 303)


@router.post("/publish")
async def publish(request: Request, signed: Administrator, anyway: Annotated[str, Form(max_length=5)] = "") -> Response:
    """Put the challenger into use; where it lost, only with `anyway`."""
    frame = await Frame.of(request, signed)
    return await _act(frame, "publish", lambda: learning.publish(frame.desk.registry, MODEL, language=frame.language, anyway=bool(anyway)))


@router.post("/rollback")
async def rollback(request: Request, signed: Administrator) -> Response:
    """Return to the model before."""
    frame = await Frame.of(request, signed)
    return await _act(frame, "rollback", lambda: learning.roll_back(frame.desk.registry, MODEL))


async def _act(frame: Frame, act: str, carry_out: Any) -> Response:
    ctx = await frame.desk.context(getattr(frame.request.state, "request_id", ""))
    try:
        version = carry_out()
    except DeskError as refused:
        return await _page(frame, notice=refused.said(frame.language), status=refused.status)
    async with frame.desk.database.unit() as uow:
        state = "published" if act == "publish" else "returned"
        corrections.note_run(uow, ctx, act=act, state=state, by=Actor.of(frame.signed.agent), outcome={"version": version})
    return RedirectResponse("/console/model", 303)
