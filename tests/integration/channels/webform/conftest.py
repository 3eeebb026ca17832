"""The form as a browser without JavaScript sees it: pages are fetched, read, filled in and posted."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, ClassVar

import httpx2
import pytest
from selectolax.lexbor import LexborHTMLParser, LexborNode
from sqlalchemy import select

from desk_core.conversations.entities import Inbox, Message
from desk_core.conversations.ports import ChannelKind
from desk_core.kit.clock import FakeClock
from desk_core.people import service as people
from desk_core.people.entities import Agent
from desk_core.people.permissions import Role
from desk_core.tickets.entities import Ticket
from gateway import inboxes
from gateway.app import create_app
from gateway.bootstrap import Desk
from gateway.settings import Settings
from gateway.understanding import Understanding
from nlu.understood import Tools
from tests.fakes.shelf import ENCODER, shelved_once

Files = list[tuple[str, tuple[str, bytes, str]]]


class WarmDesk(Desk):
    """A desk whose understanding (no models, the preset's articles) is built once for all tests: it is never changed by them."""

    known: ClassVar[dict[str, Tools]] = {}

    async def tools(self) -> Tools:
        if "tools" not in self.known:
            self.known["tools"] = await super().tools()
        return self.known["tools"]


@dataclass
class Page:
    """One answer of the desk, with what a person sees and what the browser would send back."""

    response: httpx2.Response
    html: LexborHTMLParser = field(init=False)

    def __post_init__(self) -> None:
        self.html = LexborHTMLParser(self.response.text)

    @property
    def status(self) -> int:
        return self.response.status_code

    @property
    def words(self) -> str:
        """What a person reads: scripts and hidden fields have no words."""
        return " ".join((self.html.body or self.html.root).text(separator=" ").split())  # type: ignore[union-attr]

    def all(self, selector: str) -> list[LexborNode]:
        return list(self.html.css(selector))

    def one(self, selector: str) -> LexborNode:
        found = self.all(selector)
        assert len(found) == 1, (selector, len(found), self.words[:300])
        return found[0]

    def values(self, form: str = "form[data-form]") -> dict[str, Any]:
        """What a browser would send of a form if its button were pressed now."""
        sent: dict[str, Any] = {}
        for node in self.one(form).css("input, select, textarea"):
            name, kind = node.attributes.get("name"), node.attributes.get("type", "")
            if not name or kind in ("file", "submit"):
                continue
            if kind in ("checkbox", "radio") and "checked" not in node.attributes:
                continue
            if node.tag == "select":
                chosen = [one for one in node.css("option") if "selected" in one.attributes]
                value = chosen[0].attributes.get("value", "") if chosen else ""
            elif node.tag == "textarea":
                value = node.text()
            else:
                value = node.attributes.get("value") or ""
            if name == "kept":
                sent.setdefault("kept", []).append(value)
            else:
                sent[name] = value
        return sent


@dataclass
class Site:
    """A person with a browser in front of the form `site`."""

    desk: Desk
    clock: FakeClock
    client: httpx2.AsyncClient
    inbox: Inbox

    async def get(self, path: str, **more: Any) -> Page:
        return Page(await self.client.get(path, **more))

    async def post(self, path: str, data: dict[str, Any], files: Files | None = None, **more: Any) -> Page:
        # Browsers send the whole form as multipart, a file field without a file included.
        empty: Files = [("files", ("", b"", "application/octet-stream"))]
        return Page(await self.client.post(path, data=data, files=files or empty, **more))

    async def filled(self, *, topic: str = "", **values: Any) -> dict[str, Any]:
        """Open the form, take the time a person takes, and fill it in."""
        page = await self.get("/f/site", params={"topic": topic} if topic else None)
        assert page.status == 200, page.words
        self.clock.advance(timedelta(seconds=20))
        person = {"name": "Anna Orlova", "text": "Printer 305 does not print since the morning.", "consent": "yes"}
        return {**page.values(), **person, **values}

    async def send(self, files: Files | None = None, **values: Any) -> Page:
        """The whole way: open, fill in, send, follow the redirect."""
        page = await self.post("/f/site", await self.filled(**values), files)
        return await self.follow(page)

    async def follow(self, page: Page) -> Page:
        while page.status == 303:
            page = await self.get(page.response.headers["location"].partition("#")[0])
        return page

    async def request(self, **values: Any) -> Ticket:
        """A request that was opened through the form."""
        files = values.pop("files", None)
        await self.send(files, **values)
        return (await self.tickets())[-1]

    async def tickets(self) -> list[Ticket]:
        async with self.desk.database.read() as session:
            return list((await session.scalars(select(Ticket).order_by(Ticket.number))).all())

    async def messages(self, ticket: Ticket | None = None) -> list[Message]:
        query = select(Message).order_by(Message.at, Message.id)
        async with self.desk.database.read() as session:
            return list((await session.scalars(query.where(Message.ticket_id == ticket.id) if ticket else query)).all())

    async def agent(self, name: str = "Boris Petrov", email: str = "boris@desk.example") -> Agent:
        async with self.desk.database.unit() as uow:
            return await people.add_agent(
                uow, email=email, name=name, password_hash="-", role=Role.AGENT, language="en",
                time_zone="Europe/Moscow", team_keys=["service_desk"], now=self.clock.now(),
            )  # fmt: skip


@pytest.fixture
def store() -> str:
    """Pages do not care which store is behind them; the one test that does asks for both itself."""
    return "sqlite"


@pytest.fixture
def preset_in() -> str:
    return "en"


@pytest.fixture
def limits() -> dict[str, int]:
    """Limits of the desk under test; a test may give its own."""
    return {}


@pytest.fixture
async def desk(database_url: str, tmp_path: Path, clock: FakeClock, limits: dict[str, int]) -> AsyncIterator[Desk]:
    settings = Settings(
        home=tmp_path,
        secret_key="k" * 40,
        database={"url": database_url},
        limits={"webform_per_hour": 0, "webform_per_day": 0, "attachment_mb": 1, **limits},
        http={"public_url": "http://desk.test", "trusted_proxies": "10.0.0.1"},
    )
    made = WarmDesk(settings, clock=clock)
    made.understanding = Understanding(made.database, made.registry, clock=clock, encoder=ENCODER, shelved=shelved_once)
    yield made
    await made.close()


@pytest.fixture
def own_articles() -> None:
    """For a test that writes down which article it means: the understanding is built anew, with the ids of this test's store."""
    WarmDesk.known.clear()


@pytest.fixture
async def worker(desk: Desk) -> AsyncIterator[None]:
    """The desk's worker at work beside the page, as in one process of the embedded desk; warm, so that no page waits for its models."""
    await desk.tools()
    working = desk.worker()
    task = asyncio.create_task(working.run())
    yield
    working.stop()
    await task


@pytest.fixture
async def idle_site(desk: Desk, clock: FakeClock) -> AsyncIterator[Site]:
    """The form of a desk on which nobody works: what is sent is stored and waits."""
    async with desk.database.unit() as uow:
        inbox = await inboxes.add(
            uow, name="site", channel=ChannelKind.WEBFORM, address="/f/site", language="en", config={}, sealed=None, clock=clock
        )
    app = await create_app(desk)
    transport = httpx2.ASGITransport(app=app, client=("10.0.0.9", 40000))
    async with httpx2.AsyncClient(transport=transport, base_url="http://desk.test", headers={"accept-language": "en"}) as client:
        yield Site(desk, clock, client, inbox)


@pytest.fixture
async def site(idle_site: Site, worker: None) -> Site:
    return idle_site
