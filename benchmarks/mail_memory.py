"""Memory of a desk after 20,000 mails beside its memory when it was warm. It takes long: a quick run of everything leaves it out."""

import sys
from pathlib import Path

from benchmarks import running
from benchmarks.mail.letters import stream
from benchmarks.mail.watch import add_inbox, check, until_answered
from benchmarks.mail.wire import send
from benchmarks.report import Row
from benchmarks.running import RunningDesk

_WAVE = 1000
_CONNECTIONS = 8


def measure(*, quick: bool) -> list[Row]:
    first, count = (200, 1000) if quick else (2000, 20_000)
    with running.folder("mail-memory") as folder:
        held = _course(folder, wave=min(_WAVE, first), count=count)
    name = f"memory after {count} mails; baseline: after the first {first}"
    return [Row.of(name, held[count], "MB", baseline=held[first], ratio_at_most=1.05)]


def _course(folder: Path, *, wave: int, count: int) -> dict[int, float]:
    """Mails done -> MB held. Ordinary mails of as many people; each wave is finished before the next is sent."""
    desk = RunningDesk(folder).make()
    add_inbox(desk)
    desk.start()
    held: dict[int, float] = {}
    letters, sent = stream(count, seed=7), 0
    try:
        while sent < count:
            some = [next(letters) for _ in range(min(wave, count - sent))]
            send(desk.smtp, some, connections=_CONNECTIONS)
            sent += len(some)
            until_answered(desk, sent, pause=0.5)
            held[sent] = desk.running.resident_mb()
            print(f"  {sent} mails, {held[sent]:.0f} MB", file=sys.stderr, flush=True)
        check(desk, tickets=count)
    finally:
        desk.stop()
    return held
