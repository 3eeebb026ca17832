"""A desk for the tests of articles, on both stores."""

import pytest

from desk_core.kit.clock import FakeClock
from desk_core.kit.db import Database
from desk_core.lanes.signal import LocalSignal
from tests.factories.desk import DeskFactory


@pytest.fixture
async def make(database: Database, clock: FakeClock, signal: LocalSignal) -> DeskFactory:
    return await DeskFactory.make(database, clock, signal)
