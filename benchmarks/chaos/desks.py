"""The desk under attack: its real processes, a Telegram that survives, and what kills and restarts them."""

import asyncio
import contextlib
import os
import random
import shutil
import socket
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

import psutil
from sqlalchemy import func, select

from benchmarks.report import ROOT
from desk_core.conversations.entities import RawInbound
from desk_core.conversations.ports import ChannelKind
from desk_core.kit.clock import SystemClock
from desk_core.kit.errors import StoreUnavailable
from desk_core.lanes.entities import Lane
from gateway import inboxes
from gateway.bootstrap import Desk
from gateway.settings import Settings
from gateway.setup import make_desk
from tests.acceptance.trained import KEY, PRESET, trained_models
from tests.services import PostgresServer, ValkeyServer, start_postgres, start_valkey
from tests.services.process import Watched

TOKEN = "7000000043:AAE" + "c" * 32
SUPPORT = "support@chaos.example"
MAILBOX = "desk@chaos.example"
"""The address whose mail lies in an IMAP mailbox, in the modes that have one."""
EMBEDDED, DISTRIBUTED = "embedded", "distributed"
MAIL_EMBEDDED, MAIL_DISTRIBUTED = "mail-embedded", "mail-distributed"
TELEGRAM_EMBEDDED, TELEGRAM_DISTRIBUTED = "telegram-embedded", "telegram-distributed"
PARTS = {
    EMBEDDED: {"run": "run"},
    DISTRIBUTED: {"web": "serve", "worker one": "work", "worker two": "work", "receiver": "receive"},
    MAIL_EMBEDDED: {"run": "run"},
    # `receive` listens and fetches in one process, but among several only one has the mailbox: some kills hit a listener alone.
    MAIL_DISTRIBUTED: {"receiver one": "receive", "receiver two": "receive", "worker one": "work", "worker two": "work"},
    TELEGRAM_EMBEDDED: {"run": "run"},
    # One of the two receivers polls, the other takes over when it dies.
    TELEGRAM_DISTRIBUTED: {"receiver one": "receive", "receiver two": "receive", "worker one": "work", "worker two": "work"},
}
ON_SERVERS = (DISTRIBUTED, MAIL_DISTRIBUTED, TELEGRAM_DISTRIBUTED)
KINDS = {"run": "the whole desk", "serve": "the web", "work": "a worker"}


def _listening_port() -> int:
    """A free port that no outgoing connection can be given: while the desk lies dead, its port would be taken by those who knock."""
    while True:
        port = random.SystemRandom().randrange(15_000, 30_000)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


class Part:
    """One process of the desk, and how often it was killed and how often it ended by itself."""

    def __init__(self, name: str, verb: str, *, folder: Path, env: dict[str, str]) -> None:
        self.name, self.verb, self._env = name, verb, env
        self._command = [sys.executable, "-c", "from gateway.cli import main; main()", verb]
        self.log = folder / f"{name.replace(' ', '-')}.log"
        self.kills = self.own_ends = self._log_size = 0
        self._process: Watched | None = None

    def start(self) -> None:
        self._log_size = self.log.stat().st_size if self.log.exists() else 0
        self._process = Watched(self._command, log=self.log, env=self._env)

    def is_up(self) -> bool:
        """Whether it has said so since it was started last."""
        with self.log.open("rb") as log:
            log.seek(self._log_size)
            return any(line.strip() in (b"ready", b"working") for line in log)

    def kill(self) -> None:
        """kill -9, the shell that watches over it included."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            self.kills += 1

    def talks_to(self, port: int) -> bool:
        """Whether it has a connection to this port of this machine."""
        process = self._process
        if process is None:
            return False
        try:
            real = psutil.Process(process.process.pid).children()
            return any(end.raddr and end.raddr.port == port for one in real for end in one.net_connections(kind="tcp"))
        except psutil.Error:
            return False  # it ended meanwhile

    def look(self) -> None:
        """A process that ended without being killed has broken its promise; it is counted and started again."""
        if self._process is not None and self._process.process.poll() is not None:
            self._process.kill()  # what is left of its process group
            self.own_ends += 1
            self.start()

    def end(self) -> int:
        """SIGTERM; the exit code."""
        assert self._process is not None, "it runs when it is asked to end"
        self._process.stop(seconds=30)
        return int(self._process.process.returncode)


@dataclass(slots=True)
class Hits:
    """What was done to the desk."""

    kills: Counter[str] = field(default_factory=Counter)  # by what was killed
    store_restarts: int = 0
    redis_restarts: int = 0


class Victim:
    """A desk in one of the modes, with the services it needs; it has a bot where a Telegram is given, a mailbox where an IMAP server is."""

    def __init__(self, mode: str, folder: Path, *, telegram_url: str = "", imap_url: str = "") -> None:
        self.mode, self.folder, self.home = mode, folder, folder / "home"
        self.telegram_url, self.imap_url = telegram_url, imap_url
        self.http = _listening_port()
        self.smtps = {name: _listening_port() for name, verb in PARTS[mode].items() if verb in ("run", "receive")}
        self.smtp = next(iter(self.smtps.values()))
        self.url = f"http://127.0.0.1:{self.http}"
        self.postgres: PostgresServer | None = start_postgres(durable=True) if mode in ON_SERVERS else None
        self.valkey: ValkeyServer | None = start_valkey() if mode in ON_SERVERS else None
        self.env = {
            "PRIYOM_HOME": str(self.home),
            "PRIYOM_SECRET_KEY": KEY,
            "PRIYOM_HTTP__PORT": str(self.http),
            "PRIYOM_WORK__BURST_SECONDS": "0.5",
            "PRIYOM_LOG__LEVEL": "warning",
            "PRIYOM_LOG__FORMAT": "json",
            **{f"PRIYOM_LIMITS__{name}": "0" for name in ("WEBFORM_PER_HOUR", "WEBFORM_PER_DAY", "TELEGRAM_PER_MINUTE", "MAIL_PER_HOUR")},
        }
        if self.postgres is not None and self.valkey is not None:
            self.env |= {"PRIYOM_DATABASE__URL": self.postgres.url(), "PRIYOM_REDIS__URL": self.valkey.url()}
        self.desk = Desk(
            Settings(
                home=self.home,
                secret_key=KEY,
                database={"url": self.env.get("PRIYOM_DATABASE__URL", "")},
                redis={"url": self.env.get("PRIYOM_REDIS__URL", "")},
            )
        )
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("PRIYOM_")} | {"PYTHONPATH": str(ROOT)}
        self.parts = [
            Part(name, verb, folder=folder, env={**inherited, **self.env, "PRIYOM_SMTP__PORT": str(self.smtps.get(name, self.smtp))})
            for name, verb in PARTS[mode].items()
        ]
        self.hits = Hits()
        self.offered = asyncio.Event()
        """Set by those who bring mail, each time a listener has begun to take one."""
        self.enough = asyncio.Event()
        """Set when nobody shall be killed any more."""
        self._watching: asyncio.Task[None] | None = None

    async def make(self) -> Self:
        """The desk in its store: preset, models, a bot and a mailbox; then its processes."""
        models = await asyncio.to_thread(trained_models)
        shutil.copytree(models, self.home / "models")
        await make_desk(
            self.desk, preset=PRESET, language="ru", admin_email="admin@chaos.example", admin_password="not-a-secret", train=False
        )
        clock = SystemClock()
        async with self.desk.database.unit() as uow:
            if self.telegram_url:
                public, sealed = inboxes.new_bot(self.desk.box, inboxes.BotOptions(token=TOKEN))
                await inboxes.add(
                    uow, name="bot", channel=ChannelKind.TELEGRAM, address="bot", language="ru",
                    config={**public, "api_url": self.telegram_url}, sealed=sealed, clock=clock,
                )  # fmt: skip
            await inboxes.add(
                uow, name="mail", channel=ChannelKind.EMAIL, address=SUPPORT, language="ru", config={}, sealed=None, clock=clock
            )
            if self.imap_url:
                secret = self.desk.box.seal({"imap_url": self.imap_url})
                await inboxes.add(
                    uow, name="mailbox", channel=ChannelKind.EMAIL, address=MAILBOX, language="ru", config={}, sealed=secret, clock=clock
                )
        for part in self.parts:
            part.start()
        self._watching = asyncio.create_task(self._watch())
        return self

    async def _watch(self) -> None:
        while True:
            for part in self.parts:
                part.look()
            await asyncio.sleep(0.2)

    async def attack(self, rng: random.Random, *, pause: tuple[float, float], seconds: float, at_work: float = 0.0) -> None:
        """For so many seconds or until it is `enough`: kill -9 somebody, let them lie for a moment, start them again.

        One kill in four falls into a start; otherwise a desk that is slow to start would only ever be killed while starting. The part
        `at_work` of the kills waits for work: until some messages were filed, since accepting begins long before that, or until a mail is
        in a listener's hands.
        """
        until, turn = time.monotonic() + seconds, list[Part]()
        while time.monotonic() < until and not self.enough.is_set():
            # Everybody in turn, each turn in another order: a few kills have to reach all.
            turn = turn or rng.sample(self.parts, len(self.parts))
            part = turn.pop()
            if rng.random() < 0.75:
                while not part.is_up() and not self.enough.is_set():  # noqa: ASYNC110 - a process tells by its output only
                    await asyncio.sleep(0.2)
            if part.verb in ("run", "work") and rng.random() < at_work:
                await self._filed_some(rng.randrange(1, 80))
            await asyncio.sleep(rng.uniform(*pause))
            if part.name in self.smtps and rng.random() < at_work:
                await self._offered(rng.uniform(0, 0.03))
            self.hits.kills[await asyncio.to_thread(self._kill, part)] += 1
            await asyncio.sleep(rng.uniform(0, 1.5))
            part.start()

    def _kill(self, part: Part) -> str:
        """Kill it; answers what was killed."""
        port = urlsplit(self.imap_url or self.telegram_url).port
        fetches = port is not None and part.talks_to(port)
        part.kill()
        if part.verb in KINDS:
            return KINDS[part.verb]
        if self.imap_url:
            return "a listener with the IMAP fetcher" if fetches else "a listener"
        return "the receiver that polls" if fetches else "a receiver that waits"

    async def all_up(self, *, seconds: float) -> None:
        """Wait until every part says that it is up; raises when that takes longer."""
        until = time.monotonic() + seconds
        while not all(part.is_up() for part in self.parts):
            if time.monotonic() > until:
                raise RuntimeError(f"the desk did not start; its logs are in {self.folder}")
            await asyncio.sleep(0.3)

    async def restart_services_after(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
        await self.restart_services()

    async def restart_services(self) -> None:
        """PostgreSQL goes away for some seconds and comes back; then the Redis-compatible server does, empty."""
        if self.postgres is None or self.valkey is None:
            return
        await asyncio.to_thread(self.postgres.stop)
        await asyncio.sleep(3)
        await asyncio.to_thread(self.postgres.start)
        self.hits.store_restarts += 1
        await asyncio.sleep(5)
        await asyncio.to_thread(self.valkey.stop)
        await asyncio.sleep(2)
        await asyncio.to_thread(self.valkey.start)
        self.hits.redis_restarts += 1

    async def nearly_done(self, *, at_most: float, seconds: float) -> bool:
        """Whether in this time no more than so many messages wait to be filed."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            pending = await self._pending()
            if pending is not None and pending <= at_most:
                return True
            await asyncio.sleep(1)
        return False

    async def _filed_some(self, messages: int, *, seconds: float = 40.0) -> None:
        """Return once so many messages more were filed, at the latest after these seconds."""
        until, goal = time.monotonic() + seconds, None
        while time.monotonic() < until and not self.enough.is_set():
            done = await self._pending(state="done")
            goal = goal if goal is not None or done is None else done + messages
            if done is not None and goal is not None and done >= goal:
                return
            await asyncio.sleep(0.2)

    async def _offered(self, seconds: float) -> None:
        """Return so long after the next mail was offered to a listener; without a mail soon."""
        self.offered.clear()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.offered.wait(), 2)
            await asyncio.sleep(seconds)

    async def _pending(self, state: str = "pending") -> int | None:
        """How many messages are stored and wait to be filed, or are in another state; None while the store is away."""
        query = select(func.count()).select_from(RawInbound).where(RawInbound.state == state)
        try:
            async with self.desk.database.read() as session:
                return await session.scalar(query) or 0
        except StoreUnavailable:
            return None

    async def quiet(self, *, seconds: float) -> bool:
        """Whether everything came to rest in time: nothing ready, nothing in hand, nothing stored but not processed."""
        until, still = time.monotonic() + seconds, 0
        while time.monotonic() < until:
            still = still + 1 if await self._is_quiet() else 0
            if still >= 3:
                return True
            await asyncio.sleep(1)
        return False

    async def _is_quiet(self) -> bool:
        # Deliveries that wait for their next attempt count as busy; promises and reminders, hours away, do not.
        soon = SystemClock().now().timestamp() + 600
        try:
            async with self.desk.database.read() as session:
                lanes = (await session.execute(select(Lane.ready_at, Lane.leased_until, Lane.key))).all()
        except StoreUnavailable:
            return False
        timers = ("sla:", "ladder:", "form:")
        busy = [
            lane
            for lane in lanes
            if lane.leased_until is not None or (lane.ready_at.timestamp() < soon and not lane.key.startswith(timers))
        ]
        return not busy and await self._pending() == 0

    async def end(self) -> list[int]:
        """Stop every part in order; their exit codes. Whoever was killed last has begun again by then: only a part that is up can obey."""
        await self.all_up(seconds=60)
        if self._watching is not None:
            self._watching.cancel()
            await asyncio.gather(self._watching, return_exceptions=True)
        return list(await asyncio.gather(*(asyncio.to_thread(part.end) for part in self.parts)))

    async def remove(self) -> None:
        await self.desk.close()
        for part in self.parts:
            part.kill()
        if self.postgres is not None:
            self.postgres.remove()
        if self.valkey is not None:
            self.valkey.remove()
