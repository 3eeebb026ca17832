"""An answer that waits a moment before it leaves, and is taken back: of a worker and an operator, whoever commits first wins."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from channels.email.relay_checkup import Tried
from desk_core.conversations import service as conversations
from desk_core.conversations.entities import Attachment, ButtonToken, Conversation, Message
from desk_core.conversations.files import store_file
from desk_core.conversations.service import AlreadyLeft, TakenBack
from desk_core.kit.clock import FakeClock
from desk_core.kit.errors import NotFound
from desk_core.lanes.entities import WorkItem
from desk_core.sla.entities import AppliedSla
from desk_core.tickets import service as tickets
from desk_core.tickets import taking_back
from tests.integration.gateway.conftest import Post

WINDOW = {"email": timedelta(seconds=10)}


async def take_back(post: Post, message: Message) -> TakenBack:
    ctx = await post.desk.context()
    async with post.desk.database.unit() as uow:
        return await taking_back.take_back(uow, ctx, message.id, by=post.agent)


async def count(post: Post, what: Any) -> int:
    async with post.desk.database.read() as session:
        return await session.scalar(select(func.count()).select_from(what)) or 0


async def clocks(post: Post) -> dict[str, tuple[Any, ...]]:
    async with post.desk.database.read() as session:
        rows = (await session.scalars(select(AppliedSla))).all()
    return {row.metric: (row.state, row.due_at, row.met_at) for row in rows}


class TestAnAnswerByMail:
    async def test_leaves_when_its_time_has_come(self, post: Post, clock: FakeClock) -> None:
        await post.vera_writes()
        before = len(await post.letters())
        await post.answers(window=WINDOW)
        await post.desk.worker().drain()
        assert len(await post.letters()) == before
        clock.advance(timedelta(seconds=10))
        await post.desk.worker().drain()
        assert len(await post.letters()) == before + 1

    async def test_taken_back_leaves_nothing_behind_but_a_line_in_the_history(self, post: Post, clock: FakeClock) -> None:
        await post.vera_writes()
        ticket, owed, sent = await post.ticket(), await clocks(post), len(await post.letters())
        clock.advance(timedelta(minutes=5))
        file = await store_file(post.desk.blobs, name="план.txt", content=b"text", limit=1000)
        answer = await post.answers("Уже *идём*.", window=WINDOW, files=[file])
        assert (await clocks(post))["first_response"][2] == answer.at
        taken = await take_back(post, answer)
        assert (taken.text, taken.files) == ("Уже *идём*.", ("план.txt",))
        clock.advance(timedelta(minutes=1))
        await post.desk.worker().drain()
        now = await post.ticket()
        assert len(await post.letters()) == sent
        assert await clocks(post) == owed, "the answer is owed until when it was"
        assert (now.last_speaker, now.snippet, now.last_message_at) == (ticket.last_speaker, ticket.snippet, ticket.last_message_at)
        assert (now.next_due_at, now.next_due_metric) == (ticket.next_due_at, ticket.next_due_metric)
        assert await post.happened() == ["opened", "taken", "taken_back"]
        async with post.desk.database.read() as session:
            assert await session.get(Message, answer.id) is None
        assert await count(post, Attachment) == 0

    async def test_taken_back_twice_is_refused(self, post: Post) -> None:
        await post.vera_writes()
        answer = await post.answers(window=WINDOW)
        await take_back(post, answer)
        with pytest.raises(NotFound):
            await take_back(post, answer)
        assert (await post.happened()).count("taken_back") == 1

    async def test_that_solved_it_leaves_it_unsolved(self, post: Post, clock: FakeClock) -> None:
        await post.vera_writes()
        await post.answers("Смотрю.")
        await post.desk.worker().drain()
        owed, tokens, told = await clocks(post), await count(post, ButtonToken), await post.happened()
        clock.advance(timedelta(minutes=1))
        answer = await post.answers("Готово.", window=WINDOW, resolve=True)
        assert (await post.ticket()).status == "resolved"
        taken = await take_back(post, answer)
        ticket = await post.ticket()
        assert (taken.text, ticket.status, ticket.resolved_at, ticket.resolution) == ("Готово.", "open", None, None)
        assert await post.happened() == [*told, "taken_back"], "nobody reads that it was solved"
        assert await clocks(post) == owed
        assert await count(post, ButtonToken) == tokens
        async with post.desk.database.read() as session:
            ladder = (await session.scalars(select(WorkItem.kind).where(WorkItem.kind == "ladder"))).all()
            conversation = await session.get_one(Conversation, ticket.conversation_id)
        assert (list(ladder), conversation.baton, conversation.agent_id) == ([], "agent", post.agent.id)

    @pytest.mark.parametrize(("status", "owed"), [("waiting", "paused"), ("closed", "met")])
    async def test_owes_nothing_where_the_request_has_gone_on(self, post: Post, status: str, owed: str) -> None:
        await post.vera_writes()
        answer, ctx = await post.answers(window=WINDOW), await post.desk.context()
        async with post.desk.database.unit() as uow:
            await tickets.set_status(uow, ctx, str(answer.ticket_id), by=post.agent, status=status)
        await take_back(post, answer)
        assert (await clocks(post))["first_response"][0] == owed

    async def test_without_a_window_leaves_at_once_and_stays(self, post: Post) -> None:
        await post.vera_writes()
        answer = await post.answers()
        with pytest.raises(AlreadyLeft):
            await take_back(post, answer)


class TestARace:
    async def test_of_what_waits_behind_a_letter_on_its_way(self, post: Post, clock: FakeClock) -> None:
        """The lane is in a worker's hands, but with another letter."""
        await post.vera_writes()
        sender = Slow()
        post.desk.way_out = lambda _relays: sender  # type: ignore[method-assign]
        post.desk._channels.clear()
        ticket, ctx = await post.ticket(), await post.desk.context()
        async with post.desk.database.unit() as uow:
            conversation = await uow.session.get_one(Conversation, ticket.conversation_id)
            await conversations.say(uow, ctx, conversation, text="Первое.", ticket_id=ticket.id)
        answer = await post.answers(window=WINDOW)
        working = asyncio.create_task(post.desk.worker().drain())
        await sender.begun.wait()
        await take_back(post, answer)
        sender.go.set()
        await working
        clock.advance(timedelta(minutes=1))
        await post.desk.worker().drain()
        assert sender.sent == 1
        assert await count(post, select(WorkItem).where(WorkItem.kind == "deliver").subquery()) == 0

    async def test_a_letter_that_a_worker_has_is_not_taken_back(self, post: Post, clock: FakeClock) -> None:
        await post.vera_writes()
        sender = Slow()
        post.desk.way_out = lambda _relays: sender  # type: ignore[method-assign]
        post.desk._channels.clear()
        answer = await post.answers(window=WINDOW)
        clock.advance(timedelta(seconds=10))
        working = asyncio.create_task(post.desk.worker().drain())
        await sender.begun.wait()
        with pytest.raises(AlreadyLeft):
            await take_back(post, answer)
        sender.go.set()
        await working
        assert ((await post.message(answer.id)).delivery_state, sender.sent) == ("sent", 1)

    async def test_ends_one_way_or_the_other(self, post: Post, clock: FakeClock) -> None:
        await post.vera_writes()
        sender = Slow()
        sender.go.set()
        post.desk.way_out = lambda _relays: sender  # type: ignore[method-assign]
        post.desk._channels.clear()
        ends = set()
        for number in range(12):
            answer, sent = await post.answers(f"Ответ {number}", window=WINDOW), sender.sent
            clock.advance(timedelta(seconds=10))

            async def undo(message: Message = answer, after: float = number / 3000) -> bool:
                await asyncio.sleep(after)
                try:
                    await take_back(post, message)
                except AlreadyLeft:
                    return False
                return True

            undone, _ = await asyncio.gather(undo(), post.desk.worker().drain())
            async with post.desk.database.read() as session:
                kept = await session.get(Message, answer.id)
            assert (kept is None, sender.sent - sent) == (undone, 0 if undone else 1)
            ends.add(undone)
        assert ends, "both ends are fine"


class Slow:
    """A way out that takes as long as it is told to."""

    def __init__(self) -> None:
        self.begun, self.go, self.sent = asyncio.Event(), asyncio.Event(), 0

    async def deliver(self, raw: bytes, *, sender: str, recipient: str) -> None:
        self.begun.set()
        await self.go.wait()
        self.sent += 1

    async def test(self) -> list[Tried]:
        return []

    async def close(self) -> None:
        """Holds nothing."""
