"""The Telegram adapter and the sandbox over real HTTP, for the tests of the contract."""

import asyncio
import base64
import hashlib
import itertools
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, Self

import uvicorn
from starlette.types import ASGIApp

from channels.telegram.channel import TelegramChannel
from channels.telegram.sandbox.person import Person
from desk_core.conversations.ports import (
    Accepted,
    InboundMessage,
    OutboundFile,
    OutboundMessage,
)
from desk_core.kit.clock import SystemClock
from desk_core.kit.errors import NotFound, StoreUnavailable
from desk_core.kit.ids import new_id

TOKEN = "7000000001:AAE" + "x" * 32
PNG = base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==")


async def eventually(is_so: Callable[[], bool], *, seconds: float = 15) -> None:
    """Wait for something that has no bell of its own."""
    async with asyncio.timeout(seconds):
        for pause in itertools.repeat(0.02):
            if is_so():
                return
            await asyncio.sleep(pause)


class Served:
    """An application behind a real uvicorn on a free port of 127.0.0.1."""

    def __init__(self, app: ASGIApp) -> None:
        self._server = uvicorn.Server(
            uvicorn.Config(app, host="127.0.0.1", port=0, log_level="critical", ws="none", timeout_graceful_shutdown=3)
        )
        self._task: asyncio.Task[None] | None = None
        self.url, self.port = "", 0

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._server.serve())
        await eventually(lambda: self._server.started)
        self.port = self._server.servers[0].sockets[0].getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.should_exit = True
        assert self._task is not None
        await self._task


class MemoryBlobs:
    def __init__(self) -> None:
        self._kept: dict[str, bytes] = {}

    async def put(self, content: bytes | AsyncIterator[bytes], *, limit: int | None = None) -> tuple[str, int]:
        data = content if isinstance(content, bytes) else b"".join([chunk async for chunk in content])
        name = hashlib.sha256(data).hexdigest()
        self._kept[name] = data
        return name, len(data)

    async def read(self, sha256: str) -> bytes:
        if sha256 not in self._kept:
            raise NotFound(blob=sha256)
        return self._kept[sha256]

    async def head(self, sha256: str, length: int) -> bytes:
        return (await self.read(sha256))[:length]

    async def size(self, sha256: str) -> int:
        return len(await self.read(sha256))

    def file(self, name: str, content_type: str, data: bytes) -> OutboundFile:
        sha256 = hashlib.sha256(data).hexdigest()
        self._kept[sha256] = data
        return OutboundFile(name, content_type, len(data), sha256)


class Store:
    """An `Accept` in memory that can be out of order."""

    def __init__(self) -> None:
        self.messages: list[InboundMessage] = []
        self.down = False
        self._changed = asyncio.Event()

    async def __call__(self, inbox_id: str, message: InboundMessage, *, raw: bytes | None = None) -> Accepted:
        if self.down:
            raise StoreUnavailable(reason="test")
        duplicate = any(one.external_id == message.external_id for one in self.messages)
        if not duplicate:
            self.messages.append(message)
            self._changed.set()
        return Accepted(message.external_id, duplicate=duplicate)

    async def until(self, is_it: Callable[[InboundMessage], bool], *, seconds: float = 10) -> InboundMessage:
        async with asyncio.timeout(seconds):
            while True:
                for message in self.messages:
                    if is_it(message):
                        return message
                self._changed.clear()
                await self._changed.wait()


def adapter(server: Served, blobs: MemoryBlobs | None = None, **more: Any) -> TelegramChannel:
    return TelegramChannel("box", more.pop("token", TOKEN), blobs=blobs or MemoryBlobs(), clock=SystemClock(), api_url=server.url, **more)


@asynccontextmanager
async def receiving(channel: TelegramChannel, store: Store) -> AsyncIterator[Store]:
    task = asyncio.create_task(channel.run(store))
    try:
        yield store
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def letter(to: Person, text: str = "", **more: Any) -> OutboundMessage:
    key = str(to.id)
    return OutboundMessage(new_id(), "c", more.pop("thread_key", key), key, "Анна", text, "ru", SystemClock().now(), **more)
