"""How the bot talks in a chat: receipts, cards that change in place, operators' corrections, over a Telegram by real HTTP."""

import pytest

from desk_core.tickets import service
from gateway.flows.filing import TAKEN_IN, WITH_PEOPLE
from tests.acceptance.house import House

pytestmark = pytest.mark.timeout(300)

PRINTER = "Не печатает принтер в кабинете 305, горит красная лампочка"


class TestReceipts:
    async def test_say_in_words_once_and_then_by_a_mark(self, house: House) -> None:
        anna = await house.person()
        number = await anna.reports(PRINTER)
        first = await anna.says("Это на втором этаже")
        said = await anna.hears_reply("added")
        assert WITH_PEOPLE in said["text"], "the mark is explained in words before it stands alone"
        before = len(await anna.chat())
        second = await anna.says("Рядом с кухней")
        await house.quiet()
        for message in (first, second):
            assert await anna.mark_on(message) == WITH_PEOPLE
        assert len(await anna.chat()) == before + 1, "no line of thanks for every message"
        assert "Рядом с кухней" in [message["text"] for message in (await house.ticket(number))["messages"]]

    async def test_come_at_once_where_an_operator_speaks(self, house: House) -> None:
        anna = await house.person()
        number = await anna.reports(PRINTER)
        await house.acts(service.take_over, number)
        await house.quiet()
        said = await anna.says("Рядом с кухней")
        await house.until(lambda: anna.is_marked(said, WITH_PEOPLE), what="the mark")
        emoji = [str(call.values.get("reaction")) for call in house.telegram.calls if call.method == "setMessageReaction"]
        assert any(TAKEN_IN in one for one in emoji)
