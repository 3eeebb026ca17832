"""Alembic's environment: the connection comes from `desk_core.migrations.upgrade`, or from PRIYOM_DATABASE__URL for `make revision`."""

from alembic import context
from sqlalchemy import Connection

from desk_core import entities
from desk_core.kit.db import Base

assert entities  # noqa: S101 - imported so that every table is known to the metadata


def run(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        render_as_batch=connection.dialect.name == "sqlite",
        compare_server_default=True,
        transaction_per_migration=False,
    )
    context.run_migrations()


run(context.config.attributes["connection"])
