"""Wake-ups and hints between tasks and processes. What it carries may be lost: everyone also polls."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any, Protocol

import structlog

from desk_core.kit.redis_errors import redis_error

log = structlog.get_logger()

WORK = "work"
"""Topic of queue wake-ups."""


class Signal(Protocol):
    """Publish to a topic, wait for a topic, or listen to several."""

    async def publish(self, topic: str, data: str = "") -> None: ...

    async def wait(self, topic: str, *, timeout: float) -> bool: ...

    def listen(self, *topics: str) -> contextlib.AbstractAsyncContextManager["asyncio.Queue[tuple[str, str]]"]: ...

    async def close(self) -> None: ...


class LocalSignal:
    """Within one process."""

    def __init__(self) -> None:
        self._queues: dict[str, set[asyncio.Queue[tuple[str, str]]]] = {}
        self._events: dict[str, asyncio.Event] = {}

    async def publish(self, topic: str, data: str = "") -> None:
        self.deliver(topic, data)

    def deliver(self, topic: str, data: str) -> None:
        """Hand to the listeners of this process; a listener that does not keep up loses hints, never facts."""
        if event := self._events.get(topic):
            event.set()
        for queue in self._queues.get(topic, ()):
            if not queue.full():
                queue.put_nowait((topic, data))

    async def wait(self, topic: str, *, timeout: float) -> bool:
        """True when the topic was published since the last wait of this topic, False after `timeout` seconds."""
        event = self._events.setdefault(topic, asyncio.Event())
        try:
            await asyncio.wait_for(event.wait(), timeout)
        except TimeoutError:
            return False
        event.clear()
        return True

    @contextlib.asynccontextmanager
    async def listen(self, *topics: str) -> AsyncIterator["asyncio.Queue[tuple[str, str]]"]:
        queue: asyncio.Queue[tuple[str, str]] = asyncio.Queue(maxsize=256)
        for topic in topics:
            self._queues.setdefault(topic, set()).add(queue)
        try:
            yield queue
        finally:
            for topic in topics:
                self._queues[topic].discard(queue)

    async def close(self) -> None:
        self._queues.clear()


class RedisSignal:
    """Between processes, through Redis publish/subscribe; when Redis is gone only this process hears itself, and polling does the rest."""

    CHANNEL = "priyom:signal"

    def __init__(self, client: Any) -> None:
        self._client = client
        self._local = LocalSignal()
        self._reader: asyncio.Task[None] | None = None

    async def publish(self, topic: str, data: str = "") -> None:
        self._local.deliver(topic, data)
        try:
            await asyncio.wait_for(self._client.publish(self.CHANNEL, f"{topic} {data}"), 0.5)
        except (OSError, TimeoutError, redis_error()) as error:
            log.debug("signal.redis_unavailable", error=type(error).__name__)

    async def wait(self, topic: str, *, timeout: float) -> bool:
        self._ensure_reader()
        return await self._local.wait(topic, timeout=timeout)

    @contextlib.asynccontextmanager
    async def listen(self, *topics: str) -> AsyncIterator["asyncio.Queue[tuple[str, str]]"]:
        self._ensure_reader()
        async with self._local.listen(*topics) as queue:
            yield queue

    def _ensure_reader(self) -> None:
        if self._reader is None or self._reader.done():
            self._reader = asyncio.create_task(self._read_forever())

    async def _read_forever(self) -> None:
        pause = 0.5
        while True:
            try:
                async with self._client.pubsub() as pubsub:
                    await pubsub.subscribe(self.CHANNEL)
                    pause = 0.5
                    async for message in pubsub.listen():
                        if message["type"] == "message":
                            topic, _, data = _text(message["data"]).partition(" ")
                            self._local.deliver(topic, data)
            except (OSError, TimeoutError, redis_error()) as error:
                log.warning("signal.redis_unavailable", error=type(error).__name__, retry_in=pause)
                await asyncio.sleep(pause)
                pause = min(10.0, pause * 2)

    async def close(self) -> None:
        if self._reader is not None:
            self._reader.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._reader
        await self._client.aclose()


def _text(data: bytes | str) -> str:
    return data.decode() if isinstance(data, bytes) else data
