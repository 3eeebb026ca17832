"""The migrations build exactly the tables the models describe, on both stores, and may be run by several processes at once."""

import asyncio

from alembic import command
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from desk_core import migrations
from desk_core.kit.db import Database
from tests.services import Stores


def _check(connection: Connection) -> None:
    settings = migrations.config()
    settings.attributes["connection"] = connection
    command.check(settings)


async def test_models_and_tables_agree(database: Database) -> None:
    """Fails with the difference; `make revision m="..."` writes the migration that is missing."""
    async with database.writer.connect() as connection:
        await connection.run_sync(_check)


async def test_several_processes_may_migrate_an_empty_postgresql_at_once(stores: Stores) -> None:
    url = await stores.empty_postgres()
    databases = [Database.connect(url) for _ in range(3)]
    try:
        await asyncio.gather(*(migrations.upgrade(database) for database in databases))
        found, newest = await migrations.current(databases[0])
        assert found == newest
    finally:
        for database in databases:
            await database.close()
        await stores.drop(url)


def test_the_migrations_are_one_line_without_branches() -> None:
    script = ScriptDirectory.from_config(migrations.config())
    assert len(script.get_heads()) == 1
    assert [revision.revision for revision in script.walk_revisions()][-1] == "0001"
