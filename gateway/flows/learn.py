"""Retraining as work: the training runs beside the worker, its lane only waits for it, and what became of it is written down once."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from typing import Any

import structlog

from desk_core.context import Context
from desk_core.kit.db import Database, UnitOfWork
from desk_core.kit.errors import DeskError
from desk_core.lanes.queue import Work
from desk_core.lanes.worker import Plan, Postpone
from desk_core.learning import service as learning
from desk_core.learning.entities import ModelRun
from desk_core.learning.service import WAITING, TrainingRunning
from models.retrain import Outcome

log = structlog.get_logger()

PATIENCE = 5.0
"""Seconds that a worker waits at a stretch: well within a lease, and short enough for a desk that is asked to end."""


class Retrain:
    """Trains for the run that an item names. A process that dies meanwhile leaves the run waiting, and the next worker begins anew."""

    max_attempts = 3

    def __init__(
        self, database: Database, *, context: Callable[[str], Awaitable[Context]], train: Callable[[], Awaitable[Mapping[str, Outcome]]]
    ) -> None:
        self._database, self._context, self._train = database, context, train
        self._tasks: dict[str, asyncio.Task[None]] = {}

    async def decide(self, work: Work) -> Plan:
        run_id = str(work.payload["run"])
        async with self._database.read() as session:
            run = await session.get(ModelRun, run_id)
        if run is None or run.state != WAITING:
            return Plan()
        if run_id not in self._tasks:
            self._tasks[run_id] = asyncio.create_task(self._carry_out(run_id))
        task = self._tasks[run_id]
        done, _running = await asyncio.wait({task}, timeout=PATIENCE)
        if not done:
            raise Postpone("training", after=timedelta(seconds=1), free=True)
        del self._tasks[run_id]
        try:
            task.result()
        except TrainingRunning as busy:
            raise Postpone("another training runs", after=timedelta(seconds=15), free=True) from busy
        return Plan()

    async def apply(self, uow: UnitOfWork, work: Work, plan: Plan) -> None:
        """The run is written down by the training itself, which may outlast a lease."""

    async def buried(self, uow: UnitOfWork, work: Work, dead_id: str, reason: str) -> None:
        ctx = await self._context("")
        await learning.end_run(uow, ctx, str(work.payload["run"]), state="failed", outcome={"error": reason})

    async def _carry_out(self, run_id: str) -> None:
        try:
            outcomes = await self._train()
        except TrainingRunning:
            raise
        except DeskError as error:
            await self._end(run_id, "failed", {"error": error.code, "reason": str(error.fields.get("reason", ""))})
            return
        told = {name: one.to_json() for name, one in outcomes.items()}
        await self._end(run_id, "published" if any(one.published for one in outcomes.values()) else "kept", told)

    async def _end(self, run_id: str, state: str, outcome: Mapping[str, Any]) -> None:
        ctx = await self._context("")
        async with self._database.unit() as uow:
            await learning.end_run(uow, ctx, run_id, state=state, outcome=outcome)
        log.info("learning.ended", run=run_id, state=state)
