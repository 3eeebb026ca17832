"""What a connection tells of itself, and what becomes of it at its end."""

import asyncio
from collections.abc import Iterable
from typing import Any

import pytest

from channels.telegram.connection import CallFailed, Connection, ConnectionClosed, bare
from channels.telegram.receive import Poller
from desk_core.conversations.ports import Accepted
from desk_core.kit.clock import SystemClock
from tests.services.process import free_port

TOKEN = "7000000001:AAE" + "x" * 32


@pytest.mark.parametrize("proxy", ["http://desk:p%40ss-word@127.0.0.1:{port}", "socks5://desk:p%40ss-word@127.0.0.1:{port}"])
async def test_no_error_of_a_proxy_or_server_quotes_a_password(proxy: str) -> None:
    connection = Connection(TOKEN, api_url="http://key:s3cret-key@127.0.0.1:9", proxy=proxy.format(port=free_port()))
    try:
        with pytest.raises(CallFailed) as caught:
            await connection.call("getMe", seconds=5)
    finally:
        await connection.close()
    told = f"{caught.value} {caught.value.words} {caught.value!r} {connection!r} " + connection.scrub(
        f"{proxy} p@ss-word p%40ss-word key:s3cret-key {TOKEN}"
    )
    for secret in ("p@ss-word", "p%40ss-word", "s3cret-key", TOKEN.partition(":")[2]):
        assert secret not in told


async def test_a_closed_connection_is_not_opened_again() -> None:
    connection = Connection(TOKEN, api_url=f"http://127.0.0.1:{free_port()}")
    await connection.close()
    with pytest.raises(ConnectionClosed):
        await connection.call("getMe")
    with pytest.raises(ConnectionClosed):
        connection.session()


async def test_polling_ends_with_its_connection_and_reports_no_trouble() -> None:
    polled, told = asyncio.Event(), list[str | None]()

    class Closing:
        async def updates(self, *, offset: int | None, seconds: int, allowed: Iterable[str]) -> list[Any]:
            if polled.is_set():
                raise ConnectionClosed
            polled.set()
            return []

        async def call(self, method: str, params: Any = None) -> Any:
            raise AssertionError(method)

    async def accept(inbox_id: str, message: Any, *, raw: bytes | None = None) -> Accepted:
        raise AssertionError(inbox_id)

    poller = Poller(Closing(), inbox_id="box", burst_seconds=0, clock=SystemClock(), on_status=told.append)
    async with asyncio.timeout(5):
        await poller.run(accept)
    assert told == [None]


def test_an_address_is_shown_without_who_may_use_it() -> None:
    assert bare("https://desk:secret@desk.example:8443/hooks/telegram/path") == "desk.example:8443"


async def test_the_end_waits_for_a_message_that_is_under_way() -> None:
    connection, order = Connection(TOKEN), []

    async def sends() -> None:
        with connection.asked():
            await asyncio.sleep(0.05)
            order.append("answered")

    sending = asyncio.create_task(sends())
    await asyncio.sleep(0)
    await connection.close()
    order.append("closed")
    await sending
    assert order == ["answered", "closed"]
