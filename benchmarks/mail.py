"""Processor time of one mail, from SMTP to its ticket and the acknowledgement, in a desk as `priyom run` starts it.

The sender is another process and its time does not count. The baseline is aiosmtpd with Python's own parser, which reads the same mails
and keeps nothing: what receiving costs before any desk is there.
"""

import asyncio
import random
import smtplib
import sqlite3
import sys
import time
from collections.abc import Callable
from email.message import EmailMessage
from email.utils import make_msgid
from pathlib import Path

from benchmarks import running
from benchmarks.report import Row
from benchmarks.running import Process, RunningDesk
from benchmarks.turn import PROBLEMS
from tests.services.process import free_port

ADDRESS = "support@bench.example"
ENDINGS = ("Спасибо!", "С уважением, Анна", "Best regards, Emma", "Это срочно, у нас стоит работа.", "It has been like this since Monday.")
CONNECTIONS = 4


def measure(*, quick: bool) -> list[Row]:
    count = 100 if quick else 400
    with running.folder("mail") as folder:
        bare = _bare(folder, count)
        desk = RunningDesk(folder).make()
        desk.priyom("inbox", "add", "email", "--name", "bench", "--address", ADDRESS)
        desk.start()
        try:
            send(desk.smtp, mails(20, seed=1))  # imports, models and statements are there
            until_answered(desk, 20)
            began, spent = time.monotonic(), desk.running.cpu_seconds()
            send(desk.smtp, mails(count, seed=2))
            _until(lambda: _tickets(desk) >= 20 + count)
            opened = desk.running.cpu_seconds() - spent
            until_answered(desk, 20 + count)
            cpu, seconds = desk.running.cpu_seconds() - spent, time.monotonic() - began
        finally:
            desk.stop()
    return [
        Row.of(
            "CPU per mail, SMTP to ticket and acknowledgement queued; baseline: aiosmtpd and the standard parser",
            opened / count * 1000, "ms", baseline=bare / count * 1000, at_most=10,
        ),
        Row.of("CPU per mail, until the acknowledgement has been sent as well", cpu / count * 1000, "ms", baseline=bare / count * 1000),
        Row.of("mails a second, each with its ticket and its acknowledgement sent", count / seconds, "/s"),
    ]  # fmt: skip


def mails(count: int, *, seed: int) -> list[EmailMessage]:
    """Different people, Russian and English, some with HTML beside the text, some with a small file."""
    chance = random.Random(seed)
    made = []
    for number in range(count):
        problem = PROBLEMS[number % len(PROBLEMS)]
        mail = EmailMessage()
        mail["From"] = f"Человек {number} <person{seed}-{number}@customer{number % 7}.example>"
        mail["To"] = ADDRESS
        mail["Subject"] = problem[:40]
        mail["Message-ID"] = make_msgid(domain="customer.example")
        mail.set_content(f"{problem}.\n\n{chance.choice(ENDINGS)}\n-- \nТел. +7 900 123-45-{number % 100:02d}\n")
        if number % 3 == 0:
            mail.add_alternative(f"<html><body><p>{problem}.</p><p>{chance.choice(ENDINGS)}</p></body></html>", subtype="html")
        if number % 10 == 0:
            mail.add_attachment(b"\x89PNG\r\n\x1a\n" + bytes(2000), maintype="image", subtype="png", filename="снимок.png")
        made.append(mail)
    return made


def send(port: int, letters: list[EmailMessage]) -> None:
    """Over a few connections in turn, as a mail server does; each waits for its 250."""
    clients = [smtplib.SMTP("127.0.0.1", port, timeout=60) for _ in range(CONNECTIONS)]
    for number, mail in enumerate(letters):
        clients[number % CONNECTIONS].send_message(mail)
    for client in clients:
        client.quit()


def _until(is_so: Callable[[], bool], *, seconds: float = 300) -> None:
    end = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() > end:
            raise RuntimeError("the desk did not finish its mails")
        time.sleep(0.05)


def until_answered(desk: RunningDesk, count: int) -> None:
    """Wait until so many mails have their acknowledgement sent."""
    _until(lambda: _count(desk, "SELECT count(*) FROM messages WHERE direction = 'outbound' AND delivery_state = 'sent'") >= count)


def _tickets(desk: RunningDesk) -> int:
    return _count(desk, "SELECT count(*) FROM tickets")


def _count(desk: RunningDesk, query: str) -> int:
    connection = sqlite3.connect(f"file:{desk.home / 'desk.sqlite3'}?mode=ro", uri=True)
    try:
        return int(connection.execute(query).fetchone()[0])
    finally:
        connection.close()


def _bare(folder: Path, count: int) -> float:
    """Seconds of processor time that aiosmtpd and the standard parser take for as many mails."""
    port = free_port()
    process = Process([sys.executable, "-m", "benchmarks.mail", str(port)], log=folder / "bare.log")
    try:
        _until(lambda: _answers(port), seconds=30)
        send(port, mails(20, seed=1))
        spent = process.cpu_seconds()
        send(port, mails(count, seed=2))
        return process.cpu_seconds() - spent
    finally:
        process.stop()


def _answers(port: int) -> bool:
    try:
        with smtplib.SMTP("127.0.0.1", port, timeout=2):
            return True
    except OSError:
        return False


async def _listen(port: int) -> None:
    """The bare receiver, as aiosmtpd's documentation writes it."""
    from email import message_from_bytes, policy

    from aiosmtpd.smtp import SMTP, Envelope, Session

    class Reader:
        async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's name
            assert isinstance(envelope.content, bytes)
            body = message_from_bytes(envelope.content, policy=policy.default).get_body(("plain", "html"))
            return "250 OK" if body is None or body.get_content() else "554 empty"

    server = await asyncio.get_running_loop().create_server(lambda: SMTP(Reader(), enable_SMTPUTF8=True), "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_listen(int(sys.argv[1])))
