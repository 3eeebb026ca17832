"""What time brings: promises at risk and broken, the close ladder, and dialogues left in the middle. The clock jumps; nobody waits."""

from datetime import timedelta

import pytest

from desk_core.tickets import service
from tests.acceptance.house import House, kinds

pytestmark = pytest.mark.timeout(300)

PRINTER = "Не печатает принтер в кабинете 305, горит красная лампочка"
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


class TestAPromise:
    async def test_is_at_risk_then_broken_and_both_are_told_once(self, house: House) -> None:
        anna = await house.person()
        number = await anna.reports(PRINTER)
        ticket = await house.ticket(number)
        assert ticket["promise"]["metric"] == "first_response"
        await house.moves_to(ticket["promise"]["due_at"], less=MINUTE)
        await house.until(lambda: house.happened(number, "sla_at_risk"), what="the warning")
        await house.moves_to(ticket["promise"]["due_at"], more=MINUTE)
        await house.until(lambda: house.happened(number, "sla_breached"), what="the breach")
        await house.quiet()
        history = kinds((await house.ticket(number))["events"])
        assert history.count("sla_at_risk") == 1
        assert history.count("sla_breached") == 1

    async def test_kept_in_time_is_never_broken(self, house: House) -> None:
        anna = await house.person()
        number = await anna.reports(PRINTER)
        await house.acts(service.reply, number, text="Уже идём.")
        await house.jump(5 * HOUR)
        await house.quiet()
        events = (await house.ticket(number))["events"]
        assert [event for event in events if event["kind"] == "sla_breached" and event["data"]["metric"] == "first_response"] == []


class TestTheCloseLadder:
    async def test_reminds_once_then_closes_and_asks_for_stars(self, house: House) -> None:
        anna = await house.person()
        number = await anna.reports(PRINTER)
        await house.acts(service.resolve, number, text="Заменили картридж.")
        await anna.hears_buttons("solved")
        await house.passes_working_days(2)
        reminder = await anna.hears_reply("resolved_reminder")
        assert f"#{number}" in reminder["text"]
        await house.passes_working_days(1)
        await anna.hears_reply("closed")
        await house.until(lambda: house.has_status(number, "closed"), what="the closing")
        ticket = await house.ticket(number)
        assert ticket["resolution"] == "auto"
        assert kinds(ticket["events"]).count("reminded") == 1

    async def test_never_closes_over_the_requesters_last_word(self, house: House) -> None:
        anna = await house.person()
        number = await anna.reports(PRINTER)
        await house.acts(service.resolve, number, text="Готово.")
        await anna.hears_buttons("solved")
        await anna.says("нет, не работает")
        await anna.hears_reply("reopened")
        await house.quiet()
        await house.passes_working_days(5)
        await house.quiet()
        ticket = await house.ticket(number)
        assert ticket["status"] == "open"
        assert "reminded" not in kinds(ticket["events"])

    async def test_a_reply_after_the_time_to_reopen_is_a_linked_follow_up(self, house: House) -> None:
        vera = house.correspondent()
        await vera.writes("Принтер", "Не печатает принтер в кабинете 305")
        letter = await vera.hears()
        await house.quiet()
        number = (await house.tickets(vera.address))[0]["number"]
        await house.acts(service.set_status, number, status="closed")
        await house.jump(20 * DAY)
        await vera.replies(letter, "Принтер опять не печатает")
        await house.quiet()
        first, second = await house.tickets(vera.address)
        assert (first["number"], first["status"]) == (number, "closed")
        assert "follow_up" in second["tags"]
        assert await house.holds(second["number"], "Принтер опять не печатает")


class TestADialogueLeftInTheMiddle:
    async def test_is_reminded_once_and_filed_as_it_is(self, house: House) -> None:
        anna = await house.person()
        await anna.says(PRINTER)
        await anna.hears_buttons("not_it")
        await anna.chooses("not_it")
        await anna.hears_buttons("skip")
        await house.jump(16 * MINUTE)
        await anna.hears_reply("unfinished_reminder")
        assert await anna.tickets() == []
        await house.jump(2 * HOUR)
        await anna.hears_reply("unfinished_filed")
        await house.quiet()
        ticket = await anna.only_ticket()
        assert "unfinished" in ticket["tags"]
        assert ticket["category"] == "hardware.printer"
        assert PRINTER in [message["text"] for message in ticket["messages"]]

    async def test_finished_in_time_is_filed_once(self, house: House) -> None:
        anna = await house.person()
        number = await anna.reports(PRINTER)
        await house.jump(3 * HOUR)
        await house.quiet()
        assert (await anna.only_ticket())["number"] == number
        assert "unfinished" not in (await anna.only_ticket())["tags"]
