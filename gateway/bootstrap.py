"""The composition root: the only place that names concrete classes and reads settings."""

import asyncio
import contextlib
import functools
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import structlog
from sqlalchemy import select, update

from channels.email.resolver import DnsResolver, Resolver
from channels.webform.upload_links import UploadLinks
from desk_core import migrations
from desk_core.catalogue import desk as catalogue
from desk_core.catalogue.desk import DeskConfig
from desk_core.context import Context
from desk_core.conversations.entities import INBOUND, Conversation, Inbox, RawInbound
from desk_core.conversations.ports import Ability, Channel, ChannelKind, DeliveryError, InboundKind, InboundMessage
from desk_core.conversations.service import ACT, COURTESY, DELIVER
from desk_core.groups.following import BACKLOG, GROUP_SAY, MIRROR
from desk_core.kit.blobs import DirectoryBlobs
from desk_core.kit.clock import Clock, SystemClock
from desk_core.kit.db import Database
from desk_core.kit.errors import DeskError, StoreUnavailable
from desk_core.kit.i18n import Phrase, known_language, translate
from desk_core.kit.i18n import gettext_noop as _
from desk_core.lanes.signal import LocalSignal, RedisSignal, Signal
from desk_core.lanes.worker import Handler, Worker
from desk_core.learning.service import RETRAIN
from desk_core.people.codes import ADDRESS_CODE
from desk_core.sla import service as sla
from desk_core.tickets import effects
from desk_core.tickets.topics import TOPIC
from gateway import inboxes
from gateway.courtesies import CourtesyLinks
from gateway.environment import load_settings
from gateway.file_links import FileLinks
from gateway.flows.acts import Acts, Courtesies
from gateway.flows.clocks import LadderTimer, RatingTimer, SlaTimer, UnfinishedTimer
from gateway.flows.codes import AddressCodes
from gateway.flows.converse import Converse
from gateway.flows.deliver import Deliver
from gateway.flows.drawing import Draw
from gateway.flows.filing import TAKEN_IN
from gateway.flows.group_talk import GROUP_TALK, GroupTalk, is_group_talk
from gateway.flows.intake import Intake
from gateway.flows.learn import Retrain
from gateway.flows.mirror import Backlog, GroupSay, Mirror
from gateway.flows.reading import Situation
from gateway.flows.topics import Topics
from gateway.flows.turning import UNFINISHED
from gateway.limits import RateLimits
from gateway.mail_inboxes import habits
from gateway.one_time import OneTime
from gateway.secret_box import SecretBox
from gateway.settings import Settings
from gateway.understanding import Understanding
from models.registry import Registry
from models.retrain import Outcome
from nlu import labels
from nlu.understood import Tools

if TYPE_CHECKING:
    from redis.asyncio import Redis

    from channels.email.examining import Examiner
    from channels.email.signing import Signer
    from channels.email.smtp_out import Sender
    from channels.telegram.pace import Pace
    from gateway.mail import WaysOut

log = structlog.get_logger()

CONFIG_SECONDS = 2.0
"""How long a cached configuration or inbox is believed before the store is asked whether it changed."""
TYPING_SECONDS, TYPING_TIMES = 4.0, 15
"""A client lets "typing" fade after five seconds; after a minute it says nothing any more."""
PRESS_SECONDS = 8.0
"""A press that nobody answers within fifteen seconds turns in the client for ever."""
MOST_PATIENT = 50
"""So many chats at once are kept "typing"; the others show it once."""


class NotSetUp(DeskError):
    """There is no desk in this store yet."""

    code, status, text = "not_set_up", 503, _("This desk is not set up yet. Run: priyom init")


class Desk:
    """One desk in one process: everything a command, a worker, a receiver or a page needs."""

    def __init__(self, settings: Settings, *, clock: Clock | None = None) -> None:
        self.settings = settings
        self.clock: Clock = clock or SystemClock()
        self.key = settings.key()
        self.database = Database.connect(settings.database_url, pool_size=settings.database.pool_size)
        self.signal: Signal = _signal(settings)
        self.blobs = DirectoryBlobs(settings.home / "blobs")
        self.limits = RateLimits(settings.redis.url.get_secret_value())
        self.box = SecretBox(self.key)
        self.resolver: Resolver = DnsResolver()
        self.registry = Registry(settings.home, secret=self.key)
        self.understanding = Understanding(self.database, self.registry, clock=self.clock)
        self.stopping = asyncio.Event()
        self._patient = 0
        self.accept = Intake(
            self.database, clock=self.clock, signal=self.signal, blobs=self.blobs, on_accepted=self._courtesy,
            kind_of=lambda message: GROUP_TALK if is_group_talk(message) else INBOUND,
        )  # fmt: skip
        self.public_url = settings.http.public_url.rstrip("/") or f"http://127.0.0.1:{settings.http.port}"
        self._config: DeskConfig | None = None
        self._config_checked = 0.0
        self._channels: dict[str, tuple[int, Channel]] = {}
        self._channels_checked: dict[str, float] = {}
        self._channel_lock = asyncio.Lock()
        self._ways_out: WaysOut | None = None
        self._paces: dict[str, Pace] = {}

    # Configuration

    async def config(self) -> DeskConfig:
        """The desk's configuration, asked for anew when its revision moved; raises `NotSetUp` before `init`."""
        if self._config is not None and time.monotonic() - self._config_checked < CONFIG_SECONDS:
            return self._config
        async with self.database.glance() as session:
            revision = await catalogue.revision(session)
            if revision is None:
                raise NotSetUp
            if self._config is None or self._config.revision != revision:
                self._config = await catalogue.load(session)
        self._config_checked = time.monotonic()
        return self._config

    def forget_config(self) -> None:
        """This process has just changed the configuration."""
        self._config_checked = 0.0

    async def context(self, request_id: str = "") -> Context:
        """The context of one act, now."""
        return Context(
            config=await self.config(), now=self.clock.now(), signal=self.signal, public_url=self.public_url, request_id=request_id
        )

    async def tools(self) -> Tools:
        return await self.understanding.tools(await self.config())

    async def retrain(self) -> dict[str, Outcome]:
        """Train from today's examples and corrections; what passes the gate is in use afterwards."""
        return await self.understanding.retrain(await self.config())

    async def learn(self) -> None:
        """Have the tools ready before the first message asks for them; train the first models where there are none."""
        try:
            await self.tools()
            await self.understanding.ensure_trained(await self.config())
            await self.tools()
        except StoreUnavailable as error:
            log.warning("desk.learning_postponed", error=str(error))

    # Channels

    async def channel(self, inbox_id: str, *, version: int = 0) -> Channel | None:
        """The adapter of an active inbox; None while it is paused or gone. Rebuilt when the inbox was changed: within seconds, and at once
        for whoever has seen this version of the inbox already."""
        held = self._channels.get(inbox_id)
        if held is not None and held[0] >= version and time.monotonic() - self._channels_checked.get(inbox_id, 0.0) < CONFIG_SECONDS:
            return held[1]
        async with self._channel_lock:
            async with self.database.glance() as session:
                inbox = await session.get(Inbox, inbox_id)
            if inbox is None or inbox.state != "active":
                return None
            held = self._channels.get(inbox_id)
            if held is None or held[0] != inbox.version:
                if held is not None:
                    await held[1].close()
                adapter = inboxes.build(
                    inbox,
                    self.settings,
                    box=self.box,
                    key=self.key,
                    config=await self.config(),
                    blobs=self.blobs,
                    clock=self.clock,
                    on_status=lambda words: self.note_status(inbox_id, words),
                    on_name=functools.partial(inboxes.keep_username, self.database, inbox_id),
                    own_addresses=await inboxes.own_addresses(self.database, inbox),
                    examiner=self.examiner,
                    signer=await self._signer(inbox),
                    mail_sender=self.way_out,
                    telegram_pace=self.telegram_pace,
                    keep_secret=functools.partial(inboxes.keep_secret, self.database, self.box, inbox_id),
                )
                held = (inbox.version, adapter)
                self._channels[inbox_id] = held
            self._channels_checked[inbox_id] = time.monotonic()
            return held[1]

    async def _signer(self, inbox: Inbox) -> "Signer | None":
        """What signs the mail of an inbox, where its domain has a key and the inbox wants it."""
        if inbox.channel != ChannelKind.EMAIL or not habits(inbox.config)["dkim"]:
            return None
        from channels.email.trust import domain_of
        from gateway import mail_signing

        domain = domain_of(inbox.address)
        async with self.database.glance() as session:
            keys = await mail_signing.keys_of(session, domain)
        return mail_signing.signer(keys, domain, box=self.box)

    @functools.cached_property
    def examiner(self) -> "Examiner | None":
        """Own checks of senders of mail; None where the deployment wants none."""
        if not self.settings.mail_trust.verify:
            return None
        from channels.email.examining import NAME_SECONDS, Examiner

        return Examiner(DnsResolver(timeout=NAME_SECONDS))

    def way_out(self, relays: str) -> "Sender":
        """What carries the mail of an inbox with these relays of its own; the desk's where it has none."""
        if self._ways_out is None:
            from gateway.mail import WaysOut

            self._ways_out = WaysOut(self.settings, self.clock, self.limits)
        return self._ways_out.through(relays)

    def telegram_pace(self, inbox_id: str) -> "Pace":
        """How fast the bot of an inbox may speak; among all processes where there is Redis, and over every rebuilding of its adapter."""
        if inbox_id not in self._paces:
            from channels.telegram.pace import LocalPace, NoPace, SharedPace

            per_second, url = self.settings.limits.telegram_out_per_second, self.settings.redis.url.get_secret_value()
            if per_second == 0:
                self._paces[inbox_id] = NoPace()
            elif url:
                self._paces[inbox_id] = SharedPace(_redis(url), inbox_id, per_second=per_second)
            else:
                self._paces[inbox_id] = LocalPace(per_second=per_second)
        return self._paces[inbox_id]

    def note_status(self, inbox_id: str, words: str | None) -> None:
        """An adapter reports its state: its words stand beside the inbox until it works again (None), and then since when."""
        task = asyncio.get_running_loop().create_task(self._note_status(inbox_id, words))
        task.add_done_callback(lambda done: done.cancelled() or done.exception())

    async def _note_status(self, inbox_id: str, words: str | None) -> None:
        phrase = words.to_json() if isinstance(words, Phrase) else None
        news: dict[str, Any] = {"last_error": words[:500]} if words else {"last_error": None, "last_success_at": self.clock.now()}
        news["last_error_phrase"] = phrase
        try:
            async with self.database.unit() as uow:
                await uow.execute(update(Inbox).where(Inbox.id == inbox_id).values(**news))
        except StoreUnavailable as error:
            log.warning("inbox.status_not_stored", inbox=inbox_id, error=str(error))

    async def _courtesy(self, inbox_id: str, message: InboundMessage) -> None:
        """Show at once that it has come: "typing" where the bot is going to answer, a mark on the message where people will."""
        if is_group_talk(message):
            return
        if message.kind is InboundKind.PRESS and message.callback_id:
            await self._answer_in_time(inbox_id, message)
            return
        if message.kind is not InboundKind.MESSAGE or message.thread_key is None or message.delay <= 0:
            return
        try:
            channel = await self.channel(inbox_id)
            if channel is None or channel.kind is not ChannelKind.TELEGRAM:
                return
            async with self.database.glance() as session:
                baton = await session.scalar(
                    select(Conversation.baton).where(Conversation.inbox_id == inbox_id, Conversation.thread_key == message.thread_key)
                )
        except DeskError as error:
            log.info("typing.not_shown", error=error.code)
            return
        if baton in (None, "bot"):
            await self._type(inbox_id, channel, message)
        elif message.shown_id and Ability.REACT in channel.abilities:
            with contextlib.suppress(DeliveryError):
                await channel.react(message.thread_key, message.shown_id, TAKEN_IN)

    async def _type(self, inbox_id: str, channel: Channel, message: InboundMessage) -> None:
        """Show "typing" now, and again before the client lets it fade, for as long as the message is being thought about."""
        await channel.typing(str(message.thread_key))
        if self._patient >= MOST_PATIENT:
            return  # in a crowd the answers come first
        self._patient += 1
        try:
            for _ in range(TYPING_TIMES):
                if not await self._passes(TYPING_SECONDS) or not await self._is_waiting(inbox_id, message):
                    return
                await channel.typing(str(message.thread_key))
        finally:
            self._patient -= 1

    async def _answer_in_time(self, inbox_id: str, message: InboundMessage) -> None:
        """A press is answered by whoever handles it; where that takes long the client hears at least that it came in."""
        if not await self._passes(PRESS_SECONDS) or not await self._is_waiting(inbox_id, message):
            return
        channel = await self.channel(inbox_id)
        if channel is not None and message.callback_id:
            await channel.answer_press(message.callback_id, translate(known_language(message.sender.language), labels.A_MOMENT))

    async def _passes(self, seconds: float) -> bool:
        """Wait; False when the desk stops first."""
        try:
            await asyncio.wait_for(self.stopping.wait(), seconds)
        except TimeoutError:
            return True
        return False

    async def _is_waiting(self, inbox_id: str, message: InboundMessage) -> bool:
        """Whether nobody has handled it yet."""
        waiting = select(RawInbound.id).where(
            RawInbound.inbox_id == inbox_id, RawInbound.external_id == message.external_id, RawInbound.state == "pending"
        )
        try:
            async with self.database.glance() as session:
                return await session.scalar(waiting) is not None
        except DeskError as error:
            log.info("courtesy.not_known", error=error.code)
            return False

    # Work

    async def allow(self, now: Situation) -> str:
        """ "ok", "notice" (too many, said once a minute) or "silent"."""
        address = now.first.sender.address
        if now.inbox.channel == ChannelKind.TELEGRAM:
            limit, seconds = self.settings.limits.telegram_per_minute, 60
        elif now.inbox.channel == ChannelKind.EMAIL:
            limit, seconds = self.settings.limits.mail_per_hour, 3600
        else:
            return "ok"
        if await self.limits.hit(now.inbox.channel, address, limit=limit, seconds=seconds):
            return "ok"
        first = await self.limits.hit(f"{now.inbox.channel}-notice", address, limit=1, seconds=seconds)
        return "notice" if first and now.inbox.channel == ChannelKind.TELEGRAM else "silent"

    def handlers(self) -> Mapping[str, Handler]:
        """Every kind of work and who does it."""
        largest = self.settings.limits.attachment_mb * 1024 * 1024
        one_time = OneTime(self.key)
        converse = Converse(
            self.database, context=self.context, tools=self.tools, channel=self.channel, blobs=self.blobs, allow=self.allow,
            attachment_limit=largest, daily_limit=self.settings.limits.telegram_mb_per_day * 1024 * 1024,
            uploads=UploadLinks(self.key, public_url=self.public_url), one_time=one_time,
        )  # fmt: skip
        draw = Draw(
            links=FileLinks(self.key, public_url=self.public_url), courtesies=CourtesyLinks(self.key, public_url=self.public_url),
            one_time=one_time, mail_limit=self.settings.limits.mail_out_mb * 1024 * 1024,
        )  # fmt: skip
        return {
            INBOUND: converse,
            GROUP_TALK: GroupTalk(
                self.database, context=self.context, channel=self.channel, blobs=self.blobs, limits=self.limits, otherwise=converse,
                attachment_limit=largest,
            ),
            BACKLOG: Backlog(context=self.context),
            MIRROR: Mirror(self.database, context=self.context, channel=self.channel),
            GROUP_SAY: GroupSay(self.database, context=self.context, channel=self.channel),
            DELIVER: Deliver(self.database, context=self.context, channel=self.channel, draw=draw),
            ACT: Acts(self.database, context=self.context, channel=self.channel, draw=draw),
            COURTESY: Courtesies(self.database, channel=self.channel),
            sla.TIMER: SlaTimer(self.database, context=self.context),
            effects.LADDER: LadderTimer(self.database, context=self.context),
            effects.RATING: RatingTimer(self.database, context=self.context),
            UNFINISHED: UnfinishedTimer(self.database, context=self.context),
            ADDRESS_CODE: AddressCodes(self.database, context=self.context, channel=self.channel, one_time=one_time),
            TOPIC: Topics(self.database, context=self.context, channel=self.channel),
            RETRAIN: Retrain(self.database, context=self.context, train=self.retrain),
        }  # fmt: skip

    def worker(self, *, concurrency: int | None = None) -> Worker:
        return Worker(
            self.database,
            handlers=self.handlers(),
            clock=self.clock,
            signal=self.signal,
            concurrency=concurrency or self.settings.work.concurrency,
        )

    # Life

    async def migrate(self) -> None:
        """Bring the store up to date; an embedded desk's file is copied first when there is something to change."""
        path = self.database.path
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
        if path is None or path.exists():
            found, newest = await migrations.current(self.database)
            if found == newest:
                return
            if path is not None and found is not None:
                await asyncio.to_thread(_copy_store, path, found)
        await migrations.upgrade(self.database)

    async def close(self) -> None:
        self.stopping.set()
        for _version, channel in self._channels.values():
            await channel.close()
        if self._ways_out is not None:
            await self._ways_out.close()
        for pace in self._paces.values():
            await pace.close()
        await self.limits.close()
        await self.signal.close()
        await self.database.close()


def _signal(settings: Settings) -> Signal:
    url = settings.redis.url.get_secret_value()
    if not url:
        return LocalSignal()
    return RedisSignal(_redis(url))


def _redis(url: str) -> "Redis":
    from redis.asyncio import Redis

    return Redis.from_url(url, socket_connect_timeout=2, health_check_interval=15)


def _copy_store(path: Path, revision: str) -> None:
    """A consistent copy beside the file, named by the revision it has."""
    import sqlite3

    source = sqlite3.connect(path)
    target = sqlite3.connect(path.with_name(f"{path.name}.before-{revision}"))
    try:
        source.backup(target)
    finally:
        source.close()
        target.close()


def desk_from_environment(**overrides: Any) -> Desk:
    """A desk by the environment and .env; `overrides` are fields of `Settings`."""
    return Desk(load_settings(**overrides))
