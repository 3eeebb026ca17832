"""Lists, counters and the whole of a ticket, on both stores."""

from datetime import timedelta

import pytest

from desk_core.conversations.files import NewFile
from desk_core.kit.clock import FakeClock
from desk_core.kit.db import Database
from desk_core.lanes import queue
from desk_core.lanes.signal import LocalSignal
from desk_core.tickets import detail as details
from desk_core.tickets import repository, service
from desk_core.tickets.entities import TicketParticipant
from desk_core.tickets.repository import TicketFilters, View
from tests.factories.desk import DeskFactory
from tests.fakes.queries import QueryRecorder


@pytest.fixture
def preset_in() -> str:
    return "en"


@pytest.fixture
async def make(database: Database, clock: FakeClock, signal: LocalSignal) -> DeskFactory:
    return await DeskFactory.of(database, clock, signal)


async def numbers(make: DeskFactory, view: View, **fields: object) -> list[int]:
    filters = TicketFilters(view=view, now=make.clock.now(), **fields)  # type: ignore[arg-type] - the fields of the filter by name
    async with make.database.read() as session:
        return [row.number for row in (await repository.page(session, filters)).rows]


class TestViews:
    async def test_each_holds_what_its_name_says(self, make: DeskFactory) -> None:
        anna = await make.agent()
        mine, free, waiting, solved = await make.tickets(4)
        async with make.database.unit() as uow:
            ctx = make.context()
            await service.take_over(uow, ctx, mine.id, by=anna)
            await service.set_status(uow, ctx, waiting.id, by=anna, status="waiting")
            await service.resolve(uow, ctx, solved.id, by=anna)
        assert await numbers(make, View.MINE, agent_id=anna.id) == [mine.number]
        # What is paused is owed later than everything that runs.
        assert await numbers(make, View.UNASSIGNED) == [free.number, waiting.number]
        assert await numbers(make, View.WAITING) == [waiting.number]
        assert await numbers(make, View.CLOSED) == [solved.number]
        assert sorted(await numbers(make, View.ALL)) == [mine.number, free.number, waiting.number, solved.number]
        assert await numbers(make, View.MY_LINE, lines=(1,)) == []
        assert sorted(await numbers(make, View.MY_LINE, lines=(2,))) == [mine.number, free.number, waiting.number]
        assert sorted(await numbers(make, View.MY_LINE, lines=(1, 2))) == [mine.number, free.number, waiting.number]
        assert await numbers(make, View.OVERDUE) == []
        make.clock.advance(timedelta(days=3))
        assert set(await numbers(make, View.OVERDUE)) >= {free.number}

    async def test_counters_are_one_statement_and_agree_with_the_lists(self, make: DeskFactory) -> None:
        anna = await make.agent()
        tickets = await make.tickets(3)
        await make.failed_message(tickets[0])
        await make.dead_item()
        conversation = await make.conversation()
        await make.says(conversation, "hello")
        async with make.database.unit() as uow:
            await service.take_over(uow, make.context(), tickets[1].id, by=anna)
        with QueryRecorder()(make.database) as seen:
            async with make.database.read() as session:
                found = await repository.counters(session, agent_id=anna.id, lines=[2], now=make.clock.now())
        assert len(seen) == 1
        assert (found.mine, found.unassigned, found.my_line, found.overdue, found.waiting) == (1, 2, 3, 0, 0)
        assert (found.bot, found.failed, found.dead) == (1, 1, 1)

    async def test_every_counter_says_how_many_its_list_shows(self, make: DeskFactory) -> None:
        anna = await make.agent()
        first, second, third, solved = await make.tickets(4)
        await make.failed_message(first)
        await make.dead_item()
        async with make.database.unit() as uow:
            ctx = make.context()
            await service.take_over(uow, ctx, second.id, by=anna)
            await service.set_status(uow, ctx, third.id, by=anna, status="waiting")
            await service.resolve(uow, ctx, solved.id, by=anna)
        for hold in (None, "released", "held", "left"):
            conversation = await make.conversation(await make.contact(channel="email"), channel="email")
            await make.says(conversation, f"Night report: {hold}", hold=hold)
            if hold is None:  # an automatic answer into a talk with a person
                await make.says(conversation, "I am away", hold="held", at=make.clock.now() + timedelta(seconds=1))
        make.clock.advance(timedelta(hours=20))
        now = make.clock.now()
        async with make.database.read() as session:
            counted = await repository.counters(session, agent_id=anna.id, lines=[2], now=now)
            talking = (await repository.talking(session, now=now)).rows
            held = (await repository.held(session)).rows
            failed = (await repository.failed(session)).rows
            dead = await queue.list_dead(session)
        assert sorted(row.last_text for row in talking if row.channel == "email") == ["Night report: None", "Night report: released"]
        assert sorted(row.text for row in held) == ["I am away", "Night report: held"]
        assert (counted.bot, counted.held, counted.failed, counted.dead) == (len(talking), len(held), len(failed), len(dead))
        for view in (View.MINE, View.UNASSIGNED, View.MY_LINE, View.OVERDUE, View.WAITING):
            shown = await numbers(make, view, agent_id=anna.id, lines=(2,))
            assert getattr(counted, view.value) == len(shown) > 0, view

    @pytest.mark.parametrize("view", [View.UNASSIGNED, View.ALL])
    async def test_pages_join_without_gap_or_repetition_while_new_ones_arrive(self, make: DeskFactory, view: View) -> None:
        before = [ticket.number for ticket in await make.tickets(7)]
        seen: list[int] = []
        after: str | None = None
        while True:
            async with make.database.read() as session:
                page = await repository.page(session, TicketFilters(view=view, now=make.clock.now()), limit=3, after=after)
            seen += [row.number for row in page.rows]
            if page.after is None:
                break
            after = page.after
            await make.ticket(await make.conversation(await make.contact("Newcomer")), subject="meanwhile")
        assert len(seen) == len(set(seen))
        assert set(before) <= set(seen)

    @pytest.mark.parametrize("words", ["ПРИНТЕР", "принтер", "Анна", "анна", "305"])
    async def test_words_are_found_whatever_their_case(self, make: DeskFactory, words: str) -> None:
        ticket = await make.ticket(await make.conversation(await make.contact("Анна Ким")), subject="Принтер 305 молчит")
        await make.ticket(subject="Something else")
        assert await numbers(make, View.ALL, search=words) == [ticket.number]

    @pytest.mark.parametrize("direction", ["inbound", "outbound", "note"])
    async def test_words_are_found_in_any_message_whatever_their_case_and_order(self, make: DeskFactory, direction: str) -> None:
        ticket = await make.ticket(subject="Something")
        conversation = await make.conversation()
        await make.says(conversation, "Сломался КарТридж, серия [Щ-7*]", ticket=ticket, direction=direction, subject="Fwd: Счёт 12")
        await make.says(conversation, "later words", ticket=ticket)
        await make.ticket(subject="Something else")
        for words in ("картридж", "КАРТРИДЖ", "серия сломался", "[щ-7*]", "fwd: СЧЁТ"):
            assert await numbers(make, View.ALL, search=words) == [ticket.number], words
        assert await numbers(make, View.ALL, search="картридж принтер") == []
        assert await numbers(make, View.CLOSED, search="картридж") == [], "a view shows no more than it would without words"

    async def test_what_was_taken_away_or_only_happened_is_not_found(self, make: DeskFactory) -> None:
        ticket = await make.ticket(subject="Something")
        conversation = await make.conversation()
        await make.says(conversation, "a secret word", ticket=ticket, deleted_at=make.clock.now())
        await make.says(conversation, "a secret word", ticket=ticket, direction="activity")
        assert await numbers(make, View.ALL, search="secret") == []

    async def test_a_file_is_found_by_its_name(self, make: DeskFactory) -> None:
        ticket = await make.ticket(subject="Something")
        message = await make.says(await make.conversation(), "see the file", ticket=ticket)
        await make.attach(message, NewFile(name="Отчёт за март.xlsx", size=1, sha256="0" * 64, content_type="x/y", declared_type=None))
        for words in ("отчёт", "МАРТ.XLSX", "xlsx отчёт"):
            assert await numbers(make, View.ALL, search=words) == [ticket.number], words

    async def test_people_are_found_by_a_part_of_an_address(self, make: DeskFactory) -> None:
        anna = await make.contact("Anna", channel="email", address="anna@north.example")
        ticket = await make.ticket(await make.conversation(anna, channel="email"), subject="Something")
        now = make.clock.now()
        async with make.database.unit() as uow:
            uow.add(
                TicketParticipant(ticket_id=ticket.id, address="yegor@south.example", name="Егор", added_by=None, added_at=now),
                TicketParticipant(ticket_id=ticket.id, address="gone@west.example", name="", added_by=None, added_at=now, removed_at=now),
            )
        for words in ("anna@", "NORTH", "егор", "yegor@south", "south.EXAMPLE"):
            assert await numbers(make, View.ALL, search=words) == [ticket.number], words
        assert await numbers(make, View.ALL, search="west.example") == []

    async def test_a_search_is_one_statement(self, make: DeskFactory) -> None:
        await make.tickets(3)
        with QueryRecorder()(make.database) as seen:
            await numbers(make, View.ALL, search="anything at all")
        assert len(seen) == 1

    async def test_signs_with_a_meaning_to_the_store_are_only_signs(self, make: DeskFactory) -> None:
        await make.ticket(subject="plain")
        for words in ("%", "_", "*", "ж*", "[^ж]", "^ж", "'; DROP TABLE tickets; --", "\\"):
            assert await numbers(make, View.ALL, search=words) == []


class TestDetail:
    async def test_costs_the_same_for_a_long_story(self, make: DeskFactory) -> None:
        ticket = await make.ticket()
        counts = []
        for _ in range(2):
            with QueryRecorder()(make.database) as seen:
                async with make.database.read() as session:
                    detail = await details.ticket_detail(session, ticket.number)
            counts.append(len(seen))
            assert detail is not None
            conversation = detail.conversation
            assert conversation is not None
            for number in range(10):
                await make.says(conversation, f"part {number}", ticket=ticket)
        assert counts[0] == counts[1] <= 11

    async def test_holds_the_dialogue_from_before_and_nothing_of_another_request(self, make: DeskFactory, clock: FakeClock) -> None:
        conversation = await make.conversation()
        await make.says(conversation, "long ago")
        clock.advance(timedelta(days=2))
        await make.says(conversation, "hello bot")
        first = await make.ticket(conversation, subject="first")
        second = await make.ticket(conversation, subject="second")
        async with make.database.read() as session:
            detail = await details.ticket_detail(session, first.number)
        assert detail is not None
        assert [message.text for message in detail.messages] == ["hello bot", "first"]
        assert [row.number for row in detail.others] == [second.number]

    async def test_a_number_nobody_has_is_nothing(self, make: DeskFactory) -> None:
        async with make.database.read() as session:
            assert await details.ticket_detail(session, 999_999) is None
            assert await details.conversation_detail(session, "00000000-0000-7000-8000-000000000000") is None
