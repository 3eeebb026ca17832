"""What receiving costs before any desk is there: aiosmtpd as its documentation writes it, with Python's own parser or with none.

`python -m benchmarks.mail.bare PORT [parsing]`
"""

import asyncio
import contextlib
import socket
import sys
from collections.abc import Iterator
from email import message_from_bytes, policy
from pathlib import Path

from aiosmtpd.smtp import SMTP, Envelope, Session

from benchmarks.mail.watch import until
from benchmarks.running import Process
from tests.services.process import free_port


@contextlib.contextmanager
def receiver(folder: Path, *, parsing: bool) -> Iterator[tuple[Process, int]]:
    """It in a process of its own, and its port."""
    port = free_port()
    words = ["parsing"] if parsing else []
    process = Process([sys.executable, "-m", "benchmarks.mail.bare", str(port), *words], log=folder / "bare.log")
    try:
        until(lambda: _answers(port), seconds=30)
        yield process, port
    finally:
        process.stop()


def _answers(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


class _Reader:
    def __init__(self, *, parsing: bool) -> None:
        self._parsing = parsing

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's name
        assert isinstance(envelope.content, bytes)
        if not self._parsing:
            return "250 OK"
        body = message_from_bytes(envelope.content, policy=policy.default).get_body(("plain", "html"))
        return "250 OK" if body is None or body.get_content() else "554 empty"


async def _listen(port: int, *, parsing: bool) -> None:
    reader = _Reader(parsing=parsing)
    server = await asyncio.get_running_loop().create_server(lambda: SMTP(reader, enable_SMTPUTF8=True), "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_listen(int(sys.argv[1]), parsing="parsing" in sys.argv[2:]))
