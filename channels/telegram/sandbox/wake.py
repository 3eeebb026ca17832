"""Waking those who wait: long polls, the chat page, webhook deliveries."""

import asyncio
from collections.abc import Coroutine
from typing import Any


class Wake:
    """A bell: every `ring` ends every `wait` that is under way."""

    def __init__(self) -> None:
        self._waiting: set[asyncio.Future[None]] = set()
        self.closed = False

    def ring(self) -> None:
        for future in self._waiting:
            if not future.done():
                future.set_result(None)
        self._waiting.clear()

    def close(self) -> None:
        """Ring for the last time; later waits return at once."""
        self.closed = True
        self.ring()

    def wait(self, timeout: float) -> Coroutine[Any, Any, bool]:
        """True when the bell rang within `timeout` seconds (or is closed). Listens from the call on, not from its first await:
        a bell that rings in between would otherwise be missed by who waits in a task of its own."""
        future: asyncio.Future[None] | None = None
        if not self.closed and timeout > 0:
            future = asyncio.get_running_loop().create_future()
            self._waiting.add(future)
        return self._rung(future, timeout)

    async def _rung(self, future: "asyncio.Future[None] | None", timeout: float) -> bool:
        if future is None:
            return self.closed
        try:
            await asyncio.wait_for(future, timeout)
        except TimeoutError:
            return False
        finally:
            self._waiting.discard(future)
        return True
