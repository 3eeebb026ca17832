"""The operator's lists at 100,000 requests: every view's first page and the counters, on SQLite and PostgreSQL."""

import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import insert

from benchmarks.report import Row
from benchmarks.running import folder
from desk_core import migrations
from desk_core.kit.db import Database
from desk_core.kit.ids import new_id
from desk_core.people.entities import Agent, Contact, Team
from desk_core.tickets import repository
from desk_core.tickets.entities import Ticket
from desk_core.tickets.repository import TicketFilters, View
from tests.services import start_postgres

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
STATUSES = ("closed",) * 16 + ("open", "new", "waiting", "resolved")
VIEWS = (View.MINE, View.UNASSIGNED, View.MY_LINE, View.OVERDUE, View.WAITING, View.ALL)


def measure(*, quick: bool) -> list[Row]:
    count = 20_000 if quick else 100_000
    with folder("lists") as place:
        rows = asyncio.run(_on(f"sqlite+aiosqlite:///{place / 'desk.sqlite3'}", "SQLite", count))
        server = start_postgres()
        try:
            rows += asyncio.run(_on(server.url(), "PostgreSQL", count))
        finally:
            server.remove()
    return rows


async def _on(url: str, name: str, count: int) -> list[Row]:
    database = Database.connect(url)
    try:
        if database.path is not None:
            Path(database.path).parent.mkdir(parents=True, exist_ok=True)
        await migrations.upgrade(database)
        agent = await _fill(database, count)
        spent: list[float] = []
        for view in VIEWS:
            filters = TicketFilters(view=view, agent_id=agent, lines=(1, 2), now=NOW)
            spent += await _timed(database, lambda session, chosen=filters: repository.page(session, chosen))  # type: ignore[misc]
        counting = await _timed(
            database, lambda session: repository.counters(session, agent_id=agent, lines=(1, 2), now=NOW)
        )  # fmt: skip
    finally:
        await database.close()
    return [
        Row.of(f"request list at {count:,} requests, p95 of all views, {name}", _p95(spent), "ms", at_most=100),
        Row.of(f"counters at {count:,} requests, p95, {name}", _p95(counting), "ms", at_most=100),
    ]


async def _timed(database: Database, query: Callable[[Any], Awaitable[object]], times: int = 20) -> list[float]:
    spent = []
    for _time in range(times):
        began = time.perf_counter()
        async with database.read() as session:
            await query(session)
        spent.append((time.perf_counter() - began) * 1000)
    return spent


def _p95(values: Sequence[float]) -> float:
    return statistics.quantiles(values, n=20)[-1]


async def _fill(database: Database, count: int) -> str:
    """People, teams, and requests of a year, four fifths of them closed."""
    agent, contact, teams = new_id(), new_id(), [new_id() for _team in range(5)]
    async with database.unit() as uow:
        uow.add(Contact(id=contact, name="Somebody", language="ru", time_zone=None, organisation_id=None, facts={}, created_at=NOW))
        uow.add(
            Agent(
                id=agent, email="agent@bench.example", name="Agent", password_hash="-", role="agent", language="ru", time_zone="UTC",
                availability="online", seen_at=None, load_cap=20, skills=[], last_assigned_at=None, disabled_at=None, created_at=NOW,
            )
        )  # fmt: skip
        for place, team in enumerate(teams):
            uow.add(
                Team(id=team, key=f"team{place}", titles={"en": f"Team {place}"}, line=1 + place % 3, calendar_key=None, policy_key=None)
            )
        await uow.flush()
        for start in range(0, count, 2000):
            await uow.execute(insert(Ticket), [_ticket(number, agent, contact, teams) for number in range(start, start + 2000)])
    return agent


def _ticket(number: int, agent: str, contact: str, teams: Sequence[str]) -> dict[str, Any]:
    status = STATUSES[number * 7 % len(STATUSES)]
    opened = NOW - timedelta(minutes=number * 5)
    done = status == "closed"
    return {
        "id": new_id(), "number": 1001 + number, "status": status, "kind": "incident", "category_key": "hardware.printer",
        "category_confidence": 0.9, "category_source": "model", "triage": {}, "impact": "individual", "urgency": "medium",
        "priority": f"P{1 + number % 4}", "team_id": teams[number % 5], "line": 1 + number % 3,
        "assignee_id": agent if number % 9 == 0 else None, "contact_id": contact, "conversation_id": None, "inbox_id": None,
        "channel": "email", "language": "ru", "subject": f"Request {number}", "slots": {}, "tags": [], "why_here": {}, "hand_over": {},
        "last_speaker": "contact", "last_speaker_name": "Somebody", "last_message_at": opened, "snippet": "words", "unread": not done,
        "next_due_at": None if done else opened + timedelta(hours=4), "next_due_metric": None if done else "first_response",
        "reminded_at": None, "opened_at": opened, "updated_at": opened, "resolved_at": None, "closed_at": opened if done else None,
        "resolution": None, "rating_score": None, "rating_comment": None, "rated_at": None, "token": new_id(), "version": 1,
    }  # fmt: skip
