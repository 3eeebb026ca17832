"""Letters that are put elsewhere after much has happened to them: held and taken up, by two inboxes, from files, back and forth."""

from datetime import timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from desk_core.conversations import holding
from desk_core.conversations.entities import Message
from desk_core.conversations.ports import ChannelKind
from desk_core.tickets import moving, service
from gateway import inboxes
from gateway.mail_import import MailImport
from tests.acceptance.house import House
from tests.acceptance.test_mail_moved import VPN, refers_to, says
from tests.acceptance.test_mail_stories import PRINTER, ROBOT, number_of
from tests.acceptance.visitor import Visitor

pytestmark = pytest.mark.timeout(300)


async def marks(house: House, message_id: str) -> dict[str, Any]:
    """What the desk keeps of a message for itself."""
    async with house.front.database.read() as session:
        return dict((await session.execute(select(Message.meta).where(Message.id == message_id))).scalar_one())


async def another_inbox(house: House, name: str) -> str:
    address = f"{name}@desk.test"
    async with house.front.database.unit() as uow:
        await inboxes.add(
            uow, name=name, channel=ChannelKind.EMAIL, address=address, language="ru", config={}, sealed=None, clock=house.clock
        )
    await house.forgets_addresses()
    return address


async def set_apart(house: House, message_id: str) -> None:
    await house.holding(moving.make_apart, message_id, by=house.agents["olga"])
    await house.quiet()


async def moved(house: House, message_id: str, *, number: int) -> None:
    await house.holding(moving.move, message_id, number=number, by=house.agents["olga"])


class TestALetterSetApart:
    async def test_that_was_held_and_taken_up_before(self, house: House) -> None:
        vera = house.correspondent()
        await vera.writes("Принтер", PRINTER, headers=ROBOT)
        await house.quiet()
        (kept,) = [one for one in await house.messages(vera.address) if one["direction"] == "inbound"]
        await house.holding(holding.release, kept["id"], by="Olga")
        opened = await vera.hears()
        await vera.replies(opened, "Ещё и сканер не работает.")
        await house.quiet()
        await set_apart(house, kept["id"])
        assert "moving" not in await marks(house, kept["id"])
        assert len(await house.tickets(vera.address)) == 2
        await says(house, number_of(await vera.hears()), "не печатает")

    async def test_that_came_by_another_inbox_than_its_request(self, house: House) -> None:
        sales = await another_inbox(house, "sales")
        vera = house.correspondent()
        await vera.writes("Принтер", PRINTER)
        opened = await vera.hears()
        old = number_of(opened)
        mine = await vera.writes("Re: Принтер", VPN, to=sales, headers=refers_to(opened.letter.message_id))
        await house.quiet()
        await set_apart(house, (await says(house, old, "VPN"))["id"])
        new = number_of(await vera.hears())
        assert new != old
        for to, words in ((sales, "Это дома."), (house.support, "А это на даче.")):
            await vera.writes("Re: Принтер", words, to=to, headers=refers_to(mine))
            await house.quiet()
            assert await says(house, new, words)

    async def test_from_a_file_is_answered_for_an_operator_made_it_a_request(self, house: House, tmp_path: Path) -> None:
        vera = house.correspondent()
        for place, text in enumerate((PRINTER, VPN)):
            mail = EmailMessage()
            mail["From"], mail["To"], mail["Subject"] = vera.address, house.support, "Принтер"
            mail["Message-ID"], mail["Date"] = f"<{place}.{vera.address}>", "Fri, 20 Nov 2026 10:00:00 +0300"
            if place:
                mail["References"] = f"<0.{vera.address}>"
            mail.set_content(text)
            (tmp_path / f"{place}.eml").write_bytes(mail.as_bytes())
        bringing = await MailImport.of(house.front, "mail", answer=False, dry_run=False)
        assert [number async for number in bringing.run(tmp_path)][-1] == 2
        await house.quiet()
        (known,) = await house.tickets(vera.address)
        await set_apart(house, (await says(house, known["number"], "VPN"))["id"])
        assert number_of(await vera.hears()) != known["number"]

    async def test_has_to_leave_something_behind(self, house: House) -> None:
        vera = house.correspondent()
        await vera.writes("Принтер", PRINTER)
        number = number_of(await vera.hears())
        await house.quiet()
        with pytest.raises(moving.OnlyLetter):
            await set_apart(house, (await says(house, number, "печатает"))["id"])

    async def test_with_the_last_other_one_at_once_leaves_no_empty_request(self, house: House) -> None:
        vera = house.correspondent()
        await vera.writes("Принтер", PRINTER)
        opened = await vera.hears()
        old = number_of(opened)
        await vera.writes("Re: Принтер", VPN, headers=refers_to(opened.letter.message_id))
        await house.quiet()
        both = [(await says(house, old, words))["id"] for words in ("не печатает", "VPN")]
        async with house.front.database.unit() as uow:
            for message_id in both:
                await moving.make_apart(uow, await house.front.context(), message_id, by=house.agents["olga"])
        await house.quiet()
        assert sorted(one["status"] for one in await house.tickets(vera.address)) == ["merged", "new", "new"]


class TestALetterMoved:
    async def test_to_a_request_of_another_inbox_is_found_there(self, house: House) -> None:
        sales = await another_inbox(house, "sold")
        vera = house.correspondent()
        await vera.writes("VPN", VPN, to=sales)
        there = number_of(await vera.hears())
        mine = await vera.writes("Сканер", "Не сканирует сканер на третьем этаже.")
        here = number_of(await vera.hears())
        await house.quiet()
        await moved(house, (await says(house, here, "сканер"))["id"], number=there)
        for to, words in ((sales, "Он мигает."), (house.support, "Он пищит.")):
            await vera.writes("Re: Сканер", words, to=to, headers=refers_to(mine))
            await house.quiet()
            assert await says(house, there, words)

    async def test_to_somebody_elses_request_and_back_is_its_writers_own_again(self, house: House) -> None:
        vera, boris = house.correspondent(name="Вера"), house.correspondent(name="Борис")
        await vera.writes("Принтер", PRINTER)
        opened = await vera.hears()
        hers = number_of(opened)
        await vera.writes("Re: Принтер", VPN, headers=refers_to(opened.letter.message_id))
        await boris.writes("VPN", "Не подключается VPN, ошибка 720.")
        his = number_of(await boris.hears())
        await house.quiet()
        letter = (await says(house, hers, "809"))["id"]
        await moved(house, letter, number=his)
        assert (await marks(house, letter)).get("participant")
        await moved(house, letter, number=hers)
        assert "participant" not in await marks(house, letter)

    async def test_that_no_person_wrote_wakes_nothing(self, house: House) -> None:
        vera = house.correspondent()
        await vera.writes("Принтер", PRINTER)
        opened = await vera.hears()
        await vera.writes("VPN", VPN)
        other = number_of(await vera.hears())
        await house.acts(service.reply, other, text="Попробуйте ещё раз.", resolve=True)
        await vera.is_away(opened)
        await house.quiet()
        letter = await says(house, number_of(opened), "out of the office")
        await moved(house, letter["id"], number=other)
        assert (await house.ticket(other))["status"] == "resolved"
        assert (await says(house, other, "out of the office"))["verdict"]["code"] == "out_of_office"

    async def test_leaves_a_page_that_opens_nobody_elses(self, house: House) -> None:
        vera, boris = house.correspondent(name="Вера"), house.correspondent(name="Борис")
        await boris.writes("Принтер", PRINTER)
        his = number_of(await boris.hears())
        await vera.writes("Принтер", "Не печатает принтер на втором этаже, модель HP 1020.")
        hers = number_of(await vera.hears())
        await house.quiet()
        await moved(house, (await says(house, hers, "HP 1020"))["id"], number=his)
        assert (await house.ticket(hers))["status"] == "merged"
        visitor = Visitor(house)
        page = await visitor.opens(f"/s/{(await house.ticket(hers))['status_token']}")
        after = await visitor.sends(page, "/reply", {"text": "Он мигает."})
        await house.quiet()
        token = (await house.ticket(his))["status_token"]
        assert (after.status, token in after.url, token in after.html) == (200, False, False)
        said = await says(house, his, "мигает")
        assert said["verdict"]["code"] == "another_address"


class TestWhatIsOverForLong:
    @pytest.mark.parametrize("merged", [False, True])
    async def test_is_taken_up_by_one_new_request_however_often_the_old_letter_is_answered(self, house: House, merged: bool) -> None:
        vera = house.correspondent()
        await vera.writes("Принтер", PRINTER)
        answered = await vera.hears()
        number = number_of(answered)
        if merged:
            await vera.writes("Дополнение", "Не печатает принтер на втором этаже, в бухгалтерии, модель HP 1020.")
            answered = await vera.hears()
            await house.quiet()
            await moved(house, (await says(house, number_of(answered), "HP 1020"))["id"], number=number)
        before = len(await house.tickets(vera.address))
        await house.acts(service.set_status, number, status="closed")
        await house.quiet()
        await house.jump(timedelta(days=60))
        await house.quiet()
        for words in ("Опять не печатает, помогите.", "И ещё он дымит."):
            await vera.writes("Re: Принтер", words, headers=refers_to(answered.letter.message_id))
            await house.quiet()
        told = await house.tickets(vera.address)
        assert len(told) == before + 1
        texts = [one["text"] for one in (await house.ticket(told[-1]["number"]))["messages"]]
        assert {"Опять не печатает, помогите.", "И ещё он дымит."} <= set(texts)
