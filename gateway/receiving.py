"""Receivers: one task per active inbox, started, restarted and stopped as inboxes are added, changed, paused."""

import asyncio
import contextlib
import functools
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable

import structlog
from sqlalchemy import select, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection

from desk_core.conversations.entities import Inbox
from desk_core.conversations.ports import ChannelKind
from desk_core.kit.errors import DeskError, StoreUnavailable
from gateway.bootstrap import Desk

log = structlog.get_logger()

LOOK_SECONDS = 2.0
LOCK_ANSWER_SECONDS = 2.5
# A killed process closes its connection, a machine that loses power or network does not. Then PostgreSQL gives the lock up after
# 4 + 2 * 1 seconds of silence; its holder, if it lives, has noticed 1.5 seconds earlier (LOOK_SECONDS + LOCK_ANSWER_SECONDS) and stopped.
KEEPALIVES = "SET tcp_keepalives_idle = 4; SET tcp_keepalives_interval = 1; SET tcp_keepalives_count = 2; SET tcp_user_timeout = 6000"
TELEGRAM_LOCK = 7471


class Receivers:
    """Keeps every active inbox receiving, in this process."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._tasks: dict[str, tuple[int, asyncio.Task[None]]] = {}

    async def run(self) -> None:
        """Until cancelled; an inbox added or changed while the desk runs works within seconds."""
        try:
            while True:
                try:
                    await self._look()
                except StoreUnavailable as error:
                    log.warning("receivers.store_unavailable", error=str(error))
                await asyncio.sleep(LOOK_SECONDS)
        finally:
            for _version, task in self._tasks.values():
                task.cancel()
            await asyncio.gather(*(task for _version, task in self._tasks.values()), return_exceptions=True)

    async def _look(self) -> None:
        async with self._desk.database.read() as session:
            rows = await session.execute(select(Inbox.id, Inbox.version, Inbox.channel).where(Inbox.state == "active"))
            wanted = {row.id: (row.version, row.channel) for row in rows if row.channel in (ChannelKind.TELEGRAM, ChannelKind.EMAIL)}
        for inbox_id, (version, task) in list(self._tasks.items()):
            if task.done() or wanted.get(inbox_id, (None,))[0] != version:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
                del self._tasks[inbox_id]
        for inbox_id, (version, channel) in wanted.items():
            if inbox_id not in self._tasks:
                self._tasks[inbox_id] = (version, asyncio.create_task(self._receive(inbox_id, channel, version)))

    async def _receive(self, inbox_id: str, channel: str, version: int) -> None:
        async with self._alone(inbox_id) as lost:
            if lost is None:
                return
            try:
                # The adapter of before the change would receive by the old way, and nobody would end it.
                adapter = await self._desk.channel(inbox_id, version=version)
                if adapter is not None:
                    log.info("receivers.started", inbox=inbox_id, channel=channel)
                    await _first_of(adapter.run(self._desk.accept), lost())
            except DeskError as error:
                log.warning("receivers.stopped", inbox=inbox_id, error=str(error))
                self._desk.note_status(inbox_id, error.phrase)

    @contextlib.asynccontextmanager
    async def _alone(self, inbox_id: str) -> AsyncIterator[Callable[[], Awaitable[None]] | None]:
        """One receiver per inbox among all processes: Telegram answers 409 to a second poller. SQLite has one process anyway.

        Gives None where another process receives, otherwise something that returns when the lock was lost.
        """
        if self._desk.database.dialect != "postgresql":
            yield _never
            return
        # The lock lives as long as the connection, so a killed process gives it up by dying.
        async with self._desk.database.writer.connect() as connection:
            connection = await connection.execution_options(isolation_level="AUTOCOMMIT")
            for statement in KEEPALIVES.split("; "):
                await connection.execute(text(statement))
            key = zlib.crc32(inbox_id.encode()) - 2**31
            mine = await connection.scalar(text("SELECT pg_try_advisory_lock(:space, :key)"), {"space": TELEGRAM_LOCK, "key": key})
            try:
                yield functools.partial(_gone, connection) if mine else None
            finally:
                # A connection that is gone has given up its lock.
                if mine and not connection.invalidated:
                    with contextlib.suppress(SQLAlchemyError, OSError):
                        await connection.execute(text("SELECT pg_advisory_unlock(:space, :key)"), {"space": TELEGRAM_LOCK, "key": key})


async def _never() -> None:
    await asyncio.Event().wait()


async def _gone(connection: AsyncConnection) -> None:
    """Returns once the connection is dead: whoever held a lock on it holds it no longer, and another process may."""
    while True:
        await asyncio.sleep(LOOK_SECONDS)
        try:
            async with asyncio.timeout(LOCK_ANSWER_SECONDS):
                await connection.execute(text("SELECT 1"))
        except (SQLAlchemyError, OSError, TimeoutError) as error:
            log.warning("receivers.lock_lost", error=type(error).__name__)
            return


async def _first_of(*works: Awaitable[object]) -> None:
    """Until one of them ends; the others are cancelled. Raises what it raised."""
    tasks = [asyncio.ensure_future(work) for work in works]
    try:
        done, _others = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in done:
        await task
