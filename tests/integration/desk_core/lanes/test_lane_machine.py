"""Any sequence of putting, claiming, settling, failing, dying and replaying keeps what the queue promises, on both stores."""

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule, run_state_machine_as_test
from sqlalchemy import delete, select, update

from desk_core.kit.db import Database
from desk_core.lanes import queue
from desk_core.lanes.entities import DeadItem, Lane, WorkItem
from desk_core.lanes.queue import Lease, LeaseLost, Work
from tests.conftest import MONDAY
from tests.services import Stores

T = TypeVar("T")

LANES = ("tg:1", "mail:2", "sla:3")
PAST = datetime.fromisoformat("2020-01-01T00:00:00+00:00")


@dataclass
class Item:
    n: int
    run_at: datetime
    attempts: int = 0


@dataclass
class Line:
    """What the model knows of one lane."""

    items: list[Item] = field(default_factory=list)
    lease: Lease | None = None
    expired: bool = False

    @property
    def free(self) -> bool:
        return self.lease is None or self.expired


class LaneMachine(RuleBasedStateMachine):
    """Runs the real queue beside a model made of plain lists."""

    database: Database
    runner: asyncio.Runner

    @initialize()
    def begin(self) -> None:
        self.now = MONDAY
        self.lines = {lane: Line() for lane in LANES}
        self.lost: list[Lease] = []
        self.dead: dict[str, tuple[str, int]] = {}
        self.count = 0
        self._run(self._clear())

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(work)

    async def _clear(self) -> None:
        async with self.database.unit() as uow:
            for table in (Lane, WorkItem, DeadItem):
                await uow.execute(delete(table))

    def _held(self) -> list[str]:
        return [lane for lane, line in self.lines.items() if line.lease is not None]

    async def _in_hand(self, lane: str) -> tuple[Lease, list[Work]]:
        lease = self.lines[lane].lease
        assert lease is not None
        async with self.database.read() as session:
            return lease, await queue.head(session, lane, limit=10)

    def _handed_on(self, lane: str) -> None:
        self.lines[lane].lease, self.lines[lane].expired = None, False

    @rule(lane=st.sampled_from(LANES), delays=st.lists(st.integers(-5, 120), min_size=1, max_size=3))
    def put(self, lane: str, delays: list[int]) -> None:
        rows = []
        for delay in delays:
            self.count += 1
            item = Item(self.count, self.now + timedelta(seconds=delay))
            self.lines[lane].items.append(item)
            rows.append({"lane": lane, "kind": "k", "payload": {"n": item.n}, "run_at": item.run_at})

        async def work() -> None:
            async with self.database.unit() as uow:
                await queue.put_many(uow, rows)

        self._run(work())

    @rule(seconds=st.sampled_from([1, 30, 200, -10]))
    def time_passes_or_jumps_back(self, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)

    @rule(limit=st.integers(1, 3))
    def claim(self, limit: int) -> None:
        async def work() -> list[Lease]:
            async with self.database.unit() as uow:
                return await queue.claim(uow, now=self.now, limit=limit)

        leases = self._run(work())
        ready = [lane for lane, line in self.lines.items() if line.items and line.free and line.items[0].run_at <= self.now]
        claimed = {lease.lane for lease in leases}
        assert len(leases) == len(claimed) == min(limit, len(ready))
        assert claimed <= set(ready)
        waiting = [self.lines[lane].items[0].run_at for lane in ready if lane not in claimed]
        assert all(self.lines[lane].items[0].run_at <= other for lane in claimed for other in waiting)
        for lease in leases:
            line = self.lines[lease.lane]
            if line.lease is not None:
                self.lost.append(line.lease)
            line.lease, line.expired = lease, False

    @precondition(lambda self: self._held())
    @rule(data=st.data(), also=st.integers(0, 2))
    def settle(self, data: st.DataObject, also: int) -> None:
        lane = data.draw(st.sampled_from(self._held()))

        async def work() -> None:
            lease, heads = await self._in_hand(lane)
            async with self.database.unit() as uow:
                await queue.lock(uow, lease)
                await queue.settle(uow, lease, [head.id for head in heads[: 1 + also]])

        self._run(work())
        del self.lines[lane].items[: 1 + also]
        self._handed_on(lane)

    @precondition(lambda self: self._held())
    @rule(data=st.data(), wait=st.integers(0, 60), counted=st.booleans())
    def retry(self, data: st.DataObject, wait: int, counted: bool) -> None:
        lane = data.draw(st.sampled_from(self._held()))
        run_at = self.now + timedelta(seconds=wait)

        async def work() -> None:
            lease, heads = await self._in_hand(lane)
            async with self.database.unit() as uow:
                await queue.lock(uow, lease)
                await queue.retry(uow, lease, heads[0], run_at=run_at, error="later", counted=counted)

        self._run(work())
        head = self.lines[lane].items[0]
        head.run_at, head.attempts = run_at, head.attempts + counted
        self._handed_on(lane)

    @precondition(lambda self: self._held())
    @rule(data=st.data())
    def bury(self, data: st.DataObject) -> None:
        lane = data.draw(st.sampled_from(self._held()))

        async def work() -> str:
            lease, heads = await self._in_hand(lane)
            async with self.database.unit() as uow:
                await queue.lock(uow, lease)
                return await queue.bury(uow, lease, heads[0], now=self.now, reason="never works")

        self.dead[self._run(work())] = (lane, self.lines[lane].items.pop(0).n)
        self._handed_on(lane)

    @precondition(lambda self: self.dead)
    @rule(data=st.data())
    def replay(self, data: st.DataObject) -> None:
        dead_id = data.draw(st.sampled_from(sorted(self.dead)))

        async def work() -> None:
            async with self.database.unit() as uow:
                await queue.replay(uow, dead_id, now=self.now)

        self._run(work())
        lane, n = self.dead.pop(dead_id)
        self.lines[lane].items.append(Item(n, self.now))

    @precondition(lambda self: self._held())
    @rule(data=st.data(), settled=st.booleans())
    def crash(self, data: st.DataObject, settled: bool) -> None:
        """A worker dies, perhaps after it settled but before its commit; its lease runs out on the store's clock."""
        lane = data.draw(st.sampled_from(self._held()))

        async def dies() -> None:
            lease, heads = await self._in_hand(lane)
            async with self.database.unit() as uow:
                await queue.lock(uow, lease)
                await queue.settle(uow, lease, [head.id for head in heads[:1]])
                raise RuntimeError("killed before the commit")

        async def runs_out() -> None:
            async with self.database.unit() as uow:
                await uow.execute(update(Lane).where(Lane.key == lane).values(leased_until=PAST))

        if settled:
            with pytest.raises(RuntimeError):
                self._run(dies())
        self._run(runs_out())
        self.lines[lane].expired = True

    @precondition(lambda self: self._held())
    @rule(data=st.data())
    def release(self, data: st.DataObject) -> None:
        lane = data.draw(st.sampled_from(self._held()))
        lease = self.lines[lane].lease
        assert lease is not None

        async def work() -> None:
            async with self.database.unit() as uow:
                await queue.release(uow, lease)

        self._run(work())
        self._handed_on(lane)

    @rule(lane=st.sampled_from(LANES), delay=st.integers(0, 60))
    def set_timer(self, lane: str, delay: int) -> None:
        line = self.lines[lane]
        self.count += 1
        item = Item(self.count, self.now + timedelta(seconds=delay))

        async def work() -> None:
            async with self.database.unit() as uow:
                await queue.set_timer(uow, lane=lane, kind="k", payload={"n": item.n}, run_at=item.run_at)

        self._run(work())
        line.items = [item]
        self._forget(line)

    @rule(lane=st.sampled_from(LANES))
    def cancel(self, lane: str) -> None:
        async def work() -> None:
            async with self.database.unit() as uow:
                await queue.cancel(uow, lane)

        self._run(work())
        self.lines[lane].items = []
        self._forget(self.lines[lane])

    def _forget(self, line: Line) -> None:
        if line.lease is not None:
            self.lost.append(line.lease)
        line.lease, line.expired = None, False

    @precondition(lambda self: self.lost)
    @rule(data=st.data())
    def a_lost_lease_settles_nothing(self, data: st.DataObject) -> None:
        lease = data.draw(st.sampled_from(self.lost))

        async def work() -> None:
            async with self.database.unit() as uow:
                await queue.lock(uow, lease)

        with pytest.raises(LeaseLost):
            self._run(work())

    @invariant()
    def a_lane_has_a_row_exactly_while_it_has_items_and_waits_for_its_head(self) -> None:
        async def look() -> tuple[dict[str, datetime], dict[str, list[tuple[int, int]]]]:
            async with self.database.read() as session:
                rows = {row.key: row.ready_at for row in await session.execute(select(Lane.key, Lane.ready_at))}
                found: dict[str, list[tuple[int, int]]] = {}
                for row in await session.execute(select(WorkItem.lane, WorkItem.payload, WorkItem.attempts).order_by(WorkItem.id)):
                    found.setdefault(row.lane, []).append((row.payload["n"], row.attempts))
                return rows, found

        if not hasattr(self, "lines"):
            return
        rows, found = self._run(look())
        with_items = {lane: line for lane, line in self.lines.items() if line.items}
        assert rows == {lane: line.items[0].run_at for lane, line in with_items.items()}
        assert found == {lane: [(item.n, item.attempts) for item in line.items] for lane, line in with_items.items()}


def test_any_life_of_a_queue(store: str, stores: Stores, tmp_path: Path) -> None:
    """Not a coroutine: every step of the machine runs the loop to its end."""
    with asyncio.Runner() as runner:
        url = runner.run(stores.fresh(store))
        database = Database.connect(url)
        try:
            machine = type("Machine", (LaneMachine,), {"database": database, "runner": runner})
            run_state_machine_as_test(
                machine,
                settings=settings(
                    max_examples=25 if store == "sqlite" else 20,
                    stateful_step_count=30,
                    suppress_health_check=list(HealthCheck),
                ),
            )
        finally:
            runner.run(database.close())
            runner.run(stores.drop(url))
