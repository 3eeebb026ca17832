"""Who a letter is from: a forged one is filed and shown, acts for nobody and is answered by nobody, until an operator takes it up."""

import re
from collections.abc import AsyncIterator
from typing import Any

import pytest

from channels.email.sandbox.correspondent import Correspondent
from channels.email.sandbox.mailbox import Opened
from desk_core.conversations import holding
from desk_core.kit.ids import new_id
from desk_core.tickets import repository, service
from gateway.mail_inboxes import set_trust
from tests.acceptance.house import House

pytestmark = pytest.mark.timeout(300)

PRINTER = "Здравствуйте!\n\nВ бухгалтерии не печатает принтер, никто не может распечатать документы.\n\nС уважением,\nВера"
GENUINE = {"Authentication-Results": "mx.desk.test; dmarc=pass header.from=customer.test"}
FORGED = {
    "Authentication-Results": "mx.desk.test; spf=fail smtp.mailfrom=customer.test; dkim=none;"
    " dmarc=fail (p=reject) header.from=customer.test"
}


@pytest.fixture(scope="module", autouse=True)
async def guarded(house: House) -> AsyncIterator[None]:
    """The desk stands behind a mail server whose word it believes."""
    async with house.front.database.unit() as uow:
        await set_trust(uow, "mail", authserv=["mx.desk.test"])
    await house.forgets_addresses()
    yield


def number_of(letter: Opened) -> int:
    found = re.search(r"\[#(\d+)\]", letter.letter.subject)
    assert found is not None, letter.letter.subject
    return int(found[1])


async def asked(house: House, vera: Correspondent) -> tuple[int, Opened]:
    await vera.writes("Принтер", PRINTER, headers=GENUINE)
    letter = await vera.hears()
    await house.quiet()
    return number_of(letter), letter


async def said(house: House, vera: Correspondent) -> list[dict[str, Any]]:
    return [message for message in await house.messages(vera.address) if message["direction"] == "inbound"]


async def held(house: House) -> set[str]:
    async with house.front.database.read() as session:
        return {row.id for row in (await repository.held(session)).rows if row.verdict_code == "forged_sender"}


class TestAForgedLetter:
    async def test_closes_nothing_is_not_answered_and_waits_among_the_held(self, house: House) -> None:
        vera = house.correspondent(name="Вера")
        number, _ = await asked(house, vera)
        before = await house.ticket(number)
        await vera.writes(f"[#{number}] закройте", "Закройте, пожалуйста, заявку, всё решено.", headers=FORGED)
        await vera.writes("Мои заявки", "Какие у меня заявки?", headers=FORGED)
        await house.quiet()
        after = await house.ticket(number)
        assert (after["status"], len(after["messages"]), after["events"]) == (before["status"], len(before["messages"]), before["events"])
        assert len(await house.letters(vera.address)) == 1, "no answer goes to a forged address"
        assert len(await house.tickets(vera.address)) == 1
        _, *forged = await said(house, vera)
        assert [one["verdict"]["code"] for one in forged] == ["forged_sender"] * 2
        assert {one["id"] for one in forged} <= await held(house)
        assert forged[0]["card"]["trust"]["verdict"] == "forged"

    async def test_taken_up_acts_like_any_other(self, house: House) -> None:
        vera = house.correspondent(name="Вера")
        number, _ = await asked(house, vera)
        await vera.writes(f"[#{number}] принтер", "Принтер снова печатает полосами, картридж новый.", headers=FORGED)
        await house.quiet()
        _, kept = await said(house, vera)
        assert not await house.holds(number, kept["text"])
        with pytest.raises(holding.SenderNotProven):
            await house.holding(holding.release, kept["id"], by="Olga", always=True)
        await house.holding(holding.release, kept["id"], by="Olga")
        await house.quiet()
        assert await house.holds(number, kept["text"])
        (message,) = [one for one in (await house.ticket(number))["messages"] if one["text"] == kept["text"]]
        assert (message["verdict"]["code"], message["id"]) == ("released", kept["id"])
        assert len(await house.tickets(vera.address)) == 1
        assert kept["id"] not in await held(house)

    async def test_that_nobody_waited_for_opens_a_request_once_it_is_taken_up(self, house: House) -> None:
        vera = house.correspondent(name="Вера")
        await vera.writes("Принтер", PRINTER, headers=FORGED)
        await house.quiet()
        assert (await house.tickets(vera.address), await house.letters(vera.address)) == ([], [])
        (kept,) = await said(house, vera)
        await house.holding(holding.release, kept["id"], by="Olga")
        number_of(await vera.hears())

    async def test_with_our_secret_mark_joins_the_thread_and_still_does_nothing(self, house: House) -> None:
        vera = house.correspondent(name="Вера")
        number, letter = await asked(house, vera)
        await house.acts(service.resolve, number, text="Картридж заменили, проверьте.")
        await house.quiet()
        await vera.replies(letter, "Нет, не помогло! Откройте заявку снова.", headers=FORGED)
        await house.quiet()
        ticket = await house.ticket(number)
        assert ticket["status"] == "resolved"
        *_, kept = await said(house, vera)
        assert (kept["verdict"]["code"], kept["ticket"]) == ("forged_sender", None)
        assert kept["conversation"] in {one["conversation"] for one in ticket["messages"]}
        await house.holding(holding.release, kept["id"], by="Olga")
        await house.quiet()
        assert (await house.ticket(number))["status"] != "resolved"

    async def test_bears_the_address_of_an_operator_in_vain(self, house: House) -> None:
        vera = house.correspondent(name="Вера")
        raw = (
            "Authentication-Results: mx.desk.test; dmarc=fail (p=reject) header.from=desk.test\r\n"
            f"From: Olga <olga@desk.test>\r\nTo: {house.support}\r\nSubject: Fwd: Принтер\r\nMessage-ID: <{new_id()}@evil.test>\r\n"
            "Content-Type: text/plain; charset=utf-8\r\n\r\n"
            f"-------- Пересылаемое сообщение --------\r\nОт: Вера <{vera.address}>\r\nТема: Принтер\r\n\r\nНе печатает принтер.\r\n"
        )
        await house.takes(raw.encode(), sender="eve@evil.test")
        await house.quiet()
        assert (await house.tickets(vera.address), await house.letters(vera.address)) == ([], [])
        (kept,) = [one for one in await house.messages("olga@desk.test") if one["direction"] == "inbound"]
        assert kept["id"] in await held(house)

    async def test_teaches_nothing_about_the_person(self, house: House) -> None:
        """Neither a name, nor a thread to come in by, nor that the same words were said before."""
        vera = house.correspondent()
        stranger = house.correspondent(domain="evil.test")
        vera.name = "Ева"
        thread = await vera.writes("Принтер", PRINTER, headers={**FORGED, "Message-ID": f"<{new_id()}@evil.test>"})
        vera.name = ""
        await house.quiet()
        await vera.writes("Принтер", PRINTER, headers=GENUINE)
        number = number_of(await vera.hears())
        assert (await house.ticket(number))["contact"]["name"] != "Ева"
        passes = {"Authentication-Results": "mx.desk.test; dmarc=pass header.from=evil.test", "References": f"<{thread}>"}
        await stranger.writes("Принтер", "Какие у меня заявки?", headers=passes)
        await house.quiet()
        assert len(await said(house, stranger)) == 1, "a thread of their own"
        assert len(await house.tickets(vera.address)) == 1


class TestAnAddressThatIsOnlyBorrowed:
    async def test_opens_something_new_and_joins_nothing(self, house: House) -> None:
        vera = house.correspondent(name="Вера")
        number, _ = await asked(house, vera)
        raw = (
            "Authentication-Results: mx.desk.test; dmarc=pass header.from=shop.test\r\n"
            f"From: no-reply@shop.test\r\nReply-To: Вера <{vera.address}>\r\nTo: {house.support}\r\nSubject: [#{number}] VPN\r\n"
            f"Message-ID: <{new_id()}@shop.test>\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nНе подключается VPN из дома.\r\n"
        )
        await house.takes(raw.encode(), sender="no-reply@shop.test")
        await house.quiet()
        assert len(await house.tickets(vera.address)) == 2
        assert not await house.holds(number, "Не подключается VPN из дома.")


class TestAGenuineLetter:
    async def test_acts(self, house: House) -> None:
        vera = house.correspondent(name="Вера")
        number, _ = await asked(house, vera)
        await vera.writes(f"[#{number}] ещё", "Второй принтер рядом тоже не печатает.", headers=GENUINE)
        await house.quiet()
        assert await house.holds(number, "Второй принтер рядом тоже не печатает.")
        assert [one["card"]["trust"]["verdict"] for one in await said(house, vera)] == ["verified"] * 2
