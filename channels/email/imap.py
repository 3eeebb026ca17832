"""Fetching from a mailbox: read without marking, commit, then flag, move or delete. One connection an inbox, whatever its folders."""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Callable, Sequence
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

if TYPE_CHECKING:
    from imap_tools import BaseMailBox

log = structlog.get_logger()

_IDLE_SLICE = 2.0  # seconds a thread may be held while nothing happens, so that stopping is quick
_TELL_EVERY = 60.0  # seconds between two reports that all is well
MAX_SIZE = 50 * MEGABYTE


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
            try:
                async with self._connected() as mailbox:
                    can = await call(wire.offers, mailbox)
                    while True:
                        await self.take_new(mailbox, can)
                        wait = 1.0
                        await self._wait_for_more(mailbox, can)
            except StoreUnavailable as error:
                log.warning("imap.not_stored", inbox=self._inbox.inbox_id, error=error.code)
            except MailboxFailed as error:
                log.warning("imap.failed", inbox=self._inbox.inbox_id, error=error.code)
                self._tell(str(error.fields.get("reason", "")))
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
        self._tell("; ".join((*missing, *(stuck.words for stuck in self._stuck.values()))) or None)
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
        taken = 0
        for uid in uids:
            stuck = self._stuck.get((folder, uid))
            if stuck is not None and stuck.pass_by > 0:
                stuck.pass_by -= 1
                continue
            try:
                taken += await self._take_one(mailbox, folder, validity, uid, can)
            except StoreUnavailable:
                raise
            except MailboxFailed as error:
                self._note_stuck(folder, uid, str(error.fields.get("reason", "")), lost=not isinstance(error, CommandRefused))
                if not isinstance(error, CommandRefused):
                    raise
            except Exception as error:
                self._note_stuck(folder, uid, type(error).__name__)
                log.error("imap.stuck", inbox=self._inbox.inbox_id, uid=uid, error=type(error).__name__, exc_info=error)
            else:
                self._stuck.pop((folder, uid), None)
        return taken

    async def _take_one(self, mailbox: "BaseMailBox", folder: str, validity: int, uid: str, can: frozenset[str]) -> bool:
        found = await call(wire.fetch, mailbox, folder, validity, uid, self._max_size)
        if found is None:
            return False  # somebody deleted it meanwhile
        await self._intake.take(found.raw, inbox=self._inbox, accept=Placed(self._accept, found))
        # The order is the promise: a message flagged before the commit would be lost with the process.
        await call(wire.settle, mailbox, uid, self._account.after, can)
        return True

    def _note_stuck(self, folder: str, uid: str, reason: str, *, lost: bool = False) -> None:
        """Let it pass for a while, longer each time. A lost connection is held against a message only when it happens twice."""
        stuck = self._stuck.setdefault((folder, uid), _Stuck(""))
        stuck.tries += 1
        stuck.pass_by = 0 if lost and stuck.tries == 1 else min(2**stuck.tries, 240)
        stuck.words = f"{folder}: message {uid} is stuck: {reason}"

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
            if await call(mailbox.idle.poll, min(_IDLE_SLICE, self._poll_seconds)):
                break
            waited += _IDLE_SLICE
        await call(mailbox.idle.stop)


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
