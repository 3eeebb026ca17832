"""A desk that can be told to leave one kind of work for later: what comes before it is measured alone, since else both go on at once."""

import os
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from benchmarks.running import LIGHT, WHOLE, RunningDesk
from desk_core.kit.db import UnitOfWork
from desk_core.lanes import queue

LETTERS = "deliver"
MAILS = "inbound"
_LATER = timedelta(hours=1)
_SIGN = "hold"


def program(kind: str, *, encoder: bool = True) -> str:
    """The command line of such a desk, for `RunningDesk`."""
    return f"from benchmarks.mail.holding import prepare; prepare({kind!r}); {WHOLE if encoder else LIGHT}"


def hold(desk: RunningDesk) -> None:
    """From now on it does."""
    (desk.home / _SIGN).touch()


def prepare(kind: str) -> None:
    """Put work of that kind into the queue for later while the sign is up, at the price of putting it there for now."""
    held, sign, put, put_many = kind, Path(os.environ["PRIYOM_HOME"]) / _SIGN, queue.put, queue.put_many

    async def put_later(
        uow: UnitOfWork, *, lane: str, kind: str, payload: Mapping[str, Any], run_at: datetime, at_once: bool = False
    ) -> None:
        if kind == held and sign.exists():
            await put_many(uow, [{"lane": lane, "kind": kind, "payload": dict(payload), "run_at": run_at + _LATER}])
        else:
            await put(uow, lane=lane, kind=kind, payload=payload, run_at=run_at, at_once=at_once)

    async def put_many_later(uow: UnitOfWork, rows: Sequence[Mapping[str, Any]]) -> None:
        later = sign.exists()
        await put_many(uow, [{**row, "run_at": row["run_at"] + _LATER} if later and row["kind"] == held else row for row in rows])

    queue.put, queue.put_many = put_later, put_many_later
