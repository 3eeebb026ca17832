"""What an operator does, by plain forms."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from desk_core.conversations.entities import Attachment, Conversation, Inbox, Message
from desk_core.conversations.service import ACT
from desk_core.kit.clock import FakeClock
from desk_core.kit.db import Database
from desk_core.lanes.entities import WorkItem
from desk_core.people.entities import Agent, Contact
from desk_core.people.permissions import Role
from desk_core.tickets import history, service
from desk_core.tickets.entities import Ticket, TicketEvent
from gateway.auth.sessions import Signed
from gateway.console import live
from tests.factories.desk import DeskFactory
from tests.fakes.webdesk import FakeWebDesk
from tests.integration.console.conftest import Browser, LogIn


async def fresh(database: Database, ticket: Ticket) -> Ticket:
    async with database.read() as session:
        return await session.get_one(Ticket, ticket.id)


async def messages(database: Database, direction: str) -> list[Message]:
    async with database.read() as session:
        return list((await session.scalars(select(Message).where(Message.direction == direction).order_by(Message.id))).all())


@pytest.fixture
async def ticket(make: DeskFactory) -> Ticket:
    return await make.ticket()


async def do(console: Browser, ticket: Ticket, act: str, **fields: str) -> int:
    response = await console.post(f"/console/tickets/{ticket.number}/{act}", data=fields)
    return response.status_code


class TestBaton:
    async def test_taking_over_silences_the_bot(self, console: Browser, ticket: Ticket, database: Database, anna: Agent) -> None:
        assert await do(console, ticket, "baton", to="agent", version=str(ticket.version)) == 303
        async with database.read() as session:
            conversation = await session.get_one(Conversation, ticket.conversation_id)
        assert (conversation.baton, conversation.agent_id) == ("agent", anna.id)
        assert (await fresh(database, ticket)).assignee_id == anna.id

    @pytest.mark.parametrize("to", ["bot", "queue"])
    async def test_the_word_goes_back(self, console: Browser, ticket: Ticket, database: Database, to: str) -> None:
        await do(console, ticket, "baton", to="agent")
        assert await do(console, ticket, "baton", to=to) == 303
        async with database.read() as session:
            assert (await session.get_one(Conversation, ticket.conversation_id)).baton == to

    async def test_of_two_who_take_at_once_the_second_is_told(
        self, console: Browser, log_in: LogIn, make: DeskFactory, ticket: Ticket
    ) -> None:
        other = await log_in(await make.agent("Ivan"))
        version = str(ticket.version)
        assert await do(console, ticket, "baton", to="agent", version=version) == 303
        response = await other.post(f"/console/tickets/{ticket.number}/baton", data={"to": "agent", "version": version})
        assert response.status_code == 409
        assert "Someone changed this meanwhile" in response.text

    async def test_a_conversation_without_a_request_becomes_one(self, console: Browser, make: DeskFactory, database: Database) -> None:
        conversation = await make.conversation(await make.contact("Marat"))
        await make.says(conversation, "my mail does not work")
        response = await console.post(f"/console/conversations/{conversation.id}/take")
        assert response.status_code == 303
        async with database.read() as session:
            made = (await session.scalars(select(Ticket))).one()
            said = (await session.scalars(select(Message).where(Message.direction == "inbound"))).one()
        assert (made.subject, said.ticket_id) == ("my mail does not work", made.id)
        assert f"/console/tickets/{made.number}" in response.headers["location"]


class TestWriting:
    async def test_an_answer_goes_out_and_a_note_does_not(self, console: Browser, ticket: Ticket, database: Database) -> None:
        assert await do(console, ticket, "reply", text="Try again, please.") == 303
        assert await do(console, ticket, "note", text="He is in room 214.") == 303
        (answer,) = [message for message in await messages(database, "outbound") if message.author_kind == "agent"]
        (note,) = await messages(database, "note")
        assert (answer.text, answer.delivery_state) == ("Try again, please.", "pending")
        assert (note.text, note.delivery_state) == ("He is in room 214.", None)
        page = (await console.get(f"/console/tickets/{ticket.number}")).text
        assert 'class="entry note' in page

    async def test_files_go_along_and_come_back_harmless(self, console: Browser, ticket: Ticket, database: Database) -> None:
        page = b"<html><script>alert(1)</script></html>"
        png = b"\x89PNG\r\n\x1a\n" + b"\x00" * 40
        files = [("files", ("../../evil.png", page, "image/png")), ("files", ("picture.png", png, "image/png"))]
        response = await console.post(f"/console/tickets/{ticket.number}/reply", data={"text": "see"}, files=files)
        assert response.status_code == 303
        async with database.read() as session:
            evil, picture = (await session.scalars(select(Attachment).order_by(Attachment.id))).all()
        served = await console.get(f"/console/files/{evil.id}")
        assert served.content == page
        assert served.headers["content-type"] == "application/octet-stream"
        assert served.headers["content-disposition"] == "attachment; filename*=utf-8''evil.png"
        assert served.headers["x-content-type-options"] == "nosniff"
        assert "sandbox" in served.headers["content-security-policy"]
        shown = await console.get(f"/console/files/{picture.id}")
        assert (shown.headers["content-type"], shown.headers["content-disposition"].split(";")[0]) == ("image/png", "inline")

    async def test_a_stale_answer_is_not_sent_and_nothing_typed_is_lost(
        self, console: Browser, ticket: Ticket, database: Database, make: DeskFactory, log_in: LogIn
    ) -> None:
        version = ticket.version
        colleague = await log_in(await make.agent("Pavel Sidorov", teams=("service_desk",)))
        await do(colleague, ticket, "priority", priority="P1")
        response = await console.post(f"/console/tickets/{ticket.number}/reply", data={"text": "My long answer", "version": str(version)})
        assert response.status_code == 409
        assert "Someone changed this meanwhile" in response.text
        assert ">My long answer</textarea>" in response.text
        assert not [message for message in await messages(database, "outbound") if message.author_kind == "agent"]

    async def test_an_empty_answer_is_refused_in_words(self, console: Browser, ticket: Ticket) -> None:
        response = await console.post(f"/console/tickets/{ticket.number}/reply", data={"text": "  "})
        assert response.status_code == 422
        assert "write something" in response.text

    async def test_send_and_solve_asks_whether_it_is_solved(self, console: Browser, ticket: Ticket, database: Database) -> None:
        assert await do(console, ticket, "reply", text="It works again.", resolve="1") == 303
        assert (await fresh(database, ticket)).status == "resolved"

    async def test_a_file_past_the_limit_is_refused_and_the_text_kept(self, console: Browser, ticket: Ticket) -> None:
        big = b"x" * (20 * 1024 * 1024 + 1)
        response = await console.post(
            f"/console/tickets/{ticket.number}/reply", data={"text": "with a film"}, files=[("files", ("film.avi", big, "video/avi"))]
        )
        assert response.status_code == 413
        assert ">with a film</textarea>" in response.text


class TestMoving:
    async def test_assign_to_a_colleague_and_back_to_the_queue(
        self, console: Browser, make: DeskFactory, ticket: Ticket, database: Database
    ) -> None:
        ivan = await make.agent("Ivan")
        assert await do(console, ticket, "assign", agent=ivan.id) == 303
        assert (await fresh(database, ticket)).assignee_id == ivan.id
        assert await do(console, ticket, "assign", agent="") == 303
        assert (await fresh(database, ticket)).assignee_id is None

    async def test_escalation_needs_a_reason_and_keeps_it(self, console: Browser, ticket: Ticket, database: Database) -> None:
        assert await do(console, ticket, "escalate", to="line:3", reason=" ") == 422
        assert await do(console, ticket, "escalate", to="line:3", reason="Needs an administrator") == 303
        assert (await fresh(database, ticket)).line == 3
        page = (await console.get(f"/console/tickets/{ticket.number}")).text
        assert "Needs an administrator" in page
        assert await do(console, ticket, "return", reason="Was ours after all") == 303
        assert (await fresh(database, ticket)).line == 2

    async def test_escalation_to_a_team_and_to_nowhere(self, console: Browser, ticket: Ticket, database: Database) -> None:
        assert await do(console, ticket, "escalate", to="team:security", reason="Looks like an attack") == 303
        assert (await fresh(database, ticket)).line == 3
        assert await do(console, ticket, "escalate", to="planet:mars", reason="far") == 422

    async def test_a_corrected_category_is_told_in_the_history(self, console: Browser, ticket: Ticket, database: Database) -> None:
        assert await do(console, ticket, "category", category="network.vpn") == 303
        assert (await fresh(database, ticket)).category_source == "agent"
        assert await do(console, ticket, "category", category="no.such") == 404
        page = (await console.get(f"/console/tickets/{ticket.number}")).text
        assert "changed the category" in page

    async def test_status_and_priority(self, console: Browser, ticket: Ticket, database: Database) -> None:
        assert await do(console, ticket, "status", status="waiting") == 303
        assert await do(console, ticket, "priority", priority="P2") == 303
        found = await fresh(database, ticket)
        assert (found.status, found.priority) == ("waiting", "P2")
        assert await do(console, ticket, "status", status="resolved") == 303
        assert await do(console, ticket, "status", status="closed") == 303
        assert await do(console, ticket, "priority", priority="P9") == 422

    async def test_every_act_is_in_the_history_with_its_person(self, console: Browser, ticket: Ticket, database: Database) -> None:
        await do(console, ticket, "priority", priority="P1")
        async with database.read() as session:
            event = (await session.scalars(select(TicketEvent).where(TicketEvent.kind == "prioritised"))).one()
        assert (event.actor_kind, event.actor) == ("agent", "Anna Orlova")


class TestLive:
    async def test_carries_ids_and_ends_when_the_desk_stops(self, desk: FakeWebDesk, make: DeskFactory, anna: Agent) -> None:
        stream = live.events(desk, Signed(anna, "hash", desk.clock.now()), heartbeat=0.05)
        assert b"event: hello" in await anext(stream)
        assert b": still here" in await anext(stream)
        following = anext(stream)
        import asyncio

        waiting = asyncio.ensure_future(following)
        await asyncio.sleep(0.01)
        await desk.signal.publish("tickets", "some-id")
        assert await waiting == b"event: tickets\ndata: some-id\n\n"
        desk.stopping.set()
        assert [part async for part in stream] in ([], [b": still here\n\n"])

    async def test_is_not_for_strangers(self, stranger: Browser) -> None:
        assert (await stranger.get("/console/live")).status_code == 303


class TestUndo:
    @pytest.fixture
    async def mailed(self, make: DeskFactory) -> Ticket:
        contact = await make.contact("Marat", channel="email", address="marat@example.com")
        return await make.ticket(await make.conversation(contact, channel="email"), channel="email")

    async def test_an_answer_by_mail_comes_back_into_the_composer(self, console: Browser, mailed: Ticket, database: Database) -> None:
        assert await do(console, mailed, "reply", text="Try <again>, please.") == 303
        page = (await console.get(f"/console/tickets/{mailed.number}")).text
        assert "Leaves in 10 s" in page
        (answer,) = await messages(database, "outbound")
        assert f'name="message" value="{answer.id}"' in page
        undone = await console.post(f"/console/tickets/{mailed.number}/undo", data={"message": answer.id})
        assert undone.status_code == 200
        assert "Try &lt;again&gt;, please.</textarea>" in undone.text
        assert "took an answer back before it left" in undone.text
        assert "Leaves in" not in undone.text
        assert await messages(database, "outbound") == []
        again = await console.post(f"/console/tickets/{mailed.number}/undo", data={"message": answer.id})
        assert again.status_code == 404

    async def test_names_the_files_that_must_be_attached_again(self, console: Browser, mailed: Ticket, database: Database) -> None:
        await console.post(f"/console/tickets/{mailed.number}/reply", data={"text": "See"}, files={"files": ("plan.txt", b"text")})
        (answer,) = await messages(database, "outbound")
        undone = await console.post(f"/console/tickets/{mailed.number}/undo", data={"message": answer.id})
        assert "Attach the files again: plan.txt" in undone.text

    async def test_while_the_inbox_is_paused_it_is_said_that_the_answer_waits(
        self, console: Browser, log_in: LogIn, make: DeskFactory, mailed: Ticket, database: Database, clock: FakeClock
    ) -> None:
        await do(console, mailed, "reply", text="Try again, please.")
        clock.advance(timedelta(minutes=1))
        assert "Sending…" in (await console.get(f"/console/tickets/{mailed.number}")).text
        async with database.unit() as uow:
            inbox = await uow.session.get_one(Inbox, str(mailed.inbox_id))
            inbox.state = "paused"
        page = (await console.get(f"/console/tickets/{mailed.number}")).text
        assert "The inbox email is paused: this waits and leaves once it is resumed." in page
        assert "Sending…" not in page
        here = f"/console/settings/mail/{inbox.id}"
        assert here not in page, "operators resume nothing"
        administrator = await log_in(await make.agent("Olga Belova", role=Role.ADMINISTRATOR))
        assert here in (await administrator.get(f"/console/tickets/{mailed.number}")).text

    async def test_a_chat_is_not_kept_waiting(self, console: Browser, ticket: Ticket, database: Database) -> None:
        await do(console, ticket, "reply", text="Hello")
        assert "Leaves in" not in (await console.get(f"/console/tickets/{ticket.number}")).text
        (answer,) = [message for message in await messages(database, "outbound") if message.author_kind == "agent"]
        refused = await console.post(f"/console/tickets/{ticket.number}/undo", data={"message": answer.id})
        assert refused.status_code == 409
        assert "cannot be taken back" in refused.text
        assert [await do(console, ticket, "undo", message="nonsense"), await do(console, ticket, "undo")] == [404, 422]


class TestWhatWasSent:
    async def answered(self, console: Browser, ticket: Ticket, database: Database) -> Message:
        await do(console, ticket, "reply", text="Приду в пять")
        async with database.unit() as uow:
            message: Message = (await uow.scalars(select(Message).where(Message.text == "Приду в пять")))[0]
            message.delivery_state, message.external_id = "sent", "7001:5"
        return message

    async def test_can_be_changed_and_taken_away_by_who_wrote_it(
        self, console: Browser, log_in: LogIn, make: DeskFactory, ticket: Ticket, database: Database
    ) -> None:
        message = await self.answered(console, ticket, database)
        page = (await console.get(f"/console/tickets/{ticket.number}")).text
        assert "messages/edit" in page
        assert "messages/delete" in page
        assert await do(console, ticket, "messages/edit", message=message.id, text="Приду в шесть") == 303
        assert await do(console, ticket, "messages/delete", message=message.id) == 303
        async with database.read() as session:
            asked = [item.payload for item in await session.scalars(select(WorkItem).where(WorkItem.kind == ACT).order_by(WorkItem.id))]
        assert [(one["what"], one.get("text")) for one in asked] == [("edit", "Приду в шесть"), ("delete", None)]
        other = await log_in(await make.agent("Ivan"))
        assert await do(other, ticket, "messages/delete", message=message.id) == 409
        assert "messages/delete" not in (await other.get(f"/console/tickets/{ticket.number}")).text

    async def test_by_mail_stays_as_it_is(self, console: Browser, make: DeskFactory, database: Database) -> None:
        ticket = await make.ticket(channel="email")
        await self.answered(console, ticket, database)
        assert "messages/edit" not in (await console.get(f"/console/tickets/{ticket.number}")).text

    async def test_long_ago_stays_as_it_is(self, console: Browser, ticket: Ticket, database: Database, clock: FakeClock) -> None:
        message = await self.answered(console, ticket, database)
        clock.advance(timedelta(hours=48))
        assert await do(console, ticket, "messages/edit", message=message.id, text="Приду в шесть") == 409
        assert "messages/edit" not in (await console.get(f"/console/tickets/{ticket.number}")).text


class TestTheirOwnWord:
    async def test_is_shown_and_closes_with_one_press_without_asking_again(
        self, console: Browser, make: DeskFactory, ticket: Ticket, database: Database
    ) -> None:
        await do(console, ticket, "baton", to="agent")
        async with database.read() as session:
            conversation = await session.get_one(Conversation, ticket.conversation_id)
        await make.says(conversation, "It works now, thanks", ticket=ticket)
        page = (await console.get(f"/console/tickets/{ticket.number}")).text
        assert "says that it is solved." in page
        assert await do(console, ticket, "accept", version=str((await fresh(database, ticket)).version)) == 303
        assert (await fresh(database, ticket)).status == "closed"
        assert not [one for one in await messages(database, "outbound") if one.meta.get("key") == "resolved"]
        page = (await console.get(f"/console/tickets/{ticket.number}")).text
        assert "Anna Orlova closed it: Boris Petrov says that it is solved." in page
        assert "own-word" not in page

    async def test_is_refused_where_the_person_wrote_meanwhile(
        self, console: Browser, make: DeskFactory, desk: FakeWebDesk, ticket: Ticket, database: Database
    ) -> None:
        seen = ticket.version
        ctx = await desk.context()
        async with database.unit() as uow:
            conversation = await uow.session.get_one(Conversation, ticket.conversation_id)
            contact = await uow.session.get_one(Contact, ticket.contact_id)
            mine = await history.get(uow, ticket.id)
            await service.requester_wrote(uow, ctx, mine, contact=contact, conversation=conversation, text="No, it is back")
        assert await do(console, ticket, "accept", version=str(seen)) == 409
        assert (await fresh(database, ticket)).status != "closed"

    async def test_the_list_hints_at_it(self, console: Browser, desk: FakeWebDesk, ticket: Ticket, database: Database) -> None:
        ctx = await desk.context()
        async with database.unit() as uow:
            conversation = await uow.session.get_one(Conversation, ticket.conversation_id)
            contact = await uow.session.get_one(Contact, ticket.contact_id)
            mine = await history.get(uow, ticket.id)
            await service.requester_wrote(uow, ctx, mine, contact=contact, conversation=conversation, text="Solved, thank you")
        assert "The person says that it is solved" in (await console.get("/console/list?view=all")).text
