"""For whom the desk takes somebody in a chat, and the phone that Telegram says is theirs."""

from typing import Any

from desk_core.context import Actor
from desk_core.kit.i18n import translate
from desk_core.people import joining
from nlu import labels
from tests.acceptance.chat import Chat
from tests.acceptance.house import House

PRINTER = "Не печатает принтер в кабинете 305, горит красная лампочка"
VPN = "Не подключается VPN из дома, пишет ошибку 809"
THEIRS = "+79990001122"


async def shares_phone(person: Chat) -> str:
    """/me, and the button that comes with it; the phone that the desk thanks for."""
    await person.says("/me")
    await person.hears(matching=translate(person.language, labels.SHARE_PHONE))
    await person.presses(translate(person.language, labels.SHARE_PHONE))
    thanks = await person.hears(matching="Спасибо: телефон")
    return str(thanks["text"])


async def phones(house: House, number: int) -> list[str]:
    contact = (await house.ticket(number))["contact"]
    return [one["address"] for one in contact["identities"] if one["channel"] == "phone"]


async def keyboard(person: Chat) -> Any:
    return (await person._chat())["keyboard"]


class TestAPhone:
    async def test_is_proven_by_the_button_which_then_goes(self, house: House) -> None:
        anna = await house.person()
        number = await anna.reports(PRINTER)
        await shares_phone(anna)
        await house.quiet()
        assert len(await phones(house, number)) == 1
        assert await keyboard(anna) is None

    async def test_of_somebody_else_proves_nothing(self, house: House) -> None:
        anna = await house.person()
        number = await anna.reports(PRINTER)
        await anna.says("/me")
        await anna.hears(matching=translate(anna.language, labels.SHARE_PHONE))
        await anna.sends_contact(THEIRS)
        await house.quiet()
        assert await phones(house, number) == []

    async def test_that_another_has_proven_makes_them_one_until_it_is_undone(self, house: House) -> None:
        anna, boris = await house.person(), await house.person()
        first, second = await anna.reports(PRINTER), await boris.reports(VPN)
        await shares_phone(boris)
        await house.quiet()
        (phone,) = await phones(house, second)
        # The same person with another account: Telegram has the number for both in turn.
        house.telegram.world.find_user(str(anna.id)).phone_number = phone
        await shares_phone(anna)
        await house.quiet()
        assert {one["number"] for one in await boris.tickets()} == {first, second}
        async with house.front.database.unit() as uow:
            into = (await house.ticket(second))["contact"]["id"]
            (made,) = await joining.joins_of(uow.session, into)
            assert made.reason == "phone"
            await joining.undo_join(uow, await house.front.context(), made.id, of=into, by=Actor("agent", None, "Olga"))
        assert {one["number"] for one in await boris.tickets()} == {second}
        assert {one["number"] for one in await anna.tickets()} == {first}
