"""The lists of the console at 100,000 tickets: every view's first page, a deep page, and all counters, on both stores.

The baseline is what one page costs at 1,000 tickets: a list that reads its index costs the same at any size.
"""

import asyncio
import random
import tempfile
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, cast

from sqlalchemy import Table, insert, text

from benchmarks.report import Row
from desk_core.conversations.entities import Attachment, Conversation, Inbox, Message
from desk_core.kit.db import Database, ReadSession, UnitOfWork
from desk_core.kit.ids import new_id
from desk_core.people.entities import Agent, Contact, Team
from desk_core.tickets import repository
from desk_core.tickets.entities import Ticket
from desk_core.tickets.repository import TicketFilters, View
from tests.services import Stores, start_postgres

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
AIM_MS = 100
CHUNK = 2_000
AGENTS = 20
CONTACTS = 5_000
WORDS = "a page of a search by a word of many requests"
RARE = "a page of a search by a word of one message"
NOWHERE = "a page of a search by two words of which nothing is found"
SEARCHES = frozenset({WORDS, RARE, NOWHERE})
"""Measured without an aim: words are looked for in the newest 20,000 requests, messages and files until stored stems are there."""
SAID = (
    "Добрый день! С утра не получается открыть общую папку отдела, пишет, что нет доступа. Перезагружал компьютер два раза, не помогло. "
    "У коллег за соседними столами то же самое, а вчера вечером всё ещё работало. Посмотрите, пожалуйста, до обеда нужен отчёт. Спасибо! "
)
"""Twice this is about what people write by mail."""
VIEWS = (View.MINE, View.UNASSIGNED, View.MY_LINE, View.OVERDUE, View.WAITING, View.ALL, View.CLOSED)


COMMON: dict[str, Any] = {
    "kind": "incident", "category_key": "network.vpn", "category_confidence": 0.9, "category_source": "model", "triage": {},
    "impact": "individual", "urgency": "medium", "channel": "telegram", "language": "ru", "slots": {}, "tags": [], "why_here": {},
    "hand_over": {}, "last_speaker": "contact", "last_speaker_name": "Анна", "snippet": "пишет ошибку", "next_due_metric": "first_response",
    "reminded_at": None, "resolved_at": None, "closed_at": None, "resolution": None, "rating_score": None, "rating_comment": None,
    "rated_at": None, "version": 1,
}  # fmt: skip


def measure(*, quick: bool) -> list[Row]:
    return asyncio.run(_measure(tickets=20_000 if quick else 100_000, rounds=20 if quick else 60))


async def _measure(*, tickets: int, rounds: int) -> list[Row]:
    server = await asyncio.to_thread(start_postgres)
    try:
        with tempfile.TemporaryDirectory(prefix="priyom-lists-") as folder:
            stores, rows = Stores(Path(folder), server), list[Row]()
            for title, kind in (("SQLite", "sqlite"), ("PostgreSQL", "postgresql")):
                small, large = await _timed(stores, kind, 1_000, rounds), await _timed(stores, kind, tickets, rounds)
                rows += [
                    Row.of(
                        f"{what} at {tickets:,} tickets, {title}, p95; baseline: at 1,000", ours, "ms",
                        baseline=small[what], at_most=None if what in SEARCHES else AIM_MS,
                    )
                    for what, ours in large.items()
                ]  # fmt: skip
            return rows
    finally:
        await asyncio.to_thread(server.remove)


async def _timed(stores: Stores, kind: str, tickets: int, rounds: int) -> dict[str, float]:
    url = await stores.fresh(kind)
    database = Database.connect(url)
    try:
        agents = await _fill(database, tickets)
        me = agents[0]

        def filters(view: View) -> TicketFilters:
            return TicketFilters(view=view, now=NOW, agent_id=me, lines=(1, 2))

        async def pages(session: ReadSession) -> None:
            for view in VIEWS:
                await repository.page(session, filters(view))

        after: str | None = None
        async with database.read() as session:
            for _page in range(20):
                after = (await repository.page(session, filters(View.ALL), after=after)).after or after

        async def deep(session: ReadSession) -> None:
            await repository.page(session, filters(View.ALL), after=after)

        async def counters(session: ReadSession) -> None:
            await repository.counters(session, agent_id=me, lines=(1, 2), now=NOW)

        async def words(session: ReadSession, search: str) -> None:
            await repository.page(session, TicketFilters(view=View.ALL, now=NOW, agent_id=me, search=search))

        return {
            "a page of the list (mean of the seven views)": await _late(database, pages, rounds) / len(VIEWS),
            "the 21st page of all": await _late(database, deep, rounds),
            "all counters": await _late(database, counters, rounds),
            WORDS: await _late(database, partial(words, search="принтер"), rounds),
            RARE: await _late(database, partial(words, search=f"номер{tickets - 7}"), rounds),
            NOWHERE: await _late(database, partial(words, search="утра картридж"), rounds),
        }
    finally:
        await database.close()
        await stores.drop(url)


async def _late(database: Database, work: Callable[[ReadSession], Awaitable[None]], rounds: int) -> float:
    """95th percentile in milliseconds, each time in a session of its own, as a request has."""
    spent = []
    for number in range(rounds + 3):
        began = time.perf_counter()
        async with database.read() as session:
            await work(session)
        if number >= 3:
            spent.append((time.perf_counter() - began) * 1000)
    return sorted(spent)[int(len(spent) * 0.95)]


async def _fill(database: Database, tickets: int) -> list[str]:
    """Tickets of two years: most of them closed, some hundreds at work. The answer is the agents' ids."""
    chance = random.Random(7)
    async with database.unit() as uow:
        agents = await _people(uow, chance, contacts=min(CONTACTS, tickets))
    team, inbox, members, contacts, conversations = agents
    for start in range(0, tickets, CHUNK):
        rows = [
            _ticket(number, tickets, chance, team=team, inbox=inbox, members=members, contacts=contacts, conversations=conversations)
            for number in range(start, min(start + CHUNK, tickets))
        ]
        async with database.unit() as uow:
            await uow.execute(insert(cast("Table", Ticket.__table__)), rows)
            messages = [_message(row) for row in rows]
            await _insert(uow, Message, messages)
            await _insert(uow, Attachment, [_file(row) for row in messages])
    async with database.unit() as uow:
        await uow.execute(text("ANALYZE"))
    return members


async def _people(uow: UnitOfWork, chance: random.Random, *, contacts: int) -> tuple[str, str, list[str], list[str], list[str]]:
    team, inbox = new_id(), new_id()
    await _insert(uow, Team, [{"id": team, "key": "desk", "titles": {"en": "Desk"}, "line": 1, "calendar_key": None, "policy_key": None}])
    await _insert(uow, Inbox, [{
        "id": inbox, "name": "bench", "channel": "telegram", "address": "bench", "language": "ru", "state": "active", "config": {},
        "created_at": NOW, "version": 1,
    }])  # fmt: skip
    members, people, talks = [new_id() for _ in range(AGENTS)], [new_id() for _ in range(contacts)], [new_id() for _ in range(contacts)]
    await _insert(uow, Agent, [
        {"id": ident, "email": f"agent{number}@bench.example", "name": f"Оператор {number}", "password_hash": "x", "role": "agent",
         "language": "ru", "time_zone": "Europe/Moscow", "created_at": NOW}
        for number, ident in enumerate(members)
    ])  # fmt: skip
    await _insert(uow, Contact, [
        {"id": ident, "name": f"Человек {number}", "language": "ru", "facts": {}, "created_at": NOW} for number, ident in enumerate(people)
    ])  # fmt: skip
    await _insert(uow, Conversation, [
        {"id": ident, "inbox_id": inbox, "channel": "telegram", "contact_id": person, "thread_key": str(number), "baton": "queue",
         "dialogue": {}, "created_at": NOW, "updated_at": NOW - timedelta(minutes=chance.randrange(500_000)), "version": 1}
        for number, (ident, person) in enumerate(zip(talks, people, strict=True))
    ])  # fmt: skip
    return team, inbox, members, people, talks


async def _insert(uow: UnitOfWork, entity: Any, rows: list[dict[str, Any]]) -> None:
    """Rows by the table, with the defaults that the class would have filled in."""
    table = cast("Table", entity.__table__)
    defaults = {
        column.name: column.default.arg
        for column in table.columns
        if column.default is not None and column.default.is_scalar and column.name not in rows[0]
    }
    for start in range(0, len(rows), CHUNK):
        await uow.execute(insert(table), [{**defaults, **row} for row in rows[start : start + CHUNK]])


def _ticket(
    number: int,
    total: int,
    chance: random.Random,
    *,
    team: str,
    inbox: str,
    members: list[str],
    contacts: list[str],
    conversations: list[str],
) -> dict[str, Any]:
    working = number >= total - max(200, total // 200)
    status = chance.choice(("new", "open", "open", "waiting", "on_hold")) if working else chance.choice(("closed", "closed", "resolved"))
    opened = NOW - timedelta(minutes=(total - number) * 10 % 1_000_000)
    person = chance.randrange(len(contacts))
    subject = chance.choice(("Не печатает принтер", "VPN не подключается", "Нет доступа к папке", "Забыл пароль", "Monitor flickers"))
    return {
        **COMMON, "id": new_id(), "number": number + 1, "status": status, "priority": chance.choice(("P1", "P2", "P3")),
        "team_id": team, "line": chance.choice((1, 1, 1, 2, 3)), "assignee_id": chance.choice([None, *members]),
        "contact_id": contacts[person], "conversation_id": conversations[person], "inbox_id": inbox,
        "subject": f"{subject} {number}", "last_message_at": opened, "unread": working,
        "next_due_at": NOW + timedelta(minutes=chance.randrange(-300, 3000)) if working else None,
        "opened_at": opened, "updated_at": opened, "token": new_id(),
    }  # fmt: skip


def _message(ticket: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": new_id(), "conversation_id": ticket["conversation_id"], "inbox_id": ticket["inbox_id"], "ticket_id": ticket["id"],
        "direction": "inbound", "author_kind": "contact", "author": "Анна", "text": f"{SAID}{SAID}номер{ticket['number']}",
        "subject": ticket["subject"], "at": ticket["updated_at"],
    }  # fmt: skip


def _file(message: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": new_id(), "message_id": message["id"], "name": "Снимок экрана 2026-11-23.png", "size": 1, "sha256": "0" * 64,
        "content_type": "image/png",
    }  # fmt: skip
