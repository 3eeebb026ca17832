"""Verbs of learning: keep a correction, ask for a training, write down what became of it."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import func, select, update

from desk_core.context import Actor, Context
from desk_core.conversations.entities import Message
from desk_core.kit.db import ReadSession, UnitOfWork
from desk_core.kit.errors import DeskError
from desk_core.kit.i18n import gettext_noop as _
from desk_core.kit.ids import new_id
from desk_core.lanes import queue
from desk_core.learning.entities import Correction, ModelRun
from desk_core.tickets.entities import Ticket

RETRAIN = "retrain"
LANE = "training"
WAITING = "waiting"
MOST = 5000
"""Corrections that training reads, the latest."""
LONGEST = 5000
"""Characters kept of each."""


class TrainingRunning(DeskError):
    """One training at a time; whoever asks for a second is told."""

    code, status, text = "training_running", 409, _("A training is already running. Please wait until it is done.")


async def correct(uow: UnitOfWork, ctx: Context, ticket: Ticket, *, kind: str, before: str | None, after: str, by: Actor) -> None:
    """Keep what an operator changed as an example to learn from; the bot's and the person's own changes teach nothing."""
    if by.kind != "agent":
        return
    said = await uow.scalar(
        select(Message.text)
        .where(Message.ticket_id == ticket.id, Message.direction == "inbound", Message.text != "")
        .order_by(Message.at, Message.id)
        .limit(1)
    )
    uow.add(
        Correction(
            id=new_id(), kind=kind, ticket_id=ticket.id, language=ticket.language, text=(said or ticket.subject)[:LONGEST], before=before,
            after=after, agent_id=by.id, at=ctx.now,
        )
    )  # fmt: skip


async def corrections(session: ReadSession, *, kind: str = "category") -> list[Correction]:
    """The last word of the desk's people on each request, oldest first."""
    query = select(Correction).where(Correction.kind == kind).order_by(Correction.at.desc(), Correction.id.desc()).limit(MOST)
    last: dict[str, Correction] = {}
    for row in await session.scalars(query):
        last.setdefault(row.ticket_id, row)
    return list(last.values())[::-1]


async def correction_counts(session: ReadSession, *, kind: str = "category") -> dict[str, int]:
    """Label -> how often operators chose it."""
    rows = await session.execute(select(Correction.after, func.count()).where(Correction.kind == kind).group_by(Correction.after))
    return {row.after: row[1] for row in rows}


async def ask_training(uow: UnitOfWork, ctx: Context, *, by: Actor) -> ModelRun:
    """Put a training into its lane; raises `TrainingRunning` while another one waits or runs."""
    if await uow.scalar(select(ModelRun.id).where(ModelRun.state == WAITING).limit(1)):
        raise TrainingRunning
    run = note_run(uow, ctx, act="train", state=WAITING, by=by)
    await queue.put(uow, lane=LANE, kind=RETRAIN, payload={"run": run.id, "request_id": ctx.request_id}, run_at=ctx.now)
    ctx.wake(uow)
    return run


def note_run(uow: UnitOfWork, ctx: Context, *, act: str, state: str, by: Actor, outcome: Mapping[str, Any] | None = None) -> ModelRun:
    """Write down who did what to the models."""
    run = ModelRun(
        id=new_id(), act=act, state=state, asked_by=by.name, asked_at=ctx.now, ended_at=None if state == WAITING else ctx.now,
        outcome=dict(outcome or {}),
    )  # fmt: skip
    uow.add(run)
    return run


async def end_run(uow: UnitOfWork, ctx: Context, run_id: str, *, state: str, outcome: Mapping[str, Any]) -> None:
    """Say what became of a training; the first word counts."""
    ended = update(ModelRun).where(ModelRun.id == run_id, ModelRun.state == WAITING)
    await uow.execute(ended.values(state=state, ended_at=ctx.now, outcome=dict(outcome)))


async def runs(session: ReadSession, *, limit: int = 20) -> Sequence[ModelRun]:
    """The latest first."""
    return (await session.scalars(select(ModelRun).order_by(ModelRun.asked_at.desc(), ModelRun.id.desc()).limit(limit))).all()
