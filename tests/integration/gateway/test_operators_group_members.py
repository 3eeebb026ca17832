"""The operators' group itself: who may act in it, how it is linked, lost and left, and what it shows at first."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from desk_core.groups import repository, service
from desk_core.groups.entities import GroupTopic, OperatorGroup
from desk_core.lanes.entities import DeadItem
from desk_core.people.entities import Agent
from desk_core.tickets import service as tickets
from gateway.flows.group_links import APART, CONFIG_KNOWN
from tests.fakes.group import FakeGroupChannel
from tests.integration.gateway.conftest import Chat, SmallDesk
from tests.integration.gateway.operators import OLGA, PAVEL, STRANGER, Group, asks_for_a_person, linked


@pytest.fixture
async def group(chat: Chat) -> Group:
    return await linked(chat)


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
