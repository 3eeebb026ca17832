"""Two people who were joined, on the page of a request: told in words, and taken apart by whoever manages people."""

import re

import pytest
from sqlalchemy import select

from desk_core.context import Actor
from desk_core.conversations.entities import Conversation
from desk_core.kit.db import Database
from desk_core.kit.errors import NotFound
from desk_core.people import joining, proofs
from desk_core.people.entities import AuditEntry, Contact, ContactIdentity, ContactJoin
from desk_core.people.permissions import Role
from desk_core.tickets import invitations
from desk_core.tickets.entities import Ticket
from tests.factories.desk import DeskFactory
from tests.integration.console.conftest import Browser, LogIn


class Pair:
    """A request by mail that was continued in a Telegram chat, whose person had a request of their own before."""

    def __init__(self, make: DeskFactory, database: Database) -> None:
        self.make, self.database = make, database

    async def joined(self) -> "Pair":
        self.mailer = await self.make.contact("Vera", channel="email", address="vera@example.com")
        self.letter = await self.make.ticket(await self.make.conversation(self.mailer, channel="email"))
        self.writer = await self.make.contact("Anna", channel="telegram", address="77")
        self.chat = await self.make.conversation(self.writer)
        self.own = await self.make.ticket(self.chat, subject="The VPN does not connect")
        ctx = self.make.context()
        async with self.database.unit() as uow:
            ticket = await uow.session.get_one(Ticket, self.letter.id)
            secret = await invitations.invite(uow, ctx, ticket)
        async with self.database.unit() as uow:
            contact = await uow.session.get_one(Contact, self.writer.id)
            chat = await uow.session.get_one(Conversation, self.chat.id)
            await invitations.accept(uow, ctx, invitations.mark_of(secret), contact=contact, conversation=chat, address=chat.thread_key)
        return self

    async def join_id(self) -> str:
        async with self.database.read() as session:
            return (await session.scalars(select(ContactJoin.id))).one()

    async def undo(self, of: str = "") -> None:
        async with self.database.unit() as uow:
            who = Actor("agent", None, "Olga")
            await joining.undo_join(uow, self.make.context(), await self.join_id(), of=of or self.mailer.id, by=who)

    async def owners(self) -> dict[str, str]:
        """Whose each request, conversation and address is."""
        async with self.database.read() as session:
            tickets = await session.execute(select(Ticket.id, Ticket.contact_id))
            chats = await session.execute(select(Conversation.id, Conversation.contact_id))
            addresses = await session.execute(select(ContactIdentity.address, ContactIdentity.contact_id))
            return {key: owner for rows in (tickets, chats, addresses) for key, owner in rows.all()}


@pytest.fixture
async def pair(make: DeskFactory, database: Database) -> Pair:
    return await Pair(make, database).joined()


class TestUndoing:
    async def test_gives_back_what_was_moved_and_nothing_else(self, pair: Pair, make: DeskFactory) -> None:
        later = await make.ticket(await make.conversation(pair.mailer, channel="email"))
        assert set((await pair.owners()).values()) == {pair.mailer.id}
        await pair.undo()
        owners = await pair.owners()
        assert {owners[pair.own.id], owners[pair.chat.id], owners["77"]} == {pair.writer.id}
        assert {owners[pair.letter.id], owners[later.id], owners["vera@example.com"]} == {pair.mailer.id}

    async def test_what_was_moved_on_meanwhile_stays_where_it_is(self, pair: Pair, make: DeskFactory, database: Database) -> None:
        third = await make.contact("Boris")
        async with database.unit() as uow:
            (await uow.session.get_one(Ticket, pair.own.id)).contact_id = third.id
        await pair.undo()
        assert (await pair.owners())[pair.own.id] == third.id

    async def test_the_request_that_came_into_the_chat_goes_back_to_the_mail(self, pair: Pair, database: Database) -> None:
        before = pair.letter.conversation_id
        await pair.undo()
        async with database.read() as session:
            assert (await session.get_one(Ticket, pair.letter.id)).conversation_id == before
            assert (await session.get_one(Conversation, pair.chat.id)).active_ticket_id is None

    async def test_is_noted_and_works_once(self, pair: Pair, database: Database) -> None:
        await pair.undo()
        with pytest.raises(joining.AlreadyUndone):
            await pair.undo()
        async with database.read() as session:
            made = (await session.scalars(select(ContactJoin))).one()
            assert (made.undone_at, made.undone_by) == (pair.make.clock.now(), "Olga")
            assert (await session.scalars(select(AuditEntry.action))).all() == ["contact.join_undone"]

    async def test_of_somebody_else_is_not_found(self, pair: Pair) -> None:
        with pytest.raises(NotFound):
            await pair.undo(of=pair.writer.id)
        assert set((await pair.owners()).values()) == {pair.mailer.id}


class TestThePage:
    async def test_tells_of_the_join_and_takes_it_apart(self, pair: Pair, make: DeskFactory, log_in: LogIn) -> None:
        console = await log_in(await make.agent("Root", role=Role.ADMINISTRATOR))
        page = f"/console/tickets/{pair.letter.number}"
        text = (await console.get(page)).text
        assert re.search(rf"Joined with Anna, .*, by a link from #{pair.letter.number}", text)
        assert "Take them apart" in text
        assert (await console.post(f"{page}/joins", data={"join": await pair.join_id()})).status_code == 303
        text = (await console.get(page)).text
        assert "Undone by Root" in text
        assert "Take them apart" not in text
        assert (await console.post(f"{page}/joins", data={"join": await pair.join_id()})).status_code == 409
        assert (await pair.owners())["77"] == pair.writer.id

    async def test_of_an_operator_tells_and_does_not_offer(self, pair: Pair, console: Browser) -> None:
        page = f"/console/tickets/{pair.letter.number}"
        text = (await console.get(page)).text
        assert "Joined with Anna" in text
        assert "Take them apart" not in text
        assert (await console.post(f"{page}/joins", data={"join": await pair.join_id()})).status_code == 403
        assert set((await pair.owners()).values()) == {pair.mailer.id}

    @pytest.mark.parametrize(
        ("channel", "address", "words"), [("email", "new@example.com", "e-mail address"), ("phone", "+79990001122", "phone")]
    )
    async def test_says_by_what_proof(
        self, make: DeskFactory, database: Database, console: Browser, channel: str, address: str, words: str
    ) -> None:
        first, second = (
            await make.contact("Vera", channel="telegram", address="76"),
            await make.contact("Anna", channel="telegram", address="77"),
        )
        ticket = await make.ticket(await make.conversation(first))
        for one in (first, second):
            async with database.unit() as uow:
                await proofs.prove(uow, make.context(), await uow.session.get_one(Contact, one.id), channel=channel, address=address)
        text = (await console.get(f"/console/tickets/{ticket.number}")).text
        assert re.search(rf"Joined with Anna, .*, by a confirmed {words}", text)
