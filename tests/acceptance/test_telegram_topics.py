"""Each request in a topic of its own: over the sandbox's Bot API by HTTP, with a bot whose owner has switched topics on."""

import re

import pytest

from channels.telegram.sandbox.person import Json
from desk_core.tickets import service
from tests.acceptance.chat import Chat
from tests.acceptance.house import House, eventually

pytestmark = pytest.mark.timeout(300)

PRINTER = "Не печатает принтер в бухгалтерии, кабинет 305"
TROUBLES = (PRINTER, "Не работает интернет в переговорной", "Забыл пароль от почты, не могу войти")


@pytest.fixture(autouse=True)
def topics_are_on(house: House) -> None:
    house.bot.has_topics_enabled = True


async def asks_for_a_person(person: Chat, trouble: str) -> None:
    await person.says(trouble)
    await person.says("/human")


async def topic_of(person: Chat, number: int) -> Json:
    found = [one for one in await person.topics() if f"#{number} " in one["name"]]
    assert len(found) == 1, [one["name"] for one in await person.topics()]
    return found[0]


class TestThreeRequests:
    async def test_are_three_topics_and_the_chat_stays_free(self, house: House) -> None:
        anna = await house.person()
        for trouble in TROUBLES:
            await asks_for_a_person(anna, trouble)
            await house.quiet()
        tickets = await anna.tickets()
        assert len(tickets) == 3
        shown = [one["name"] for one in await anna.topics()]
        assert len(shown) == 3, shown
        for ticket in tickets:
            assert sum(f"#{ticket['number']} {ticket['subject']}"[:60] in name for name in shown) == 1, shown
        assert await house.dead() == []

    async def test_each_hears_its_own_answer_and_takes_what_is_said_in_it(self, house: House) -> None:
        anna = await house.person()
        for trouble in TROUBLES[:2]:
            await asks_for_a_person(anna, trouble)
            await house.quiet()
        first, second = [one["number"] for one in await anna.tickets()]
        await house.acts(service.reply, first, text="Какой у вас принтер?")
        said = await anna.hears(matching=re.compile("Какой у вас принтер"))
        topic = await topic_of(anna, first)
        assert said["message_thread_id"] == topic["message_thread_id"]
        await anna.says("HP LaserJet 1020", topic=topic["message_thread_id"])
        await house.quiet()
        assert await house.holds(first, "HP LaserJet 1020")
        assert not await house.holds(second, "HP LaserJet 1020")


class TestTheState:
    async def test_stands_in_the_title(self, house: House) -> None:
        anna = await house.person()
        await asks_for_a_person(anna, PRINTER)
        await house.quiet()
        [ticket] = await anna.tickets()
        await house.acts(service.reply, ticket["number"], text="Заменили картридж.", resolve=True)

        async def is_shown() -> bool:
            return (await topic_of(anna, ticket["number"]))["name"].endswith("решено, ждём вашего подтверждения")

        await eventually(is_shown, what="the topic to say that it is solved")


class TestATopicDeletedByHand:
    async def test_is_made_again_with_the_next_answer(self, house: House) -> None:
        anna = await house.person()
        await asks_for_a_person(anna, PRINTER)
        await house.quiet()
        [ticket] = await anna.tickets()
        gone = await topic_of(anna, ticket["number"])
        await anna.deletes_topic(gone["message_thread_id"])
        await house.acts(service.reply, ticket["number"], text="Уже идём.")
        said = await anna.hears(matching=re.compile("Уже идём"))
        again = await topic_of(anna, ticket["number"])
        assert said["message_thread_id"] == again["message_thread_id"] != gone["message_thread_id"]
        await anna.says("жду", topic=again["message_thread_id"])
        await house.quiet()
        assert await house.holds(ticket["number"], "жду")


class TestATopicOfTheirOwn:
    async def test_becomes_that_of_the_request(self, house: House) -> None:
        anna = await house.person()
        made = await anna.begins_topic("Беда")
        await anna.says(PRINTER, topic=made["message_thread_id"])
        await anna.says("/human", topic=made["message_thread_id"])
        await house.quiet()
        [ticket] = await anna.tickets()

        async def is_named() -> bool:
            return any(f"#{ticket['number']}" in one["name"] for one in await anna.topics())

        await eventually(is_named, what="the topic to bear the request's name")
        assert len(await anna.topics()) == 1


class TestBlockedAndBack:
    async def test_hears_what_was_said_meanwhile(self, house: House) -> None:
        anna = await house.person()
        await asks_for_a_person(anna, PRINTER)
        await house.quiet()
        [ticket] = await anna.tickets()
        await anna.blocks_bot()
        await house.acts(service.reply, ticket["number"], text="Мы у принтера, откройте дверь.")
        await house.quiet()
        await anna.unblocks_bot()
        await anna.hears(matching=re.compile("откройте дверь"))
