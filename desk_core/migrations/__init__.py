"""One alembic tree for SQLite and PostgreSQL, run by `upgrade`."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from desk_core.kit.db import Database

# Any number: it only has to be the same in every process that migrates.
MIGRATION_LOCK = 7470


def config() -> Config:
    """Alembic's configuration without a file of its own."""
    settings = Config()
    settings.set_main_option("script_location", str(Path(__file__).parent))
    settings.set_main_option("file_template", "%%(year)d-%%(month).2d-%%(day).2d-%%(hour).2d%%(minute).2d_%%(slug)s")
    settings.set_main_option("path_separator", "os")
    return settings


async def upgrade(database: Database, *, revision: str = "head") -> None:
    """Bring the store to `revision`; several processes may call it at once."""
    async with database.writer.connect() as connection:
        await connection.run_sync(_upgrade, revision)
        await connection.commit()


def _upgrade(connection: Connection, revision: str) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": MIGRATION_LOCK})
    settings = config()
    settings.attributes["connection"] = connection
    command.upgrade(settings, revision)


async def current(database: Database) -> tuple[str | None, str | None]:
    """(revision of the store, newest revision of the code)."""
    async with database.reader.connect() as connection:
        found = await connection.run_sync(lambda sync: MigrationContext.configure(sync).get_current_revision())
    return found, ScriptDirectory.from_config(config()).get_current_head()
