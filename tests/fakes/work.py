"""Handlers of lane work that write down what they did, and may be told to fail, wait or be slow."""

import asyncio
from collections import defaultdict
from collections.abc import Callable

from desk_core.kit.db import UnitOfWork
from desk_core.lanes.queue import Work
from desk_core.lanes.worker import Plan


class Recorder:
    """Handles every item by writing down its payload's `n`; `fail(work)` may raise, `gate` holds `decide` back until set."""

    def __init__(self, *, max_attempts: int = 3, fail: Callable[[Work], None] | None = None, gate: asyncio.Event | None = None) -> None:
        self.max_attempts = max_attempts
        self.done: dict[str, list[int]] = defaultdict(list)
        self.tried: list[tuple[str, int]] = []
        self.dead: list[tuple[str, int, str]] = []
        self.in_hand: set[str] = set()
        self.most_in_hand = 0
        self.overlaps: list[str] = []
        self.entered = asyncio.Event()
        self._fail = fail
        self._gate = gate

    async def decide(self, work: Work) -> Plan:
        if work.lane in self.in_hand:
            self.overlaps.append(work.lane)
        self.in_hand.add(work.lane)
        self.most_in_hand = max(self.most_in_hand, len(self.in_hand))
        self.entered.set()
        try:
            if self._gate is not None:
                await self._gate.wait()
            await asyncio.sleep(0)
            self.tried.append((work.lane, work.payload["n"]))
            if self._fail is not None:
                self._fail(work)
            return Plan(data=work.payload["n"])
        finally:
            self.in_hand.discard(work.lane)

    async def apply(self, uow: UnitOfWork, work: Work, plan: Plan) -> None:
        self.done[work.lane].append(plan.data)

    async def buried(self, uow: UnitOfWork, work: Work, dead_id: str, reason: str) -> None:
        self.dead.append((work.lane, work.payload["n"], reason))
