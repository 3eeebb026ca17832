"""One Telegram inbox: receives by polling or webhook, sends through aiogram, and never lets its token out."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias
from urllib.parse import urlsplit

import structlog

from channels.telegram import local_files
from channels.telegram.checkup import STEPS, Checkup, News
from channels.telegram.connection import CALL_SECONDS, CallFailed, Connection, ConnectionClosed
from channels.telegram.pace import Pace
from channels.telegram.plan import Place
from channels.telegram.profile import Profile
from channels.telegram.receive import ALLOWED_UPDATES, LONGEST_PAUSE, OnStatus, Poller, Status
from channels.telegram.webhook import handle_webhook, is_telegram
from desk_core.conversations.checkups import State
from desk_core.conversations.ports import (
    Ability,
    Accept,
    Blobs,
    ChannelKind,
    DeliveryError,
    OutboundMessage,
    Receipt,
    Refused,
    RetryLater,
    Topic,
)
from desk_core.groups.ports import Face, Standing
from desk_core.kit.clock import Clock
from desk_core.kit.errors import DeskError
from desk_core.kit.i18n import Phrase
from desk_core.kit.i18n import gettext_noop as _

if TYPE_CHECKING:
    from channels.telegram.group import GroupDesk
    from channels.telegram.send import Sender

log = structlog.get_logger()

MAX_CONNECTIONS: Final = 40
LARGEST_PICTURE: Final = 1024 * 1024
LARGEST_DOWNLOAD: Final = 20 * 1024 * 1024
OnName: TypeAlias = Callable[[str], Awaitable[None]]
"""Told what the bot is called, once Telegram has said it."""
_WATCH_SECONDS: Final = 60.0
_BELIEVED: Final = timedelta(minutes=5)
_FRESH_ERROR: Final = timedelta(minutes=10)
_TOO_LARGE: Final = "the file is larger than Telegram hands to bots (20 MB)"


class TelegramChannel:
    """Implements `Channel` for one bot. `webhook_url` is the whole address, path included; without it the bot polls.

    `local` says that the Bot API server at `api_url` is one of our own, which hands out files up to 2 GB and takes as much.
    """

    kind = ChannelKind.TELEGRAM
    abilities = frozenset({Ability.EDIT, Ability.DELETE, Ability.REACT, Ability.TOPICS})

    def __init__(
        self,
        inbox_id: str,
        token: str,
        *,
        blobs: Blobs,
        clock: Clock,
        api_url: str | None = None,
        webhook_url: str | None = None,
        webhook_secret: str | None = None,
        max_connections: int = MAX_CONNECTIONS,
        only_telegram: bool = False,
        proxy: str | None = None,
        burst_seconds: float = 2.0,
        pace: Pace | None = None,
        profile: Profile | None = None,
        on_status: OnStatus | None = None,
        on_name: OnName | None = None,
        local: bool = False,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        if webhook_url and not webhook_secret:
            raise ValueError("a webhook needs its secret: without one anybody could write in everybody's name")
        self.inbox_id = inbox_id
        self._blobs = blobs
        self._clock = clock
        self._webhook_url = webhook_url
        self._webhook_secret = webhook_secret or ""
        self._max_connections = max_connections
        self._only_telegram = only_telegram
        self._burst_seconds = burst_seconds
        self._on_status = on_status
        self._on_name = on_name
        self._local = local
        self._sleep = sleep
        self._profile = profile or Profile()
        secrets = [self._webhook_secret, urlsplit(webhook_url).path.strip("/") if webhook_url else ""]
        self._connection = Connection(token, api_url=api_url, proxy=proxy, secrets=secrets, pace=pace)
        self._sender: Sender | None = None
        self._topics: tuple[datetime, bool] | None = None
        self._group: GroupDesk | None = None

    def __repr__(self) -> str:
        return f"TelegramChannel({self.inbox_id!r})"

    # Receiving

    async def run(self, accept: Accept) -> None:
        """Receive until cancelled or closed, by polling or, with a webhook address, by keeping the webhook set and watching it."""
        courtesies = [asyncio.create_task(act()) for act in (self._learn_name, self._set_menu)]
        try:
            if self._webhook_url:
                await self._keep_webhook()
            else:
                poller = Poller(
                    self._connection,
                    inbox_id=self.inbox_id,
                    burst_seconds=self._burst_seconds,
                    clock=self._clock,
                    on_status=self._on_status,
                    sleep=self._sleep,
                )
                await poller.leave_webhook()
                await poller.run(accept)
        finally:
            for courtesy in courtesies:
                courtesy.cancel()
            await asyncio.gather(*courtesies, return_exceptions=True)

    async def webhook(self, secret_header: str | None, body: bytes, accept: Accept, *, caller: str | None = None) -> int:
        """Answer one call of the webhook with an HTTP status; see `handle_webhook`. `caller` is the address that calls."""
        if self._only_telegram and not is_telegram(caller):
            log.warning("telegram.webhook_stranger", inbox=self.inbox_id)
            return 403
        return await handle_webhook(
            secret_header,
            body,
            secret=self._webhook_secret,
            inbox_id=self.inbox_id,
            accept=accept,
            clock=self._clock,
            burst_seconds=self._burst_seconds,
        )

    async def _learn_name(self) -> None:
        """What the bot is called in groups; until it is known a mention is only words."""
        if self._on_name is None:
            return
        for pause in (5.0, 30.0, 300.0):
            try:
                name = _mapping(await self._connection.call("getMe")).get("username")
                if isinstance(name, str) and name:
                    await self._on_name(name)
            except (CallFailed, DeskError) as error:
                log.info("telegram.name_not_known", inbox=self.inbox_id, error=type(error).__name__)
                await self._sleep(pause)
            else:
                return

    async def _set_menu(self) -> None:
        """Commands and descriptions: nice to have, so a failure is tried again slowly and stops nothing."""
        for pause in (5.0, 30.0, 300.0):
            try:
                bot = await self._connection.bot()
                module = await asyncio.to_thread(import_module, "channels.telegram.menu")
                with self._translated():
                    await module.set_menu(bot, self._profile)
            except DeliveryError as error:
                log.info("telegram.menu_not_set", inbox=self.inbox_id, reason=_reason(error))
                await self._sleep(pause)
            else:
                return

    async def _keep_webhook(self) -> None:
        """Set the webhook, and set it again whenever somebody took it off: a webhook dies silently otherwise."""
        status = Status(self._on_status, inbox_id=self.inbox_id)
        pause, is_set = 1.0, False
        while True:
            try:
                if not is_set:
                    await self._connection.call("setWebhook", self._webhook_settings())
                info = _mapping(await self._connection.call("getWebhookInfo"))
                # Telegram remembers what it was told last, also by an older desk or by hand.
                is_set = info.get("url") == self._webhook_url and info.get("max_connections") in (None, self._max_connections)
                await status.report(self._webhook_trouble(info))
                pause = _WATCH_SECONDS if is_set else 1.0
            except ConnectionClosed:
                return
            except CallFailed as failure:
                await status.report(failure.words)
                pause = max(min(pause * 2, LONGEST_PAUSE), float(failure.retry_after or 0))
            await self._sleep(pause)

    def _webhook_settings(self) -> dict[str, Any]:
        return {
            "url": self._webhook_url,
            "secret_token": self._webhook_secret,
            "allowed_updates": list(ALLOWED_UPDATES),
            "max_connections": self._max_connections,
        }

    def _webhook_trouble(self, info: dict[str, Any]) -> str | None:
        """What keeps Telegram from reaching us, if that is so now and not an old story."""
        at, words = info.get("last_error_date"), info.get("last_error_message")
        if not isinstance(at, int) or not words or not info.get("pending_update_count"):
            return None
        if self._clock.now() - datetime.fromtimestamp(at, UTC) > _FRESH_ERROR:
            return None
        waiting = info.get("pending_update_count")
        told = self._connection.scrub(words)
        return Phrase(_("Telegram cannot deliver to our webhook (waiting: %(number)s): %(words)s"), number=waiting, words=told)

    # Sending

    async def send(self, message: OutboundMessage) -> Receipt:
        return await (await self._ready()).deliver(message)

    async def edit(self, message: OutboundMessage, shown: Receipt) -> Receipt:
        return await (await self._ready()).edit(message, shown)

    async def delete(self, thread_key: str, external_ids: Sequence[str]) -> None:
        await (await self._ready()).delete(thread_key, external_ids)

    async def react(self, thread_key: str, external_id: str, emoji: str | None) -> None:
        await (await self._ready()).react(thread_key, external_id, emoji)

    async def typing(self, thread_key: str) -> None:
        await self._quietly("typing", lambda sender: sender.typing(thread_key))

    async def answer_press(self, callback_id: str, text: str | None = None) -> None:
        await self._quietly("answer_press", lambda sender: sender.answer_press(callback_id, text))

    async def close_buttons(self, thread_key: str, external_id: str) -> None:
        await self._quietly("close_buttons", lambda sender: sender.close_buttons(thread_key, external_id))

    async def has_topics(self, thread_key: str) -> bool:
        """Whether the bot has topics in private chats: its owner switches them on at @BotFather, so it is asked for every few minutes."""
        if Place.of(thread_key).is_group:
            return False
        now = self._clock.now()
        if self._topics is None or now - self._topics[0] > _BELIEVED:
            try:
                me = _mapping(await self._connection.call("getMe"))
            except CallFailed as failure:
                log.info("telegram.topics_unknown", inbox=self.inbox_id, reason=failure.words)
                return self._topics is not None and self._topics[1]
            self._topics = now, me.get("has_topics_enabled") is True
        return self._topics[1]

    async def open_topic(self, thread_key: str, topic: Topic) -> str:
        return await (await self._ready()).open_topic(thread_key, topic)

    async def set_topic(self, thread_key: str, topic: Topic, *, shown: Mapping[str, Any]) -> None:
        await (await self._ready()).set_topic(thread_key, topic, shown=shown)

    # The operators' group

    async def group_standing(self, chat: str) -> Standing:
        return await (await self._grouping()).standing(chat)

    async def open_group_topic(self, chat: str, face: Face) -> str:
        return await (await self._grouping()).open_topic(chat, face)

    async def show_group_topic(self, chat: str, thread: str, face: Face) -> None:
        await (await self._grouping()).show_topic(chat, thread, face)

    async def post_in_group(self, message: OutboundMessage) -> Receipt:
        return await (await self._grouping()).post(message)

    async def rewrite_in_group(self, message: OutboundMessage, place: str) -> None:
        await (await self._grouping()).rewrite(message, place)

    async def _grouping(self) -> "GroupDesk":
        sender = await self._ready()
        if self._group is None:
            module = await asyncio.to_thread(import_module, "channels.telegram.group")
            self._group = module.GroupDesk(self._connection, await self._connection.bot(), sender)
        return self._group

    async def _quietly(self, what: str, act: "Callable[[Sender], Awaitable[None]]") -> None:
        """A courtesy: worth a try, and never worth failing for."""
        try:
            await act(await self._ready())
        except DeliveryError as error:
            log.info("telegram.courtesy_failed", inbox=self.inbox_id, what=what, reason=_reason(error))

    async def _ready(self) -> "Sender":
        if self._sender is None:
            bot = await self._connection.bot()
            module = await asyncio.to_thread(import_module, "channels.telegram.send")
            if self._sender is None:
                self._sender = module.Sender(self._connection, bot, blobs=self._blobs, local=self._local)
        return self._sender

    def _translated(self) -> Any:
        return import_module("channels.telegram.bot").translated(self._connection)

    # Files

    async def fetch(self, remote_id: str) -> AsyncIterator[bytes]:
        """Stream a file that lies with Telegram; raises `RetryLater` or `Refused`."""
        try:
            seconds = local_files.READY_SECONDS if self._local else CALL_SECONDS
            found = _mapping(await self._connection.call("getFile", {"file_id": remote_id}, seconds=seconds))
            largest = local_files.LARGEST_DOWNLOAD if self._local else LARGEST_DOWNLOAD
            if isinstance(size := found.get("file_size"), int) and size > largest:
                raise Refused(_TOO_LARGE)
            path = found.get("file_path")
            if not isinstance(path, str) or not path:
                raise RetryLater("Telegram has not made the file ready yet")
            async for chunk in self._content(path):
                yield chunk
        except CallFailed as failure:
            raise _fetch_error(failure) from None

    async def _content(self, path: str) -> AsyncIterator[bytes]:
        """The bytes behind a `file_path`; one that a local server names in whole is read from the disk, if that is here too."""
        if not (self._local and path.startswith("/")):
            async for chunk in self._connection.download(path):
                yield chunk
            return
        below = local_files.within(path, self._connection.token)
        if below is None:
            raise Refused("the Bot API server named a file outside the bot's own folder")
        if await local_files.is_here(Path(path)):
            try:
                async for chunk in local_files.stream(Path(path)):
                    yield chunk
            except OSError as error:
                raise RetryLater(f"the file of the Bot API server cannot be read: {type(error).__name__}") from None
            return
        async for chunk in self._connection.download(str(below), seconds=local_files.READY_SECONDS):
            yield chunk

    # Diagnosis

    def checkup(self, news: News | None = None) -> Checkup:
        """The bot, ready to be examined."""
        return Checkup(self._connection, now=self._clock.now(), webhook_url=self._webhook_url, news=news)

    async def test(self) -> Sequence[tuple[str, bool, str]]:
        """Steps of a connection test: (step, passed, Telegram's words); those that could not be tried are left out."""
        tried = [step for step in await self.checkup().run() if step.state is not State.SKIPPED]
        return [(STEPS[step.key], step.state is not State.FAIL, step.words) for step in tried]

    async def username(self) -> str:
        """The name by which people find the bot, without the @; empty where it has none. Raises `RetryLater` or `Refused`."""
        try:
            return str(_mapping(await self._connection.call("getMe")).get("username") or "")
        except CallFailed as failure:
            raise _fetch_error(failure) from None

    async def picture(self) -> bytes | None:
        """The bot's own picture, small; None where it has none. Raises `RetryLater` or `Refused`."""
        try:
            me = _mapping(await self._connection.call("getMe"))
            found = _mapping(await self._connection.call("getUserProfilePhotos", {"user_id": me.get("id"), "limit": 1}))
        except CallFailed as failure:
            raise _fetch_error(failure) from None
        sizes = [size for photo in found.get("photos") or [] for size in photo]
        if not sizes:
            return None
        chunks, taken = list[bytes](), 0
        async for chunk in self.fetch(str(min(sizes, key=lambda size: abs(size.get("width", 0) - 160)).get("file_id"))):
            taken += len(chunk)
            if taken > LARGEST_PICTURE:
                return None
            chunks.append(chunk)
        return b"".join(chunks)

    async def close(self) -> None:
        await self._connection.close()


def _mapping(result: Any) -> dict[str, Any]:
    if not isinstance(result, dict):
        raise CallFailed("Telegram answered with something that is no object")
    return result


def _reason(error: DeliveryError) -> str:
    return str(getattr(error, "reason", error.code))


def _fetch_error(failure: CallFailed) -> DeliveryError:
    words = failure.words
    if "file is too big" in words:
        return Refused(_TOO_LARGE)
    # Telegram has one sentence for "wrong" and "not available now"; only trying again tells which.
    final = failure.code is not None and 400 <= failure.code < 500 and failure.code not in (401, 404, 409, 429)
    if final and "temporarily unavailable" not in words:
        return Refused(words)
    return RetryLater(words, after=timedelta(seconds=failure.retry_after) if failure.retry_after else None)
