"""Two operators deal with one letter in the same moment, on both kinds of store."""

import asyncio
from collections.abc import AsyncIterator
from functools import partial

import pytest
from sqlalchemy import select

from desk_core.kit.clock import FakeClock
from desk_core.kit.db import Database
from desk_core.lanes.entities import WorkItem
from desk_core.tickets.entities import TicketEvent
from tests.conftest import MONDAY
from tests.factories.desk import DeskFactory, furnish
from tests.integration.console.conftest import Browser, LogIn
from tests.integration.console.test_moved_letters import Pair
from tests.services import Stores


@pytest.fixture
async def database_url(store: str, stores: Stores) -> AsyncIterator[str]:
    url = await stores.furnished(store, "en", partial(furnish, language="en", now=MONDAY))
    yield url
    await stores.drop(url)


@pytest.fixture
async def pair(make: DeskFactory, database: Database, clock: FakeClock) -> Pair:
    return await Pair(make, database, clock).made()


class TestALetter:
    async def test_goes_to_one_place_when_two_operators_move_it_at_once(
        self, log_in: LogIn, console: Browser, pair: Pair, make: DeskFactory, database: Database
    ) -> None:
        third = await make.ticket(await make.conversation(await make.contact("Boris", channel="email"), channel="email"), channel="email")
        olga = await log_in(await make.agent("Olga"))
        goals = [pair.second.number, third.number]
        both = await asyncio.gather(*(pair.do(one, "move", to=str(to)) for one, to in zip((console, olga), goals, strict=True)))
        [(place, (won, _where))] = [(place, answer) for place, answer in enumerate(both) if answer[0] == 303]
        assert (won, both[1 - place][0]) == (303, 404)
        moved = await pair.now()
        assert moved.ticket_id == (pair.second.id, third.id)[place]
        async with database.read() as session:
            told = (await session.scalars(select(TicketEvent.data).where(TicketEvent.kind == "letter_moved"))).all()
        assert list(told) == [{"to": goals[place]}]

    async def test_is_set_apart_once_when_two_operators_do_it_at_once(
        self, log_in: LogIn, console: Browser, pair: Pair, make: DeskFactory, database: Database
    ) -> None:
        olga = await log_in(await make.agent("Olga"))
        both = await asyncio.gather(*(pair.do(one, "apart") for one in (console, olga)))
        assert sorted(status for status, _where in both) == [303, 409]
        async with database.read() as session:
            assert len((await session.scalars(select(WorkItem).where(WorkItem.lane == "in:x"))).all()) == 1
