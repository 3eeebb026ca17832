"""Waking those who wait: long polls, the chat page, webhook deliveries."""

import asyncio


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

    async def wait(self, timeout: float) -> bool:
        """True when the bell rang within `timeout` seconds (or is closed)."""
        if self.closed:
            return True
        if timeout <= 0:
            return False
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.add(future)
        try:
            await asyncio.wait_for(future, timeout)
        except TimeoutError:
            return False
        finally:
            self._waiting.discard(future)
        return True
