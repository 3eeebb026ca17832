"""An operator who answers to an address that refuses mail is warned where they write, and offered another way."""

import pytest
from sqlalchemy import select

from desk_core.kit.clock import FakeClock
from desk_core.kit.db import Database
from desk_core.kit.ids import new_id
from desk_core.people import service as people
from desk_core.people.entities import Contact, ContactIdentity
from desk_core.tickets.entities import Ticket, TicketParticipant
from tests.factories.desk import DeskFactory
from tests.integration.console.conftest import Browser

WORDS = "550 5.1.1 <vera@example.com>: user unknown"


@pytest.fixture
async def vera(make: DeskFactory) -> Contact:
    return await make.contact("Vera Ilina", channel="email", address="vera@example.com")


@pytest.fixture
async def ticket(make: DeskFactory, vera: Contact) -> Ticket:
    return await make.ticket(await make.conversation(vera, channel="email"))


async def bounces(database: Database, clock: FakeClock, address: str = "vera@example.com") -> None:
    async with database.unit() as uow:
        await people.mark_address(uow, channel="email", address=address, reason=WORDS, now=clock.now())


async def has_also(database: Database, vera: Contact, channel: str, address: str) -> None:
    async with database.unit() as uow:
        uow.add(
            ContactIdentity(
                id=new_id(), contact_id=vera.id, channel=channel, address=address, display=None, verified_at=None, failed_at=None,
                failed_reason=None,
            )
        )  # fmt: skip


async def test_nothing_is_said_of_an_address_that_works(console: Browser, ticket: Ticket) -> None:
    assert 'id="unreached"' not in (await console.get(f"/console/tickets/{ticket.number}")).text


async def test_the_composer_says_why_it_will_not_arrive(console: Browser, ticket: Ticket, database: Database, clock: FakeClock) -> None:
    await bounces(database, clock)
    page = (await console.get(f"/console/tickets/{ticket.number}")).text
    assert "there is no such mailbox. What you write will hardly arrive." in page
    assert "550 5.1.1 &lt;vera@example.com&gt;: user unknown" in page
    assert "No other way to reach Vera is known." in page


async def test_another_address_is_one_press_away_and_telegram_is_named(
    console: Browser, make: DeskFactory, ticket: Ticket, vera: Contact, database: Database, clock: FakeClock
) -> None:
    await bounces(database, clock)
    await has_also(database, vera, "email", "vera@home.example")
    await has_also(database, vera, "telegram", "7001")
    chat = await make.ticket(await make.conversation(vera, channel="telegram"))
    page = (await console.get(f"/console/tickets/{ticket.number}")).text
    assert "Copy to vera@home.example too" in page
    assert f"Write in Telegram, in #{chat.number}" in page
    assert (await console.post(f"/console/tickets/{ticket.number}/participants", data={"add": "vera@home.example"})).status_code == 303
    async with database.read() as session:
        assert (await session.scalars(select(TicketParticipant.address))).all() == ["vera@home.example"]
    assert "Copy to vera@home.example too" not in (await console.get(f"/console/tickets/{ticket.number}")).text


async def test_an_address_that_refuses_too_is_not_offered(
    console: Browser, ticket: Ticket, vera: Contact, database: Database, clock: FakeClock
) -> None:
    await has_also(database, vera, "email", "vera@home.example")
    await bounces(database, clock)
    await bounces(database, clock, "vera@home.example")
    assert "Copy to vera@home.example" not in (await console.get(f"/console/tickets/{ticket.number}")).text
