"""Two items whose writes wait for each other: the store ends one, and its writes are tried again; nothing is decided, or sent, anew."""

import asyncio

import pytest
from sqlalchemy import select, text

from desk_core.kit.clock import FakeClock
from desk_core.kit.db import Database, UnitOfWork
from desk_core.lanes import queue
from desk_core.lanes.entities import DeadItem, WorkItem
from desk_core.lanes.queue import Work
from desk_core.lanes.signal import LocalSignal
from desk_core.lanes.worker import Plan, Worker

pytestmark = [pytest.mark.parametrize("store", ["postgresql"], indirect=True), pytest.mark.timeout(60)]

LOCK = text("SELECT pg_advisory_xact_lock(:key)")


class Crossing:
    """Takes two locks, each lane in the other's order; the first time both hold their first before they ask for their second."""

    max_attempts = 1

    def __init__(self) -> None:
        self.decided: list[int] = []
        self.written: list[int] = []
        self._both = asyncio.Barrier(2)
        self._meetings = 0

    async def decide(self, work: Work) -> Plan:
        self.decided.append(work.payload["n"])
        return Plan(work.payload["n"])

    async def apply(self, uow: UnitOfWork, work: Work, plan: Plan) -> None:
        first, second = (1, 2) if plan.data == 1 else (2, 1)
        await uow.execute(LOCK, {"key": first})
        if self._meetings < 2:
            self._meetings += 1
            await self._both.wait()
        await uow.execute(LOCK, {"key": second})
        self.written.append(plan.data)

    async def buried(self, uow: UnitOfWork, work: Work, dead_id: str, reason: str) -> None:
        raise AssertionError(reason)


async def test_the_writes_are_tried_again(database: Database, clock: FakeClock, signal: LocalSignal) -> None:
    handler = Crossing()
    async with database.unit() as uow:
        for number in (1, 2):
            await queue.put(uow, lane=f"lane:{number}", kind="cross", payload={"n": number}, run_at=clock.now())
    workers = [Worker(database, handlers={"cross": handler}, clock=clock, signal=signal, concurrency=1) for _ in range(2)]
    await asyncio.gather(*(worker.drain() for worker in workers))
    assert sorted(handler.decided) == [1, 2], "nothing is decided twice"
    assert sorted(handler.written) == [1, 2]
    async with database.read() as session:
        assert list(await session.scalars(select(WorkItem.id))) == []
        assert list(await session.scalars(select(DeadItem.id))) == []
