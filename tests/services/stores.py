"""Fresh, migrated databases in milliseconds: the migrations run once, each test gets a copy."""

import asyncio
import os
import shutil
import uuid
from collections.abc import Awaitable, Callable
from pathlib import Path

import asyncpg

from desk_core import migrations
from desk_core.kit.db import Database
from tests.services.postgres import PostgresServer

SQLITE, POSTGRESQL = "sqlite", "postgresql"


def migrate(url: str) -> None:
    """Run every migration on the store at `url`; for callers outside an event loop."""
    asyncio.run(_migrate(url))


async def _migrate(url: str) -> None:
    database = Database.connect(url)
    try:
        await migrations.upgrade(database)
    finally:
        await database.close()


class Stores:
    """Hands out migrated databases of both kinds. `worker` keeps parallel test processes apart on one server."""

    def __init__(self, folder: Path, postgres: PostgresServer | str | None, *, worker: str = "main") -> None:
        self._folder = folder
        self._postgres = postgres.url() if isinstance(postgres, PostgresServer) else postgres
        self._worker = worker
        self._sqlite_template: Path | None = None
        self._postgres_template: str | None = None
        self._furnished: dict[tuple[str, str], str] = {}

    def url(self, name: str) -> str:
        """The address of database `name` on the PostgreSQL server."""
        assert self._postgres is not None, "these stores were made without a PostgreSQL server"
        return self._postgres.rsplit("/", 1)[0] + f"/{name}"

    async def sqlite(self) -> str:
        """The address of a fresh, migrated SQLite file."""
        if self._sqlite_template is None:
            template = self._folder / "template.sqlite3"
            await _migrate(f"sqlite+aiosqlite:///{template}")
            self._sqlite_template = template
        return self._copied_file(self._sqlite_template)

    async def empty_postgres(self) -> str:
        """The address of a fresh PostgreSQL database without any table."""
        name = f"priyom_{self._worker}_{uuid.uuid4().hex[:12]}"
        await self._execute(f'CREATE DATABASE "{name}"')
        return self.url(name)

    async def postgresql(self) -> str:
        """The address of a fresh, migrated PostgreSQL database."""
        if self._postgres_template is None:
            template = f"priyom_{self._worker}_template_{os.getpid()}"
            await self._execute(f'CREATE DATABASE "{template}"')
            await _migrate(self.url(template))
            self._postgres_template = template
        return await self._copied_database(self._postgres_template)

    async def fresh(self, kind: str) -> str:
        """The address of a fresh, migrated store of this kind."""
        return await (self.sqlite() if kind == SQLITE else self.postgresql())

    async def furnished(self, kind: str, name: str, furnish: Callable[[Database], Awaitable[object]]) -> str:
        """The address of a copy of a migrated store of this kind that `furnish` filled; it does so once for every name."""
        if (kind, name) not in self._furnished:
            url = await self.fresh(kind)
            database = Database.connect(url)
            try:
                await furnish(database)
            finally:
                await database.close()
            self._furnished[kind, name] = url
        template = self._furnished[kind, name]
        return self._copied_file(Path(template.partition("///")[2])) if kind == SQLITE else await self._copied_database(_name(template))

    async def drop(self, url: str) -> None:
        """Delete a store that `fresh` made."""
        if url.startswith("sqlite"):
            path = url.partition("///")[2]
            _unlink(path)
        else:
            await self._execute(f'DROP DATABASE IF EXISTS "{_name(url)}" WITH (FORCE)')

    def _copied_file(self, template: Path) -> str:
        path = self._folder / f"{uuid.uuid4().hex}.sqlite3"
        shutil.copyfile(template, path)
        return f"sqlite+aiosqlite:///{path}"

    async def _copied_database(self, template: str) -> str:
        name = f"priyom_{self._worker}_{uuid.uuid4().hex[:12]}"
        # Copying files is three times as fast as writing every page to the log; the checkpoint it asks for costs nothing without fsync.
        await self._execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}" STRATEGY FILE_COPY')
        return self.url(name)

    async def _execute(self, statement: str) -> None:
        connection = await asyncpg.connect(self.url("postgres").replace("+asyncpg", ""))
        try:
            await connection.execute(statement)
        finally:
            await connection.close()


def _name(url: str) -> str:
    return url.rsplit("/", 1)[1]


def _unlink(path: str) -> None:
    for suffix in ("", "-wal", "-shm"):
        Path(path + suffix).unlink(missing_ok=True)
