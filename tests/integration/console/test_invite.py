"""The page that shows a link by which a colleague joins a request from Telegram: once, and to nobody else."""

import re

import pytest
from sqlalchemy import select, update

from desk_core.conversations.entities import Inbox
from desk_core.kit.db import Database
from desk_core.tickets import invitations
from desk_core.tickets.entities import Ticket, TicketEvent
from desk_core.tickets.invitations import Purpose
from tests.factories.desk import DeskFactory
from tests.integration.console.conftest import Browser


@pytest.fixture
async def ticket(make: DeskFactory, database: Database) -> Ticket:
    made = await make.ticket()
    async with database.unit() as uow:
        await uow.execute(update(Inbox).values(config={"username": "help_bot"}))
    return made


async def shown(console: Browser, number: int) -> str:
    response = await console.post(f"/console/tickets/{number}/invite")
    assert response.status_code == 200
    assert response.headers["Cache-Control"] == "no-store"
    found = re.search(r'value="(https://t\.me/help_bot\?start=[\w-]+)"', response.text)
    assert found is not None, response.text
    return found[1]


async def test_the_link_opens_the_request_and_is_told_on_it(
    console: Browser, make: DeskFactory, database: Database, ticket: Ticket
) -> None:
    link = await shown(console, ticket.number)
    secret = link.partition("start=")[2]
    async with database.read() as session:
        opened = await invitations.opened_by(session, secret, make.context())
        told = (await session.scalars(select(TicketEvent).where(TicketEvent.kind == "participant_invited"))).one()
    assert opened is not None
    assert (opened[0].id, opened[1]) == (ticket.id, Purpose.JOIN)
    assert told.actor == "Anna Orlova"
    assert secret not in str(told.data)
    page = await console.get(f"/console/tickets/{ticket.number}")
    assert secret not in page.text


async def test_each_time_it_is_another(console: Browser, ticket: Ticket) -> None:
    assert await shown(console, ticket.number) != await shown(console, ticket.number)


async def test_without_a_bot_there_is_none(console: Browser, make: DeskFactory) -> None:
    ticket = await make.ticket(await make.conversation(await make.contact(channel="email"), channel="email"))
    assert "/invite" not in (await console.get(f"/console/tickets/{ticket.number}")).text
    assert (await console.post(f"/console/tickets/{ticket.number}/invite")).status_code == 404


@pytest.mark.usefixtures("ticket")
async def test_of_a_request_that_is_not_there(console: Browser) -> None:
    assert (await console.post("/console/tickets/999999/invite")).status_code == 404


async def test_a_stranger_gets_none(stranger: Browser, ticket: Ticket) -> None:
    response = await stranger.post(f"/console/tickets/{ticket.number}/invite")
    assert response.status_code in (303, 401, 403)
    assert "t.me" not in response.text
