"""The store: engines for SQLite and PostgreSQL, read sessions, and the unit of work that alone may commit.

SQLite runs in WAL mode with one write connection that begins IMMEDIATE, so a write transaction never fails half way with
"database is locked"; PostgreSQL uses one pool. The same statements run on both.
"""

import re
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Any, ClassVar, NewType, Self, cast

import orjson
from sqlalchemy import JSON, Connection, Executable, LargeBinary, MetaData, String, event, make_url, text
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, class_mapper

from desk_core.kit.errors import StoreUnavailable, TablesMissing
from desk_core.kit.flushing import write_pending
from desk_core.kit.kept import KeptSessions, ended_in_driver
from desk_core.kit.sqlite_driver import WAIT_MS, SqliteConnection, SqliteDriver
from desk_core.kit.turns import Turns
from desk_core.kit.types import UtcDateTime

ReadSession = NewType("ReadSession", AsyncSession)
"""A session for reading; nothing written through it survives."""

GLANCES = 8
"""Look-ups at once that have a connection at hand; more of them take one from the pool."""


class Base(DeclarativeBase):
    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        datetime: UtcDateTime,
        dict[str, Any]: JSON,
        list[str]: JSON,
        list[Any]: JSON,
        bytes: LargeBinary,
        str: String,
    }

    def __init__(self, **values: Any) -> None:
        """A new entity. Of columns alone it takes the values as they are: nobody listens yet, and to set each by itself takes long."""
        if values.keys() <= _columns(type(self)):
            self.__dict__.update(values)
        else:
            self.registry.constructor(self, **values)


@cache
def _columns(entity: type[Base]) -> frozenset[str]:
    return frozenset(class_mapper(entity).column_attrs.keys())


class UnitOfWork:
    """One write transaction: commits when its block ends well, rolls back otherwise. Nobody else commits.

    `before_commit` adds what follows from everything done here, once for each key, to the same commit.
    `after_commit` callbacks (wake-ups, hints) run once the commit is durable; what they carry may be lost without harm.
    """

    def __init__(self, session: AsyncSession, *, dialect: str) -> None:
        self.session = session
        self.dialect = dialect
        self._before: dict[str, Callable[[], Awaitable[None]]] = {}
        self._after: list[Callable[[], Awaitable[None]]] = []
        self.holder: str | None = None
        """The lease token of the worker that runs this transaction, if one does."""
        self.held: dict[str, Any] = {}
        """The lanes begun here that this worker keeps, each with its first item."""

    async def execute(self, statement: Executable, params: Any = None) -> Any:
        return await self.session.execute(statement, params)

    async def scalars(self, statement: Executable, params: Any = None) -> Sequence[Any]:
        return (await self.session.scalars(statement, params)).all()

    async def scalar(self, statement: Executable, params: Any = None) -> Any:
        return await self.session.scalar(statement, params)

    def add(self, *entities: object) -> None:
        self.session.add_all(entities)

    async def flush(self) -> None:
        """Send pending inserts now, so that a later statement of this transaction can refer to them."""
        if not await write_pending(self.session):
            await self.session.flush()

    def before_commit(self, key: str, callback: Callable[[], Awaitable[None]]) -> None:
        self._before.setdefault(key, callback)

    def after_commit(self, callback: Callable[[], Awaitable[None]]) -> None:
        self._after.append(callback)

    async def _finish(self) -> None:
        # By key: units that follow the same things lock their lanes in the same order.
        for key in sorted(self._before):
            await self._before[key]()
        await self.flush()
        if not await ended_in_driver(self.session):
            await self.session.commit()
        for callback in self._after:
            await callback()


class _UnitContext:
    def __init__(self, database: "Database", *, urgent: bool) -> None:
        self._database, self._urgent = database, urgent
        self._unit: UnitOfWork | None = None

    async def __aenter__(self) -> UnitOfWork:
        if self._database.turns is not None:
            await self._database.turns.take(urgent=self._urgent)
        try:
            self._unit = await self._database.begin_unit()
        except BaseException as error:
            self._give_turn()
            _translate(error)
            raise
        return self._unit

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        assert self._unit is not None  # noqa: S101 - entered before left
        try:
            try:
                if error is None:
                    await self._unit._finish()  # noqa: SLF001 - the context is the other half of the unit of work
            finally:
                # Rolls back what is still open. It may fail too, when the connection died: the transaction died with it.
                await self._database.end_unit(self._unit)
        except (DBAPIError, OSError) as failure:
            _translate(failure)
            raise
        finally:
            self._give_turn()
        if error is not None:
            _translate(error)

    def _give_turn(self) -> None:
        if self._database.turns is not None:
            self._database.turns.give()


def _translate(error: BaseException) -> None:
    """Raise `StoreUnavailable` for a database that cannot serve now; other errors pass by."""
    if isinstance(error, DBAPIError) and _lacks_a_table(error):
        raise TablesMissing from error
    if is_store_failure(error):
        raise StoreUnavailable(reason=type(error).__name__) from error


def _lacks_a_table(error: DBAPIError) -> bool:
    """Whether a table of ours is not there; a statement about any other is a fault of its own."""
    told = str(error.orig)
    missing = _state(error) == _NO_SUCH_TABLE or told.startswith("no such table")
    return missing and not Base.metadata.tables.keys().isdisjoint(re.findall(r"\w+", told))


def is_store_failure(error: BaseException) -> bool:
    """Whether the store itself failed (full, read-only, gone, restarting), so that trying later may help."""
    if isinstance(error, OperationalError | InterfaceError | OSError | ConnectionError):
        return True
    return isinstance(error, DBAPIError) and (bool(error.connection_invalidated) or _state(error).startswith(_CANNOT_SERVE))


def is_conflict(error: BaseException) -> bool:
    """Whether the store ended this transaction only to let another one through; the same writes may simply be tried again."""
    return isinstance(error, DBAPIError) and _state(error) in _CONFLICTS


def _state(error: DBAPIError) -> str:
    """The SQLSTATE of a PostgreSQL error; empty for others."""
    return str(getattr(error.orig, "sqlstate", None) or "")


_CANNOT_SERVE = ("08", "53", "57", "58", "25006")
"""SQLSTATE of a store that is gone, full, shutting down or starting up, broken, or read-only; the driver calls none of them operational."""
_NO_SUCH_TABLE = "42P01"
_CONFLICTS = ("40001", "40P01")
"""A serialisation failure, a deadlock."""


class Database:
    """Engines and sessions of one desk. Build with `Database.connect(url)`; `await close()` at the end."""

    def __init__(self, *, writer: AsyncEngine, reader: AsyncEngine) -> None:
        self.writer = writer
        self.reader = reader
        self.dialect = writer.dialect.name
        self.turns = Turns() if self.dialect == "sqlite" else None
        """On SQLite, where one transaction writes at a time: what arrives must not wait for all the work in hand."""
        self._write_sessions = async_sessionmaker(writer, expire_on_commit=False, autoflush=False)
        self._read_sessions = async_sessionmaker(reader, expire_on_commit=False, autoflush=False)
        is_sqlite = self.turns is not None
        self._units = KeptSessions(writer, at_most=1) if is_sqlite else None
        self._glances = KeptSessions(reader, at_most=GLANCES) if is_sqlite else None

    @classmethod
    def connect(cls, url: str, *, pool_size: int = 10) -> Self:
        """Engines for `sqlite+aiosqlite:///path` or `postgresql+asyncpg://...`; connections open on first use."""
        if make_url(url).get_backend_name() == "sqlite":
            return cls(writer=_sqlite_engine(url, writer=True), reader=_sqlite_engine(url, writer=False))
        engine = create_async_engine(
            url, pool_size=pool_size, max_overflow=5, pool_pre_ping=True, json_serializer=_dumps, json_deserializer=orjson.loads,
            hide_parameters=True, connect_args={"server_settings": {"jit": "off"}},
        )  # fmt: skip
        return cls(writer=engine, reader=engine)

    @property
    def path(self) -> Path | None:
        """The SQLite file, or None on PostgreSQL."""
        database = self.writer.url.database
        return Path(database) if self.dialect == "sqlite" and database else None

    def unit(self, *, urgent: bool = False) -> _UnitContext:
        """`async with database.unit() as uow:` one write transaction; an `urgent` one waits for no more than one of the others."""
        return _UnitContext(self, urgent=urgent)

    async def begin_unit(self) -> UnitOfWork:
        """What `unit` gives; end it with `end_unit`."""
        kept = await self._units.take() if self._units is not None else None
        return UnitOfWork(kept or self._write_sessions(), dialect=self.dialect)

    async def end_unit(self, unit: UnitOfWork) -> None:
        """Give its session back; what was not committed is undone."""
        if self._units is not None and self._units.lent(unit.session):
            await self._units.give(unit.session)
        else:
            await unit.session.close()

    @asynccontextmanager
    async def read(self) -> AsyncIterator[ReadSession]:
        """A read session; on SQLite a snapshot that writers do not block. Raises `StoreUnavailable` when the store cannot serve."""
        session = self._read_sessions()
        try:
            try:
                yield cast("ReadSession", session)
            finally:
                await session.close()
        except (DBAPIError, OSError) as error:
            _translate(error)
            raise

    @asynccontextmanager
    async def glance(self) -> AsyncIterator[ReadSession]:
        """A read session for a few look-ups by key. On SQLite they run in the event loop, without the round trip to a thread that
        would cost ten times the look-up; whatever may scan a table belongs into `read`."""
        kept = self._glances
        try:
            session = await kept.take() if kept is not None else None
            if session is None or kept is None:
                async with self.read() as other:
                    yield other
                return
            try:
                yield cast("ReadSession", session)
            finally:
                await kept.give(session)
        except (DBAPIError, OSError) as error:
            _translate(error)
            raise

    async def ping(self) -> None:
        """One trivial statement; raises `StoreUnavailable` when the store does not answer."""
        async with self.read() as session:
            await session.execute(text("SELECT 1"))

    async def close(self) -> None:
        """Close what nobody uses; whoever asks again gets new connections."""
        for kept in (self._units, self._glances):
            if kept is not None:
                await kept.close()
        await self.writer.dispose()
        if self.reader is not self.writer:
            await self.reader.dispose()


def _dumps(value: object) -> str:
    return orjson.dumps(value).decode()


def _sqlite_engine(url: str, *, writer: bool) -> AsyncEngine:
    engine = create_async_engine(
        url,
        pool_size=1 if writer else 5,
        max_overflow=1 if writer else 10,  # units keep the first; a migration may come by beside them
        json_serializer=_dumps,
        json_deserializer=orjson.loads,
        hide_parameters=True,
        connect_args={"timeout": 30},
        module=SqliteDriver(),
    )

    @event.listens_for(engine.sync_engine, "connect")
    def _prepare(connection: SqliteConnection, _record: object) -> None:
        # The driver's own transaction handling begins too late (at the first write) and deferred; we begin ourselves.
        connection.isolation_level = None
        cursor = connection.cursor()
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute("PRAGMA foreign_keys=ON")
        # The writer's driver asks for its lock without waiting, and where it is held waits aside.
        cursor.execute(f"PRAGMA busy_timeout={0 if writer else WAIT_MS}")
        # FULL: an accepted message survives a power cut, not only a killed process.
        cursor.execute("PRAGMA synchronous=FULL" if writer else "PRAGMA query_only=ON")
        # KB for each of six connections; what does not fit is in the file cache of the system, which all of them share.
        cursor.execute("PRAGMA cache_size=-4000")
        cursor.close()
        connection.writes = writer

    @event.listens_for(engine.sync_engine, "begin")
    def _begin(connection: Connection) -> None:
        driver = cast("SqliteConnection", connection.connection.dbapi_connection)
        if not driver.in_transaction:
            connection.exec_driver_sql(driver.beginning)

    return engine
