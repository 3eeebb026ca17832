"""`make revision m="..."`: a migration from the difference between the models and the tables of the newest migration."""

import asyncio
import sys
import tempfile
from pathlib import Path

from alembic import command
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from desk_core import migrations
from desk_core.kit.db import Database


async def _write(message: str) -> None:
    with tempfile.TemporaryDirectory(prefix="priyom-revision-") as folder:
        database = Database.connect(f"sqlite+aiosqlite:///{folder}/empty.sqlite3")
        try:
            await migrations.upgrade(database)
            async with database.writer.connect() as connection:
                await connection.run_sync(_revision, message)
        finally:
            await database.close()


def _revision(connection: Connection, message: str) -> None:
    settings = migrations.config()
    settings.attributes["connection"] = connection
    # Not their count: where two lines of work met, a number may have been left out.
    newest = max(int(known.revision) for known in ScriptDirectory.from_config(settings).walk_revisions())
    script = command.revision(settings, message=message, autogenerate=True, rev_id=f"{newest + 1:04d}")
    written = script[0] if isinstance(script, list) else script
    assert written is not None
    path = Path(written.path)
    print(f"{path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path}: read it before you commit it")


if __name__ == "__main__":
    asyncio.run(_write(sys.argv[1]))
