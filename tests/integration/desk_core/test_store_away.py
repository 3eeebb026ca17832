"""A database that shuts down, is away or starts up is told as "not now", so that whoever brought something keeps it and comes again."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import text

from desk_core.conversations import arrivals, repository
from desk_core.kit.db import Database
from desk_core.kit.errors import StoreUnavailable, TablesMissing
from desk_core.kit.ids import new_id
from tests.services import PostgresServer, Stores
from tests.services.stores import POSTGRESQL, SQLITE

pytestmark = pytest.mark.timeout(90)


@pytest.fixture
async def database(own_postgres: PostgresServer) -> AsyncIterator[Database]:
    opened = Database.connect(own_postgres.url())
    yield opened
    await opened.close()


async def knocks(database: Database, seen: set[str], over: asyncio.Event) -> None:
    """Read and write without a pause; anything but "not now" is a fault."""
    while not over.is_set():
        try:
            async with database.unit() as uow:
                await uow.execute(text("SELECT 1"))
            async with database.read() as session:
                await session.execute(text("SELECT 1"))
            seen.add("served")
        except StoreUnavailable:
            seen.add("not now")
        await asyncio.sleep(0.001)


async def test_every_moment_of_a_restart_is_not_now(database: Database, own_postgres: PostgresServer) -> None:
    seen: set[str] = set()
    over = asyncio.Event()
    knocking = [asyncio.create_task(knocks(database, seen, over)) for _ in range(4)]
    await asyncio.sleep(0.2)
    for end in (own_postgres.stop, own_postgres.kill):
        await asyncio.to_thread(end)
        await asyncio.sleep(0.3)
        await asyncio.to_thread(own_postgres.start)
        await asyncio.sleep(0.5)
    over.set()
    await asyncio.gather(*knocking)
    assert seen == {"served", "not now"}


async def test_a_read_only_store_is_not_now(database: Database) -> None:
    with pytest.raises(StoreUnavailable):
        async with database.unit() as uow:
            await uow.execute(text("SET TRANSACTION READ ONLY"))
            await uow.execute(text("CREATE TABLE nothing (id int)"))


async def test_a_wrong_statement_is_a_fault_and_says_so(database: Database) -> None:
    with pytest.raises(Exception, match="no_such_table") as told:
        async with database.unit() as uow:
            await uow.execute(text("SELECT * FROM no_such_table"))
    assert not isinstance(told.value, StoreUnavailable)


@pytest.mark.parametrize("kind", [SQLITE, POSTGRESQL])
async def test_a_store_without_a_desk_says_what_to_do(kind: str, stores: Stores, tmp_path: Path) -> None:
    opened = Database.connect(await stores.empty_postgres() if kind == POSTGRESQL else f"sqlite+aiosqlite:///{tmp_path / 'desk.sqlite3'}")
    with pytest.raises(TablesMissing, match="tables_missing") as told:
        async with opened.read() as session:
            await repository.inboxes(session)
    assert "priyom init" in told.value.text
    with pytest.raises(TablesMissing):
        async with opened.unit() as uow:
            await arrivals.note_done(uow, [new_id()], message_id=None)
    await opened.close()
