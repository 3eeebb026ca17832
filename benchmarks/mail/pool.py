"""Mails that a desk takes a second on one pool of connections: each is stored durably before its 250; work on them may lag."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.mail import holding
from benchmarks.mail.bare import receiver
from benchmarks.mail.letters import Letter, mails
from benchmarks.mail.watch import add_inbox, until_answered, until_stored
from benchmarks.mail.wire import send
from benchmarks.report import Row
from benchmarks.running import RunningDesk

_CONNECTIONS = 8
_WARM = 20


def rows(folder: Path, count: int) -> list[Row]:
    """With its worker beside it as `priyom run` does, and with the work left for later, which tells what taking mail costs by itself."""
    letters = mails(count, seed=5)
    with _desk(folder / "pool") as desk:
        beside = _rate(desk.smtp, letters)
        until_stored(desk, _WARM + count)  # every 250 was true
    with _desk(folder / "pool-held") as desk:
        holding.hold(desk)
        spent = desk.running.cpu_seconds()
        alone = _rate(desk.smtp, letters)
        spent = desk.running.cpu_seconds() - spent
        until_stored(desk, _WARM + count)
    with receiver(folder, parsing=False) as (process, port):
        bare_spent = process.cpu_seconds()
        bare = _rate(port, letters)
        bare_spent = process.cpu_seconds() - bare_spent
    return [
        Row.of(f"mails accepted a second, {_CONNECTIONS} connections, the worker at work", beside, "/s", baseline=bare, at_least=150),
        Row.of("mails accepted a second, work left for later", alone, "/s", baseline=bare),
        Row.of("CPU per mail accepted", spent / count * 1000, "ms", baseline=bare_spent / count * 1000),
    ]


@contextmanager
def _desk(folder: Path) -> Iterator[RunningDesk]:
    folder.mkdir()
    desk = RunningDesk(folder, program=holding.program(holding.MAILS)).make()
    add_inbox(desk)
    desk.start()
    try:
        send(desk.smtp, mails(_WARM, seed=6))
        until_answered(desk, _WARM)
        yield desk
    finally:
        desk.stop()


def _rate(port: int, letters: list[Letter]) -> float:
    sent = send(port, letters, connections=_CONNECTIONS)
    print(f"  {len(letters)} mails in {sent.seconds:.2f} s, the sender was at work for {sent.busy:.2f} s", file=sys.stderr, flush=True)
    return len(letters) / sent.seconds
