"""Operators in a group: every request in a topic of its own, in step both ways, and worked in from there."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from desk_core.context import Actor
from desk_core.conversations.entities import Message
from desk_core.conversations.ports import InboundKind, InboundMessage, Refused, RetryLater, Sender
from desk_core.groups import repository
from desk_core.kit.ids import new_id
from desk_core.tickets import belonging
from desk_core.tickets import service as tickets
from tests.fakes.group import CHAT
from tests.integration.gateway.conftest import Chat
from tests.integration.gateway.operators import OLGA, PAVEL, Group, asks_for_a_person, linked


@pytest.fixture
async def group(chat: Chat) -> Group:
    return await linked(chat)


class TestTopics:
    async def test_one_for_each_request_with_a_card_and_what_was_said(self, group: Group) -> None:
        await asks_for_a_person(group)
        ticket = await group.ticket()
        _thread, topic = group.fake.only
        assert topic.face.title.startswith(f"#{ticket.number} ")
        card = topic.texts[0]
        assert f"#{ticket.number}" in card
        assert "Анна" in card
        assert f"/console/tickets/{ticket.number}" in card
        assert "Не печатает принтер в кабинете 305" in group.seen

    async def test_are_kept_in_step_with_the_console(self, group: Group) -> None:
        await asks_for_a_person(group)
        pavel = group.agents[PAVEL]
        await group.acts(tickets.reply, by=pavel, text="Иду к вам.")
        await group.acts(tickets.note, by=pavel, text="картридж на складе")
        await group.acts(belonging.prioritise, by=Actor.of(pavel), priority="P1")
        await group.chat.says("спасибо, жду")
        for words in ("Иду к вам.", "картридж на складе", "P1", "спасибо, жду"):
            assert words in group.seen
        assert group.seen.index("Иду к вам.") < group.seen.index("спасибо, жду")
        assert group.seen.count("Иду к вам.") == 1

    async def test_show_an_edit_where_the_message_stands(self, group: Group) -> None:
        await asks_for_a_person(group)
        said = await group.chat.says("кабинет 306")
        await group.settle()
        group.clock.advance(timedelta(seconds=1))
        await group.chat.says("кабинет 307", kind=InboundKind.EDIT, edits=said.shown_id, shown_id=said.shown_id)
        await group.settle()
        posts = group.fake.only[1].texts
        assert not any("кабинет 306" in text for text in posts)
        assert sum("кабинет 307" in text for text in posts) == 1

    async def test_carry_files(self, group: Group) -> None:
        await asks_for_a_person(group)
        await group.chat.says("вот журнал", files=(group.chat.file("log.txt", b"error 13"),))
        await group.settle()
        shown = [message for message in group.fake.only[1].posts.values() if message.files]
        assert [file.name for message in shown for file in message.files] == ["log.txt"]

    async def test_deleted_by_hand_are_made_again_with_the_next_event(self, group: Group) -> None:
        await asks_for_a_person(group)
        group.fake.group_topics.clear()
        await group.chat.says("вы ещё тут?")
        await group.settle()
        topic = group.fake.only[1]
        assert "вы ещё тут?" in group.seen
        assert "заново" in topic.texts[0]
        assert "Не печатает принтер" not in "\n".join(topic.texts[1:])

    async def test_close_with_the_request(self, group: Group) -> None:
        await asks_for_a_person(group)
        await group.acts(tickets.set_status, by=group.agents[OLGA], status="cancelled")
        assert group.fake.only[1].face.closed

    async def test_keep_what_a_flood_limit_held_up(self, group: Group) -> None:
        await asks_for_a_person(group)
        group.fake.group_trouble.append(RetryLater("too many requests", after=timedelta(seconds=40)))
        for words in ("раз", "два", "три", "четыре", "пять"):
            await group.chat.says(words)
        await group.settle()
        assert "пять" not in group.seen
        group.clock.advance(timedelta(seconds=41))
        await group.settle()
        for words in ("раз", "два", "три", "четыре", "пять"):
            assert words in group.seen
        assert any("раз" in text and "пять" in text for text in group.fake.only[1].texts), "what waited comes together"

    async def test_what_telegram_refuses_is_named_at_least(self, group: Group) -> None:
        await asks_for_a_person(group)
        group.fake.group_trouble.append(Refused("PHOTO_INVALID"))
        await group.chat.says("снимок", files=(group.chat.file("broken.png", b"no picture"),))
        await group.settle()
        assert "снимок" in group.seen
        assert "broken.png" in group.seen


class TestOperators:
    async def test_answer_as_themselves_and_the_bot_is_silent(self, group: Group) -> None:
        await asks_for_a_person(group)
        await group.writes(OLGA, "Здравствуйте, уже смотрю")
        answer = group.chat.heard[-1]
        assert (answer.text, answer.author_name) == ("Здравствуйте, уже смотрю", "Ольга")
        assert await group.baton() == ("agent", group.agents[OLGA].id)
        heard = len(group.chat.heard)
        await group.chat.says("печатает!")
        assert len(group.chat.heard) == heard
        assert not any("уже смотрю" in text for text in group.fake.only[1].texts), "their own words stand there already"

    async def test_send_files(self, group: Group) -> None:
        await asks_for_a_person(group)
        await group.writes(OLGA, "инструкция", files=(group.chat.file("how.txt", b"press the button"),))
        assert [file.name for file in group.chat.heard[-1].files] == ["how.txt"]

    @pytest.mark.parametrize("text", ["// он уже звонил", "/note он уже звонил"])
    async def test_write_notes_that_never_leave(self, group: Group, text: str) -> None:
        await asks_for_a_person(group)
        heard = len(group.chat.heard)
        await group.writes(OLGA, text)
        assert len(group.chat.heard) == heard
        async with group.desk.database.read() as session:
            notes = (await session.scalars(select(Message).where(Message.direction == "note"))).all()
        assert [(note.text, note.author) for note in notes] == [("он уже звонил", "Ольга")]

    async def test_are_asked_where_a_colleague_speaks(self, group: Group) -> None:
        await asks_for_a_person(group)
        await group.writes(OLGA, "это Ольга")
        await group.writes(PAVEL, "это Павел")
        assert group.chat.heard[-1].text == "это Ольга"
        await group.presses(PAVEL, "Отправить и взять себе")
        assert group.chat.heard[-1].text == "это Павел"
        assert (await group.baton())[1] == group.agents[PAVEL].id
        heard = len(group.chat.heard)
        await group.presses(PAVEL, "Отправить и взять себе")
        assert len(group.chat.heard) == heard, "a question is answered once"

    async def test_resolve_by_a_button_once(self, group: Group) -> None:
        await asks_for_a_person(group)
        heard = len(group.chat.heard)
        assert await group.presses(OLGA, group.word("resolve")) is None
        asked = len(group.chat.heard)
        assert asked == heard + 1
        assert (await group.ticket()).status == "resolved"
        token = (await self._tokens(group))["group:resolve"]
        await group.writes(OLGA, kind=InboundKind.PRESS, button=token, callback_id=new_id())
        assert len(group.chat.heard) == asked
        assert "решено" in (group.fake.answered[-1][1] or "")
        assert "Ольга" in group.seen

    async def test_two_quick_presses_act_once(self, group: Group) -> None:
        await asks_for_a_person(group)
        heard, token = len(group.chat.heard), (await self._tokens(group))["group:resolve"]
        for who in (OLGA, PAVEL):
            message = InboundMessage(
                kind=InboundKind.PRESS, external_id=new_id(), lane=f"in:{group.chat.inbox.id}:{CHAT}", sender=Sender(who),
                at=group.desk.clock.now(), thread_key=f"{CHAT}:{group.fake.only[0]}", button=token, callback_id=new_id(),
                card={"chat_type": "supergroup"},
            )  # fmt: skip
            await group.desk.accept(group.chat.inbox.id, message)
        await group.settle()
        assert len(group.chat.heard) == heard + 1
        assert len(group.fake.answered) == 2

    @staticmethod
    async def _tokens(group: Group) -> dict[str, str]:
        from desk_core.conversations import pressing

        ticket = await group.ticket()
        async with group.desk.database.read() as session:
            topic = await repository.topic_of(session, ticket.id)
            assert topic is not None
            return {one.action: one.token for one in await pressing.buttons_of(session, topic.id)}

    async def test_pass_it_on_with_a_reason(self, group: Group) -> None:
        await asks_for_a_person(group)
        await group.writes(OLGA, "/escalate 2")
        assert (await group.ticket()).line == 1
        await group.writes(OLGA, "/escalate 2 нужна новая плата")
        assert (await group.ticket()).line == 2
        assert "нужна новая плата" in group.seen

    async def test_assign_and_change_by_commands(self, group: Group) -> None:
        await asks_for_a_person(group)
        await group.writes(OLGA, "/assign Павел")
        await group.writes(OLGA, "/p1")
        ticket = await group.ticket()
        assert (ticket.assignee_id, ticket.priority) == (group.agents[PAVEL].id, "P1")
        await group.writes(OLGA, "/take")
        await group.writes(OLGA, "/bot")
        assert (await group.baton())[0] == "bot"

    async def test_a_mistyped_command_is_never_sent(self, group: Group) -> None:
        await asks_for_a_person(group)
        heard = len(group.chat.heard)
        await group.writes(OLGA, "/solveit")
        assert len(group.chat.heard) == heard
        assert "/solveit" in group.seen

    async def test_correct_what_they_sent(self, group: Group) -> None:
        await asks_for_a_person(group)
        place = await group.writes(OLGA, "Приду в 5.")
        await group.writes(OLGA, "Приду в 6.", kind=InboundKind.EDIT, edits=place, shown_id=place)
        assert group.fake.edited[-1][0].text == "Приду в 6."
        assert not any("Приду в 6." in text for text in group.fake.only[1].texts)

    async def test_react_to_what_the_requester_wrote(self, group: Group) -> None:
        await asks_for_a_person(group)
        said = await group.chat.says("вот фото")
        await group.settle()
        place = next(place for place, message in group.fake.only[1].posts.items() if "вот фото" in message.text)
        await group.writes(
            OLGA, kind=InboundKind.REACTION, reply_to=place, thread="", card={"chat_type": "supergroup", "reactions": ["👍"]}
        )
        assert group.fake.reactions[-1][1:] == (said.shown_id, "👍")
