"""Verbs about promises: the pure clocks of `sla.clock` kept in rows, with a timer each."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import bindparam, select, update

from desk_core.context import Context
from desk_core.kit.db import UnitOfWork
from desk_core.kit.ids import new_id
from desk_core.kit.prepared import PreparedEntities
from desk_core.lanes import queue
from desk_core.sla.clock import Clock, ClockState, Metric
from desk_core.sla.entities import AppliedSla, SlaPause
from desk_core.tickets.entities import Ticket

TIMER = "sla"
"""Kind of the work item behind every running clock."""

OVER = (ClockState.MET.value, ClockState.LATE.value, ClockState.STOPPED.value)


def lane(ticket_id: str, metric: str) -> str:
    return f"sla:{ticket_id}:{metric}"


def _clock(row: AppliedSla, ctx: Context) -> Clock:
    """The pure clock of a row; its ledger stays in the table."""
    return Clock(
        metric=Metric(row.metric),
        calendar=ctx.config.calendars[row.calendar_key],
        target=timedelta(seconds=row.target),
        started_at=row.started_at,
        running_since=row.running_since,
        consumed=timedelta(seconds=row.consumed),
        breached_at=row.breached_at,
        met_at=row.met_at,
        stopped_at=row.started_at if row.state == ClockState.STOPPED else None,
    )


async def _keep(uow: UnitOfWork, ctx: Context, row: AppliedSla, clock: Clock) -> None:
    """Write a clock back to its row and set or drop its timer."""
    timer = _written(ctx, row, clock)
    if timer is not None:
        await queue.set_timer(uow, **timer)
        ctx.wake(uow)
    else:
        await queue.cancel(uow, lane(row.ticket_id, row.metric))


def _written(ctx: Context, row: AppliedSla, clock: Clock) -> dict[str, Any] | None:
    """Write a clock back to its row; the timer that it needs, if it runs."""
    row.state = clock.state(ctx.now).value
    row.running_since, row.consumed, row.met_at = clock.running_since, int(clock.consumed.total_seconds()), clock.met_at
    row.breached_at = clock.breached_at
    if not clock.is_running:
        return None
    row.due_at, row.at_risk_at = clock.due_at(ctx.now), clock.at_risk_at(ctx.now)
    return {
        "lane": lane(row.ticket_id, row.metric),
        "kind": TIMER,
        "payload": {"ticket_id": row.ticket_id, "metric": row.metric},
        "run_at": row.at_risk_at if row.at_risk_at > ctx.now else row.due_at,
    }


_CLOCKS: PreparedEntities[AppliedSla] = PreparedEntities(
    select(AppliedSla).where(AppliedSla.ticket_id == bindparam("ticket")).order_by(AppliedSla.started_at), AppliedSla
)


async def clocks(uow: UnitOfWork, ticket_id: str) -> list[AppliedSla]:
    return await _CLOCKS.all(uow.session, {"ticket": ticket_id})


async def start(uow: UnitOfWork, ctx: Context, ticket: Ticket, metric: Metric, *, rows: list[AppliedSla]) -> None:
    """Begin a promise by the policy of the ticket's team and priority; an earlier one of the same metric begins anew."""
    begun = _begun(uow, ctx, ticket, metric, rows)
    if begun is not None:
        await _keep(uow, ctx, *begun)


async def start_first(uow: UnitOfWork, ctx: Context, ticket: Ticket, metrics: Sequence[Metric], *, rows: list[AppliedSla]) -> None:
    """Begin the promises of a request that is being opened."""
    begun = [one for metric in metrics if (one := _begun(uow, ctx, ticket, metric, rows)) is not None]
    timers = [timer for row, clock in begun if (timer := _written(ctx, row, clock)) is not None]
    await queue.start_timers(uow, timers)
    if timers:
        ctx.wake(uow)


def _begun(uow: UnitOfWork, ctx: Context, ticket: Ticket, metric: Metric, rows: list[AppliedSla]) -> tuple[AppliedSla, Clock] | None:
    policy = ctx.config.policy_for(ctx.config.team_by_id(ticket.team_id))
    target = policy.target(ticket.priority, metric)
    if target is None:
        return None
    row = next((row for row in rows if row.metric == metric), None)
    if row is None:
        row = AppliedSla(id=new_id(), ticket_id=ticket.id, metric=metric.value)
        uow.add(row)
        rows.append(row)
    row.policy_key, row.calendar_key, row.target = policy.key, policy.calendar, target
    row.started_at, row.breached_at, row.due_at, row.at_risk_at = ctx.now, None, None, None
    return row, Clock.start(metric, target=timedelta(seconds=target), at=ctx.now, calendar=ctx.config.calendars[policy.calendar])


async def retarget(uow: UnitOfWork, ctx: Context, ticket: Ticket, rows: list[AppliedSla]) -> None:
    """After a change of priority or team: running and paused clocks get the new target and keep what they have used."""
    policy = ctx.config.policy_for(ctx.config.team_by_id(ticket.team_id))
    for row in rows:
        target = policy.target(ticket.priority, Metric(row.metric))
        if row.state in OVER or target is None or (row.target, row.policy_key) == (target, policy.key):
            continue
        used = _clock(row, ctx).used(ctx.now)
        row.target, row.policy_key, row.calendar_key = target, policy.key, policy.calendar
        row.consumed, row.breached_at = int(used.total_seconds()), None
        if row.running_since is not None:
            row.running_since = ctx.now
        await _keep(uow, ctx, row, _clock(row, ctx))


async def pause(
    uow: UnitOfWork, ctx: Context, rows: list[AppliedSla], *, reason: str, by: str, metrics: tuple[Metric, ...] = tuple(Metric)
) -> None:
    """Stop the running clocks of these metrics and write the ledger."""
    for row in rows:
        clock = _clock(row, ctx)
        if clock.is_running and clock.metric in metrics:
            await _keep(uow, ctx, row, clock.pause(ctx.now, reason=reason, by=by))
            uow.add(SlaPause(id=new_id(), applied_id=row.id, started_at=ctx.now, ended_at=None, reason=reason, by=by))


async def resume(uow: UnitOfWork, ctx: Context, rows: list[AppliedSla]) -> None:
    """Let every paused clock run on."""
    for row in rows:
        clock = _clock(row, ctx)
        if clock.is_paused:
            await _keep(uow, ctx, row, clock.resume(ctx.now))
            await _end_pauses(uow, row, ctx.now)


async def meet(uow: UnitOfWork, ctx: Context, rows: list[AppliedSla], metric: Metric) -> None:
    """The promise of this metric is fulfilled."""
    for row in rows:
        if row.metric == metric and row.state not in OVER:
            await _keep(uow, ctx, row, _clock(row, ctx).meet(ctx.now))
            await _end_pauses(uow, row, ctx.now)


async def owe_again(uow: UnitOfWork, ctx: Context, rows: list[AppliedSla], *, met_at: datetime) -> None:
    """What was fulfilled at this moment is owed after all, as if nothing had happened."""
    for row in rows:
        if row.met_at == met_at:
            row.met_at = None
            await uow.execute(update(SlaPause).where(SlaPause.applied_id == row.id, SlaPause.ended_at == met_at).values(ended_at=None))
            await _keep(uow, ctx, row, _clock(row, ctx))


async def stop(uow: UnitOfWork, ctx: Context, rows: list[AppliedSla], *, metrics: tuple[Metric, ...] = tuple(Metric)) -> None:
    """Nothing of these metrics is owed any more."""
    for row in rows:
        if row.state not in OVER and row.metric in metrics:
            await _keep(uow, ctx, row, _clock(row, ctx).stop(ctx.now))
            row.state = ClockState.STOPPED.value
            await _end_pauses(uow, row, ctx.now)


async def _end_pauses(uow: UnitOfWork, row: AppliedSla, now: datetime) -> None:
    await uow.flush()
    await uow.execute(update(SlaPause).where(SlaPause.applied_id == row.id, SlaPause.ended_at.is_(None)).values(ended_at=now))


@dataclass(frozen=True, slots=True)
class Promise:
    metric: str
    due_at: datetime


def promise(rows: list[AppliedSla]) -> Promise | None:
    """What is owed next: an answer before a solution."""
    owed = {row.metric: row.due_at for row in rows if row.state in (ClockState.RUNNING, ClockState.BREACHED) and row.due_at is not None}
    for metric in Metric:
        if due_at := owed.get(metric.value):
            return Promise(metric.value, due_at)
    return None


def note_promise(ticket: Ticket, rows: list[AppliedSla]) -> None:
    """Keep the nearest deadline on the ticket, where lists sort by it."""
    owed = promise(rows)
    ticket.next_due_at, ticket.next_due_metric = (owed.due_at, owed.metric) if owed else (None, None)


async def ring(uow: UnitOfWork, ctx: Context, ticket: Ticket, metric: str) -> str | None:
    """A timer of this clock went off. Answers "at_risk", "breached" or None when it no longer matters; sets the next timer."""
    rows = await clocks(uow, ticket.id)
    row = next((row for row in rows if row.metric == metric), None)
    if row is None or not _clock(row, ctx).is_running or row.due_at is None:
        return None
    clock = _clock(row, ctx)
    if clock.due_at(ctx.now) <= ctx.now:
        if row.breached_at is not None:
            return None
        row.breached_at, row.state = clock.due_at(ctx.now), ClockState.BREACHED.value
        return "breached"
    return "at_risk"
