"""Hop 2: store what arrived, queue the work, commit, and only then let the adapter acknowledge.

Accepts that arrive while a commit is on its way share the next one: the disk is asked once for all of them (group commit).
"""

import asyncio
import hashlib
import time
from collections import deque
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import structlog
from sqlalchemy.exc import SQLAlchemyError

from desk_core.conversations import arrivals
from desk_core.conversations.entities import INBOUND
from desk_core.conversations.ports import Accepted, Blobs, InboundMessage
from desk_core.kit.beside import Beside
from desk_core.kit.clock import Clock
from desk_core.kit.db import Database, UnitOfWork
from desk_core.kit.errors import DeskError, StoreUnavailable
from desk_core.kit.ids import new_id, new_token
from desk_core.lanes import queue
from desk_core.lanes.queue import Lease
from desk_core.lanes.signal import WORK, Signal
from desk_core.lanes.worker import Worker

log = structlog.get_logger()

INLINE_RAW = 262_144
BATCH = 128
KEPT_AT_MOST = 4
"""Accepts in one commit whose lanes go straight to the worker of this process; a crowd is better served by claiming."""


class Unstorable(DeskError):
    """The store works, but refuses this message as it is; the adapter stores what it can of it instead."""

    code, status = "unstorable", 422


@dataclass(slots=True)
class _Pending:
    row: dict[str, Any]
    work: dict[str, Any]
    future: "asyncio.Future[Accepted]"
    is_letter: bool = False  # its id was given by a stranger


class Intake:
    """The `Accept` of every adapter in this process."""

    def __init__(
        self,
        database: Database,
        *,
        clock: Clock,
        signal: Signal,
        blobs: Blobs,
        on_accepted: Callable[[str, InboundMessage], Coroutine[Any, Any, None]] | None = None,
        kind_of: Callable[[InboundMessage], str] = lambda _message: INBOUND,
    ) -> None:
        """`kind_of` says which handler reads a message; what people write is `INBOUND`."""
        self._database, self._clock, self._signal, self._blobs = database, clock, signal, blobs
        self._on_accepted, self._kind_of = on_accepted, kind_of
        self._pending: list[_Pending] = []
        self._flusher: asyncio.Task[None] | None = None
        self._courtesies = Beside()
        self._durations: deque[float] = deque(maxlen=512)
        self.accepted = 0
        self.worker: Worker | None = None
        """The worker that runs in this process, if one does: it begins with what was stored without having to find it."""

    def latency(self) -> dict[str, float]:
        """Recent quantiles of the time from arrival to durable storage, in seconds."""
        seen = sorted(self._durations)
        return {str(q): seen[min(len(seen) - 1, int(len(seen) * q))] for q in (0.5, 0.95, 0.99)} if seen else {}

    async def __call__(self, inbox_id: str, message: InboundMessage, *, raw: bytes | None = None) -> Accepted:
        """Store the message and queue its processing; idempotent per inbox and external id. Raises `StoreUnavailable`."""
        now, began = self._clock.now(), time.perf_counter()
        raw_id, request_id, raw_blob = new_id(), new_id(), None
        if raw is not None and len(raw) > INLINE_RAW:
            try:
                raw_blob, _ = await self._blobs.put(raw)
            except OSError as error:
                raise StoreUnavailable(reason=type(error).__name__) from error
            raw = None
        pending = _Pending(
            row={
                "id": raw_id, "inbox_id": inbox_id, "external_id": message.external_id[:500], "lane": message.lane[:300],
                # The store's JSON writer takes a dataclass as it is, ten times faster than by way of a dictionary.
                "body": message, "raw": raw, "raw_blob": raw_blob, "request_id": request_id, "received_at": now,
            },
            work={
                "lane": message.lane[:300], "kind": self._kind_of(message), "payload": {"raw_id": raw_id, "request_id": request_id},
                "run_at": now + timedelta(seconds=message.delay),
            },
            future=asyncio.get_running_loop().create_future(),
            is_letter=raw is not None or raw_blob is not None,
        )  # fmt: skip
        self._pending.append(pending)
        if self._flusher is None or self._flusher.done():
            self._flusher = asyncio.create_task(self._flush())
        accepted = await pending.future
        self._durations.append(time.perf_counter() - began)
        if not accepted.duplicate and self._on_accepted is not None:
            # A courtesy ("typing"), not a promise: nobody waits for it.
            self._courtesies.start(self._on_accepted(inbox_id, message))
        log.info(
            "intake.accepted", request_id=request_id, inbox=inbox_id, external_id=message.external_id[:80], duplicate=accepted.duplicate
        )
        return accepted

    async def _flush(self) -> None:
        while self._pending:
            batch, self._pending = self._pending[:BATCH], self._pending[BATCH:]
            failure = await self._try(batch)
            if failure is None:
                continue
            if len(batch) == 1 or isinstance(failure, StoreUnavailable):
                self._fail(batch, failure)
                continue
            # One bad row must not refuse its neighbours.
            for one in batch:
                if (failure := await self._try([one])) is not None:
                    self._fail([one], failure)

    async def _try(self, batch: list[_Pending]) -> Exception | None:
        """Commit, or tell why not. Whatever went wrong, the adapters waiting for an answer get one, and offer their messages again."""
        try:
            await self._commit(batch)
        except (StoreUnavailable, SQLAlchemyError) as error:
            return error
        except Exception as error:
            log.exception("intake.failed", count=len(batch))
            return StoreUnavailable(reason=type(error).__name__)
        return None

    async def _commit(self, batch: list[_Pending]) -> None:
        async with self._database.unit(urgent=True) as uow:
            fresh = await arrivals.insert_raw(uow, [pending.row for pending in batch])
            for pending in batch:
                if pending.row["id"] not in fresh and pending.is_letter and await _under_a_taken_id(uow, pending.row):
                    fresh |= await arrivals.insert_raw(uow, [pending.row])
            work = [pending.work for pending in batch if pending.row["id"] in fresh]
            if work:
                await self._queue(uow, work)
                inboxes = {str(pending.row["inbox_id"]) for pending in batch}
                await arrivals.note_received(uow, inboxes, now=self._clock.now())
                if len(uow.held) < len(work):
                    uow.after_commit(lambda: self._signal.publish(WORK))
        self.accepted += len(work)
        # The person waits for the answer, the adapter only to go on: the worker begins first.
        if self.worker is not None and uow.holder is not None:
            for lane, head in uow.held.items():
                self.worker.begin(Lease(lane, uow.holder, head=head))
        for pending in batch:
            if not pending.future.done():
                pending.future.set_result(Accepted(id=str(pending.row["id"]), duplicate=pending.row["id"] not in fresh))

    async def _queue(self, uow: UnitOfWork, work: list[dict[str, Any]]) -> None:
        if self.worker is None or len(work) > min(KEPT_AT_MOST, self.worker.room):
            await queue.put_many(uow, work)
            return
        uow.holder, now = new_token(9), self._clock.now()
        for one in work:
            await queue.put(uow, **one, at_once=one["run_at"] <= now)

    @staticmethod
    def _fail(batch: list[_Pending], error: Exception) -> None:
        failure: DeskError = error if isinstance(error, StoreUnavailable) else Unstorable(reason=type(error).__name__)
        for pending in batch:
            if not pending.future.done():
                pending.future.set_exception(failure)
        log.error("intake.refused", count=len(batch), error=type(error).__name__)


async def _under_a_taken_id(uow: UnitOfWork, row: dict[str, Any]) -> bool:
    """Whether this is another letter than the one stored under its Message-ID; then it gets an id of its own, and is kept as well.

    Devices repeat one id for ever, and whoever knows the id of a letter could else keep the next one under it from arriving.
    """
    letter: InboundMessage = row["body"]
    stored = await arrivals.body_of(uow, row["inbox_id"], row["external_id"])
    if stored is None or _told(InboundMessage.from_json(stored)) == _told(letter):
        return False
    own = f"{letter.external_id[:460]}~{hashlib.sha256(repr(_told(letter)).encode()).hexdigest()[:32]}"
    row |= {"external_id": own, "body": replace(letter, external_id=own, shown_id=own)}
    return True


def _told(letter: InboundMessage) -> tuple[object, ...]:
    """What makes a letter the same: a copy that came by another way differs in its headers."""
    return letter.sender.address, letter.subject, letter.original_text, [(file.name, file.size) for file in letter.files]
