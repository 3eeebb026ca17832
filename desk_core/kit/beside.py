"""Work beside the work: tasks that nobody waits for."""

import asyncio
from collections.abc import Coroutine
from typing import Any


class Beside:
    """Starts them, and keeps them until they are done: the loop itself forgets a task that nobody holds."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
