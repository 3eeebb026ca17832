"""aiosqlite under SQLAlchemy with one thread round trip for a statement instead of four, or none at all.

SQLAlchemy's own adapter asks aiosqlite's thread to open a cursor, to execute, to fetch and to close: four round trips of 80 to 240
microseconds each around a statement that takes SQLite 20. Here a statement is one round trip, and on a connection that is `inline`
none: it runs in the event loop itself. That suits a write transaction, whose statements are small and wait for nobody once it has
begun, and a glance by key. A write transaction begins in the loop too where nobody else holds the lock; whatever waits for that lock or
for the disk (commit, roll back what was written) goes to the thread.
"""

import sqlite3
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import aiosqlite
from sqlalchemy import Dialect
from sqlalchemy.dialects.sqlite.aiosqlite import (
    AsyncAdapt_aiosqlite_connection,
    AsyncAdapt_aiosqlite_cursor,
    AsyncAdapt_aiosqlite_dbapi,
)
from sqlalchemy.util import await_

BEGIN_WRITE = "BEGIN IMMEDIATE"
WAIT_MS = 30_000
"""Milliseconds a statement waits for a lock that another process holds."""

_Outcome = tuple[Any, int, int | None, Sequence[Any]]


def _run(connection: sqlite3.Connection, statement: str, parameters: Any) -> _Outcome:
    cursor = connection.execute(statement, parameters or ())
    try:
        rows = cursor.fetchall() if cursor.description else ()
        return cursor.description, cursor.rowcount, cursor.lastrowid, rows
    finally:
        cursor.close()


def _run_many(connection: sqlite3.Connection, statement: str, parameters: Any) -> _Outcome:
    cursor = connection.executemany(statement, parameters)
    try:
        return cursor.description, cursor.rowcount, cursor.lastrowid, ()
    finally:
        cursor.close()


def _begin_patiently(connection: sqlite3.Connection, statement: str, parameters: Any) -> _Outcome:
    connection.execute(f"PRAGMA busy_timeout={WAIT_MS}")
    try:
        return _run(connection, statement, parameters)
    finally:
        connection.execute("PRAGMA busy_timeout=0")


def _roll_back(connection: sqlite3.Connection, _statement: str, _parameters: Any) -> _Outcome:
    connection.rollback()
    return None, -1, None, ()


class _Thread(aiosqlite.Connection):
    """aiosqlite's connection with its thread, open to us: work for the thread, and the connection itself for work in the loop."""

    def __init__(self, connector: Callable[[], sqlite3.Connection]) -> None:
        super().__init__(connector, iter_chunk_size=64)
        # A thread that waits for work must not keep a process alive that has nothing left to do.
        self._thread.daemon = True

    @property
    def raw(self) -> sqlite3.Connection:
        """Raises `ValueError` once closed."""
        return self._conn

    @property
    def is_open(self) -> bool:
        return self._connection is not None

    async def run(self, work: Callable[..., _Outcome], *arguments: Any) -> _Outcome:
        outcome: _Outcome = await self._execute(work, self.raw, *arguments)  # type: ignore[no-untyped-call]  # aiosqlite leaves it open
        return outcome


class _Cursor(AsyncAdapt_aiosqlite_cursor):
    """A cursor that holds what its statement left behind; nothing of it stays open in SQLite."""

    __slots__ = ("_outcome", "arraysize")

    def __init__(self, adapt_connection: "SqliteConnection") -> None:
        self._adapt_connection: SqliteConnection = adapt_connection
        self._rows = deque()
        self._outcome: _Outcome = (None, -1, None, ())
        self.arraysize = 1

    @property
    def description(self) -> Any:
        return self._outcome[0]

    @property
    def rowcount(self) -> int:
        return self._outcome[1]

    @property
    def lastrowid(self) -> Any:
        return self._outcome[2]

    def execute(self, operation: Any, parameters: Any = None) -> Any:
        self._outcome = self._adapt_connection.do(_run, operation, parameters)
        self._rows = deque(self._outcome[3])

    def executemany(self, operation: Any, seq_of_parameters: Any) -> Any:
        self._outcome = self._adapt_connection.do(_run_many, operation, seq_of_parameters)

    def setinputsizes(self, *inputsizes: Any) -> None:
        """SQLite knows no sizes."""

    def close(self) -> None:
        self._rows.clear()

    async def _async_soft_close(self) -> None:
        """There is nothing open to close."""


class SqliteConnection(AsyncAdapt_aiosqlite_connection):
    """One connection; it belongs to one task at a time, as its pool sees to.

    `writes` marks the connection of the write transactions; `inline` may be switched while no statement runs.
    """

    __slots__ = ("_in_thread", "_thread", "dialect", "inline", "writes")

    _cursor_cls = _Cursor  # type: ignore[assignment]  # its class variable is annotated with the class, not with its base

    def __init__(self, dbapi: Any, thread: _Thread) -> None:
        super().__init__(dbapi, thread)  # type: ignore[arg-type]  # the protocol asks for more than the adapter uses
        self._thread = thread
        self.inline = self.writes = False
        self.dialect: Dialect
        """Whose types its values have; set by whoever hands it prepared statements."""
        self._in_thread = False

    @property
    def is_open(self) -> bool:
        return self._thread.is_open

    @property
    def in_transaction(self) -> bool:
        return self._thread.is_open and self._thread.raw.in_transaction

    def now(self, statement: str, parameters: Sequence[Any]) -> tuple[int, Sequence[tuple[Any, ...]]]:
        """Run one statement in the loop, inside a transaction that has begun: rows touched, and rows of the answer.

        Raises the driver's own errors. Only for a connection that is `inline`.
        """
        self._must_be_open()
        _, touched, _, rows = _run(self._thread.raw, statement, parameters)
        return touched, rows

    async def begin(self) -> None:
        """Begin a transaction, in the loop where nobody else writes. Raises the driver's own errors; only for an `inline` one."""
        self._must_be_open()
        statement = self.beginning
        try:
            _run(self._thread.raw, statement, ())
        except sqlite3.OperationalError as error:
            if not self.writes or error.sqlite_errorcode != sqlite3.SQLITE_BUSY:
                raise
            await self._aside(_begin_patiently, statement)

    async def commit_aside(self) -> None:
        """Commit in the thread, since that waits for the disk. Raises the driver's own errors."""
        self._must_be_open()
        if self._thread.raw.in_transaction:
            await self._aside(_run, "COMMIT")

    async def leave(self) -> None:
        """End a transaction that is still open, undoing what it wrote."""
        if self._in_thread or (self.writes and self.in_transaction):
            await self._aside(_roll_back, "")  # behind what the thread is at where the task was cancelled, whatever that has begun
        elif self.in_transaction:
            self._thread.raw.rollback()

    @property
    def beginning(self) -> str:
        """The statement that begins a transaction here."""
        return BEGIN_WRITE if self.writes else "BEGIN"

    async def _aside(self, work: Callable[[sqlite3.Connection, str, Any], _Outcome], statement: str) -> None:
        self._in_thread = True
        try:
            await self._thread.run(work, statement, ())
        except sqlite3.Error:
            self._in_thread = False
            raise
        self._in_thread = False

    def _must_be_open(self) -> None:
        if not self._thread.is_open:
            raise sqlite3.OperationalError("the connection is closed")

    def do(self, work: Callable[[sqlite3.Connection, str, Any], _Outcome], statement: str, parameters: Any) -> _Outcome:
        """Run one statement, in the loop or in the connection's thread."""
        try:
            if self.inline:
                try:
                    return work(self._thread.raw, statement, parameters)
                except sqlite3.OperationalError as error:
                    if statement != BEGIN_WRITE or error.sqlite_errorcode != sqlite3.SQLITE_BUSY:
                        raise
                work = _begin_patiently  # another process writes just now
            self._in_thread = True
            outcome: _Outcome = await_(self._thread.run(work, statement, parameters))
            self._in_thread = False
        except Exception as error:  # noqa: BLE001 - the adapter's own duty: every error of the driver leaves in the dialect's words
            self._in_thread = False
            self._handle_exception(error)
        return outcome

    def rollback(self) -> None:
        # The pool rolls back every connection it takes back; after a commit that is nothing, and needs no round trip. Where the task
        # was cancelled while the thread was at work, nobody knows yet what the thread has begun.
        if self._thread.is_open and (self._in_thread or self._thread.raw.in_transaction):
            if self.inline and not self._in_thread and not self.writes:
                self._thread.raw.rollback()
            else:
                super().rollback()
                self._in_thread = False

    def commit(self) -> None:
        if self._thread.is_open and self._thread.raw.in_transaction:
            super().commit()


class SqliteDriver(AsyncAdapt_aiosqlite_dbapi):
    """Given to an engine as its `module`."""

    def __init__(self) -> None:
        super().__init__(aiosqlite, sqlite3)

    def connect(self, *arg: Any, **kw: Any) -> SqliteConnection:
        # Statements come from two threads, never at once.
        connector = partial(sqlite3.connect, *arg, **{**kw, "check_same_thread": False})
        thread = _Thread(connector)
        await_(thread)
        return SqliteConnection(self, thread)
