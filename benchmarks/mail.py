"""What a mail costs: processor time from SMTP to request and acknowledgement, half Russian, a quarter replies, on SQLite."""

import asyncio
import time

import aiosmtplib

from benchmarks.report import Row
from benchmarks.running import RunningDesk, folder

ADDRESS = "support@bench.example"
WARM = 20
TEXTS = (
    ("VPN", "Здравствуйте! Не подключается VPN из дома, пишет ошибку 809. Что делать?"),
    ("Printer", "Hello, the printer on the third floor does not print, nobody in accounting can work."),
    ("Mail", "Не приходят письма от клиентов с самого утра, очень срочно."),
    ("Access", "Please give me access to the sales folder, my manager agreed."),
)


def measure(*, quick: bool) -> list[Row]:
    count = 60 if quick else 300
    with folder("mail") as place:
        desk = RunningDesk(place).make()
        desk.priyom("inbox", "add", "email", "--name", "bench", "--address", ADDRESS)
        desk.start()
        try:
            _send(desk, range(WARM))
            wait_for(desk, WARM)
            before, began = desk.running.cpu_seconds(), time.monotonic()
            _send(desk, range(WARM, WARM + count))
            wait_for(desk, WARM + count)
            spent, passed = desk.running.cpu_seconds() - before, time.monotonic() - began
        finally:
            desk.stop()
    return [
        Row.of("processor time a mail, SMTP to request and acknowledgement sent", spent / count * 1000, "ms", at_most=10),
        Row.of("mails a second through the whole desk, one sender connection", count / passed, "1/s"),
    ]


def _send(desk: RunningDesk, numbers: range) -> None:
    async def all_of_them() -> None:
        async with aiosmtplib.SMTP(hostname="127.0.0.1", port=desk.smtp, use_tls=False, start_tls=False) as client:
            for number in numbers:
                await client.sendmail(person(number), [ADDRESS], letter(number))

    asyncio.run(all_of_them())


def person(number: int) -> str:
    # Every fourth mail answers the one before it, in the same person's name.
    return f"person{number - 1 if number % 4 == 3 else number}@bench.example"


def letter(number: int) -> bytes:
    subject, text = TEXTS[number % len(TEXTS)]
    reply = number % 4 == 3
    thread = f"In-Reply-To: <{number - 1}@bench.example>\r\nReferences: <{number - 1}@bench.example>\r\n" if reply else ""
    head = (
        f"From: Person <{person(number)}>\r\nTo: {ADDRESS}\r\nSubject: {'Re: ' if reply else ''}{subject}\r\n"
        f"Message-ID: <{number}@bench.example>\r\n{thread}MIME-Version: 1.0\r\n"
        "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
    )
    quoted = f"\r\n\r\nOn Monday, Support wrote:\r\n> {TEXTS[(number - 1) % len(TEXTS)][1]}" if reply else ""
    return (head + text + quoted + "\r\n").encode()


def wait_for(desk: RunningDesk, count: int) -> None:
    """Until that many were handled: stored is not enough, the acknowledgements must be out."""
    until = time.monotonic() + 180
    while time.monotonic() < until:
        if len(desk.json("messages", "list")) >= count and desk.backlog() == 0:
            return
        time.sleep(0.3)
    raise RuntimeError(f"{count} mails were not handled within three minutes")
