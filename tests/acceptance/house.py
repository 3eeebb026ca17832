"""One running desk for the stories: store, web, worker, receivers and listener together or apart, a Telegram beside it, an operator."""

import asyncio
import contextlib
import re
import shutil
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Self

import httpx2
import uvicorn
from sqlalchemy import delete, func, select, update
from starlette.types import ASGIApp

from channels.email.sandbox.correspondent import Correspondent
from channels.email.sandbox.mailbox import Letter
from channels.telegram.sandbox import Sandbox
from desk_core.context import Context
from desk_core.conversations.entities import Conversation, Inbox, Message, RawInbound
from desk_core.conversations.ports import ChannelKind
from desk_core.kit.clock import FakeClock
from desk_core.kit.db import Database, UnitOfWork
from desk_core.lanes.entities import DeadItem, Lane
from desk_core.lanes.signal import WORK
from desk_core.people import service as people
from desk_core.people.entities import Agent, ContactIdentity
from desk_core.people.permissions import Role
from desk_core.sla.clock import add_business_days
from desk_core.tickets.entities import Ticket
from gateway import inboxes, mail_inboxes, shapes
from gateway.app import create_app
from gateway.bootstrap import Desk
from gateway.mail import BELIEVED_SECONDS, sandbox_of, start_listener
from gateway.receiving import Receivers
from gateway.settings import Settings
from gateway.setup import make_desk
from gateway.understanding import Understanding
from tests.acceptance.administrator import EMAIL, PASSWORD
from tests.acceptance.chat import Chat
from tests.acceptance.trained import KEY, PRESET
from tests.fakes.shelf import ENCODER, shelved_once
from tests.services.process import free_port

SUPPORT = "support@desk.test"
BOT_TOKEN = "7000000042:AAE" + "a" * 32
EMBEDDED, DISTRIBUTED = "embedded", "distributed"


async def furnish(database: Database, *, home: Path, start: datetime) -> None:
    """Make the desk that a house is opened over; many houses are opened over copies of it."""
    url = database.writer.url.render_as_string(hide_password=False)
    desk = Desk(Settings(home=home, secret_key=KEY, database={"url": url}), clock=FakeClock(start))
    try:
        await make_desk(desk, preset=PRESET, language="ru", admin_email=EMAIL, admin_password=PASSWORD, train=False)
    finally:
        await desk.close()


class RunningClock:
    """Runs like the machine's, from a moment of our choice, and jumps when told."""

    def __init__(self, start: datetime) -> None:
        self._start, self._began, self._jumped = start, time.monotonic(), timedelta()

    def now(self) -> datetime:
        return self._start + timedelta(seconds=time.monotonic() - self._began) + self._jumped

    def jump(self, by: timedelta) -> None:
        self._jumped += by


class Served:
    """An application behind a real web server on a free port."""

    def __init__(self, app: ASGIApp, *, port: int = 0) -> None:
        config = uvicorn.Config(app, host="127.0.0.1", port=port, log_level="critical", ws="none", timeout_graceful_shutdown=2)
        self._server = uvicorn.Server(config)
        self._task: asyncio.Task[None] | None = None
        self.url = ""

    async def start(self) -> Self:
        self._task = asyncio.create_task(self._server.serve())
        await eventually(lambda: self._server.started, what="the web server to listen")
        self.url = f"http://127.0.0.1:{self._server.servers[0].sockets[0].getsockname()[1]}"
        return self

    async def stop(self) -> None:
        self._server.should_exit = True
        if self._task is not None:
            await self._task


async def eventually(is_so: Callable[[], bool | Awaitable[bool]], *, what: str, seconds: float = 20.0) -> None:
    """Wait for something that has no bell of its own; raises `AssertionError` naming it."""
    until = time.monotonic() + seconds
    while True:
        answer = is_so()
        if answer if isinstance(answer, bool) else await answer:
            return
        if time.monotonic() > until:
            raise AssertionError(f"waited {seconds:g} s in vain for {what}")
        await asyncio.sleep(0.02)


class House:
    """`embedded`: one desk does everything over SQLite. `distributed`: web, receiver and two workers over PostgreSQL and Redis."""

    def __init__(self, kind: str, *, home: Path, start: datetime, database_url: str, redis_url: str = "", support: str = SUPPORT) -> None:
        self.kind, self.home, self.support = kind, home, support
        self.clock = RunningClock(start)
        self._addresses = {"database": {"url": database_url}, "redis": {"url": redis_url}}
        self._tasks: list[asyncio.Task[Any]] = []
        self._workers: list[Any] = []
        self._desks: list[Desk] = []
        self._people = 0
        self._port = free_port()
        self.url = f"http://127.0.0.1:{self._port}"
        self._closing: list[Callable[[], Awaitable[Any]]] = []
        self.telegram = Sandbox(clock=self.clock)
        self.telegram.add_bot(BOT_TOKEN, "stories_bot", "Stories")
        self._telegram_server = Served(self.telegram.app())
        self.agents: dict[str, Agent] = {}
        self.http = httpx2.AsyncClient(trust_env=False, timeout=40, limits=httpx2.Limits(keepalive_expiry=2.0))

    # Life

    async def open(self, *, models: Path) -> Self:
        """Start the parts of the desk over a store that `furnish` filled, and wait until the bot polls."""
        shutil.copytree(models, self.home / "models")
        await self._telegram_server.start()
        self.front = self._desk()
        await self._furnish()
        self._web = await Served(await create_app(self.front), port=self._port).start()
        embedded = self.kind == EMBEDDED
        receiver = self.front if embedded else self._desk()
        workers = [self.front] if embedded else [self._desk(), self._desk()]
        for desk in workers[1:]:
            # One process, so one copy of the models and the sentence encoder in memory; everything else is their own.
            desk.understanding = workers[0].understanding
        await workers[0].tools()
        self._tasks.append(asyncio.create_task(Receivers(receiver).run()))
        self._listener = await start_listener(receiver)
        for desk in workers:
            worker = desk.worker()
            self._workers.append(worker)
            self._tasks.append(asyncio.create_task(worker.run()))
        await eventually(lambda: bool(self.bot.updates.allowed), what="the bot to poll")
        # The first answer also loads the Bot API's types and the sentence encoder, which is no part of any story.
        first = await self.person()
        await first.says("не работает принтер")
        await first.hears(timeout=90)
        return self

    async def close(self) -> None:
        for close in self._closing:
            await close()
        await self._web.stop()
        for worker in self._workers:
            worker.stop()
        receivers, *workers = self._tasks
        receivers.cancel()
        await asyncio.gather(receivers, return_exceptions=True)
        await self._listener.stop()
        await asyncio.wait_for(asyncio.gather(*workers), 20)
        for desk in self._desks:
            await desk.close()
        await self.http.aclose()
        self.telegram.hang_up()
        await self._telegram_server.stop()

    def _desk(self) -> Desk:
        settings = Settings(
            home=self.home,
            secret_key=KEY,
            work={"burst_seconds": 0.15},
            smtp={"port": 0},
            http={"port": self._port, "public_url": self.url},
            limits={
                **dict.fromkeys(("telegram_per_minute", "mail_per_hour", "webform_per_hour", "webform_per_day"), 0),
                "telegram_out_per_second": 0,  # the pace of groups would make every story wait for the minute of the one before
            },
            **self._addresses,
        )
        desk = Desk(settings, clock=self.clock)
        desk.understanding = Understanding(desk.database, desk.registry, clock=self.clock, encoder=ENCODER, shelved=shelved_once)
        self._desks.append(desk)
        return desk

    async def _furnish(self) -> None:
        """Inboxes and operators."""
        config = await self.front.config()
        public, sealed = inboxes.new_bot(self.front.box, inboxes.BotOptions(token=BOT_TOKEN))
        async with self.front.database.unit() as uow:
            await inboxes.add(
                uow, name="bot", channel=ChannelKind.TELEGRAM, address="@stories_bot", language="ru",
                config={**public, "api_url": self._telegram_server.url}, sealed=sealed, clock=self.clock,
            )  # fmt: skip
            await inboxes.add(
                uow, name="mail", channel=ChannelKind.EMAIL, address=self.support, language="ru", config={}, sealed=None, clock=self.clock
            )
            for name in ("olga", "pavel"):
                self.agents[name] = await people.add_agent(
                    uow, email=f"{name}@desk.test", name=name.capitalize(), password_hash="-", role=Role.AGENT, language="ru",
                    time_zone=config.time_zone, team_keys=list(config.teams), now=self.clock.now(),
                )  # fmt: skip

    @property
    def bot(self) -> Any:
        return next(iter(self.telegram.world.bots.values()))

    # Requesters

    async def person(self, *, language: str = "ru", first_name: str = "") -> Chat:
        """Somebody new in Telegram."""
        self._people += 1
        key = f"p{self._people}"
        name = first_name or ("Вера" if language == "ru" else "Vera")
        return await Chat(self, self._telegram_server.url, key, language=language, first_name=name).joins()

    def at_close(self, close: Callable[[], Awaitable[Any]]) -> None:
        self._closing.append(close)

    async def types(self) -> None:
        """Let the seconds pass that a person needs to fill a form in."""
        self.clock.jump(timedelta(seconds=5))

    def correspondent(self, *, name: str = "", to: str = "", domain: str = "customer.test") -> Correspondent:
        """Somebody new with a mailbox, who writes to our listener over SMTP."""
        self._people += 1
        return Correspondent(
            f"c{self._people}@{domain}", sandbox=sandbox_of(self.front.settings, self.clock), smtp=("127.0.0.1", self._listener.port),
            desk=to or self.support, name=name, clock=self.clock,
        )  # fmt: skip

    async def takes(self, raw: bytes, *, sender: str, to: str = "") -> None:
        """A mail from anywhere arrives at our listener."""
        import aiosmtplib

        async with aiosmtplib.SMTP(hostname="127.0.0.1", port=self._listener.port, timeout=30, use_tls=False, start_tls=False) as client:
            await client.sendmail(sender, [to or self.support], raw)

    async def add_mailbox(self, name: str, address: str, *, imap_url: str) -> None:
        """An inbox added while the desk runs."""
        async with self.front.database.unit() as uow:
            await inboxes.add(
                uow, name=name, channel=ChannelKind.EMAIL, address=address, language="ru", config={"imap": True},
                sealed=self.front.box.seal({"imap_url": imap_url}), clock=self.clock,
            )  # fmt: skip

    async def takes_mail_for(self, *aliases: str) -> None:
        """From now on mail for these addresses comes to the inbox of the stories."""
        ctx = await self.front.context()
        async with self.front.database.unit() as uow:
            await mail_inboxes.set_aliases(uow, ctx, await inboxes.by_name(uow, "mail"), aliases)
        await asyncio.sleep(BELIEVED_SECONDS)

    # What happened

    async def quiet(self) -> None:
        """Wait until nothing is on its way: no update unconfirmed, no lane ready or in hand. Timers may wait for their time."""
        await eventually(self._is_quiet, what="the desk to come to rest")

    async def _is_quiet(self) -> bool:
        if len(self.bot.updates):
            return False
        soon = self.clock.now() + timedelta(seconds=30)
        async with self.front.database.read() as session:
            busy = await session.scalar(
                select(func.count()).select_from(Lane).where((Lane.leased_until.is_not(None)) | (Lane.ready_at <= soon))
            )
        return not busy

    async def tickets(self, requester: str | None = None) -> list[dict[str, Any]]:
        """Requests in the public shape, oldest first; of one requester by their address."""
        async with self.front.database.read() as session:
            found = await shapes.tickets(session, await self.front.config(), select(Ticket).order_by(Ticket.number), language="ru")
        return [one for one in found if requester is None or requester in {who["address"] for who in one["contact"]["identities"]}]

    async def ticket(self, number: int) -> dict[str, Any]:
        """One request, whole."""
        async with self.front.database.read() as session:
            found = await shapes.ticket_whole(session, await self.front.config(), number, language="ru")
        assert found is not None, f"there is no request #{number}"
        return found

    async def messages(self, requester: str) -> list[dict[str, Any]]:
        """The whole timeline of a requester's conversations, by their address, oldest first."""
        async with self.front.database.read() as session:
            owner = select(ContactIdentity.contact_id).where(ContactIdentity.address == requester)
            talks = select(Conversation.id).where(Conversation.contact_id.in_(owner))
            return await shapes.messages(session, select(Message).where(Message.conversation_id.in_(talks)), language="ru")

    async def holds(self, number: int, text: str) -> bool:
        """Whether a request has a message with exactly this text."""
        return text in [message["text"] for message in (await self.ticket(number))["messages"]]

    async def letters(self, address: str) -> list[Letter]:
        """What the desk sent to this address, oldest first."""
        found = await sandbox_of(self.front.settings, self.clock).letters(address)
        return [letter for letter in reversed(found) if letter.direction == "sent"]

    async def conversation(self, requester: str) -> dict[str, Any]:
        async with self.front.database.read() as session:
            found = await shapes.conversations(session, select(Conversation).where(Conversation.thread_key == requester))
        assert len(found) == 1, f"{requester} has {len(found)} conversations"
        return found[0]

    async def dead(self) -> list[str]:
        async with self.front.database.read() as session:
            return [f"{one.kind}: {one.reason}" for one in await session.scalars(select(DeadItem))]

    async def raw_states(self, inbox: str) -> dict[str, str]:
        """External id -> state of everything one inbox ever took in."""
        async with self.front.database.read() as session:
            rows = await session.execute(
                select(RawInbound.external_id, RawInbound.state).join(Inbox, Inbox.id == RawInbound.inbox_id).where(Inbox.name == inbox)
            )
            return {row.external_id: row.state for row in rows}

    async def phrase(self, key: str, language: str = "ru") -> re.Pattern[str]:
        """What the desk says under a reply key, with anything in place of its placeholders."""
        template = (await self.front.config()).replies[key, language]
        parts = re.split(r"\{[a-z_]+\}", template.strip())
        return re.compile(".*?".join(re.escape(part) for part in parts), re.DOTALL)

    # Operators and time

    async def acts(self, verb: Callable[..., Awaitable[Any]], number: int, *, by: str = "olga", **options: Any) -> Any:
        """An operator's act on a request: a verb of `desk_core.tickets.service`."""
        ticket_id = (await self.ticket(number))["id"]
        ctx = await self.front.context()

        async def act(uow: UnitOfWork, ctx: Context) -> Any:
            return await verb(uow, ctx, ticket_id, by=self.agents[by], **options)

        async with self.front.database.unit() as uow:
            return await act(uow, ctx)

    @contextlib.asynccontextmanager
    async def busy(self, address: str) -> AsyncIterator[None]:
        """What this person sends waits for as long as the block lasts, as if every worker were busy with something else."""
        async with self.front.database.unit() as uow:
            bot = await uow.scalar(select(Inbox.id).where(Inbox.channel == ChannelKind.TELEGRAM))
            key, lease = f"in:{bot}:{address}", "somebody else"
            await uow.execute(delete(Lane).where(Lane.key == key))
            uow.add(Lane(key=key, ready_at=self.clock.now(), leased_until=self.clock.now() + timedelta(days=999), lease_token=lease))
        try:
            yield
        finally:
            async with self.front.database.unit() as uow:
                await uow.execute(update(Lane).where(Lane.key == key).values(leased_until=None, lease_token=None))

    async def holding(self, verb: Callable[..., Awaitable[Any]], message_id: str, **options: Any) -> None:
        """What an operator does with a held message: a verb of `desk_core.conversations.holding`."""
        ctx = await self.front.context()
        async with self.front.database.unit() as uow:
            await verb(uow, ctx, message_id, **options)

    async def forgets_addresses(self) -> None:
        """Wait until the listener has asked the store anew for its inboxes and their rules."""
        await asyncio.sleep(BELIEVED_SECONDS + 0.2)

    async def jump(self, by: timedelta) -> None:
        """Let time pass; workers look at the clock at once."""
        self.clock.jump(by)
        await self.front.signal.publish(WORK)

    async def moves_to(self, moment: str, *, less: timedelta = timedelta(), more: timedelta = timedelta()) -> None:
        """Jump to a moment of the public shapes, a little before or after."""
        await self.jump(datetime.fromisoformat(moment) - less + more - self.clock.now())

    async def passes_working_days(self, count: int) -> None:
        """Jump over whole working days of the desk's first team, and an hour more."""
        config = await self.front.config()
        calendar = config.calendar_for(next(iter(config.teams.values())))
        there = add_business_days(self.clock.now(), count, calendar)
        await self.jump(there - self.clock.now() + timedelta(hours=1))

    async def happened(self, number: int, kind: str) -> bool:
        return kind in kinds((await self.ticket(number))["events"])

    async def has_status(self, number: int, status: str) -> bool:
        return bool((await self.ticket(number))["status"] == status)

    async def until(self, is_so: Callable[[], Awaitable[bool]], *, what: str) -> None:
        await eventually(is_so, what=what)


@contextlib.asynccontextmanager
async def opened(house: House, *, models: Path) -> Any:
    """A house for the time of a block."""
    try:
        yield await house.open(models=models)
    finally:
        await house.close()


def kinds(events: Sequence[Mapping[str, Any]]) -> list[str]:
    """The kinds of a request's history, oldest first."""
    return [str(event["kind"]) for event in events]
