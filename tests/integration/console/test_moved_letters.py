"""A letter that was filed under the wrong request, on the page of that request."""

from html import unescape

import pytest
from sqlalchemy import select

from desk_core.conversations.entities import Conversation, Inbox, MailReference, Message, RawInbound
from desk_core.kit.clock import FakeClock
from desk_core.kit.db import Database
from desk_core.kit.ids import new_id
from desk_core.lanes.entities import WorkItem
from desk_core.people.entities import AuditEntry, ContactIdentity
from desk_core.people.permissions import Role
from desk_core.tickets.entities import Ticket, TicketEvent, TicketLink
from tests.factories.desk import DeskFactory
from tests.integration.console.conftest import Browser, LogIn

HOME = "vera@home.example"


class Pair:
    """Two requests of Vera by mail, and a letter from home that joined the first of them."""

    def __init__(self, make: DeskFactory, database: Database, clock: FakeClock) -> None:
        self.make, self.database, self.clock = make, database, clock

    async def made(self) -> "Pair":
        vera = await self.make.contact("Vera", channel="email", address="vera@example.com")
        talks = [await self.make.conversation(vera, channel="email") for _ in range(2)]
        self.first, self.second = [await self.make.ticket(talk, channel="email") for talk in talks]
        self.letter = await self.make.says(
            talks[0], "The VPN is down again.", ticket=self.first, external_id="m9@home.example", verdict_code="another_address",
            verdict={"number": self.first.number}, meta={"address": HOME, "participant": True},
        )  # fmt: skip
        async with self.database.unit() as uow:
            uow.add(
                RawInbound(
                    id=new_id(), inbox_id=talks[0].inbox_id, external_id="m9@home.example", lane="in:x", body={"card": {}}, raw=b"",
                    raw_blob=None, request_id="r", received_at=self.clock.now(), state="done", message_id=self.letter.id,
                ),
                MailReference(inbox_id=talks[0].inbox_id, message_id="m9@home.example", conversation_id=talks[0].id),
            )  # fmt: skip
        return self

    async def now(self) -> Message:
        async with self.database.read() as session:
            return await session.get_one(Message, self.letter.id)

    async def do(self, browser: Browser, act: str, **fields: str) -> tuple[int, str]:
        response = await browser.post(f"/console/tickets/{self.first.number}/messages/{act}", data={"message": self.letter.id, **fields})
        return response.status_code, response.headers.get("location", "") or unescape(response.text)

    async def page(self, browser: Browser) -> str:
        return unescape((await browser.get(f"/console/tickets/{self.first.number}")).text)


@pytest.fixture
async def pair(make: DeskFactory, database: Database, clock: FakeClock) -> Pair:
    return await Pair(make, database, clock).made()


class TestALetter:
    async def test_can_be_moved_or_set_apart_by_any_operator(self, console: Browser, pair: Pair) -> None:
        text = await pair.page(console)
        assert "Belongs elsewhere?" in text
        assert "Make it a request of its own" in text
        assert "It is an address of Vera" not in text, "people are joined by those who may take them apart"

    async def test_is_moved_and_leads_what_answers_it_to_its_new_place(self, console: Browser, pair: Pair, database: Database) -> None:
        status, where = await pair.do(console, "move", to=f" #{pair.second.number} ")
        assert (status, where.partition("?")[0]) == (303, f"/console/tickets/{pair.second.number}")
        moved = await pair.now()
        assert (moved.ticket_id, moved.conversation_id, moved.verdict_code) == (pair.second.id, pair.second.conversation_id, "moved")
        assert moved.meta["participant"] is True, "to be put elsewhere proves nothing about who wrote it"
        async with database.read() as session:
            leads = await session.scalar(select(MailReference.conversation_id).where(MailReference.message_id == "m9@home.example"))
            told = await session.scalar(select(TicketEvent.data).where(TicketEvent.kind == "letter_moved"))
            first = await session.get_one(Ticket, pair.first.id)
        assert leads == pair.second.conversation_id
        assert told == {"to": pair.second.number}
        assert first.status != "merged", "it has a letter of its own"

    async def test_the_request_that_keeps_no_letter_is_merged(self, console: Browser, pair: Pair, database: Database) -> None:
        async with database.unit() as uow:
            for message in await uow.scalars(select(Message).where(Message.ticket_id == pair.first.id, Message.id != pair.letter.id)):
                message.ticket_id = None
        await pair.do(console, "move", to=str(pair.second.number))
        async with database.read() as session:
            first = await session.get_one(Ticket, pair.first.id)
            link = (await session.scalars(select(TicketLink))).one()
            thread = await session.get_one(Conversation, pair.first.conversation_id)
        assert first.status == "merged"
        assert (link.from_id, link.to_id, link.kind) == (pair.first.id, pair.second.id, "merged")
        assert thread.active_ticket_id == pair.second.id
        assert thread.baton == "queue"
        text = await pair.page(console)
        assert f"merged it into #{pair.second.number}" in text
        assert "goes on as another" in text

    @pytest.mark.parametrize(
        ("to", "status", "words"),
        [
            ("", 422, "the number of the request"), ("twelve", 422, "the number of the request"), ("#999999", 404, ""),
            ("1" * 12, 422, "the number of the request"),
        ],
    )  # fmt: skip
    async def test_goes_nowhere_without_a_number(self, console: Browser, pair: Pair, to: str, status: int, words: str) -> None:
        found, text = await pair.do(console, "move", to=to)
        assert found == status
        assert words in text
        assert (await pair.now()).ticket_id == pair.first.id

    async def test_goes_to_no_chat(self, console: Browser, pair: Pair, make: DeskFactory) -> None:
        chat = await make.ticket()
        status, text = await pair.do(console, "move", to=str(chat.number))
        assert status == 409
        assert "did not come by mail" in text

    async def test_is_set_apart_by_reading_it_anew(self, console: Browser, pair: Pair, database: Database) -> None:
        assert (await pair.do(console, "apart", always="1"))[0] == 303
        async with database.read() as session:
            raw = (await session.scalars(select(RawInbound))).one()
            work = (await session.scalars(select(WorkItem).where(WorkItem.lane == "in:x"))).one()
            rules = await session.scalar(select(Inbox.config).where(Inbox.id == pair.letter.inbox_id))
        assert work.payload["raw_id"] == raw.id
        assert (raw.state, raw.body["verdict"], raw.body["card"]["apart"]) == ("pending", "apart", pair.letter.id)
        assert rules["senders"] == {HOME: "apart"}
        text = await pair.page(console)
        assert "makes it a request of its own…" in text
        assert "Belongs elsewhere?" not in text
        assert (await pair.do(console, "move", to=str(pair.second.number)))[0] == 409

    async def test_of_an_address_of_the_requester_joins_who_is_known_under_it(
        self, log_in: LogIn, console: Browser, pair: Pair, make: DeskFactory, database: Database
    ) -> None:
        assert (await pair.do(console, "own"))[0] == 403
        olga = await log_in(await make.agent("Olga", role=Role.ADMINISTRATOR))
        assert "It is an address of Vera" in await pair.page(olga)
        assert (await pair.do(olga, "own"))[0] == 303
        async with database.read() as session:
            owner = await session.scalar(select(ContactIdentity.contact_id).where(ContactIdentity.address == HOME))
        assert owner == pair.first.contact_id
        assert (await pair.now()).verdict_code == "own_address"
        text = await pair.page(olga)
        assert "by the word of Olga" in text
        assert "messages/own" not in text

    async def test_of_a_robot_makes_a_rule_and_leaves_the_request_alone(self, console: Browser, pair: Pair, database: Database) -> None:
        assert f"hold all mail from {HOME}" in await pair.page(console)
        assert (await pair.do(console, "robot"))[0] == 303
        async with database.read() as session:
            assert (await session.get_one(Inbox, pair.letter.inbox_id)).config["senders"] == {HOME: "robot"}
            noted = (await session.scalars(select(AuditEntry))).one()
        assert (noted.action, noted.after) == ("inbox.rule", {"about": HOME, "what": "robot"})
        text = await pair.page(console)
        assert f"Mail from {HOME} is held" in text
        assert f"hold all mail from {HOME}" not in text
        assert (await pair.now()).ticket_id == pair.first.id

    async def test_of_another_request_is_not_found(self, console: Browser, pair: Pair, make: DeskFactory) -> None:
        other = await make.ticket()
        response = await console.post(f"/console/tickets/{other.number}/messages/apart", data={"message": pair.letter.id})
        assert response.status_code == 404
