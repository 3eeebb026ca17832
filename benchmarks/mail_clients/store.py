"""What became of a mail: read from the desk's store and from the letters it sent."""

import asyncio
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import TypeVar

from benchmarks.running import RunningDesk
from channels.email.mime import read
from channels.email.sandbox.mailbox import MailSandbox, Opened

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Taken:
    """A mail that the desk took in, with the request it stands in."""

    message_id: str
    answers: str
    references: tuple[str, ...]
    text: str
    subject: str
    files: tuple[tuple[str, str], ...]  # (name, SHA-256)
    ticket: int | None
    about: str


class Store:
    """The store of a desk that runs, read from outside."""

    def __init__(self, desk: RunningDesk) -> None:
        self._desk = desk
        self._sandbox = MailSandbox(desk.home / "mail-sandbox")

    def taken(self, sender: str) -> list[Taken]:
        """What this address wrote and the desk has filed, oldest first."""
        with closing(self._connection()) as connection:
            rows = connection.execute(
                "SELECT r.raw, r.raw_blob, m.id, m.external_id, m.text, m.subject, t.number, t.subject FROM raw_inbound r"
                " JOIN messages m ON m.id = r.message_id LEFT JOIN tickets t ON t.id = m.ticket_id"
                " WHERE r.lane LIKE ? ORDER BY r.received_at, r.id",
                (f"in:%:{sender}",),
            ).fetchall()
            files: dict[str, list[tuple[str, str]]] = {}
            for message, name, sha256 in connection.execute("SELECT message_id, name, sha256 FROM attachments ORDER BY id"):
                files.setdefault(message, []).append((name, sha256))
        return [
            Taken(
                message_id=external_id,
                answers=_bare(_header(raw, blob, self._desk, "in-reply-to")),
                references=references(_header(raw, blob, self._desk, "references")),
                text=text,
                subject=subject or "",
                files=tuple(files.get(message, ())),
                ticket=number,
                about=about or "",
            )
            for raw, blob, message, external_id, text, subject, number, about in rows
        ]

    def kept(self, message_id: str) -> int:
        """How often a mail with this Message-ID was committed."""
        with closing(self._connection()) as connection:
            row = connection.execute("SELECT count(*) FROM raw_inbound WHERE external_id = ?", (message_id,)).fetchone()
        return int(row[0])

    def letters(self, to: str) -> list[Opened]:
        """What the desk sent to this address, oldest first."""
        return asyncio.run(self._letters(to))

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Nobody can commit while the block lasts."""
        with closing(sqlite3.connect(self._desk.home / "desk.sqlite3", timeout=30, isolation_level=None)) as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield
            finally:
                connection.execute("ROLLBACK")

    async def _letters(self, to: str) -> list[Opened]:
        found = [await self._sandbox.open(letter.id) for letter in reversed(await self._sandbox.letters(to))]
        return [letter for letter in found if letter is not None and letter.letter.direction == "sent"]

    def _connection(self) -> sqlite3.Connection:
        return sqlite3.connect(f"file:{self._desk.home / 'desk.sqlite3'}?mode=ro", uri=True, timeout=30)


def references(header: str) -> tuple[str, ...]:
    """The Message-IDs of a References field, without brackets."""
    return tuple(_bare(word) for word in header.split())


def header(letter: Opened, name: str) -> str:
    """A field of a letter, empty where it has none."""
    return next((value for key, value in letter.headers if key.lower() == name), "")


def until(found: Callable[[], T | None], *, seconds: float = 30.0) -> T | None:
    """The first answer that is not None; None when time runs out."""
    end = time.monotonic() + seconds
    while (answer := found()) is None:
        if time.monotonic() > end:
            return None
        time.sleep(0.1)
    return answer


def _bare(message_id: str) -> str:
    return message_id.strip().strip("<>")


def _header(raw: bytes | None, blob: str | None, desk: RunningDesk, name: str) -> str:
    content = raw if raw is not None else (desk.home / "blobs" / (blob or "")[:2] / (blob or "")).read_bytes()
    return read(content).get(name)
