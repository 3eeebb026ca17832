"""For whom the desk takes somebody in a chat: the phone that Telegram says is theirs, and the address that a code was typed from."""

import re
from typing import Any

from channels.telegram.sandbox.person import buttons
from desk_core.context import Actor
from desk_core.kit.i18n import translate
from desk_core.people import codes, joining
from gateway.mail import sandbox_of
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


async def code_for(house: House, person: Chat, address: str) -> str:
    """/email, and the code in the letter that comes."""
    await person.says(f"/email {address}")
    await person.hears(matching=address)
    await house.quiet()
    came = [letter for letter in await house.letters(address) if letter.subject == translate("ru", labels.CODE_SUBJECT)]
    opened = await sandbox_of(house.front.settings, house.clock).open(came[-1].id)
    assert opened is not None and ("auto-submitted", "auto-replied") in opened.headers
    (code,) = set(re.findall(r"\b[0-9]{6}\b", opened.text))
    return str(code)


class TestAnAddress:
    async def test_is_proven_by_a_code_and_brings_what_was_asked_by_letter(self, house: House) -> None:
        writer, anna, boris = house.correspondent(name="Анна"), await house.person(), await house.person()
        await writer.writes("Принтер", PRINTER)
        await house.quiet()
        (asked,) = await house.tickets(writer.address)
        code = await code_for(house, anna, writer.address)
        # Elsewhere these digits are nothing but what somebody wrote.
        await boris.says(code)
        await boris.hears()
        assert await boris.tickets() == []
        await anna.says(code)
        await anna.hears(matching=writer.address)
        await anna.says("/my")
        await anna.hears(matching=lambda message: any(f"#{asked['number']}" in label for label in buttons(message)))
        assert [one["number"] for one in await anna.tickets()] == [asked["number"]]
        assert not any(message["text"] == code for message in await house.messages(anna.address))

    async def test_is_not_proven_by_guessing_nor_too_late(self, house: House) -> None:
        writer, anna = house.correspondent(name="Анна"), await house.person()
        await writer.writes("Принтер", PRINTER)
        code = await code_for(house, anna, writer.address)
        for left in range(codes.TRIES - 1, -1, -1):
            await anna.says(f"{(int(code) + 1 + left) % 1_000_000:06d}")
            await anna.hears(matching=str(left) if left else translate("ru", labels.CODE_VOID))
        await anna.says(code)
        await anna.hears(matching=translate("ru", labels.CODE_LATE))
        late = await code_for(house, anna, writer.address)
        await house.jump(codes.LIFE)
        await anna.says(late)
        await anna.hears(matching=translate("ru", labels.CODE_LATE))
        await code_for(house, anna, writer.address)
        await anna.says(f"/email {writer.address}")
        await anna.hears(matching=translate("ru", codes.TooManyCodes.text))
        assert await anna.tickets() == []
