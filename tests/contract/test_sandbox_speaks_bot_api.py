"""The sandbox against aiogram's own client over real HTTP: the client must not be able to tell it from Telegram."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from typing import Self

import httpx2
import pytest
import uvicorn
from aiogram import Bot
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from aiogram.exceptions import (
    TelegramBadRequest,
    TelegramConflictError,
    TelegramForbiddenError,
    TelegramNetworkError,
    TelegramNotFound,
    TelegramRetryAfter,
    TelegramServerError,
    TelegramUnauthorizedError,
)
from aiogram.types import (
    BotCommand,
    BufferedInputFile,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    InputMediaDocument,
    InputMediaPhoto,
    InputPollOption,
    KeyboardButton,
    MediaUnion,
    ReactionTypeEmoji,
    ReplyKeyboardMarkup,
    ReplyParameters,
)
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from channels.telegram.sandbox import Sandbox
from channels.telegram.sandbox.person import File, NothingHeard, Person, SandboxRefused, buttons

TOKEN = "7000000001:AAE" + "x" * 32
PNG = base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==")


class Served:
    """An application behind a real uvicorn on a free port of 127.0.0.1."""

    def __init__(self, app: ASGIApp) -> None:
        config = uvicorn.Config(app, host="127.0.0.1", port=0, log_level="critical", ws="none", timeout_graceful_shutdown=3)
        self._server = uvicorn.Server(config)
        self._task: asyncio.Task[None] | None = None
        self.url = ""

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._server.serve())
        for _ in range(1000):
            if self._server.started:
                break
            await asyncio.sleep(0.01)
        self.url = f"http://127.0.0.1:{self._server.servers[0].sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.should_exit = True
        assert self._task is not None
        await self._task


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


def client(server: Served, token: str = TOKEN) -> Bot:
    return Bot(token, session=AiohttpSession(api=TelegramAPIServer.from_base(server.url)))


@pytest.fixture
async def bot(server: Served) -> AsyncIterator[Bot]:
    bot = client(server)
    yield bot
    await bot.session.close()


@pytest.fixture
async def anna(server: Served) -> AsyncIterator[Person]:
    async with Person(f"{server.url}/sandbox/telegram", "anna") as person:
        yield person


def keyboard(*rows: list[tuple[str, str]]) -> InlineKeyboardMarkup:
    return InlineKeyboardMarkup(
        inline_keyboard=[[InlineKeyboardButton(text=text, callback_data=data) for text, data in row] for row in rows]
    )


class TestWhoAmI:
    async def test_the_bot_is_told_its_own_name(self, bot: Bot) -> None:
        me = await bot.get_me()
        assert (me.id, me.username, me.first_name, me.is_bot) == (7000000001, "help_bot", "Help", True)

    async def test_an_unknown_token_is_unauthorized(self, server: Served) -> None:
        stranger = client(server, "7000000009:AAE" + "y" * 32)
        with pytest.raises(TelegramUnauthorizedError, match="Unauthorized"):
            await stranger.get_me()
        await stranger.session.close()

    async def test_an_open_sandbox_makes_a_bot_of_any_well_formed_token(self) -> None:
        async with Served(Sandbox(open_to_all=True).app()) as server:
            stranger = client(server, "7000000009:AAE" + "y" * 32)
            assert (await stranger.get_me()).id == 7000000009
            await stranger.session.close()
            misshapen = client(server, "7000000008:short")
            with pytest.raises(TelegramUnauthorizedError):
                await misshapen.get_me()
            await misshapen.session.close()

    async def test_an_unknown_method_is_not_found(self, bot: Bot) -> None:
        with pytest.raises(TelegramNotFound, match="Not Found"):
            await bot.get_available_gifts()


class TestUpdates:
    async def test_a_long_poll_wakes_when_somebody_writes(self, bot: Bot, anna: Person) -> None:
        poll = asyncio.create_task(bot.get_updates(timeout=10))
        await asyncio.sleep(0.1)
        assert not poll.done()
        said = await anna.says("Принтер не печатает /status https://example.org")
        (update,) = await asyncio.wait_for(poll, 3)
        assert update.message is not None
        assert update.message.text == said["text"]
        assert update.message.from_user is not None
        assert (update.message.from_user.id, update.message.from_user.language_code) == (anna.id, "ru")
        assert [entity.type for entity in update.message.entities or []] == ["bot_command", "url"]

    async def test_an_offset_confirms_and_forgets_what_came_before(self, bot: Bot, anna: Person) -> None:
        for text in ("one", "two", "three"):
            await anna.says(text)
        first = await bot.get_updates(limit=2)
        assert len(first) == 2
        again = await bot.get_updates()
        assert [update.update_id for update in again][:2] == [update.update_id for update in first]
        (rest,) = await bot.get_updates(offset=first[-1].update_id + 1)
        assert rest.message is not None
        assert rest.message.text == "three"
        assert await bot.get_updates(offset=rest.update_id + 1) == []
        assert await bot.get_updates() == []

    async def test_a_negative_offset_keeps_the_latest(self, bot: Bot, anna: Person) -> None:
        for text in ("one", "two", "three"):
            await anna.says(text)
        (last,) = await bot.get_updates(offset=-1)
        assert last.message is not None
        assert last.message.text == "three"
        assert len(await bot.get_updates()) == 1

    async def test_two_pollers_conflict_and_the_later_one_stays(self, server: Served, bot: Bot, anna: Person) -> None:
        other = client(server)
        early = asyncio.create_task(bot.get_updates(timeout=10))
        await asyncio.sleep(0.1)
        late = asyncio.create_task(other.get_updates(timeout=10))
        with pytest.raises(TelegramConflictError, match="terminated by other getUpdates request"):
            await asyncio.wait_for(early, 3)
        await anna.says("hello")
        assert len(await asyncio.wait_for(late, 3)) == 1
        await other.session.close()

    async def test_a_poll_whose_caller_left_does_not_swallow_updates(self, bot: Bot, anna: Person) -> None:
        gone = asyncio.create_task(bot.get_updates(timeout=10))
        await asyncio.sleep(0.1)
        gone.cancel()
        await anna.says("still there?")
        assert len(await bot.get_updates(timeout=5)) == 1

    async def test_kinds_that_were_not_asked_for_are_not_sent(self, bot: Bot, anna: Person) -> None:
        said = await anna.says("hello")
        await anna.reacts(said["message_id"], "👍")
        assert [update.event_type for update in await bot.get_updates(allowed_updates=["message_reaction"])] == ["message"]
        await anna.says("not wanted any more")
        await anna.reacts(said["message_id"], "🔥")
        update = (await bot.get_updates())[-1]
        assert update.message_reaction is not None
        assert isinstance(update.message_reaction.new_reaction[0], ReactionTypeEmoji)
        assert update.message_reaction.new_reaction[0].emoji == "🔥"

    async def test_updates_of_unknown_kinds_arrive_as_they_are(self, bot: Bot, anna: Person) -> None:
        sent = await anna.sends_raw({"telepathy": {"thought": "printer"}})
        (update,) = await bot.get_updates()
        assert update.update_id == sent["update_id"]


class TestTalking:
    async def test_html_becomes_text_and_entities(self, bot: Bot, anna: Person) -> None:
        await anna.says("/start")
        sent = await bot.send_message(anna.id, "<b>Жирный 😀</b> и <a href='https://example.org'>ссылка</a> &lt;x&gt;", parse_mode="HTML")
        assert sent.text == "Жирный 😀 и ссылка <x>"
        assert [(e.type, e.offset, e.length) for e in sent.entities or []] == [("bold", 0, 9), ("text_link", 12, 6)]
        assert (await anna.hears(matching="жирный"))["entities"][0]["type"] == "bold"

    @pytest.mark.parametrize(
        ("html", "words"),
        [
            ("<b>open", "Can't find end tag corresponding to start tag"),
            ("<div>no</div>", 'Unsupported start tag "div" at byte offset 0'),
            ("привет</b>", "Unexpected end tag at byte offset 12"),
            ("<b><i>x</b></i>", 'expected "</i>", found "</b>"'),
            ("a < b", 'Unsupported start tag "" at byte offset 2'),
        ],
    )
    async def test_broken_html_is_refused_in_telegrams_words(self, bot: Bot, anna: Person, html: str, words: str) -> None:
        await anna.says("/start")
        with pytest.raises(TelegramBadRequest) as refused:
            await bot.send_message(anna.id, html, parse_mode="HTML")
        assert "Bad Request: can't parse entities" in refused.value.message
        assert words in refused.value.message

    @pytest.mark.nonsense
    async def test_text_has_its_limits(self, bot: Bot, anna: Person) -> None:
        await anna.says("/start")
        assert (await bot.send_message(anna.id, "<b>" + "я" * 4096 + "</b>", parse_mode="HTML")).text == "я" * 4096
        with pytest.raises(TelegramBadRequest, match="message is too long"):
            await bot.send_message(anna.id, "я" * 4097)
        with pytest.raises(TelegramBadRequest, match="message text is empty"):
            await bot.send_message(anna.id, "<b> </b>\n", parse_mode="HTML")

    async def test_a_bot_cannot_write_first(self, bot: Bot, anna: Person) -> None:
        with pytest.raises(TelegramBadRequest, match="chat not found"):
            await bot.send_message(anna.id, "hello")

    async def test_a_reply_shows_what_it_answers(self, bot: Bot, anna: Person) -> None:
        said = await anna.says("Как сбросить пароль?")
        sent = await bot.send_message(anna.id, "Так", reply_parameters=ReplyParameters(message_id=said["message_id"]))
        assert sent.reply_to_message is not None
        assert sent.reply_to_message.text == said["text"]
        answer = await anna.says("Спасибо", reply_to=sent.message_id)
        assert answer["reply_to_message"]["message_id"] == sent.message_id
        with pytest.raises(TelegramBadRequest, match="message to be replied not found"):
            await bot.send_message(anna.id, "x", reply_parameters=ReplyParameters(message_id=1))

    async def test_reactions_come_from_telegrams_own_list(self, bot: Bot, anna: Person) -> None:
        said = await anna.says("hello")
        await bot.set_message_reaction(anna.id, said["message_id"], [ReactionTypeEmoji(emoji="👀")])
        assert await anna.sees_reaction(said["message_id"]) == "👀"
        with pytest.raises(TelegramBadRequest, match="REACTION_INVALID"):
            await bot.set_message_reaction(anna.id, said["message_id"], [ReactionTypeEmoji(emoji="✅")])

    async def test_contact_location_typing_and_menus(self, bot: Bot, anna: Person) -> None:
        await anna.sends_contact()
        await anna.sends_location(55.75, 37.61)
        contact, location = await bot.get_updates()
        assert contact.message is not None and contact.message.contact is not None
        assert contact.message.contact.user_id == anna.id
        assert location.message is not None and location.message.location is not None
        assert location.message.location.latitude == 55.75
        assert await bot.send_chat_action(anna.id, "typing")
        with pytest.raises(TelegramBadRequest, match="wrong parameter action"):
            await bot.send_chat_action(anna.id, "dancing")
        await bot.send_location(anna.id, 1, 2)
        await bot.send_contact(anna.id, "+7900", "Desk")
        commands = [BotCommand(command="new", description="Новое обращение")]
        await bot.set_my_commands(commands, language_code="ru")
        assert [command.description for command in await bot.get_my_commands(language_code="ru")] == ["Новое обращение"]
        assert await bot.get_my_commands() == []
        await bot.set_my_description("d")
        await bot.set_my_short_description("s")
        assert (await bot.get_my_name()).name == "Help"
        assert (await bot.get_user_profile_photos(anna.id)).total_count == 0

    async def test_a_person_may_correct_their_words(self, bot: Bot, anna: Person) -> None:
        said = await anna.says("Принтер 350")
        await anna.edits(said["message_id"], "Принтер 305")
        first, second = await bot.get_updates()
        assert first.message is not None and second.edited_message is not None
        assert (first.message.text, second.edited_message.text) == ("Принтер 350", "Принтер 305")
        assert second.edited_message.message_id == said["message_id"]
        assert second.edited_message.edit_date

    async def test_a_bot_may_correct_and_take_back_its_words(self, bot: Bot, anna: Person) -> None:
        said = await anna.says("/start")
        sent = await bot.send_message(anna.id, "one", reply_markup=keyboard([("A", "a")]))
        await bot.edit_message_text("two", chat_id=anna.id, message_id=sent.message_id)
        seen = await anna.sees_edit(sent.message_id)
        assert seen["text"] == "two"
        assert "reply_markup" not in seen
        with pytest.raises(TelegramBadRequest, match="message is not modified"):
            await bot.edit_message_text("two", chat_id=anna.id, message_id=sent.message_id)
        with pytest.raises(TelegramBadRequest, match="message is not modified"):
            await bot.edit_message_reply_markup(chat_id=anna.id, message_id=sent.message_id)
        with pytest.raises(TelegramBadRequest, match="message can't be edited"):
            await bot.edit_message_text("three", chat_id=anna.id, message_id=said["message_id"])
        assert await bot.delete_message(anna.id, sent.message_id)
        with pytest.raises(TelegramBadRequest, match="message to delete not found"):
            await bot.delete_message(anna.id, sent.message_id)
        with pytest.raises(TelegramBadRequest, match="message to edit not found"):
            await bot.edit_message_text("x", chat_id=anna.id, message_id=sent.message_id)
        assert [message["message_id"] for message in await anna.chat()] == [said["message_id"]]


class TestButtons:
    async def test_a_press_reaches_the_bot_and_its_answer_the_person(self, bot: Bot, anna: Person) -> None:
        await anna.says("/start")
        await bot.send_message(anna.id, "Помогло?", reply_markup=keyboard([("Да", "yes"), ("Нет", "no")]))
        assert buttons(await anna.hears()) == ["Да", "Нет"]
        query_id = await anna.presses("Да")
        update = (await bot.get_updates())[-1]
        query = update.callback_query
        assert query is not None and query.message is not None
        assert (query.id, query.data, query.from_user.id) == (query_id, "yes", anna.id)
        await bot.answer_callback_query(query.id, "Спасибо", show_alert=True)
        answer = await anna.sees_answer(query_id)
        assert (answer["text"], answer["show_alert"]) == ("Спасибо", True)
        with pytest.raises(TelegramBadRequest, match="query is too old"):
            await bot.answer_callback_query("1")

    async def test_a_button_that_is_gone_can_only_be_pressed_as_stale(self, bot: Bot, anna: Person) -> None:
        await anna.says("/start")
        sent = await bot.send_message(anna.id, "?", reply_markup=keyboard([("Да", "yes")]))
        await bot.edit_message_reply_markup(chat_id=anna.id, message_id=sent.message_id)
        with pytest.raises(SandboxRefused, match="no button"):
            await anna.presses("Да")
        await anna.presses_data(sent.message_id, "yes", stale=True)
        assert (await bot.get_updates())[-1].callback_query is not None

    @pytest.mark.nonsense
    async def test_callback_data_is_limited_to_64_bytes(self, bot: Bot, anna: Person) -> None:
        await anna.says("/start")
        await bot.send_message(anna.id, "ok", reply_markup=keyboard([("A", "a" * 64)]))
        with pytest.raises(TelegramBadRequest, match="BUTTON_DATA_INVALID"):
            await bot.send_message(anna.id, "no", reply_markup=keyboard([("A", "я" * 33)]))
        with pytest.raises(TelegramBadRequest, match="Text buttons are unallowed"):
            bare = InlineKeyboardMarkup(inline_keyboard=[[InlineKeyboardButton(text="A")]])
            await bot.send_message(anna.id, "no", reply_markup=bare)

    async def test_a_keyboard_under_the_composer_can_ask_for_a_contact(self, bot: Bot, anna: Person) -> None:
        await anna.says("/start")
        asked = ReplyKeyboardMarkup(keyboard=[[KeyboardButton(text="Мой номер", request_contact=True)]])
        await bot.send_message(anna.id, "Ваш телефон?", reply_markup=asked)
        await anna.presses("Мой номер")
        message = (await bot.get_updates())[-1].message
        assert message is not None and message.contact is not None


class TestFiles:
    async def test_a_document_travels_to_the_bot(self, bot: Bot, anna: Person) -> None:
        body = b"%PDF-1.7 " + bytes(range(256)) * 300
        await anna.sends_file("Счёт № 5.pdf", body, caption="вот счёт")
        (update,) = await bot.get_updates()
        assert update.message is not None and update.message.document is not None
        assert (update.message.document.file_name, update.message.caption) == ("Счёт № 5.pdf", "вот счёт")
        assert (update.message.document.mime_type, update.message.document.file_size) == ("application/pdf", len(body))
        file = await bot.get_file(update.message.document.file_id)
        assert file.file_path is not None
        fetched = await bot.download_file(file.file_path)
        assert fetched is not None
        assert fetched.read() == body
        with pytest.raises(TelegramBadRequest, match="wrong file_id"):
            await bot.get_file("nothing")

    async def test_photo_and_voice_travel_to_the_bot(self, bot: Bot, anna: Person) -> None:
        await anna.sends_file("screen.png", PNG, kind="photo")
        await anna.sends_file("voice.ogg", b"OggS....", kind="voice")
        photo, voice = await bot.get_updates()
        assert photo.message is not None and photo.message.photo
        assert photo.message.photo[-1].file_size == len(PNG)
        assert voice.message is not None and voice.message.voice is not None
        assert voice.message.voice.mime_type == "audio/ogg"

    async def test_an_album_arrives_in_parts_of_one_group(self, bot: Bot, anna: Person) -> None:
        await anna.sends_album([("1.png", PNG), ("2.png", PNG), File("3.png", PNG, "photo")], caption="вот")
        updates = await bot.get_updates()
        messages = [update.message for update in updates if update.message is not None]
        assert len({message.media_group_id for message in messages}) == 1
        assert [message.caption for message in messages] == ["вот", None, None]

    @pytest.mark.nonsense
    async def test_the_bot_sends_files_and_albums(self, bot: Bot, anna: Person) -> None:
        await anna.says("/start")
        sent = await bot.send_document(anna.id, BufferedInputFile(b"log line", "журнал.txt"), caption="<b>лог</b>", parse_mode="HTML")
        assert sent.document is not None
        heard = await anna.hears(matching="лог")
        assert await anna.downloads(heard) == b"log line"
        assert (await bot.send_document(anna.id, sent.document.file_id)).document is not None
        photo = await bot.send_photo(anna.id, BufferedInputFile(PNG, "a.png"))
        assert photo.photo is not None
        await bot.send_voice(anna.id, BufferedInputFile(b"OggS", "a.ogg"), duration=2)
        album = await bot.send_media_group(
            anna.id,
            [
                InputMediaPhoto(media=BufferedInputFile(PNG, "1.png"), caption="два"),
                InputMediaPhoto(media=photo.photo[-1].file_id),
            ],
        )
        assert len({message.media_group_id for message in album}) == 1
        with pytest.raises(TelegramBadRequest, match="document can't be mixed"):
            mixed: list[MediaUnion] = [InputMediaPhoto(media=photo.photo[-1].file_id), InputMediaDocument(media=sent.document.file_id)]
            await bot.send_media_group(anna.id, mixed)
        with pytest.raises(TelegramBadRequest, match="IMAGE_PROCESS_FAILED"):
            await bot.send_photo(anna.id, BufferedInputFile(b"PK\x03\x04zip", "a.png"))
        with pytest.raises(TelegramBadRequest, match="caption is too long"):
            await bot.send_document(anna.id, sent.document.file_id, caption="я" * 1025)


class TestBlocking:
    async def test_a_blocked_bot_is_told_and_may_not_write(self, bot: Bot, anna: Person) -> None:
        await anna.says("/start")
        await anna.blocks_bot()
        update = (await bot.get_updates())[-1]
        assert update.my_chat_member is not None
        assert update.my_chat_member.new_chat_member.status == "kicked"
        with pytest.raises(TelegramForbiddenError, match="bot was blocked by the user"):
            await bot.send_message(anna.id, "hello?")
        await anna.unblocks_bot()
        back = (await bot.get_updates(offset=update.update_id + 1))[-1]
        assert back.my_chat_member is not None
        assert back.my_chat_member.new_chat_member.status == "member"
        await bot.send_message(anna.id, "welcome back")


class TestFaults:
    async def test_429_carries_the_time_to_wait(self, sandbox: Sandbox, bot: Bot, anna: Person) -> None:
        await anna.says("/start")
        sandbox.faults.too_many("sendMessage", retry_after=7)
        with pytest.raises(TelegramRetryAfter) as refused:
            await bot.send_message(anna.id, "one")
        assert refused.value.retry_after == 7
        await bot.send_message(anna.id, "two")
        assert (await anna.hears())["text"] == "two"

    async def test_server_errors_and_slowness(self, sandbox: Sandbox, bot: Bot, anna: Person) -> None:
        await anna.says("/start")
        sandbox.faults.error("sendMessage", code=502, description="Bad Gateway")
        with pytest.raises(TelegramServerError, match="Bad Gateway"):
            await bot.send_message(anna.id, "one")
        sandbox.faults.slow("sendMessage", seconds=0.2)
        with pytest.raises(TelegramNetworkError, match="timeout"):
            await bot.send_message(anna.id, "two", request_timeout=0.05)  # type: ignore[arg-type]

    async def test_a_cut_before_does_nothing_and_a_cut_after_has_done_it(self, sandbox: Sandbox, bot: Bot, anna: Person) -> None:
        await anna.says("/start")
        sandbox.faults.cut_before("sendMessage")
        with pytest.raises(TelegramNetworkError):
            await bot.send_message(anna.id, "one")
        sandbox.faults.cut_after("sendMessage")
        with pytest.raises(TelegramNetworkError):
            await bot.send_message(anna.id, "two")
        assert (await anna.hears())["text"] == "two"
        assert [call.code for call in sandbox.calls] == [200]


class TestWebhook:
    async def test_updates_are_delivered_with_the_secret_until_taken(self, bot: Bot, anna: Person) -> None:
        taken: list[tuple[str | None, str]] = []
        answers = [500, 200]

        async def hook(request: Request) -> Response:
            update = json.loads(await request.body())
            taken.append((request.headers.get("X-Telegram-Bot-Api-Secret-Token"), update["message"]["text"]))
            return Response(status_code=answers.pop(0) if answers else 200)

        async with Served(Starlette(routes=[Route("/hook", hook, methods=["POST"])])) as desk:
            await bot.set_webhook(f"{desk.url}/hook", secret_token="s3cret")
            with pytest.raises(TelegramConflictError, match="webhook is active"):
                await bot.get_updates()
            await anna.says("one")
            await anna.says("two")
            for _ in range(100):
                if len(taken) == 3:
                    break
                await asyncio.sleep(0.05)
            assert taken == [("s3cret", "one"), ("s3cret", "one"), ("s3cret", "two")]
            info = await bot.get_webhook_info()
            for _ in range(100):
                info = await bot.get_webhook_info()
                if info.pending_update_count == 0:
                    break
                await asyncio.sleep(0.05)
            assert info.pending_update_count == 0
            assert info.last_error_message == "Wrong response from the webhook: 500 Internal Server Error"
            await bot.delete_webhook()
        assert await bot.get_updates() == []

    async def test_a_webhook_ends_the_poll_that_waits(self, bot: Bot) -> None:
        poll = asyncio.create_task(bot.get_updates(timeout=10))
        await asyncio.sleep(0.1)
        await bot.set_webhook("http://127.0.0.1:9/never")
        with pytest.raises(TelegramConflictError, match="terminated by setWebhook"):
            await asyncio.wait_for(poll, 3)

    async def test_only_loopback_is_reached(self, bot: Bot) -> None:
        with pytest.raises(TelegramBadRequest, match="bad webhook"):
            await bot.set_webhook("https://example.org/hook")


class TestPerson:
    async def test_says_what_was_missing_when_nothing_is_heard(self, anna: Person) -> None:
        await anna.says("hello")
        with pytest.raises(NothingHeard, match="'hello'"):
            await anna.hears(timeout=0.1)
        assert await anna.hears_nothing(within=0.1)

    async def test_hears_each_message_once_and_skips_to_what_matches(self, bot: Bot, anna: Person) -> None:
        await anna.says("/start")
        for text in ("one", "two", "three"):
            await bot.send_message(anna.id, text)
        assert (await anna.hears())["text"] == "one"
        assert (await anna.hears(matching="three"))["text"] == "three"
        assert await anna.hears_nothing(within=0.1)

    async def test_new_people_may_come(self, server: Served, bot: Bot) -> None:
        async with Person(f"{server.url}/sandbox/telegram", "george", language="en", first_name="George") as george:
            await george.opens("token123")
            (update,) = await bot.get_updates()
            assert update.message is not None and update.message.from_user is not None
            assert (update.message.text, update.message.from_user.first_name) == ("/start token123", "George")


class TestTopics:
    @pytest.fixture(autouse=True)
    async def open_chat(self, anna: Person) -> None:
        await anna.switches_bot(has_topics_enabled=True)
        await anna.says("/start")

    async def test_a_topic_of_a_private_chat_from_beginning_to_end(self, bot: Bot, anna: Person) -> None:
        assert (await bot.get_me()).has_topics_enabled
        icon = (await bot.get_forum_topic_icon_stickers())[0].custom_emoji_id
        topic = await bot.create_forum_topic(anna.id, "#1042 Printer", icon_custom_emoji_id=icon)
        thread = topic.message_thread_id
        sent = await bot.send_message(anna.id, "here", message_thread_id=thread)
        assert (sent.message_thread_id, sent.is_topic_message) == (thread, True)
        await bot.send_chat_action(anna.id, "typing", message_thread_id=thread)
        await bot.edit_forum_topic(anna.id, thread, name="#1042 Solved")
        with pytest.raises(TelegramBadRequest, match="TOPIC_NOT_MODIFIED"):
            await bot.edit_forum_topic(anna.id, thread, name="#1042 Solved")
        assert [each["name"] for each in await anna.topics()] == ["#1042 Solved"]
        await anna.says("thanks", topic=thread)
        message = (await bot.get_updates())[-1].message
        assert message is not None and (message.message_thread_id, message.text) == (thread, "thanks")
        with pytest.raises(TelegramBadRequest, match="not a supergroup"):
            await bot.close_forum_topic(anna.id, thread)
        await bot.delete_forum_topic(anna.id, thread)
        with pytest.raises(TelegramBadRequest, match="message to edit not found"):
            await bot.edit_message_text("x", chat_id=anna.id, message_id=sent.message_id)

    async def test_a_topic_deleted_by_hand_is_not_found(self, bot: Bot, anna: Person) -> None:
        topic = await bot.create_forum_topic(anna.id, "Printer")
        await anna.deletes_topic(topic.message_thread_id)
        with pytest.raises(TelegramBadRequest, match="message thread not found"):
            await bot.send_message(anna.id, "here", message_thread_id=topic.message_thread_id)
        with pytest.raises(TelegramBadRequest, match="TOPIC_ID_INVALID"):
            await bot.edit_forum_topic(anna.id, topic.message_thread_id, name="x")

    async def test_an_application_without_topics_has_no_forum(self, bot: Bot, anna: Person) -> None:
        await anna.switches(topics=False)
        with pytest.raises(TelegramBadRequest, match="not a forum"):
            await bot.create_forum_topic(anna.id, "Printer")

    async def test_a_topic_begun_by_the_person_is_told_of(self, bot: Bot, anna: Person) -> None:
        topic = await anna.begins_topic("Scanner")
        message = (await bot.get_updates())[-1].message
        assert message is not None and message.forum_topic_created is not None
        assert (message.forum_topic_created.name, message.message_thread_id) == ("Scanner", topic["message_thread_id"])


class TestForumGroup:
    async def test_the_bot_keeps_topics_and_people_work_in_them(self, server: Served, bot: Bot, anna: Person) -> None:
        group = await anna.founds_group("Desk", members=["boris"])
        chat = await bot.get_chat(group)
        assert (chat.type, chat.is_forum) == ("supergroup", True)
        assert {member.status for member in await bot.get_chat_administrators(group)} == {"creator", "administrator"}
        thread = (await bot.create_forum_topic(group, "#1 Printer")).message_thread_id
        card = await bot.send_message(group, "card", message_thread_id=thread, reply_markup=keyboard([("Take", "take")]))
        async with Person(f"{server.url}/sandbox/telegram", "boris", group=group) as boris:
            await boris.presses("Take")
            await boris.says("On it", topic=thread)
            await boris.reacts(card.message_id, "👍")
            await bot.close_forum_topic(group, thread)
            with pytest.raises(SandboxRefused, match="TOPIC_CLOSED"):
                await boris.says("more", topic=thread)
        updates = await bot.get_updates()
        assert any(update.callback_query and update.callback_query.from_user.first_name == "Борис" for update in updates)
        said = next(update.message for update in updates if update.message and update.message.text == "On it")
        assert said.reply_to_message is not None and said.reply_to_message.forum_topic_created is not None
        await bot.reopen_forum_topic(group, thread)

    async def test_without_the_right_nothing_is_made(self, bot: Bot, anna: Person) -> None:
        group = await anna.founds_group("Desk", administrator=False)
        with pytest.raises(TelegramBadRequest, match="not enough rights"):
            await bot.create_forum_topic(group, "x")
        await anna.sets_standing(group, "bot", "kicked")
        with pytest.raises(TelegramForbiddenError, match="bot was kicked"):
            await bot.send_message(group, "x")


class TestEveryKind:
    async def test_what_the_bot_sends_and_changes(self, bot: Bot, anna: Person) -> None:
        await anna.says("/start")
        video = await bot.send_video(anna.id, BufferedInputFile(b"mp4", "a.mp4"))
        await bot.send_animation(anna.id, BufferedInputFile(b"gif", "a.mp4"))
        await bot.send_video_note(anna.id, BufferedInputFile(b"mp4", "a.mp4"))
        await bot.send_sticker(anna.id, BufferedInputFile(PNG, "a.webp"))
        await bot.send_audio(anna.id, BufferedInputFile(b"mp3", "a.mp3"))
        await bot.send_venue(anna.id, 1, 2, "Office", "Street 1")
        assert (await bot.send_dice(anna.id)).dice is not None
        poll = await bot.send_poll(anna.id, "How was it?", [InputPollOption(text="Good"), InputPollOption(text="Bad")], is_anonymous=False)
        await anna.votes(poll.message_id, 0)
        assert (await bot.get_updates())[-1].poll_answer is not None
        assert await bot.send_message_draft(anna.id, 1, text="half")
        assert await bot.pin_chat_message(anna.id, video.message_id)
        assert await bot.unpin_chat_message(anna.id, message_id=video.message_id)
        assert (await bot.copy_message(anna.id, anna.id, video.message_id)).message_id
        assert (await bot.forward_message(anna.id, anna.id, video.message_id)).forward_origin is not None
        edited = await bot.edit_message_media(
            InputMediaPhoto(media=BufferedInputFile(PNG, "a.png"), caption="new"), chat_id=anna.id, message_id=video.message_id
        )
        assert not isinstance(edited, bool) and edited.photo and edited.video is None


class TestSchema:
    @pytest.mark.nonsense
    async def test_what_the_schema_does_not_have_is_noticed(self, sandbox: Sandbox, bot: Bot, anna: Person) -> None:
        await anna.says("/start")
        await bot.send_message(anna.id, "fine", reply_markup=keyboard([("Yes", "yes")]))
        await bot.send_document(anna.id, BufferedInputFile(b"log", "log.txt"))
        assert list(sandbox.violations) == []
        with pytest.raises(TelegramBadRequest):
            await bot.send_message(anna.id, "я" * 4097)
        assert list(sandbox.violations) == ["sendMessage: text is longer than 4096 characters"]

    @pytest.mark.nonsense
    async def test_the_test_that_asked_and_whoever_asks_are_told(self, server: Served, anna: Person, off_schema: list[str]) -> None:
        async with httpx2.AsyncClient() as http:
            await http.post(f"{server.url}/bot{TOKEN}/sendMessage", json={"chat_id": anna.id, "txet": "x"})
            told = (await http.get(f"{server.url}/sandbox/telegram/api/violations")).json()
        assert told == {"violations": ["sendMessage: text is missing", "sendMessage: txet is unknown"]}
        assert off_schema == told["violations"]
