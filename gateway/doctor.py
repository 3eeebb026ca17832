"""`priyom doctor`: what works, what does not, and what to do about it."""

import asyncio
import shutil
import time
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import text

from desk_core import migrations
from desk_core.conversations import repository
from desk_core.kit.blobs import human_size
from desk_core.kit.errors import DeskError
from desk_core.lanes import queue
from gateway.bootstrap import Desk
from gateway.environment import unknown_variables

LOW_DISK = 500 * 1024 * 1024
CLOCK_TOLERANCE = 5.0


async def examine(desk: Desk) -> list[dict[str, Any]]:
    """Every check as {check, passed, words, advice}; one that cannot run is a failed one, never an exception."""
    found = []
    for name, check in (
        ("store", _store),
        ("migrations", _migrations),
        ("desk", _set_up),
        ("redis", _redis),
        ("disk", _disk),
        ("clock", _clock),
        ("queue", _queue),
        ("inboxes", _inboxes),
        ("models", _models),
        ("settings", _settings),
    ):
        try:
            passed, words, advice = await check(desk)
        except (DeskError, OSError) as error:
            words = error.with_facts("en") if isinstance(error, DeskError) else str(error)
            passed, advice = False, "See the log, or fix the check above first."
        found.append({"check": name, "passed": passed, "words": words, "advice": "" if passed else advice})
    return found


Finding = tuple[bool, str, str]


async def _store(desk: Desk) -> Finding:
    began = time.perf_counter()
    await desk.database.ping()
    return True, f"{desk.database.dialect} answers in {(time.perf_counter() - began) * 1000:.0f} ms", ""


async def _migrations(desk: Desk) -> Finding:
    found, newest = await migrations.current(desk.database)
    if found is None:
        return False, "none were run: there is no desk in this store", "Run: priyom init. If the desk lies elsewhere, set PRIYOM_HOME."
    return found == newest, f"at {found}, the code needs {newest}", "Run: priyom db upgrade"


async def _set_up(desk: Desk) -> Finding:
    config = await desk.config()
    return (
        True,
        f"{len(config.categories)} categories, {len(config.teams)} teams, languages {', '.join(config.languages)}",
        "Run: priyom init",
    )


async def _redis(desk: Desk) -> Finding:
    url = desk.settings.redis.url.get_secret_value()
    if not url:
        return True, "not used: wake-ups stay inside the process", ""
    from redis.asyncio import Redis
    from redis.exceptions import RedisError

    client = Redis.from_url(url, socket_connect_timeout=2)
    try:
        await asyncio.wait_for(client.ping(), 3)
    except (RedisError, OSError, TimeoutError) as error:
        return False, type(error).__name__, "The desk works without it, with seconds of latency. Check PRIYOM_REDIS__URL."
    finally:
        await client.aclose()
    return True, "answers", ""


async def _disk(desk: Desk) -> Finding:
    home = desk.settings.home.resolve()
    existing = next(path for path in (home, *home.parents) if path.exists())
    free = shutil.disk_usage(existing).free
    return free > LOW_DISK, f"{human_size(free)} free for {desk.settings.home}", "Make room: without it messages are refused, not lost."


async def _clock(desk: Desk) -> Finding:
    async with desk.database.read() as session:
        value = await session.scalar(text("SELECT CURRENT_TIMESTAMP"))
    there = datetime.fromisoformat(value).replace(tzinfo=UTC) if isinstance(value, str) else value
    drift = abs((desk.clock.now() - there).total_seconds())
    return drift < CLOCK_TOLERANCE, f"{drift:.0f} s from the store's clock", "Set both machines by NTP: deadlines are kept by the clock."


async def _queue(desk: Desk) -> Finding:
    async with desk.database.read() as session:
        depth = await queue.depth(session, now=desk.clock.now())
    waited = (desk.clock.now() - depth.oldest_ready_at).total_seconds() if depth.oldest_ready_at else 0.0
    words = f"{depth.ready} lanes ready, oldest for {waited:.0f} s, {depth.items} items, {depth.dead} dead"
    return waited < 300 and depth.dead == 0, words, "Is a worker running (priyom run or priyom work)? Dead items: priyom dead list"


async def _inboxes(desk: Desk) -> Finding:
    async with desk.database.read() as session:
        rows = await repository.inboxes(session)
    broken = [f"{row.name}: {row.last_error}" for row in rows if row.last_error]
    words = "; ".join(broken) or ", ".join(f"{row.name} ({row.channel}, {row.state})" for row in rows) or "none"
    return bool(rows) and not broken, words, "Run: priyom inbox test NAME, or priyom inbox add --help"


async def _models(desk: Desk) -> Finding:
    current = {name: desk.registry.current(name) for name in ("category", "intent")}
    words = ", ".join(f"{name} {version}" for name, version in current.items() if version) or "none"
    return all(current.values()), words, "Run: priyom model train"


async def _settings(desk: Desk) -> Finding:
    strange = unknown_variables()
    named = ", ".join(f"{name} (did you mean {meant}?)" if meant else name for name, meant in strange.items())
    return (
        not strange,
        f"no such settings: {named}" if strange else "every variable PRIYOM_* is a setting",
        "They change nothing. Settings: docs/interface.md",
    )
