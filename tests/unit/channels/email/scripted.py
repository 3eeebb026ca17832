"""Small servers of the tests: an IMAP server that knows XOAUTH2 and TLS, and an authority that gives out tokens. Loopback only."""

import asyncio
import base64
import contextlib
import json
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs


@dataclass
class ScriptedImap:
    """Takes `token` (or `user` with `password`), has an empty INBOX, and remembers what was said to it."""

    token: str = "good"
    password: str = "secret"
    heard: list[str] = field(default_factory=list)
    port: int = 0

    async def converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        def say(line: str) -> None:
            writer.write(f"{line}\r\n".encode())

        say("* OK ready")
        while line := (await reader.readline()).decode().strip():
            tag, _space, command = line.partition(" ")
            self.heard.append(command)
            match command.upper().split():
                case ["CAPABILITY"]:
                    say("* CAPABILITY IMAP4rev1 AUTH=XOAUTH2")
                case ["AUTHENTICATE", "XOAUTH2"]:
                    say("+ ")
                    given = base64.b64decode(await reader.readline()).decode()
                    self.heard.append(given)
                    if given != f"user=me@x.ru\1auth=Bearer {self.token}\1\1":
                        say("+ " + base64.b64encode(b'{"status":"401","schemes":"bearer"}').decode())
                        self.heard.append((await reader.readline()).decode())
                        say(f"{tag} NO SASL authentication failed")
                        continue
                case ["LOGIN", *_given] if self.password not in command:
                    say(f"{tag} NO [AUTHENTICATIONFAILED] {command.split()[-1]} is wrong")
                    continue
                case ["SELECT" | "EXAMINE", _folder]:
                    say("* 0 EXISTS\r\n* OK [UIDVALIDITY 7] fine")
                case ["UID", "SEARCH", *_what]:
                    say("* SEARCH")
                case ["LOGOUT"]:
                    say("* BYE")
            say(f"{tag} OK done")


Converse = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def listening(converse: Converse, *, tls: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """The port of a server that hangs up when a conversation is over, and when it ends itself."""
    talking: set[asyncio.Task[None]] = set()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with contextlib.suppress(OSError, asyncio.IncompleteReadError):  # whoever called has gone
                await converse(reader, writer)
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    def called(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(talk(reader, writer))
        talking.add(task)

    server = await asyncio.start_server(called, "127.0.0.1", 0, ssl=tls)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await asyncio.wait_for(asyncio.gather(*_ended(talking), return_exceptions=True), 10)


def _ended(tasks: set[asyncio.Task[None]]) -> set[asyncio.Task[None]]:
    for task in tasks:
        task.cancel()
    return tasks


@asynccontextmanager
async def scripted_imap(server: ScriptedImap, *, tls: ssl.SSLContext | None = None) -> AsyncIterator[ScriptedImap]:
    async with listening(server.converse, tls=tls) as server.port:
        yield server


@dataclass
class Authority:
    """Answers each exchange with the next of `answers`: (status, what is said). `asked` holds the forms."""

    answers: list[tuple[int, Any]]
    asked: list[dict[str, str]] = field(default_factory=list)
    url: str = ""

    async def converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        length = int(head.partition("content-length:")[2].split()[0])
        form = parse_qs((await reader.readexactly(length)).decode())
        self.asked.append({name: values[0] for name, values in form.items()})
        status, said = self.answers.pop(0)
        body = said if isinstance(said, bytes) else json.dumps(said).encode()
        writer.write(f"HTTP/1.1 {status} Said\r\ncontent-length: {len(body)}\r\nconnection: close\r\n\r\n".encode() + body)
        await writer.drain()


@asynccontextmanager
async def authority(*answers: tuple[int, Any]) -> AsyncIterator[Authority]:
    made = Authority(list(answers))
    async with listening(made.converse) as port:
        made.url = f"http://127.0.0.1:{port}/token"
        yield made
