"""An operator overrides where a letter was filed, and what answers it follows: over a real SMTP connection to our listener."""

from typing import Any

import pytest

from desk_core.tickets import moving, service
from tests.acceptance.house import House
from tests.acceptance.test_mail_stories import PRINTER, number_of

pytestmark = pytest.mark.timeout(300)

VPN = "Здравствуйте. У меня не подключается VPN, пишет ошибку 809. Это про другое, не про принтер."


async def says(house: House, number: int, text: str) -> dict[str, Any]:
    """The message of a request that holds these words."""
    found: dict[str, Any] = next(one for one in (await house.ticket(number))["messages"] if text in one["text"])
    return found


def refers_to(message_id: str) -> dict[str, str]:
    return {"In-Reply-To": f"<{message_id}>", "References": f"<{message_id}>"}


class TestALetterAboutSomethingElse:
    async def test_becomes_a_request_of_its_own_that_is_acknowledged(self, house: House) -> None:
        vera = house.correspondent()
        await vera.writes("Принтер", PRINTER)
        opened = await vera.hears()
        old = number_of(opened)
        mine = await vera.writes(f"Re: {opened.letter.subject}", VPN, headers=refers_to(opened.letter.message_id))
        await house.quiet()
        kept = await says(house, old, "VPN")
        await house.holding(moving.make_apart, kept["id"], by=house.agents["olga"])
        acknowledged = await vera.hears()
        await house.quiet()
        new = number_of(acknowledged)
        assert new != old
        assert [one["text"] for one in (await house.ticket(old))["messages"] if "VPN" in one["text"]] == []
        moved = await says(house, new, "VPN")
        assert (moved["id"], moved["verdict"]["code"]) == (kept["id"], "apart")
        assert f"#{old}" in moved["verdict"]["text"]
        assert "Принтер" not in (await house.ticket(new))["subject"], "the subject was that of the letter it answered"
        assert await house.happened(old, "letter_apart")
        # What answers the letter, though it names the old thread too, follows it.
        chain = {"In-Reply-To": f"<{mine}>", "References": f"<{opened.letter.message_id}> <{mine}>"}
        await vera.writes("Re: VPN", "Забыла сказать: дома.", headers=chain)
        await house.quiet()
        assert (await says(house, new, "Забыла сказать"))["verdict"]["code"] in ("joined_token", "joined_references")

    async def test_even_where_the_bot_sees_nothing_but_courtesy_in_it(self, house: House) -> None:
        vera = house.correspondent()
        await vera.writes("Принтер", PRINTER)
        opened = await vera.hears()
        old = number_of(opened)
        await vera.writes("Re: принтер", "Спасибо!", headers=refers_to(opened.letter.message_id))
        await house.quiet()
        await house.holding(moving.make_apart, (await says(house, old, "Спасибо"))["id"], by=house.agents["olga"])
        await house.quiet()
        assert len(await house.tickets(vera.address)) == 2

    async def test_can_be_made_so_only_once(self, house: House) -> None:
        vera = house.correspondent()
        await vera.writes("Принтер", PRINTER)
        opened = await vera.hears()
        await vera.writes("Re: принтер", VPN, headers=refers_to(opened.letter.message_id))
        await house.quiet()
        kept = await says(house, number_of(opened), "VPN")
        async with house.front.database.unit() as uow:
            await moving.make_apart(uow, await house.front.context(), kept["id"], by=house.agents["olga"])
            with pytest.raises(moving.NotMovable):
                await moving.make_apart(uow, await house.front.context(), kept["id"], by=house.agents["olga"])
        await house.quiet()
        assert len(await house.tickets(vera.address)) == 2

    async def test_teaches_that_every_letter_of_its_sender_is_a_request(self, house: House) -> None:
        robot = house.correspondent()
        first = await robot.writes("Принтер", PRINTER)
        old = number_of(await robot.hears())
        await robot.writes("Ещё одно", VPN, headers=refers_to(first))
        await house.quiet()
        kept = await says(house, old, "VPN")
        await house.holding(moving.make_apart, kept["id"], by=house.agents["olga"], always=True)
        await house.quiet()
        await house.forgets_addresses()
        await robot.writes("И ещё", "Не открывается почта Outlook на ноутбуке.", headers=refers_to(first))
        await house.quiet()
        told = await house.tickets(robot.address)
        assert len(told) == 3
        codes = {one["verdict"]["code"] for one in await house.messages(robot.address) if "Outlook" in one["text"] and one["verdict"]}
        assert codes == {"sender_apart"}


class TestALetterThatBelongsToAnotherRequest:
    async def test_goes_there_and_what_it_leaves_empty_is_merged(self, house: House) -> None:
        vera = house.correspondent()
        await vera.writes("Принтер", PRINTER)
        old = number_of(await vera.hears())
        mine = await vera.writes("Дополнение", "Не печатает принтер на втором этаже, в бухгалтерии, модель HP 1020.")
        acknowledged = await vera.hears()
        extra = number_of(acknowledged)
        assert extra != old
        await house.quiet()
        kept = await says(house, extra, "HP 1020")
        await house.holding(moving.move, kept["id"], number=old, by=house.agents["olga"])
        assert (await house.ticket(extra))["status"] == "merged"
        assert (await says(house, old, "HP 1020"))["verdict"]["code"] == "moved"
        # An answer to either letter of the merged request reaches the one it went to, and the operator's answer is one.
        await vera.writes("Re: Дополнение", "Ещё он мигает.", headers=refers_to(mine))
        await vera.writes("Re: Дополнение", "И пищит.", headers=refers_to(acknowledged.letter.message_id))
        await house.quiet()
        for words in ("мигает", "пищит"):
            assert (await says(house, old, words))["direction"] == "inbound"
        assert len(await house.tickets(vera.address)) == 2
        await house.acts(service.reply, old, text="Мастер придёт в три.")
        await vera.hears(matching="Мастер придёт")

    async def test_owes_the_request_that_it_left_no_answer(self, house: House) -> None:
        vera = house.correspondent()
        await vera.writes("Принтер", PRINTER)
        opened = await vera.hears()
        old = number_of(opened)
        await vera.writes("VPN", VPN)
        other = number_of(await vera.hears())
        await house.acts(service.reply, old, text="Мастер придёт в три.")
        await house.quiet()
        await vera.writes("Re: принтер", "Кстати, VPN так и не подключается.", headers=refers_to(opened.letter.message_id))
        await house.quiet()
        assert (await house.ticket(old))["promise"]["metric"] == "next_response"
        await house.holding(moving.move, (await says(house, old, "Кстати"))["id"], number=other, by=house.agents["olga"])
        left = await house.ticket(old)
        assert (left["promise"]["metric"], left["status"]) == ("resolution", "open")

    @pytest.mark.parametrize(("status", "error"), [("cancelled", moving.RequestOver), (None, moving.AlreadyThere)])
    async def test_cannot_go_where_nobody_looks(self, house: House, status: str | None, error: type[Exception]) -> None:
        vera = house.correspondent()
        await vera.writes("Принтер", PRINTER)
        number = target = number_of(await vera.hears())
        if status:
            await vera.writes("VPN", VPN)
            target = number_of(await vera.hears())
            await house.acts(service.set_status, target, status=status)
        with pytest.raises(error):
            await house.holding(moving.move, (await says(house, number, "печатает"))["id"], number=target, by=house.agents["olga"])


class TestAnAddressThatIsTheRequestersOwn:
    async def test_acts_for_them_from_then_on(self, house: House) -> None:
        vera, home = house.correspondent(name="Вера"), house.correspondent(name="Вера дома")
        await vera.writes("Принтер", PRINTER)
        opened = await vera.hears()
        number = number_of(opened)
        await home.writes("Re: принтер", "Пишу из дома: кабинет 305.", headers=refers_to(opened.letter.message_id))
        await house.quiet()
        kept = await says(house, number, "305")
        assert kept["verdict"]["code"] == "another_address"
        await house.holding(moving.take_as_own, kept["id"], by=house.agents["olga"])
        assert (await says(house, number, "305"))["verdict"]["code"] == "own_address"
        await home.writes("Re: принтер", "Ещё он гудит.", headers=refers_to(opened.letter.message_id))
        await house.quiet()
        assert (await says(house, number, "гудит"))["verdict"]["code"] in ("joined_token", "joined_references")
