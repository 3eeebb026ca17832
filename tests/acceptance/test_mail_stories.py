"""The stories of a request by mail: letters over a real SMTP connection to our listener, answers read as mail."""

import asyncio
import re
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

from channels.email.sandbox.mailbox import Opened
from desk_core.conversations import holding
from desk_core.tickets import service
from gateway.mail_import import MailImport
from tests.acceptance.house import SUPPORT, House
from tests.services.imap import ImapServer

pytestmark = pytest.mark.timeout(300)

PRINTER = "Здравствуйте!\n\nВ бухгалтерии не печатает принтер, никто не может распечатать документы.\n\nС уважением,\nВера"
COVERING = "Примите, пожалуйста, опять этот зануда."
ROBOT = {"X-Autoreply": "yes"}
VPN = "Как подключить VPN на домашнем компьютере?"


def number_of(letter: Opened) -> int:
    found = re.search(r"\[#(\d+)\]", letter.letter.subject)
    assert found is not None, letter.letter.subject
    return int(found[1])


def header(letter: Opened, name: str) -> str:
    return {key.lower(): value for key, value in letter.headers}.get(name.lower(), "")


class TestALetterThatAsksForSomething:
    async def test_opens_a_request_and_is_acknowledged_once(self, house: House) -> None:
        vera = house.correspondent(name="Вера")
        message_id = await vera.writes("Принтер", PRINTER)
        letter = await vera.hears()
        number = number_of(letter)
        assert letter.letter.subject == f"[#{number}] Принтер"
        assert header(letter, "Auto-Submitted") == "auto-replied"
        assert message_id in header(letter, "In-Reply-To")
        assert re.search(r"\b1\. .+\?", letter.text), "what is missing is asked, numbered"
        await house.quiet()
        ticket = await house.ticket(number)
        assert (ticket["channel"], ticket["category"], ticket["kind"]) == ("email", "hardware.printer", "incident")
        assert (ticket["team"], ticket["line"], ticket["priority"]) == ("workplace", 2, "P2")
        assert ticket["promise"]["metric"] == "first_response"
        assert "12:3" in letter.text or "12:2" in letter.text, "the promise: half an hour for P2, from noon"
        assert f"/s/{ticket['status_token']}" in letter.text
        assert ticket["contact"]["name"] == "Вера"
        assert [message["external_id"] for message in ticket["messages"] if message["direction"] == "inbound"] == [message_id]
        assert len(await house.letters(vera.address)) == 1, "one acknowledgement a request"

    async def test_answers_by_mail_fill_what_was_asked(self, house: House) -> None:
        vera = house.correspondent()
        await vera.writes("Принтер", PRINTER)
        letter = await vera.hears()
        await vera.replies(letter, "1. HP LaserJet 1020\n2. Совсем не печатает")
        await house.quiet()
        ticket = await house.ticket(number_of(letter))
        assert ticket["slots"].get("printer_device") == "HP LaserJet 1020"
        assert ticket["slots"].get("printer_trouble") == "no_print"
        assert len(await house.letters(vera.address)) == 1, "an answer is not acknowledged again"

    async def test_an_article_helps_and_the_request_is_closed_by_the_person(self, house: House) -> None:
        vera = house.correspondent()
        await vera.writes("VPN", VPN)
        letter = await vera.hears()
        assert "VPN" in letter.text
        await vera.replies(letter, "Спасибо, помогло!")
        await house.quiet()
        ticket = await house.ticket(number_of(letter))
        assert (ticket["status"], ticket["resolution"]) == ("closed", "self")


class TestALetterThatSaysNothing:
    async def test_is_asked_what_happened(self, house: House) -> None:
        vera, boris = house.correspondent(), house.correspondent()
        await vera.writes("", "Здравствуйте!")
        assert "что случилось" in (await vera.hears()).text.lower()
        await boris.writes("", "")
        await boris.hears()
        await house.quiet()
        assert await house.tickets(vera.address) == await house.tickets(boris.address) == []


class TestALetterThatIsHeld:
    """Mail that looks like a robot's is kept and shown; an operator who knows better takes it up, once or for good."""

    async def held(self, house: House, address: str) -> list[dict[str, Any]]:
        return [message for message in await house.messages(address) if message["direction"] == "inbound"]

    async def test_is_taken_up_as_if_it_had_just_come(self, house: House) -> None:
        vera = house.correspondent(name="Вера")
        await vera.writes("Принтер", PRINTER, headers=ROBOT)
        await house.quiet()
        assert await house.tickets(vera.address) == []
        (kept,) = await self.held(house, vera.address)
        assert kept["verdict"]["code"] == "automatic"
        await house.holding(holding.release, kept["id"], by="Olga")
        letter = await vera.hears()
        await house.quiet()
        ticket = await house.ticket(number_of(letter))
        assert (ticket["category"], [one["verdict"]["code"] for one in ticket["messages"] if one["direction"] == "inbound"]) == (
            "hardware.printer", ["released"],
        )  # fmt: skip
        assert len(await self.held(house, vera.address)) == 1, "the message is the same, not a second one"
        with pytest.raises(holding.NotHeld):
            await house.holding(holding.release, kept["id"], by="Olga")
        # The next one of this sender is judged afresh.
        await vera.writes("Сканер", "Не сканирует сканер.", headers=ROBOT)
        await house.quiet()
        assert len(await house.tickets(vera.address)) == 1

    async def test_a_letter_taken_for_a_delivery_report_is_taken_up_too(self, house: House) -> None:
        vera = house.correspondent()
        await vera.writes("Undelivered mail", f"{PRINTER}\n550 5.1.1 user unknown", headers={"X-Failed-Recipients": "a@b.example"})
        await house.quiet()
        (kept,) = await self.held(house, vera.address)
        assert kept["verdict"]["code"] == "bounce"
        await house.holding(holding.release, kept["id"], by="Olga")
        number_of(await vera.hears())

    async def test_the_same_words_under_another_subject_are_another_request(self, house: House) -> None:
        vera = house.correspondent()
        for subject in ("Принтер", "VPN", "VPN"):
            await vera.writes(subject, "Не работает с самого утра, помогите, пожалуйста.")
            await house.quiet()
        assert len(await house.tickets(vera.address)) == 2
        codes = [one["verdict"]["code"] for one in await self.held(house, vera.address)]
        assert codes == ["received", "received", "duplicate"]

    async def test_teaches_that_a_sender_is_a_person(self, house: House) -> None:
        vera = house.correspondent()
        await vera.writes("Принтер", PRINTER, headers=ROBOT)
        await house.quiet()
        (kept,) = await self.held(house, vera.address)
        await house.holding(holding.release, kept["id"], by="Olga", always=True)
        await vera.hears()
        await house.forgets_addresses()
        await vera.writes("VPN", VPN, headers=ROBOT)
        letter = await vera.hears(matching="VPN")
        assert [one["verdict"]["code"] for one in (await house.ticket(number_of(letter)))["messages"] if one["direction"] == "inbound"] == [
            "sender_person"
        ]

    async def test_is_left_and_teaches_that_a_sender_is_a_robot(self, house: House) -> None:
        robot = house.correspondent()
        await robot.writes("Отчёт", "Ночной отчёт готов.", headers=ROBOT)
        await house.quiet()
        (kept,) = await self.held(house, robot.address)
        await house.holding(holding.leave, kept["id"], by="Olga", always=True)
        await house.forgets_addresses()
        await robot.writes("Отчёт", "Не печатает принтер: сообщение от монитора.")
        await house.quiet()
        assert await house.tickets(robot.address) == []
        assert [one["verdict"]["code"] for one in await self.held(house, robot.address)] == ["automatic", "sender_robot"]


class TestAnAnswer:
    async def test_never_goes_to_a_robot_that_wrote_into_the_thread(self, house: House) -> None:
        vera, robot = house.correspondent(name="Вера"), house.correspondent(name="Monitor")
        await vera.writes("Принтер", PRINTER)
        letter = await vera.hears()
        await robot.replies(letter, "This mailbox is not read.", headers=ROBOT)
        await house.quiet()
        await house.acts(service.reply, number_of(letter), text="Мастер выехал.")
        assert "Мастер выехал" in (await vera.hears(matching="Мастер")).text
        assert await house.letters(robot.address) == []


class TestALetterThatAnOperatorPassesOn:
    def forward(self, house: House, sender: str, author: str, subject: str = "Fwd: Принтер") -> bytes:
        message = EmailMessage()
        message["From"], message["To"], message["Subject"] = sender, house.support, subject
        message["Message-ID"] = f"<fwd-{author}>"
        message.set_content(f"{COVERING}\n\n-------- Пересылаемое сообщение --------\nОт: Пётр <{author}>\nТема: Принтер\n\n{PRINTER}")
        return message.as_bytes()

    async def test_is_the_request_of_whoever_wrote_it_first(self, house: House) -> None:
        petr = house.correspondent(name="Пётр")
        olga = house.agents["olga"].email
        await house.takes(self.forward(house, olga, petr.address, "[#17] Fwd: Принтер"), sender=olga)
        letter = await petr.hears()
        await house.quiet()
        ticket = await house.ticket(number_of(letter))
        assert (ticket["contact"]["name"], ticket["category"]) == ("Пётр", "hardware.printer")
        assert ticket["messages"][0]["verdict"]["code"] == "passed_on"
        assert await house.letters(house.agents["olga"].email) == []
        assert letter.letter.subject == f"[#{ticket['number']}] Принтер", "no sign that it was passed on, no number of before"
        note = next(message for message in ticket["messages"] if message["direction"] == "note")
        assert (note["author"], note["text"]) == (house.agents["olga"].name, COVERING), "what she says to it is for colleagues"
        assert COVERING not in letter.text
        assert COVERING not in ticket["messages"][0]["text"]
        assert COVERING not in (await house.http.get(f"{house.url}/s/{ticket['status_token']}")).text

    @pytest.mark.parametrize("colleague", [True, False])
    async def test_attached_it_brings_its_own_files_and_those_beside_it_stay_inside(self, house: House, colleague: bool) -> None:
        petr = house.correspondent(name="Пётр")
        inner, message = EmailMessage(), EmailMessage()
        inner["From"], inner["To"], inner["Subject"] = petr.address, "olga@desk.example", "Принтер"
        inner.set_content(PRINTER)
        inner.add_attachment(b"\x89PNG of Petr", maintype="image", subtype="png", filename="Снимок.png")
        sender = house.agents["olga"].email if colleague else house.correspondent().address
        message["From"], message["To"], message["Subject"] = sender, house.support, "Fwd: Принтер"
        message["Message-ID"] = f"<fwd-att-{petr.address}>"
        message.set_content(COVERING)
        message.add_attachment(inner)
        message.add_attachment(b"secret prices", maintype="application", subtype="pdf", filename="Договор.pdf")
        await house.takes(message.as_bytes(), sender=sender)
        await house.quiet()
        requester = petr.address if colleague else sender
        (ticket,) = await house.tickets(requester)
        told = await house.ticket(ticket["number"])
        names = {
            one["direction"]: [file["name"] for file in one["attachments"]] for one in told["messages"] if one["direction"] != "outbound"
        }
        if colleague:
            assert names == {"inbound": ["Принтер.eml", "Снимок.png"], "note": ["Договор.pdf"]}
            assert "Договор" not in (await house.http.get(f"{house.url}/s/{told['status_token']}")).text
        else:
            assert names == {"inbound": ["Принтер.eml", "Договор.pdf"]}, "a letter is one file of whoever attached it"

    async def test_anybody_elses_stays_their_own(self, house: House) -> None:
        vera, petr = house.correspondent(name="Вера"), house.correspondent(name="Пётр")
        await house.takes(self.forward(house, vera.address, petr.address), sender=vera.address)
        letter = await vera.hears()
        await house.quiet()
        assert (await house.ticket(number_of(letter)))["messages"][0]["verdict"]["code"] == "received"
        assert await house.letters(petr.address) == []


class TestMailFromFiles:
    async def test_opens_requests_and_answers_nobody(self, house: House, tmp_path: Path) -> None:
        vera = house.correspondent()
        message = EmailMessage()
        message["From"], message["To"], message["Subject"] = vera.address, house.support, "Принтер"
        message["Message-ID"], message["Date"] = f"<{vera.address}>", "Fri, 20 Nov 2026 10:00:00 +0300"
        message.set_content(PRINTER)
        (tmp_path / "1.eml").write_bytes(message.as_bytes())
        for _ in range(2):
            bringing = await MailImport.of(house.front, "mail", answer=False, dry_run=False)
            assert [number async for number in bringing.run(tmp_path)] == [1]
            await house.quiet()
        (ticket,) = await house.tickets(vera.address)
        assert ticket["category"] == "hardware.printer"
        (kept,) = await house.messages(vera.address)
        assert (kept["verdict"]["code"], kept["at"][:10]) == ("imported", "2026-11-20")
        assert await house.letters(vera.address) == []


class TestTwoProblemsInOneLetter:
    async def test_become_two_requests_when_the_person_says_so(self, house: House) -> None:
        vera = house.correspondent()
        await vera.writes("Помогите", "Не печатает принтер в приёмной, и ещё нужен доступ к 1С.")
        letter = await vera.hears()
        number = number_of(letter)
        asked = re.search(r"(\d)\. [^\n]*две разные", letter.text)
        assert asked is not None, letter.text
        await vera.replies(letter, f"{asked[1]}. да")
        second = await vera.hears(matching=lambda opened: f"[#{number}]" not in opened.letter.subject)
        await house.quiet()
        first, other = await house.ticket(number), await house.ticket(number_of(second))
        assert (first["category"], other["category"]) == ("hardware.printer", "business.onec")
        assert "two_topics" in first["tags"]
        assert len([message for message in first["messages"] if message["direction"] == "inbound"]) == 2, "the answer stays with the first"


class TestAnOperatorAnswers:
    async def test_and_the_letter_arrives_in_the_thread_and_the_bot_is_silent(self, house: House) -> None:
        vera = house.correspondent(name="Вера")
        await vera.writes("Принтер", PRINTER)
        letter = await vera.hears()
        number = number_of(letter)
        await house.acts(service.take_over, number)
        await house.acts(service.reply, number, text="Буду через **10 минут**.")
        answer = await vera.hears(matching="Буду через 10 минут.")
        assert f"[#{number}]" in answer.letter.subject
        assert header(answer, "Auto-Submitted") == ""
        assert "Olga" in header(answer, "From")
        assert letter.letter.message_id in header(answer, "References")
        await vera.replies(answer, "Хорошо, жду. А сколько это займёт?")
        await house.quiet()
        ticket = await house.ticket(number)
        assert ticket["baton"] == "agent"
        assert "Хорошо, жду. А сколько это займёт?" in [message["text"] for message in ticket["messages"]]
        assert len(await house.letters(vera.address)) == 2


class TestResolved:
    async def test_confirmed_by_a_word(self, house: House) -> None:
        vera = house.correspondent()
        await vera.writes("Принтер", PRINTER)
        number = number_of(await vera.hears())
        await house.acts(service.reply, number, text="Заменили картридж.", resolve=True)
        solution = await vera.hears(matching="Заменили картридж.")
        token = (await house.ticket(number))["status_token"]
        assert f"/s/{token}?do=solved" in solution.text
        await vera.replies(solution, "Да, спасибо, всё работает")
        stars = await vera.hears(matching=lambda opened: f"/s/{token}?do=rate" in opened.text)
        assert re.findall(r"do=rate&score=(\d)", stars.text) == ["1", "2", "3", "4", "5"]
        await house.quiet()
        ticket = await house.ticket(number)
        assert (ticket["status"], ticket["resolution"]) == ("closed", "agent")

    async def test_reopened_by_a_reply(self, house: House) -> None:
        vera = house.correspondent()
        await vera.writes("Принтер", PRINTER)
        number = number_of(await vera.hears())
        await house.acts(service.resolve, number, text="Готово.")
        solution = await vera.hears(matching="Готово.")
        await vera.replies(solution, "К сожалению, всё равно не печатает")
        await house.quiet()
        ticket = await house.ticket(number)
        assert ticket["status"] == "open"
        assert "К сожалению, всё равно не печатает" in [message["text"] for message in ticket["messages"]]
        assert len(await house.tickets(vera.address)) == 1

    async def test_reopened_after_it_was_closed(self, house: House) -> None:
        vera = house.correspondent()
        await vera.writes("Принтер", PRINTER)
        letter = await vera.hears()
        number = number_of(letter)
        await house.acts(service.set_status, number, status="closed")
        await vera.replies(letter, "Опять не печатает!")
        await house.quiet()
        assert (await house.ticket(number))["status"] == "open"
        assert len(await house.tickets(vera.address)) == 1


class TestMailThatAsksForNothing:
    async def test_an_automatic_answer_opens_no_request_and_is_kept(self, house: House) -> None:
        vera = house.correspondent()
        await vera.writes("Автоответ: я в отпуске", "Вернусь в понедельник.", headers={"Auto-Submitted": "auto-replied"})
        await house.quiet()
        assert await house.tickets(vera.address) == []
        kept = await house.messages(vera.address)
        assert [message["direction"] for message in kept] == ["inbound"]
        assert kept[0]["verdict"]["code"] in ("automatic", "out_of_office")
        assert await house.letters(vera.address) == []

    async def test_an_automatic_answer_to_ours_changes_nothing(self, house: House) -> None:
        vera = house.correspondent()
        await vera.writes("Принтер", PRINTER)
        number = number_of(await vera.hears())
        await house.acts(service.resolve, number, text="Готово.")
        solution = await vera.hears(matching="Готово.")
        await vera.replies(solution, "Я в отпуске до понедельника.", headers={"Auto-Submitted": "auto-replied"})
        await house.quiet()
        ticket = await house.ticket(number)
        assert ticket["status"] == "resolved"
        assert any("отпуске" in message["text"] for message in ticket["messages"]), "kept with the request all the same"
        assert len(await house.letters(vera.address)) == 2

    async def test_a_list_letter_opens_none(self, house: House) -> None:
        vera = house.correspondent()
        await vera.writes("Дайджест недели", "Не работает? Читайте наш дайджест", headers={"List-Id": "<news.customer.test>"})
        await house.quiet()
        assert await house.tickets(vera.address) == []
        assert [message["verdict"]["code"] for message in await house.messages(vera.address)] == ["list"]

    async def test_a_greeting_opens_none_and_is_kept_with_its_verdict(self, house: House) -> None:
        vera = house.correspondent()
        await vera.writes("", "Добрый день!")
        await house.quiet()
        assert await house.tickets(vera.address) == []
        kept = await house.messages(vera.address)
        assert [message["text"] for message in kept if message["direction"] == "inbound"] == ["Добрый день!"]
        assert kept[0]["verdict"]["text"]

    async def test_the_same_letter_twice_is_one(self, house: House) -> None:
        vera = house.correspondent()
        for _ in range(2):
            await vera.writes("Принтер", PRINTER, headers={"Message-ID": f"<twice-{vera.address}>"})
        await vera.hears()
        await house.quiet()
        assert len(await house.tickets(vera.address)) == 1
        assert len(await house.letters(vera.address)) == 1

    async def test_an_unknown_recipient_is_refused_at_once(self, house: House) -> None:
        import aiosmtplib

        vera = house.correspondent(to=f"nobody-{SUPPORT}")
        with pytest.raises(aiosmtplib.SMTPRecipientsRefused) as refused:
            await vera.writes("Принтер", PRINTER)
        assert refused.value.recipients[0].code == 550


class TestWhatIsAttached:
    async def test_is_kept_with_its_russian_name(self, house: House) -> None:
        vera = house.correspondent()
        await vera.writes("Принтер", PRINTER, ("Снимок экрана.txt", "text/plain", "ошибка 49".encode()))
        number = number_of(await vera.hears())
        files = [file for message in (await house.ticket(number))["messages"] for file in message["attachments"]]
        assert [file["name"] for file in files] == ["Снимок экрана.txt"]


class TestAMailboxFetchedByImap:
    @pytest.fixture
    def mailbox(self) -> Iterator[ImapServer]:
        server = ImapServer()
        yield server
        server.remove()

    async def test_is_the_same_story(self, house: House, mailbox: ImapServer) -> None:
        vera = house.correspondent(name="Вера")
        # There were letters before the desk was connected; the demo mailbox of the server brings some of its own.
        before = await asyncio.to_thread(mailbox.count, "UNSEEN")
        letter = EmailMessage()
        letter["From"], letter["To"], letter["Subject"] = f"Вера <{vera.address}>", "fetched@desk.test", "Принтер"
        letter["Message-ID"] = f"<imap-{vera.address}>"
        letter.set_content(PRINTER)
        await asyncio.to_thread(mailbox.put, letter.as_bytes())
        await house.add_mailbox("fetched", "fetched@desk.test", imap_url=mailbox.url)
        acknowledged = await vera.hears()
        assert header(acknowledged, "From").endswith("<fetched@desk.test>")
        number = number_of(acknowledged)
        await house.quiet()
        assert (await house.ticket(number))["category"] == "hardware.printer"
        assert await asyncio.to_thread(mailbox.count, "UNSEEN") == 0, f"{before} older letters and ours are flagged once stored"
        await house.acts(service.reply, number, text="Буду через 10 минут.")
        answer = await vera.hears(matching="Буду через 10 минут.")
        reply = EmailMessage()
        reply["From"], reply["To"], reply["Subject"] = vera.address, "fetched@desk.test", f"Re: {answer.letter.subject}"
        reply["In-Reply-To"] = reply["References"] = f"<{answer.letter.message_id}>"
        reply.set_content("Спасибо, жду")
        await asyncio.to_thread(mailbox.put, reply.as_bytes())
        await house.until(lambda: house.holds(number, "Спасибо, жду"), what="the reply to be fetched")
