"""Operators work in a group with topics: a request goes there and back, on both kinds of desk, over real HTTP."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from channels.telegram.sandbox.person import File, Person, buttons
from desk_core.conversations import repository as conversations
from desk_core.groups import repository, service
from desk_core.kit.i18n import translate
from desk_core.tickets import service as tickets
from gateway.flows.group_view import LABELS
from tests.acceptance.house import House, eventually, kinds

pytestmark = pytest.mark.timeout(300)

UNREACHABLE = timedelta(minutes=6)
PRINTER = "Не печатает принтер в кабинете 305, горит красная лампочка"


@dataclass
class Team:
    """The operators in their group; `olga` and `pavel` are linked, `guest` is a member and no operator."""

    house: House
    chat_id: int
    olga: Person
    pavel: Person
    guest: Person

    async def topic(self, number: int) -> dict[str, Any]:
        """The topic of a request, as soon as it is there."""
        found: list[dict[str, Any]] = []

        async def is_there() -> bool:
            found[:] = [one for one in await self.olga.topics() if one["name"].startswith(f"#{number} ")]
            return bool(found)

        await eventually(is_there, what=f"a topic of #{number}")
        return found[-1]

    async def said(self, number: int) -> list[dict[str, Any]]:
        """What stands in the topic of a request."""
        thread = (await self.topic(number))["message_thread_id"]
        return [message for message in await self.olga.chat() if message.get("message_thread_id") == thread]

    async def shows(self, number: int, words: str) -> dict[str, Any]:
        """The message of a request's topic with these words, once it is there."""
        found: list[dict[str, Any]] = []

        async def is_there() -> bool:
            found[:] = [one for one in await self.said(number) if words in str(one.get("text") or one.get("caption") or "")]
            return bool(found)

        await eventually(is_there, what=f"{words!r} in the topic of #{number}")
        return found[-1]

    async def presses(self, who: Person, number: int, name: str) -> None:
        card = (await self.shows(number, "/console/tickets/"))["message_id"]
        await who.presses(translate("ru", LABELS[name]), message_id=card)

    async def writes(self, who: Person, number: int, text: str, **more: Any) -> dict[str, Any]:
        return await who.says(text, topic=(await self.topic(number))["message_thread_id"], **more)


@pytest.fixture(scope="module")
async def team(house: House) -> AsyncIterator[Team]:
    """A group made, linked and joined as the documentation says."""
    page = f"{house._telegram_server.url}/sandbox/telegram"
    private = {name: Person(page, name, language="ru", client=house.http) for name in ("olga", "pavel", "guest")}
    for person in private.values():
        await person.joins()
    chat_id = await private["olga"].founds_group("Операторы", members=["pavel", "guest"], rights=["can_manage_topics"])
    seats = {name: Person(page, name, group=chat_id, client=house.http) for name in private}
    async with house.front.database.read() as session:
        inbox = next(one for one in await conversations.inboxes(session) if one.channel == "telegram")
    async with house.front.database.unit() as uow:
        code = await service.make_code(uow, purpose=service.FOR_GROUP, subject=inbox.id, by="admin", now=house.clock.now())
    await seats["olga"].says(f"/link {code}")
    await seats["olga"].hears(matching="Привязана", timeout=60)
    for name in ("olga", "pavel"):
        async with house.front.database.unit() as uow:
            mine = await service.make_code(uow, purpose=service.FOR_AGENT, subject=house.agents[name].id, by="a", now=house.clock.now())
        await private[name].opens(f"me-{mine}")
        await private[name].hears(matching="теперь ваш", timeout=60)
    await asyncio.sleep(2.1)  # every process asks for the configuration anew within two seconds
    yield Team(house, chat_id, **seats)


class TestRoundTrip:
    async def test_a_request_goes_to_the_group_and_its_answer_to_the_requester(self, house: House, team: Team) -> None:
        anna = await house.person()
        number = await anna.reports(PRINTER)
        card = await team.shows(number, f"/console/tickets/{number}")
        assert translate("ru", LABELS["take"]) in buttons(card)
        await team.shows(number, PRINTER)

        await team.writes(team.olga, number, "Здравствуйте, иду к вам")
        answer = await anna.hears(matching="иду к вам")
        assert "Olga" in answer["text"]
        await house.quiet()
        ticket = await house.ticket(number)
        assert (ticket["baton"], ticket["assignee"]) == ("agent", "olga@desk.test")
        assert "taken" in kinds(ticket["events"])

        await anna.says("Спасибо, жду в 305")
        await team.shows(number, "Спасибо, жду в 305")
        await team.writes(team.olga, number, "// лежит на верхней полке")
        await house.quiet()
        assert ("note", "лежит на верхней полке") in [(one["direction"], one["text"]) for one in (await house.ticket(number))["messages"]]
        assert not any("верхней полке" in str(one.get("text", "")) for one in await anna.chat())
        await house.quiet()
        assert sum("иду к вам" in str(one.get("text", "")) for one in await team.said(number)) == 1

    async def test_files_go_both_ways(self, house: House, team: Team) -> None:
        anna = await house.person()
        number = await anna.reports(PRINTER)
        await team.shows(number, PRINTER)
        await team.writes(team.olga, number, "пришлите журнал")
        await anna.hears(matching="пришлите журнал")
        await anna.sends_file("log.txt", b"error 13", caption="вот он")
        shown = await team.shows(number, "вот он")
        assert await team.olga.downloads(shown) == b"error 13"
        thread = (await team.topic(number))["message_thread_id"]
        await team.olga.sends_file("how.txt", b"press the button", caption="нажмите", topic=thread)
        heard = await anna.hears(matching="нажмите")
        assert await anna.downloads(heard) == b"press the button"

    async def test_edits_reach_the_other_side(self, house: House, team: Team) -> None:
        anna = await house.person()
        number = await anna.reports(PRINTER)
        said = await team.writes(team.olga, number, "Приду в 5")
        await anna.hears(matching="Приду в 5")
        await house.quiet()
        await team.olga.edits(said["message_id"], "Приду в 6")
        await eventually(lambda: _any_text(anna, "Приду в 6"), what="the edit in the chat")
        theirs = await anna.says("кабинет 306")
        await team.shows(number, "кабинет 306")
        await anna.edits(theirs["message_id"], "кабинет 307")
        await team.shows(number, "кабинет 307")
        await house.quiet()
        assert not any("кабинет 306" in str(one.get("text", "")) for one in await team.said(number))

    async def test_reactions_go_both_ways(self, house: House, team: Team) -> None:
        anna = await house.person()
        number = await anna.reports(PRINTER)
        await team.writes(team.olga, number, "Сейчас приду")
        answer = await anna.hears(matching="Сейчас приду")
        await anna.reacts(answer["message_id"], "👍")
        assert "реакция" in (await team.shows(number, "👍"))["text"]
        said = await anna.says("жду вас")
        shown = await team.shows(number, "жду вас")
        await team.olga.reacts(shown["message_id"], "❤")
        await eventually(lambda: _marked(anna, said["message_id"], "❤"), what="the operator's reaction in the chat")

    async def test_an_album_is_one_answer(self, house: House, team: Team) -> None:
        anna = await house.person()
        number = await anna.reports(PRINTER)
        thread = (await team.topic(number))["message_thread_id"]
        await team.olga.sends_album([File("1.txt", b"one"), File("2.txt", b"two")], caption="два листа", topic=thread)
        await anna.hears(matching="два листа")
        await house.quiet()
        answers = [one for one in (await house.ticket(number))["messages"] if one["author"] == "Olga"]
        assert [[file["name"] for file in one["attachments"]] for one in answers] == [["1.txt", "2.txt"]]

    async def test_what_happens_in_the_console_stands_in_the_topic(self, house: House, team: Team) -> None:
        anna = await house.person()
        number = await anna.reports(PRINTER)
        await team.shows(number, PRINTER)
        await house.acts(tickets.reply, number, by="pavel", text="Заменил картридж, проверьте")
        await house.acts(tickets.note, number, by="pavel", text="старый был пуст")
        assert "Pavel" in (await team.shows(number, "Заменил картридж"))["text"]
        assert "Pavel" in (await team.shows(number, "старый был пуст"))["text"]

    async def test_a_mail_is_shown_and_answered(self, house: House, team: Team) -> None:
        writer = house.correspondent(name="Пётр Орлов")
        await writer.writes("Не печатает принтер", PRINTER)
        await house.quiet()
        number = (await house.tickets(writer.address))[0]["number"]
        await team.shows(number, "кабинете 305")
        await team.writes(team.pavel, number, "Пришлите номер с наклейки")
        await writer.hears(matching="Пришлите номер с наклейки")


class TestOrders:
    async def test_solved_by_a_button_once(self, house: House, team: Team) -> None:
        anna = await house.person()
        number = await anna.reports(PRINTER)
        card = await team.shows(number, "/console/tickets/")
        data = next(
            one["callback_data"]
            for row in card["reply_markup"]["inline_keyboard"]
            for one in row
            if one["text"] == translate("ru", LABELS["resolve"])
        )
        await house.quiet()
        pressed = [
            team.olga.presses_data(card["message_id"], data, stale=True),
            team.pavel.presses_data(card["message_id"], data, stale=True),
        ]
        await asyncio.gather(*pressed)
        await house.quiet()
        ticket = await house.ticket(number)
        assert ticket["status"] == "resolved"
        assert kinds(ticket["events"]).count("resolved") == 1
        assert sum(anna.word("solved") in buttons(one) for one in await anna.chat()) == 1, "asked once whether it is solved"
        await eventually(lambda: _named(team, number, "решено"), what="the state in the topic's title")

    async def test_taking_over_assigning_and_passing_on(self, house: House, team: Team) -> None:
        anna = await house.person()
        number = await anna.reports(PRINTER)
        await team.shows(number, PRINTER)
        await team.presses(team.olga, number, "take")
        await anna.hears_reply("taken_over")
        await team.writes(team.olga, number, "/assign pavel")
        await team.writes(team.olga, number, "/p4")
        await team.writes(team.olga, number, "/escalate 2 нужна новая плата")
        await team.shows(number, "нужна новая плата")
        await house.quiet()
        ticket = await house.ticket(number)
        assert (ticket["priority"], ticket["line"]) == ("P4", 2)
        assert {"assigned", "prioritised", "escalated"} <= {*kinds(ticket["events"])}

    async def test_a_colleague_who_speaks_is_not_talked_over(self, house: House, team: Team) -> None:
        anna = await house.person()
        number = await anna.reports(PRINTER)
        await team.writes(team.olga, number, "это Ольга")
        await anna.hears(matching="это Ольга")
        await team.writes(team.pavel, number, "это Павел")
        question = await team.shows(number, "пока не отправлены")
        assert not await _any_text(anna, "это Павел")
        await team.pavel.presses("Отправить и взять себе", message_id=question["message_id"])
        await anna.hears(matching="это Павел")


class TestManners:
    async def test_a_member_without_a_link_is_refused_once(self, house: House, team: Team) -> None:
        anna = await house.person()
        number = await anna.reports(PRINTER)
        await team.shows(number, PRINTER)
        await team.writes(team.guest, number, "я сам отвечу")
        await team.shows(number, "не привязан")
        await team.writes(team.guest, number, "/resolve")
        await house.quiet()
        assert (await house.ticket(number))["status"] != "resolved"
        assert not await _any_text(anna, "я сам отвечу")
        assert sum("не привязан" in str(one.get("text", "")) for one in await team.said(number)) == 1

    async def test_a_topic_deleted_by_hand_is_made_again(self, house: House, team: Team) -> None:
        anna = await house.person()
        number = await anna.reports(PRINTER)
        await team.shows(number, PRINTER)
        await house.quiet()
        await team.olga.deletes_topic((await team.topic(number))["message_thread_id"])
        await anna.says("есть кто живой?", reply_to=(await anna.chat())[-1]["message_id"])
        await team.shows(number, "есть кто живой?")
        assert "заново" in (await team.shows(number, "/console/tickets/"))["text"]

    async def test_a_bot_put_out_is_told_and_requesters_are_served(self, house: House, team: Team) -> None:
        anna = await house.person()
        number = await anna.reports(PRINTER)
        await team.shows(number, PRINTER)
        await team.olga.sets_standing(team.chat_id, "bot", "kicked")
        try:
            await house.acts(tickets.reply, number, by="olga", text="мы работаем")
            await anna.hears(matching="мы работаем")
            await eventually(lambda: _troubled(house), what="the trouble beside the group")
        finally:
            await team.olga.sets_standing(team.chat_id, "bot", "administrator", rights=["can_manage_topics"])
        house.clock.jump(UNREACHABLE)
        await team.shows(number, "мы работаем")


async def _any_text(person: Person, words: str) -> bool:
    return any(words in str(one.get("text", "")) for one in await person.chat())


async def _marked(person: Person, message_id: int, emoji: str) -> bool:
    return any(one["message_id"] == message_id and emoji in one["reactions"].values() for one in await person.chat())


async def _named(team: Team, number: int, words: str) -> bool:
    return words in str((await team.topic(number))["name"])


async def _troubled(house: House) -> bool:
    async with house.front.database.read() as session:
        return bool((await repository.groups(session))[0].trouble)
