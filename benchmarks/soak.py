"""`make soak`: steady traffic by mail for an hour (two minutes with --quick), watching memory, open files, backlog and answers.

Exit 1 when something was lost, or when memory or open files grow on and on.
"""

import argparse
import asyncio
import sys
import time
from dataclasses import dataclass

import aiosmtplib

from benchmarks import report
from benchmarks.running import RunningDesk, folder
from desk_core.kit.clock import SystemClock

ADDRESS = "support@soak.example"
PER_SECOND = 2.0
MEMORY_GROWTH = 1.15
FILE_GROWTH = 20


@dataclass(frozen=True, slots=True)
class Sample:
    """What a running desk holds at one moment."""

    second: float
    memory_mb: float
    files: int


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soak", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="two minutes instead of an hour")
    parser.add_argument("--minutes", type=float, default=None, help="another length")
    chosen = parser.parse_args()
    minutes = chosen.minutes or (2.0 if chosen.quick else 60.0)
    started_at = SystemClock().now()
    with folder("soak") as place:
        desk = RunningDesk(place).make()
        desk.priyom("inbox", "add", "email", "--name", "soak", "--address", ADDRESS)
        desk.start()
        try:
            sent, samples = asyncio.run(_traffic(desk, minutes * 60))
            stored = len(desk.json("messages", "list"))
            dead = len(desk.json("dead", "list"))
        finally:
            desk.stop()
    # The first third warms up: models load, caches fill.
    settled = samples[len(samples) // 3 :]
    files = settled[-1].files - settled[0].files
    rows = [
        report.Row.of("mails sent and stored", stored, "mails", at_least=sent),
        report.Row.of("dead items", dead, "items", at_most=0),
        report.Row.of("memory at the end", settled[-1].memory_mb, "MB", baseline=settled[0].memory_mb, ratio_at_most=MEMORY_GROWTH),
        report.Row.of("open files more than after warming up", files, "files", at_most=FILE_GROWTH),
    ]
    print(report.table(rows))
    report.write("soak", rows, started_at=started_at)
    return 0 if all(row.met for row in rows) else 1


async def _traffic(desk: RunningDesk, seconds: float) -> tuple[int, list[Sample]]:
    """Send mails evenly and look at the process once every few seconds."""
    began, sent, samples = time.monotonic(), 0, list[Sample]()
    async with aiosmtplib.SMTP(hostname="127.0.0.1", port=desk.smtp, use_tls=False, start_tls=False) as client:
        while (passed := time.monotonic() - began) < seconds:
            sent += 1
            person = f"person{sent % 50}@soak.example"
            body = f"From: {person}\r\nTo: {ADDRESS}\r\nSubject: soak {sent}\r\nMessage-ID: <{sent}@soak.example>\r\n\r\n"
            await client.sendmail(person, [ADDRESS], f"{body}The printer in room {sent} does not print.\r\n".encode())
            if sent % 10 == 1:
                process = desk.running.real
                samples.append(Sample(passed, desk.running.resident_mb(), process.num_fds()))
            await asyncio.sleep(max(0.0, sent / PER_SECOND - (time.monotonic() - began)))
    return sent, samples


if __name__ == "__main__":
    sys.exit(main())
