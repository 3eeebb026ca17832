"""A SOCKS 5 proxy that asks for a name and a password (RFC 1928, RFC 1929), and leads wherever a test wants."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

_NAME = 3
_LENGTHS = {1: 4, 4: 16}


@dataclass(slots=True)
class SocksProxy:
    """`asked` are the hosts and ports that were asked for, as they were written."""

    port: int
    asked: list[tuple[str, int]] = field(default_factory=list)


@contextlib.asynccontextmanager
async def socks_proxy(*, to_port: int, takes: tuple[str, str]) -> AsyncIterator[SocksProxy]:
    """For this name and password every connection leads to `to_port` here, whatever host it asks for: no name is looked up."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            _version, count = await reader.readexactly(2)
            if 2 not in await reader.readexactly(count):
                writer.write(b"\x05\xff")
                return writer.close()
            writer.write(b"\x05\x02")
            _version, length = await reader.readexactly(2)
            given = await reader.readexactly(length)
            secret = await reader.readexactly((await reader.readexactly(1))[0])
            known = (given.decode(), secret.decode()) == takes
            writer.write(b"\x01\x00" if known else b"\x01\x01")
            if not known:
                return writer.close()
            _version, _command, _reserved, kind = await reader.readexactly(4)
            host = await reader.readexactly((await reader.readexactly(1))[0] if kind == _NAME else _LENGTHS[kind])
            proxy.asked.append((host.decode() if kind == _NAME else ".".join(map(str, host)), int.from_bytes(await reader.readexactly(2))))
            there_reader, there_writer = await asyncio.open_connection("127.0.0.1", to_port)
            writer.write(b"\x05\x00\x00\x01" + bytes(6))
            await asyncio.gather(_pass_on(reader, there_writer), _pass_on(there_reader, writer))
        return None

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    proxy = SocksProxy(server.sockets[0].getsockname()[1])
    try:
        yield proxy
    finally:
        server.close()


async def _pass_on(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError):
        while data := await source.read(65_536):
            target.write(data)
            await target.drain()
    target.close()
