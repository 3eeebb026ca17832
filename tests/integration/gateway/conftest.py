"""A whole desk without a web server: real store, real flows, a fake channel, and time that moves when told."""

import logging
import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import structlog
from sqlalchemy import select

from channels.email.intake import InboxAddress, MailIntake
from channels.email.rules import NONE, Rules
from channels.email.sandbox.mailbox import Opened
from desk_core.conversations.entities import Inbox, Message, RawInbound
from desk_core.conversations.ports import Channel, ChannelKind, InboundFile, InboundKind, InboundMessage, OutboundMessage, Sender
from desk_core.kit.clock import FakeClock
from desk_core.kit.ids import new_id
from desk_core.people import service as people
from desk_core.people.entities import Agent
from desk_core.people.permissions import Role
from desk_core.tickets import service as tickets
from desk_core.tickets.entities import Ticket, TicketEvent
from gateway import inboxes
from gateway.bootstrap import Desk
from gateway.mail import sandbox_of
from gateway.settings import Settings
from gateway.understanding import Understanding
from models.encoder import NullEncoder
from tests.fakes.channel import FakeChannel
from tests.fakes.shelf import shelved_once


@pytest.fixture(autouse=True, scope="session")
def quiet() -> None:
    """Failures are provoked here by the dozen; their coloured tracebacks would take longer than the tests."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))


@pytest.fixture
def preset_in() -> str:
    return "ru"


class SmallDesk(Desk):
    """A desk whose one chat inbox speaks through a fake channel."""

    def __init__(self, settings: Settings, *, clock: FakeClock) -> None:
        super().__init__(settings, clock=clock)
        # Words alone are enough here, and building this a hundred times with the encoder is not.
        self.understanding = Understanding(self.database, self.registry, clock=clock, encoder=NullEncoder(), shelved=shelved_once)
        self.fake = FakeChannel()

    async def channel(self, inbox_id: str, *, version: int = 0) -> Channel | None:
        return self.fake


async def everything(desk: SmallDesk) -> str:
    """All that is kept of what was written, as it came and as it is shown: where a secret must not be."""
    async with desk.database.read() as session:
        shown = (await session.execute(select(Message.text, Message.original_text, Message.card))).all()
        return repr([*shown, *(await session.scalars(select(RawInbound.body))).all()])


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
    yield made
    await made.close()
    shutil.rmtree(tmp_path / "blobs", ignore_errors=True)


@pytest.fixture
def at_the_shell(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What commands find in their environment: this store, a home and a key."""
    for name, value in (("HOME", str(tmp_path)), ("DATABASE__URL", database_url), ("LOG__LEVEL", "error"), ("SECRET_KEY", "k" * 40)):
        monkeypatch.setenv(f"PRIYOM_{name}", value)


@pytest.fixture
async def chat(desk: SmallDesk) -> Chat:
    config, sealed = inboxes.new_bot(desk.box, inboxes.BotOptions(token="100200300:" + "x" * 35))
    async with desk.database.unit() as uow:
        inbox = await inboxes.add(
            uow, name="chat", channel=ChannelKind.TELEGRAM, address="bot", language="ru", config=config, sealed=sealed, clock=desk.clock
        )
    return Chat(desk, inbox)


VERA = "vera@example.com"


class MailDesk(SmallDesk):
    """A desk whose mail goes into the sandbox."""

    async def channel(self, inbox_id: str, *, version: int = 0) -> Channel | None:
        return await Desk.channel(self, inbox_id, version=version)


@dataclass
class Post:
    """Mail comes in as it does from the listener, and what goes out is opened."""

    desk: MailDesk
    inbox: Inbox
    agent: Agent
    written: int = field(default=0)
    rules: Rules = NONE

    async def comes(self, head: str, body: str, *, envelope_from: str = VERA, to: str = "help@desk.example") -> None:
        """A mail arrives, and the desk handles everything that is ready."""
        intake = MailIntake(blobs=self.desk.blobs, secret=self.desk.key, clock=self.desk.clock)
        raw = f"{head}\nTo: {to}\n\n{body}".replace("\n", "\r\n").encode()
        address = InboxAddress(self.inbox.id, self.inbox.address, rules=self.rules)
        await intake.take(raw, inbox=address, accept=self.desk.accept, envelope_from=envelope_from, envelope_to=(to,))
        await self.desk.worker().drain()

    async def vera_writes(self, text: str = "Не печатает принтер в приёмной, помогите, пожалуйста.", *, headers: str = "") -> None:
        self.written += 1
        await self.comes(f"From: Вера <{VERA}>\nSubject: Принтер\nMessage-ID: <v{self.written}@example.com>{headers}", text)

    async def answers(self, text: str = "Уже идём.", **options: Any) -> Message:
        """The operator answers; it is not delivered yet."""
        ticket = await self.ticket()
        ctx = await self.desk.context()
        async with self.desk.database.unit() as uow:
            return await tickets.reply(uow, ctx, ticket.id, by=self.agent, text=text, **options)

    async def letters(self) -> list[Opened]:
        """What was sent, oldest first."""
        sandbox = sandbox_of(self.desk.settings, self.desk.clock)
        found = [await sandbox.open(letter.id) for letter in reversed(await sandbox.letters())]
        return [letter for letter in found if letter is not None]

    async def ticket(self) -> Ticket:
        async with self.desk.database.read() as session:
            return (await session.scalars(select(Ticket))).one()

    async def message(self, message_id: str) -> Message:
        async with self.desk.database.read() as session:
            return await session.get_one(Message, message_id)

    async def happened(self) -> list[str]:
        async with self.desk.database.read() as session:
            return list((await session.scalars(select(TicketEvent.kind).order_by(TicketEvent.id))).all())


@pytest.fixture
async def post(database_url: str, tmp_path: Path, clock: FakeClock) -> AsyncIterator[Post]:
    settings = Settings(home=tmp_path, secret_key="k" * 40, database={"url": database_url}, work={"burst_seconds": 0})
    desk = MailDesk(settings, clock=clock)
    async with desk.database.unit() as uow:
        inbox = await inboxes.add(
            uow, name="mail", channel=ChannelKind.EMAIL, address="help@desk.example", language="ru", config={}, sealed=None, clock=clock
        )
        agent = await people.add_agent(
            uow, email="olga@desk.example", name="Ольга", password_hash="", role=Role.AGENT, language="ru", time_zone="Europe/Moscow",
            team_keys=["service_desk"], now=clock.now(),
        )  # fmt: skip
    yield Post(desk, inbox, agent)
    await desk.close()
