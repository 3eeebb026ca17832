"""The board of gaps as it stands now, worked out again only when a question came or was judged."""

import asyncio
from datetime import datetime
from typing import Any

import numpy as np

from desk_core.kit.clock import Clock
from desk_core.kit.db import Database
from desk_core.knowledge import questions
from gateway.gaps import GapCluster, grouped
from models.clusters import clusters
from models.encoder import Encoder, Vectors


class GapBoard:
    """Questions without a good answer, those of one meaning together, whatever their language."""

    def __init__(self, database: Database, encoder: Encoder, *, clock: Clock) -> None:
        self._database, self._encoder, self._clock = database, encoder, clock
        self._made: tuple[Any, list[GapCluster]] | None = None
        self._read: dict[str, Vectors] = {}  # question -> vector, of the questions of the last board

    async def clusters(self) -> list[GapCluster]:
        """What is asked most first."""
        now = self._clock.now()
        async with self._database.read() as session:
            wanted = (await questions.newest(session), now.date())
            if self._made is not None and self._made[0] == wanted:
                return self._made[1]
            asked = await questions.gaps(session, now=now)
        found = await asyncio.to_thread(self._grouped, asked, now)
        self._made = (wanted, found)
        return found

    def _grouped(self, asked: list[questions.Gap], now: datetime) -> list[GapCluster]:
        texts = [one.text for one in asked]
        if not self._encoder.dimension:
            return grouped(asked, clusters(texts, None), now=now)
        missing = [text for text in dict.fromkeys(texts) if text not in self._read]
        known = {**self._read, **dict(zip(missing, self._encoder.encode(missing), strict=True))}
        self._read = {text: known[text] for text in texts}
        return grouped(asked, clusters(texts, np.stack([known[text] for text in texts]) if texts else None), now=now)
