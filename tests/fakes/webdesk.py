"""A desk for web tests: the real store, clock, signal, blobs and limits of one process, and the channels a test gives it."""

import asyncio
from pathlib import Path

from fastapi import FastAPI

import channels.webform
import gateway.console
from desk_core.catalogue import desk as catalogue
from desk_core.catalogue.desk import DeskConfig
from desk_core.context import Context
from desk_core.conversations.ports import Channel
from desk_core.kit.blobs import DirectoryBlobs
from desk_core.kit.clock import FakeClock
from desk_core.kit.db import Database
from desk_core.lanes.signal import LocalSignal
from gateway.auth import pages as log_in
from gateway.limits import RateLimits
from gateway.secret_box import SecretBox
from gateway.settings import Http, Settings
from gateway.understanding import Understanding
from gateway.web.setup import install
from models.encoder import NullEncoder
from models.registry import Registry
from tests.fakes.shelf import shelved_once
from tests.fakes.zone import Zone


class FakeWebDesk:
    """Implements `gateway.web.desk.WebDesk`."""

    def __init__(
        self, database: Database, *, clock: FakeClock, signal: LocalSignal, home: Path, public_url: str = "http://testserver"
    ) -> None:
        self.database = database
        self.clock = clock
        self.signal = signal
        self.blobs = DirectoryBlobs(home / "blobs")
        self.limits = RateLimits()
        self.settings = Settings(home=home, http=Http(public_url=public_url))
        self.key = b"a key of this desk"
        self.box = SecretBox(self.key)
        self.resolver = Zone()
        self.registry = Registry(home, secret="a secret of this desk")
        self.stopping = asyncio.Event()
        self.channels: dict[str, Channel] = {}
        # Words alone, and nothing trained: what pages show of understanding needs no more.
        self.understanding = Understanding(database, self.registry, clock=clock, encoder=NullEncoder(), shelved=shelved_once)
        self.public_url = public_url
        self._config: DeskConfig | None = None

    async def config(self) -> DeskConfig:
        if self._config is None:
            async with self.database.read() as session:
                self._config = await catalogue.load(session)
        return self._config

    async def channel(self, inbox_id: str, *, version: int = 0) -> Channel | None:
        return self.channels.get(inbox_id)

    async def context(self, request_id: str = "") -> Context:
        return Context(
            config=await self.config(), now=self.clock.now(), signal=self.signal, public_url=self.public_url, request_id=request_id
        )


def console_app(desk: FakeWebDesk) -> FastAPI:
    """Log-in and console, as the real application mounts them."""
    app = FastAPI(openapi_url=None)
    webform = Path(channels.webform.__file__).parent / "templates"
    install(app, desk, folders={"console": gateway.console.TEMPLATES, "webform": webform}, default_language="en")
    for router in (log_in.router, *gateway.console.routers):
        app.include_router(router)
    return app
