"""The race between settling a lane and putting into it, step by step, on a real PostgreSQL.

A lane that has items but no row, or a row that waits for the wrong moment, is asleep for ever: a message would be lost without a
trace. Two guards prevent it, and both are shown here to be needed. `settle` locks the lane in a statement of its own before it
reads what comes next; `put` touches the lane row even where it exists. Each interleaving runs with the real functions, which keep
the lane awake, and with a variant that lacks one guard, which is seen to put it to sleep.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

import pytest
from sqlalchemy import delete, exists, func, select, text, update
from sqlalchemy.dialects import postgresql

from desk_core.kit.clock import FakeClock
from desk_core.kit.db import Database, UnitOfWork
from desk_core.lanes import queue
from desk_core.lanes.entities import Lane, WorkItem
from desk_core.lanes.queue import Lease, LeaseLost

pytestmark = pytest.mark.parametrize("store", ["postgresql"], indirect=True)

LANE = "tg:1"

Settle = Callable[[UnitOfWork, Lease, Sequence[int]], Awaitable[None]]
Put = Callable[[UnitOfWork, datetime], Awaitable[None]]


async def settle(uow: UnitOfWork, lease: Lease, done: Sequence[int]) -> None:
    """What workers do."""
    await queue.lock(uow, lease)
    await queue.settle(uow, lease, done)


async def put(uow: UnitOfWork, now: datetime) -> None:
    """What channels do."""
    await queue.put(uow, lane=LANE, kind="inbound", payload={"n": 2}, run_at=now)


async def settle_without_locking(uow: UnitOfWork, lease: Lease, done: Sequence[int]) -> None:
    """Looks at the lease, but does not lock the lane."""
    if await uow.scalar(select(Lane.lease_token).where(Lane.key == lease.lane)) != lease.token:
        raise LeaseLost(lane=lease.lane)
    await queue.settle(uow, lease, done)


async def settle_in_one_statement(uow: UnitOfWork, lease: Lease, done: Sequence[int]) -> None:
    """Checks the lease, looks for what comes next and hands the lane on in combined statements, each with one snapshot."""
    await uow.execute(delete(WorkItem).where(WorkItem.id.in_(done)))
    upcoming = select(func.min(WorkItem.run_at)).where(WorkItem.lane == lease.lane).scalar_subquery()
    mine = (Lane.key == lease.lane) & (Lane.lease_token == lease.token)
    none_left = ~exists().where(WorkItem.lane == lease.lane)
    await uow.execute(delete(Lane).where(mine, none_left).execution_options(synchronize_session=False))
    await uow.execute(
        update(Lane).where(mine).values(ready_at=upcoming, leased_until=None, lease_token=None).execution_options(synchronize_session=False)
    )


async def put_without_touching(uow: UnitOfWork, now: datetime) -> None:
    """Leaves an existing lane row alone."""
    row = {"key": LANE, "ready_at": now}
    await uow.execute(postgresql.insert(queue.lanes).values(row).on_conflict_do_nothing(index_elements=["key"]))
    await uow.execute(queue.items.insert().values(lane=LANE, kind="inbound", payload={"n": 2}, run_at=now))


@dataclass(frozen=True)
class Scene:
    """A lane with one item in a worker's hands, and a moment at which a second message arrives."""

    database: Database
    lease: Lease
    first: int
    now: datetime

    async def somebody_waits_for_a_lock(self) -> None:
        """Return once a statement of this database is blocked by another transaction."""
        query = text("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'")
        async with asyncio.timeout(10):
            while True:
                async with self.database.read() as session:
                    if await session.scalar(query):
                        return
                await asyncio.sleep(0.01)

    async def first_done_or_blocked(self, task: asyncio.Task[None]) -> None:
        """Return once `task` has ended or a transaction waits for a lock."""
        blocked = asyncio.create_task(self.somebody_waits_for_a_lock())
        await asyncio.wait({task, blocked}, return_when=asyncio.FIRST_COMPLETED)
        blocked.cancel()
        await asyncio.gather(blocked, return_exceptions=True)

    async def settled_while_a_message_is_written(self, settle: Settle, put: Put = put) -> None:
        """A message is written and not yet committed; settling begins, and waits where it has to; the message commits."""

        async def settling() -> None:
            async with self.database.unit() as uow:
                await settle(uow, self.lease, [self.first])

        async with self.database.unit() as uow:
            await put(uow, self.now)
            task = asyncio.create_task(settling())
            await self.first_done_or_blocked(task)
        await asyncio.wait_for(task, 10)

    async def written_while_the_lane_is_given_up(self) -> None:
        """The lane is found empty and given up, not yet committed; a message arrives and waits; settling commits."""

        async def putting() -> None:
            async with self.database.unit() as uow:
                await put(uow, self.now)

        async with self.database.unit() as uow:
            await settle(uow, self.lease, [self.first])
            task = asyncio.create_task(putting())
            await self.first_done_or_blocked(task)
            assert not task.done()
        await asyncio.wait_for(task, 10)

    async def is_awake(self) -> bool:
        """Whether a worker can get at the message that arrived."""
        async with self.database.read() as session:
            waiting = (await session.scalars(select(WorkItem.payload).where(WorkItem.lane == LANE))).all()
        assert list(waiting) == [{"n": 2}]
        async with self.database.unit() as uow:
            return [lease.lane for lease in await queue.claim(uow, now=self.now, limit=10)] == [LANE]


@pytest.fixture
async def scene(database: Database, clock: FakeClock) -> Scene:
    async with database.unit() as uow:
        await queue.put(uow, lane=LANE, kind="inbound", payload={"n": 1}, run_at=clock.now())
    async with database.unit() as uow:
        [lease] = await queue.claim(uow, now=clock.now(), limit=1)
    async with database.read() as session:
        [work] = await queue.head(session, LANE)
    return Scene(database, lease, work.id, clock.now())


class TestAMessageWrittenWhileItsLaneIsSettled:
    async def test_is_handled_next(self, scene: Scene) -> None:
        await scene.settled_while_a_message_is_written(settle)
        assert await scene.is_awake()

    @pytest.mark.parametrize("broken", [settle_without_locking, settle_in_one_statement])
    async def test_would_sleep_for_ever_without_a_lock_in_a_statement_of_its_own(self, scene: Scene, broken: Settle) -> None:
        await scene.settled_while_a_message_is_written(broken)
        assert not await scene.is_awake()

    async def test_would_sleep_for_ever_if_the_real_lock_did_nothing(self, scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
        """The guard removed from the product itself: the same steps that keep the lane awake above now put it to sleep."""

        async def no_lock(uow: UnitOfWork, lease: Lease) -> None:
            return None

        monkeypatch.setattr(queue, "lock", no_lock)
        await scene.settled_while_a_message_is_written(settle)
        assert not await scene.is_awake()

    async def test_would_sleep_for_ever_if_putting_did_not_touch_the_lane(self, scene: Scene) -> None:
        await scene.settled_while_a_message_is_written(settle, put_without_touching)
        assert not await scene.is_awake()


class TestAMessageThatArrivesWhileItsLaneIsGivenUp:
    async def test_is_handled_next(self, scene: Scene) -> None:
        await scene.written_while_the_lane_is_given_up()
        assert await scene.is_awake()


class TestALaneTakenOverWhileItsOldWorkerSettles:
    async def test_the_old_worker_finds_its_lease_lost(self, scene: Scene) -> None:
        """The new lease is written, not yet committed, when the old worker comes to settle: it waits, looks again and gives way."""

        async def settling() -> None:
            async with scene.database.unit() as uow:
                await settle(uow, scene.lease, [scene.first])

        async with scene.database.unit() as uow:
            await uow.execute(update(Lane).where(Lane.key == LANE).values(lease_token="another worker"))
            task = asyncio.create_task(settling())
            await scene.somebody_waits_for_a_lock()
        with pytest.raises(LeaseLost):
            await asyncio.wait_for(task, 10)
