"""`priyom actions` as a Rasa server meets it: real HTTP to a process of its own, and requests in the desk."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import httpx2
import pytest
from sqlalchemy import select

from desk_core.kit.clock import FakeClock, SystemClock
from desk_core.kit.ids import new_id
from desk_core.people.entities import ContactIdentity
from desk_core.tickets.entities import Ticket
from gateway.settings import Settings
from tests.conftest import MONDAY
from tests.factories.desk import furnish
from tests.integration.gateway.conftest import SmallDesk
from tests.services import Stores
from tests.services.process import free_port

PROGRAM = "from gateway.cli import main; main()"


@dataclass
class Caller:
    """A person who speaks through Rasa, each test its own: starting the server takes ten seconds, so that one serves all tests."""

    desk: SmallDesk
    http: httpx2.AsyncClient
    name: str = field(default_factory=new_id)

    def call(self, action: str, *said: tuple[str, str], **slots: str) -> dict[str, Any]:
        """A call as Rasa sends it, after these messages and their intents."""
        events = [
            {"event": "user", "text": text, "timestamp": 100.0 + at, "parse_data": {"intent": {"name": intent}}}
            for at, (text, intent) in enumerate(said)
        ]
        tracker = {"sender_id": self.name, "slots": {"language": "en", **slots}, "latest_message": {}, "events": events, "active_loop": {}}
        return {"next_action": action, "sender_id": self.name, "tracker": tracker, "domain": {}}

    async def hears(self, body: dict[str, Any]) -> list[str]:
        answer = await self.http.post("/webhook", json=body)
        assert answer.status_code == 200, answer.text
        return [one["text"] for one in answer.json()["responses"]]

    async def tickets(self) -> list[Ticket]:
        mine = select(ContactIdentity.contact_id).where(ContactIdentity.address.contains(self.name))
        async with self.desk.database.read() as session:
            return list(await session.scalars(select(Ticket).where(Ticket.contact_id.in_(mine)).order_by(Ticket.number)))


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
async def served(
    request: pytest.FixtureRequest, stores: Stores, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[tuple[SmallDesk, httpx2.AsyncClient]]:
    """The action server of a desk, while a worker of the desk runs here."""
    url, home = await stores.furnished(request.param, "ru", partial(furnish, language="ru", now=MONDAY)), tmp_path_factory.mktemp("rasa")
    desk = SmallDesk(Settings(home=home, secret_key="k" * 40, database={"url": url}, work={"burst_seconds": 0}), clock=FakeClock(MONDAY))
    port = free_port()
    told = {"PRIYOM_HOME": str(home), "PRIYOM_DATABASE__URL": url, "PRIYOM_SECRET_KEY": "k" * 40}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", PROGRAM, "actions", "--port", str(port), env={**os.environ, **told}, stdout=asyncio.subprocess.DEVNULL
    )

    async def work() -> None:
        while True:
            desk.clock.set(SystemClock().now())  # the other process has the machine's time
            await desk.worker().drain()
            await asyncio.sleep(0.1)

    working = asyncio.create_task(work())
    try:
        async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=30) as client:
            for _ in range(400):
                try:
                    await client.get("/health")
                    break
                except httpx2.HTTPError:
                    assert process.returncode is None, "the action server ended"
                    await asyncio.sleep(0.1)
            yield desk, client
    finally:
        working.cancel()
        process.terminate()
        await process.wait()
        await desk.close()
        await stores.drop(url)


@pytest.fixture
def anna(served: tuple[SmallDesk, httpx2.AsyncClient]) -> Caller:
    return Caller(*served)


async def test_a_rasa_dialogue_reaches_the_desk(anna: Caller) -> None:
    story = ("the printer on the third floor jams", "hardware.printer")
    shown = await anna.hears(anna.call("action_suggest_articles", story))
    assert len(shown) == 2
    assert "jam" in shown[1].lower()
    assert "number" not in (await anna.hears(anna.call("action_ticket_status", story)))[0]

    answers = {"printer_trouble": "jam", "affected": "group", "location": "unknown"}
    filled = anna.call("action_create_ticket", story, ("all of us", "add_details"), **answers)
    said = await anna.hears(filled)
    [ticket] = await anna.tickets()
    assert f"#{ticket.number}" in said[0]
    assert (ticket.category_key, ticket.channel) == ("hardware.printer", "api")

    assert await anna.hears(filled) == said
    assert len(await anna.tickets()) == 1

    [state] = await anna.hears(anna.call("action_ticket_status", story, ("what about it", "status")))
    assert f"#{ticket.number}" in state

    asked = anna.call("action_hand_over", story, ("let me talk to a person", "human"))
    [handed] = await anna.hears(asked)
    assert await anna.hears(asked) == [handed]
    [same] = await anna.tickets()
    assert f"#{ticket.number}" in handed
    assert same.hand_over["reason"] == "person_asked"


async def test_a_person_without_a_request_who_wants_people_gets_one(anna: Caller) -> None:
    [handed] = await anna.hears(anna.call("action_hand_over", ("let me talk to a person", "human")))
    [ticket] = await anna.tickets()
    assert f"#{ticket.number}" in handed


async def test_answers_that_went_into_a_request_are_forgotten(anna: Caller) -> None:
    answer = await anna.http.post(
        "/webhook", json=anna.call("action_create_ticket", ("the printer jams", "hardware.printer"), printer_trouble="jam")
    )
    events = answer.json()["events"]
    assert [(one["name"], one["value"]) for one in events] == [("printer_trouble", None)]
