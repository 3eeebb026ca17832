"""Between reading and writing the world moves on: whoever decided on what is no longer so decides again, and nobody talks over a person."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from sqlalchemy import select

from desk_core.conversations.entities import Conversation, Message
from desk_core.kit.db import UnitOfWork
from desk_core.lanes.queue import Work
from desk_core.lanes.worker import Handler, Plan, Worker
from desk_core.people import service as people
from desk_core.people.permissions import Role
from desk_core.tickets import service
from desk_core.tickets.entities import Ticket
from gateway.flows.intake import INBOUND
from tests.integration.gateway.conftest import Chat, SmallDesk

pytestmark = pytest.mark.timeout(60)

Between = Callable[[int], Awaitable[None]]


class Watched:
    """A handler whose decisions are counted, with something that happens between a decision and its writing."""

    def __init__(self, inner: Handler, between: Between) -> None:
        self._inner, self._between = inner, between
        self.max_attempts = inner.max_attempts
        self.decisions = 0

    async def decide(self, work: Work) -> Plan:
        plan = await self._inner.decide(work)
        self.decisions += 1
        await self._between(self.decisions)
        return plan

    async def apply(self, uow: UnitOfWork, work: Work, plan: Plan) -> None:
        await self._inner.apply(uow, work, plan)

    async def buried(self, uow: UnitOfWork, work: Work, dead_id: str, reason: str) -> None:
        await self._inner.buried(uow, work, dead_id, reason)


def worker_with(desk: SmallDesk, watched: Watched) -> Worker:
    """A worker that takes one lane at a time, so that two of them take two."""
    return Worker(desk.database, handlers={**desk.handlers(), INBOUND: watched}, clock=desk.clock, signal=desk.signal, concurrency=1)


async def said(desk: SmallDesk, direction: str) -> list[Message]:
    async with desk.database.read() as session:
        return list(await session.scalars(select(Message).where(Message.direction == direction).order_by(Message.id)))


class TestAnOperatorWhoTakesOverWhileTheBotThinks:
    async def test_is_not_talked_over(self, desk: SmallDesk, chat: Chat) -> None:
        await chat.says("/human", command="human")
        async with desk.database.unit() as uow:
            olga = await people.add_agent(
                uow, email="olga@desk.test", name="Olga", password_hash="-", role=Role.AGENT, language="ru", time_zone="Europe/Moscow",
                team_keys=["service_desk"], now=desk.clock.now(),
            )  # fmt: skip
        async with desk.database.read() as session:
            ticket = (await session.scalars(select(Ticket))).one()

        async def taken_over(decision: int) -> None:
            if decision == 1:
                ctx = await desk.context()
                async with desk.database.unit() as uow:
                    await service.take_over(uow, ctx, ticket.id, by=olga)

        watched = Watched(desk.handlers()[INBOUND], taken_over)
        before = len(await said(desk, "outbound"))
        await desk.accept(chat.inbox.id, chat.message("какой статус моей заявки?"))
        await worker_with(desk, watched).drain()
        assert watched.decisions == 2
        news = (await said(desk, "outbound"))[before:]
        assert [message.meta["key"] for message in news] == ["taken_over"], "the bot had an answer ready and kept it to itself"
        kept = (await said(desk, "inbound"))[-1]
        assert (kept.text, kept.ticket_id) == ("какой статус моей заявки?", ticket.id)


class TestTwoWorkersThatDecideAtOnce:
    async def test_on_one_conversation_write_one_after_the_other(self, desk: SmallDesk, chat: Chat) -> None:
        await chat.says("/start", command="start")
        both = asyncio.Barrier(2)

        async def together(decision: int) -> None:
            if decision <= 2:
                await both.wait()

        watched = Watched(desk.handlers()[INBOUND], together)
        # The same chat through two lanes, as a second address of a mail thread has a lane of its own.
        for lane, words in (("in:one", "не печатает принтер"), ("in:two", "у принтера горит красная лампочка")):
            await desk.accept(chat.inbox.id, chat.message(words, lane=lane))
        async with desk.database.read() as session:
            before = (await session.scalars(select(Conversation))).one().version
        await asyncio.gather(*(worker_with(desk, watched).drain() for _ in range(2)))
        assert watched.decisions == 3, "one of the two decided again"
        assert sorted(message.text for message in await said(desk, "inbound"))[-2:] == [
            "не печатает принтер",
            "у принтера горит красная лампочка",
        ]
        async with desk.database.read() as session:
            now = (await session.scalars(select(Conversation))).one()
        assert now.version == before + 2
        assert "не печатает принтер" in str(now.dialogue), "the story is not overwritten by a decision that did not know it"
        assert "у принтера горит красная лампочка" in str(now.dialogue)

    async def test_on_one_newcomer_make_one_contact(self, desk: SmallDesk, chat: Chat) -> None:
        both = asyncio.Barrier(2)

        async def together(decision: int) -> None:
            if decision <= 2:
                await both.wait()

        watched = Watched(desk.handlers()[INBOUND], together)
        for lane in ("in:one", "in:two"):
            await desk.accept(chat.inbox.id, chat.message("не печатает принтер", lane=lane))
        await asyncio.gather(*(worker_with(desk, watched).drain() for _ in range(2)))
        async with desk.database.read() as session:
            assert len((await session.scalars(select(Conversation))).all()) == 1
        assert len([message for message in await said(desk, "inbound") if message.text == "не печатает принтер"]) == 2
