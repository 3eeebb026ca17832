"""Acts on what is with the person already: in order with the deliveries, written when the channel did it, told when it did not."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import selectinload

from desk_core.conversations import service as conversations
from desk_core.conversations.entities import Conversation, Message
from desk_core.conversations.ports import Refused, RetryLater
from desk_core.conversations.service import Act, Close, Mark
from desk_core.lanes.entities import DeadItem, Lane, WorkItem
from tests.integration.gateway.conftest import Chat

BY = {"id": None, "name": "Анна"}


async def said(chat: Chat, text: str) -> Message:
    """One message of the desk, delivered."""
    ctx = await chat.desk.context()
    async with chat.desk.database.unit() as uow:
        conversation = (await uow.scalars(select(Conversation).where(Conversation.thread_key == chat.address)))[0]
        message = await conversations.say(uow, ctx, conversation, text=text)
    await chat.desk.worker().drain()
    return message


async def act(chat: Chat, message: Message, what: Act, **asked: Any) -> None:
    ctx = await chat.desk.context()
    async with chat.desk.database.unit() as uow:
        await conversations.act(uow, ctx, message.conversation_id, what, message_id=message.id, by=BY, **asked)
    await chat.desk.worker().drain()


async def stored(chat: Chat, message: Message) -> Message:
    async with chat.desk.database.read() as session:
        found: Message = await session.get_one(Message, message.id, options=[selectinload(Message.versions)])
        return found


class TestEditing:
    async def test_is_written_when_the_channel_shows_it(self, chat: Chat) -> None:
        await chat.says("Здравствуйте")
        message = await said(chat, "Приду в 5.")
        await act(chat, message, Act.EDIT, text="Приду в 6.")
        kept = await stored(chat, message)
        assert (kept.text, [version.text for version in kept.versions]) == ("Приду в 6.", ["Приду в 5."])
        edited, shown = chat.desk.fake.edited[-1]
        assert (edited.text, shown.external_id) == ("Приду в 6.", kept.external_id)

    async def test_after_an_answer_the_correction_is_a_new_message(self, chat: Chat) -> None:
        await chat.says("Здравствуйте")
        message = await said(chat, "Приду в 5.")
        await chat.says("спасибо")
        await act(chat, message, Act.EDIT, text="Приду в 6.")
        assert not chat.desk.fake.edited
        assert (await stored(chat, message)).text == "Приду в 5."
        assert (chat.desk.fake.sent[-1].text, chat.desk.fake.sent[-1].author_name) == ("Приду в 6.", "Анна")

    async def test_refused_the_correction_is_a_new_message(self, chat: Chat) -> None:
        await chat.says("Здравствуйте")
        message = await said(chat, "Приду в 5.")
        chat.desk.fake.trouble.append(Refused("message can't be edited"))
        await act(chat, message, Act.EDIT, text="Приду в 6.")
        assert (await stored(chat, message)).text == "Приду в 5."
        assert chat.desk.fake.sent[-1].text == "Приду в 6."


class TestDeleting:
    async def test_keeps_it_for_the_desk(self, chat: Chat) -> None:
        await chat.says("Здравствуйте")
        message = await said(chat, "Это не вам.")
        await act(chat, message, Act.DELETE)
        kept = await stored(chat, message)
        assert (kept.text, kept.meta["deleted_by"]) == ("Это не вам.", "Анна")
        assert kept.deleted_at is not None
        assert chat.desk.fake.deleted == [(chat.address, (kept.external_id,))]

    async def test_refused_leaves_it_as_it_was(self, chat: Chat) -> None:
        await chat.says("Здравствуйте")
        message = await said(chat, "Это не вам.")
        chat.desk.fake.trouble.append(Refused("message can't be deleted"))
        await act(chat, message, Act.DELETE)
        assert (await stored(chat, message)).deleted_at is None


async def courteous(chat: Chat, *turns: Sequence[Mark | Close]) -> None:
    """The courtesies of some turns."""
    ctx = await chat.desk.context()
    for turn in turns:
        async with chat.desk.database.unit() as uow:
            conversation = (await uow.scalars(select(Conversation).where(Conversation.thread_key == chat.address)))[0]
            await conversations.be_courteous(uow, ctx, conversation.id, turn)
    await chat.desk.worker().drain()


class TestCourtesies:
    async def test_have_one_try_and_never_die(self, chat: Chat) -> None:
        await chat.says("Здравствуйте")
        chat.desk.fake.trouble.append(RetryLater("too many requests"))
        await courteous(chat, [Mark(f"{chat.address}:1", "👌")])
        assert not chat.desk.fake.reactions
        async with chat.desk.database.read() as session:
            assert (await session.scalars(select(DeadItem))).all() == []

    async def test_are_not_tried_where_the_channel_cannot(self, chat: Chat) -> None:
        chat.desk.fake.abilities = frozenset()
        await chat.says("Здравствуйте")
        await courteous(chat, [Mark(f"{chat.address}:1", "👌")])
        assert not chat.desk.fake.reactions

    async def test_of_several_turns_are_one_piece_of_work(self, chat: Chat) -> None:
        await chat.says("Здравствуйте")
        message = await said(chat, "Какой принтер?")
        mine = f"{chat.address}:1"
        ctx = await chat.desk.context()
        async with chat.desk.database.unit() as uow:
            for turn in ([Mark(mine, "👀"), Close(message.id)], [Mark(mine, "👌"), Mark(f"{chat.address}:2", "👌")]):
                await conversations.be_courteous(uow, ctx, message.conversation_id, turn)
        assert await chat.desk.worker().drain() == 1, "one item covers those that wait behind it"
        assert chat.desk.fake.reactions == [(chat.address, mine, "👌"), (chat.address, f"{chat.address}:2", "👌")]
        assert chat.desk.fake.closed_buttons == [(chat.address, (await stored(chat, message)).external_id)]

    async def test_follow_the_words_of_their_turn(self, chat: Chat) -> None:
        await chat.says("Не работает принтер")
        await chat.says("/human", command="human")
        async with chat.desk.database.unit() as uow:
            lane = conversations.out_lane((await uow.scalars(select(Conversation).where(Conversation.thread_key == chat.address)))[0].id)
            uow.add(Lane(key=lane, ready_at=chat.desk.clock.now(), leased_until=datetime(2999, 1, 1, tzinfo=UTC), lease_token="another"))
        await chat.says("Это на втором этаже")
        async with chat.desk.database.read() as session:
            waiting = (await session.scalars(select(WorkItem.kind).where(WorkItem.lane == lane).order_by(WorkItem.id))).all()
        assert waiting == [conversations.DELIVER, conversations.COURTESY]
