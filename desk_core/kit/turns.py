"""A lock for one at a time, in which those who are in a hurry wait for no more than one of the others."""

import asyncio
from collections import deque


class Turns:
    """First come, first served, in two queues: `urgent` and the rest take turns while both have somebody waiting."""

    def __init__(self) -> None:
        self._taken = self._hurried = False
        self._urgent: deque[asyncio.Future[None]] = deque()
        self._others: deque[asyncio.Future[None]] = deque()

    async def take(self, *, urgent: bool = False) -> None:
        """Wait for a turn; whoever took one gives it back with `give`."""
        if not self._taken:
            self._taken, self._hurried = True, urgent
            return
        queue = self._urgent if urgent else self._others
        place: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        queue.append(place)
        try:
            await place
        except asyncio.CancelledError:
            if not place.cancelled():
                self.give()  # the turn came in the same moment
            elif place in queue:
                queue.remove(place)
            raise

    def give(self) -> None:
        """End a turn and begin the next."""
        first, second = (self._others, self._urgent) if self._hurried else (self._urgent, self._others)
        queue = first or second
        if not queue:
            self._taken = False
            return
        place = queue.popleft()
        self._hurried = queue is self._urgent
        if place.done():  # cancelled in the same moment
            self.give()
        else:
            place.set_result(None)
