"""Receiving by long polling: our own small loop, because an update is acknowledged only when it is stored.

Both library loops acknowledge earlier: aiogram moves its offset before a handler has finished, and its webhook handler
answers while the handler still runs (aiogram issue 1397).
"""

import asyncio
import random
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, Protocol, TypeAlias

import structlog

from channels.telegram.connection import CallFailed, ConnectionClosed, json_bytes
from channels.telegram.content import number
from channels.telegram.mapping import to_inbound, unreadable
from desk_core.conversations.ports import Accept, Accepted, InboundKind, InboundMessage
from desk_core.kit.clock import Clock
from desk_core.kit.errors import DeskError, StoreUnavailable
from desk_core.kit.i18n import Phrase
from desk_core.kit.i18n import gettext_noop as _

log = structlog.get_logger()

# Every kind of the Bot API: without the list Telegram leaves out reactions and members, and remembers an older list.
# fmt: off
ALLOWED_UPDATES: Final = (
    "message", "edited_message", "channel_post", "edited_channel_post", "business_connection", "business_message",
    "edited_business_message", "deleted_business_messages", "guest_message", "message_reaction", "message_reaction_count",
    "inline_query", "chosen_inline_result", "callback_query", "shipping_query", "pre_checkout_query", "purchased_paid_media",
    "poll", "poll_answer", "my_chat_member", "chat_member", "chat_join_request", "chat_boost", "removed_chat_boost", "managed_bot",
)
# fmt: on
POLL_SECONDS: Final = 25
CONFIRM_SECONDS: Final = 3.0
LONGEST_PAUSE: Final = 60.0
LINGER: Final = 0.03
"""Seconds after updates in which no more are asked for: what people write in a moment comes together and shares a commit, and the desk
answers in the meantime."""
_TOKEN_PAUSE: Final = 30.0
CONFLICT: Final = _(
    "Another program receives with this bot's token. Stop it, or let @BotFather make a new token (/revoke) and give that to the desk; "
    "receiving goes on by itself then, and nothing is lost meanwhile. Telegram: %(words)s"
)

OnStatus: TypeAlias = Callable[[str | None], Awaitable[None] | None]
"""Told the words of what is wrong, and None when all is well again; called on changes only; may be a coroutine function."""


class UpdateSource(Protocol):
    """Where updates come from: `Connection`, or a fake."""

    async def updates(self, *, offset: int | None, seconds: int, allowed: Iterable[str]) -> list[Any]: ...

    async def call(self, method: str, params: Mapping[str, Any] | None = None) -> Any: ...


class Status:
    """The words of what is wrong with receiving, handed on when they change."""

    def __init__(self, on_status: OnStatus | None, *, inbox_id: str) -> None:
        self._on_status = on_status
        self._inbox_id = inbox_id
        self._told: str | None = ""  # neither well nor ill: the first report is always told
        self.words: str | None = None

    async def report(self, words: str | None) -> None:
        self.words = words
        if words == self._told:
            return
        if words is not None:
            log.warning("telegram.receive_trouble", inbox=self._inbox_id, reason=words)
        if self._on_status is not None:
            try:
                telling = self._on_status(words)
                if telling is not None:
                    await telling
            except (DeskError, OSError) as error:
                # Telling is worth another try at the next report, but never worth stopping for.
                log.warning("telegram.status_not_kept", inbox=self._inbox_id, error=type(error).__name__)
                return
        self._told = words


class Poller:
    """Fetches updates in order and accepts each before asking for the next ones."""

    def __init__(
        self,
        source: UpdateSource,
        *,
        inbox_id: str,
        burst_seconds: float,
        clock: Clock,
        on_status: OnStatus | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.offset: int | None = None
        self._source = source
        self._inbox_id = inbox_id
        self._burst_seconds = burst_seconds
        self._clock = clock
        self._sleep = sleep
        self._failures = 0
        self.status = Status(on_status, inbox_id=inbox_id)

    async def run(self, accept: Accept) -> None:
        """Poll until cancelled or closed; every trouble is reported and waited out. What is stored is acknowledged before it returns."""
        try:
            while True:
                await self.step(accept)
        except ConnectionClosed:
            log.info("telegram.receiving_ends", inbox=self._inbox_id)
        finally:
            await self.confirm()

    async def confirm(self) -> None:
        """Tell Telegram what is stored: whoever receives next, by whichever way, is not given it again."""
        if self.offset is None:
            return
        try:
            async with asyncio.timeout(CONFIRM_SECONDS):
                await self._source.updates(offset=self.offset, seconds=0, allowed=ALLOWED_UPDATES)
        except (CallFailed, TimeoutError) as failure:
            # It is stored under its number, so that it may come again and is known.
            log.info("telegram.offset_not_confirmed", inbox=self._inbox_id, error=type(failure).__name__)

    async def step(self, accept: Accept, *, seconds: int = POLL_SECONDS) -> None:
        """One poll and its updates; after a failure, one pause."""
        try:
            await self._poll(accept, seconds=seconds)
        except StoreUnavailable:
            await self._wait_out(_("The desk cannot store messages at the moment; Telegram keeps them until it can."))
        except ConnectionClosed:
            raise
        except CallFailed as failure:
            await self._meet(failure)
        else:
            self._failures = 0
            await self.status.report(None)

    async def _poll(self, accept: Accept, *, seconds: int) -> None:
        updates = await self._source.updates(offset=self.offset, seconds=seconds, allowed=ALLOWED_UPDATES)
        failures = await self._store(updates, accept)
        for place, update in enumerate(updates):
            if place in failures:
                raise failures[place]
            # Telegram forgets an update once a higher offset is asked for, so the offset moves only after the commit:
            # whatever happens before this line, the update comes again, and accepting it twice stores it once.
            update_id = number(update, "update_id") if isinstance(update, dict) else None
            if update_id is not None:
                self.offset = update_id + 1
        if updates and self.offset is None:
            raise CallFailed(_("Telegram sent updates without numbers"))
        if updates:
            await self._sleep(LINGER)

    async def _store(self, updates: Sequence[Any], accept: Accept) -> dict[int, StoreUnavailable]:
        """What could not be stored, by its place. Chats go side by side and share a commit; within one, nothing follows what failed."""
        failures: dict[int, StoreUnavailable] = {}
        chats: dict[str, list[tuple[int, InboundMessage]]] = {}
        for place, update in enumerate(updates):
            inbound = _read(update, inbox_id=self._inbox_id, burst_seconds=self._burst_seconds, now=self._clock.now())
            chats.setdefault(inbound.lane, []).append((place, inbound))

        async def one_chat(messages: Sequence[tuple[int, InboundMessage]]) -> None:
            for place, inbound in messages:
                try:
                    await _keep(updates[place], inbound, accept, inbox_id=self._inbox_id, clock=self._clock)
                except StoreUnavailable as error:
                    failures[place] = error
                    return

        await asyncio.gather(*(one_chat(messages) for messages in chats.values()))
        return failures

    async def _meet(self, failure: CallFailed) -> None:
        match failure.code:
            case 409 if "webhook" in failure.words.lower():
                words = _("A webhook was set for this bot elsewhere and is taken off again. Telegram: %(words)s")
                await self._wait_out(Phrase(words, words=failure.words))
                await self.leave_webhook()
            case 409:
                await self._wait_out(Phrase(CONFLICT, words=failure.words))
            case 401 | 404:
                words = _("Telegram does not know this token; copy it from @BotFather again. Telegram: %(words)s")
                await self._wait_out(Phrase(words, words=failure.words), at_least=_TOKEN_PAUSE)
            case 429:
                words = Phrase(_("Telegram asks to slow down: %(words)s"), words=failure.words)
                await self._wait_out(words, at_least=float(failure.retry_after or 1))
            case _:
                await self._wait_out(failure.words)

    async def leave_webhook(self) -> None:
        """Polling and a webhook exclude each other; updates that wait are kept."""
        try:
            await self._source.call("deleteWebhook", {"drop_pending_updates": False})
        except CallFailed as failure:
            await self.status.report(failure.words)

    async def _wait_out(self, words: str, *, at_least: float = 0.0) -> None:
        self._failures += 1
        await self.status.report(words)
        # Jitter, so that many inboxes do not come back to a recovering store or server all at once.
        pause = min(LONGEST_PAUSE, 0.5 * 2 ** min(self._failures - 1, 7)) * random.uniform(0.5, 1.0)
        await self._sleep(max(pause, at_least))


async def take(update: Any, accept: Accept, *, inbox_id: str, burst_seconds: float, clock: Clock) -> Accepted:
    """Store one update; raises `StoreUnavailable` when nothing was stored."""
    inbound = _read(update, inbox_id=inbox_id, burst_seconds=burst_seconds, now=clock.now())
    return await _keep(update, inbound, accept, inbox_id=inbox_id, clock=clock)


def _read(update: Any, *, inbox_id: str, burst_seconds: float, now: datetime) -> InboundMessage:
    """What an update says; one that is none is a card."""
    if not isinstance(update, dict):
        return unreadable(update, inbox_id=inbox_id, reason="not an object", now=now)
    return to_inbound(update, inbox_id=inbox_id, burst_seconds=burst_seconds, now=now)


async def _keep(update: Any, inbound: InboundMessage, accept: Accept, *, inbox_id: str, clock: Clock) -> Accepted:
    """Store what `_read` made of an update; what intake cannot digest is stored as a card. Raises `StoreUnavailable`."""
    raw, failure = json_bytes(update), None
    for attempt in (inbound, _card(inbound), unreadable(update, inbox_id=inbox_id, reason="intake failed", now=clock.now())):
        try:
            return await accept(inbox_id, attempt, raw=raw)
        except StoreUnavailable:
            raise
        except Exception as error:  # noqa: BLE001 - whatever the fault, one odd update must not stop all that come after it
            failure = error
        # The error's own text may quote the message, so only its kind is logged.
        log.error("telegram.update_not_digested", inbox=inbox_id, update=inbound.external_id, error=type(failure).__name__)
    # Not even the least could be stored: then nothing may be acknowledged, and waiting is all that is left.
    raise StoreUnavailable(reason=type(failure).__name__) from failure


def _card(inbound: InboundMessage) -> InboundMessage:
    """The same sender and place without the content: an operator sees that something came which the desk could not take in."""
    card = {"kind": "unreadable", "reason": "intake failed"}
    return InboundMessage(
        kind=InboundKind.UNSUPPORTED,
        external_id=inbound.external_id,
        lane=inbound.lane,
        sender=inbound.sender,
        at=inbound.at,
        thread_key=inbound.thread_key,
        shown_id=inbound.shown_id,
        held=inbound.held,
        card=card,
    )
