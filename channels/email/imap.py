"""Fetching from a mailbox: read without marking, commit, then flag, move or delete. One connection an inbox, whatever its folders."""

import asyncio
import contextlib
import random
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING

import structlog

from channels.email import imap_mailbox as wire
from channels.email.imap_account import Account
from channels.email.imap_mailbox import CommandRefused, Fetched, MailboxFailed, Tokens, call
from channels.email.intake import MEGABYTE, InboxAddress, MailIntake
from desk_core.conversations.ports import Accept, Accepted, InboundMessage
from desk_core.kit.errors import StoreUnavailable
from desk_core.kit.i18n import Phrase
from desk_core.kit.i18n import gettext_noop as _

if TYPE_CHECKING:
    from imap_tools import BaseMailBox

log = structlog.get_logger()

_IDLE_SLICE = 2.0  # seconds a thread may be held while nothing happens, so that stopping is quick
_TELL_EVERY = 60.0  # seconds between two reports that all is well
MAX_SIZE = 50 * MEGABYTE
IN_HAND = 4
"""So many messages are read and stored while the next one is fetched."""


@dataclass(slots=True)
class _Stuck:
    """A message that could not be taken in: why, how often it was tried, and how many visits let it pass before the next try."""

    words: str
    tries: int = 0
    pass_by: int = 0


class ImapFetcher:
    """Takes what is unseen in the account's folders. `run` survives the server; `fetch_once` is one visit."""

    def __init__(
        self,
        inbox: InboxAddress,
        account: Account,
        *,
        accept: Accept,
        intake: MailIntake,
        tokens: Tokens | None = None,
        poll_seconds: float = 60.0,
        timeout: float = 30.0,
        max_size: int = MAX_SIZE,
        on_status: Callable[[str | None], None] | None = None,
    ) -> None:
        self._inbox, self._account, self._accept, self._intake, self._tokens = inbox, account, accept, intake, tokens
        self._poll_seconds, self._timeout, self._max_size = poll_seconds, timeout, max_size
        self._on_status = on_status or (lambda words: None)
        self._stuck: dict[tuple[str, str], _Stuck] = {}  # by folder and uid
        self._validity: dict[str, int] = {}
        self._told: tuple[str | None, float] = ("", 0.0)

    async def run(self) -> None:
        """Until cancelled: connect, take what is new, wait for more; after trouble again, later and later."""
        wait = 1.0
        while True:
            logged_in = False
            try:
                async with self._connected() as mailbox:
                    logged_in = True
                    can = await call(wire.offers, mailbox)
                    while True:
                        await self.take_new(mailbox, can)
                        wait = 1.0
                        await self._wait_for_more(mailbox, can)
            except StoreUnavailable as error:
                log.warning("imap.not_stored", inbox=self._inbox.inbox_id, error=error.code)
            except MailboxFailed as error:
                log.warning("imap.failed", inbox=self._inbox.inbox_id, error=error.code)
                from channels.email.imap_trouble import trouble  # with the check, which a mailbox without trouble does not need

                self._tell(trouble(error, self._account, logged_in=logged_in, seconds=self._timeout))
            await asyncio.sleep(wait * random.uniform(0.8, 1.2))
            wait = min(wait * 2, 300.0)

    async def fetch_once(self) -> int:
        """Connect, take what is new, leave; the answer is how many were accepted."""
        async with self._connected() as mailbox:
            return await self.take_new(mailbox, await call(wire.offers, mailbox))

    async def take_new(self, mailbox: "BaseMailBox", can: frozenset[str]) -> int:
        """Accept every unseen message of every folder, oldest first. One stuck message or a missing folder stops nothing else."""
        taken, missing = 0, []
        # The watched folder last: it is the one that stays selected while the server is listened to.
        for folder in (*self._account.others, self._account.folder):
            try:
                taken += await self._take_folder(mailbox, folder, can)
            except CommandRefused as error:
                log.warning("imap.folder_refused", inbox=self._inbox.inbox_id)
                missing.append(f"{folder}: {error.fields.get('reason', '')}")
        self._tell(_listed([*missing, *(stuck.words for stuck in self._stuck.values())]))
        return taken

    async def _take_folder(self, mailbox: "BaseMailBox", folder: str, can: frozenset[str]) -> int:
        validity = await call(wire.select, mailbox, folder)
        uids = await call(wire.unseen, mailbox)
        # RFC 3501, section 2.3.1.1: with another UIDVALIDITY the same number is another message. What was taken in before and comes
        # again is known by its Message-ID.
        renumbered = self._validity.get(folder, validity) != validity
        if renumbered:
            log.info("imap.renumbered", inbox=self._inbox.inbox_id)
        self._validity[folder] = validity
        for key in [key for key in self._stuck if key[0] == folder and (renumbered or key[1] not in uids)]:
            del self._stuck[key]
        taken, in_hand, order = 0, deque[_InHand](), InOrder(self._accept)
        try:
            for uid in uids:
                stuck = self._stuck.get((folder, uid))
                if stuck is not None and stuck.pass_by > 0:
                    stuck.pass_by -= 1
                    continue
                if len(in_hand) >= IN_HAND:
                    taken += await self._finish(mailbox, folder, in_hand.popleft(), can)
                with self._noting(folder, uid):
                    found = await call(wire.fetch, mailbox, folder, validity, uid, self._max_size)
                    if found is not None:  # otherwise somebody deleted it meanwhile
                        in_hand.append(_InHand(uid, asyncio.create_task(self._take_in(found, order.turn()))))
            while in_hand:
                taken += await self._finish(mailbox, folder, in_hand.popleft(), can)
        finally:
            # Only after trouble something is left. What was stored and is not flagged comes again, and is known then.
            for left in in_hand:
                left.task.cancel()
            await asyncio.gather(*(left.task for left in in_hand), return_exceptions=True)
        return taken

    async def _take_in(self, found: Fetched, turn: "Turn") -> None:
        try:
            await self._intake.take(found.raw, inbox=self._inbox, accept=Placed(turn, found))
        except StoreUnavailable:
            turn.over(stored=False)
            raise
        finally:
            turn.over()

    async def _finish(self, mailbox: "BaseMailBox", folder: str, one: "_InHand", can: frozenset[str]) -> int:
        """How many were taken in: one, or none where it is stuck."""
        with self._noting(folder, one.uid):
            await one.task
            # The order is the promise: a message flagged before the commit would be lost with the process.
            await call(wire.settle, mailbox, one.uid, self._account.after, can)
            self._stuck.pop((folder, one.uid), None)
            return 1
        return 0

    @contextlib.contextmanager
    def _noting(self, folder: str, uid: str) -> Iterator[None]:
        """Trouble of one message is noted and stops nothing else; trouble of the store or of the connection goes on."""
        try:
            yield
        except StoreUnavailable:
            raise
        except MailboxFailed as error:
            self._note_stuck(folder, uid, str(error.fields.get("reason", "")), lost=not isinstance(error, CommandRefused))
            if not isinstance(error, CommandRefused):
                raise
        except Exception as error:
            self._note_stuck(folder, uid, type(error).__name__)
            log.error("imap.stuck", inbox=self._inbox.inbox_id, uid=uid, error=type(error).__name__, exc_info=error)

    def _note_stuck(self, folder: str, uid: str, reason: str, *, lost: bool = False) -> None:
        """Let it pass for a while, longer each time. A lost connection is held against a message only when it happens twice."""
        stuck = self._stuck.setdefault((folder, uid), _Stuck(""))
        stuck.tries += 1
        stuck.pass_by = 0 if lost and stuck.tries == 1 else min(2**stuck.tries, 240)
        stuck.words = Phrase(_("%(folder)s: message %(uid)s is stuck: %(words)s"), folder=folder, uid=uid, words=reason)

    def _tell(self, words: str | None) -> None:
        """Report trouble every time, as an arriving mail wipes it from the list; that all is well only now and then."""
        before, at = self._told
        now = time.monotonic()
        if words or before != words or now - at >= _TELL_EVERY:
            self._told = words, now
            self._on_status(words)

    def _connected(self) -> AbstractAsyncContextManager["BaseMailBox"]:
        return wire.connected(self._account, tokens=self._tokens, timeout=self._timeout)

    async def _wait_for_more(self, mailbox: "BaseMailBox", can: frozenset[str]) -> None:
        if "IDLE" not in can or mailbox.folder.get() != self._account.folder:
            await asyncio.sleep(self._poll_seconds)
            return
        await call(mailbox.idle.start)
        waited = 0.0
        while waited < self._poll_seconds:
            if await call(wire.news, mailbox, min(_IDLE_SLICE, self._poll_seconds)):
                break
            waited += _IDLE_SLICE
        await call(mailbox.idle.stop)


def _listed(troubles: list[str]) -> str | None:
    """Several as one, each still to be told in the reader's language."""
    if len(troubles) < 2:
        return troubles[0] if troubles else None
    return Phrase(
        "; ".join(f"%(trouble_{at})s" for at in range(len(troubles))), **{f"trouble_{at}": one for at, one in enumerate(troubles)}
    )


@dataclass(slots=True)
class _InHand:
    """A message that was fetched and is being taken in."""

    uid: str
    task: "asyncio.Task[None]"


class InOrder:
    """Several messages are taken in at a time, and those of one lane are stored in the order they were fetched in."""

    def __init__(self, accept: Accept) -> None:
        self.accept = accept
        self.last: dict[str, asyncio.Future[bool]] = {}  # by lane: whether the last message of it was not refused by the store
        self._known: asyncio.Future[None] | None = None

    def turn(self) -> "Turn":
        """The turn of the next message."""
        turn = Turn(self, after=self._known)
        self._known = turn.known
        return turn


class Turn:
    """Accepts one message once the lanes of all before it are known, and those before it in its own lane are stored."""

    def __init__(self, order: InOrder, *, after: "asyncio.Future[None] | None") -> None:
        loop = asyncio.get_running_loop()
        self._order, self._after = order, after
        self.known: asyncio.Future[None] = loop.create_future()
        self._stored: asyncio.Future[bool] = loop.create_future()

    async def __call__(self, inbox_id: str, message: InboundMessage, *, raw: bytes | None = None) -> Accepted:
        if self._after is not None:
            await asyncio.shield(self._after)
        before, self._order.last[message.lane] = self._order.last.get(message.lane), self._stored
        self.known.set_result(None)
        if before is not None and not await asyncio.shield(before):
            raise StoreUnavailable(reason="an earlier message of the same person")
        return await self._order.accept(inbox_id, message, raw=raw)

    def over(self, *, stored: bool = True) -> None:
        """Let those behind it go on, whatever became of it; `stored` is False where the store takes nothing."""
        if not self._stored.done():
            self._stored.set_result(stored)
        if self._after is None or self._after.done():
            self._tell()
        else:  # it never got as far as its lane
            self._after.add_done_callback(self._tell)

    def _tell(self, _done: object = None) -> None:
        if not self.known.done():
            self.known.set_result(None)


@dataclass(frozen=True, slots=True)
class Placed:
    """Accepts with the message's place in the mailbox written on it, and its true size where only the beginning was fetched."""

    accept: Accept
    found: Fetched

    async def __call__(self, inbox_id: str, message: InboundMessage, *, raw: bytes | None = None) -> Accepted:
        return await self.accept(inbox_id, replace(message, card={**message.card, **self.found.card}), raw=raw)


async def everything_since(
    account: Account, day: date, *, folders: Sequence[str] = (), tokens: Tokens | None = None, max_size: int = MAX_SIZE
) -> AsyncIterator[tuple[str, int, Fetched | CommandRefused]]:
    """(where, how many there are in its folder, the message or why there is none) of all mail since `day`, seen or not; marks nothing.

    Raises `MailboxFailed`; what lay there when it began is what it gives.
    """
    async with wire.connected(account, tokens=tokens) as mailbox:
        for folder in folders or account.folders:
            validity = await call(wire.select, mailbox, folder, readonly=True)
            uids = await call(wire.since, mailbox, day)
            for uid in uids:
                try:
                    found: Fetched | CommandRefused | None = await call(wire.fetch, mailbox, folder, validity, uid, max_size)
                except CommandRefused as refused:
                    found = refused
                if found is not None:
                    yield f"{folder}/{uid}", len(uids), found
