"""From the form or a letter into the chat: by a link of the request's page that works once, for half an hour, and only when confirmed."""

import re
from datetime import timedelta

from desk_core.tickets import service
from desk_core.tickets.invitations import LIFE
from tests.acceptance.chat import Chat
from tests.acceptance.house import House

PRINTER = "Не печатает принтер в кабинете 305, горит красная лампочка"
VPN = "Не подключается VPN из дома, пишет ошибку 809"


async def link_of(house: House, subject: str, text: str) -> tuple[int, str]:
    """A request that came by mail: its number, and the secret that its page gives out."""
    writer = house.correspondent()
    await writer.writes(subject, text)
    await house.quiet()
    (found,) = await house.tickets(writer.address)
    return int(found["number"]), await secret_of(house, int(found["number"]))


async def secret_of(house: House, number: int) -> str:
    token = (await house.ticket(number))["status_token"]
    page = await house.http.post(f"{house.url}/s/{token}/telegram", headers={"origin": house.url})
    assert page.status_code == 200, page.text[:500]
    found = re.search(r"t\.me/\w+\?start=([\w-]+)", page.text)
    assert found is not None, page.text[:2000]
    return found[1]


class TestALink:
    async def test_brings_a_request_into_the_chat_once_it_is_confirmed(self, house: House) -> None:
        number, secret = await link_of(house, "Принтер", PRINTER)
        anna = await house.person()
        await anna.opens(secret)
        asked = await anna.hears(matching=f"#{number}")
        before = await house.ticket(number)
        assert before["channel"] == "email"
        assert [one["address"] for one in before["contact"]["identities"] if one["channel"] == "telegram"] == []
        await anna.chooses("join", message_id=asked["message_id"])
        await anna.hears(matching=f"#{number}")
        await anna.says("красная лампочка на принтере так и горит")
        await house.quiet()
        ticket = await house.ticket(number)
        assert "красная лампочка на принтере так и горит" in [message["text"] for message in ticket["messages"]]
        assert anna.address in [one["address"] for one in ticket["contact"]["identities"]]
        await house.acts(service.take_over, number)
        await house.acts(service.reply, number, text="Мастер уже идёт.")
        await anna.hears(matching="Мастер уже идёт.")

    async def test_works_once(self, house: House) -> None:
        number, secret = await link_of(house, "Принтер", PRINTER)
        anna, boris = await house.person(), await house.person()
        await anna.opens(secret)
        await anna.hears(matching=f"#{number}")
        await boris.opens(secret)
        shown = await boris.hears(matching=f"#{number}")
        await anna.chooses("join")
        await anna.hears(matching=f"#{number}")
        await boris.chooses("join", message_id=shown["message_id"])
        assert await is_spent(boris)
        await boris.opens(secret)
        assert await is_spent(boris)
        assert boris.address not in [one["address"] for one in (await house.ticket(number))["contact"]["identities"]]

    async def test_that_is_not_theirs_changes_nothing(self, house: House) -> None:
        number, secret = await link_of(house, "Принтер", PRINTER)
        anna = await house.person()
        await anna.opens(secret)
        await anna.hears(matching=f"#{number}")
        await anna.chooses("not_join")
        await house.quiet()
        assert anna.address not in [one["address"] for one in (await house.ticket(number))["contact"]["identities"]]

    async def test_wrong_or_expired_is_told(self, house: House) -> None:
        number, secret = await link_of(house, "Принтер", PRINTER)
        anna = await house.person()
        await anna.opens("go-" + "x" * 24)
        assert await is_spent(anna)
        await house.jump(LIFE + timedelta(minutes=1))
        await anna.opens(secret)
        assert await is_spent(anna)
        assert number

    async def test_joins_a_person_who_had_requests_here_already(self, house: House) -> None:
        anna = await house.person()
        first = await anna.reports(PRINTER)
        number, secret = await link_of(house, "VPN", VPN)
        await anna.opens(secret)
        await anna.hears(matching=f"#{number}")
        await anna.chooses("join")
        await anna.hears(matching=f"#{number}")
        assert {one["number"] for one in await anna.tickets()} == {first, number}


async def is_spent(person: Chat) -> bool:
    return bool(await person.hears(matching=re.compile("использована|истекла|истёк|устарела")))
