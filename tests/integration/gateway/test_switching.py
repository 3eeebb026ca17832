"""Several requests in a chat without topics: which one is meant, which one is answered, and how to switch."""

from sqlalchemy import select

from desk_core.conversations.entities import Conversation, Message
from desk_core.tickets.entities import Ticket
from gateway.flows.speaking import PAGE
from nlu import labels
from tests.integration.gateway.conftest import Chat
from tests.integration.gateway.test_topics import answers, olga, requests

TROUBLES = (
    "не печатает принтер", "не работает интернет", "забыл пароль", "сломался монитор", "нет звука в колонках", "не открывается почта",
)  # fmt: skip


async def asks_for(chat: Chat, *troubles: str) -> list[Ticket]:
    for trouble in troubles:
        await chat.says("/new", command="new", card={"args": ""})
        await chat.says(trouble)
        await chat.says("позовите человека")
    return await requests(chat)


async def active(chat: Chat) -> str | None:
    async with chat.desk.database.read() as session:
        return (await session.scalars(select(Conversation.active_ticket_id).where(Conversation.thread_key == "7001"))).one()


class TestSeveralRequests:
    async def test_are_named_in_answers(self, chat: Chat) -> None:
        agent = await olga(chat)
        first, second = await asks_for(chat, *TROUBLES[:2])
        await answers(chat, first, agent, "Мы у принтера.")
        assert chat.heard[-1].headline == f"#{first.number} · {first.subject}"
        await answers(chat, second, agent, f"#{second.number}: роутер заменён.")
        assert chat.heard[-1].headline == "", "it says so itself"

    async def test_one_alone_is_not_named(self, chat: Chat) -> None:
        agent = await olga(chat)
        [only] = await asks_for(chat, TROUBLES[0])
        await answers(chat, only, agent, "Уже идём.")
        assert chat.heard[-1].headline == ""

    async def test_an_answer_to_a_message_is_about_its_request(self, chat: Chat) -> None:
        agent = await olga(chat)
        first, second = await asks_for(chat, *TROUBLES[:2])
        message = await answers(chat, first, agent, "Какой кабинет?")
        async with chat.desk.database.unit() as uow:  # the other one is the active one again
            main = (await uow.scalars(select(Conversation).where(Conversation.thread_key == "7001")))[0]
            main.active_ticket_id, main.baton, main.agent_id = second.id, "bot", None
        async with chat.desk.database.read() as session:
            external = (await session.get_one(Message, message.id)).external_id
        await chat.says("кабинет 305", reply_to=external)
        async with chat.desk.database.read() as session:
            said = (await session.scalars(select(Message).where(Message.text == "кабинет 305"))).one()
        assert said.ticket_id == first.id

    async def test_the_person_switches_by_a_button(self, chat: Chat) -> None:
        first, second = await asks_for(chat, *TROUBLES[:2])
        assert await active(chat) == second.id
        await chat.says("/my", command="my", card={"args": ""})
        assert f"#{second.number}" in chat.heard[-1].text, "the list says which one is talked about"
        await chat.presses(next(one.label for row in chat.heard[-1].buttons for one in row if f"#{first.number}" in one.label))
        await chat.presses(labels.label("ru", "use"))
        assert await active(chat) == first.id
        assert f"#{first.number}" in chat.heard[-1].text


class TestTheList:
    async def test_turns_its_pages_in_one_message(self, chat: Chat) -> None:
        found = await asks_for(chat, *TROUBLES)
        assert len(found) == PAGE + 1
        await chat.says("/my", command="my", card={"args": ""})
        shown = len(chat.heard)
        await chat.presses("→")
        assert len(chat.heard) == shown, "nothing new is sent"
        [(page, _receipt)] = chat.desk.fake.edited
        assert sum("#" in one.label for row in page.buttons for one in row) == 1, "the sixth"
        assert page.buttons[-1][0].label == "←"

    async def test_is_sent_anew_once_the_person_has_written_since(self, chat: Chat) -> None:
        await asks_for(chat, *TROUBLES)
        await chat.says("/my", command="my", card={"args": ""})
        await chat.says("спасибо")
        await chat.presses("→")
        assert chat.desk.fake.edited == []
        assert chat.heard[-1].buttons[-1][0].label == "←"
