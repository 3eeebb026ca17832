"""A conversation is written under the version that was read: of two that thought at once, one thinks again."""

import asyncio

import pytest

from desk_core.conversations import service as conversations
from desk_core.conversations.entities import Conversation
from desk_core.kit.clock import FakeClock
from desk_core.kit.db import Database
from desk_core.kit.errors import StaleWrite
from desk_core.lanes.signal import LocalSignal
from tests.factories.desk import DeskFactory


@pytest.fixture
def preset_in() -> str:
    return "en"


@pytest.fixture
async def desk(database: Database, clock: FakeClock, signal: LocalSignal) -> DeskFactory:
    return await DeskFactory.of(database, clock, signal)


async def test_who_read_an_older_version_writes_nothing(desk: DeskFactory) -> None:
    conversation = await desk.conversation()
    for expected in (None, StaleWrite):
        try:
            async with desk.database.unit() as uow:
                held = await uow.session.get_one(Conversation, conversation.id)
                held.dialogue = {"phase": "form" if expected is None else "summary"}
                await conversations.touch(uow, desk.context(), held, version=conversation.version)
        except StaleWrite:
            assert expected is StaleWrite
    async with desk.database.read() as session:
        now = await session.get_one(Conversation, conversation.id)
        assert (now.dialogue, now.version) == ({"phase": "form"}, conversation.version + 1)


@pytest.mark.parametrize("store", ["postgresql"], indirect=True)
async def test_of_two_transactions_that_read_the_same_one_is_refused(desk: DeskFactory) -> None:
    conversation = await desk.conversation()
    both = asyncio.Barrier(2)

    async def decides(phase: str) -> None:
        async with desk.database.unit() as uow:
            held = await uow.session.get_one(Conversation, conversation.id)
            seen = held.version
            await both.wait()
            held.dialogue = {"phase": phase}
            await conversations.touch(uow, desk.context(), held, version=seen)

    told = await asyncio.gather(decides("form"), decides("summary"), return_exceptions=True)
    assert sorted(type(one).__name__ for one in told) == ["NoneType", "StaleWrite"]
