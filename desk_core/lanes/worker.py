"""Workers: claim lanes, decide outside any transaction, apply and settle in one.

A `Handler` splits its work in two: `decide` may read, think and use the network; `apply` writes, in the transaction that also
settles the item under its lease. A failing head blocks only its own lane; after `max_attempts` it is buried and people are told.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Protocol

import structlog
from sqlalchemy.exc import DBAPIError, IntegrityError

from desk_core.kit.clock import Clock
from desk_core.kit.db import Database, UnitOfWork, is_conflict, is_store_failure
from desk_core.kit.errors import DeskError, StaleWrite, StoreUnavailable
from desk_core.kit.ids import new_token
from desk_core.lanes import queue
from desk_core.lanes.queue import Lease, LeaseLost, Work
from desk_core.lanes.signal import WORK, Signal

log = structlog.get_logger()

POLL_SECONDS = 2.0
STALE_TRIES = 5
CONFLICT_TRIES = 4
IN_ONE_GO = 16
"""Items of one lane that are handled without giving it back; then others have their turn."""


class Postpone(DeskError):
    """Raised by `decide`: not now, try again after `after`; counts as an attempt unless `free`."""

    code, status = "postpone", 503

    def __init__(self, reason: str, *, after: timedelta | None = None, free: bool = False) -> None:
        self.reason, self.after, self.free = reason, after, free
        super().__init__(reason=reason)


@dataclass(frozen=True, slots=True)
class Plan:
    """What `decide` made of an item. `data` goes to `apply`; `also` are further items of the lane that it covers."""

    data: Any = None
    also: tuple[int, ...] = ()


class Handler(Protocol):
    """One kind of work."""

    max_attempts: int

    async def decide(self, work: Work) -> Plan:
        """Read and think; no transaction is open. May raise `Postpone`."""
        ...

    async def apply(self, uow: UnitOfWork, work: Work, plan: Plan) -> None:
        """Write the effects. May raise `StaleWrite` to decide again."""
        ...

    async def buried(self, uow: UnitOfWork, work: Work, dead_id: str, reason: str) -> None:
        """Tell people that this item died, in the transaction that buries it."""
        ...


class Worker:
    """Runs handlers over the lanes until stopped; any number of workers may run anywhere."""

    def __init__(
        self,
        database: Database,
        *,
        handlers: Mapping[str, Handler],
        clock: Clock,
        signal: Signal,
        concurrency: int = 8,
        poll: float = POLL_SECONDS,
    ) -> None:
        self._database = database
        self._handlers = handlers
        self._clock = clock
        self._signal = signal
        self._concurrency = concurrency
        self._poll = poll
        self._stopping = asyncio.Event()
        self._running: set[asyncio.Task[None]] = set()
        self._ready_at: datetime | None = None
        self.handled = 0

    async def run(self) -> None:
        """Work until `stop`; what is in hand is finished before returning."""
        pause = 0.5
        while not self._stopping.is_set():
            try:
                leases = await self._claim(self._concurrency - len(self._running))
                pause = 0.5
            except StoreUnavailable as error:
                log.warning("worker.store_unavailable", error=str(error), retry_in=pause)
                await self._sleep(pause)
                pause = min(15.0, pause * 2)
                continue
            for lease in leases:
                self.begin(lease)
            if len(self._running) >= self._concurrency:
                await asyncio.wait(self._running, return_when=asyncio.FIRST_COMPLETED)
            elif not leases:
                await self._idle()
        while self._running:
            await asyncio.wait(self._running)

    @property
    def room(self) -> int:
        """How many lanes more it would take on now."""
        return 0 if self._stopping.is_set() else max(0, self._concurrency - len(self._running))

    def begin(self, lease: Lease) -> None:
        """Run a lane in a task of its own, and then the lanes that it began and kept for us: a reply goes out the moment it is stored."""

        async def run() -> None:
            for held in await self.run_lane(lease):
                self.begin(held)

        task = asyncio.create_task(run())
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    def stop(self) -> None:
        """Ask `run` to finish."""
        self._stopping.set()

    async def drain(self) -> int:
        """Handle everything that is ready now, in this task, and return how many items that was: for tests and dry runs."""
        before = self.handled
        while leases := await self._claim(self._concurrency):
            while leases:
                leases += await self.run_lane(leases.pop(0))
        return self.handled - before

    async def _claim(self, limit: int) -> list[Lease]:
        if limit <= 0:
            return []
        now = self._clock.now()
        # Looking costs no write lock; an idle desk would otherwise take one every few seconds.
        async with self._database.glance() as session:
            self._ready_at = await queue.next_ready_at(session, dialect=self._database.dialect)
        if self._ready_at is None or self._ready_at > now:
            return []
        async with self._database.unit() as uow:
            return await queue.claim(uow, now=now, limit=limit)

    async def _idle(self) -> None:
        """Sleep until the next lane is due, as seen at the last look, or until woken: who put work since then has rung."""
        wait = self._poll
        if self._ready_at is not None:
            wait = min(wait, max(0.005, (self._ready_at - self._clock.now()).total_seconds()))
        await self._sleep(wait)

    async def _sleep(self, seconds: float) -> None:
        woken = asyncio.create_task(self._signal.wait(WORK, timeout=seconds))
        stopping = asyncio.create_task(self._stopping.wait())
        await asyncio.wait({woken, stopping, *self._running}, return_when=asyncio.FIRST_COMPLETED)
        for task in (woken, stopping):
            task.cancel()
        await asyncio.gather(woken, stopping, return_exceptions=True)

    async def run_lane(self, lease: Lease) -> list[Lease]:
        """Handle the head item of a leased lane and those that are due behind it; never raises but for cancellation.

        Answers the lanes that this work began and keeps for us.
        """
        held: list[Lease] = []
        try:
            for _turn in range(IN_ONE_GO):
                head = lease.head or await self._head(lease)
                if head is None:
                    break
                work = replace(head, unsure=lease.lapsed)
                with structlog.contextvars.bound_contextvars(lane=work.lane, kind=work.kind, request_id=work.payload.get("request_id")):
                    upcoming = await self._run_item(lease, work, held)
                if upcoming is None:
                    break
                lease = replace(lease, lapsed=False, head=upcoming)
            else:
                # Others have their turn; without this the rest of a long lane would wait until the lease runs out.
                async with self._database.unit() as uow:
                    await queue.release(uow, lease)
        except LeaseLost:
            log.info("worker.lease_lost", lane=lease.lane)
        except StoreUnavailable as error:
            # Nothing was committed. The lease runs out by itself and the item is done again, here or elsewhere.
            log.warning("worker.store_unavailable", lane=lease.lane, error=str(error))
            await asyncio.sleep(0.2)
        return held

    async def _head(self, lease: Lease) -> Work | None:
        """What to begin with; a lane that holds nothing is given up."""
        async with self._database.glance() as session:
            heads = await queue.head(session, lease.lane)
        if not heads:
            async with self._database.unit() as uow:
                await queue.lock(uow, lease)
                await queue.settle(uow, lease, [])
        return heads[0] if heads else None

    async def _run_item(self, lease: Lease, work: Work, held: list[Lease]) -> Work | None:
        """One item; the answer is the next one where the lane is still ours. Lanes begun for us are added to `held`."""
        try:
            for _try in range(STALE_TRIES - 1):
                try:
                    return await self._try_item(lease, work, held)
                except (StaleWrite, IntegrityError):
                    # Somebody was faster, or made the same contact or conversation meanwhile: look again and decide anew.
                    log.debug("worker.decide_again", lane=work.lane)
                    work = replace(work, unsure=True)
            return await self._try_item(lease, work, held)
        except (LeaseLost, StoreUnavailable):
            raise
        except Postpone as error:
            await self._again(lease, work, reason=error.reason, after=error.after, free=error.free)
        except Exception as error:
            # Any failure of a handler is answered by another try, and in the end by burial.
            if is_store_failure(error):
                raise StoreUnavailable(reason=type(error).__name__) from error
            log.exception("worker.item_failed", attempt=work.attempts + 1)
            await self._again(lease, work, reason=describe(error), after=None, free=False)
        return None

    async def _try_item(self, lease: Lease, work: Work, held: list[Lease]) -> Work | None:
        handler = self._handlers[work.kind]
        plan = await handler.decide(work)
        for _try in range(CONFLICT_TRIES - 1):
            try:
                return await self._write(lease, work, handler, plan, held)
            except DBAPIError as error:
                # Two transactions waited for each other and the store chose ours. What was decided, and perhaps sent, still holds.
                if not is_conflict(error):
                    raise
                log.info("worker.write_again", lane=work.lane)
        return await self._write(lease, work, handler, plan, held)

    async def _write(self, lease: Lease, work: Work, handler: Handler, plan: Plan, held: list[Lease]) -> Work | None:
        goes_on = not self._stopping.is_set()
        async with self._database.unit() as uow:
            token = uow.holder = new_token(9) if goes_on else None
            await queue.lock(uow, lease)
            await handler.apply(uow, work, plan)
            await uow.flush()
            upcoming = await queue.settle(uow, lease, [work.id, *plan.also], keep_until=self._clock.now() if goes_on else None)
        self.handled += 1
        if token is not None:
            held += [Lease(lane, token, head=head) for lane, head in uow.held.items()]
        return upcoming

    async def _again(self, lease: Lease, work: Work, *, reason: str, after: timedelta | None, free: bool) -> None:
        known = self._handlers.get(work.kind)
        if not free and work.attempts + 1 >= (known.max_attempts if known else 1):
            async with self._database.unit() as uow:
                await queue.lock(uow, lease)
                dead_id = await queue.bury(uow, lease, work, now=self._clock.now(), reason=reason)
                if known is not None:
                    await known.buried(uow, work, dead_id, reason)
            log.error("worker.buried", lane=work.lane, kind=work.kind, dead_item=dead_id)
            return
        run_at = self._clock.now() + (after or queue.backoff(work.attempts + 1))
        async with self._database.unit() as uow:
            await queue.lock(uow, lease)
            await queue.retry(uow, lease, work, run_at=run_at, error=reason, counted=not free)


def describe(error: BaseException) -> str:
    """A failure in words that hold no message text: the class, and the message of errors that are ours."""
    return f"{type(error).__name__}: {error}"[:300] if isinstance(error, DeskError) else type(error).__name__
