"""What every test may ask for: a fresh store of either kind, a clock that moves when told, signals, and the servers behind them.

Servers start when the first test asks for them (with several test processes: once, before those start) and end with the run.
`store` runs a test on SQLite and on PostgreSQL; mark a test `@pytest.mark.parametrize("store", ["sqlite"], indirect=True)` to pick one.
"""

import logging
import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import hypothesis
import pytest

from desk_core.kit.clock import FakeClock
from desk_core.kit.db import Database
from desk_core.lanes.signal import LocalSignal
from tests.services import PostgresServer, Stores, ValkeyServer, start_postgres, start_valkey
from tests.services.process import fresh_folder

hypothesis.settings.register_profile("priyom", deadline=None)  # a slow machine is not a fault
hypothesis.settings.load_profile("priyom")

MONDAY = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
"""A Monday noon in Moscow: a working day begins, nothing is special about it."""


class Servers:
    """The servers of this run, each started once. A test process of xdist is told the addresses by the process that started it."""

    def __init__(self, known: dict[str, str] | None = None) -> None:
        self._known = known or {}
        self._ends = ExitStack()
        self._postgres: PostgresServer | None = None
        self._valkey: ValkeyServer | None = None

    def postgres_url(self) -> str:
        if "postgres" in self._known:
            return self._known["postgres"]
        if self._postgres is None:
            self._postgres = start_postgres()
            self._ends.callback(self._postgres.remove)
        return self._postgres.url()

    def valkey_url(self) -> str:
        if "valkey" in self._known:
            return self._known["valkey"]
        if self._valkey is None:
            self._valkey = start_valkey()
            self._ends.callback(self._valkey.remove)
        return self._valkey.url()

    def addresses(self) -> dict[str, str]:
        return {"postgres": self.postgres_url(), "valkey": self.valkey_url()}

    def close(self) -> None:
        self._ends.close()


SERVERS = pytest.StashKey[Servers]()


def pytest_configure(config: pytest.Config) -> None:
    worker = getattr(config, "workerinput", None)
    config.stash[SERVERS] = Servers(worker.get("servers") if worker else None)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """With xdist, the one process that outlives all others owns the servers."""
    node.workerinput["servers"] = node.config.stash[SERVERS].addresses()


def pytest_unconfigure(config: pytest.Config) -> None:
    config.stash[SERVERS].close()


def worker_index(config: pytest.Config) -> int:
    """0 without xdist, otherwise 1, 2, ... for its test processes."""
    name: str = getattr(config, "workerinput", {}).get("workerid", "")
    return int(name.removeprefix("gw")) + 1 if name else 0


class _Heard(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.said: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.said.append(record.getMessage())


@pytest.fixture(autouse=True)
def off_schema(request: pytest.FixtureRequest) -> Iterator[list[str]]:
    """Whatever Telegram sandbox a test uses: a request that the published schema does not have fails it, unless it is marked `nonsense`."""
    heard = _Heard()
    logger = logging.getLogger("channels.telegram.sandbox.bot_api.off_schema")
    logger.addHandler(heard)
    yield heard.said
    logger.removeHandler(heard)
    if request.node.get_closest_marker("nonsense") is None:
        assert sorted(set(heard.said)) == []


@pytest.fixture(scope="session")
def servers(request: pytest.FixtureRequest) -> Servers:
    return request.config.stash[SERVERS]


@pytest.fixture(scope="session")
def postgres_url(servers: Servers) -> str:
    """A PostgreSQL server, as the address of its maintenance database."""
    return servers.postgres_url()


@pytest.fixture(scope="session")
def redis_url(servers: Servers, request: pytest.FixtureRequest) -> str:
    """A Redis-compatible server shared by the whole run; this process has a database number of its own on it."""
    return servers.valkey_url().rsplit("/", 1)[0] + f"/{worker_index(request.config) % 16}"


@pytest.fixture
def own_postgres() -> Iterator[PostgresServer]:
    """A PostgreSQL server of this test alone, which it may stop, kill and start again."""
    server = start_postgres()
    yield server
    server.remove()


@pytest.fixture
def own_valkey() -> Iterator[ValkeyServer]:
    """A Redis-compatible server of this test alone, which it may stop and start again."""
    server = start_valkey()
    yield server
    server.remove()


class _LazyStores(Stores):
    """Starts PostgreSQL when the first database of it is wanted."""

    def __init__(self, folder: Path, servers: Servers, *, worker: str) -> None:
        super().__init__(folder, None, worker=worker)
        self._servers = servers

    def url(self, name: str) -> str:
        if self._postgres is None:
            self._postgres = self._servers.postgres_url()
        return super().url(name)


@pytest.fixture(scope="session")
def stores(servers: Servers, request: pytest.FixtureRequest) -> Iterator[Stores]:
    """Hands out fresh, migrated databases: `await stores.fresh("sqlite" | "postgresql")` gives an address."""
    folder = fresh_folder("stores")
    yield _LazyStores(folder, servers, worker=f"w{worker_index(request.config)}")
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest) -> str:
    """The kind of store; a test that asks for it (or for `database`) runs on both."""
    kind: str = request.param
    return kind


@pytest.fixture
def preset_in() -> str | None:
    """The language of the shipped preset in a fresh store; None: its tables are empty. Where every test needs it, it is installed once."""
    return None


@pytest.fixture
async def database_url(store: str, stores: Stores, preset_in: str | None) -> AsyncIterator[str]:
    """The address of a fresh, migrated store, deleted after the test."""
    if preset_in is None:
        url = await stores.fresh(store)
    else:
        from tests.factories.desk import furnish  # reads the preset, which most tests need not

        url = await stores.furnished(store, preset_in, partial(furnish, language=preset_in, now=MONDAY))
    yield url
    await stores.drop(url)


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """A fresh, migrated store."""
    opened = Database.connect(database_url)
    yield opened
    await opened.close()


@pytest.fixture
def clock() -> FakeClock:
    """Stands at Monday noon in Moscow until told to move."""
    return FakeClock(MONDAY)


@pytest.fixture
async def signal() -> AsyncIterator[LocalSignal]:
    made = LocalSignal()
    yield made
    await made.close()
