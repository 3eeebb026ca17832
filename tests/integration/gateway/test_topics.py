"""Requests in topics of a chat: opened, named, moved back, opened again, on both stores; the channel is a fake one."""

from datetime import timedelta
from typing import Any

from sqlalchemy import select

from desk_core.conversations.entities import Conversation, Message
from desk_core.conversations.ports import InboundKind, Refused
from desk_core.people import service as people
from desk_core.people.entities import Agent
from desk_core.people.permissions import Role
from desk_core.tickets import service as tickets
from desk_core.tickets.entities import Ticket
from gateway.flows.topics import TITLE, topic_of
from tests.integration.gateway.conftest import Chat

SAYS_PERSON = "позовите человека"


async def requests(chat: Chat) -> list[Ticket]:
    async with chat.desk.database.read() as session:
        return list((await session.scalars(select(Ticket).order_by(Ticket.number))).all())


async def room_of(chat: Chat, ticket: Ticket) -> Conversation:
    async with chat.desk.database.read() as session:
        return await session.get_one(Conversation, ticket.conversation_id)


async def olga(chat: Chat) -> Agent:
    async with chat.desk.database.unit() as uow:
        return await people.add_agent(
            uow, email="olga@desk.example", name="Ольга", password_hash="", role=Role.AGENT, language="ru", time_zone="Europe/Moscow",
            team_keys=["service_desk"], now=chat.desk.clock.now(),
        )  # fmt: skip


async def answers(chat: Chat, ticket: Ticket, agent: Agent, text: str, **options: Any) -> Message:
    ctx = await chat.desk.context()
    async with chat.desk.database.unit() as uow:
        message = await tickets.reply(uow, ctx, ticket.id, by=agent, text=text, **options)
    await chat.desk.worker().drain()
    return message


def said_in(chat: Chat, thread_key: str) -> list[str]:
    return [message.text for message in chat.desk.fake.sent if message.thread_key == thread_key]


class TestARequest:
    async def test_gets_a_topic_and_the_chat_says_where_it_goes_on(self, chat: Chat) -> None:
        topics = chat.desk.fake.topics = {}
        await chat.says("не печатает принтер на третьем этаже")
        await chat.says(SAYS_PERSON)
        [ticket] = await requests(chat)
        [(key, topic)] = topics.items()
        room = await room_of(chat, ticket)
        assert (room.thread_key, room.active_ticket_id) == (key, ticket.id)
        assert topic.title.startswith(f"#{ticket.number} ")
        assert room.topic == topic.to_json()
        told = said_in(chat, key)
        assert "не печатает принтер на третьем этаже" in told[0]
        assert topic.title.partition(" · ")[0] in said_in(chat, "7001")[-1]

    async def test_leaves_the_chat_free_for_the_next_one(self, chat: Chat) -> None:
        topics = chat.desk.fake.topics = {}
        for trouble in ("не печатает принтер", "не работает интернет", "забыл пароль"):
            await chat.says(trouble)
            await chat.says(SAYS_PERSON)
        found = await requests(chat)
        assert len(found) == len(topics) == 3
        assert len({ticket.conversation_id for ticket in found}) == 3
        async with chat.desk.database.read() as session:
            main = (await session.scalars(select(Conversation).where(Conversation.thread_key == "7001"))).one()
        assert (main.active_ticket_id, main.baton) == (None, "bot")

    async def test_takes_what_is_said_in_its_topic(self, chat: Chat) -> None:
        chat.desk.fake.topics = {}
        await chat.says("не печатает принтер")
        await chat.says(SAYS_PERSON)
        [ticket] = await requests(chat)
        room = await room_of(chat, ticket)
        await answers(chat, ticket, await olga(chat), "Какой кабинет?")
        assert "Какой кабинет?" in said_in(chat, room.thread_key)[-1]
        await chat.says("кабинет 305", thread_key=room.thread_key)
        async with chat.desk.database.read() as session:
            mine = await session.scalars(select(Message.text).where(Message.ticket_id == ticket.id, Message.direction == "inbound"))
            assert "кабинет 305" in mine.all()

    async def test_hears_an_answer_given_in_the_chat_to_what_was_said_there(self, chat: Chat) -> None:
        chat.desk.fake.topics = {}
        await chat.says("не печатает принтер")
        await chat.says(SAYS_PERSON)
        [ticket] = await requests(chat)
        await chat.says("и сканер тоже", reply_to="7001:1")
        async with chat.desk.database.read() as session:
            mine = await session.scalars(select(Message.text).where(Message.ticket_id == ticket.id, Message.direction == "inbound"))
            assert "и сканер тоже" in mine.all()

    async def test_shows_its_state_once_however_often_it_changed(self, chat: Chat) -> None:
        topics = chat.desk.fake.topics = {}
        await chat.says("не печатает принтер")
        await chat.says(SAYS_PERSON)
        [ticket] = await requests(chat)
        await answers(chat, ticket, await olga(chat), "Заменили картридж.", resolve=True)
        chat.desk.clock.advance(timedelta(seconds=2))
        await chat.desk.worker().drain()
        [topic] = topics.values()
        assert topic.title.endswith("решено, ждём вашего подтверждения")
        assert topic.icons[0] == "✅"
        assert (await room_of(chat, ticket)).topic == topic.to_json()


class TestATopicThatAPersonMade:
    async def test_becomes_that_of_the_request(self, chat: Chat) -> None:
        topics = chat.desk.fake.topics = {}
        topics["7001:55"] = topic_of(Ticket(number=1, subject="моё", status="new"), "ru")
        await chat.says("не печатает принтер", thread_key="7001:55")
        await chat.says(SAYS_PERSON, thread_key="7001:55")
        chat.desk.clock.advance(timedelta(seconds=2))
        await chat.desk.worker().drain()
        [ticket] = await requests(chat)
        assert (await room_of(chat, ticket)).thread_key == "7001:55"
        assert list(topics) == ["7001:55"]
        assert topics["7001:55"].title.startswith(f"#{ticket.number} ")


class TestATopicDeletedByHand:
    async def test_is_opened_again_and_nothing_is_lost(self, chat: Chat) -> None:
        topics = chat.desk.fake.topics = {}
        await chat.says("не печатает принтер")
        await chat.says(SAYS_PERSON)
        [ticket] = await requests(chat)
        topics.clear()
        message = await answers(chat, ticket, await olga(chat), "Уже идём.")
        [key] = topics
        assert (await room_of(chat, ticket)).thread_key == key
        assert said_in(chat, key)[-1].endswith("Уже идём.")
        async with chat.desk.database.read() as session:
            assert (await session.get_one(Message, message.id)).delivery_state == "sent"

    async def test_goes_on_in_the_chat_where_no_topic_can_be_had(self, chat: Chat) -> None:
        chat.desk.fake.topics = {}
        await chat.says("не печатает принтер")
        await chat.says(SAYS_PERSON)
        [ticket] = await requests(chat)
        key = (await room_of(chat, ticket)).thread_key
        fake = chat.desk.fake

        async def refuses(thread_key: str, topic: object) -> str:
            fake.topics = None
            raise Refused("the chat is not a forum")

        fake.topics.clear()
        fake.open_topic = refuses  # type: ignore[method-assign, assignment]  # the bot's owner has switched topics off
        await answers(chat, ticket, await olga(chat), "Уже идём.")
        assert said_in(chat, "7001")[-1].endswith("Уже идём.")
        [ticket] = await requests(chat)
        room = await room_of(chat, ticket)
        assert (room.thread_key, room.active_ticket_id, room.baton) == ("7001", ticket.id, "agent")
        assert key != room.thread_key


class TestBlockedAndBack:
    async def test_what_was_said_meanwhile_is_sent_when_the_person_comes_back(self, chat: Chat) -> None:
        chat.desk.fake.topics = {}
        await chat.says("не печатает принтер")
        await chat.says(SAYS_PERSON)
        [ticket] = await requests(chat)
        room = await room_of(chat, ticket)
        await chat.says(kind=InboundKind.MEMBERSHIP, card={"blocked": True})
        assert (await room_of(chat, ticket)).blocked_at is not None, "a chat is shut with all its topics"
        chat.desk.fake.trouble.append(Refused("Forbidden: bot was blocked by the user", blocked=True))
        message = await answers(chat, ticket, await olga(chat), "Уже идём.")
        await chat.says(kind=InboundKind.MEMBERSHIP, card={"blocked": False})
        assert said_in(chat, room.thread_key)[-1].endswith("Уже идём.")
        async with chat.desk.database.read() as session:
            assert (await session.get_one(Message, message.id)).delivery_state == "sent"
        assert (await room_of(chat, ticket)).blocked_at is None


class TestTheTitle:
    def test_is_short_and_says_the_state_in_words(self) -> None:
        topic = topic_of(Ticket(number=1042, subject="Printer " * 40, status="waiting"), "en")
        assert topic.title.startswith("#1042 Printer")
        assert topic.title.endswith("… · waiting for your answer")
        assert len(topic.title) < TITLE + 60
