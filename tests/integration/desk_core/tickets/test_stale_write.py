"""Two operators at once on one request: the second is told that the first was faster, and nothing of theirs is written."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from sqlalchemy import select

from desk_core.context import SYSTEM, Context
from desk_core.conversations.entities import Message
from desk_core.kit.clock import FakeClock
from desk_core.kit.db import Database, UnitOfWork
from desk_core.kit.errors import StaleWrite
from desk_core.lanes.signal import LocalSignal
from desk_core.people.entities import Agent
from desk_core.tickets import service
from desk_core.tickets.entities import Ticket, TicketEvent
from tests.factories.desk import DeskFactory

Act = Callable[[UnitOfWork, Context, str, Agent, int], Awaitable[object]]

ACTS: dict[str, Act] = {
    "reply": lambda uow, ctx, one, agent, seen: service.reply(uow, ctx, one, by=agent, text="Already on my way.", seen=seen),
    "resolve": lambda uow, ctx, one, agent, seen: service.reply(uow, ctx, one, by=agent, text="Done.", resolve=True, seen=seen),
    "take_over": lambda uow, ctx, one, agent, seen: service.take_over(uow, ctx, one, by=agent, seen=seen),
    "release": lambda uow, ctx, one, agent, seen: service.release(uow, ctx, one, by=agent, seen=seen),
    "set_status": lambda uow, ctx, one, agent, seen: service.set_status(uow, ctx, one, by=agent, status="on_hold", seen=seen),
}


@pytest.fixture
def preset_in() -> str:
    return "en"


@pytest.fixture
async def desk(database: Database, clock: FakeClock, signal: LocalSignal) -> DeskFactory:
    return await DeskFactory.of(database, clock, signal)


@pytest.fixture
async def ticket(desk: DeskFactory) -> Ticket:
    return await desk.ticket()


async def answers(database: Database, ticket: Ticket) -> list[str]:
    async with database.read() as session:
        said = select(Message).where(Message.ticket_id == ticket.id, Message.author_kind == "agent").order_by(Message.id)
        return [message.text for message in await session.scalars(said)]


class TestOneAfterTheOther:
    @pytest.mark.parametrize("name", ACTS)
    async def test_who_looked_before_the_first_wrote_is_refused(self, desk: DeskFactory, ticket: Ticket, name: str) -> None:
        olga, pavel = await desk.agent("Olga"), await desk.agent("Pavel")
        seen = ticket.version
        async with desk.database.unit() as uow:
            await service.reply(uow, desk.context(), ticket.id, by=olga, text="I look into it.", seen=seen)
        with pytest.raises(StaleWrite):
            async with desk.database.unit() as uow:
                await ACTS[name](uow, desk.context(), ticket.id, pavel, seen)
        assert await answers(desk.database, ticket) == ["I look into it."]

    async def test_words_of_the_requester_count_too(self, desk: DeskFactory, ticket: Ticket) -> None:
        olga, seen = await desk.agent("Olga"), ticket.version
        async with desk.database.unit() as uow:
            now = await service.get(uow, ticket.id)
            conversation = await service.conversation_of(uow, now)
            contact = await uow.session.get_one(service.Contact, now.contact_id)
            await service.requester_wrote(uow, desk.context(), now, contact=contact, conversation=conversation, text="It works again!")
        with pytest.raises(StaleWrite):
            async with desk.database.unit() as uow:
                await service.reply(uow, desk.context(), ticket.id, by=olga, text="Please restart it.", seen=seen)
        assert await answers(desk.database, ticket) == []

    async def test_what_they_did_themselves_and_what_the_desk_did_does_not_stop_them(self, desk: DeskFactory, ticket: Ticket) -> None:
        olga, seen = await desk.agent("Olga"), ticket.version
        async with desk.database.unit() as uow:
            await service.take_over(uow, desk.context(), ticket.id, by=olga, seen=seen)
        async with desk.database.unit() as uow:
            service.note_event(uow, desk.context(), await service.get(uow, ticket.id), "sla_due", actor=SYSTEM)
        async with desk.database.unit() as uow:
            await service.reply(uow, desk.context(), ticket.id, by=olga, text="I am here.", seen=seen)
        assert await answers(desk.database, ticket) == ["I am here."]

    @pytest.mark.parametrize("name", ["reply", "resolve"])
    async def test_an_answer_sent_by_two_clicks_goes_out_once(self, desk: DeskFactory, ticket: Ticket, name: str) -> None:
        olga, seen = await desk.agent("Olga"), ticket.version
        async with desk.database.unit() as uow:
            await ACTS[name](uow, desk.context(), ticket.id, olga, seen)
        with pytest.raises(StaleWrite):
            async with desk.database.unit() as uow:
                await ACTS[name](uow, desk.context(), ticket.id, olga, seen)

    async def test_who_looks_again_may_write(self, desk: DeskFactory, ticket: Ticket) -> None:
        olga, pavel = await desk.agent("Olga"), await desk.agent("Pavel")
        for agent in (olga, pavel):
            async with desk.database.unit() as uow:
                now = await service.get(uow, ticket.id)
                await service.reply(uow, desk.context(), ticket.id, by=agent, text=f"{agent.name} here.", seen=now.version)
        assert await answers(desk.database, ticket) == ["Olga here.", "Pavel here."]


class TestAtTheSameMoment:
    @pytest.mark.parametrize("name", ["reply", "set_status"])
    async def test_one_writes_and_one_is_told(self, desk: DeskFactory, ticket: Ticket, name: str) -> None:
        olga, pavel = await desk.agent("Olga"), await desk.agent("Pavel")
        seen, begun = ticket.version, asyncio.Event()

        async def slowly() -> None:
            async with desk.database.unit() as uow:
                await ACTS[name](uow, desk.context(), ticket.id, olga, seen)
                begun.set()
                # The other one comes while this transaction is open: they must wait for it, not read around it.
                await asyncio.sleep(0.3)

        async def meanwhile() -> None:
            await begun.wait()
            async with desk.database.unit() as uow:
                await ACTS[name](uow, desk.context(), ticket.id, pavel, seen)

        told = await asyncio.gather(slowly(), meanwhile(), return_exceptions=True)
        assert [type(one) for one in told] == [type(None), StaleWrite]
        async with desk.database.read() as session:
            events = await session.scalars(select(TicketEvent).where(TicketEvent.ticket_id == ticket.id, TicketEvent.actor_kind == "agent"))
            assert {event.actor for event in events} == {"Olga"}
