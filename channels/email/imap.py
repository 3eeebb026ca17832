"""Fetching from a mailbox: read without marking, commit, then flag. One connection an inbox, the blocking library in threads."""

import asyncio
import contextlib
import random
import re
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

import structlog

from channels.email.intake import MEGABYTE, InboxAddress, MailIntake
from desk_core.conversations.ports import Accept, Accepted, InboundMessage
from desk_core.kit.errors import DeskError, Invalid, StoreUnavailable
from desk_core.kit.i18n import gettext_noop as _

if TYPE_CHECKING:
    from imap_tools import BaseMailBox

log = structlog.get_logger()

_IDLE_SLICE = 2.0  # seconds a thread may be held while nothing happens, so that stopping is quick
_PARTIAL = MEGABYTE
_SIZE = re.compile(rb"RFC822\.SIZE (\d+)")


class MailboxFailed(DeskError):
    """The mail server refused or vanished; `reason` is in its own words."""

    code, status = "mailbox_failed", 502


@dataclass(frozen=True, slots=True)
class Account:
    """A mailbox, read from `imaps://user:password@host[:port]/[folder]` or `imap://...`."""

    host: str
    port: int
    tls: bool
    user: str
    password: str = field(repr=False)
    folder: str = "INBOX"

    @classmethod
    def of(cls, url: str) -> "Account":
        """Raises `Invalid` for anything else; the words name no password."""
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError as error:
            raise Invalid(reason=_("not an IMAP address")) from error
        if parts.scheme not in {"imap", "imaps"} or not parts.hostname or not parts.username:
            raise Invalid(reason="imaps://user:password@host")
        tls = parts.scheme == "imaps"
        return cls(
            host=parts.hostname,
            port=port or (993 if tls else 143),
            tls=tls,
            user=unquote(parts.username),
            password=unquote(parts.password or ""),
            folder=unquote(parts.path.strip("/")) or "INBOX",
        )


class ImapFetcher:
    """Takes what is unseen in one folder. `run` survives the server; `fetch_once` is one visit."""

    def __init__(
        self,
        inbox: InboxAddress,
        url: str,
        *,
        accept: Accept,
        intake: MailIntake,
        poll_seconds: float = 60.0,
        timeout: float = 30.0,
        max_size: int = 50 * MEGABYTE,
        on_status: Callable[[str | None], None] | None = None,
    ) -> None:
        self._inbox, self._account, self._accept, self._intake = inbox, Account.of(url), accept, intake
        self._poll_seconds, self._timeout, self._max_size = poll_seconds, timeout, max_size
        self._on_status = on_status or (lambda words: None)
        self._stuck: dict[str, int] = {}  # uid -> visits to let pass before the next try
        self._failures: dict[str, int] = {}

    async def run(self) -> None:
        """Until cancelled: connect, take what is new, wait for more; after trouble again, later and later."""
        wait = 1.0
        while True:
            try:
                async with self._connected() as mailbox:
                    self._on_status(None)
                    wait = 1.0
                    while True:
                        await self.take_new(mailbox)
                        await self._wait_for_more(mailbox)
            except StoreUnavailable as error:
                log.warning("imap.not_stored", inbox=self._inbox.inbox_id, error=error.code)
            except MailboxFailed as error:
                log.warning("imap.failed", inbox=self._inbox.inbox_id)
                self._on_status(str(error.fields.get("reason", "")))
            await asyncio.sleep(wait * random.uniform(0.8, 1.2))
            wait = min(wait * 2, 300.0)

    async def fetch_once(self) -> int:
        """Connect, take what is new, leave; the answer is how many were accepted."""
        async with self._connected() as mailbox:
            return await self.take_new(mailbox)

    async def take_new(self, mailbox: "BaseMailBox") -> int:
        """Accept every unseen message, oldest first, and flag each only after it is stored. One stuck message stops no other."""
        validity, uids = await self._call(_unseen, mailbox)
        taken = 0
        for uid in uids:
            if self._stuck.get(uid, 0) > 0:
                self._stuck[uid] -= 1
                continue
            raw, size = await self._call(_fetch, mailbox, uid, self._max_size)
            if raw is None:
                continue  # somebody deleted it meanwhile
            try:
                await self._intake.take(
                    raw, inbox=self._inbox, accept=_Marked(self._accept, self._account.folder, validity, uid, size, len(raw))
                )
            except StoreUnavailable:
                raise
            except Exception as error:
                failures = self._failures[uid] = self._failures.get(uid, 0) + 1
                self._stuck[uid] = min(2**failures, 240)
                log.error("imap.stuck", inbox=self._inbox.inbox_id, uid=uid, error=type(error).__name__, exc_info=error)
                self._on_status(f"message {uid} cannot be taken in: {type(error).__name__}")
                continue
            self._stuck.pop(uid, None)
            self._failures.pop(uid, None)
            # The order is the promise: a message flagged before the commit would be lost with the process.
            await self._call(_flag_seen, mailbox, uid)
            taken += 1
        return taken

    async def test(self) -> list[tuple[str, bool, str]]:
        """Steps: connect, log in, open the folder, count the unseen; stops at the first that fails."""
        account = self._account
        steps: list[tuple[str, bool, str]] = []
        try:
            mailbox = await self._call(_connect, account, self._timeout)
        except MailboxFailed as error:
            return [(f"IMAP {account.host}:{account.port}", False, str(error.fields.get("reason")))]
        steps.append((f"IMAP {account.host}:{account.port}", True, "TLS" if account.tls else "no TLS"))
        try:
            await self._call(_log_in, mailbox, account)
            steps.append(("log-in", True, account.user))
            _validity, uids = await self._call(_unseen, mailbox)
            steps.append((f"folder {account.folder}", True, f"{len(uids)} unseen"))
        except MailboxFailed as error:
            steps.append(("log-in" if len(steps) == 1 else f"folder {account.folder}", False, str(error.fields.get("reason"))))
        finally:
            await self._leave(mailbox)
        return steps

    @contextlib.asynccontextmanager
    async def _connected(self) -> Any:
        mailbox = await self._call(_connect, self._account, self._timeout)
        finished = False
        try:
            await self._call(_log_in, mailbox, self._account)
            yield mailbox
            finished = True
        finally:
            if finished:
                await self._leave(mailbox)
            else:
                # A thread may still be waiting for this server; closing the socket sets it free.
                _abandon(mailbox)

    async def _leave(self, mailbox: "BaseMailBox") -> None:
        with contextlib.suppress(MailboxFailed):
            await self._call(mailbox.logout)
        _abandon(mailbox)

    async def _wait_for_more(self, mailbox: "BaseMailBox") -> None:
        if not await self._call(_offers_idle, mailbox):
            await asyncio.sleep(self._poll_seconds)
            return
        await self._call(mailbox.idle.start)
        waited = 0.0
        while waited < self._poll_seconds:
            if await self._call(mailbox.idle.poll, min(_IDLE_SLICE, self._poll_seconds)):
                break
            waited += _IDLE_SLICE
        await self._call(mailbox.idle.stop)

    async def _call(self, do: Callable[..., Any], *arguments: Any) -> Any:
        import imaplib

        from imap_tools.errors import ImapToolsError

        try:
            return await asyncio.to_thread(do, *arguments)
        except (TimeoutError, ImapToolsError, imaplib.IMAP4.error, OSError, ssl.SSLError) as error:
            words = " ".join(str(error).split())[:300] or type(error).__name__
            raise MailboxFailed(reason=words) from error


class _Marked:
    """Accepts with the message's place in the mailbox written on it, and its true size where only the beginning was fetched."""

    def __init__(self, accept: Accept, folder: str, validity: int, uid: str, size: int, fetched: int) -> None:
        self._accept = accept
        self._card: dict[str, Any] = {"imap": {"folder": folder, "uidvalidity": validity, "uid": int(uid)}}
        if size > fetched + 1024:
            self._card["too_large"] = [{"name": "message.eml", "size": size}]

    async def __call__(self, inbox_id: str, message: InboundMessage, *, raw: bytes | None = None) -> Accepted:
        return await self._accept(inbox_id, replace(message, card={**message.card, **self._card}), raw=raw)


def _connect(account: Account, timeout: float) -> "BaseMailBox":
    from imap_tools import MailBox, MailBoxUnencrypted

    if account.tls:
        return MailBox(account.host, account.port, timeout=timeout, ssl_context=ssl.create_default_context())
    return MailBoxUnencrypted(account.host, account.port, timeout=timeout)


def _log_in(mailbox: "BaseMailBox", account: Account) -> None:
    mailbox.login(account.user, account.password, initial_folder=account.folder)


def _unseen(mailbox: "BaseMailBox") -> tuple[int, list[str]]:
    status = mailbox.folder.status(options=["UIDVALIDITY"])
    uids = sorted(mailbox.uids("UNSEEN", charset=None), key=int)
    return status.get("UIDVALIDITY", 0), uids


def _fetch(mailbox: "BaseMailBox", uid: str, max_size: int) -> tuple[bytes | None, int]:
    """The raw bytes, unmarked, and the size on the server. Of a monster only the beginning, so that it is known all the same."""
    _status, answer = mailbox.client.uid("FETCH", uid, "(RFC822.SIZE)")
    found = _SIZE.search(answer[0]) if answer and isinstance(answer[0], bytes) else None
    size = int(found[1]) if found else 0
    part = f"BODY.PEEK[]<0.{_PARTIAL}>" if size > max_size else "BODY.PEEK[]"
    # The library's own messages are parsed and written anew; the desk keeps the bytes as they came.
    status, answer = mailbox.client.uid("FETCH", uid, f"({part})")
    if status != "OK":
        raise OSError(f"FETCH {uid}: {status}")
    raw = next((item[1] for item in answer if isinstance(item, tuple) and len(item) > 1), None)
    return raw, size


def _flag_seen(mailbox: "BaseMailBox", uid: str) -> None:
    # The library's `flag` expunges as well, which would delete what somebody else in this mailbox only marked.
    status, answer = mailbox.client.uid("STORE", uid, "+FLAGS.SILENT", "(\\Seen)")
    if status != "OK":
        raise OSError(f"STORE {uid}: {answer!r}")


def _offers_idle(mailbox: "BaseMailBox") -> bool:
    _status, answer = mailbox.client.capability()
    return any(b"IDLE" in line.upper().split() for line in answer if isinstance(line, bytes))


def _abandon(mailbox: "BaseMailBox") -> None:
    with contextlib.suppress(OSError):
        mailbox.client.shutdown()
