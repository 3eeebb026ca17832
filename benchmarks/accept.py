"""Durable accept: our `Intake` beside the bare driver that makes the same three inserts with the same durability.

The baseline is the driver as its user would write it for many senders: one coroutine gathers what is waiting and commits it together.
That is the harder of the two baselines; the other one, a transaction for every message, is printed beside it. Both start from a plain
dictionary, while ours starts from the adapter's `InboundMessage` and also says which messages were known before.
"""

import asyncio
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

import aiosqlite
import asyncpg
import orjson

from benchmarks.report import Row
from desk_core.conversations.entities import Inbox
from desk_core.conversations.ports import InboundKind, InboundMessage, Sender
from desk_core.kit.blobs import DirectoryBlobs
from desk_core.kit.clock import SystemClock
from desk_core.kit.db import Database
from desk_core.kit.ids import new_id
from desk_core.lanes.signal import LocalSignal
from gateway.flows.intake import Intake
from tests.services import Stores, start_postgres

SENDERS = 64
ROUNDS = 3
BATCH = 128
TEXT = "Здравствуйте! Второй день не подключается VPN из дома, пишет ошибку 809. Перезагружал ноутбук и роутер, не помогло."
RAW = b'{"update_id": 1, "message": {"message_id": 7, "text": "' + TEXT.encode() + b'"}}' + b" " * 400

Place = tuple[int, int]  # sender, number of the message; -1 warms up
Send = Callable[[Place], Awaitable[None]]


class Store(Protocol):
    """The three inserts of one accept, by the bare driver."""

    async def group(self, rows: Sequence[tuple[str, dict[str, Any], bytes]]) -> set[str]: ...

    async def single(self, row: tuple[str, dict[str, Any], bytes]) -> None: ...

    async def close(self) -> None: ...


class Sqlite:
    RAW = (
        "INSERT OR IGNORE INTO raw_inbound (id, inbox_id, external_id, lane, body, raw, request_id, received_at, state) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, 'pending')"
    )
    LANE = "INSERT INTO lanes (key, ready_at) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET ready_at = lanes.ready_at"
    ITEM = "INSERT INTO work_items (lane, kind, payload, run_at, attempts) VALUES (?, 'inbound', ?, ?, 0)"

    def __init__(self, connection: aiosqlite.Connection, inbox: str) -> None:
        self._connection, self._inbox, self._lock = connection, inbox.replace("-", ""), asyncio.Lock()

    @classmethod
    async def open(cls, url: str, inbox: str) -> "Sqlite":
        connection = await aiosqlite.connect(url.partition("///")[2], isolation_level=None)
        for pragma in ("journal_mode=WAL", "foreign_keys=ON", "synchronous=FULL", "cache_size=-16000"):
            await connection.execute(f"PRAGMA {pragma}")
        return cls(connection, inbox)

    def _rows(self, rows: Sequence[tuple[str, dict[str, Any], bytes]]) -> tuple[list[Any], list[Any], list[Any]]:
        raws, lanes, items = [], {}, []
        now = datetime.now(UTC).replace(tzinfo=None).isoformat(" ")
        for external, body, raw in rows:
            ident, request, lane = new_id().replace("-", ""), new_id(), body["lane"]
            raws.append((ident, self._inbox, external, lane, orjson.dumps(body).decode(), raw, request, now))
            lanes[lane] = now
            items.append((lane, orjson.dumps({"raw_id": ident, "request_id": request}).decode(), now))
        return raws, sorted(lanes.items()), items

    async def group(self, rows: Sequence[tuple[str, dict[str, Any], bytes]]) -> set[str]:
        raws, lanes, items = self._rows(rows)
        await self._connection.execute("BEGIN IMMEDIATE")
        await self._connection.executemany(self.RAW, raws)
        places = ",".join("?" * len(raws))
        found = await self._connection.execute_fetchall(
            f"SELECT external_id FROM raw_inbound WHERE id IN ({places})", [raw[0] for raw in raws]
        )
        await self._connection.executemany(self.LANE, lanes)
        await self._connection.executemany(self.ITEM, items)
        await self._connection.execute("COMMIT")
        return {row[0] for row in found}

    async def single(self, row: tuple[str, dict[str, Any], bytes]) -> None:
        (raw,), (lane,), (item,) = self._rows([row])
        async with self._lock:
            await self._connection.execute("BEGIN IMMEDIATE")
            await self._connection.execute(self.RAW, raw)
            await self._connection.execute(self.LANE, lane)
            await self._connection.execute(self.ITEM, item)
            await self._connection.execute("COMMIT")

    async def close(self) -> None:
        await self._connection.close()


class Postgres:
    RAW = (
        "INSERT INTO raw_inbound (id, inbox_id, external_id, lane, body, raw, request_id, received_at, state) "
        "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'pending') ON CONFLICT (inbox_id, external_id) DO NOTHING"
    )
    LANE = "INSERT INTO lanes (key, ready_at) VALUES ($1, $2) ON CONFLICT (key) DO UPDATE SET ready_at = lanes.ready_at"
    ITEM = "INSERT INTO work_items (lane, kind, payload, run_at, attempts) VALUES ($1, 'inbound', $2, $3, 0)"

    def __init__(self, pool: Any, inbox: str) -> None:
        self._pool, self._inbox = pool, inbox

    @classmethod
    async def open(cls, url: str, inbox: str) -> "Postgres":
        return cls(await asyncpg.create_pool(url.replace("+asyncpg", ""), min_size=10, max_size=10), inbox)

    def _rows(self, rows: Sequence[tuple[str, dict[str, Any], bytes]]) -> tuple[list[Any], list[Any], list[Any]]:
        raws, lanes, items = [], {}, []
        now = datetime.now(UTC)
        for external, body, raw in rows:
            ident, request, lane = new_id(), new_id(), body["lane"]
            raws.append((ident, self._inbox, external, lane, orjson.dumps(body).decode(), raw, request, now))
            lanes[lane] = now
            items.append((lane, orjson.dumps({"raw_id": ident, "request_id": request}).decode(), now))
        return raws, sorted(lanes.items()), items

    async def group(self, rows: Sequence[tuple[str, dict[str, Any], bytes]]) -> set[str]:
        raws, lanes, items = self._rows(rows)
        async with self._pool.acquire() as connection, connection.transaction():
            await connection.executemany(self.RAW, raws)
            found = await connection.fetch("SELECT external_id FROM raw_inbound WHERE id = ANY($1::uuid[])", [raw[0] for raw in raws])
            await connection.executemany(self.LANE, lanes)
            await connection.executemany(self.ITEM, items)
        return {row[0] for row in found}

    async def single(self, row: tuple[str, dict[str, Any], bytes]) -> None:
        (raw,), (lane,), (item,) = self._rows([row])
        async with self._pool.acquire() as connection, connection.transaction():
            await connection.execute(self.RAW, *raw)
            await connection.execute(self.LANE, *lane)
            await connection.execute(self.ITEM, *item)

    async def close(self) -> None:
        await self._pool.close()


class Gathering:
    """What a careful user of the driver writes: waiting senders share a commit."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._waiting: list[tuple[tuple[str, dict[str, Any], bytes], asyncio.Future[bool]]] = []
        self._flusher: asyncio.Task[None] | None = None

    async def accept(self, row: tuple[str, dict[str, Any], bytes]) -> bool:
        future: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._waiting.append((row, future))
        if self._flusher is None or self._flusher.done():
            self._flusher = asyncio.create_task(self._flush())
        return await future

    async def _flush(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting[:BATCH], self._waiting[BATCH:]
            fresh = await self._store.group([row for row, _ in batch])
            for row, future in batch:
                future.set_result(row[0] in fresh)


def measure(*, quick: bool) -> list[Row]:
    return asyncio.run(_measure(messages=1500 if quick else 6000))


async def _measure(*, messages: int) -> list[Row]:
    server = await asyncio.to_thread(start_postgres, durable=True)
    try:
        with tempfile.TemporaryDirectory(prefix="priyom-accept-") as folder:
            stores = Stores(Path(folder), server)
            return [
                *await _one("SQLite", stores, "sqlite", Sqlite.open, messages=messages, folder=Path(folder)),
                *await _one("PostgreSQL", stores, "postgresql", Postgres.open, messages=messages, folder=Path(folder)),
            ]
    finally:
        await asyncio.to_thread(server.remove)


async def _one(
    title: str, stores: Stores, kind: str, opened: Callable[[str, str], Awaitable[Store]], *, messages: int, folder: Path
) -> list[Row]:
    """Ours and both baselines in turns, each time on a fresh store; the middle of the rounds counts."""
    ours, grouped, singles, late = [], [], [], []
    for _round in range(ROUNDS):
        grouped.append(await _baseline(await stores.fresh(kind), opened, messages=messages, single=False))
        rate, p99 = await _intake(await stores.fresh(kind), messages=messages, folder=folder)
        ours.append(rate)
        late.append(p99)
        singles.append(await _baseline(await stores.fresh(kind), opened, messages=messages // 3, single=True))
    middle = ROUNDS // 2
    rate = sorted(ours)[middle]
    return [
        Row.of(
            f"durable accept, {title}, {SENDERS} senders; baseline: bare driver, senders share a commit", rate, "/s",
            baseline=sorted(grouped)[middle], at_least=1000, ratio_at_least=0.5,
        ),
        Row.of("the same; baseline: bare driver, a commit for every message", rate, "/s", baseline=sorted(singles)[middle]),
        Row.of(f"durable accept, {title}, p99 of waiting", sorted(late)[middle] * 1000, "ms"),
    ]  # fmt: skip


async def _inbox(database: Database) -> str:
    async with database.unit() as uow:
        inbox = Inbox(
            id=new_id(), name="bench", channel="telegram", address="bench", language="ru", state="active", config={}, secrets=None,
            last_received_at=None, last_success_at=None, last_error=None, created_at=SystemClock().now(), version=1,
        )  # fmt: skip
        uow.add(inbox)
    return inbox.id


def _places(messages: int) -> list[Place]:
    return [(sender, number) for sender in range(SENDERS) for number in range(-1, messages // SENDERS)]


def _message(inbox: str, place: Place, at: datetime) -> InboundMessage:
    return InboundMessage(
        kind=InboundKind.MESSAGE, external_id=f"{place[0]}:{place[1]}", lane=f"in:{inbox}:{place[0]}", thread_key=str(place[0]),
        sender=Sender(str(place[0]), "Анна Петрова", "ru", "anna"), at=at, text=TEXT,
    )  # fmt: skip


async def _intake(url: str, *, messages: int, folder: Path) -> tuple[float, float]:
    """Messages a second through `Intake`, and the 99th percentile of waiting."""
    database = Database.connect(url)
    inbox, clock = await _inbox(database), SystemClock()
    intake = Intake(database, clock=clock, signal=LocalSignal(), blobs=DirectoryBlobs(folder / "blobs"))
    made = {place: _message(inbox, place, clock.now()) for place in _places(messages)}

    async def send(place: Place) -> None:
        assert not (await intake(inbox, made[place], raw=RAW)).duplicate

    try:
        return await _rate(send, messages)
    finally:
        await database.close()


async def _baseline(url: str, opened: Callable[[str, str], Awaitable[Store]], *, messages: int, single: bool) -> float:
    """Messages a second by the bare driver."""
    database = Database.connect(url)
    inbox = await _inbox(database)
    await database.close()
    store = await opened(url, inbox)
    gathering = Gathering(store)
    made = {place: (f"{place[0]}:{place[1]}", _message(inbox, place, SystemClock().now()).to_json(), RAW) for place in _places(messages)}

    async def send(place: Place) -> None:
        if single:
            await store.single(made[place])
        else:
            assert await gathering.accept(made[place])

    try:
        rate, _late = await _rate(send, messages)
        return rate
    finally:
        await store.close()


async def _rate(send: Send, messages: int) -> tuple[float, float]:
    """Messages a second with every sender waiting for its answer before the next, and the 99th percentile of that waiting."""
    waits: list[float] = []

    async def sender(number: int) -> None:
        for place in range(messages // SENDERS):
            began = time.perf_counter()
            await send((number, place))
            waits.append(time.perf_counter() - began)

    await asyncio.gather(*(send((number, -1)) for number in range(SENDERS)))  # connections open, statements compile
    began = time.perf_counter()
    await asyncio.gather(*(sender(number) for number in range(SENDERS)))
    seconds = time.perf_counter() - began
    return len(waits) / seconds, sorted(waits)[int(len(waits) * 0.99)]
