"""Whatever arrives is stored, answered or refused, shown to an operator, and loses nothing of what came before."""

from datetime import timedelta

import pytest
from sqlalchemy import select, text

from desk_core.conversations.entities import Attachment, ButtonToken, Conversation, Message, MessageVersion
from desk_core.conversations.ports import InboundKind, RetryLater
from desk_core.kit.clock import FakeClock
from desk_core.kit.errors import StoreUnavailable
from desk_core.lanes.entities import DeadItem, Lane
from desk_core.tickets.entities import Ticket
from tests.integration.gateway.conftest import Chat, SmallDesk

PNG = b"\x89PNG\r\n\x1a\n" + b"\x00" * 64
ZIP = b"PK\x03\x04" + b"\x00" * 64
SQLITE = pytest.mark.parametrize("store", ["sqlite"], indirect=True)


async def messages(desk: SmallDesk, direction: str = "inbound") -> list[Message]:
    async with desk.database.read() as session:
        return list((await session.scalars(select(Message).where(Message.direction == direction).order_by(Message.at, Message.id))).all())


class TestWords:
    @pytest.mark.parametrize(
        "words",
        [
            "я" * 10_000,
            "нул\x00евой байт",
            "<script>alert(1)</script> {name} %(x)s {{7*7}}",
            "'; DROP TABLE tickets; --",
            "\ud800 одинокий суррогат".encode("utf-8", "replace").decode(),
            "😀" * 500,
            "\u202eсправа налево",
            "{",
        ],
        ids=["long", "null", "script", "sql", "surrogate", "emoji", "rtl", "brace"],
    )
    async def test_any_words_are_kept_and_answered(self, desk: SmallDesk, chat: Chat, words: str) -> None:
        await chat.says(words.replace("\x00", ""))
        assert [message.text for message in await messages(desk)] == [words.replace("\x00", "")]
        assert chat.heard, "silence"
        await chat.says("/human", command="human")
        async with desk.database.read() as session:
            assert (await session.scalars(select(Ticket))).one().status == "new"

    async def test_an_unknown_kind_is_kept_and_politely_answered(self, desk: SmallDesk, chat: Chat) -> None:
        await chat.says(kind=InboundKind.UNSUPPORTED, card={"kind": "giveaway"})
        (kept,) = await messages(desk)
        assert (kept.card["kind"], len(chat.heard)) == ("giveaway", 1)

    async def test_the_same_message_twice_is_one(self, desk: SmallDesk, chat: Chat) -> None:
        first = await chat.says("не работает принтер")
        again = await desk.accept(chat.inbox.id, first)
        await desk.worker().drain()
        assert again.duplicate
        assert len(await messages(desk)) == 1

    async def test_an_edit_keeps_both_texts(self, desk: SmallDesk, chat: Chat) -> None:
        first = await chat.says("не работает принтер в 305")
        await chat.says("не работает принтер в 306", kind=InboundKind.EDIT, edits=first.shown_id)
        async with desk.database.read() as session:
            old = (await session.scalars(select(MessageVersion))).one()
        (kept,) = await messages(desk)
        assert (old.text, kept.text) == ("не работает принтер в 305", "не работает принтер в 306")


class TestButtons:
    async def test_a_press_of_another_person_files_nothing_and_is_answered(self, desk: SmallDesk, chat: Chat) -> None:
        await chat.says("/start", command="start")
        stranger = Chat(desk, chat.inbox, address="7002")
        async with desk.database.read() as session:
            token = (await session.scalars(select(ButtonToken))).first()
        assert token is not None
        await stranger.says(kind=InboundKind.PRESS, button=token.token, callback_id="cb")
        assert desk.fake.answered[-1][0] == "cb"
        assert desk.fake.answered[-1][1], "a stale press is answered in words"
        assert stranger.heard == []

    async def test_two_quick_presses_act_once(self, desk: SmallDesk, chat: Chat) -> None:
        await chat.says("/human", command="human")
        await chat.says("/lang", command="lang")
        async with desk.database.read() as session:
            token = (await session.scalars(select(ButtonToken).where(ButtonToken.action == "lang"))).first()
        assert token is not None
        for _press in range(2):
            await chat.says(kind=InboundKind.PRESS, button=token.token, callback_id="cb")
        assert [words is None for _id, words in desk.fake.answered] == [True, False]

    async def test_a_made_up_token_is_answered(self, desk: SmallDesk, chat: Chat) -> None:
        await chat.says(kind=InboundKind.PRESS, button="nonsense", callback_id="cb")
        assert desk.fake.answered[-1][0] == "cb"


class TestFiles:
    async def test_names_lose_their_paths_and_types_are_sniffed(self, desk: SmallDesk, chat: Chat) -> None:
        files = (
            chat.file("../../etc/passwd", b"root:x", declared="text/html"),
            chat.file("C:\\temp\\photo.png", ZIP, declared="image/png"),
            chat.file("снимок экрана.png", PNG, declared="application/x-evil"),
        )
        await chat.says("вот файлы", files=files)
        async with desk.database.read() as session:
            kept = {one.name: one.content_type for one in await session.scalars(select(Attachment))}
        assert kept == {"passwd": "text/plain", "photo.png": "application/zip", "снимок экрана.png": "image/png"}

    async def test_a_file_too_large_is_told_and_the_words_are_kept(self, desk: SmallDesk, chat: Chat) -> None:
        big = chat.file("dump.zip", b"x")
        await chat.says("смотрите файл, не печатает принтер", files=(type(big)(name="dump.zip", size=30 * 1024 * 1024, remote_id="big"),))
        assert any("20" in message.text for message in chat.heard), [message.text for message in chat.heard]
        (kept,) = await messages(desk)
        assert kept.meta["too_large"] == ["dump.zip"]


class TestFaults:
    @SQLITE
    async def test_a_full_disk_refuses_and_later_takes(self, desk: SmallDesk, chat: Chat) -> None:
        await chat.says("первое")
        async with desk.database.unit() as uow:
            pages = await uow.scalar(text("PRAGMA page_count"))
            await uow.execute(text(f"PRAGMA max_page_count = {pages}"))
        with pytest.raises(StoreUnavailable):
            await desk.accept(chat.inbox.id, chat.message("не влезет " * 20_000))
        await desk.database.close()  # the disk has room again
        await chat.says("второе")
        assert [message.text for message in await messages(desk)] == ["первое", "второе"]

    @SQLITE
    async def test_a_read_only_store_refuses_and_later_takes(self, desk: SmallDesk, chat: Chat) -> None:
        async with desk.database.unit() as uow:
            await uow.execute(text("PRAGMA query_only = ON"))
        with pytest.raises(StoreUnavailable):
            await desk.accept(chat.inbox.id, chat.message("никуда"))
        await desk.database.close()  # it may be written again
        await chat.says("теперь можно")
        assert len(await messages(desk)) == 1

    async def test_a_clock_that_jumps_back_loses_nothing(self, desk: SmallDesk, chat: Chat, clock: FakeClock) -> None:
        await chat.says("/human", command="human")
        clock.advance(timedelta(hours=-3))
        await desk.accept(chat.inbox.id, chat.message("ещё добавлю: это срочно"))
        clock.advance(timedelta(hours=3, minutes=1))
        await desk.worker().drain()
        assert [message.text for message in await messages(desk)][-1:] != []
        assert len(await messages(desk)) == 2

    async def test_a_broken_handler_ends_in_a_dead_item_and_a_request_for_people(
        self, desk: SmallDesk, chat: Chat, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def explode(*_args: object) -> None:
            raise RuntimeError("the dialogue is broken")

        monkeypatch.setattr("gateway.flows.converse.advance", explode)
        await chat.says("спасите")
        for _attempt in range(8):
            clock.advance(timedelta(minutes=20))
            await desk.worker().drain()
        async with desk.database.read() as session:
            dead = (await session.scalars(select(DeadItem))).one()
            ticket = (await session.scalars(select(Ticket))).one()
            conversation = (await session.scalars(select(Conversation))).one()
        assert dead.reason == "RuntimeError"
        assert (ticket.tags, conversation.baton) == (["failed"], "queue")
        assert chat.heard, "the person hears that somebody looks"

    async def test_an_undeliverable_answer_is_tried_and_then_shown_as_failed(self, desk: SmallDesk, chat: Chat, clock: FakeClock) -> None:
        desk.fake.trouble = [RetryLater("down") for _attempt in range(20)]
        await chat.says("/start", command="start")
        for _attempt in range(12):
            clock.advance(timedelta(minutes=20))
            await desk.worker().drain()
        (answer,) = await messages(desk, "outbound")
        assert (answer.delivery_state, answer.delivery_reason) == ("failed", "down")
        async with desk.database.read() as session:
            assert (await session.scalars(select(Lane))).all() == []
