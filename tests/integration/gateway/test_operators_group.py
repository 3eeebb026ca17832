"""Operators in a group: every request in a topic of its own, in step both ways; nobody else acts; the group is only a view."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, cast

import pytest
from sqlalchemy import select

from desk_core.context import Actor
from desk_core.conversations.entities import Conversation, Message
from desk_core.conversations.ports import InboundKind, InboundMessage, Refused, RetryLater, Sender
from desk_core.groups import repository, service
from desk_core.groups.entities import GroupTopic, OperatorGroup
from desk_core.kit.clock import FakeClock
from desk_core.kit.ids import new_id
from desk_core.lanes.entities import DeadItem
from desk_core.people import service as people
from desk_core.people.entities import Agent
from desk_core.people.permissions import Role
from desk_core.tickets import belonging
from desk_core.tickets import service as tickets
from desk_core.tickets.entities import Ticket
from gateway.flows import group_view
from gateway.flows.group_links import APART, CONFIG_KNOWN
from tests.fakes.group import CHAT, FakeGroupChannel
from tests.integration.gateway.conftest import Chat, SmallDesk

OLGA, PAVEL, STRANGER = "501", "502", "599"


@dataclass
class Group:
    """The group as its members use it."""

    chat: Chat
    fake: FakeGroupChannel
    agents: dict[str, Agent]
    written: int = 0

    @property
    def desk(self) -> SmallDesk:
        return self.chat.desk

    @property
    def clock(self) -> FakeClock:
        return cast("FakeClock", self.desk.clock)

    async def settle(self) -> None:
        self.desk.forget_config()
        await self.desk.worker().drain()
        self.desk.forget_config()

    async def writes(self, who: str, text: str = "", *, thread: str | None = None, **more: Any) -> str:
        """A member writes in a topic (the only one, unless told); the answer is the place of the message."""
        self.written += 1
        self.clock.advance(timedelta(seconds=1))
        thread = self.fake.only[0] if thread is None else thread
        place = f"{CHAT}:{9000 + self.written}"
        command, _sep, args = (
            text.removeprefix("/").partition(" ") if text.startswith("/") and not text.startswith("//") else (None, "", "")
        )
        message = InboundMessage(
            **{
                "kind": InboundKind.MESSAGE, "external_id": new_id(), "lane": f"in:{self.chat.inbox.id}:{CHAT}",
                "thread_key": f"{CHAT}:{thread}" if thread else CHAT, "shown_id": place, "sender": Sender(who, name=who, verified=True),
                "at": self.desk.clock.now(), "text": text, "command": command,
                "card": {"chat_type": "supergroup", **({"args": args} if command else {})}, **more,
            }
        )  # fmt: skip
        await self.desk.accept(self.chat.inbox.id, message)
        await self.settle()
        return place

    async def presses(self, who: str, name: str, *, newest: bool = False) -> str | None:
        """Press a button of the card (or of the newest message that has it); the words that the client showed."""
        topic = self.fake.only[1]
        found = [
            (place, button.token)
            for place, message in topic.posts.items()
            for row in message.buttons
            for button in row
            if button.label == name
        ]
        assert found, f"no button {name} among {[b.label for m in topic.posts.values() for row in m.buttons for b in row]}"
        place, token = found[-1]
        await self.writes(who, kind=InboundKind.PRESS, button=token, callback_id=new_id(), reply_to=place)
        return self.fake.answered[-1][1]

    async def ticket(self) -> Ticket:
        async with self.desk.database.read() as session:
            found: Ticket = (await session.scalars(select(Ticket).order_by(Ticket.number.desc()).limit(1))).one()
            return found

    async def baton(self) -> tuple[str, str | None]:
        async with self.desk.database.read() as session:
            talk = (await session.scalars(select(Conversation).where(Conversation.thread_key == self.chat.address))).one()
            return talk.baton, talk.agent_id

    async def acts(self, verb: Any, **options: Any) -> Any:
        """An act in the console."""
        ctx, ticket = await self.desk.context(), await self.ticket()
        async with self.desk.database.unit() as uow:
            done = await verb(uow, ctx, ticket.id, **options)
        await self.settle()
        return done

    def word(self, name: str) -> str:
        from desk_core.kit.i18n import translate

        return translate("ru", group_view.LABELS[name])

    @property
    def seen(self) -> str:
        return "\n".join(self.fake.only[1].texts)


@pytest.fixture
async def group(chat: Chat) -> Group:
    """A linked group with two operators in it."""
    desk = chat.desk
    fake = desk.fake = FakeGroupChannel()
    agents = {}
    async with desk.database.unit() as uow:
        for address, name, role in ((OLGA, "Ольга", Role.ADMINISTRATOR), (PAVEL, "Павел", Role.AGENT)):
            agents[address] = await people.add_agent(
                uow, email=f"{address}@desk.test", name=name, password_hash="-", role=role, language="ru", time_zone="Europe/Moscow",
                team_keys=[], now=desk.clock.now(),
            )  # fmt: skip
        code = await service.make_code(uow, purpose=service.FOR_GROUP, subject=chat.inbox.id, by="admin", now=desk.clock.now())
    made = Group(chat, fake, agents)
    await made.writes(OLGA, f"/link {code}", thread="")
    for address, agent in agents.items():
        async with desk.database.unit() as uow:
            mine = await service.make_code(uow, purpose=service.FOR_AGENT, subject=agent.id, by="admin", now=desk.clock.now())
        me = Sender(address, name=agent.name, verified=True)
        await chat.says(
            f"/me {mine}", command="me", card={"args": mine}, sender=me, thread_key=address, lane=f"in:{chat.inbox.id}:{address}"
        )
    assert "Операторы" in fake.general[0].text
    fake.general.clear()
    desk.forget_config()
    return made


async def asks_for_a_person(group: Group) -> None:
    await group.chat.says("Не печатает принтер в кабинете 305")
    await group.chat.says("/human", command="human")
    await group.settle()


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
        from desk_core.conversations import repository as conversations

        ticket = await group.ticket()
        async with group.desk.database.read() as session:
            topic = await repository.topic_of(session, ticket.id)
            assert topic is not None
            return {one.action: one.token for one in await conversations.buttons_of(session, topic.id)}

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


class TestMembers:
    async def test_not_linked_are_refused_once(self, group: Group) -> None:
        await asks_for_a_person(group)
        heard = len(group.chat.heard)
        for words in ("я помогу", "/resolve"):
            await group.writes(STRANGER, words)
        assert len(group.chat.heard) == heard
        assert (await group.ticket()).status != "resolved"
        assert sum("не привязан" in text for text in group.fake.only[1].texts) == 1

    async def test_disabled_operators_are_strangers(self, group: Group) -> None:
        await asks_for_a_person(group)
        async with group.desk.database.unit() as uow:
            agent = await uow.session.get_one(Agent, group.agents[PAVEL].id)
            agent.disabled_at = group.desk.clock.now()
        heard = len(group.chat.heard)
        await group.writes(PAVEL, "я ещё тут")
        assert len(group.chat.heard) == heard

    async def test_a_code_works_once_and_for_a_while(self, group: Group) -> None:
        desk = group.desk
        async with desk.database.unit() as uow:
            code = await service.make_code(uow, purpose=service.FOR_AGENT, subject=group.agents[OLGA].id, by="a", now=desk.clock.now())
        async with desk.database.unit() as uow:
            await service.take_code(uow, code, purpose=service.FOR_AGENT, now=desk.clock.now())
        with pytest.raises(service.WrongCode):
            async with desk.database.unit() as uow:
                await service.take_code(uow, code, purpose=service.FOR_AGENT, now=desk.clock.now())
        async with desk.database.unit() as uow:
            late = await service.make_code(uow, purpose=service.FOR_AGENT, subject=group.agents[OLGA].id, by="a", now=desk.clock.now())
        group.clock.advance(service.CODE_LIFE)
        with pytest.raises(service.WrongCode):
            async with desk.database.unit() as uow:
                await service.take_code(uow, late, purpose=service.FOR_AGENT, now=desk.clock.now())


class TestGroup:
    async def test_says_what_it_lacks_and_keeps_the_code(self, chat: Chat) -> None:
        desk = chat.desk
        fake = desk.fake = FakeGroupChannel(missing=("forum", "topics"))
        async with desk.database.unit() as uow:
            code = await service.make_code(uow, purpose=service.FOR_GROUP, subject=chat.inbox.id, by="admin", now=desk.clock.now())
        group = Group(chat, fake, {})
        await group.writes(OLGA, f"/link {code}", thread="")
        assert not (await self._linked(desk))
        fake.missing = ()
        await group.writes(OLGA, f"/link {code}", thread="")
        assert [one.title for one in await self._linked(desk)] == ["Операторы"]
        assert len(fake.general) == 2

    async def test_a_wrong_code_links_nothing(self, chat: Chat) -> None:
        fake = chat.desk.fake = FakeGroupChannel()
        await Group(chat, fake, {}).writes(OLGA, "/link guessed", thread="")
        assert not await self._linked(chat.desk)

    async def test_lost_is_told_and_holds_up_nobody(self, group: Group) -> None:
        await asks_for_a_person(group)
        group.fake.lost = "bot was kicked from the supergroup chat"
        await group.acts(tickets.reply, by=group.agents[OLGA], text="мы работаем")
        assert group.chat.heard[-1].text == "мы работаем"
        assert (await self._linked(group.desk))[0].trouble == "bot was kicked from the supergroup chat"
        group.fake.lost = ""
        group.clock.advance(timedelta(minutes=6))
        await group.settle()
        assert "мы работаем" in group.seen
        assert (await self._linked(group.desk))[0].trouble is None
        async with group.desk.database.read() as session:
            assert (await session.scalars(select(DeadItem))).all() == []

    async def test_alerts_come_once_into_their_topic(self, group: Group) -> None:
        await group.writes(OLGA, "/alerts on", thread="")
        group.fake.general.clear()
        await asks_for_a_person(group)
        ticket = await group.ticket()
        called = [message for message in group.fake.general if f"#{ticket.number}" in message.text]
        assert len(called) == 1

    async def test_unlinked_shows_nothing_more(self, group: Group) -> None:
        await group.writes(OLGA, "/unlink", thread="")
        await asks_for_a_person(group)
        assert not group.fake.group_topics
        async with group.desk.database.read() as session:
            assert (await session.scalars(select(GroupTopic))).all() == []

    async def test_shows_what_was_there_before_one_by_one_but_at_once_what_somebody_writes_in(self, group: Group) -> None:
        await group.writes(OLGA, "/unlink", thread="")
        await asks_for_a_person(group)
        older = await group.ticket()
        await group.chat.says("/new Не открывается 1С", command="new", card={"args": "Не открывается 1С"})
        await group.chat.says("/human", command="human")
        newer = await group.ticket()
        assert newer.number != older.number
        async with group.desk.database.unit() as uow:
            code = await service.make_code(uow, purpose=service.FOR_GROUP, subject=group.chat.inbox.id, by="a", now=group.clock.now())
        await group.writes(OLGA, f"/link {code}", thread="")
        group.clock.advance(CONFIG_KNOWN)
        await group.settle()
        assert self._numbers(group) == [newer.number]
        ctx = await group.desk.context()
        async with group.desk.database.unit() as uow:
            await tickets.reply(uow, ctx, older.id, by=group.agents[PAVEL], text="Смотрю")
        await group.settle()
        assert self._numbers(group) == [newer.number, older.number]
        group.clock.advance(APART)
        await group.settle()
        assert self._numbers(group) == [newer.number, older.number]

    @staticmethod
    def _numbers(group: Group) -> list[int]:
        return [int(topic.face.title.split()[0].removeprefix("#")) for topic in group.fake.group_topics.values()]

    async def test_talk_outside_of_requests_is_left_alone(self, group: Group) -> None:
        await group.writes(OLGA, "коллеги, обед", thread="")
        assert not group.fake.general

    @staticmethod
    async def _linked(desk: SmallDesk) -> list[OperatorGroup]:
        async with desk.database.read() as session:
            return await repository.groups(session)
