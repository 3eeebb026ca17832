"""A mail server that sends: letters ready as bytes over a few connections, each of which waits for its 250."""

import asyncio
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from benchmarks.mail.letters import Letter


@dataclass(frozen=True, slots=True)
class Sent:
    """`busy` is processor time of the sender."""

    seconds: float
    busy: float


def send(port: int, letters: Iterable[Letter], *, connections: int = 1) -> Sent:
    """Send all of them; raises when one is not answered with 250."""
    return asyncio.run(_send(port, iter(letters), connections))


async def _send(port: int, letters: Iterator[Letter], connections: int) -> Sent:
    async with asyncio.timeout(3600):
        lines = [await _Connection.to(port) for _ in range(connections)]
        began, spent = time.monotonic(), time.process_time()
        await asyncio.gather(*(line.send(letters) for line in lines))
        sent = Sent(time.monotonic() - began, time.process_time() - spent)
        for line in lines:
            await line.close()
    return sent


class _Connection:
    """One SMTP connection without pipelining."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    @classmethod
    async def to(cls, port: int) -> "_Connection":
        line = cls(*await asyncio.open_connection("127.0.0.1", port))
        await line._expect(b"220")
        await line._says(b"EHLO mx.customer.example\r\n", b"250")
        return line

    async def send(self, letters: Iterator[Letter]) -> None:
        for letter in letters:
            await self._says(f"MAIL FROM:<{letter.sender}>\r\n".encode(), b"250")
            await self._says(f"RCPT TO:<{letter.to}>\r\n".encode(), b"250")
            await self._says(b"DATA\r\n", b"354")
            await self._says(letter.wire, b"250")

    async def close(self) -> None:
        await self._says(b"QUIT\r\n", b"221")
        self._writer.close()

    async def _says(self, words: bytes, code: bytes) -> None:
        self._writer.write(words)
        await self._expect(code)

    async def _expect(self, code: bytes) -> None:
        while (line := await self._reader.readline())[3:4] == b"-":
            pass
        if not line.startswith(code):
            raise RuntimeError(f"not {code.decode()} but {line!r}")
