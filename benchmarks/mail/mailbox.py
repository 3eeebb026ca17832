"""Fetching by IMAP: messages that lie in a mailbox, each fetched, stored and flagged. The mail server is a process of its own.

`python -m benchmarks.mail.mailbox PORT` is the baseline: imap-tools' plain loop over the same mailbox, which keeps nothing.
"""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.mail import holding
from benchmarks.mail.letters import mails
from benchmarks.mail.watch import add_inbox, until, until_answered, until_stored
from benchmarks.report import ROOT, Row
from benchmarks.running import RunningDesk
from tests.services.imap import ImapServer

_WARM = 20


def rows(folder: Path, count: int) -> list[Row]:
    """The rate beside its worker; the processor time with the work left for later, which is the fetching alone."""
    with _served(folder / "imap", count) as (desk, _server):
        seconds, _cpu = _taken(desk, count)
    with _served(folder / "imap-held", count) as (desk, server):
        holding.hold(desk)
        alone, cpu = _taken(desk, count)
        until(lambda: server.count("UNSEEN") == 0, seconds=60)
        bare_seconds, bare_cpu = _bare(server)
    bare = count / bare_seconds
    return [
        Row.of(f"IMAP, {count} messages fetched, stored and flagged a second, the worker at work", count / seconds, "/s", baseline=bare),
        Row.of(f"IMAP, {count} messages a second, work left for later", count / alone, "/s", baseline=bare),
        Row.of("CPU per message fetched, stored and flagged", cpu / count * 1000, "ms", baseline=bare_cpu / count * 1000),
    ]


@contextmanager
def _served(folder: Path, count: int) -> Iterator[tuple[RunningDesk, ImapServer]]:
    """A warm desk that sleeps, and a mailbox that was filled meanwhile."""
    folder.mkdir()
    server = ImapServer()
    try:
        desk = RunningDesk(folder, program=holding.program(holding.MAILS)).make()
        add_inbox(desk, "--imap-url", server.url)
        server.put(*(letter.raw for letter in mails(_WARM, seed=6)))
        desk.start()
        try:
            until_answered(desk, _WARM)
            desk.running.real.suspend()
            server.put(*(letter.raw for letter in mails(count, seed=8)))
            yield desk, server
        finally:
            desk.running.real.resume()
            desk.stop()
    finally:
        server.remove()


def _taken(desk: RunningDesk, count: int) -> tuple[float, float]:
    """Seconds, and seconds of processor time, until all are stored: the last flag follows at once."""
    began, spent = time.monotonic(), desk.running.cpu_seconds()
    desk.running.real.resume()
    until_stored(desk, _WARM + count)
    return time.monotonic() - began, desk.running.cpu_seconds() - spent


def _bare(server: ImapServer) -> tuple[float, float]:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.mail.mailbox", str(server.port)], cwd=ROOT, capture_output=True, text=True, check=True
    )  # fmt: skip
    seconds, cpu = json.loads(done.stdout)
    return float(seconds), float(cpu)


def _fetch(port: int) -> tuple[float, float]:
    from imap_tools import MailBoxUnencrypted

    with MailBoxUnencrypted("127.0.0.1", port).login("demouser", "demopass") as mailbox:
        began, spent = time.monotonic(), time.process_time()
        for message in mailbox.fetch():
            assert message.text or message.html
        return time.monotonic() - began, time.process_time() - spent


if __name__ == "__main__":
    print(json.dumps(_fetch(int(sys.argv[1]))))
