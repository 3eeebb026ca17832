"""How far a running desk has come with its mail, read from its store."""

import asyncio
import sqlite3
import time
from collections.abc import Callable, Sequence
from contextlib import closing

from benchmarks.mail.letters import ADDRESS
from benchmarks.running import RunningDesk
from channels.email.sandbox.mailbox import MailSandbox, Opened

_STORED = "SELECT count(*) FROM raw_inbound"
_WAITING = "SELECT count(*) FROM work_items WHERE kind = ?"
_TICKETS = "SELECT count(*) FROM tickets"
_ANSWERED = "SELECT count(DISTINCT ticket_id) FROM messages WHERE direction = 'outbound'"
_DEAD = "SELECT count(*) FROM dead_items"
_WITHOUT = (
    "SELECT raw.external_id, raw.state, message.verdict_code, message.text FROM raw_inbound raw LEFT JOIN messages message"
    " ON message.id = raw.message_id WHERE message.ticket_id IS NULL LIMIT 5"
)


def add_inbox(desk: RunningDesk, *words: str) -> None:
    desk.priyom("inbox", "add", "email", "--name", "bench", "--address", ADDRESS, *words)


def until(is_so: Callable[[], bool], *, seconds: float = 1800, pause: float = 0.05) -> None:
    """Wait; raises when it takes too long."""
    end = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() > end:
            raise RuntimeError("the desk did not finish its mails")
        time.sleep(pause)


def until_stored(desk: RunningDesk, count: int, *, pause: float = 0.02) -> None:
    """Wait until so many mails, of all that ever came, are durable."""
    until(lambda: _ask(desk, (_STORED, ()))[0] >= count, pause=pause)


def until_taken(desk: RunningDesk, count: int) -> None:
    """Wait until so many mails have been worked on: tickets are there and what the desk answers is queued."""
    until(lambda: _is_done(_ask(desk, (_STORED, ()), (_WAITING, ("inbound",))), count))


def until_answered(desk: RunningDesk, count: int, *, pause: float = 0.05) -> None:
    """Wait until that has been sent as well."""
    until(lambda: _is_done(_ask(desk, (_STORED, ()), (_WAITING, ("inbound",)), (_WAITING, ("deliver",))), count), pause=pause)


def check(desk: RunningDesk, *, tickets: int) -> None:
    """Raises where a mail opened no request, or a request got no acknowledgement: then there is nothing to measure."""
    found = _ask(desk, (_TICKETS, ()), (_ANSWERED, ()), (_DEAD, ()))
    if found != [tickets, tickets, 0]:
        with _opened(desk) as connection:
            without = connection.execute(_WITHOUT).fetchall()
        raise RuntimeError(f"not {tickets} tickets, as many acknowledged and nothing dead, but {found}; without a ticket are {without}")


def acknowledgements(desk: RunningDesk, count: int) -> Sequence[Opened]:
    """The first letters that this desk sent, one to a person."""

    async def read() -> list[Opened]:
        sandbox = MailSandbox(desk.home / "mail-sandbox")
        by_person = {letter.mailbox: letter for letter in await sandbox.letters(limit=1000)}
        opened = [await sandbox.open(letter.id) for letter in by_person.values()]
        return [letter for letter in opened if letter is not None]

    found = sorted(asyncio.run(read()), key=lambda letter: letter.letter.id)[:count]
    if len(found) < count:
        raise RuntimeError(f"{len(found)} acknowledgements of {count}")
    return found


def _is_done(found: Sequence[int], count: int) -> bool:
    return found[0] >= count and not any(found[1:])


def _ask(desk: RunningDesk, *queries: tuple[str, tuple[str, ...]]) -> list[int]:
    with _opened(desk) as connection:
        return [int(connection.execute(query, values).fetchone()[0]) for query, values in queries]


def _opened(desk: RunningDesk) -> closing[sqlite3.Connection]:
    return closing(sqlite3.connect(f"file:{desk.home / 'desk.sqlite3'}?mode=ro", uri=True, timeout=30))
