"""The Telegram adapter against the sandbox over real HTTP: what arrives, by polling and by webhook."""

import asyncio

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from structlog.testing import capture_logs

from channels.telegram.channel import TelegramChannel
from channels.telegram.profile import Profile
from channels.telegram.sandbox import Sandbox
from channels.telegram.sandbox.person import Person
from channels.telegram.webhook import SECRET_HEADER
from desk_core.conversations.ports import (
    InboundKind,
)
from desk_core.kit.clock import SystemClock
from tests.contract.telegram.wire import PNG, TOKEN, MemoryBlobs, Served, Store, adapter, eventually, receiving


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
            assert names == ["new", "my", "me", "email", "invite", "leave", "faq", "lang", "human", "cancel", "help"]
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
