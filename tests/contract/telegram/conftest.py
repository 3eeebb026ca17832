"""A sandbox, a person in it and the adapter beside it."""

from collections.abc import AsyncIterator

import pytest

from channels.telegram.channel import TelegramChannel
from channels.telegram.sandbox import Sandbox
from channels.telegram.sandbox.person import Person
from tests.contract.telegram.wire import TOKEN, MemoryBlobs, Served, adapter


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    sandbox = Sandbox(webhook_first_pause=0.05)
    sandbox.add_bot(TOKEN, "help_bot", "Help")
    yield sandbox
    await sandbox.close()


@pytest.fixture
async def server(sandbox: Sandbox) -> AsyncIterator[Served]:
    async with Served(sandbox.app()) as served:
        yield served
        sandbox.hang_up()


@pytest.fixture
async def anna(server: Served) -> AsyncIterator[Person]:
    async with Person(f"{server.url}/sandbox/telegram", "anna") as person:
        yield person


@pytest.fixture
def blobs() -> MemoryBlobs:
    return MemoryBlobs()


@pytest.fixture
async def channel(server: Served, blobs: MemoryBlobs) -> AsyncIterator[TelegramChannel]:
    channel = adapter(server, blobs)
    yield channel
    await channel.close()
