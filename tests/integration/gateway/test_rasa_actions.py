"""`priyom actions` as a Rasa server meets it: real HTTP to a process of its own, and requests in the desk."""

import asyncio
import os
import socket
import sys
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest
from sqlalchemy import select

from desk_core.kit.clock import SystemClock
from desk_core.tickets.entities import Ticket
from tests.integration.gateway.conftest import SmallDesk

PROGRAM = "from gateway.cli import main; main()"


@pytest.fixture
async def served(desk: SmallDesk, database_url: str) -> AsyncIterator[httpx2.AsyncClient]:
    """The action server of this desk, while a worker of the desk runs here."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    told = {"PRIYOM_HOME": str(desk.settings.home), "PRIYOM_DATABASE__URL": database_url, "PRIYOM_SECRET_KEY": "k" * 40}
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
            yield client
    finally:
        working.cancel()
        process.terminate()
        await process.wait()


def call(action: str, *said: tuple[str, str], **slots: str) -> dict[str, Any]:
    """A call as Rasa sends it, after these messages and their intents."""
    events = [
        {"event": "user", "text": text, "timestamp": 100.0 + at, "parse_data": {"intent": {"name": intent}}}
        for at, (text, intent) in enumerate(said)
    ]
    tracker = {"sender_id": "anna", "slots": {"language": "en", **slots}, "latest_message": {}, "events": events, "active_loop": {}}
    return {"next_action": action, "sender_id": "anna", "tracker": tracker, "domain": {}}


async def says(client: httpx2.AsyncClient, body: dict[str, Any]) -> list[str]:
    answer = await client.post("/webhook", json=body)
    assert answer.status_code == 200, answer.text
    return [one["text"] for one in answer.json()["responses"]]


async def tickets(desk: SmallDesk) -> list[Ticket]:
    async with desk.database.read() as session:
        return list(await session.scalars(select(Ticket).order_by(Ticket.number)))


async def test_a_rasa_dialogue_reaches_the_desk(desk: SmallDesk, served: httpx2.AsyncClient) -> None:
    story = ("the printer on the third floor jams", "hardware.printer")
    shown = await says(served, call("action_suggest_articles", story))
    assert len(shown) == 2
    assert "jam" in shown[1].lower()
    assert "number" not in (await says(served, call("action_ticket_status", story)))[0]

    filled = call("action_create_ticket", story, ("all of us", "add_details"), printer_trouble="jam", affected="group", location="unknown")
    said = await says(served, filled)
    [ticket] = await tickets(desk)
    assert f"#{ticket.number}" in said[0]
    assert (ticket.category_key, ticket.channel) == ("hardware.printer", "api")

    assert await says(served, filled) == said
    assert len(await tickets(desk)) == 1

    [state] = await says(served, call("action_ticket_status", story, ("what about it", "status")))
    assert f"#{ticket.number}" in state

    asked = call("action_hand_over", story, ("let me talk to a person", "human"))
    [handed] = await says(served, asked)
    assert await says(served, asked) == [handed]
    [same] = await tickets(desk)
    assert f"#{ticket.number}" in handed
    assert same.hand_over["reason"] == "person_asked"


async def test_a_person_without_a_request_who_wants_people_gets_one(desk: SmallDesk, served: httpx2.AsyncClient) -> None:
    [handed] = await says(served, call("action_hand_over", ("let me talk to a person", "human")))
    [ticket] = await tickets(desk)
    assert f"#{ticket.number}" in handed


async def test_answers_that_went_into_a_request_are_forgotten(served: httpx2.AsyncClient) -> None:
    answer = await served.post(
        "/webhook", json=call("action_create_ticket", ("the printer jams", "hardware.printer"), printer_trouble="jam")
    )
    events = answer.json()["events"]
    assert [(one["name"], one["value"]) for one in events] == [("printer_trouble", None)]
