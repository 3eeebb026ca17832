"""How the bot behaves in a chat: commands, languages, buttons of another time, albums, edits, and people who shut it out."""

import asyncio
import base64
import contextlib
import re
from dataclasses import dataclass
from typing import Self

import pytest
from sqlalchemy import select

from channels.telegram.sandbox.person import buttons
from desk_core.conversations.entities import Inbox
from desk_core.knowledge import questions
from desk_core.tickets import service
from tests.acceptance.administrator import Administrator
from tests.acceptance.chat import Chat
from tests.acceptance.house import House, eventually, kinds

pytestmark = pytest.mark.timeout(300)

PRINTER = "Не печатает принтер в кабинете 305, горит красная лампочка"
VPN = "Не подключается VPN из дома, пишет ошибку 809"
PNG = base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==")


class TestCommands:
    async def test_start_greets_in_the_language_of_the_client(self, house: House) -> None:
        for client, spoken in (("ru", "ru"), ("en", "en"), ("de", "en")):
            guest = await house.person(language=client)
            guest.language = spoken
            await guest.opens()
            await guest.hears_reply("greet")

    async def test_a_greeting_or_thanks_opens_nothing(self, house: House) -> None:
        anna = await house.person()
        for words in ("Добрый день!", "спасибо"):
            await anna.says(words)
            await anna.hears()
        await house.quiet()
        assert await anna.tickets() == []

    async def test_human_opens_a_request_at_once_with_everything_told(self, house: House) -> None:
        anna = await house.person()
        await anna.says(PRINTER)
        await anna.hears_buttons("not_it")
        await anna.says("/human")
        await anna.hears_reply("human")
        await house.quiet()
        ticket = await anna.only_ticket()
        assert ticket["baton"] == "queue"
        assert ticket["category"] == "hardware.printer"
        assert PRINTER in [message["text"] for message in ticket["messages"]]

    async def test_a_word_is_enough_to_call_a_person(self, house: House) -> None:
        anna = await house.person()
        await anna.says("оператор")
        await anna.hears_reply("human")
        await house.quiet()
        assert (await anna.only_ticket())["baton"] == "queue"

    async def test_cancel_leaves_the_form_and_files_nothing(self, house: House) -> None:
        anna = await house.person()
        await anna.says(PRINTER)
        await anna.hears_buttons("not_it")
        await anna.chooses("not_it")
        await anna.hears_buttons("skip")
        await anna.says("/cancel")
        await anna.hears_reply("cancelled")
        await house.quiet()
        assert await anna.tickets() == []
        assert (await house.conversation(anna.address))["state"] == "idle"
        await anna.says("/cancel")
        await anna.hears_reply("nothing_to_cancel")

    async def test_my_lists_requests_and_shows_one(self, house: House) -> None:
        anna = await house.person()
        await anna.says("/my")
        await anna.hears_reply("requests_none")
        number = await anna.reports(PRINTER)
        await anna.says("/my")
        listed = await anna.hears_reply("requests_intro")
        row = next(label for label in buttons(listed) if f"#{number}" in label)
        await anna.presses(row, message_id=listed["message_id"])
        shown = await anna.hears(matching=f"#{number}")
        assert anna.word("add") in buttons(shown)

    async def test_a_request_may_be_withdrawn(self, house: House) -> None:
        anna = await house.person()
        number = await anna.reports(PRINTER)
        await anna.chooses("cancel_request")
        await anna.hears_reply("request_cancelled")
        await house.quiet()
        assert (await house.ticket(number))["status"] == "cancelled"


class TestTwoRequestsInOneChat:
    async def test_are_two_numbers_and_a_reply_finds_its_own(self, house: House) -> None:
        anna = await house.person()
        first = await anna.reports(PRINTER)
        created = (await anna.chat())[-1]
        await anna.says("/new")
        await anna.hears_reply("ask_problem")
        second = await anna.reports(VPN)
        sent = (await anna.chat())[-1]
        assert first != second
        assert [ticket["category"] for ticket in await anna.tickets()] == ["hardware.printer", "network.vpn"]
        await anna.says("теперь ещё и скрипит", reply_to=created["message_id"])
        await anna.hears(matching=f"#{first}")
        await anna.says("Ошибка та же самая", reply_to=sent["message_id"])
        await anna.hears(matching=f"#{second}")
        await house.quiet()
        assert "теперь ещё и скрипит" in [message["text"] for message in (await house.ticket(first))["messages"]]
        assert "Ошибка та же самая" in [message["text"] for message in (await house.ticket(second))["messages"]]
        assert len(await anna.tickets()) == 2

    async def test_what_is_said_in_answer_to_one_belongs_to_it_whatever_it_sounds_like(self, house: House) -> None:
        anna = await house.person()
        number = await anna.reports(VPN)
        card = (await anna.chat())[-1]
        await anna.says("Сломался принтер в приёмной", reply_to=card["message_id"])
        await anna.hears(matching=f"#{number}")
        await house.quiet()
        assert "Сломался принтер в приёмной" in [message["text"] for message in (await house.ticket(number))["messages"]]

    async def test_words_about_something_else_are_asked_about(self, house: House) -> None:
        anna = await house.person()
        first = await anna.reports(PRINTER)
        await anna.says(VPN)
        asked = await anna.hears(matching=f"#{first}")
        assert anna.word("new") in buttons(asked)
        await anna.chooses("new", message_id=asked["message_id"])
        card = await anna.reaches_card()
        await anna.chooses("send", message_id=card["message_id"])
        second = await anna.hears_number()
        assert second != first
        assert (await house.ticket(second))["category"] == "network.vpn"


class TestLanguage:
    async def test_is_switched_in_the_middle_of_a_form_and_the_form_goes_on(self, house: House) -> None:
        anna = await house.person()
        await anna.says(PRINTER)
        await anna.hears_buttons("not_it")
        await anna.chooses("not_it")
        await anna.hears_buttons("skip")
        await anna.says("/lang")
        asked = await anna.hears(matching=lambda message: "English" in buttons(message))
        await anna.presses("English", message_id=asked["message_id"])
        anna.language = "en"
        await anna.hears_reply("language_set")
        card = await anna.reaches_card()
        await anna.chooses("send", message_id=card["message_id"])
        created = await anna.hears_reply("created")
        assert re.search(r"#\d+", created["text"])


class TestButtons:
    async def test_of_another_time_file_nothing_and_are_answered(self, house: House) -> None:
        anna = await house.person()
        await anna.says(PRINTER)
        card = await anna.reaches_card()
        await anna.chooses("send", message_id=card["message_id"])
        await anna.hears_number()
        await house.quiet()
        heard = len(await anna.chat())
        data = next(each["callback_data"] for row in card["reply_markup"]["inline_keyboard"] for each in row)
        query = await anna.presses_data(card["message_id"], data, stale=True)
        answer = await anna.sees_answer(query)
        assert (await house.phrase("stale_button")).search(answer["text"])
        await house.quiet()
        assert len(await anna.tickets()) == 1
        assert len(await anna.chat()) == heard

    async def test_pressed_twice_at_once_act_once(self, house: House) -> None:
        anna = await house.person()
        await anna.says(PRINTER)
        card = await anna.reaches_card()
        data = next(each["callback_data"] for row in card["reply_markup"]["inline_keyboard"] for each in row)
        queries = await asyncio.gather(*(anna.presses_data(card["message_id"], data, stale=True) for _ in range(3)))
        for query in queries:
            await anna.sees_answer(query)
        await house.quiet()
        assert len(await anna.tickets()) == 1

    async def test_of_another_person_are_not_theirs(self, house: House) -> None:
        anna, boris = await house.person(), await house.person()
        await boris.opens()
        greeting = await boris.hears_reply("greet")
        await anna.says(PRINTER)
        card = await anna.reaches_card()
        stolen = next(each["callback_data"] for row in card["reply_markup"]["inline_keyboard"] for each in row)
        await boris.presses_data(greeting["message_id"], stolen, stale=True)
        await house.quiet()
        assert await anna.tickets() == []
        assert await boris.tickets() == []
        await anna.chooses("send", message_id=card["message_id"])
        await anna.hears_number()


class TestWhatArrives:
    async def test_the_same_update_twice_is_one_message(self, house: House) -> None:
        anna = await house.person()
        update = {
            "update_id": house.bot.updates.next_id + 5,
            "message": {
                "message_id": 900001,
                "date": int(house.clock.now().timestamp()),
                "chat": {"id": anna.id, "type": "private", "first_name": "Вера"},
                "from": {"id": anna.id, "is_bot": False, "first_name": "Вера", "language_code": "ru"},
                "text": PRINTER,
            },
        }
        house.bot.updates.put_raw(update)
        await anna.sends_raw(update)
        await anna.hears_buttons("not_it")
        await house.quiet()
        said = [message for message in await house.messages(anna.address) if message["direction"] == "inbound"]
        assert [message["text"] for message in said] == [PRINTER]

    async def test_a_burst_is_one_request(self, house: House) -> None:
        anna = await house.person()
        for words in ("Здравствуйте", "у меня не печатает принтер", "кабинет 305, горит красная лампочка"):
            await anna.says(words)
        await anna.hears_buttons("not_it")
        await house.quiet()
        messages = await house.messages(anna.address)
        assert [message["direction"] for message in messages].count("inbound") == 3
        assert sum(anna.word("not_it") in row for message in messages for row in message["buttons"]) == 1

    @pytest.mark.parametrize("apart", [0.0, 0.4], ids=["in_one_breath", "further_apart_than_the_desk_waits"])
    async def test_words_an_album_and_a_forwarded_message_are_one_request(self, house: House, apart: float) -> None:
        anna = await house.person()
        source = {"type": "hidden_user", "sender_user_name": "Пётр", "date": int(house.clock.now().timestamp())}
        async with contextlib.nullcontext() if apart else house.busy(anna.address):
            await anna.says(PRINTER)
            await asyncio.sleep(apart)
            await anna.sends_album([(f"photo{n}.png", PNG) for n in range(3)], caption="вот как это выглядит")
            await asyncio.sleep(apart)
            await anna.says("у нас на третьем этаже то же самое", also={"forward_origin": source})
            await eventually(lambda: not len(house.bot.updates), what="all of it to arrive")
        await house.quiet()
        if apart:  # what came later was heard as answers to what the bot had asked meanwhile
            card = await anna.hears_buttons("send")
        else:
            assert sum(anna.word("not_it") in buttons(one) for one in await anna.chat()) == 1, "the bot answers all of it at once"
            card = await anna.reaches_card()
        await anna.chooses("send", message_id=card["message_id"])
        number = await anna.hears_number()
        await house.quiet()
        ticket = await anna.only_ticket()
        said = [one for one in ticket["messages"] if one["direction"] == "inbound"]
        assert ticket["number"] == number
        assert [(one["text"], len(one["attachments"]), one["card"].get("forwarded_from", "")) for one in said if one["text"]] == [
            (PRINTER, 0, ""), ("вот как это выглядит", 3, ""), ("у нас на третьем этаже то же самое", 0, "Пётр"),
        ]  # fmt: skip

    async def test_an_album_is_one_message_with_all_its_pictures(self, house: House) -> None:
        anna = await house.person()
        number = await anna.reports(PRINTER)
        await anna.sends_album([(f"photo{n}.png", PNG) for n in range(4)], caption="вот как это выглядит")
        await anna.hears_reply("added")
        await house.quiet()
        albums = [message for message in (await house.ticket(number))["messages"] if message["attachments"]]
        assert [(message["text"], len(message["attachments"])) for message in albums] == [("вот как это выглядит", 4)]
        assert {file["content_type"] for file in albums[0]["attachments"]} == {"image/png"}

    async def test_an_edit_keeps_both_texts(self, house: House) -> None:
        anna = await house.person()
        number = await anna.reports(PRINTER)
        sent = await anna.says("Это на втором этаже")
        await anna.hears_reply("added")
        await anna.edits(sent["message_id"], "Это на третьем этаже")
        await house.quiet()
        ticket = await house.ticket(number)
        edited = next(message for message in ticket["messages"] if message["text"] == "Это на третьем этаже")
        assert [version["text"] for version in edited["versions"]] == ["Это на втором этаже"]
        assert edited["external_id"] == f"{anna.id}:{sent['message_id']}"
        assert "edited" in kinds(ticket["events"])

    async def test_a_picture_alone_waits_for_words(self, house: House) -> None:
        anna = await house.person()
        await anna.sends_file("screen.png", PNG, kind="photo")
        await anna.hears_reply("only_attachment")
        number = await anna.reports(PRINTER)
        assert any(message["attachments"] for message in (await house.ticket(number))["messages"])

    async def test_what_the_bot_cannot_read_is_kept_for_operators(self, house: House) -> None:
        anna = await house.person()
        await anna.sends_content({"dice": {"emoji": "🎲", "value": 4}})
        await anna.hears_reply("unsupported")
        await house.quiet()
        kept = [message for message in await house.messages(anna.address) if message["direction"] == "inbound"]
        assert [message["card"]["kind"] for message in kept] == ["dice"]


class TestABlockedBot:
    async def test_is_shown_and_the_answer_that_could_not_arrive_has_failed(self, house: House) -> None:
        anna = await house.person()
        number = await anna.reports(PRINTER)
        await anna.blocks_bot()
        await house.quiet()
        assert (await house.conversation(anna.address))["blocked"]
        await house.acts(service.reply, number, text="Вы здесь?")
        await house.quiet()
        ticket = await house.ticket(number)
        answer = next(message for message in ticket["messages"] if message["text"] == "Вы здесь?")
        assert answer["delivery"]["state"] == "failed"
        assert answer["delivery"]["reason"]
        assert {"contact_blocked", "delivery_failed"} <= {*kinds(ticket["events"])}
        await anna.unblocks_bot()
        await house.quiet()
        assert not (await house.conversation(anna.address))["blocked"]
        await house.acts(service.reply, number, text="Снова на связи.")
        await anna.hears(matching="Снова на связи.")


class TestGaps:
    async def test_a_question_that_no_article_answered_well_is_kept_with_what_came_of_it(self, house: House) -> None:
        anna = await house.person()
        number = await anna.reports(PRINTER)
        await house.quiet()
        async with house.front.database.read() as session:
            mine = [one for one in await questions.gaps(session, now=house.clock.now()) if one.ticket_number == number]
        assert [(one.text, one.became, one.category) for one in mine] == [(PRINTER, "refused", "hardware.printer")]


@dataclass
class Office:
    """A group in which the bot is a plain member that hears only what is meant for it."""

    chat_id: int
    anna: Chat
    boris: Chat

    @classmethod
    async def of(cls, house: House, *, is_forum: bool = False) -> Self:
        anna, boris = await house.person(first_name="Анна"), await house.person(first_name="Борис")
        chat_id = await anna.founds_group("Офис", members=[boris.key], is_forum=is_forum, administrator=False)
        return cls(chat_id, await anna.in_group(chat_id).joins(), await boris.in_group(chat_id).joins())


class TestAGroup:
    async def test_is_told_once_that_the_bot_works_in_private(self, house: House) -> None:
        office = await Office.of(house)
        await office.anna.says("@stories_bot не печатает принтер")
        told = await office.anna.hears_reply("group_private")
        await office.boris.says("@stories_bot а у меня почта")
        await office.boris.says("/new@stories_bot")
        await office.boris.says("ау", reply_to=told["message_id"])
        await house.quiet()
        assert sum(one["from"]["is_bot"] for one in await office.anna.chat()) == 1
        assert await office.anna.tickets() == await office.boris.tickets() == []


@pytest.fixture(scope="module")
async def in_groups(house: House) -> None:
    async with house.front.database.read() as session:
        bot = (await session.scalars(select(Inbox.id).where(Inbox.name == "bot"))).one()
    await (await Administrator(house, bot=bot).logs_in()).sets_bot(groups="1")
    await asyncio.sleep(2.1)  # every process asks for the inbox anew within two seconds


@pytest.mark.usefixtures("in_groups")
class TestAGroupWhereTheBotWorks:
    async def test_a_mention_opens_a_request_about_the_message_it_answers(self, house: House) -> None:
        office = await Office.of(house)
        trouble = "не могу войти в почту, пишет что пароль не подходит"
        quoted = await office.boris.says(trouble)
        await office.anna.says("@stories_bot помоги", reply_to=quoted["message_id"])
        card = await office.anna.reaches_card()
        await office.anna.chooses("send", message_id=card["message_id"])
        number = await office.anna.hears_number()
        await house.quiet()
        ticket = await office.anna.only_ticket()
        assert ticket["number"] == number
        (opening,) = [one for one in ticket["messages"] if one["text"].startswith("@stories_bot")]
        assert opening["card"]["answers"] == {"from": "Борис", "text": trouble}
        assert opening["card"]["chat_title"] == "Офис"
        assert ticket["category"] == "access.password", "what Boris said is what it is about"
        assert await office.boris.tickets() == []
        await house.acts(service.reply, number, text="Пароль сброшен, проверьте.")
        answer = await office.boris.hears(matching="Пароль сброшен")
        assert answer["chat"]["title"] == "Офис"
        assert answer["reply_to_message"]["from"]["first_name"] == "Анна"
        assert await office.boris.hears_nothing(within=0.1)

    async def test_a_reply_to_the_bot_goes_on_with_what_is_the_persons_own(self, house: House) -> None:
        office = await Office.of(house)
        first = await office.anna.reports("@stories_bot не печатает принтер в кабинете 305")
        created = (await office.anna.chat())[-1]
        await office.anna.says("теперь ещё и скрипит", reply_to=created["message_id"])
        await office.anna.hears(matching=f"#{first}")
        boris = await office.boris.in_group(office.chat_id).joins()  # he has read what was said to Anna
        await boris.says("не подключается VPN из дома, ошибка 809", reply_to=created["message_id"])
        await boris.says("а это просто болтовня")
        card = await boris.reaches_card()
        assert card["reply_to_message"]["from"]["first_name"] == "Борис"
        await boris.chooses("send", message_id=card["message_id"])
        second = await boris.hears_number()
        await house.quiet()
        assert (await boris.only_ticket())["number"] == second != first
        assert await house.holds(first, "теперь ещё и скрипит")
        assert not await house.holds(second, "а это просто болтовня")

    async def test_in_a_topic_is_answered_in_that_topic(self, house: House) -> None:
        office = await Office.of(house, is_forum=True)
        topic = (await office.anna.begins_topic("Техника"))["message_thread_id"]
        await office.boris.says("@stories_bot не печатает принтер в кабинете 305", topic=topic)
        card = await office.boris.reaches_card()
        await office.boris.chooses("send", message_id=card["message_id"])
        number = await office.boris.hears_number()
        await house.acts(service.reply, number, text="Уже идём.")
        answer = await office.boris.hears(matching="Уже идём.")
        assert (card["message_thread_id"], answer["message_thread_id"]) == (topic, topic)
