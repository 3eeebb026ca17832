"""The Telegram adapter against the sandbox over real HTTP: every promise of `Channel`, every refusal by its meaning."""

import asyncio
import base64
import hashlib
import itertools
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any, Self

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp
from structlog.testing import capture_logs

from channels.telegram.channel import TelegramChannel
from channels.telegram.profile import Profile
from channels.telegram.sandbox import Sandbox
from channels.telegram.sandbox.person import File, Person, buttons
from channels.telegram.webhook import SECRET_HEADER
from desk_core.conversations.ports import (
    Accepted,
    Channel,
    ChannelKind,
    InboundKind,
    InboundMessage,
    OutboundButton,
    OutboundFile,
    OutboundMessage,
    Refused,
    RetryLater,
    TopicGone,
)
from desk_core.kit.clock import SystemClock
from desk_core.kit.errors import NotFound, StoreUnavailable
from desk_core.kit.ids import new_id

TOKEN = "7000000001:AAE" + "x" * 32
PNG = base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==")


async def eventually(is_so: Callable[[], bool], *, seconds: float = 15) -> None:
    """Wait for something that has no bell of its own."""
    async with asyncio.timeout(seconds):
        for pause in itertools.repeat(0.02):
            if is_so():
                return
            await asyncio.sleep(pause)


class Served:
    """An application behind a real uvicorn on a free port of 127.0.0.1."""

    def __init__(self, app: ASGIApp) -> None:
        self._server = uvicorn.Server(
            uvicorn.Config(app, host="127.0.0.1", port=0, log_level="critical", ws="none", timeout_graceful_shutdown=3)
        )
        self._task: asyncio.Task[None] | None = None
        self.url = ""

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._server.serve())
        await eventually(lambda: self._server.started)
        self.url = f"http://127.0.0.1:{self._server.servers[0].sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.should_exit = True
        assert self._task is not None
        await self._task


class MemoryBlobs:
    def __init__(self) -> None:
        self._kept: dict[str, bytes] = {}

    async def put(self, content: bytes | AsyncIterator[bytes], *, limit: int | None = None) -> tuple[str, int]:
        data = content if isinstance(content, bytes) else b"".join([chunk async for chunk in content])
        name = hashlib.sha256(data).hexdigest()
        self._kept[name] = data
        return name, len(data)

    async def read(self, sha256: str) -> bytes:
        if sha256 not in self._kept:
            raise NotFound(blob=sha256)
        return self._kept[sha256]

    async def head(self, sha256: str, length: int) -> bytes:
        return (await self.read(sha256))[:length]

    async def size(self, sha256: str) -> int:
        return len(await self.read(sha256))

    def file(self, name: str, content_type: str, data: bytes) -> OutboundFile:
        sha256 = hashlib.sha256(data).hexdigest()
        self._kept[sha256] = data
        return OutboundFile(name, content_type, len(data), sha256)


class Store:
    """An `Accept` in memory that can be out of order."""

    def __init__(self) -> None:
        self.messages: list[InboundMessage] = []
        self.down = False
        self._changed = asyncio.Event()

    async def __call__(self, inbox_id: str, message: InboundMessage, *, raw: bytes | None = None) -> Accepted:
        if self.down:
            raise StoreUnavailable(reason="test")
        duplicate = any(one.external_id == message.external_id for one in self.messages)
        if not duplicate:
            self.messages.append(message)
            self._changed.set()
        return Accepted(message.external_id, duplicate=duplicate)

    async def until(self, is_it: Callable[[InboundMessage], bool], *, seconds: float = 10) -> InboundMessage:
        async with asyncio.timeout(seconds):
            while True:
                for message in self.messages:
                    if is_it(message):
                        return message
                self._changed.clear()
                await self._changed.wait()


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    sandbox = Sandbox(webhook_first_pause=0.05)
    sandbox.add_bot(TOKEN, "help_bot", "Help")
    yield sandbox
    await sandbox.close()


@pytest.fixture
async def server(sandbox: Sandbox) -> AsyncIterator[Served]:
    async with Served(sandbox.app()) as served:
        yield served
        sandbox.hang_up()


@pytest.fixture
async def anna(server: Served) -> AsyncIterator[Person]:
    async with Person(f"{server.url}/sandbox/telegram", "anna") as person:
        yield person


@pytest.fixture
def blobs() -> MemoryBlobs:
    return MemoryBlobs()


def adapter(server: Served, blobs: MemoryBlobs | None = None, **more: Any) -> TelegramChannel:
    return TelegramChannel("box", more.pop("token", TOKEN), blobs=blobs or MemoryBlobs(), clock=SystemClock(), api_url=server.url, **more)


@pytest.fixture
async def channel(server: Served, blobs: MemoryBlobs) -> AsyncIterator[TelegramChannel]:
    channel = adapter(server, blobs)
    yield channel
    await channel.close()


@asynccontextmanager
async def receiving(channel: TelegramChannel, store: Store) -> AsyncIterator[Store]:
    task = asyncio.create_task(channel.run(store))
    try:
        yield store
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def letter(to: Person, text: str = "", **more: Any) -> OutboundMessage:
    key = str(to.id)
    return OutboundMessage(new_id(), "c", more.pop("thread_key", key), key, "Анна", text, "ru", SystemClock().now(), **more)


class TestReceiving:
    async def test_everything_a_person_does_arrives_in_order(self, channel: TelegramChannel, anna: Person) -> None:
        async with receiving(channel, Store()) as store:
            said = await anna.says("Принтер не печатает")
            # Telegram keeps reactions only for a bot that has asked for them, which the first poll does.
            await store.until(lambda message: message.kind is InboundKind.MESSAGE)
            await anna.edits(said["message_id"], "Принтер не печатает со вчера")
            await anna.reacts(said["message_id"], "👍")
            await anna.sends_contact()
            await anna.sends_content({"dice": {"emoji": "🎲", "value": 3}})
            await anna.sends_raw({"quantum_leap": {"from": {"id": anna.id}}})
            await anna.blocks_bot()
            await store.until(lambda message: message.kind is InboundKind.MEMBERSHIP)
        kinds = [message.kind for message in store.messages]
        assert kinds == [
            InboundKind.MESSAGE,
            InboundKind.EDIT,
            InboundKind.REACTION,
            InboundKind.MESSAGE,
            InboundKind.UNSUPPORTED,
            InboundKind.UNSUPPORTED,
            InboundKind.MEMBERSHIP,
        ]
        first, edit = store.messages[:2]
        assert first.shown_id == f"{anna.id}:{said['message_id']}" == edit.edits
        assert first.sender.language == "ru"

    async def test_an_album_arrives_in_parts_that_know_each_other(self, channel: TelegramChannel, anna: Person) -> None:
        async with receiving(channel, Store()) as store:
            await anna.sends_album([("1.png", PNG), ("2.png", PNG)], caption="экран")
            await store.until(lambda _: len(store.messages) == 2)
        one, two = store.messages
        assert one.album == two.album is not None
        assert (one.text, two.text) == ("экран", "")

    async def test_what_comes_while_the_store_is_down_is_stored_when_it_is_back(self, channel: TelegramChannel, anna: Person) -> None:
        store = Store()
        store.down = True
        async with receiving(channel, store):
            await anna.says("первое")
            await anna.says("второе")
            await asyncio.sleep(0.3)
            assert store.messages == []
            store.down = False
            await store.until(lambda message: message.text == "второе")
        assert [message.text for message in store.messages] == ["первое", "второе"]

    async def test_a_second_receiver_is_told_of_and_nothing_is_lost(self, server: Served, anna: Person) -> None:
        told: list[str | None] = []

        async def on_status(words: str | None) -> None:
            told.append(words)

        one, two, store = adapter(server, on_status=on_status), adapter(server), Store()
        async with receiving(one, store):
            await asyncio.sleep(0.2)
            async with receiving(two, store):
                await anna.says("кто из вас?")
                await store.until(lambda message: message.text == "кто из вас?")
                await asyncio.sleep(0.3)
        assert any(words and "Another program" in words for words in told)
        await one.close()
        await two.close()

    async def test_a_wrong_token_is_said_in_words_without_the_token(self, server: Served) -> None:
        told: list[str | None] = []

        async def on_status(words: str | None) -> None:
            told.append(words)

        wrong = "7000000002:AAE" + "y" * 32
        channel = adapter(server, token=wrong, on_status=on_status)
        with capture_logs() as logs:
            async with receiving(channel, Store()):
                await asyncio.sleep(0.3)
        await channel.close()
        assert any(words and "does not know this token" in words for words in told)
        assert wrong not in repr((told, logs, channel))
        assert "y" * 32 not in repr((told, logs, channel))

    @pytest.mark.parametrize("inbox_language", ["ru", "en"])
    async def test_commands_and_descriptions_are_set_in_both_languages(self, sandbox: Sandbox, server: Served, inbox_language: str) -> None:
        profile = Profile({"ru": "ИТ-отдел «Ромашки»", "en": "Daisy IT"}, ("ru", "en"), inbox_language)
        channel = adapter(server, profile=profile)
        async with receiving(channel, Store()):
            await eventually(lambda: sum(call.method == "setMyDescription" for call in sandbox.calls) == 3)
        await channel.close()
        bot = sandbox.add_bot(TOKEN, "help_bot", "Help")
        for language in ("", "ru", "en"):
            names = [command["command"] for command in bot.commands["default", language]]
            assert names == ["new", "my", "me", "faq", "lang", "human", "cancel", "help"]
        about = {language: bot.texts["description", language] for language in ("", "ru", "en")}
        assert about["ru"].startswith("ИТ-отдел «Ромашки»\n\nНапишите")
        assert about["en"].startswith("Daisy IT\n\nWrite")
        # Who has neither language is greeted in English, also by an inbox that is set to Russian.
        assert about[""] == about["en"]
        assert bot.texts["short_description", ""] == bot.texts["short_description", "en"] != bot.texts["short_description", "ru"]

    async def test_a_desk_of_one_language_shows_that_to_everybody(self, sandbox: Sandbox, server: Served) -> None:
        channel = adapter(server, profile=Profile({"ru": "ИТ-отдел"}, ("ru",), "ru"))
        async with receiving(channel, Store()):
            await eventually(lambda: sum(call.method == "setMyDescription" for call in sandbox.calls) == 2)
        await channel.close()
        bot = sandbox.add_bot(TOKEN, "help_bot", "Help")
        assert bot.texts["description", ""] == bot.texts["description", "ru"]


class TestWebhook:
    async def test_receives_survives_a_broken_store_and_gives_way_to_polling(self, server: Served, anna: Person) -> None:
        store, statuses = Store(), []

        async def hook(request: Request) -> Response:
            statuses.append(await channel.webhook(request.headers.get(SECRET_HEADER), await request.body(), store))
            return Response(status_code=statuses[-1])

        async with Served(Starlette(routes=[Route("/hooks/telegram/Rnd0mPath", hook, methods=["POST"])])) as desk:
            address = f"{desk.url}/hooks/telegram/Rnd0mPath"
            channel = adapter(server, webhook_url=address, webhook_secret="s3cret-value")
            assert TOKEN not in address
            async with receiving(channel, store):
                store.down = True
                await anna.says("по вебхуку")
                await eventually(lambda: 503 in statuses)
                store.down = False
                await store.until(lambda message: message.text == "по вебхуку")
                steps = await channel.test()
                assert all(passed for _, passed, _ in steps)
                assert "Rnd0mPath" not in repr(steps)
                assert await channel.webhook("guess", b"{}", store) == 403
            await channel.close()
        assert [message.text for message in store.messages] == ["по вебхуку"]
        polling = adapter(server)
        async with receiving(polling, store):
            await anna.says("и снова опросом")
            await store.until(lambda message: message.text == "и снова опросом")
        await polling.close()

    async def test_polling_and_webhook_take_turns_under_load_and_lose_nothing(self, server: Served, anna: Person) -> None:
        await anna.opens()
        store = Store()
        hooked: list[TelegramChannel] = []

        async def hook(request: Request) -> Response:
            if not hooked:
                return Response(status_code=404)  # as the desk's route answers where no webhook is configured
            status = await hooked[0].webhook(request.headers.get(SECRET_HEADER), await request.body(), store)
            return Response(status_code=status)

        async def talk() -> None:
            for number in range(120):
                await anna.says(f"слово {number}")
                await asyncio.sleep(0.01)

        async with Served(Starlette(routes=[Route("/hooks/telegram/Rnd0mPath", hook, methods=["POST"])])) as desk:
            talking = asyncio.create_task(talk())
            for turn in range(6):
                if turn % 2:
                    channel = adapter(server, webhook_url=f"{desk.url}/hooks/telegram/Rnd0mPath", webhook_secret="s3cret-value")
                    hooked.append(channel)
                else:
                    channel = adapter(server)
                async with receiving(channel, store):
                    await asyncio.sleep(0.3)
                hooked.clear()
                await channel.close()
            await talking
            last = adapter(server)
            async with receiving(last, store):
                await store.until(lambda message: message.text == "слово 119")
                await eventually(lambda: len({message.text for message in store.messages if message.text.startswith("слово")}) == 120)
            await last.close()
        told = [message.text for message in store.messages if message.text.startswith("слово")]
        assert sorted(told) == sorted(f"слово {number}" for number in range(120))

    def test_is_not_built_without_a_secret(self) -> None:
        with pytest.raises(ValueError, match="secret"):
            TelegramChannel("box", TOKEN, blobs=MemoryBlobs(), clock=SystemClock(), webhook_url="https://desk.example/h")


class TestSending:
    async def test_text_arrives_formatted_with_buttons_and_a_receipt(self, channel: TelegramChannel, anna: Person) -> None:
        asked = await anna.says("помогите")
        keyboard = ((OutboundButton("Помогло", token="tok-1"), OutboundButton("Человек", token="tok-2")),)
        receipt = await channel.send(letter(anna, "**Готово**, 1 < 2", buttons=keyboard, reply_to=f"{anna.id}:{asked['message_id']}"))
        heard = await anna.hears()
        assert heard["text"] == "Готово, 1 < 2"
        assert heard["entities"][0]["type"] == "bold"
        assert buttons(heard) == ["Помогло", "Человек"]
        assert heard["reply_to_message"]["message_id"] == asked["message_id"]
        assert receipt.external_id == f"{anna.id}:{heard['message_id']}"

    async def test_an_answer_to_a_deleted_message_arrives_all_the_same(self, channel: TelegramChannel, anna: Person) -> None:
        await anna.opens()
        await channel.send(letter(anna, "ответ", reply_to=f"{anna.id}:999999999"))
        assert (await anna.hears())["text"] == "ответ"

    async def test_a_long_text_arrives_in_parts_with_the_keyboard_last(self, channel: TelegramChannel, anna: Person) -> None:
        await anna.opens()
        receipt = await channel.send(letter(anna, "**слово " + "слово " * 1498 + "слово**", buttons=((OutboundButton("Да", token="t"),),)))
        parts = [await anna.hears(), await anna.hears(), await anna.hears()]
        assert " ".join(part["text"] for part in parts).split() == ["слово"] * 1500
        assert [buttons(part) for part in parts] == [[], [], ["Да"]]
        ids = [f"{anna.id}:{part['message_id']}" for part in parts]
        assert (receipt.external_id, receipt.extra) == (ids[2], (ids[0], ids[1]))

    async def test_files_arrive_as_photo_document_and_album(self, channel: TelegramChannel, blobs: MemoryBlobs, anna: Person) -> None:
        await anna.opens()
        picture, paper = blobs.file("экран.png", "image/png", PNG), blobs.file('от"чёт.pdf', "application/pdf", b"%PDF-1.4 test")
        await channel.send(letter(anna, "смотрите", files=(picture,)))
        seen = await anna.hears()
        assert "photo" in seen
        assert seen["caption"] == "смотрите"
        await channel.send(letter(anna, files=(paper,)))
        seen = await anna.hears()
        assert seen["document"]["file_name"] == "от'чёт.pdf"
        assert await anna.downloads(seen) == b"%PDF-1.4 test"
        receipt = await channel.send(letter(anna, "два файла", files=(picture, paper)))
        one, two = await anna.hears(), await anna.hears()
        assert one["media_group_id"] == two["media_group_id"]
        assert len(receipt.extra) == 1

    async def test_a_broken_picture_is_sent_as_a_document(self, channel: TelegramChannel, blobs: MemoryBlobs, anna: Person) -> None:
        await anna.opens()
        await channel.send(letter(anna, files=(blobs.file("x.png", "image/png", b"not a picture at all"),)))
        assert (await anna.hears())["document"]["file_name"] == "x.png"

    async def test_markup_that_telegram_refuses_is_sent_once_more_as_plain_text(
        self, sandbox: Sandbox, channel: TelegramChannel, anna: Person
    ) -> None:
        await anna.opens()
        sandbox.faults.error("sendMessage", code=400, description="Bad Request: can't parse entities: Unsupported start tag")
        await channel.send(letter(anna, "**жирный** [сайт](https://x.example)"))
        heard = await anna.hears()
        assert heard["text"] == "жирный сайт (https://x.example)"
        assert await anna.hears_nothing(within=0.2)

    async def test_a_topic_that_is_gone_is_told_as_such_and_nothing_is_sent(self, channel: TelegramChannel, anna: Person) -> None:
        await anna.opens()
        with pytest.raises(TopicGone):
            await channel.send(letter(anna, "всё равно", thread_key=f"{anna.id}:77"))
        await channel.send(letter(anna, "всё равно"))
        assert (await anna.hears())["text"] == "всё равно"
        assert await anna.hears_nothing(within=0.2)

    async def test_nothing_to_send_is_refused(self, channel: TelegramChannel, anna: Person) -> None:
        with pytest.raises(Refused, match="nothing to send"):
            await channel.send(letter(anna, " "))

    async def test_a_file_whose_content_is_gone_is_refused_in_words(self, channel: TelegramChannel, anna: Person) -> None:
        await anna.opens()
        with pytest.raises(Refused, match=r"gone\.txt"):
            await channel.send(letter(anna, files=(OutboundFile("gone.txt", "text/plain", 3, "0" * 64),)))


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
        for scheme, passed in (("http", True), ("socks5", False)):
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


class TestCourtesies:
    async def test_a_press_is_answered_and_the_keyboard_goes(self, channel: TelegramChannel, anna: Person) -> None:
        await anna.opens()
        receipt = await channel.send(letter(anna, "Помогло?", buttons=((OutboundButton("Да", token="tok-9"),),)))
        async with receiving(channel, Store()) as store:
            await anna.presses("Да")
            press = await store.until(lambda message: message.kind is InboundKind.PRESS)
        assert press.button == "tok-9"
        assert press.reply_to == receipt.external_id
        assert press.callback_id is not None
        await channel.answer_press(press.callback_id, "Принято" * 100)
        assert (await anna.sees_answer())["text"].startswith("Принято")
        assert press.thread_key is not None
        await channel.close_buttons(press.thread_key, receipt.external_id)
        assert buttons(await anna.sees_edit()) == []
        await channel.close_buttons(press.thread_key, receipt.external_id)

    async def test_typing_is_shown(self, sandbox: Sandbox, channel: TelegramChannel, anna: Person) -> None:
        await anna.opens()
        await channel.typing(str(anna.id))
        assert sandbox.calls[-1].method == "sendChatAction"

    async def test_none_of_them_ever_fails(self, sandbox: Sandbox, channel: TelegramChannel) -> None:
        sandbox.faults.cut_before(times=3)
        for _ in range(2):
            await channel.typing("404")
            await channel.answer_press("no such query", "x")
            await channel.close_buttons("404", "404:1")
        await channel.close_buttons("404", "nonsense")


class TestEditing:
    async def test_changes_words_and_buttons_in_place(self, channel: TelegramChannel, anna: Person) -> None:
        await anna.opens()
        receipt = await channel.send(letter(anna, "Какой **принтер**?", buttons=((OutboundButton("Пропустить", "t1"),),)))
        again = await channel.edit(letter(anna, "Принтер: 305. Что случилось?", buttons=((OutboundButton("Назад", "t2"),),)), receipt)
        assert again == receipt
        shown = (await anna.chat())[-1]
        assert (shown["text"], buttons(shown)) == ("Принтер: 305. Что случилось?", ["Назад"])

    async def test_to_the_same_is_no_failure(self, channel: TelegramChannel, anna: Person) -> None:
        await anna.opens()
        receipt = await channel.send(letter(anna, "Готово."))
        assert await channel.edit(letter(anna, "Готово."), receipt) == receipt

    async def test_shorter_takes_the_rest_away_and_longer_is_refused(self, channel: TelegramChannel, anna: Person) -> None:
        await anna.opens()
        long = "\n\n".join(f"Шаг {number}. " + "слово " * 150 for number in range(10))
        receipt = await channel.send(letter(anna, long))
        assert receipt.extra
        before = len(await anna.chat())
        short = await channel.edit(letter(anna, "Коротко."), receipt)
        assert not short.extra
        assert len(await anna.chat()) == before - len(receipt.extra)
        with pytest.raises(Refused):
            await channel.edit(letter(anna, long), short)
        assert (await anna.chat())[-1]["text"] == "Коротко."


class TestLongLogs:
    async def test_come_as_a_file(self, channel: TelegramChannel, anna: Person) -> None:
        await anna.opens()
        log = "\n".join(f"{number} ошибка <x>" for number in range(500))
        await channel.send(letter(anna, f"Журнал:\n\n```\n{log}\n```"))
        text, file = (await anna.chat())[-2:]
        assert text["text"].startswith("Журнал:")
        assert file["document"]["file_name"] == "log.log"
        assert (await anna.downloads(file)).decode().strip() == log


class TestDeleting:
    async def test_takes_every_part_away_and_twice_is_no_failure(self, channel: TelegramChannel, anna: Person) -> None:
        await anna.opens()
        before = len(await anna.chat())
        receipt = await channel.send(letter(anna, "Не вам."))
        await channel.delete(str(anna.id), [receipt.external_id])
        await channel.delete(str(anna.id), [receipt.external_id])
        assert len(await anna.chat()) == before


class TestReacting:
    async def test_puts_one_reaction_and_takes_it_off(self, sandbox: Sandbox, channel: TelegramChannel, anna: Person) -> None:
        said = await anna.says("Не печатает")
        shown_id = f"{anna.id}:{said['message_id']}"
        for emoji in ("👀", "👌", None):
            await channel.react(str(anna.id), shown_id, emoji)
        reacted = [call for call in sandbox.calls if call.method == "setMessageReaction"]
        assert len(reacted) == 3

    async def test_what_bots_may_not_set_is_refused(self, channel: TelegramChannel, anna: Person) -> None:
        said = await anna.says("Не печатает")
        with pytest.raises(Refused):
            await channel.react(str(anna.id), f"{anna.id}:{said['message_id']}", "✅")


class TestFiles:
    async def test_are_streamed_whole(self, channel: TelegramChannel, anna: Person) -> None:
        content = bytes(range(256)) * 2_000
        async with receiving(channel, Store()) as store:
            await anna.sends_file("отчёт.bin", content)
            message = await store.until(lambda one: bool(one.files))
        remote_id = message.files[0].remote_id
        assert remote_id is not None
        chunks = [chunk async for chunk in channel.fetch(remote_id)]
        assert b"".join(chunks) == content
        assert len(chunks) > 1

    async def test_larger_than_telegram_hands_out_are_refused_in_words(self, channel: TelegramChannel, anna: Person) -> None:
        sent = await anna.sends_file("big.iso", b"0" * (20 * 1024 * 1024 + 1))
        with pytest.raises(Refused, match="20 MB"):
            _ = [chunk async for chunk in channel.fetch(sent["document"]["file_id"])]

    async def test_that_cannot_be_had_now_are_tried_later(self, sandbox: Sandbox, channel: TelegramChannel, anna: Person) -> None:
        sent = await anna.sends_album([File("a.txt", b"abc"), File("b.txt", b"abc")])
        file_id = sent[0]["document"]["file_id"]
        sandbox.faults.error("file", code=502)
        with pytest.raises(RetryLater) as caught:
            _ = [chunk async for chunk in channel.fetch(file_id)]
        assert TOKEN not in caught.value.reason
        with pytest.raises(RetryLater):
            _ = [chunk async for chunk in channel.fetch("no-such-file")]
        assert b"".join([chunk async for chunk in channel.fetch(file_id)]) == b"abc"


async def test_the_connection_test_says_who_the_bot_is(channel: TelegramChannel) -> None:
    names = [words for _, passed, words in await channel.test() if passed]
    assert names[0] == "Help (@help_bot)"
    assert names[1] == "polling"


async def test_the_adapter_is_a_channel(channel: TelegramChannel) -> None:
    as_channel: Channel = channel
    assert as_channel.kind is ChannelKind.TELEGRAM
    assert TOKEN not in repr(channel)
