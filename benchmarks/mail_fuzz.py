"""Mutated mails through the parser and the filters: `make mail-fuzz`. None may raise, take two seconds or leave memory behind.

The same seed gives the same mails. What trips is kept under `build/mail-fuzz/` to become a case of the tests.
"""

import argparse
import multiprocessing
import os
import random
import resource
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import report
from benchmarks.mail_corpus import DATA, mails
from benchmarks.report import ROOT, Row
from channels.email.mapping import parse, to_inbound
from desk_core.kit.clock import SystemClock
from tests.factories.russian_mail import PROGRAMS, Earlier, as_mail

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from multiprocessing.sharedctypes import Synchronized

KEPT = ROOT / "build" / "mail-fuzz"
_NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
_HANG = 2.0  # seconds
_STUCK = 20.0  # seconds at one mail, after which its process is ended
_LARGEST = 300_000  # bytes of a mail to start from
_CHARSETS = (b"utf-8", b"koi8-r", b"windows-1251", b"cp866", b"utf-7", b"utf-16", b"iso-2022-jp", b"hz", b"x-unknown", b"\xff", b"base64")
_PIECES = (
    b"\x00", b"\r", b"\n\n", b"\r\n\r\n", b"--", b"=?utf-8?B?", b"=?koi8-r?Q?=", b"?=", b"filename*0*=", b"filename*=utf-8''%",
    b"boundary=", b"boundary=\"\"", b"Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n", b"Content-Type: message/rfc822\r\n",
    b"<" * 500, b"<div>" * 450, b">" * 200, b"<blockquote>" * 100, b"Content-Transfer-Encoding: base64\r\n", b"=\r\n",
    b"Content-Transfer-Encoding: quoted-printable\r\n", "Отправлено: ".encode(), "От: ".encode(), "\u202e".encode(), b"\xed\xa0\xbd",
    b"\xed\xa0\x80", b"\xf5\xff", b"begin 644 x\n", b"X-A: " + b"a" * 5_000 + b"\r\n", b"References: " + b"<a@b> " * 2_000 + b"\r\n",
    b"&#x110000;", b"&lt;" * 100, b";" * 300, b"charset=", b"Final-Recipient: rfc822;", b"Status: 5.", b"Auto-Submitted: ", b"List-Id: ",
    b"Date: ", b"wrote:\n> ", b"\xe2\x80\x8e" * 50, b"Subject: Fwd: x\r\n", b"-- \n", b"________________\n",
)  # fmt: skip


@dataclass(slots=True)
class Found:
    """What one process saw."""

    done: int = 0
    seconds: float = 0.0
    slowest: float = 0.0
    tripped: list[str] = field(default_factory=list)
    slow: list[str] = field(default_factory=list)
    memory_before: int = 0  # kB
    memory_after: int = 0


def _flip(raw: bytearray, rng: random.Random) -> None:
    for _ in range(rng.randint(1, 30)):
        raw[rng.randrange(len(raw))] = rng.randrange(256)


def _cut(raw: bytearray, rng: random.Random) -> None:
    start = rng.randrange(len(raw))
    del raw[start : start + rng.randint(1, 1 + len(raw) // 3)]


def _double(raw: bytearray, rng: random.Random) -> None:
    start = rng.randrange(len(raw))
    piece = bytes(raw[start : start + rng.randint(1, 2_000)])
    raw[start:start] = piece * rng.randint(1, 20)


def _insert(raw: bytearray, rng: random.Random) -> None:
    for _ in range(rng.randint(1, 4)):
        at = rng.randrange(len(raw) + 1)
        raw[at:at] = rng.choice(_PIECES)


def _insert_at_line(raw: bytearray, rng: random.Random) -> None:
    starts = [0, *(at + 1 for at, byte in enumerate(raw[:20_000]) if byte == 10)]
    at = rng.choice(starts)
    raw[at:at] = rng.choice(_PIECES)


def _charset(raw: bytearray, rng: random.Random) -> None:
    at = raw.lower().find(b"charset=")
    if at >= 0:
        end = at + 8
        while end < len(raw) and raw[end] not in b"\r\n; ":
            end += 1
        raw[at + 8 : end] = rng.choice(_CHARSETS)


def _lines(raw: bytearray, rng: random.Random) -> None:
    lines = bytes(raw).split(b"\n")
    one, other = rng.randrange(len(lines)), rng.randrange(len(lines))
    lines[one], lines[other] = lines[other], lines[one]
    raw[:] = b"\n".join(lines)


def _newlines(raw: bytearray, rng: random.Random) -> None:
    raw[:] = bytes(raw).replace(b"\r\n", b"\n").replace(b"\n", rng.choice([b"\r", b"\n", b"\r\n", b"\r\r\n"]))


MUTATIONS: Sequence[Callable[[bytearray, random.Random], None]] = (
    _flip, _cut, _double, _insert, _insert_at_line, _charset, _lines, _newlines,
)  # fmt: skip


def seeds() -> list[bytes]:
    """Mails to start from: the public sets where they are, and what the tests write."""
    own = [as_mail(write(["Не печатает", "", "С уважением,", "Анна"], Earlier())) for write in PROGRAMS.values()]
    public = [mail.raw for mail in mails()] if DATA.is_dir() else []
    return [raw for raw in (*own, *public) if len(raw) <= _LARGEST]


def mutate(start: Sequence[bytes], number: int, seed: int) -> bytes:
    """The mail of that number, always the same."""
    rng = random.Random(f"{seed}.{number}")
    raw = bytearray(rng.choice(start))
    if rng.random() < 0.1:
        other = rng.choice(start)
        raw[rng.randrange(len(raw) + 1) :] = other[rng.randrange(len(other) + 1) :]
    for _ in range(rng.randint(1, 5)):
        if raw:
            rng.choice(MUTATIONS)(raw, rng)
    return bytes(raw[: 4 * _LARGEST])


def work(share: range, seed: int, now: "Synchronized[int]", answer: "Connection") -> None:
    """Every mail of a share, in a process of its own; `now` holds the number it is at, for whoever watches that it goes on."""
    start, found = seeds(), Found()
    for position, number in enumerate(share):
        now.value = number
        raw = mutate(start, number, seed)
        began = time.process_time()
        error = _take(raw)
        took = time.process_time() - began
        found.done += 1
        found.seconds += took
        found.slowest = max(found.slowest, took)
        if error or took > _HANG:
            KEPT.mkdir(parents=True, exist_ok=True)
            (KEPT / f"{seed}-{number}.eml").write_bytes(raw)
            (found.tripped if error else found.slow).append(f"{number}: {error or f'{took:.1f} s'}")
        if position == len(share) // 4:
            found.memory_before = _memory()
    found.memory_after = _memory()
    answer.send(found)


def watched(shares: Sequence[range], seed: int) -> list[Found]:
    """What each share saw. A process that stays at one mail is ended, and the mail kept."""
    context = multiprocessing.get_context("spawn")
    runs = []
    for share in shares:
        now, (ours, theirs) = context.Value("q", -1), context.Pipe()
        process = context.Process(target=work, args=(share, seed, now, theirs), daemon=True)
        process.start()
        runs.append((process, now, ours))
    done: list[Found] = []
    for process, now, ours in runs:
        at, since = -1, time.monotonic()
        while not ours.poll(0.5):
            if now.value != at:
                at, since = now.value, time.monotonic()
            elif time.monotonic() - since > _STUCK or not process.is_alive():
                process.kill()
                KEPT.mkdir(parents=True, exist_ok=True)
                (KEPT / f"{seed}-{at}.eml").write_bytes(mutate(seeds(), at, seed))
                done.append(Found(slow=[f"{at}: {'never ended' if time.monotonic() - since > _STUCK else 'the process died'}"]))
                break
        else:
            done.append(ours.recv())
    return done


def _take(raw: bytes) -> str:
    try:
        parsed = parse(raw, inbox_id="i", inbox_addresses=["help@example.org"], secret=b"fuzz", received_at=_NOW)
        to_inbound(parsed)
    except Exception as error:  # noqa: BLE001 - what is looked for
        return f"{type(error).__name__}: {error}"
    # The parser keeps a mail that trips it as text; here that counts as tripping.
    error_name = parsed.verdict.params.get("error", "")
    return error_name if parsed.verdict.code == "unreadable" and error_name not in {"no_headers", "no_sender"} else ""


def _memory() -> int:
    """Resident memory of this process now, in kB."""
    pages = int(Path("/proc/self/statm").read_text().split()[1]) if Path("/proc/self/statm").exists() else 0
    return pages * resource.getpagesize() // 1024


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit 1 where a mail tripped or hung, or memory grew."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.mail_fuzz", description=__doc__)
    parser.add_argument("--count", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=5)
    parser.add_argument("--one", type=int, help="take only the mail of this number and let it raise")
    chosen = parser.parse_args(arguments)
    if chosen.one is not None:
        raw = mutate(seeds(), chosen.one, chosen.seed)
        sys.stdout.buffer.write(raw)
        print(f"\n{_take(raw) or 'taken'}")
        return 0
    started_at = SystemClock().now()
    workers = min(2, os.cpu_count() or 1)
    shares = [range(at, chosen.count, workers) for at in range(workers)]
    done = watched(shares, chosen.seed)
    for found in done:
        for line in (*found.tripped[:20], *found.slow[:20]):
            print(line)
    growth = max(found.memory_after / max(found.memory_before, 1) for found in done)
    rows = [
        Row.of("mutated mails taken", sum(found.done for found in done), "mails", at_least=chosen.count),
        Row.of("of them tripped", sum(len(found.tripped) for found in done), "mails", at_most=0),
        Row.of(f"longer than {_HANG:.0f} s", sum(len(found.slow) for found in done), "mails", at_most=0),
        Row.of("slowest", max(found.slowest for found in done), "s", at_most=_HANG),
        Row.of("CPU a mail", 1000 * sum(found.seconds for found in done) / max(1, sum(found.done for found in done)), "ms"),
        Row.of("memory at the end by memory after a quarter", growth, "x", at_most=1.15),
    ]
    print(report.table(rows))
    path = report.write("mail_fuzz", rows, started_at=started_at)
    print(f"seed {chosen.seed}; {path.relative_to(ROOT)}")
    return 1 if any(row.met is False for row in rows) else 0


if __name__ == "__main__":
    raise SystemExit(main())
