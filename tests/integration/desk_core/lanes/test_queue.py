"""The queue on both stores: order within a lane, parallel across lanes, and nothing lost when a worker is slow, wrong or dead."""

import asyncio
from datetime import datetime, timedelta

import pytest
from sqlalchemy import func, select, update

from desk_core.kit.clock import FakeClock
from desk_core.kit.db import Database, UnitOfWork
from desk_core.kit.errors import NotFound
from desk_core.lanes import queue
from desk_core.lanes.entities import DeadItem, Lane, WorkItem
from desk_core.lanes.queue import Lease, LeaseLost, Work
from desk_core.lanes.signal import LocalSignal
from desk_core.lanes.worker import Postpone, Worker
from tests.fakes.work import Recorder

KIND = "record"


async def put(database: Database, lane: str, *numbers: int, at: datetime) -> None:
    async with database.unit() as uow:
        for n in numbers:
            await queue.put(uow, lane=lane, kind=KIND, payload={"n": n}, run_at=at)


async def claim(database: Database, *, now: datetime, limit: int = 10, prefix: str | None = None) -> list[Lease]:
    async with database.unit() as uow:
        return await queue.claim(uow, now=now, limit=limit, prefix=prefix)


async def heads(database: Database, lane: str) -> list[Work]:
    async with database.read() as session:
        return await queue.head(session, lane, limit=100)


async def numbers(database: Database, lane: str) -> list[int]:
    return [work.payload["n"] for work in await heads(database, lane)]


async def let_leases_run_out(database: Database) -> None:
    """As if more than a lease had passed on the store's clock."""
    async with database.unit() as uow:
        await uow.execute(
            update(Lane).where(Lane.leased_until.is_not(None)).values(leased_until=datetime.fromisoformat("2020-01-01T00:00Z"))
        )


async def settle(database: Database, lease: Lease, *done: Work) -> None:
    async with database.unit() as uow:
        await queue.lock(uow, lease)
        await queue.settle(uow, lease, [work.id for work in done])


async def check_invariant(database: Database) -> None:
    """A lane row exists exactly while the lane has items, and its `ready_at` is its head's `run_at`."""
    async with database.read() as session:
        first = select(func.min(WorkItem.id)).group_by(WorkItem.lane)
        expected = {
            row.lane: row.run_at for row in await session.execute(select(WorkItem.lane, WorkItem.run_at).where(WorkItem.id.in_(first)))
        }
        found = {row.key: row.ready_at for row in await session.execute(select(Lane.key, Lane.ready_at))}
    assert found == expected


class TestPut:
    async def test_keeps_the_order_in_which_items_were_put(self, database: Database, clock: FakeClock) -> None:
        await put(database, "a", 1, 2, at=clock.now())
        await put(database, "a", 3, at=clock.now() - timedelta(hours=1))
        assert await numbers(database, "a") == [1, 2, 3]
        await check_invariant(database)

    async def test_of_many_at_once_keeps_order_in_every_lane(self, database: Database, clock: FakeClock) -> None:
        rows = [{"lane": f"lane-{n % 3}", "kind": KIND, "payload": {"n": n}, "run_at": clock.now()} for n in range(30)]
        async with database.unit() as uow:
            await queue.put_many(uow, rows)
        for lane in range(3):
            assert await numbers(database, f"lane-{lane}") == list(range(lane, 30, 3))
        await check_invariant(database)

    async def test_of_a_transaction_that_fails_leaves_nothing(self, database: Database, clock: FakeClock) -> None:
        async def fails() -> None:
            async with database.unit() as uow:
                await queue.put(uow, lane="a", kind=KIND, payload={"n": 1}, run_at=clock.now())
                raise RuntimeError("the effects of this message could not be written")

        with pytest.raises(RuntimeError):
            await fails()
        assert await numbers(database, "a") == []
        assert await claim(database, now=clock.now()) == []

    async def test_never_gives_an_id_again_so_order_survives_an_empty_lane(self, database: Database, clock: FakeClock) -> None:
        await put(database, "a", 1, at=clock.now())
        [lease] = await claim(database, now=clock.now())
        [first] = await heads(database, "a")
        await settle(database, lease, first)
        await put(database, "a", 2, at=clock.now())
        [second] = await heads(database, "a")
        assert second.id > first.id


class TestClaim:
    async def test_takes_ready_lanes_only(self, database: Database, clock: FakeClock) -> None:
        await put(database, "now", 1, at=clock.now())
        await put(database, "later", 1, at=clock.now() + timedelta(minutes=1))
        assert [lease.lane for lease in await claim(database, now=clock.now())] == ["now"]
        clock.advance(timedelta(minutes=1))
        assert [lease.lane for lease in await claim(database, now=clock.now())] == ["later"]

    async def test_never_returns_a_leased_lane(self, database: Database, clock: FakeClock) -> None:
        await put(database, "a", 1, 2, at=clock.now())
        assert len(await claim(database, now=clock.now())) == 1
        assert await claim(database, now=clock.now() + timedelta(days=1)) == []

    async def test_takes_the_longest_waiting_lanes_first_and_no_more_than_asked(self, database: Database, clock: FakeClock) -> None:
        for age in (1, 5, 3, 4, 2):
            await put(database, f"waits-{age}", 1, at=clock.now() - timedelta(seconds=age))
        leases = await claim(database, now=clock.now(), limit=2)
        assert {lease.lane for lease in leases} == {"waits-5", "waits-4"}

    async def test_can_be_kept_to_lanes_of_one_kind(self, database: Database, clock: FakeClock) -> None:
        await put(database, "sla:1", 1, at=clock.now())
        await put(database, "slack", 1, at=clock.now())
        assert [lease.lane for lease in await claim(database, now=clock.now(), prefix="sla:")] == ["sla:1"]

    async def test_by_many_workers_at_once_gives_each_lane_to_one(self, database: Database, clock: FakeClock) -> None:
        for lane in range(40):
            await put(database, f"lane-{lane}", 1, at=clock.now())
        taken = await asyncio.gather(*(claim(database, now=clock.now(), limit=7) for _ in range(8)))
        assert all(len(leases) <= 7 for leases in taken)
        lanes = [lease.lane for leases in taken for lease in leases]
        assert len(lanes) == len(set(lanes))
        while leases := await claim(database, now=clock.now(), limit=7):
            lanes.extend(lease.lane for lease in leases)
        assert sorted(lanes) == sorted(f"lane-{lane}" for lane in range(40))


class TestAnExpiredLease:
    async def test_can_be_claimed_by_another(self, database: Database, clock: FakeClock) -> None:
        await put(database, "a", 1, at=clock.now())
        [old] = await claim(database, now=clock.now())
        await let_leases_run_out(database)
        [new] = await claim(database, now=clock.now())
        assert (new.lane, new.token != old.token) == ("a", True)

    async def test_cannot_settle_once_another_has_the_lane(self, database: Database, clock: FakeClock) -> None:
        await put(database, "a", 1, at=clock.now())
        [old] = await claim(database, now=clock.now())
        [work] = await heads(database, "a")
        await let_leases_run_out(database)
        [new] = await claim(database, now=clock.now())
        with pytest.raises(LeaseLost):
            await settle(database, old, work)
        assert await numbers(database, "a") == [1]
        await settle(database, new, work)
        assert await numbers(database, "a") == []
        with pytest.raises(LeaseLost):
            await settle(database, old, work)

    async def test_still_settles_while_nobody_else_took_the_lane(self, database: Database, clock: FakeClock) -> None:
        await put(database, "a", 1, at=clock.now())
        [lease] = await claim(database, now=clock.now())
        await let_leases_run_out(database)
        await settle(database, lease, *await heads(database, "a"))
        await check_invariant(database)


class TestSettle:
    async def test_hands_the_lane_on_to_its_next_item(self, database: Database, clock: FakeClock) -> None:
        await put(database, "a", 1, 2, at=clock.now())
        [lease] = await claim(database, now=clock.now())
        await settle(database, lease, (await heads(database, "a"))[0])
        assert await numbers(database, "a") == [2]
        assert [again.lane for again in await claim(database, now=clock.now())] == ["a"]

    async def test_removes_the_row_of_an_empty_lane(self, database: Database, clock: FakeClock) -> None:
        await put(database, "a", 1, at=clock.now())
        [lease] = await claim(database, now=clock.now())
        await settle(database, lease, *await heads(database, "a"))
        await check_invariant(database)
        assert await claim(database, now=clock.now()) == []

    async def test_is_undone_with_the_effects_of_its_transaction(self, database: Database, clock: FakeClock) -> None:
        await put(database, "a", 1, 2, at=clock.now())
        [lease] = await claim(database, now=clock.now())
        [first, _] = await heads(database, "a")

        async def fails() -> None:
            async with database.unit() as uow:
                await queue.lock(uow, lease)
                await queue.settle(uow, lease, [first.id])
                raise RuntimeError("killed before the commit")

        with pytest.raises(RuntimeError):
            await fails()
        assert await numbers(database, "a") == [1, 2]

    async def test_covers_further_items_of_the_lane(self, database: Database, clock: FakeClock) -> None:
        await put(database, "a", 1, 2, 3, at=clock.now())
        [lease] = await claim(database, now=clock.now())
        await settle(database, lease, *(await heads(database, "a"))[:2])
        assert await numbers(database, "a") == [3]
        await check_invariant(database)


class TestRetry:
    async def test_keeps_the_head_and_waits(self, database: Database, clock: FakeClock) -> None:
        await put(database, "a", 1, 2, at=clock.now())
        [lease] = await claim(database, now=clock.now())
        [head, _] = await heads(database, "a")
        later = clock.now() + timedelta(seconds=30)
        async with database.unit() as uow:
            await queue.lock(uow, lease)
            await queue.retry(uow, lease, head, run_at=later, error="the mail server said 451")
        assert await claim(database, now=clock.now()) == []
        [again] = await claim(database, now=later)
        [first, second] = await heads(database, "a")
        assert (first.payload["n"], first.attempts, first.last_error) == (1, 1, "the mail server said 451")
        assert (second.payload["n"], second.attempts, again.lane) == (2, 0, "a")
        await check_invariant(database)

    async def test_that_does_not_count_leaves_the_attempts(self, database: Database, clock: FakeClock) -> None:
        await put(database, "a", 1, at=clock.now())
        [lease] = await claim(database, now=clock.now())
        [head] = await heads(database, "a")
        async with database.unit() as uow:
            await queue.lock(uow, lease)
            await queue.retry(uow, lease, head, run_at=clock.now(), error="429", counted=False)
        assert [work.attempts for work in await heads(database, "a")] == [0]

    def test_waits_longer_each_time_within_a_ceiling_and_never_in_step(self) -> None:
        for attempt in range(1, 30):
            span = min(900.0, 2.0 * 2 ** (attempt - 1))
            waits = {queue.backoff(attempt).total_seconds() for _ in range(20)}
            assert all(span / 2 <= wait <= span for wait in waits)
            assert len(waits) > 1


class TestBury:
    async def bury(self, database: Database, clock: FakeClock) -> str:
        await put(database, "a", 1, 2, at=clock.now())
        [lease] = await claim(database, now=clock.now())
        [head, _] = await heads(database, "a")
        async with database.unit() as uow:
            await queue.lock(uow, lease)
            return await queue.bury(uow, lease, head, now=clock.now(), reason="Refused: chat not found", ticket=1042)

    async def test_moves_the_head_and_lets_the_lane_go_on(self, database: Database, clock: FakeClock) -> None:
        dead_id = await self.bury(database, clock)
        assert await numbers(database, "a") == [2]
        assert [lease.lane for lease in await claim(database, now=clock.now())] == ["a"]
        async with database.read() as session:
            [dead] = await queue.list_dead(session)
        assert (dead.id, dead.payload, dead.reason, dead.ticket_number, dead.attempts) == (
            dead_id,
            {"n": 1},
            "Refused: chat not found",
            1042,
            1,
        )
        await check_invariant(database)

    async def test_replay_puts_it_back_at_the_end_once(self, database: Database, clock: FakeClock) -> None:
        dead_id = await self.bury(database, clock)
        async with database.unit() as uow:
            await queue.replay(uow, dead_id, now=clock.now())
        assert await numbers(database, "a") == [2, 1]
        async with database.read() as session:
            assert await queue.list_dead(session) == []
        await check_invariant(database)

        async def again() -> None:
            async with database.unit() as uow:
                await queue.replay(uow, dead_id, now=clock.now())

        with pytest.raises(NotFound):
            await again()

    async def test_two_people_who_replay_at_once_replay_once(self, database: Database, clock: FakeClock) -> None:
        dead_id = await self.bury(database, clock)
        ready = asyncio.Barrier(2)

        async def replay() -> bool:
            await ready.wait()  # on SQLite the second waits for its turn to write, so both can only be ready before it
            async with database.unit() as uow:
                await queue.replay(uow, dead_id, now=clock.now())
            return True

        outcomes = await asyncio.gather(replay(), replay(), return_exceptions=True)
        assert sorted(type(outcome) for outcome in outcomes if outcome is not True) == [NotFound]
        assert await numbers(database, "a") == [2, 1]

    async def test_of_an_unknown_item_says_so(self, database: Database, clock: FakeClock) -> None:
        async def replay() -> None:
            async with database.unit() as uow:
                await queue.replay(uow, "01900000-0000-7000-8000-000000000000", now=clock.now())

        with pytest.raises(NotFound):
            await replay()


class TestTimers:
    async def test_set_anew_replaces_what_was_there(self, database: Database, clock: FakeClock) -> None:
        for minutes in (10, 5):
            async with database.unit() as uow:
                due = clock.now() + timedelta(minutes=minutes)
                await queue.set_timer(uow, lane="sla:1:first_response", kind=KIND, payload={"n": minutes}, run_at=due)
        assert await numbers(database, "sla:1:first_response") == [5]
        await check_invariant(database)
        assert await claim(database, now=clock.now() + timedelta(minutes=4)) == []

    async def test_cancelled_while_a_worker_holds_it_does_nothing(self, database: Database, clock: FakeClock) -> None:
        await put(database, "sla:1:resolution", 1, at=clock.now())
        [lease] = await claim(database, now=clock.now())
        work = await heads(database, "sla:1:resolution")
        async with database.unit() as uow:
            await queue.cancel(uow, "sla:1:resolution")
        with pytest.raises(LeaseLost):
            await settle(database, lease, *work)
        await check_invariant(database)

    async def test_in_the_future_never_stalls_messages(self, database: Database, clock: FakeClock) -> None:
        await put(database, "sla:1:resolution", 1, at=clock.now() + timedelta(days=1))
        await put(database, "tg:1", 1, at=clock.now())
        assert [lease.lane for lease in await claim(database, now=clock.now())] == ["tg:1"]


class TestDepth:
    async def test_counts_what_is_ready_what_is_there_and_what_died(self, database: Database, clock: FakeClock) -> None:
        await put(database, "a", 1, 2, at=clock.now() - timedelta(minutes=2))
        await put(database, "b", 1, at=clock.now() + timedelta(minutes=2))
        async with database.read() as session:
            depth = await queue.depth(session, now=clock.now())
        assert depth == queue.Depth(ready=1, items=3, dead=0, oldest_ready_at=clock.now() - timedelta(minutes=2))


def worker(database: Database, clock: FakeClock, handler: Recorder, *, signal: LocalSignal | None = None, concurrency: int = 8) -> Worker:
    return Worker(database, handlers={KIND: handler}, clock=clock, signal=signal or LocalSignal(), concurrency=concurrency, poll=0.02)


async def until_empty(database: Database, *, seconds: float = 20) -> None:
    async with asyncio.timeout(seconds):
        while True:
            async with database.read() as session:
                if not await session.scalar(select(func.count()).select_from(WorkItem)):
                    return
            await asyncio.sleep(0.01)


class TestWorkers:
    async def test_handle_each_item_once_in_order_in_its_lane_and_side_by_side_across_lanes(
        self, database: Database, clock: FakeClock
    ) -> None:
        lanes, each = 12, 6
        for n in range(each):
            for lane in range(lanes):
                await put(database, f"lane-{lane}", n, at=clock.now())
        handler = Recorder()
        workers = [worker(database, clock, handler, concurrency=4) for _ in range(3)]
        running = [asyncio.create_task(one.run()) for one in workers]
        await until_empty(database)
        for one in workers:
            one.stop()
        await asyncio.gather(*running)
        assert handler.done == {f"lane-{lane}": list(range(each)) for lane in range(lanes)}
        assert handler.overlaps == []
        assert handler.most_in_hand > 1
        assert sum(one.handled for one in workers) == lanes * each

    async def test_a_failing_head_holds_up_its_own_lane_alone(self, database: Database, clock: FakeClock) -> None:
        def fail(work: Work) -> None:
            if work.lane == "bad":
                raise ValueError("cannot be parsed")

        await put(database, "bad", 1, 2, at=clock.now())
        await put(database, "good", 1, 2, at=clock.now())
        handler = Recorder(fail=fail)
        await worker(database, clock, handler).drain()
        assert handler.done == {"good": [1, 2]}
        assert await numbers(database, "bad") == [1, 2]
        await check_invariant(database)

    async def test_bury_after_the_last_attempt_tell_people_and_go_on(self, database: Database, clock: FakeClock) -> None:
        def fail(work: Work) -> None:
            if work.payload["n"] == 1:
                raise ValueError("a message text that must not be kept")

        await put(database, "a", 1, 2, at=clock.now())
        handler = Recorder(max_attempts=3, fail=fail)
        for _ in range(5):
            await worker(database, clock, handler).drain()
            clock.advance(timedelta(minutes=15))
        assert handler.tried == [("a", 1), ("a", 1), ("a", 1), ("a", 2)]
        assert handler.dead == [("a", 1, "ValueError")]
        assert handler.done == {"a": [2]}
        async with database.read() as session:
            assert [(dead.payload["n"], dead.attempts) for dead in (await session.scalars(select(DeadItem))).all()] == [(1, 3)]
        await check_invariant(database)

    async def test_postponed_freely_is_never_buried(self, database: Database, clock: FakeClock) -> None:
        def fail(work: Work) -> None:
            raise Postpone("429", after=timedelta(seconds=7), free=True)

        await put(database, "a", 1, at=clock.now())
        handler = Recorder(max_attempts=1, fail=fail)
        for _ in range(4):
            await worker(database, clock, handler).drain()
            [work] = await heads(database, "a")
            assert (work.attempts, work.run_at) == (0, clock.now() + timedelta(seconds=7))
            clock.advance(timedelta(seconds=7))
        assert handler.dead == []

    async def test_an_unknown_kind_is_buried_rather_than_kept_for_ever(self, database: Database, clock: FakeClock) -> None:
        async with database.unit() as uow:
            await queue.put(uow, lane="a", kind="from a newer version", payload={}, run_at=clock.now())
        await worker(database, clock, Recorder()).drain()
        async with database.read() as session:
            assert [dead.kind for dead in await queue.list_dead(session)] == ["from a newer version"]

    async def test_a_graceful_stop_finishes_what_is_in_hand_and_takes_nothing_new(self, database: Database, clock: FakeClock) -> None:
        gate = asyncio.Event()
        handler = Recorder(gate=gate)
        await put(database, "a", 1, 2, at=clock.now())
        one = worker(database, clock, handler, concurrency=1)
        running = asyncio.create_task(one.run())
        await asyncio.wait_for(handler.entered.wait(), 10)
        one.stop()
        await asyncio.sleep(0.05)
        assert not running.done()
        gate.set()
        await asyncio.wait_for(running, 10)
        assert handler.done == {"a": [1]}
        assert await numbers(database, "a") == [2]
        assert [lease.lane for lease in await claim(database, now=clock.now())] == ["a"]

    async def test_sleep_until_woken_rather_than_until_the_next_poll(
        self, database: Database, clock: FakeClock, signal: LocalSignal
    ) -> None:
        handler = Recorder()
        one = Worker(database, handlers={KIND: handler}, clock=clock, signal=signal, poll=60)
        running = asyncio.create_task(one.run())
        await asyncio.sleep(0.1)
        async with database.unit() as uow:
            await queue.put(uow, lane="a", kind=KIND, payload={"n": 1}, run_at=clock.now())
            uow.after_commit(lambda: signal.publish("work"))
        await until_empty(database, seconds=5)
        one.stop()
        await asyncio.wait_for(running, 5)
        assert handler.done == {"a": [1]}

    async def test_a_worker_that_lost_its_lease_writes_nothing(self, database: Database, clock: FakeClock) -> None:
        gate = asyncio.Event()
        slow = Recorder(gate=gate)
        await put(database, "a", 1, at=clock.now())
        [lease] = await claim(database, now=clock.now())
        task = asyncio.create_task(worker(database, clock, slow).run_lane(lease))
        await asyncio.wait_for(slow.entered.wait(), 10)
        await let_leases_run_out(database)
        quick = Recorder()
        await worker(database, clock, quick).drain()
        gate.set()
        await asyncio.wait_for(task, 10)
        assert (quick.done, dict(slow.done)) == ({"a": [1]}, {})

    async def test_effects_and_settling_are_one_transaction(self, database: Database, clock: FakeClock) -> None:
        class Killed(Recorder):
            async def apply(self, uow: UnitOfWork, work: Work, plan: object) -> None:
                await queue.put(uow, lane="effects", kind=KIND, payload={"n": 99}, run_at=clock.now())
                raise ValueError("after the effects")

        await put(database, "a", 1, at=clock.now())
        await worker(database, clock, Killed()).drain()
        assert await numbers(database, "effects") == []
        assert await numbers(database, "a") == [1]
