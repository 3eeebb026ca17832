"""Is it alive, is it ready, how full is it: for load balancers, scripts and Prometheus."""

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from sqlalchemy import select

from desk_core import migrations
from desk_core.conversations.entities import Inbox
from desk_core.kit.errors import StoreUnavailable
from desk_core.lanes import queue
from gateway.bootstrap import Desk

router = APIRouter(include_in_schema=False)


@router.get("/healthz")
async def healthz() -> dict[str, str]:
    """This process answers."""
    return {"status": "ok"}


@router.get("/readyz")
async def readyz(request: Request) -> JSONResponse:
    """This process can store what it is given: the store answers and its schema is ours."""
    desk: Desk = request.app.state.desk
    try:
        await desk.database.ping()
        found, newest = await migrations.current(desk.database)
    except StoreUnavailable as error:
        return JSONResponse({"status": "unavailable", "reason": error.code}, status_code=503)
    if found != newest:
        return JSONResponse({"status": "unavailable", "reason": "migrations", "found": found, "needed": newest}, status_code=503)
    return JSONResponse({"status": "ready"})


@router.get("/metrics")
async def metrics(request: Request) -> Response:
    """Prometheus text: queue depth, oldest ready lane, dead items, accepted messages and accept latency, last received per inbox."""
    from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Gauge, generate_latest

    desk: Desk = request.app.state.desk
    now = desk.clock.now()
    registry = CollectorRegistry()
    async with desk.database.read() as session:
        depth = await queue.depth(session, now=now)
        received = (await session.execute(select(Inbox.name, Inbox.channel, Inbox.last_received_at, Inbox.state))).all()
    Gauge("priyom_lanes_ready", "Lanes that are ready to be worked on", registry=registry).set(depth.ready)
    Gauge("priyom_work_items", "Work items waiting, timers included", registry=registry).set(depth.items)
    Gauge("priyom_dead_items", "Dead items nobody has replayed", registry=registry).set(depth.dead)
    oldest = (now - depth.oldest_ready_at).total_seconds() if depth.oldest_ready_at else 0.0
    Gauge("priyom_oldest_ready_lane_seconds", "How long the oldest ready lane has waited", registry=registry).set(max(0.0, oldest))
    Gauge("priyom_accepted_messages", "Messages accepted by this process since it started", registry=registry).set(desk.accept.accepted)
    seconds = Gauge("priyom_accept_seconds", "Time from arrival to durable storage, recent quantiles", ["quantile"], registry=registry)
    for quantile, value in desk.accept.latency().items():
        seconds.labels(quantile).set(value)
    last = Gauge("priyom_inbox_last_received_timestamp", "When an inbox last received something", ["inbox", "channel"], registry=registry)
    active = Gauge("priyom_inbox_active", "Whether an inbox is active", ["inbox", "channel"], registry=registry)
    for row in received:
        last.labels(row.name, row.channel).set(row.last_received_at.timestamp() if row.last_received_at else 0)
        active.labels(row.name, row.channel).set(row.state == "active")
    return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)
