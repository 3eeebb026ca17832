"""A colleague joins a request by a link, reads the answers and writes; closing and rating stay with the requester."""

import re
from datetime import timedelta

from sqlalchemy import select

from desk_core.conversations.entities import Message, RawInbound
from desk_core.tickets import service
from desk_core.tickets.invitations import JOIN_LIFE
from tests.acceptance.chat import Chat
from tests.acceptance.house import House
from tests.acceptance.test_telegram_links import PRINTER, is_spent, link_of


async def secret_for(house: House, number: int, purpose: str) -> str:
    token = (await house.ticket(number))["status_token"]
    page = await house.http.post(f"{house.url}/s/{token}/telegram", data={"purpose": purpose}, headers={"origin": house.url})
    assert page.status_code == 200, page.text[:500]
    found = re.search(r"t\.me/\w+\?start=([\w-]+)", page.text)
    assert found is not None, page.text[:2000]
    return found[1]


async def joined(house: House, boris: Chat, number: int) -> None:
    await boris.opens(await secret_for(house, number, "join"))
    asked = await boris.hears(matching=f"#{number}")
    await boris.chooses("join_in", message_id=asked["message_id"])
    await boris.hears_buttons("leave")


class TestAColleague:
    async def test_joins_reads_and_writes_and_the_requester_alone_decides(self, house: House) -> None:
        anna, boris = await house.person(first_name="Анна"), await house.person(first_name="Борис")
        number = await anna.reports(PRINTER)
        await joined(house, boris, number)
        ticket = await house.ticket(number)
        assert [one["name"] for one in ticket["participants"]] == ["Борис"]
        assert await house.happened(number, "participant_invited") and await house.happened(number, "participant_joined")
        await house.acts(service.take_over, number)
        await house.acts(service.reply, number, text="Мастер уже идёт.")
        await anna.hears(matching="Мастер уже идёт.")
        copy = await boris.hears(matching="Мастер уже идёт.")
        assert f"#{number}" in copy["text"]
        await boris.says("Кабинет закрыт, ключ у меня", reply_to=copy["message_id"])
        told = await anna.hears(matching="Кабинет закрыт, ключ у меня")
        assert "Борис" in told["text"]
        await house.quiet()
        ticket = await house.ticket(number)
        said = next(one for one in ticket["messages"] if one["text"] == "Кабинет закрыт, ключ у меня")
        assert said["author"] == "Борис"
        assert ticket["contact"]["name"].startswith("Анна")
        assert await boris.tickets() == []
        await house.acts(service.reply, number, text="Готово, печатает.", resolve=True)
        done = await boris.hears(matching="Готово, печатает.")
        assert not done.get("reply_markup"), "only the requester says that it is solved, and rates"
        await boris.says("спасибо, всё работает", reply_to=done["message_id"])
        await house.quiet()
        assert (await house.ticket(number))["status"] == "resolved"

    async def test_leaves(self, house: House) -> None:
        anna, boris = await house.person(), await house.person()
        number = await anna.reports(PRINTER)
        await joined(house, boris, number)
        await boris.chooses("leave")
        await boris.hears(matching=f"#{number}")
        await house.acts(service.reply, number, text="Мастер уже идёт.")
        await anna.hears(matching="Мастер уже идёт.")
        await house.quiet()
        assert (await house.ticket(number))["participants"] == []
        assert not any("Мастер" in one.get("text", "") for one in await boris.chat())
        assert await house.happened(number, "participant_left")

    async def test_is_invited_and_leaves_by_commands(self, house: House) -> None:
        anna, boris = await house.person(first_name="Анна"), await house.person(first_name="Борис")
        number = await anna.reports(PRINTER)
        await anna.says("/invite")
        told = await anna.hears(matching="start=go-")
        found = re.search(r"start=(go-[0-9a-f]+)", repr(told))
        assert found is not None
        await boris.opens(found[1])
        asked = await boris.hears(matching=f"#{number}")
        await boris.chooses("join_in", message_id=asked["message_id"])
        await boris.hears_buttons("leave")
        assert [one["name"] for one in (await house.ticket(number))["participants"]] == ["Борис"]
        async with house.front.database.read() as session:
            texts = (await session.scalars(select(Message.text))).all()
        assert found[1] not in repr(texts)
        await boris.says(f"/leave {number}")
        await boris.hears(matching="Вы вышли")
        assert (await house.ticket(number))["participants"] == []

    async def test_is_told_where_nothing_is_to_be_joined(self, house: House) -> None:
        anna, boris, vera = await house.person(), await house.person(), await house.person()
        number = await anna.reports(PRINTER)
        secret = await secret_for(house, number, "join")
        await anna.opens(secret)
        await anna.hears(matching="это ваше обращение")
        await boris.opens(secret)
        asked = await boris.hears(matching=f"#{number}")
        await boris.chooses("join_in", message_id=asked["message_id"])
        await boris.chooses("join_in", message_id=asked["message_id"])
        await boris.hears_buttons("leave")
        await vera.opens(secret)
        assert await is_spent(vera)
        late = await secret_for(house, number, "join")
        await house.jump(JOIN_LIFE + timedelta(minutes=1))
        await vera.opens(late)
        assert await is_spent(vera)
        assert len((await house.ticket(number))["participants"]) == 1

    async def test_leaves_no_secret_behind(self, house: House) -> None:
        anna, boris = await house.person(), await house.person()
        number = await anna.reports(PRINTER)
        used, wrong = await secret_for(house, number, "join"), "go-" + "x" * 24
        await boris.opens(used)
        await boris.hears(matching=f"#{number}")
        await boris.opens(wrong)
        assert await is_spent(boris)
        await house.quiet()
        async with house.front.database.read() as session:
            names = (await session.scalars(select(RawInbound.body))).all()
            texts = (await session.scalars(select(Message.text))).all()
        dump = repr([*names, *texts])
        assert used not in dump and wrong not in dump
        assert "/start go-…" in dump


class TestTheStars:
    async def test_are_given_by_a_link_after_confirming(self, house: House) -> None:
        number, _secret = await link_of(house, "Принтер", PRINTER)
        await house.acts(service.reply, number, text="Готово.", resolve=True)
        anna = await house.person()
        secret = await secret_for(house, number, "rate")
        await anna.opens(secret)
        asked = await anna.hears(matching=f"#{number}")
        await anna.chooses("rate_in", message_id=asked["message_id"])
        card = await anna.hears(matching=f"#{number}")
        await anna.presses("5 ★★★★★", message_id=card["message_id"])
        await house.quiet()
        assert (await house.ticket(number))["rating"]["score"] == 5
        await anna.opens(secret)
        assert await is_spent(anna)
