"""The queue: put, claim, settle, retry, bury, replay. The same statements on SQLite and PostgreSQL (DESIGN.md section 4).

Invariant: a lane row exists exactly while the lane has items, and its `ready_at` is the `run_at` of its head item.
"""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import ColumnElement, Select, Table, and_, delete, func, insert, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql.elements import TextClause
from sqlalchemy.sql.expression import text

from desk_core.kit.db import ReadSession, UnitOfWork
from desk_core.kit.errors import DeskError, NotFound
from desk_core.kit.ids import new_id, new_token
from desk_core.lanes.entities import DeadItem, Lane, WorkItem

LEASE = timedelta(seconds=60)
lanes = cast("Table", Lane.__table__)
items = cast("Table", WorkItem.__table__)


class LeaseLost(DeskError):
    """Another worker took the lane after our lease ran out; our effects must not be committed."""

    code, status = "lease_lost", 409


@dataclass(frozen=True, slots=True)
class Work:
    """A work item in a worker's hands."""

    id: int
    lane: str
    kind: str
    payload: Mapping[str, Any]
    run_at: datetime
    attempts: int
    last_error: str | None = None


@dataclass(frozen=True, slots=True)
class Lease:
    lane: str
    token: str


def _upsert_lane(dialect: str) -> Any:
    statement: Any = (postgresql if dialect == "postgresql" else sqlite).insert(lanes)
    # A lane that has items keeps its head's time; only settling moves it on. (The row goes when the lane empties.)
    # On conflict the row is touched, not skipped: the update takes the row lock that orders us against a settle in flight.
    return statement.on_conflict_do_update(index_elements=["key"], set_={"ready_at": lanes.c.ready_at})


_UPSERTS = {dialect: _upsert_lane(dialect) for dialect in ("postgresql", "sqlite")}
_PUT_ITEM = insert(items)


async def put(uow: UnitOfWork, *, lane: str, kind: str, payload: Mapping[str, Any], run_at: datetime) -> None:
    """Append one item to a lane."""
    await put_many(uow, [{"lane": lane, "kind": kind, "payload": dict(payload), "run_at": run_at}])


async def put_many(uow: UnitOfWork, rows: Sequence[Mapping[str, Any]]) -> None:
    """Append items, each {lane, kind, payload, run_at}, in order. The lane row is locked before its items are written."""
    heads: dict[str, datetime] = {}
    for row in rows:
        heads.setdefault(row["lane"], row["run_at"])
    # Sorted, so that two transactions putting into the same lanes cannot deadlock.
    await uow.execute(_UPSERTS[uow.dialect], [{"key": key, "ready_at": heads[key]} for key in sorted(heads)])
    await uow.execute(_PUT_ITEM, [{"attempts": 0, "last_error": None, **row} for row in rows])


def _store_now(dialect: str) -> TextClause:
    # Leases compare with the store's clock: workers on several machines then agree on who is late.
    return text("clock_timestamp()" if dialect == "postgresql" else "strftime('%Y-%m-%d %H:%M:%f000', 'now')")


def _lease_end(dialect: str, lease: timedelta) -> TextClause:
    seconds = lease.total_seconds()
    if dialect == "postgresql":
        return text("clock_timestamp() + make_interval(secs => :lease)").bindparams(lease=seconds)
    return text("strftime('%Y-%m-%d %H:%M:%f000', 'now', :lease)").bindparams(lease=f"+{seconds} seconds")


async def claim(uow: UnitOfWork, *, now: datetime, limit: int, lease: timedelta = LEASE, prefix: str | None = None) -> list[Lease]:
    """Lease up to `limit` ready lanes. Safe from any number of workers; never returns a leased lane."""
    free: ColumnElement[bool] = or_(lanes.c.leased_until.is_(None), lanes.c.leased_until < _store_now(uow.dialect))
    ready: Select[Any] = select(lanes.c.key).where(and_(lanes.c.ready_at <= now, free)).order_by(lanes.c.ready_at).limit(limit)
    if prefix:
        ready = ready.where(lanes.c.key.startswith(prefix, autoescape=True))
    if uow.dialect == "postgresql":
        ready = ready.with_for_update(skip_locked=True)
    token = new_token(9)
    # A CTE is evaluated once; a plain subquery may be run again per row by the planner, and then locks more lanes than `limit`.
    chosen = ready.cte("chosen")
    claimed = await uow.execute(
        update(lanes)
        .where(lanes.c.key.in_(select(chosen.c.key)))
        .values(leased_until=_lease_end(uow.dialect, lease), lease_token=token)
        .returning(lanes.c.key)
    )
    return [Lease(lane=key, token=token) for (key,) in claimed]


async def head(session: ReadSession, lane: str, *, limit: int = 1) -> list[Work]:
    """The first items of a lane, in order."""
    rows = await session.execute(
        select(items.c.id, items.c.lane, items.c.kind, items.c.payload, items.c.run_at, items.c.attempts, items.c.last_error)
        .where(items.c.lane == lane)
        .order_by(items.c.id)
        .limit(limit)
    )
    return [Work(*row) for row in rows]


async def lock(uow: UnitOfWork, lease: Lease) -> None:
    """Lock the lane and make sure it is still ours. Must be a statement of its own, before the next head is read.

    Under READ COMMITTED a statement that both checked and recomputed `ready_at` would use a snapshot from before a concurrent
    put committed, and leave a lane asleep with work in it.
    """
    query = select(lanes.c.lease_token).where(lanes.c.key == lease.lane)
    if uow.dialect == "postgresql":
        query = query.with_for_update()
    if await uow.scalar(query) != lease.token:
        raise LeaseLost(lane=lease.lane)


async def settle(uow: UnitOfWork, lease: Lease, done: Sequence[int]) -> None:
    """Remove finished items and hand the lane on, in the transaction that holds their effects. Call `lock` first."""
    await uow.execute(delete(items).where(items.c.id.in_(done)))
    await _hand_on(uow, lease.lane)


async def retry(uow: UnitOfWork, lease: Lease, work: Work, *, run_at: datetime, error: str, counted: bool = True) -> None:
    """Keep the item at the head and try again at `run_at`; `counted` says whether this was a failed attempt. Call `lock` first."""
    attempts = work.attempts + 1 if counted else work.attempts
    await uow.execute(update(items).where(items.c.id == work.id).values(attempts=attempts, last_error=error[:500], run_at=run_at))
    await _hand_on(uow, lease.lane)


async def bury(
    uow: UnitOfWork, lease: Lease, work: Work, *, now: datetime, reason: str, ticket: int | None = None, conversation_id: str | None = None
) -> str:
    """Move the item to the dead items and let the lane go on. Call `lock` first."""
    dead_id = new_id()
    await uow.execute(
        insert(DeadItem).values(
            id=dead_id, lane=work.lane, kind=work.kind, payload=dict(work.payload), reason=reason[:1000], at=now,
            attempts=work.attempts + 1, ticket_number=ticket, conversation_id=conversation_id,
        )
    )  # fmt: skip
    await settle(uow, lease, [work.id])
    return dead_id


async def release(uow: UnitOfWork, lease: Lease) -> None:
    """Give a lane back untouched (graceful stop)."""
    await uow.execute(
        update(lanes).where(lanes.c.key == lease.lane, lanes.c.lease_token == lease.token).values(leased_until=None, lease_token=None)
    )


async def cancel(uow: UnitOfWork, lane: str) -> None:
    """Drop a lane with all its items: a timer that is no longer wanted. A worker holding it will find its lease lost."""
    await uow.execute(delete(lanes).where(lanes.c.key == lane))
    await uow.execute(delete(items).where(items.c.lane == lane))


async def set_timer(uow: UnitOfWork, *, lane: str, kind: str, payload: Mapping[str, Any], run_at: datetime) -> None:
    """Make `lane` hold exactly this one item: a timer set anew."""
    await cancel(uow, lane)
    await put(uow, lane=lane, kind=kind, payload=payload, run_at=run_at)


async def _hand_on(uow: UnitOfWork, lane: str) -> None:
    upcoming = await uow.scalar(select(items.c.run_at).where(items.c.lane == lane).order_by(items.c.id).limit(1))
    if upcoming is None:
        await uow.execute(delete(lanes).where(lanes.c.key == lane))
    else:
        await uow.execute(update(lanes).where(lanes.c.key == lane).values(ready_at=upcoming, leased_until=None, lease_token=None))


def backoff(attempt: int, *, base: float = 2.0, ceiling: float = 900.0) -> timedelta:
    """Exponential with full jitter in its upper half: attempt 1 waits 1-2 s, 2 waits 2-4 s, ... up to `ceiling` seconds."""
    span = min(ceiling, base * 2 ** max(0, attempt - 1))
    return timedelta(seconds=span / 2 + random.random() * span / 2)


async def replay(uow: UnitOfWork, dead_id: str, *, now: datetime) -> None:
    """Put a dead item back at the end of its lane; raises `NotFound` when it is unknown or was replayed."""
    # Marked first, and only where it was not: of two people who press the button at once, one finds nothing left to replay.
    marked = update(DeadItem).where(DeadItem.id == dead_id, DeadItem.replayed_at.is_(None)).values(replayed_at=now)
    row = (await uow.execute(marked.returning(DeadItem.lane, DeadItem.kind, DeadItem.payload))).first()
    if row is None:
        raise NotFound(dead_item=dead_id)
    await put(uow, lane=row.lane, kind=row.kind, payload=row.payload, run_at=now)


async def list_dead(session: ReadSession, *, limit: int = 100, offset: int = 0) -> list[DeadItem]:
    """Dead items not yet replayed, newest first."""
    query = select(DeadItem).where(DeadItem.replayed_at.is_(None)).order_by(DeadItem.at.desc(), DeadItem.id).limit(limit).offset(offset)
    return list((await session.scalars(query)).all())


@dataclass(frozen=True, slots=True)
class Depth:
    """How full the queue is: lanes ready now, all items, dead items, and since when the oldest ready lane waits."""

    ready: int
    items: int
    dead: int
    oldest_ready_at: datetime | None


async def depth(session: ReadSession, *, now: datetime) -> Depth:
    ready, oldest = (await session.execute(select(func.count(), func.min(lanes.c.ready_at)).where(lanes.c.ready_at <= now))).one()
    count = await session.scalar(select(func.count()).select_from(items))
    dead = await session.scalar(select(func.count()).select_from(DeadItem).where(DeadItem.replayed_at.is_(None)))
    return Depth(ready=ready, items=count or 0, dead=dead or 0, oldest_ready_at=oldest)


async def next_ready_at(session: ReadSession, *, dialect: str) -> datetime | None:
    """When the earliest lane that nobody holds becomes ready; workers sleep until then or until woken."""
    free = or_(lanes.c.leased_until.is_(None), lanes.c.leased_until < _store_now(dialect))
    result: datetime | None = await session.scalar(select(func.min(lanes.c.ready_at)).where(free))
    return result
