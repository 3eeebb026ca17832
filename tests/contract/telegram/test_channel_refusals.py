"""The Telegram adapter against the sandbox over real HTTP: every refusal by its meaning."""

import asyncio
import socket
from datetime import timedelta

import pytest

from channels.telegram.channel import TelegramChannel
from channels.telegram.sandbox import Sandbox
from channels.telegram.sandbox.person import Person
from desk_core.conversations.ports import (
    Refused,
    RetryLater,
)
from desk_core.kit.clock import SystemClock
from tests.contract.telegram.wire import TOKEN, MemoryBlobs, Served, adapter, letter
from tests.services.socks import socks_proxy


class TestRefusals:
    async def test_429_waits_as_long_as_telegram_asks(self, sandbox: Sandbox, channel: TelegramChannel, anna: Person) -> None:
        await anna.opens()
        sandbox.faults.too_many("sendMessage", retry_after=7)
        with pytest.raises(RetryLater) as caught:
            await channel.send(letter(anna, "x"))
        assert caught.value.after is not None
        assert timedelta(seconds=6.5) < caught.value.after < timedelta(seconds=8.5)
        assert not caught.value.uncertain
        assert caught.value.free

    async def test_429_silences_the_bot_in_every_chat(self, sandbox: Sandbox, channel: TelegramChannel, anna: Person) -> None:
        await anna.opens()
        sandbox.faults.too_many("sendMessage", retry_after=7)
        for _ in range(2):
            with pytest.raises(RetryLater):
                await channel.send(letter(anna, "x"))
        assert [call.code for call in sandbox.calls if call.method == "sendMessage"] == [429]

    async def test_a_short_429_is_waited_out_where_it_stands(self, sandbox: Sandbox, channel: TelegramChannel, anna: Person) -> None:
        await anna.opens()
        sandbox.faults.too_many("sendMessage", retry_after=1)
        receipt = await channel.send(letter(anna, "x"))
        assert not receipt.uncertain
        assert (await anna.hears())["text"] == "x"
        assert await anna.hears_nothing(within=0.2)

    async def test_403_says_that_the_person_blocked_us(self, channel: TelegramChannel, anna: Person) -> None:
        await anna.opens()
        await anna.blocks_bot()
        with pytest.raises(Refused) as caught:
            await channel.send(letter(anna, "x"))
        assert caught.value.blocked
        assert "blocked by the user" in caught.value.reason

    async def test_an_unknown_chat_is_refused_for_good(self, channel: TelegramChannel, anna: Person) -> None:
        with pytest.raises(Refused) as caught:
            await channel.send(letter(anna, "x", thread_key="404"))
        assert caught.value.blocked
        assert "chat not found" in caught.value.reason

    @pytest.mark.parametrize("code", [500, 502, 504])
    async def test_5xx_is_tried_later_and_may_have_arrived(
        self, sandbox: Sandbox, channel: TelegramChannel, anna: Person, code: int
    ) -> None:
        await anna.opens()
        sandbox.faults.error("sendMessage", code=code)
        with pytest.raises(RetryLater) as caught:
            await channel.send(letter(anna, "x"))
        assert caught.value.uncertain

    async def test_a_connection_cut_after_the_effect_is_uncertain(self, sandbox: Sandbox, channel: TelegramChannel, anna: Person) -> None:
        await anna.opens()
        sandbox.faults.cut_after("sendMessage")
        with pytest.raises(RetryLater) as caught:
            await channel.send(letter(anna, "x"))
        assert caught.value.uncertain
        assert (await anna.hears())["text"] == "x"

    async def test_a_server_that_is_not_there_is_certainly_not_reached(self, server: Served, anna: Person) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            nobody = f"http://127.0.0.1:{free.getsockname()[1]}"
        channel = TelegramChannel("box", TOKEN, blobs=MemoryBlobs(), clock=SystemClock(), api_url=nobody)
        with pytest.raises(RetryLater) as caught:
            await channel.send(letter(anna, "x"))
        assert not caught.value.uncertain
        assert TOKEN not in str(caught.value)
        steps = await channel.test()
        # What needs no Telegram is told all the same.
        assert [(step, passed) for step, passed, _ in steps if not passed] == [("Telegram knows the bot", False)]
        assert TOKEN not in repr(steps)
        await channel.close()

    async def test_a_proxy_is_used_and_one_that_cannot_be_is_said_in_words_without_its_password(self, server: Served, anna: Person) -> None:
        asked: list[bytes] = []

        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            asked.append(await reader.readuntil(b"\r\n"))
            body = b'{"ok": true, "result": {"first_name": "Far", "username": "far_bot"}}'
            writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
            await writer.drain()
            writer.close()

        proxy = await asyncio.start_server(answer, "127.0.0.1", 0)
        port = proxy.sockets[0].getsockname()[1]
        for scheme, passed in (("http", True), ("socks5", False)):  # what answers is no SOCKS proxy
            channel = TelegramChannel(
                "box",
                TOKEN,
                blobs=MemoryBlobs(),
                clock=SystemClock(),
                api_url="http://telegram.example",
                proxy=f"{scheme}://user:pa55word@127.0.0.1:{port}",
            )
            steps = await channel.test()
            assert steps[0][1] is passed
            assert "pa55word" not in repr(steps)
            await channel.close()
        proxy.close()
        assert asked[0].startswith(b"POST http://telegram.example/bot")

    @pytest.mark.parametrize("scheme", ["socks5", "socks5h"])
    async def test_a_socks_proxy_carries_everything_and_looks_names_up_itself(self, server: Served, anna: Person, scheme: str) -> None:
        await anna.opens()
        async with socks_proxy(to_port=server.port, takes=("desk", "p@ss-word")) as proxy:
            address, api = f"{scheme}://desk:p%40ss-word@127.0.0.1:{proxy.port}", "http://telegram.example:8081"
            channel = TelegramChannel("box", TOKEN, blobs=MemoryBlobs(), clock=SystemClock(), api_url=api, proxy=address)
            await channel.send(letter(anna, "через прокси"))
            assert (await anna.hears())["text"] == "через прокси"
            await channel.close()
        assert set(proxy.asked) == {("telegram.example", 8081)}

    async def test_a_socks_proxy_that_refuses_is_said_in_words_and_tried_again(self, server: Served, anna: Person) -> None:
        async with socks_proxy(to_port=server.port, takes=("desk", "another")) as proxy:
            address = f"socks5://desk:p%40ss-word@127.0.0.1:{proxy.port}"
            channel = TelegramChannel(
                "box", TOKEN, blobs=MemoryBlobs(), clock=SystemClock(), api_url="http://telegram.example", proxy=address
            )
            steps = await channel.test()
            assert steps[0][1] is False
            assert "p@ss-word" not in repr(steps)
            assert "p%40ss-word" not in repr(steps)
            with pytest.raises(RetryLater) as caught:
                await channel.send(letter(anna, "x"))
            assert not caught.value.uncertain
            await channel.close()
        assert proxy.asked == []

    async def test_an_unknown_token_is_tried_later_since_correcting_it_cures(self, server: Served, anna: Person) -> None:
        for token in ("7000000002:AAE" + "y" * 32, "nonsense"):
            channel = adapter(server, token=token)
            with pytest.raises(RetryLater) as caught:
                await channel.send(letter(anna, "x"))
            assert token not in caught.value.reason
            await channel.close()

    async def test_a_retry_sends_only_what_has_not_arrived(self, sandbox: Sandbox, channel: TelegramChannel, anna: Person) -> None:
        await anna.opens()
        message = letter(anna, "слово " * 1500)
        sandbox.faults.slow("sendMessage", seconds=0)
        sandbox.faults.error("sendMessage", code=502)
        with pytest.raises(RetryLater) as caught:
            await channel.send(message)
        assert caught.value.uncertain
        receipt = await channel.send(message)
        parts = [await anna.hears(), await anna.hears(), await anna.hears()]
        assert " ".join(part["text"] for part in parts).split() == ["слово"] * 1500
        assert await anna.hears_nothing(within=0.2)
        assert receipt.external_id == f"{anna.id}:{parts[0]['message_id']}"
        assert len(receipt.extra) == 2
