"""The houses of the stories: models trained once a run, one desk a module and kind, in Monday noon's time."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest

from tests.acceptance.house import DISTRIBUTED, EMBEDDED, House, furnish
from tests.acceptance.trained import trained_models
from tests.services import Stores

MONDAY_NOON = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
"""12:00 in Moscow on a working day."""


@pytest.fixture(scope="session")
async def models() -> Path:
    # A thread, because training runs an event loop of its own.
    return await asyncio.to_thread(trained_models)


async def store_of_a_house(stores: Stores, kind: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The address of a store with a desk in it."""
    return await stores.furnished(kind, "house", partial(furnish, home=tmp_path_factory.mktemp("made"), start=MONDAY_NOON))


@pytest.fixture(scope="module", params=[EMBEDDED, DISTRIBUTED])
async def house(
    request: pytest.FixtureRequest, models: Path, stores: Stores, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[House]:
    """A desk that the stories of a module share, each with people of its own; every story runs on both kinds."""
    kind: str = request.param
    home = tmp_path_factory.mktemp(kind)
    url = await store_of_a_house(stores, "postgresql" if kind == DISTRIBUTED else "sqlite", tmp_path_factory)
    redis = request.getfixturevalue("redis_url") if kind == DISTRIBUTED else ""
    made = House(kind, home=home, start=MONDAY_NOON, database_url=url, redis_url=redis)
    try:
        yield await made.open(models=models)
    finally:
        await made.close()
        await stores.drop(url)
