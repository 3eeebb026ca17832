"""Sessions of SQLite that keep their connection, for the hundreds of small looks and writes that every minute has.

To take a connection from its pool, to begin, to end and to give it back costs a session many times what SQLite takes for the few
statements in between. A kept session begins in the driver, with its first statement, and where only prepared statements ran it ends
there as well. SQLAlchemy joins that transaction with the first statement of its own.
"""

import sqlite3
from collections.abc import Sequence
from typing import Any, cast

from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, AsyncSession

from desk_core.kit.sqlite_driver import SqliteConnection

_DRIVER = "priyom_driver"


class KeptSessions:
    """Up to `at_most` sessions over connections of their own, each used by one task at a time."""

    def __init__(self, engine: AsyncEngine, *, at_most: int) -> None:
        self._engine, self._at_most = engine, at_most
        self._free: list[tuple[AsyncSession, AsyncConnection]] = []
        self._used: dict[AsyncSession, AsyncConnection] = {}
        self._opening = 0

    async def take(self) -> AsyncSession | None:
        """A session that nobody uses; None where all are in use. Give it back with `give`."""
        if self._free:
            session, connection = self._free.pop()
        elif len(self._used) + self._opening >= self._at_most:
            return None
        else:
            self._opening += 1
            try:
                session, connection = await self._open()
            finally:
                self._opening -= 1
        self._used[session] = connection
        return session

    def lent(self, session: AsyncSession) -> bool:
        """Whether it is one of these, in use."""
        return session in self._used

    async def give(self, session: AsyncSession) -> None:
        """Take a session back; what it has not committed is undone."""
        connection, driver = self._used.pop(session), driver_of(session)
        try:
            sync = session.sync_session
            if sync.in_transaction() or sync.identity_map or sync.new:
                await session.close()
            if driver is not None and driver.is_open:
                await driver.leave()
        except BaseException:
            await connection.invalidate()
            await connection.close()
            raise
        if driver is not None and driver.is_open:
            self._free.append((session, connection))
        else:
            await connection.close()  # it broke, or was cancelled in the middle

    async def close(self) -> None:
        """Close the connections that nobody uses; whoever asks again gets new ones."""
        free, self._free = self._free, []
        for _session, connection in free:
            await connection.close()

    async def _open(self) -> tuple[AsyncSession, AsyncConnection]:
        connection = await self._engine.connect()
        session = AsyncSession(bind=connection, expire_on_commit=False, autoflush=False)
        raw = await connection.get_raw_connection()
        driver = cast("SqliteConnection", raw.dbapi_connection)
        driver.inline, driver.dialect = True, connection.dialect
        session.info[_DRIVER] = driver
        return session, connection


def driver_of(session: AsyncSession) -> SqliteConnection | None:
    """The driver's connection of a kept session; None for all others."""
    return cast("SqliteConnection | None", session.info.get(_DRIVER))


async def begun(session: AsyncSession) -> SqliteConnection | None:
    """The same, in its transaction."""
    driver = driver_of(session)
    if driver is not None and not driver.in_transaction:
        with _Words(driver, "BEGIN"):
            await driver.begin()
    return driver


async def ended_in_driver(session: AsyncSession) -> bool:
    """Commit a kept session in which only prepared statements ran; False where it is another, whose own commit has to do it.

    Everything has been flushed. Raises what a session raises.
    """
    driver = driver_of(session)
    if driver is None or cast("AsyncConnection", session.bind).in_transaction():
        return False
    with _Words(driver, "COMMIT"):
        await driver.commit_aside()
    return True


def run_now(driver: SqliteConnection, statement: str, values: Sequence[Any]) -> tuple[int, Sequence[tuple[Any, ...]]]:
    """One statement in the loop, in the transaction that has begun: rows touched, and rows of the answer. Raises what a session raises."""
    try:
        return driver.now(statement, values)
    except sqlite3.Error as error:
        raise _in_words(error, driver, statement) from error


class _Words:
    """Errors of the driver leave this block in the words of SQLAlchemy, which those who handle them expect."""

    __slots__ = ("_driver", "_statement")

    def __init__(self, driver: SqliteConnection, statement: str) -> None:
        self._driver, self._statement = driver, statement

    def __enter__(self) -> None:
        return None

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, sqlite3.Error):
            raise _in_words(error, self._driver, self._statement) from error


def _in_words(error: sqlite3.Error, driver: SqliteConnection, statement: str) -> DBAPIError:
    """An error of the driver as a session would raise it."""
    told = DBAPIError.instance(statement, None, error, sqlite3.Error, hide_parameters=True, dialect=driver.dialect)
    return cast("DBAPIError", told)
