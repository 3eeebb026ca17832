"""How the bot talks in a chat: receipts, cards that change in place, operators' corrections, over a Telegram by real HTTP."""

import asyncio
import re
from datetime import timedelta

import pytest
from sqlalchemy import select

from channels.telegram.sandbox.person import buttons
from desk_core.conversations.entities import Inbox
from desk_core.conversations.ports import ChannelKind
from desk_core.kit.i18n import translate
from desk_core.tickets import sent, service
from gateway import bootstrap
from gateway.flows.filing import TAKEN_IN, WITH_PEOPLE
from nlu import labels
from tests.acceptance.house import House, kinds

pytestmark = pytest.mark.timeout(300)

PRINTER = "Не печатает принтер в кабинете 305, горит красная лампочка"


class TestReceipts:
    async def test_say_in_words_once_and_then_by_a_mark(self, house: House) -> None:
        anna = await house.person()
        number = await anna.reports(PRINTER)
        first = await anna.says("Это на втором этаже")
        said = await anna.hears_reply("added")
        assert WITH_PEOPLE in said["text"], "the mark is explained in words before it stands alone"
        before = len(await anna.chat())
        second = await anna.says("Рядом с кухней")
        await house.quiet()
        for message in (first, second):
            assert await anna.mark_on(message) == WITH_PEOPLE
        assert len(await anna.chat()) == before + 1, "no line of thanks for every message"
        assert "Рядом с кухней" in [message["text"] for message in (await house.ticket(number))["messages"]]

    async def test_come_at_once_where_an_operator_speaks(self, house: House) -> None:
        anna = await house.person()
        number = await anna.reports(PRINTER)
        await house.acts(service.take_over, number)
        await house.quiet()
        said = await anna.says("Рядом с кухней")
        assert await anna.sees_reaction(said["message_id"]) == TAKEN_IN
        assert await anna.sees_reaction(said["message_id"]) == WITH_PEOPLE


class TestTyping:
    async def test_is_kept_alive_until_the_answer_is_there(self, house: House, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(bootstrap, "TYPING_SECONDS", 0.1)
        anna = await house.person()

        def shown() -> int:
            calls = [call.values for call in house.telegram.calls if call.method == "sendChatAction"]
            return sum(str(values["chat_id"]) == anna.address for values in calls)

        async def typed(times: int) -> bool:
            return shown() >= times

        async with house.busy(anna.address):
            await anna.says(PRINTER)
            await house.until(lambda: typed(3), what="typing, shown again and again")
        await anna.hears_buttons("not_it")
        await house.quiet()
        await asyncio.sleep(0.3)
        before = shown()
        await asyncio.sleep(0.5)
        assert shown() == before


class TestArticles:
    async def test_a_long_one_is_read_page_by_page_in_one_message(self, house: House) -> None:
        anna = await house.person()
        await anna.says("Не слышно звук на встрече в переговорной")
        found = await anna.hears_buttons("whole")
        before = len(await anna.chat())
        await anna.chooses("whole", message_id=found["message_id"])
        first = await anna.sees_edit(found["message_id"])
        pages = re.search(r"\(1/(\d+)\)", first["text"])
        assert pages is not None
        shown, texts = first, [first["text"]]
        for page in range(2, int(pages[1]) + 1):
            await anna.chooses("further", message_id=found["message_id"])
            shown = await anna.sees_edit(found["message_id"])
            assert f"({page}/{pages[1]})" in shown["text"]
            texts.append(shown["text"])
        assert len(set(texts)) == int(pages[1]) > 1
        assert anna.word("further") not in buttons(shown)
        assert anna.word("not_it") in buttons(shown), "the way on is on every page"
        await anna.chooses("back", message_id=found["message_id"])
        assert (await anna.sees_edit(found["message_id"]))["text"] == texts[-2]
        assert len(await anna.chat()) == before


class TestCards:
    async def test_a_form_answered_by_buttons_is_one_message(self, house: House) -> None:
        anna = await house.person()
        await anna.says(PRINTER)
        await anna.hears_buttons("not_it")
        await anna.chooses("not_it")
        asked = await anna.hears_buttons("skip")
        before = len(await anna.chat())
        await anna.chooses("skip", message_id=asked["message_id"])
        card = await anna.reaches_card()
        assert card["message_id"] == asked["message_id"]
        assert len(await anna.chat()) == before
        await anna.chooses("edit", message_id=card["message_id"])
        menu = await anna.sees_edit(card["message_id"])
        assert anna.word("problem") in buttons(menu)
        await anna.chooses("back", message_id=card["message_id"])
        card = await anna.reaches_card()
        await anna.chooses("send", message_id=card["message_id"])
        await anna.hears_number()
        await house.quiet()
        said = [message["text"] for message in await house.messages(anna.address) if message["direction"] == "outbound"]
        assert len(said) > len([one for one in await anna.chat() if one["from"]["is_bot"]]), "the desk keeps every step"

    async def test_what_is_written_closes_the_card_and_the_next_stands_below(self, house: House) -> None:
        anna = await house.person()
        await anna.says("Не работает принтер")
        await anna.hears_buttons("not_it")
        await anna.chooses("not_it")
        asked = await anna.hears_buttons("skip")
        await anna.says("кабинет 305")
        following = await anna.hears(matching=lambda message: bool(buttons(message)))
        await house.quiet()
        assert following["message_id"] > asked["message_id"]
        shown = next(one for one in await anna.chat() if one["message_id"] == asked["message_id"])
        assert (shown["text"], buttons(shown)) == (asked["text"], [])

    async def test_the_number_can_be_copied(self, house: House) -> None:
        anna = await house.person()
        number = await anna.reports(PRINTER)
        keyboard = (await anna.chat())[-1]["reply_markup"]["inline_keyboard"]
        assert keyboard[0][0]["copy_text"] == {"text": f"#{number}"}

    async def test_two_quick_presses_act_once(self, house: House) -> None:
        anna = await house.person()
        await anna.says(PRINTER)
        card = await anna.reaches_card()
        data = next(
            each["callback_data"] for row in card["reply_markup"]["inline_keyboard"] for each in row if each["text"] == anna.word("send")
        )
        queries = await asyncio.gather(*(anna.presses_data(card["message_id"], data, stale=True) for _ in range(3)))
        for query in queries:
            await anna.sees_answer(query)
        await anna.hears_number()
        await house.quiet()
        assert len(await anna.tickets()) == 1

    async def test_a_button_of_another_time_says_how_things_stand(self, house: House) -> None:
        anna = await house.person()
        await anna.says(PRINTER)
        card = await anna.reaches_card()
        data = card["reply_markup"]["inline_keyboard"][0][0]["callback_data"]
        await anna.chooses("send", message_id=card["message_id"])
        number = await anna.hears_number()
        await house.quiet()
        answer = await anna.sees_answer(await anna.presses_data(card["message_id"], data, stale=True))
        assert f"#{number}" in answer["text"]

    async def test_a_press_is_answered_though_everybody_is_busy(self, house: House, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(bootstrap, "PRESS_SECONDS", 0.2)
        anna = await house.person()
        await anna.says(PRINTER)
        card = await anna.reaches_card()
        await house.quiet()
        async with house.busy(anna.address):
            query = await anna.chooses("send", message_id=card["message_id"])
            answer = await anna.sees_answer(query)
            assert answer["text"] == translate("ru", labels.A_MOMENT)
        await anna.hears_number()


class TestOperatorsWords:
    async def test_are_corrected_and_taken_away_in_the_chat(self, house: House) -> None:
        anna = await house.person()
        number = await anna.reports(PRINTER)
        await house.acts(service.reply, number, text="Приду в **пять**.")
        shown = await anna.hears(matching="Приду в пять")
        await house.quiet()
        kept = (await house.ticket(number))["messages"][-1]
        await house.acts(sent.edit, number, message_id=kept["id"], text="Приду в **шесть**.")
        edited = await anna.sees_edit(shown["message_id"])
        assert "Приду в шесть." in edited["text"]
        await house.quiet()
        kept = (await house.ticket(number))["messages"][-1]
        assert (kept["text"], [version["text"] for version in kept["versions"]]) == ("Приду в **шесть**.", ["Приду в **пять**."])
        await house.acts(sent.delete, number, message_id=kept["id"])
        await house.quiet()
        assert shown["message_id"] not in [message["message_id"] for message in await anna.chat()]
        ticket = await house.ticket(number)
        assert "message_deleted" in kinds(ticket["events"])
        assert ticket["messages"][-1]["text"] == "Приду в **шесть**."

    async def test_answered_already_are_corrected_by_a_new_message(self, house: House) -> None:
        anna = await house.person()
        number = await anna.reports(PRINTER)
        await house.acts(service.reply, number, text="Приду в пять.")
        shown = await anna.hears(matching="Приду в пять")
        await anna.says("Хорошо, жду в пять")
        await house.quiet()
        kept = next(message for message in (await house.ticket(number))["messages"] if message["text"] == "Приду в пять.")
        await house.acts(sent.edit, number, message_id=kept["id"], text="Приду в шесть.")
        correction = await anna.hears(matching="Приду в шесть")
        assert correction["reply_to_message"]["message_id"] == shown["message_id"]
        assert "Приду в пять." in next(one for one in await anna.chat() if one["message_id"] == shown["message_id"])["text"]

    async def test_bear_the_name_that_the_inbox_chose(self, house: House) -> None:
        anna = await house.person()
        number = await anna.reports(PRINTER)
        names = []
        for choice in ("operator", "team"):
            async with house.front.database.unit() as uow:
                inbox = (await uow.scalars(select(Inbox).where(Inbox.channel == ChannelKind.TELEGRAM)))[0]
                inbox.config = {**inbox.config, "signed_by": choice}
            await house.acts(service.reply, number, text=f"Ответ {choice}")
            names.append((await anna.hears(matching=f"Ответ {choice}"))["text"].split("\n")[0])
        operator, team = names
        assert operator == house.agents["olga"].name
        assert team in {one.titles["ru"] for one in (await house.front.config()).teams.values()}

    async def test_may_be_a_reaction(self, house: House) -> None:
        anna = await house.person()
        number = await anna.reports(PRINTER)
        said = await anna.says("Это на втором этаже")
        await anna.hears_reply("added")
        await house.quiet()
        kept = next(message for message in (await house.ticket(number))["messages"] if message["text"] == "Это на втором этаже")
        await house.acts(sent.react, number, message_id=kept["id"], emoji="🙏")
        await house.quiet()
        assert await anna.mark_on(said) == "🙏"


class TestAPersonIsCalled:
    async def test_and_the_place_in_the_line_is_told(self, house: House) -> None:
        anna, boris = await house.person(), await house.person()
        said = []
        for person in (anna, boris):
            await person.says(PRINTER)
            await person.hears_buttons("not_it")
            await person.says("/human")
            said.append((await person.hears_reply("human"))["text"])
        waits = [int(found[1]) if (found := re.search(r"(\d+) обращени", text)) else 0 for text in said]
        assert waits[1] == waits[0] + 1, said


class TestRating:
    async def test_is_asked_for_once_more_and_only_into_silence(self, house: House) -> None:
        anna, boris, vera = await house.person(), await house.person(), await house.person()
        for person in (anna, boris, vera):
            number = await person.reports(PRINTER)
            await house.acts(service.reply, number, text="Готово.", resolve=True)
            await person.hears_buttons("solved")
            await person.chooses("solved")
            await person.hears_reply("rate")
        await boris.presses("4")
        await boris.hears_reply("rate_comment")
        await boris.says("Быстро пришли")
        await boris.hears_reply("rated")
        await house.quiet()
        assert (await boris.only_ticket())["rating"]["comment"] == "Быстро пришли"
        await vera.says("/faq")
        await vera.hears_reply("faq_intro")
        await house.jump(timedelta(days=2, hours=1))
        asked = await anna.hears_reply("rate_reminder")
        reminders = [
            call.values for call in house.telegram.calls if call.method == "sendMessage" and call.values.get("text") == asked["text"]
        ]
        assert reminders
        assert all(values.get("disable_notification") for values in reminders)
        await house.quiet()
        before = {person: len(await person.chat()) for person in (anna, boris, vera)}
        await house.jump(timedelta(days=7))
        await house.quiet()
        assert {person: len(await person.chat()) for person in before} == before, "one reminder, and it stays at one"
        for person in (boris, vera):
            again = await house.phrase("rate_reminder", "ru")
            assert not [message for message in await person.chat() if again.search(message.get("text", ""))]
        await anna.presses("5 ★★★★★", message_id=asked["message_id"])
        await anna.hears_reply("rate_comment")
        await house.quiet()
        assert (await anna.only_ticket())["rating"]["score"] == 5

    async def test_may_be_changed_for_a_week_and_then_stands(self, house: House) -> None:
        anna = await house.person()
        number = await anna.reports(PRINTER)
        await house.acts(service.reply, number, text="Готово.", resolve=True)
        await anna.hears_buttons("solved")
        await anna.chooses("solved")
        asked = await anna.hears_reply("rate")
        await anna.presses("3", message_id=asked["message_id"])
        await anna.hears_reply("rate_comment")
        await anna.presses("5", message_id=asked["message_id"])
        await anna.hears_reply("rate_comment")
        await house.quiet()
        assert (await house.ticket(number))["rating"]["score"] == 5
        await house.jump(timedelta(days=8))
        await anna.presses("1", message_id=asked["message_id"])
        await anna.hears(matching=translate("ru", service.RatingSettled.text))
        await house.quiet()
        assert (await house.ticket(number))["rating"]["score"] == 5
