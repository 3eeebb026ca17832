"""Parsing by size: one mail whose text, HTML and files grow, beside Python's own parser walking and decoding the same bytes."""

import random
import statistics
import time
from collections.abc import Callable
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage

from benchmarks.mail.letters import ADDRESS, mails
from benchmarks.report import Row
from channels.email.mapping import parse

_SIZES = {"2 kB": 2_000, "20 kB": 20_000, "200 kB": 200_000, "2 MB": 2_000_000, "20 MB": 20_000_000}
_NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)


def rows(*, quick: bool) -> list[Row]:
    """p50 of each, in processor time: nobody but this thread works for either."""
    found = []
    for name, size in _SIZES.items():
        raw = mail(size)
        times = max(3, min(200, (20_000_000 if quick else 60_000_000) // size))
        ours, theirs = _alternately(lambda: _ours(raw), lambda: _theirs(raw), times)  # noqa: B023 - called before the next size
        found.append(
            Row.of(f"parsing a mail of {name}, CPU p50; baseline: the standard parser, all parts decoded", ours, "ms", baseline=theirs)
        )
    return found


def mail(size: int) -> bytes:
    """About `size` bytes: a tenth is text, a fifth HTML, the rest files as they go over the wire."""
    chance = random.Random(size)
    texts = _paragraphs(chance)
    made = EmailMessage(policy=policy.SMTP)
    made["From"], made["To"], made["Subject"] = "Анна Крылова <anna@customer.example>", ADDRESS, "Не открывается отчёт"
    made["Date"], made["Message-ID"] = "Wed, 25 Nov 2026 12:00:00 +0300", f"<size-{size}@customer.example>"
    lines = _until_long(texts, size // 16)  # characters: half of them take two bytes, and base64 a third more
    made.set_content("\n".join(lines) + "\n")
    paragraphs = (f'<p class="MsoNormal" style="margin:0"><b>{n}.</b> {line}</p>' for n, line in enumerate(_until_long(texts, size // 11)))
    made.add_alternative("<html><body>" + "\n".join(paragraphs) + "</body></html>", subtype="html")
    left = size - len(made.as_bytes())
    if left > 1000:
        for number in range(count := max(1, min(5, left // 20_000))):
            content = chance.randbytes(int(left / count / 1.37))
            made.add_attachment(content, maintype="image", subtype="png", filename=f"снимок {number}.png")
    return made.as_bytes()


def _paragraphs(chance: random.Random) -> list[str]:
    texts = [one.raw for one in mails(40, seed=9)]
    words = [word for raw in texts for word in _plain(raw).split()]
    return [" ".join(chance.choices(words, k=chance.randrange(4, 16))) for _ in range(500)]


def _plain(raw: bytes) -> str:
    body = message_from_bytes(raw, policy=policy.default).get_body(("plain",))
    return str(body.get_content()) if body is not None else ""


def _until_long(lines: list[str], length: int) -> list[str]:
    found, held = list[str](), 0
    while held < length:
        found.append(lines[len(found) % len(lines)])
        held += len(found[-1]) + 1
    return found


def _ours(raw: bytes) -> object:
    return parse(raw, inbox_id="i", inbox_addresses=[ADDRESS], secret=b"benchmark", received_at=_NOW)


def _theirs(raw: bytes) -> object:
    return [part.get_content() for part in message_from_bytes(raw, policy=policy.default).walk() if not part.is_multipart()]


def _alternately(ours: Callable[[], object], theirs: Callable[[], object], times: int) -> tuple[float, float]:
    spent: tuple[list[float], list[float]] = [], []
    for _ in range(times + 1):
        for work, into in zip((ours, theirs), spent, strict=True):
            began = time.thread_time()
            work()
            into.append((time.thread_time() - began) * 1000)
    # The first pass warms up.
    return statistics.median(spent[0][1:]), statistics.median(spent[1][1:])
