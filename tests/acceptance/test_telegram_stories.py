"""The five stories of a request in Telegram: over the sandbox's Bot API by HTTP, with aiogram's protocol on our side."""

import pytest

from desk_core.tickets import service
from tests.acceptance.house import House, kinds

pytestmark = pytest.mark.timeout(300)

PRINTER = "Здравствуйте! Не печатает принтер в бухгалтерии, кабинет 305, никто не может распечатать документы"


class TestAnArticleHelps:
    async def test_and_no_request_is_opened(self, house: House) -> None:
        anna = await house.person()
        await anna.says("как настроить vpn на домашнем компьютере?")
        article = await anna.hears_buttons("helped")
        await anna.chooses("helped", message_id=article["message_id"])
        await anna.hears_reply("article_helped")
        await house.quiet()
        assert await anna.tickets() == []
        assert (await house.conversation(anna.address))["state"] == "idle"


class TestAProblem:
    async def test_becomes_a_request_with_category_team_priority_and_promise(self, house: House) -> None:
        anna = await house.person()
        await anna.opens()
        await anna.hears_reply("greet")
        await anna.says(PRINTER)
        card = await anna.reaches_card("HP LaserJet 1020")
        assert "305" in card["text"]
        await anna.chooses("send", message_id=card["message_id"])
        number = await anna.hears_number()
        ticket = await house.ticket(number)
        assert ticket["category"] == "hardware.printer"
        assert (ticket["team"], ticket["line"]) == ("workplace", 2)
        assert ticket["kind"] == "incident"
        assert ticket["priority"] == "P2", "nobody of a department can print: impact group, urgency medium"
        assert ticket["promise"]["metric"] == "first_response"
        assert ticket["status"] == "new"
        assert ticket["channel"] == "telegram"
        assert ticket["slots"] == {"printer_device": "HP LaserJet 1020", "printer_trouble": "no_print", "affected": "group"}
        assert ticket["why_here"]
        said = [message["text"] for message in ticket["messages"] if message["direction"] == "inbound"]
        assert PRINTER in said, "the dialogue that led to the request belongs to it"


class TestAnOperatorTakesOver:
    async def test_the_bot_is_silent_and_the_answer_arrives(self, house: House) -> None:
        anna = await house.person()
        number = await anna.reports(PRINTER)
        await house.acts(service.take_over, number)
        await anna.hears_reply("taken_over")
        await anna.says("спасибо, а когда придёте?")
        await house.quiet()
        assert await anna.hears_nothing(within=0.3), "while an operator speaks the bot is silent"
        await house.acts(service.reply, number, text="Буду через **10 минут**.")
        said = await anna.hears()
        assert "Olga" in said["text"]
        assert "Буду через 10 минут." in said["text"]
        await house.quiet()
        ticket = await house.ticket(number)
        assert ticket["baton"] == "agent"
        assert ticket["assignee"] == "olga@desk.test"
        answer = next(message for message in ticket["messages"] if message["author"] == "Olga")
        assert answer["delivery"]["state"] == "sent"
        assert "спасибо, а когда придёте?" in [message["text"] for message in ticket["messages"]]

    async def test_until_the_bot_gets_the_word_back(self, house: House) -> None:
        anna = await house.person()
        number = await anna.reports(PRINTER)
        await house.acts(service.take_over, number)
        await house.acts(service.release, number, to="bot")
        await anna.hears_reply("released")
        await anna.says("какой статус?")
        await anna.hears(matching=f"#{number}")


class TestResolved:
    async def test_confirmed_and_rated(self, house: House) -> None:
        anna = await house.person()
        number = await anna.reports(PRINTER)
        await house.acts(service.reply, number, text="Заменили картридж.", resolve=True)
        asked = await anna.hears_buttons("solved")
        assert "Заменили картридж." in asked["text"]
        await anna.chooses("solved", message_id=asked["message_id"])
        stars = await anna.hears_reply("rate")
        await anna.presses("5", message_id=stars["message_id"])
        await anna.hears_reply("rate_comment")
        await anna.says("Быстро и вежливо")
        await anna.hears_reply("rated")
        await house.quiet()
        ticket = await house.ticket(number)
        assert ticket["status"] == "closed"
        assert ticket["resolution"] == "agent"
        assert (ticket["rating"]["score"], ticket["rating"]["comment"]) == (5, "Быстро и вежливо")

    async def test_reopened_by_a_reply(self, house: House) -> None:
        anna = await house.person()
        number = await anna.reports(PRINTER)
        await house.acts(service.resolve, number, text="Готово.")
        await anna.hears_buttons("solved")
        await anna.says("нет, всё равно не печатает")
        await anna.hears_reply("reopened")
        await house.quiet()
        ticket = await house.ticket(number)
        assert ticket["status"] == "open"
        assert "нет, всё равно не печатает" in [message["text"] for message in ticket["messages"]]
        assert "denied" in kinds(ticket["events"]) or "reopened" in kinds(ticket["events"])
        assert len(await anna.tickets()) == 1

    async def test_reopened_after_it_was_closed(self, house: House) -> None:
        anna = await house.person()
        number = await anna.reports(PRINTER)
        await house.acts(service.resolve, number, text="Готово.")
        asked = await anna.hears_buttons("solved")
        await anna.chooses("solved", message_id=asked["message_id"])
        await anna.hears_reply("rate")
        await house.quiet()
        told = await anna.says("принтер опять не печатает, то же самое", reply_to=asked["message_id"])
        assert told
        await house.quiet()
        ticket = await house.ticket(number)
        assert ticket["status"] == "open", [message["text"] for message in await house.messages(anna.address)]
        assert len(await anna.tickets()) == 1
