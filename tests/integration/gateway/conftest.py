"""A whole desk without a web server: real store, real flows, a fake channel, and time that moves when told."""

import logging
import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import structlog

import presets
from desk_core.catalogue.install import install
from desk_core.catalogue.presets import load_preset
from desk_core.conversations.entities import Inbox
from desk_core.conversations.ports import Channel, ChannelKind, InboundFile, InboundKind, InboundMessage, OutboundMessage, Sender
from desk_core.kit.clock import FakeClock
from desk_core.kit.ids import new_id
from gateway import inboxes
from gateway.bootstrap import Desk
from gateway.settings import Settings
from gateway.understanding import Understanding
from models.encoder import NullEncoder
from tests.fakes.channel import FakeChannel

PRESET = load_preset(Path(presets.__file__).parent / "it_service_desk")


@pytest.fixture(autouse=True, scope="session")
def quiet() -> None:
    """Failures are provoked here by the dozen; their coloured tracebacks would take longer than the tests."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))


class SmallDesk(Desk):
    """A desk whose one chat inbox speaks through a fake channel."""

    def __init__(self, settings: Settings, *, clock: FakeClock) -> None:
        super().__init__(settings, clock=clock)
        # Words alone are enough here, and building this a hundred times with the encoder is not.
        self.understanding = Understanding(self.database, self.registry, clock=clock, encoder=NullEncoder())
        self.fake = FakeChannel()

    async def channel(self, inbox_id: str) -> Channel | None:
        return self.fake


@dataclass
class Chat:
    """A person in the chat inbox."""

    desk: SmallDesk
    inbox: Inbox
    address: str = "7001"
    said: int = 0

    async def says(self, text: str = "", **more: Any) -> InboundMessage:
        """Accept one message and let the desk handle everything that is ready."""
        message = self.message(text, **more)
        await self.desk.accept(self.inbox.id, message)
        await self.desk.worker().drain()
        return message

    def message(self, text: str = "", **more: Any) -> InboundMessage:
        self.said += 1
        base: dict[str, Any] = {
            "kind": InboundKind.MESSAGE,
            "external_id": new_id(),
            "lane": f"in:{self.inbox.id}:{self.address}",
            "thread_key": self.address,
            "shown_id": f"{self.address}:{self.said}",
            "sender": Sender(address=self.address, name="Анна", language="ru"),
            "at": self.desk.clock.now(),
            "text": text,
        }
        return InboundMessage(**{**base, **more})

    async def presses(self, label: str) -> None:
        """Press the newest button of this label."""
        token = next(
            button.token
            for message in reversed(self.heard)
            for row in message.buttons
            for button in row
            if button.label == label and button.token
        )
        await self.says(kind=InboundKind.PRESS, button=token, callback_id=new_id())

    @property
    def heard(self) -> list[OutboundMessage]:
        return [message for message in self.desk.fake.sent if message.thread_key == self.address]

    def file(self, name: str, content: bytes, *, declared: str | None = None) -> InboundFile:
        remote = new_id()
        self.desk.fake.files[remote] = content
        return InboundFile(name=name, declared_type=declared, size=len(content), remote_id=remote)


@pytest.fixture
async def desk(database_url: str, tmp_path: Path, clock: FakeClock) -> AsyncIterator[SmallDesk]:
    """A desk with the shipped preset and no models, on both stores."""
    settings = Settings(
        home=tmp_path, secret_key="k" * 40, database={"url": database_url}, limits={"telegram_per_minute": 0}, work={"burst_seconds": 0}
    )
    made = SmallDesk(settings, clock=clock)
    async with made.database.unit() as uow:
        await install(uow, PRESET, language="ru", now=clock.now())
    yield made
    await made.close()
    shutil.rmtree(tmp_path / "blobs", ignore_errors=True)


@pytest.fixture
async def chat(desk: SmallDesk) -> Chat:
    config, sealed = inboxes.telegram_secrets(desk.box, token="100200300:" + "x" * 35, webhook=False)
    async with desk.database.unit() as uow:
        inbox = await inboxes.add(
            uow, name="chat", channel=ChannelKind.TELEGRAM, address="bot", language="ru", config=config, sealed=sealed, clock=desk.clock
        )
    return Chat(desk, inbox)
