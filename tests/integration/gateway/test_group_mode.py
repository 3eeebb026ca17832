"""Group mode: a mention, a command or a reply to the bot opens a request in a group; each person has a seat of their own there."""

from typing import Any

import pytest
from sqlalchemy import select

from channels.telegram.mapping import to_inbound
from desk_core.conversations.entities import Conversation, Inbox, Message
from desk_core.conversations.ports import OutboundMessage
from desk_core.tickets.entities import Ticket
from gateway import inboxes
from gateway.flows.in_groups import speaks_to_bot
from gateway.inboxes import BotOptions
from nlu import labels
from tests.integration.gateway.conftest import Chat

BOT = 100200300
OFFICE = {"id": -100, "type": "supergroup", "title": "Офис"}
ANNA = {"id": 7001, "is_bot": False, "first_name": "Анна", "language_code": "ru"}
BORIS = {"id": 7002, "is_bot": False, "first_name": "Борис", "language_code": "ru"}
SELF = {"id": BOT, "is_bot": True, "first_name": "Priyom", "username": "priyom_bot"}


class Office:
    """A group with the bot in it."""

    def __init__(self, chat: Chat) -> None:
        self.chat, self.desk = chat, chat.desk
        self.number = 100

    async def writes(self, who: dict[str, Any], text: str = "", **content: Any) -> int:
        self.number += 1
        body = {"message_id": self.number, "from": who, "chat": OFFICE, "date": int(self.desk.clock.now().timestamp()), **content}
        await self.arrives({"message": {**body, "text": text} if text else body})
        return self.number

    async def arrives(self, update: dict[str, Any]) -> None:
        self.chat.said += 1
        inbound = to_inbound(
            {"update_id": 1000 + self.chat.said, **update}, inbox_id=self.chat.inbox.id, burst_seconds=0, now=self.desk.clock.now()
        )
        await self.desk.accept(self.chat.inbox.id, inbound)
        await self.desk.worker().drain()

    def to_bot(self, said: OutboundMessage) -> dict[str, Any]:
        return {
            "reply_to_message": {"message_id": len(self.desk.fake.sent), "from": SELF, "chat": OFFICE, "date": 1, "text": said.text[:9]}
        }

    async def presses(self, who: dict[str, Any], label: str) -> str | None:
        """Press the newest button of this label, whoever it is for; what the client is told."""
        found = [button for said in self.desk.fake.sent for row in said.buttons for button in row if button.label == label]
        press = {
            "id": f"press{self.chat.said}",
            "from": who,
            "message": {"message_id": 1, "chat": OFFICE, "date": 1},
            "data": found[-1].token,
        }
        await self.arrives({"callback_query": press})
        return self.desk.fake.answered[-1][1]

    def told(self, who: dict[str, Any]) -> list[OutboundMessage]:
        return [said for said in self.desk.fake.sent if said.thread_key == f"-100@{who['id']}"]

    async def reports(self, who: dict[str, Any], text: str) -> None:
        """A problem of one's own, past articles and questions, to the card that is sent."""
        await self.writes(who, f"@priyom_bot {text}")
        for _ in range(8):
            shown = [button.label for row in self.told(who)[-1].buttons for button in row]
            step = next(name for name in ("send", "not_it", "skip") if labels.label("ru", name) in shown)
            await self.presses(who, labels.label("ru", step))
            if step == "send":
                return

    async def tickets(self) -> list[Ticket]:
        async with self.desk.database.read() as session:
            return list(await session.scalars(select(Ticket).order_by(Ticket.number)))

    async def kept(self, thread_key: str) -> list[Message]:
        async with self.desk.database.read() as session:
            query = (
                select(Message).join(Conversation, Conversation.id == Message.conversation_id).where(Conversation.thread_key == thread_key)
            )
            return list(await session.scalars(query.where(Message.direction == "inbound").order_by(Message.at, Message.id)))


@pytest.fixture
async def office(chat: Chat) -> Office:
    async with chat.desk.database.unit() as uow:
        inbox = await uow.session.get_one(Inbox, chat.inbox.id)
        assert await inboxes.set_bot(uow, inbox, BotOptions(groups=True), box=chat.desk.box) == ["groups"]
    await inboxes.keep_username(chat.desk.database, chat.inbox.id, "priyom_bot")
    return Office(chat)


async def test_a_mention_opens_a_request_with_where_it_came_from(office: Office) -> None:
    await office.reports(ANNA, "не печатает принтер в кабинете 305")
    (ticket,) = await office.tickets()
    assert ticket.hand_over["text"] == "не печатает принтер в кабинете 305"
    (message,) = [one for one in await office.kept("-100@7001") if one.text.startswith("@priyom_bot")]
    assert (message.ticket_id, message.card["chat_title"], message.author) == (ticket.id, "Офис", "Анна")


async def test_answers_go_to_the_group_as_a_reply_to_the_person(office: Office) -> None:
    number = await office.writes(ANNA, "@Priyom_Bot, не печатает принтер")
    assert office.told(ANNA)
    assert {said.reply_to for said in office.told(ANNA)} == {f"-100:{number}"}


async def test_chatter_and_mentions_of_others_are_kept_and_not_answered(office: Office) -> None:
    for text in ("у меня не печатает принтер", "@priyom_bot2 помоги", "почта a@priyom_bot.ru", "/new@other_bot принтер"):
        await office.writes(ANNA, text)
    assert office.desk.fake.sent == []
    assert len(await office.kept("-100")) == 4


async def test_a_quoted_message_of_somebody_else_is_what_it_is_about(office: Office) -> None:
    quoted = {"message_id": 5, "from": BORIS, "chat": OFFICE, "date": 1, "text": "не могу войти в почту, пароль не подходит"}
    await office.writes(ANNA, "@priyom_bot", reply_to_message=quoted)
    async with office.desk.database.read() as session:
        seat = (await session.scalars(select(Conversation).where(Conversation.thread_key == "-100@7001"))).one()
    assert seat.dialogue["text"] == "не могу войти в почту, пароль не подходит"
    (message,) = await office.kept("-100@7001")
    assert message.card["answers"] == {"from": "Борис", "text": "не могу войти в почту, пароль не подходит"}


async def test_replies_to_the_bot_go_on_with_the_request_of_whoever_replies(office: Office) -> None:
    await office.reports(ANNA, "не печатает принтер в кабинете 305")
    await office.reports(BORIS, "не могу войти в почту, пароль не подходит")
    first, second = await office.tickets()
    await office.writes(ANNA, "и лампочка горит", **office.to_bot(office.told(ANNA)[-1]))
    last = (await office.kept("-100@7001"))[-1]
    assert (first.contact_id != second.contact_id, last.text, last.ticket_id) == (True, "и лампочка горит", first.id)


async def test_a_button_is_for_the_person_it_was_sent_to(office: Office) -> None:
    await office.writes(ANNA, "@priyom_bot не печатает принтер")
    label = next(button.label for said in office.told(ANNA) for row in said.buttons for button in row)
    before = len(office.desk.fake.sent)
    words = await office.presses(BORIS, label)
    assert words is not None
    assert words.startswith("Эта кнопка")
    assert (len(office.desk.fake.sent), office.desk.fake.closed_buttons) == (before, [])
    assert await office.presses(ANNA, label) is None


async def test_what_is_private_is_not_told_in_a_group(office: Office) -> None:
    await office.chat.says("/my", command="my")
    await office.chat.says("не печатает принтер в моём кабинете, горит лампочка")
    for _ in range(6):
        shown = [button.label for row in office.chat.heard[-1].buttons for button in row]
        step = next((name for name in ("send", "not_it", "skip") if labels.label("ru", name) in shown), None)
        if step is None:
            break
        await office.chat.presses(labels.label("ru", step))
    (ticket,) = await office.tickets()
    await office.writes(ANNA, "/my@priyom_bot")
    assert office.told(ANNA)
    assert not any(str(ticket.number) in f"{said.text} {said.buttons}" for said in office.told(ANNA))


async def test_the_rest_of_an_album_comes_along(office: Office) -> None:
    for name in ("one", "two"):
        office.desk.fake.files[name] = b"\x89PNG\r\n\x1a\n" + name.encode() * 20
        photo = [{"file_id": name, "file_unique_id": name, "width": 9, "height": 9, "file_size": 50}]
        await office.writes(ANNA, photo=photo, media_group_id="g", **({"caption": "@priyom_bot вот экран"} if name == "one" else {}))
    assert len(await office.kept("-100@7001")) == 1
    assert await office.kept("-100") == []


async def test_an_operator_who_speaks_silences_the_bot_for_that_person_alone(office: Office) -> None:
    await office.reports(ANNA, "не печатает принтер в кабинете 305")
    async with office.desk.database.unit() as uow:
        seat = await uow.scalar(select(Conversation).where(Conversation.thread_key == "-100@7001"))
        assert seat is not None
        seat.baton = "agent"
    before = len(office.told(ANNA))
    await office.writes(ANNA, "@priyom_bot ну что там")
    await office.writes(BORIS, "@priyom_bot не могу войти в почту")
    assert (len(office.told(ANNA)), bool(office.told(BORIS))) == (before, True)


async def test_putting_the_bot_out_shuts_the_group_and_not_the_private_chat(office: Office) -> None:
    await office.chat.says("привет")
    await office.writes(ANNA, "болтовня")
    await office.writes(BORIS, "@priyom_bot не печатает принтер")
    await office.arrives({"my_chat_member": {"chat": OFFICE, "from": ANNA, "date": 1, "new_chat_member": {"status": "kicked"}}})
    async with office.desk.database.read() as session:
        shut = {one.thread_key: one.blocked_at is not None for one in await session.scalars(select(Conversation))}
    assert shut == {"7001": False, "-100": True, "-100@7002": True}


def test_another_bot_of_another_token_is_not_called_by_the_old_name() -> None:
    config = {"bot": "1", "username": "old_bot", "groups": True}
    public, _hidden = BotOptions(token="22:" + "x" * 30).over(config, {})
    assert public == {"bot": "22", "groups": True}
    inbound = to_inbound(
        {"update_id": 1, "message": {"message_id": 1, "from": ANNA, "chat": OFFICE, "date": 1, "text": "@old_bot привет"}},
        inbox_id="i",
        burst_seconds=0,
    )
    assert not speaks_to_bot(inbound, public)
