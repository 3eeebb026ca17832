"""Held messages: listed, taken up or left, one by one or many at once."""

import html
import re
from datetime import timedelta

import pytest
from sqlalchemy import select

from desk_core.conversations.entities import Message, RawInbound
from desk_core.kit.clock import FakeClock
from desk_core.kit.db import Database
from desk_core.kit.ids import new_id
from desk_core.lanes.entities import WorkItem
from desk_core.people.entities import AuditEntry
from tests.factories.desk import DeskFactory
from tests.fakes.queries import QueryRecorder
from tests.integration.console.conftest import Browser, LogIn


class TestOne:
    """What opened no request by itself is a list of its own, to be taken up or left."""

    async def test_is_listed_newest_first_page_by_page_with_its_reason(self, console: Browser, make: DeskFactory, clock: FakeClock) -> None:
        assert 'href="/console?view=held"' not in (await console.get("/console?view=mine")).text, "an empty list of it is not in the way"
        conversation = await make.conversation(await make.contact("Robot", channel="email"), channel="email")
        for number in range(60):
            clock.advance(timedelta(seconds=1))
            await make.says(conversation, f"Night report {number}", hold="held", verdict_code="automatic", at=clock.now())
        page = (await console.get("/console?view=held")).text
        assert page.count("held: written by a machine") == 50
        assert page.index("Night report 59") < page.index("Night report 10")
        assert "Night report 9<" not in page
        after = html.unescape(re.search(r'href="(/console\?view=held&amp;after=[^"]+)"', page)[1])  # type: ignore[index]
        rest = (await console.get(after)).text
        assert rest.count("held: written by a machine") == 10
        assert "Night report 9<" in rest
        assert 'class="view" href="/console?view=held"' in (await console.get("/console?view=mine")).text

    async def test_is_left_once(self, console: Browser, make: DeskFactory, database: Database) -> None:
        console.headers["Origin"] = "http://testserver"
        conversation = await make.conversation(await make.contact("Robot", channel="email"), channel="email")
        message = await make.says(conversation, "Night report", hold="held", verdict_code="automatic")
        told = (await console.get(f"/console/conversations/{conversation.id}?view=held")).text
        assert f"/console/messages/{message.id}/release" in told
        assert "Bot speaks" not in told
        answer = await console.post(f"/console/messages/{message.id}/leave")
        assert answer.status_code == 303
        assert "Left as it is: nobody is answered." in (await console.get(answer.headers["Location"])).text
        after = (await console.get(f"/console/conversations/{conversation.id}?view=held")).text
        assert re.search(r"Left without an answer by \w+", after)
        async with database.read() as session:
            assert (await session.scalars(select(AuditEntry.action).where(AuditEntry.subject == message.id))).all() == ["message.leave"]
        assert "Night report" not in (await console.get("/console/list?view=held")).text
        again = await console.post(f"/console/messages/{message.id}/leave")
        assert again.status_code == 409
        assert "Somebody has dealt with this message already." in again.text

    @pytest.mark.parametrize(("address", "ruled"), [("robot@a.example", True), ("unknown@invalid", False)])
    async def test_each_answer_says_what_becomes_of_the_senders_other_mail(
        self, console: Browser, make: DeskFactory, address: str, ruled: bool
    ) -> None:
        conversation = await make.conversation(await make.contact("Robot", channel="email"), channel="email")
        letter = {"external_id": "<1@a.example>", "meta": {"address": address}}
        await make.says(conversation, "Night report", hold="held", verdict_code="automatic", **letter)
        told = (await console.get(f"/console/conversations/{conversation.id}?view=held")).text
        offered = [f"and from now on {what} all mail from {address}" in told for what in ("take up", "hold")]
        assert offered == [ruled, ruled]

    async def test_a_forged_one_says_so_above_its_words_and_makes_no_rule(self, console: Browser, make: DeskFactory) -> None:
        console.headers["Origin"] = "http://testserver"
        conversation = await make.conversation(channel="email")
        trust = {"verdict": "forged", "policy": "reject", "reasons": [["spf_fail", "a.example"], ["dkim_none", ""]]}
        message = await make.says(
            conversation, "Close it", hold="held", verdict_code="forged_sender", card={"trust": trust}, meta={"address": "boris@a.example"}
        )
        assert "held: the sender is not proven" in (await console.get("/console?view=held")).text
        told = (await console.get(f"/console/conversations/{conversation.id}?view=held")).text
        assert told.index("Sender not proven: SPF fails, no DKIM signature (policy reject)") < told.rindex("Close it")
        assert "and from now on" not in told
        refused = await console.post(f"/console/messages/{message.id}/leave", data={"always": "1"})
        assert refused.status_code == 409


class TestMany:
    """Selected in the list, dealt with at once."""

    @pytest.fixture(autouse=True)
    def of_this_desk(self, console: Browser) -> None:
        console.headers["Origin"] = "http://testserver"

    async def held(self, make: DeskFactory, count: int) -> list[Message]:
        """Mail of a robot as intake keeps it, oldest first."""
        conversation = await make.conversation(await make.contact("Robot", channel="email"), channel="email")
        kept = []
        for number in range(count):
            make.clock.advance(timedelta(seconds=1))  # type: ignore[attr-defined] - the clock of a test
            message = await make.says(conversation, f"Night report {number}", hold="held", verdict_code="automatic")
            raw = RawInbound(
                id=new_id(), inbox_id=message.inbox_id, external_id=message.external_id, lane="in:email:robot", body={"held": True},
                raw=None, raw_blob=None, request_id="", received_at=make.clock.now(), state="done", message_id=message.id,
            )  # fmt: skip
            async with make.database.unit() as uow:
                uow.add(raw)
            kept.append(message)
        return kept

    async def holds(self, database: Database) -> list[str]:
        async with database.read() as session:
            return [str(hold) for hold in await session.scalars(select(Message.hold).order_by(Message.at))]

    async def test_what_was_selected_is_left_and_can_be_held_again(self, console: Browser, make: DeskFactory, database: Database) -> None:
        first, second, _third = await self.held(make, 3)
        page = (await console.get("/console?view=held")).text
        assert page.count("data-pick") == 3
        picked = [first.id, second.id]
        left = await console.post("/console/held", data={"act": "leave", "message": picked})
        assert left.status_code == 200
        assert "2 messages left without an answer." in left.text
        assert left.text.count("data-pick") == 1, "the list is shown as it is now"
        assert await self.holds(database) == ["left", "left", "held"]
        undone = re.findall(r'type="hidden" name="message" value="([^"]+)"', left.text)
        assert undone == picked
        back = await console.post("/console/held", data={"act": "hold", "message": undone})
        assert "2 messages are held again." in back.text
        assert await self.holds(database) == ["held"] * 3
        async with database.read() as session:
            noted = (await session.execute(select(AuditEntry.action, AuditEntry.subject).order_by(AuditEntry.at, AuditEntry.id))).all()
        assert sorted(map(tuple, noted)) == sorted((act, ident) for act in ("message.leave", "message.hold") for ident in picked)

    async def test_what_was_selected_goes_to_the_bot_as_it_came(self, console: Browser, make: DeskFactory, database: Database) -> None:
        kept = await self.held(make, 3)
        page = (await console.get("/console?view=held")).text
        assert "This cannot be undone." in page, "taking up asks first"
        taken = await console.post("/console/held", data={"act": "release", "message": [message.id for message in reversed(kept)]})
        assert "3 messages taken up: their senders are answered." in taken.text
        assert "Nothing is held" in taken.text
        assert 'value="hold"' not in taken.text
        async with database.read() as session:
            raws = {raw.id: raw for raw in await session.scalars(select(RawInbound))}
            work = list(await session.scalars(select(WorkItem).order_by(WorkItem.id)))
        assert [raws[item.payload["raw_id"]].message_id for item in work] == [message.id for message in kept], "in the order they came"
        assert {raw.body["held"] for raw in raws.values()} == {False}

    async def test_what_somebody_dealt_with_meanwhile_is_told_and_left_alone(
        self, console: Browser, make: DeskFactory, database: Database
    ) -> None:
        first, second = await self.held(make, 2)
        await console.post(f"/console/messages/{first.id}/leave")
        both = {"act": "release", "message": [first.id, second.id]}
        told = (await console.post("/console/held", data=both)).text
        assert "1 message taken up: its sender is answered. 1 was dealt with by somebody else meanwhile." in told
        assert await self.holds(database) == ["left", "released"]
        again = (await console.post("/console/held", data=both)).text
        assert "taken up" not in re.sub(r"<dialog.*", "", again, flags=re.DOTALL).split('class="views"')[0]
        assert "2 were dealt with by somebody else meanwhile." in again

    async def test_only_whoever_left_it_undoes_that(self, console: Browser, make: DeskFactory, log_in: LogIn, database: Database) -> None:
        (message,) = await self.held(make, 1)
        await console.post(f"/console/messages/{message.id}/leave")
        other = await log_in(await make.agent("Igor Orlov"))
        await other.post("/console/held", data={"act": "hold", "message": [message.id]}, headers={"Origin": "http://testserver"})
        assert await self.holds(database) == ["left"]

    @pytest.mark.parametrize(
        ("typed", "status"),
        [
            ({"act": "leave"}, 200),
            ({"act": "burn"}, 422),
            ({}, 422),
            ({"act": "leave", "message": "../../etc"}, 422),
            ({"act": "leave", "message": [new_id() for _ in range(201)]}, 422),
            ({"act": "leave", "message": new_id()}, 200),
        ],
    )
    async def test_what_is_no_choice_changes_nothing(
        self, console: Browser, make: DeskFactory, database: Database, typed: dict[str, object], status: int
    ) -> None:
        await self.held(make, 1)
        assert (await console.post("/console/held", data=typed)).status_code == status
        assert await self.holds(database) == ["held"]

    async def test_a_page_from_elsewhere_decides_nothing(self, console: Browser, make: DeskFactory, database: Database) -> None:
        (message,) = await self.held(make, 1)
        sent = {"act": "leave", "message": message.id}
        assert (await console.post("/console/held", data=sent, headers={"Origin": "http://evil.example"})).status_code == 403
        assert await self.holds(database) == ["held"]

    async def test_costs_no_more_statements_for_many(self, console: Browser, make: DeskFactory, query_recorder: QueryRecorder) -> None:
        kept = await self.held(make, 60)
        with query_recorder(make.database) as few:
            await console.post("/console/held", data={"act": "leave", "message": [kept[0].id]})
        with query_recorder(make.database) as many:
            await console.post("/console/held", data={"act": "leave", "message": [message.id for message in kept[1:]]})
        assert len(many) == len(few)
