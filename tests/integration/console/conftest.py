"""A desk on SQLite with its console, and browsers that are logged in."""

import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import httpx2
import pytest
from fastapi import FastAPI

from desk_core.kit.clock import FakeClock
from desk_core.kit.db import Database
from desk_core.lanes.signal import LocalSignal
from desk_core.people.entities import Agent
from gateway.auth import sessions
from tests.conftest import MONDAY
from tests.factories.desk import DeskFactory
from tests.fakes.queries import QueryRecorder
from tests.fakes.webdesk import FakeWebDesk, console_app
from tests.services import Stores

Browser = httpx2.AsyncClient
LogIn = Callable[[Agent], Awaitable[Browser]]


@pytest.fixture(scope="session")
async def furnished(stores: Stores) -> AsyncIterator[Path]:
    """A store with the preset in it, made once and copied for every test."""
    url = await stores.fresh("sqlite")
    database = Database.connect(url)
    await DeskFactory.make(database, FakeClock(MONDAY), LocalSignal())
    assert database.path is not None
    path = database.path
    await database.close()
    yield path
    await stores.drop(url)


@pytest.fixture
def database_url(furnished: Path, tmp_path: Path) -> str:
    shutil.copy(furnished, tmp_path / "desk.sqlite3")
    return f"sqlite+aiosqlite:///{tmp_path / 'desk.sqlite3'}"


@pytest.fixture
async def desk(database: Database, clock: FakeClock, signal: LocalSignal, tmp_path: Path) -> FakeWebDesk:
    return FakeWebDesk(database, clock=clock, signal=signal, home=tmp_path)


@pytest.fixture
async def make(database: Database, clock: FakeClock, signal: LocalSignal) -> DeskFactory:
    return await DeskFactory.of(database, clock, signal)


@pytest.fixture
async def app(desk: FakeWebDesk, make: DeskFactory) -> FastAPI:
    await desk.config()  # cached, as it is in a desk that runs
    return console_app(desk)


@pytest.fixture
async def stranger(app: FastAPI) -> AsyncIterator[Browser]:
    """A browser that is not logged in."""
    transport = httpx2.ASGITransport(app=app, client=("10.1.2.3", 5000))
    async with httpx2.AsyncClient(transport=transport, base_url="http://testserver") as client:
        yield client


@pytest.fixture
async def log_in(app: FastAPI, desk: FakeWebDesk) -> AsyncIterator[LogIn]:
    """`console = await log_in(agent)`: a session without the cost of a password."""
    opened: list[Browser] = []

    async def enter(agent: Agent) -> Browser:
        async with desk.database.unit() as uow:
            secret = await sessions.open_session(uow, agent, ip="10.1.2.3", user_agent="test", now=desk.clock.now())
        transport = httpx2.ASGITransport(app=app, client=("10.1.2.3", 5000))
        client = httpx2.AsyncClient(transport=transport, base_url="http://testserver", cookies={sessions.COOKIE: secret})
        opened.append(client)
        return client

    yield enter
    for client in opened:
        await client.aclose()


@pytest.fixture
async def anna(make: DeskFactory) -> Agent:
    # Not of the team that printers go to: requests of these tests stay unassigned until somebody acts.
    return await make.agent("Anna Orlova", teams=("service_desk", "business_apps"))


@pytest.fixture
async def console(log_in: LogIn, anna: Agent) -> Browser:
    """Anna's browser."""
    return await log_in(anna)


@pytest.fixture
def query_recorder() -> QueryRecorder:
    return QueryRecorder()
