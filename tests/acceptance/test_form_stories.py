"""The stories of a request on the web form: by HTTP, without JavaScript, and without an account."""

import re

import pytest

from desk_core.tickets import service
from tests.acceptance.house import House, kinds
from tests.acceptance.visitor import Visitor

pytestmark = pytest.mark.timeout(300)

PRINTER = "В бухгалтерии не печатает принтер, никто не может распечатать документы"
YES, NO = ("solved", "yes"), ("solved", "no")


class TestAnArticleHelps:
    async def test_and_no_request_is_opened(self, house: House) -> None:
        vera = Visitor(house)
        page = await vera.opens("/f/site")
        await house.types()
        shown = await vera.sends(page, "/f/site", {"text": "Как настроить VPN на домашнем компьютере?"}, button=("step", "topic"))
        articles = [button for button in shown.form("/f/site").buttons if button[0] == "article"]
        assert articles, "articles are suggested without JavaScript too"
        before = len(await house.tickets())
        thanks = await vera.helped(shown, articles[0])
        assert (thanks.status, thanks.url.endswith("/helped")) == (200, True)
        await house.quiet()
        assert len(await house.tickets()) == before


class TestAProblem:
    async def test_becomes_a_request_with_category_team_priority_and_promise(self, house: House) -> None:
        vera = Visitor(house)
        done = await vera.requests(
            "hardware.printer", PRINTER, email="vera.form@customer.test", printer_device="HP LaserJet 1020", printer_trouble="no_print",
            affected="group", files=(("Снимок.txt", "ошибка 49".encode(), "image/png"),),
        )  # fmt: skip
        assert done.status == 200, done.text
        ticket = await house.ticket(done.number)
        assert (ticket["channel"], ticket["category"], ticket["kind"]) == ("webform", "hardware.printer", "incident")
        assert (ticket["team"], ticket["line"], ticket["priority"]) == ("workplace", 2, "P2")
        assert ticket["promise"]["metric"] == "first_response"
        assert ticket["slots"] == {"printer_device": "HP LaserJet 1020", "printer_trouble": "no_print", "affected": "group"}
        assert ticket["contact"]["name"] == "Вера"
        files = [file for message in ticket["messages"] for file in message["attachments"]]
        assert [(file["name"], file["content_type"]) for file in files] == [("Снимок.txt", "text/plain")], (
            "the declared type is never believed"
        )
        status = await vera.opens(done.status_link)
        assert f"#{done.number}" in status.text
        assert PRINTER in status.text

    async def test_without_a_topic_the_topic_is_found(self, house: House) -> None:
        done = await Visitor(house).requests("", PRINTER)
        assert (await house.ticket(done.number))["category"] == "hardware.printer"

    async def test_errors_stand_beside_the_fields_and_nothing_typed_is_lost(self, house: House) -> None:
        vera = Visitor(house)
        page = await vera.opens("/f/site?topic=hardware.printer")
        await house.types()
        wrong = await vera.sends(page, "/f/site", {"text": PRINTER, "email": "not an address", "name": "Вера"})
        assert wrong.status == 422
        kept = wrong.form("/f/site").values
        assert (kept["text"], kept["email"], kept["name"], kept["topic"]) == (PRINTER, "not an address", "Вера", "hardware.printer")
        assert 'id="f-email-error"' in wrong.html
        assert 'id="f-consent-error"' in wrong.html
        done = await vera.sends(wrong, "/f/site", {"email": "", "consent": "yes"})
        assert done.number

    async def test_sent_twice_is_one_request(self, house: House) -> None:
        vera = Visitor(house)
        page = await vera.opens("/f/site")
        await house.types()
        filled = {"text": PRINTER, "name": "Вера", "consent": "yes"}
        first, second = [await vera.sends(page, "/f/site", filled) for _ in range(2)]
        assert first.number == second.number

    async def test_a_robot_is_refused_politely_and_a_page_without_its_token_too(self, house: House) -> None:
        robot = Visitor(house)
        before = len(await house.tickets())
        page = await robot.opens("/f/site")
        filled = {"text": PRINTER, "name": "Робот", "consent": "yes"}
        assert (await robot.sends(page, "/f/site", filled)).status == 422, "faster than people type"
        await house.types()
        assert (await robot.sends(page, "/f/site", {**filled, "website": "http://spam.test"})).status == 422
        assert (await robot.sends(page, "/f/site", {**filled, "token": "forged"})).status == 403
        await house.quiet()
        assert len(await house.tickets()) == before

    async def test_a_wrong_status_link_is_nothing(self, house: House) -> None:
        assert (await Visitor(house).opens("/s/not-a-real-token")).status == 404


class TestAnOperatorAnswers:
    async def test_and_the_answer_stands_on_the_status_page(self, house: House) -> None:
        vera = Visitor(house)
        done = await vera.requests("hardware.printer", PRINTER)
        await house.acts(service.take_over, done.number)
        await house.acts(service.note, done.number, text="Секрет для коллег")
        await house.acts(service.reply, done.number, text="Буду через **10 минут**.")
        await house.quiet()
        page = await vera.opens(done.status_link)
        assert "Буду через 10 минут" in page.text
        assert "Olga" in page.text
        assert "Секрет" not in page.text
        after = await vera.sends(page, "/reply", {"text": "Жду, спасибо"})
        assert "Жду, спасибо" in after.text
        await house.quiet()
        ticket = await house.ticket(done.number)
        assert "Жду, спасибо" in [message["text"] for message in ticket["messages"]]
        assert ticket["baton"] == "agent"
        bot = [message for message in ticket["messages"] if message["author"] == "bot" and message["at"] > ticket["events"][1]["at"]]
        assert [message["text"] for message in bot if re.search("Добавил|Записал", message["text"])] == [], "the bot is silent"


class TestResolved:
    async def test_confirmed_and_rated(self, house: House) -> None:
        vera = Visitor(house)
        done = await vera.requests("hardware.printer", PRINTER)
        await house.acts(service.reply, done.number, text="Заменили картридж.", resolve=True)
        await house.quiet()
        page = await vera.opens(done.status_link)
        assert "Заменили картридж" in page.text
        closed = await vera.sends(page, "/solved", {}, button=YES)
        rated = await vera.sends(closed, "/rate", {"score": "5", "comment": "Быстро"})
        assert rated.status == 200
        ticket = await house.ticket(done.number)
        assert (ticket["status"], ticket["resolution"]) == ("closed", "agent")
        assert (ticket["rating"]["score"], ticket["rating"]["comment"]) == (5, "Быстро")

    async def test_reopened_by_a_reply(self, house: House) -> None:
        vera = Visitor(house)
        done = await vera.requests("hardware.printer", PRINTER)
        await house.acts(service.resolve, done.number, text="Готово.")
        await house.quiet()
        page = await vera.opens(done.status_link)
        await vera.sends(page, "/reply", {"text": "Нет, всё равно не печатает"})
        await house.quiet()
        ticket = await house.ticket(done.number)
        assert ticket["status"] == "open"
        assert "Нет, всё равно не печатает" in [message["text"] for message in ticket["messages"]]

    async def test_closed_by_the_person_and_opened_again_by_a_reply(self, house: House) -> None:
        vera = Visitor(house)
        done = await vera.requests("hardware.printer", PRINTER)
        page = await vera.opens(done.status_link)
        closed = await vera.sends(page, "/solved", {}, button=YES)
        ticket = await house.ticket(done.number)
        assert (ticket["status"], ticket["resolution"]) == ("closed", "self")
        await vera.sends(closed, "/reply", {"text": "Опять не печатает"})
        await house.quiet()
        ticket = await house.ticket(done.number)
        assert ticket["status"] == "open"
        assert "reopened" in kinds(ticket["events"])
