"""The queue: put, claim, settle, retry, bury, replay. The same statements on SQLite and PostgreSQL (DESIGN.md section 4).

Invariant: a lane row exists exactly while the lane has items, and its `ready_at` is the `run_at` of its head item.
"""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import orjson
from sqlalchemy import ColumnElement, Integer, Select, String, Table, bindparam, case, delete, func, insert, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql.elements import TextClause
from sqlalchemy.sql.expression import text

from desk_core.kit.db import ReadSession, UnitOfWork
from desk_core.kit.errors import DeskError, NotFound
from desk_core.kit.ids import new_id, new_token
from desk_core.kit.prepared import Prepared
from desk_core.lanes.entities import DeadItem, Lane, WorkItem

LEASE = timedelta(seconds=60)
_LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
_LAPSED = "~"  # at the end of a token: its lane was taken from somebody who had let the lease run out
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
    unsure: bool = False
    """An earlier try was never settled: what it did outside the store may have happened."""


@dataclass(frozen=True, slots=True)
class Lease:
    """A lane in a worker's hands. `lapsed`: whoever had it before let the lease run out, perhaps in the middle of something.
    `head` is its first item, where whoever leased it knows that."""

    lane: str
    token: str
    lapsed: bool = False
    head: Work | None = None


def _store_now(dialect: str) -> TextClause:
    # Leases compare with the store's clock: workers on several machines then agree on who is late.
    return text("clock_timestamp()" if dialect == "postgresql" else "strftime('%Y-%m-%d %H:%M:%f000', 'now')")


def _lease_end(dialect: str) -> TextClause:
    """The end of a lease that begins now; `_lease` gives its parameter."""
    if dialect == "postgresql":
        return text("clock_timestamp() + make_interval(secs => :lease)")
    return text("strftime('%Y-%m-%d %H:%M:%f000', 'now', :lease)")


def _lease(dialect: str, lease: timedelta) -> dict[str, float | str]:
    seconds = lease.total_seconds()
    return {"lease": seconds if dialect == "postgresql" else f"+{seconds} seconds"}


def _new_lane(dialect: str, **held: Any) -> Any:
    statement: Any = (postgresql if dialect == "postgresql" else sqlite).insert(lanes)
    return statement.values(key=bindparam("key"), ready_at=bindparam("ready_at"), **held)


def _upsert_lane(dialect: str, **held: Any) -> Any:
    # A lane that has items keeps its head's time; only settling moves it on. (The row goes when the lane empties.)
    # On conflict the row is touched, not skipped: the update takes the row lock that orders us against a settle in flight.
    return _new_lane(dialect, **held).on_conflict_do_update(index_elements=["key"], set_={"ready_at": lanes.c.ready_at})


def _reset_lane(dialect: str) -> Any:
    fresh: dict[str, Any] = {"ready_at": bindparam("ready_at"), "leased_until": None, "lease_token": None}
    return _new_lane(dialect).on_conflict_do_update(index_elements=["key"], set_=fresh)


def _claim(dialect: str) -> Any:
    free: ColumnElement[bool] = or_(lanes.c.leased_until.is_(None), lanes.c.leased_until < _store_now(dialect))
    ready: Select[Any] = (
        select(lanes.c.key)
        .where(lanes.c.ready_at <= bindparam("now"), free, lanes.c.key.startswith(bindparam("prefix", type_=String)))
        .order_by(lanes.c.ready_at)
        .limit(bindparam("limit", type_=Integer))
    )
    if dialect == "postgresql":
        ready = ready.with_for_update(skip_locked=True)
    # A CTE is evaluated once; a plain subquery may be run again per row by the planner, and then locks more lanes than `limit`.
    chosen = ready.cte("chosen")
    # A lease that is still written on the lane has run out, or the lane would not be free: the new token says so.
    token = case((lanes.c.leased_until.is_(None), bindparam("token")), else_=bindparam("lapsed"))
    return (
        update(lanes)
        .where(lanes.c.key.in_(select(chosen.c.key)))
        .values(leased_until=_lease_end(dialect), lease_token=token)
        .returning(lanes.c.key, lanes.c.lease_token)
    )


DIALECTS = ("postgresql", "sqlite")
_UPSERTS = {dialect: Prepared(_upsert_lane(dialect)) for dialect in DIALECTS}
_RESETS = {dialect: Prepared(_reset_lane(dialect)) for dialect in DIALECTS}
_UPSERTS_HELD = {
    dialect: Prepared(
        _upsert_lane(dialect, leased_until=_lease_end(dialect), lease_token=bindparam("token")).returning(lanes.c.lease_token)
    )
    for dialect in DIALECTS
}
_CLAIM = {dialect: _claim(dialect) for dialect in DIALECTS}
_NEXT_READY = {
    dialect: Prepared(
        select(func.min(lanes.c.ready_at)).where(or_(lanes.c.leased_until.is_(None), lanes.c.leased_until < _store_now(dialect)))
    )
    for dialect in DIALECTS
}
_KEEP_LANE = {
    dialect: Prepared(
        update(lanes)
        .where(lanes.c.key == bindparam("lane"))
        .values(ready_at=bindparam("upcoming"), leased_until=_lease_end(dialect))
    )
    for dialect in DIALECTS
}  # fmt: skip
_HAND_ON = Prepared(
    update(lanes).where(lanes.c.key == bindparam("lane")).values(ready_at=bindparam("upcoming"), leased_until=None, lease_token=None)
)
_DROP_LANE = Prepared(delete(lanes).where(lanes.c.key == bindparam("lane")))
_LOCK = Prepared(select(lanes.c.lease_token).where(lanes.c.key == bindparam("lane")).with_for_update())
_COLUMNS = ("lane", "kind", "payload", "run_at", "attempts", "last_error")
_PUT_ITEM = Prepared(insert(items), keys=_COLUMNS)
_PUT_HEAD = Prepared(insert(items).returning(items.c.id), keys=_COLUMNS)
_HEAD = Prepared(
    select(items.c.id, items.c.lane, items.c.kind, items.c.payload, items.c.run_at, items.c.attempts, items.c.last_error)
    .where(items.c.lane == bindparam("lane"))
    .order_by(items.c.id)
    .limit(bindparam("limit", type_=Integer))
)
_DROP_ITEM = Prepared(delete(items).where(items.c.id == bindparam("item")))
_DROP_ITEMS = Prepared(delete(items).where(items.c.lane == bindparam("of_lane")))


async def put(uow: UnitOfWork, *, lane: str, kind: str, payload: Mapping[str, Any], run_at: datetime, at_once: bool = False) -> None:
    """Append one item to a lane. With `at_once`, a lane that begins here is kept for the worker that runs this transaction."""
    row = {"lane": lane, "kind": kind, "payload": dict(payload), "run_at": run_at}
    if not at_once or uow.holder is None:
        await put_many(uow, [row])
        return
    if lane in uow.held:
        await _PUT_ITEM.run(uow.session, _item(row))  # behind its head, in a lane that nobody else sees yet
        return
    held = {"key": lane, "ready_at": run_at, "token": uow.holder, **_lease(uow.dialect, LEASE)}
    mine = await _UPSERTS_HELD[uow.dialect].scalar(uow.session, held) == uow.holder
    item = await _PUT_HEAD.scalar(uow.session, _item(row))
    if mine:
        # Through JSON, so that whoever works on it gets what the store would give.
        uow.held[lane] = Work(item, lane, kind, orjson.loads(orjson.dumps(payload)), run_at, attempts=0)


async def put_many(uow: UnitOfWork, rows: Sequence[Mapping[str, Any]]) -> None:
    """Append items, each {lane, kind, payload, run_at}, in order. The lane row is locked before its items are written."""
    heads: dict[str, datetime] = {}
    for row in rows:
        heads.setdefault(row["lane"], row["run_at"])
    # Sorted, so that two transactions putting into the same lanes cannot deadlock.
    await _UPSERTS[uow.dialect].many(uow.session, ({"key": key, "ready_at": heads[key]} for key in sorted(heads)))
    await _PUT_ITEM.many(uow.session, (_item(row) for row in rows))


def _item(row: Mapping[str, Any]) -> dict[str, Any]:
    return {"attempts": 0, "last_error": None, **row}


async def claim(uow: UnitOfWork, *, now: datetime, limit: int, lease: timedelta = LEASE, prefix: str | None = None) -> list[Lease]:
    """Lease up to `limit` ready lanes. Safe from any number of workers; never returns a leased lane."""
    token = new_token(9)
    lapsed = f"{token}{_LAPSED}"
    claimed = await uow.execute(
        _CLAIM[uow.dialect],
        {"now": now, "limit": limit, "prefix": prefix or "", "token": token, "lapsed": lapsed, **_lease(uow.dialect, lease)},
    )
    return [Lease(lane=key, token=mine, lapsed=mine == lapsed) for key, mine in claimed]


async def head(session: ReadSession, lane: str, *, limit: int = 1) -> list[Work]:
    """The first items of a lane, in order."""
    return [Work(*row) for row in await _HEAD.rows(session, {"lane": lane, "limit": limit})]


async def lock(uow: UnitOfWork, lease: Lease) -> None:
    """Lock the lane and make sure it is still ours. Must be a statement of its own, before the next head is read.

    Under READ COMMITTED a statement that both checked and recomputed `ready_at` would use a snapshot from before a concurrent
    put committed, and leave a lane asleep with work in it.
    """
    if await _LOCK.scalar(uow.session, {"lane": lease.lane}) != lease.token:
        raise LeaseLost(lane=lease.lane)


async def settle(uow: UnitOfWork, lease: Lease, done: Sequence[int], *, keep_until: datetime | None = None) -> Work | None:
    """Remove finished items and hand the lane on, in the transaction that holds their effects. Call `lock` first.

    Where the next item is due by `keep_until` the lane stays ours, with a lease that begins anew; the answer is that item then.
    """
    if done:
        await _DROP_ITEM.many(uow.session, ({"item": item} for item in done))
    return await _hand_on(uow, lease.lane, keep_until=keep_until)


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


async def lapse_all(uow: UnitOfWork) -> None:
    """Let every lease run out now; only where it is known that nobody is at work."""
    await uow.execute(update(lanes).where(lanes.c.leased_until.is_not(None)).values(leased_until=_LONG_AGO))


async def cancel(uow: UnitOfWork, lane: str) -> None:
    """Drop a lane with all its items: a timer that is no longer wanted. A worker holding it will find its lease lost."""
    await _DROP_LANE.run(uow.session, {"lane": lane})
    await _DROP_ITEMS.run(uow.session, {"of_lane": lane})


async def withdraw(uow: UnitOfWork, *, lane: str, kind: str, payload: Mapping[str, Any]) -> bool:
    """Take back an item that holds this in its payload. False where it is in a worker's hands, was tried already, or is done.

    Whoever claims a lane commits that before it looks at the head, and we lock the lane: of a worker and us, one comes first.
    """
    held = (await uow.execute(select(lanes.c.lease_token).where(lanes.c.key == lane).with_for_update())).first()
    if held is None:
        return False
    rows = [Work(*row) for row in await _HEAD.rows(uow.session, {"lane": lane, "limit": 1000})]
    mine = next((row for row in rows if row.kind == kind and payload.items() <= row.payload.items()), None)
    if mine is None or mine.attempts or mine.last_error is not None:
        return False
    leased = held.lease_token is not None
    if leased and mine.id == rows[0].id:
        return False
    await _DROP_ITEM.run(uow.session, {"item": mine.id})
    if not leased:
        await _hand_on(uow, lane)
    return True


async def start_timers(uow: UnitOfWork, timers: Sequence[Mapping[str, Any]]) -> None:
    """Timers, each {lane, kind, payload, run_at}, of something that begins in this transaction: their lanes are new."""
    if timers:
        await put_many(uow, timers)


async def set_timer(uow: UnitOfWork, *, lane: str, kind: str, payload: Mapping[str, Any], run_at: datetime) -> None:
    """Make `lane` hold exactly this one item: a timer set anew. A worker holding the lane will find its lease lost."""
    await _RESETS[uow.dialect].run(uow.session, {"key": lane, "ready_at": run_at})
    await _DROP_ITEMS.run(uow.session, {"of_lane": lane})
    await _PUT_ITEM.run(uow.session, _item({"lane": lane, "kind": kind, "payload": dict(payload), "run_at": run_at}))


async def _hand_on(uow: UnitOfWork, lane: str, *, keep_until: datetime | None = None) -> Work | None:
    rows = await _HEAD.rows(uow.session, {"lane": lane, "limit": 1})
    if not rows:
        await _DROP_LANE.run(uow.session, {"lane": lane})
        return None
    upcoming = Work(*rows[0])
    if keep_until is not None and upcoming.run_at <= keep_until:
        await _KEEP_LANE[uow.dialect].run(uow.session, {"lane": lane, "upcoming": upcoming.run_at, **_lease(uow.dialect, LEASE)})
        return upcoming
    await _HAND_ON.run(uow.session, {"lane": lane, "upcoming": upcoming.run_at})
    return None


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
    result: datetime | None = await _NEXT_READY[dialect].scalar(session, {})
    return result
