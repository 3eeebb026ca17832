"""The store behind every test: both kinds are real, migrated and empty."""

from sqlalchemy import select, text

from desk_core import migrations
from desk_core.kit.db import Database
from desk_core.lanes.entities import Lane


class TestAFreshStore:
    async def test_has_every_migration_and_no_rows(self, database: Database) -> None:
        found, newest = await migrations.current(database)
        assert found == newest
        async with database.read() as session:
            assert (await session.execute(select(Lane.key))).all() == []

    async def test_is_the_kind_that_was_asked_for(self, database: Database, store: str) -> None:
        assert database.dialect == store
        async with database.read() as session:
            version = await session.scalar(text("SELECT sqlite_version()" if store == "sqlite" else "SHOW server_version"))
        assert version


async def test_the_redis_compatible_server_answers(redis_url: str) -> None:
    from redis.asyncio import Redis

    async with Redis.from_url(redis_url) as client:
        assert await client.ping() is True
