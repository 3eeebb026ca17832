"""People in copy on the pages: who is on a request, who gets an answer, and the habits of an inbox."""

from html import unescape

import pytest
from sqlalchemy import select

from desk_core.conversations.entities import Inbox, Message
from desk_core.kit.clock import FakeClock
from desk_core.kit.db import Database
from desk_core.people.entities import AuditEntry
from desk_core.people.permissions import Role
from desk_core.tickets import copies, participants
from desk_core.tickets.entities import Ticket
from tests.factories.desk import DeskFactory
from tests.integration.console.conftest import Browser, LogIn

BOSS, ANNA = "boss@example.com", "a.orlova@example.com"


@pytest.fixture
async def ticket(make: DeskFactory, database: Database, clock: FakeClock) -> Ticket:
    """A request by mail with the boss in copy."""
    talk = await make.conversation(channel="email")
    made = await make.ticket(conversation=talk)
    card = {"people": [["The <b>boss</b>", BOSS]]}
    await make.says(talk, "The printer is dead.", ticket=made, card=card, meta={"address": "vera@example.com"})
    async with database.unit() as uow:
        await participants.keep(uow, made, [("The <b>boss</b>", BOSS)], now=clock.now())
    return made


async def page(console: Browser, ticket: Ticket) -> str:
    response = await console.get(f"/console/tickets/{ticket.number}")
    assert response.status_code == 200
    return response.text


async def do(console: Browser, ticket: Ticket, act: str, **fields: str | list[str]) -> int:
    return (await console.post(f"/console/tickets/{ticket.number}/{act}", data=fields)).status_code


async def last_answer(database: Database) -> Message | None:
    async with database.read() as session:
        return (await session.scalars(select(Message).where(Message.direction == "outbound").order_by(Message.id.desc()))).first()


class TestTheReplyBox:
    async def test_shows_who_gets_a_copy(self, console: Browser, ticket: Ticket) -> None:
        text = await page(console, ticket)
        assert f'name="cc" value="{BOSS}" form="reply-form" checked' in text
        assert "The <b>boss</b>" not in text
        assert "The <b>boss</b>" in unescape(text)

    async def test_ticked_ones_get_it(self, console: Browser, ticket: Ticket, database: Database) -> None:
        assert await do(console, ticket, "reply", text="On my way.", cc_shown="1", cc=[BOSS]) == 303
        assert (await last_answer(database)).meta["cc"] == [["The <b>boss</b>", BOSS]]
        assert "Copied to" in await page(console, ticket)

    async def test_unticked_ones_do_not(self, console: Browser, ticket: Ticket, database: Database) -> None:
        assert await do(console, ticket, "reply", text="Between us.", cc_shown="1") == 303
        assert "cc" not in (await last_answer(database)).meta

    async def test_nobody_else_can_be_slipped_in(self, console: Browser, ticket: Ticket, database: Database) -> None:
        assert await do(console, ticket, "reply", text="Hello.", cc_shown="1", cc=["stranger@example.com"]) == 422
        assert await last_answer(database) is None

    async def test_a_chat_has_no_copies(self, console: Browser, make: DeskFactory) -> None:
        other = await make.ticket()
        assert 'name="cc"' not in await page(console, other)
        assert await do(console, other, "reply", text="Hello.", cc_shown="1", cc=[BOSS]) == 422


class TestThePeopleOfARequest:
    async def test_are_added_and_removed(self, console: Browser, ticket: Ticket, database: Database) -> None:
        assert await do(console, ticket, "participants", add=ANNA) == 303
        assert await do(console, ticket, "participants", remove=BOSS) == 303
        async with database.read() as session:
            assert [one.address for one in await copies.of(session, ticket.id)] == [ANNA]
        text = await page(console, ticket)
        assert f"copied in {ANNA}" in text
        assert f"took {BOSS} off the request" in text

    async def test_a_long_address_is_shown_whole_and_one_of_another_alphabet_can_be_typed(
        self, console: Browser, make: DeskFactory, database: Database, clock: FakeClock
    ) -> None:
        ticket = await make.ticket(await make.conversation(await make.contact(channel="email"), channel="email"))
        long = f"{'very-' * 20}long@department.of-an-organisation.example"
        async with database.unit() as uow:
            made = await uow.session.get_one(Ticket, ticket.id)
            await participants.keep(uow, made, [("Maria Ivanova", long)], now=clock.now())
        page = (await console.get(f"/console/tickets/{ticket.number}")).text
        beside = page.split("Also on this request")[1].split("</section>")[0]
        assert "<b>Maria Ivanova</b>" in beside
        assert f'<span class="address">{long}</span>' in beside
        assert 'type="email"' not in beside, "browsers refuse such an address there"

    async def test_a_wrong_address_comes_back_as_it_was_typed(self, console: Browser, ticket: Ticket) -> None:
        response = await console.post(f"/console/tickets/{ticket.number}/participants", data={"add": "no address"})
        assert response.status_code == 422
        assert 'value="no address"' in response.text

    async def test_a_robot_is_nobody_to_copy_in(self, console: Browser, ticket: Ticket) -> None:
        response = await console.post(f"/console/tickets/{ticket.number}/participants", data={"add": "No-Reply@shop.example"})
        assert response.status_code == 422
        assert "it only sends" in response.text

    async def test_removing_who_is_not_there_is_told(self, console: Browser, ticket: Ticket) -> None:
        assert await do(console, ticket, "participants", remove=ANNA) == 404


class TestTheHabitsOfAnInbox:
    async def test_are_off_and_on_as_ticked(self, log_in: LogIn, make: DeskFactory, database: Database) -> None:
        inbox = await make.inbox("email")
        admin = await log_in(await make.agent("Olga Belova", role=Role.ADMINISTRATOR))
        base = f"/console/settings/mail/{inbox.id}"
        text = (await admin.get(base)).text
        assert 'name="participants" value="1">' in text
        assert 'name="plus" value="1" checked>' in text
        assert (await admin.post(f"{base}/habits", data={"participants": "1"})).status_code == 303
        async with database.read() as session:
            now = await session.get_one(Inbox, inbox.id)
            audit = (await session.scalars(select(AuditEntry).where(AuditEntry.action == "inbox.habits"))).one()
        assert (now.config["plus"], now.config["participants"], now.version) == (False, True, inbox.version + 1)
        assert audit.after == {"plus": False, "participants": True, "dkim": True}
        await admin.post(f"{base}/habits", data={"participants": "1"})
        async with database.read() as session:
            assert (await session.get_one(Inbox, inbox.id)).version == now.version, "nothing changed, nothing is built anew"

    async def test_are_an_administrator_s(self, console: Browser, make: DeskFactory) -> None:
        inbox = await make.inbox("email")
        assert (await console.post(f"/console/settings/mail/{inbox.id}/habits", data={})).status_code == 403
