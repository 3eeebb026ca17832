"""Several processes may receive for one desk; for each inbox exactly one does, whatever becomes of the database."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import text

from desk_core.catalogue.install import install
from desk_core.conversations.ports import Accept, ChannelKind
from desk_core.kit.clock import FakeClock
from gateway import inboxes, receiving
from gateway.receiving import Receivers
from gateway.settings import Settings
from tests.factories.desk import PRESET
from tests.fakes.channel import FakeChannel
from tests.integration.gateway.conftest import SmallDesk
from tests.services import PostgresServer

pytestmark = pytest.mark.timeout(90)


class Receiving(FakeChannel):
    """Counts how many of its kind receive at this moment."""

    now = 0

    async def run(self, accept: Accept) -> None:
        type(self).now += 1
        try:
            await asyncio.Event().wait()
        finally:
            type(self).now -= 1


@pytest.fixture
async def desks(
    own_postgres: PostgresServer, tmp_path: Path, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[list[SmallDesk]]:
    """Two processes of one desk, as far as its store can tell."""
    monkeypatch.setattr(receiving, "LOOK_SECONDS", 0.2)
    monkeypatch.setattr(Receiving, "now", 0)
    settings = Settings(home=tmp_path, secret_key="k" * 40, database={"url": own_postgres.url()})
    made = [SmallDesk(settings, clock=clock) for _ in range(2)]
    await made[0].migrate()
    async with made[0].database.unit() as uow:
        await install(uow, PRESET, language="ru", now=clock.now())
        await inboxes.add(
            uow, name="mail", channel=ChannelKind.EMAIL, address="help@desk.test", language="ru", config={}, sealed=None, clock=clock
        )
    for desk in made:
        desk.fake = Receiving()
    yield made
    for desk in made:
        await desk.close()


async def settles_at_one(seconds: float = 20.0) -> None:
    """One receiver, and still one a little later."""
    async with asyncio.timeout(seconds):
        steady = 0
        while steady < 10:
            await asyncio.sleep(0.1)
            steady = steady + 1 if Receiving.now == 1 else 0


async def test_one_receives_and_another_takes_over_when_it_ends(desks: list[SmallDesk]) -> None:
    first, second = [asyncio.create_task(Receivers(desk).run()) for desk in desks]
    await settles_at_one()
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    await settles_at_one()
    second.cancel()
    await asyncio.gather(second, return_exceptions=True)
    assert Receiving.now == 0


async def test_still_only_one_receives_after_the_database_was_restarted(desks: list[SmallDesk], own_postgres: PostgresServer) -> None:
    tasks = [asyncio.create_task(Receivers(desk).run()) for desk in desks]
    await settles_at_one()
    await asyncio.to_thread(own_postgres.stop)
    await asyncio.sleep(1)
    await asyncio.to_thread(own_postgres.start)
    await settles_at_one()
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def test_the_lock_of_a_machine_that_fell_silent_is_given_up_within_seconds(desks: list[SmallDesk]) -> None:
    # The network cannot be cut in a test; that PostgreSQL is told to notice can be seen.
    async with desks[0].database.writer.connect() as connection:
        for statement in receiving.KEEPALIVES.split("; "):
            await connection.execute(text(statement))
        names = ("tcp_keepalives_idle", "tcp_keepalives_interval", "tcp_keepalives_count")
        idle, interval, count = [int(await connection.scalar(text(f"SHOW {name}")) or 0) for name in names]
    assert 0 < idle + interval * count < 10
    assert idle + interval * count > receiving.LOCK_ANSWER_SECONDS + 2.0


async def test_a_killed_holder_is_replaced_within_seconds(desks: list[SmallDesk]) -> None:
    first = asyncio.create_task(Receivers(desks[0]).run())
    await settles_at_one()
    second = asyncio.create_task(Receivers(desks[1]).run())
    async with desks[1].database.writer.connect() as connection:
        # What the store sees of kill -9: the connection that holds the lock is gone.
        await connection.execute(text("SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'"))
    await settles_at_one()
    for task in (first, second):
        task.cancel()
    await asyncio.gather(first, second, return_exceptions=True)
