"""The SQLite driver: in the thread or in the loop, the same rows, the same errors, and nothing left behind by who was cancelled."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError, OperationalError

from desk_core.kit.db import Database
from desk_core.kit.errors import StoreUnavailable
from desk_core.kit.prepared import Prepared


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    made = Database.connect(f"sqlite+aiosqlite:///{tmp_path / 'desk.sqlite3'}")
    async with made.unit() as uow:
        await uow.execute(text("CREATE TABLE words (id INTEGER PRIMARY KEY, word TEXT UNIQUE)"))
    yield made
    await made.close()


async def words(database: Database) -> list[str]:
    async with database.read() as session:
        return list(await session.scalars(text("SELECT word FROM words ORDER BY id")))


async def test_reading_glancing_and_writing_see_the_same_rows(database: Database) -> None:
    async with database.unit() as uow:
        result = await uow.execute(text("INSERT INTO words (word) VALUES ('приём') RETURNING id"))
        assert result.scalar_one() == 1
        await uow.execute(text("INSERT INTO words (word) VALUES (:word)"), [{"word": "over"}, {"word": "to you"}])
        moved = await uow.execute(text("UPDATE words SET word = word || '!'"))
        assert moved.rowcount == 3
    assert await words(database) == ["приём!", "over!", "to you!"]
    async with database.glance() as session:
        assert await session.scalar(text("SELECT count(*) FROM words")) == 3


async def test_a_glance_cannot_write(database: Database) -> None:
    with pytest.raises(StoreUnavailable):
        async with database.glance() as session:
            await session.execute(text("INSERT INTO words (word) VALUES ('no')"))
    assert await words(database) == []


async def test_errors_keep_their_meaning_in_the_loop(database: Database) -> None:
    with pytest.raises(IntegrityError):
        async with database.unit() as uow:
            await uow.execute(text("INSERT INTO words (word) VALUES ('once')"))
            await uow.execute(text("INSERT INTO words (word) VALUES ('once')"))
    assert await words(database) == []


@pytest.mark.parametrize("prepared", [False, True])
async def test_a_writer_that_is_cancelled_while_it_waits_to_begin_leaves_nothing_behind(
    database: Database, tmp_path: Path, *, prepared: bool
) -> None:
    other = sqlite3.connect(tmp_path / "desk.sqlite3", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")

    async def write() -> None:
        async with database.unit() as uow:
            statement = text("INSERT INTO words (word) VALUES ('cancelled')")
            await (Prepared(statement).run(uow.session, {}) if prepared else uow.execute(statement))

    waiting = asyncio.create_task(write())
    await asyncio.sleep(0.1)
    waiting.cancel()
    other.execute("ROLLBACK")
    other.close()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    async with database.unit() as uow:
        await uow.execute(text("INSERT INTO words (word) VALUES ('next')"))
    assert await words(database) == ["next"]


async def test_the_loop_goes_on_while_a_writer_waits_for_another_process(database: Database, tmp_path: Path) -> None:
    other = sqlite3.connect(tmp_path / "desk.sqlite3", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    beats = 0

    async def beat() -> None:
        nonlocal beats
        while True:
            await asyncio.sleep(0.01)
            beats += 1

    async def let_go() -> None:
        await asyncio.sleep(0.3)
        other.execute("ROLLBACK")

    heart, release = asyncio.create_task(beat()), asyncio.create_task(let_go())
    async with database.unit() as uow:
        await uow.execute(text("INSERT INTO words (word) VALUES ('patient')"))
    heart.cancel()
    await release
    other.close()
    assert beats > 5
    assert await words(database) == ["patient"]


async def test_a_store_that_is_gone_says_so(tmp_path: Path) -> None:
    gone = Database.connect(f"sqlite+aiosqlite:///{tmp_path / 'no' / 'such' / 'folder.sqlite3'}")
    with pytest.raises((StoreUnavailable, OperationalError)):
        await gone.ping()
    await gone.close()
