"""REST version 1: who may call, opening once, reading page by page, refusals in one shape."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import httpx2
import pytest
from sqlalchemy import select, update

from desk_core.conversations.entities import Inbox, Message
from desk_core.kit.ids import new_id
from desk_core.people import joining
from desk_core.people.entities import ApiToken, Contact
from desk_core.tickets import service as tickets
from desk_core.tickets.entities import Ticket
from gateway.api.v1.access import token_hash
from gateway.bootstrap import Desk
from tests.fakes.channel import FakeChannel
from tests.integration.channels.webform.conftest import Site

NEW: dict[str, Any] = {
    "contact": {"name": "Anna Orlova", "email": "anna@company.example", "language": "en"},
    "subject": "Printer 305",
    "text": "Printer 305 does not print since the morning.",
    "category": "hardware.printer",
}


@dataclass
class Program:
    """A program with a token."""

    client: httpx2.AsyncClient
    token: str

    async def get(self, path: str, **params: Any) -> httpx2.Response:
        return await self.client.get(f"/api/v1{path}", params=params, headers={"authorization": f"Bearer {self.token}"})

    async def post(self, path: str, body: Any, **headers: str) -> httpx2.Response:
        given = {"authorization": f"Bearer {self.token}", **{name.replace("_", "-"): value for name, value in headers.items()}}
        return await self.client.post(f"/api/v1{path}", json=body, headers=given)

    async def patch(self, path: str, body: Any) -> httpx2.Response:
        return await self.client.patch(f"/api/v1{path}", json=body, headers={"authorization": f"Bearer {self.token}"})

    async def delete(self, path: str) -> httpx2.Response:
        return await self.client.delete(f"/api/v1{path}", headers={"authorization": f"Bearer {self.token}"})


async def token(desk: Desk, *scopes: str, revoked: bool = False) -> str:
    secret = f"priyom_{new_id()}"
    now = desk.clock.now()
    async with desk.database.unit() as uow:
        uow.add(
            ApiToken(
                id=new_id(), name="monitoring", token_hash=token_hash(secret), scopes=list(scopes), created_at=now, last_used_at=None,
                revoked_at=now if revoked else None,
            )
        )  # fmt: skip
    return secret


@pytest.fixture
async def program(site: Site) -> AsyncIterator[Program]:
    yield Program(site.client, await token(site.desk, "write"))


def problem(response: httpx2.Response, status: int, code: str) -> dict[str, Any]:
    """The refusal, after checking that it has the shape of every refusal."""
    body: dict[str, Any] = response.json()
    assert (response.status_code, body["code"]) == (status, code), body
    assert response.headers["content-type"] == "application/problem+json"
    assert body["message"]
    assert isinstance(body["fields"], dict)
    return body


class TestAccess:
    async def test_without_a_valid_token_nothing_is_told(self, site: Site) -> None:
        for headers in ({}, {"authorization": "Bearer wrong"}, {"authorization": "Basic x"}, {"authorization": "Bearer "}):
            problem(await site.client.get("/api/v1/tickets", headers=headers), 401, "token_needed")

    async def test_a_revoked_token_is_no_token(self, site: Site) -> None:
        gone = Program(site.client, await token(site.desk, "write", revoked=True))
        problem(await gone.get("/tickets"), 401, "token_needed")

    async def test_a_reader_reads_and_does_not_write(self, site: Site) -> None:
        reader = Program(site.client, await token(site.desk, "read"))
        assert (await reader.get("/tickets")).status_code == 200
        refused = problem(await reader.post("/tickets", NEW), 403, "scope_needed")
        assert refused["fields"] == {"scope": "write"}
        assert await site.tickets() == []

    async def test_using_a_token_is_noted(self, site: Site, program: Program) -> None:
        await program.get("/tickets")
        async with site.desk.database.read() as session:
            assert (await session.scalars(select(ApiToken))).one().last_used_at == site.clock.now()


class TestOpening:
    async def test_a_request_is_opened_with_number_team_and_promise(self, site: Site, program: Program) -> None:
        answer = await program.post("/tickets", NEW)
        assert answer.status_code == 201, answer.text
        ticket = answer.json()
        assert (ticket["channel"], ticket["category"], ticket["status"]) == ("api", "hardware.printer", "new")
        assert ticket["promise"]["metric"] == "first_response"
        assert ticket["contact"]["identities"] == [{"channel": "api", "address": "anna@company.example"}]
        assert answer.headers["location"] == f"/api/v1/tickets/{ticket['number']}"
        assert [message["text"] for message in ticket["messages"] if message["direction"] == "inbound"] == [NEW["text"]]
        read = (await program.get(f"/tickets/{ticket['number']}")).json()
        assert read["id"] == ticket["id"]

    async def test_the_same_key_is_the_same_request(self, site: Site, program: Program) -> None:
        first = await program.post("/tickets", NEW, idempotency_key="job-7")
        both = await asyncio.gather(*(program.post("/tickets", NEW, idempotency_key="job-7") for _ in range(2)))
        assert {answer.json()["number"] for answer in (first, *both)} == {first.json()["number"]}
        assert all(answer.status_code == 201 and answer.headers["idempotency-replayed"] == "true" for answer in both)
        assert len(await site.tickets()) == 1

    async def test_the_same_key_with_another_body_is_refused(self, site: Site, program: Program) -> None:
        await program.post("/tickets", NEW, idempotency_key="job-7")
        problem(await program.post("/tickets", {**NEW, "text": "another"}, idempotency_key="job-7"), 409, "idempotency_mismatch")
        assert len(await site.tickets()) == 1

    async def test_the_same_key_of_another_program_is_another_request(self, site: Site, program: Program) -> None:
        other = Program(site.client, await token(site.desk, "write"))
        await program.post("/tickets", NEW, idempotency_key="job-7")
        await other.post("/tickets", NEW, idempotency_key="job-7")
        assert len(await site.tickets()) == 2

    async def test_its_inbox_is_made_once_however_many_programs_begin_at_once(self, site: Site, program: Program) -> None:
        answers = await asyncio.gather(*(program.post("/tickets", {**NEW, "text": f"request {place}"}) for place in range(4)))
        assert {answer.status_code for answer in answers} == {201}
        async with site.desk.database.read() as session:
            assert len((await session.scalars(select(Inbox).where(Inbox.channel == "api"))).all()) == 1

    @pytest.mark.parametrize(
        ("change", "field"),
        [
            ({"text": ""}, "text"),
            ({"text": None}, "text"),
            ({"contact": {"name": ""}}, "contact.name"),
            ({"contact": {"name": "A", "email": "no"}}, "contact.email"),
            ({"unknown": 1}, "unknown"),
            ({"category": "no.such"}, "field"),
        ],
    )
    async def test_what_does_not_fit_is_named(self, site: Site, program: Program, change: dict[str, Any], field: str) -> None:
        assert field in problem(await program.post("/tickets", {**NEW, **change}), 422, "invalid")["fields"]
        assert await site.tickets() == []

    async def test_a_body_that_is_no_json_is_refused(self, site: Site, program: Program) -> None:
        answer = await site.client.post(
            "/api/v1/tickets", content=b"{", headers={"authorization": f"Bearer {program.token}", "content-type": "application/json"}
        )
        problem(answer, 422, "invalid")


class TestReading:
    async def test_requests_come_page_by_page_oldest_first(self, site: Site, program: Program) -> None:
        for place in range(5):
            await program.post("/tickets", {**NEW, "text": f"request number {place}"})
        seen: list[int] = []
        after = ""
        while True:
            page = (await program.get("/tickets", limit=2, after=after)).json()
            seen += [one["number"] for one in page["items"]]
            assert len(page["items"]) <= 2
            if page["next"] is None:
                break
            after = page["next"]
        assert seen == sorted(seen)
        assert len(seen) == 5

    async def test_filters_narrow_the_list(self, site: Site, program: Program) -> None:
        await program.post("/tickets", NEW)
        await site.request()
        assert [one["channel"] for one in (await program.get("/tickets", channel="webform")).json()["items"]] == ["webform"]
        assert len((await program.get("/tickets", status="new")).json()["items"]) == 2
        assert (await program.get("/tickets", status="closed")).json() == {"items": [], "next": None}

    @pytest.mark.parametrize("params", [{"limit": 201}, {"limit": 0}, {"status": "lost"}, {"after": "x"}, {"channel": "fax"}])
    async def test_a_wrong_filter_is_refused(self, site: Site, program: Program, params: dict[str, Any]) -> None:
        problem(await program.get("/tickets", **params), 422, "invalid")

    async def test_an_unknown_number_or_address_is_not_there(self, site: Site, program: Program) -> None:
        problem(await program.get("/tickets/999999"), 404, "not_found")
        problem(await program.get("/tickets/999999/messages"), 404, "not_found")
        problem(await program.get("/nowhere"), 404, "not_found")


class TestWriting:
    async def test_an_operator_answers_and_notes_and_the_requester_writes(self, site: Site, program: Program) -> None:
        await site.agent()
        number = (await program.post("/tickets", NEW)).json()["number"]
        path = f"/tickets/{number}/messages"
        answer = await program.post(path, {"text": "On my way.", "by": "boris@desk.example"})
        note = await program.post(path, {"text": "third time this week", "by": "boris@desk.example", "note": True})
        thanks = await program.post(path, {"text": "Thank you.", "by": "contact"})
        assert [one.status_code for one in (answer, note, thanks)] == [201, 201, 201]
        assert (answer.json()["direction"], answer.json()["author"]) == ("outbound", "Boris Petrov")
        assert note.json()["direction"] == "note"
        assert (thanks.json()["direction"], thanks.json()["author"]) == ("inbound", "Anna Orlova")
        story = (await program.get(path)).json()["items"]
        assert {"On my way.", "third time this week", "Thank you."} <= {one["text"] for one in story}
        first = (await program.get(path, limit=1)).json()
        rest = (await program.get(path, after=first["next"])).json()
        assert [one["id"] for one in [*first["items"], *rest["items"]]] == [one["id"] for one in story]

    async def test_the_same_key_writes_once(self, site: Site, program: Program) -> None:
        number = (await program.post("/tickets", NEW)).json()["number"]
        ids = {
            (await program.post(f"/tickets/{number}/messages", {"text": "once"}, idempotency_key="m-1")).json()["id"] for _press in range(2)
        }
        assert len(ids) == 1

    async def test_an_unknown_operator_answers_nobody(self, site: Site, program: Program) -> None:
        number = (await program.post("/tickets", NEW)).json()["number"]
        problem(await program.post(f"/tickets/{number}/messages", {"text": "x", "by": "nobody@desk.example"}), 404, "not_found")


class TestTakingBack:
    async def test_an_answer_that_waits_is_taken_back_once(self, site: Site, program: Program) -> None:
        number, waiting = await self.answered(site, program, timedelta(hours=1))
        path = f"/tickets/{number}/messages/{waiting}"
        taken = await program.delete(path)
        assert (taken.status_code, taken.json()) == (200, {"ticket": number, "text": "On my way.", "files": []})
        assert "On my way." not in {one["text"] for one in (await program.get(f"/tickets/{number}/messages")).json()["items"]}
        problem(await program.delete(path), 404, "not_found")

    async def test_one_that_does_not_wait_is_on_its_way(self, site: Site, program: Program) -> None:
        number, gone = await self.answered(site, program, timedelta())
        problem(await program.delete(f"/tickets/{number}/messages/{gone}"), 409, "already_left")

    async def test_it_belongs_to_its_request_and_an_operator_takes_it_back(self, site: Site, program: Program) -> None:
        number, waiting = await self.answered(site, program, timedelta(hours=1))
        other = (await program.post("/tickets", NEW)).json()["number"]
        for path in (f"/tickets/{other}/messages/{waiting}", f"/tickets/{number}/messages/none", f"/tickets/{number}/messages/{new_id()}"):
            assert (await program.delete(path)).status_code in (404, 422)
        problem(await program.delete(f"/tickets/{number}/messages/{waiting}?by=nobody@desk.example"), 404, "not_found")
        assert (await program.delete(f"/tickets/{number}/messages/{waiting}?by=boris@desk.example")).status_code == 200

    async def test_a_reader_takes_nothing_back(self, site: Site, program: Program) -> None:
        number, waiting = await self.answered(site, program, timedelta(hours=1))
        reader = Program(site.client, await token(site.desk, "read"))
        problem(await reader.delete(f"/tickets/{number}/messages/{waiting}"), 403, "scope_needed")

    @staticmethod
    async def answered(site: Site, program: Program, wait: timedelta) -> tuple[int, str]:
        agent = await site.agent()
        made = (await program.post("/tickets", NEW)).json()
        ctx = await site.desk.context()
        async with site.desk.database.unit() as uow:
            message = await tickets.reply(uow, ctx, made["id"], by=agent, text="On my way.", window={"api": wait})
        return made["number"], message.id


class TestCorrecting:
    async def test_an_own_answer_in_a_chat(self, site: Site, program: Program) -> None:
        number, said = await self.sent(site, program)
        path = f"/tickets/{number}/messages/{said}"
        changed = await program.patch(path, {"by": "boris@desk.example", "text": "At six."})
        assert (changed.status_code, changed.json()["id"], changed.json()["deleted_at"]) == (202, said, None)
        assert (await program.patch(path, {"by": "boris@desk.example", "deleted": True})).status_code == 202
        kept = await self.read(program, number, said)
        for _try in range(500):
            if kept["deleted_at"] is not None:
                break
            await asyncio.sleep(0.02)
            kept = await self.read(program, number, said)
        assert (kept["text"], [one["text"] for one in kept["versions"]]) == ("At six.", ["On my way."])

    async def test_is_for_its_author_where_the_channel_can(self, site: Site, program: Program) -> None:
        other = (await program.post("/tickets", NEW)).json()["number"]
        number, said = await self.sent(site, program)
        path = f"/tickets/{number}/messages/{said}"
        await site.agent("Vera", email="vera@desk.example")
        problem(await program.patch(path, {"by": "vera@desk.example", "text": "At six."}), 409, "unchangeable")
        problem(await program.patch(path, {"by": "nobody@desk.example", "text": "At six."}), 404, "not_found")
        for wrong in ({"by": "boris@desk.example"}, {"by": "boris@desk.example", "text": "x", "deleted": True}):
            assert (await program.patch(path, wrong)).status_code == 422
        problem(await program.patch(f"/tickets/{other}/messages/{said}", {"by": "boris@desk.example", "text": "x"}), 404, "not_found")
        reader = Program(site.client, await token(site.desk, "read"))
        problem(await reader.patch(path, {"by": "boris@desk.example", "text": "x"}), 403, "scope_needed")
        async with site.desk.database.unit() as uow:
            await uow.execute(update(Inbox).values(channel="email"))
        problem(await program.patch(path, {"by": "boris@desk.example", "deleted": True}), 409, "unchangeable")

    @staticmethod
    async def sent(site: Site, program: Program) -> tuple[int, str]:
        """An operator's answer that has been delivered into a chat."""
        number, message_id = await TestTakingBack.answered(site, program, timedelta())
        async with site.desk.database.unit() as uow:
            message = await uow.session.get_one(Message, message_id)
            message.delivery_state, message.external_id = "sent", "7001:5"
            inbox = await uow.session.get_one(Inbox, message.inbox_id)
            inbox.channel = "telegram"
            await uow.flush()
            site.desk._channels[inbox.id] = (inbox.version, FakeChannel())
        return number, message_id

    @staticmethod
    async def read(program: Program, number: int, message_id: str) -> dict[str, Any]:
        found = (await program.get(f"/tickets/{number}/messages")).json()["items"]
        return next(one for one in found if one["id"] == message_id)


async def test_the_interface_describes_itself_with_examples(site: Site) -> None:
    described = (await site.client.get("/api/v1/openapi.json")).json()
    assert set(described["paths"]) == {
        "/api/v1/tickets",
        "/api/v1/tickets/{number}",
        "/api/v1/tickets/{number}/joins",
        "/api/v1/tickets/{number}/joins/{join_id}/undo",
        "/api/v1/tickets/{number}/messages",
        "/api/v1/tickets/{number}/messages/{message_id}",
    }
    created = described["paths"]["/api/v1/tickets"]["post"]["responses"]["201"]["content"]["application/json"]["example"]
    assert created["number"] == 1042
    assert described["components"]["schemas"]["NewTicket"]["examples"]


class TestJoins:
    async def test_are_listed_and_undone_once(self, site: Site, program: Program) -> None:
        first = (await program.post("/tickets", NEW)).json()["number"]
        other = {**NEW, "contact": {"name": "Vera", "email": "vera@company.example", "language": "en"}}
        second = (await program.post("/tickets", other)).json()["number"]
        async with site.desk.database.unit() as uow:
            into = await uow.scalar(select(Ticket.contact_id).where(Ticket.number == first))
            whose = await uow.scalar(select(Contact).join(Ticket, Ticket.contact_id == Contact.id).where(Ticket.number == second))
            assert into is not None
            assert whose is not None
            await joining.join(uow, await site.desk.context(), whose, into=into, reason="email")
        (one,) = (await program.get(f"/tickets/{first}/joins")).json()["items"]
        assert (one["joined"], one["reason"], one["undone_at"]) == ("Vera", "email", None)
        undo = f"/tickets/{first}/joins/{one['id']}/undo"
        reader = Program(site.client, await token(site.desk, "read"))
        problem(await reader.post(undo, {}), 403, "scope_needed")
        (undone,) = (await program.post(undo, {})).json()["items"]
        assert undone["undone_by"] == "monitoring"
        assert (await program.get(f"/tickets/{second}")).json()["contact"]["name"] == "Vera"
        problem(await program.post(undo, {}), 409, "join_already_undone")
