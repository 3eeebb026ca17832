"""A mailbox on the wire: what is asked of the server, one blocking command each, and `call`, which does them in threads."""

import asyncio
import contextlib
import re
import select as sockets
import ssl
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, ParamSpec, Protocol, TypeVar, cast

from channels.email.imap_account import Account, After, Fate, Security
from channels.email.intake import MEGABYTE
from desk_core.kit.errors import DeskError
from desk_core.kit.i18n import gettext_noop as _

if TYPE_CHECKING:
    from imap_tools import BaseMailBox

P = ParamSpec("P")
T = TypeVar("T")

_PARTIAL = MEGABYTE
_TELLING = 6  # letters; a shorter password may stand in words by chance
_SIZE = re.compile(rb"RFC822\.SIZE (\d+)")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


class MailboxFailed(DeskError):
    """The mail server cannot be reached, or hung up; `reason` is in its own words."""

    code, status, text = "mailbox_failed", 502, _("The mail server: %(reason)s")


class CommandRefused(MailboxFailed):
    """The server said no to one command; the connection lives on."""

    code = "mailbox_command_refused"


class Tokens(Protocol):
    """Where access tokens come from; see `channels.email.imap_oauth`."""

    async def token(self) -> str: ...

    def forget(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Fetched:
    """A message as it lies there: its place, its size on the server, and its bytes (of a monster only the beginning)."""

    folder: str
    validity: int
    uid: str
    size: int
    raw: bytes

    @property
    def card(self) -> dict[str, Any]:
        place: dict[str, Any] = {"imap": {"folder": self.folder, "uidvalidity": self.validity, "uid": int(self.uid)}}
        if self.size > len(self.raw) + 1024:
            place["too_large"] = [{"name": "message.eml", "size": self.size}]
        return place


async def call(do: Callable[P, T], *arguments: P.args, **options: P.kwargs) -> T:
    """Do it in a thread; raises `CommandRefused` where the server said no, `MailboxFailed` where the connection is of no more use."""
    import imaplib

    from imap_tools.errors import ImapToolsError, MailboxTaggedResponseError, UnexpectedCommandStatusError

    try:
        return await asyncio.to_thread(do, *arguments, **options)
    except UnexpectedCommandStatusError as error:
        lost = isinstance(error, MailboxTaggedResponseError)  # in the middle of IDLE: nobody knows whose turn it is
        raise (MailboxFailed if lost else CommandRefused)(reason=said(error.command_result[1])) from error
    except (imaplib.IMAP4.abort, OSError, ssl.SSLError, ImapToolsError) as error:
        raise MailboxFailed(reason=said(error)) from error
    except imaplib.IMAP4.error as error:
        raise CommandRefused(reason=said(error)) from error


def said(answer: object) -> str:
    """The server's words on one line, without the marks of Python's bytes and of places in its source."""
    if isinstance(answer, list | tuple):
        return "; ".join(filter(None, (said(part) for part in answer)))[:300]
    if isinstance(answer, bytes):
        return " ".join(answer.decode("utf-8", "replace").split())[:300]
    words = re.sub(r"^b'(.*)'$| \(_ssl\.c:\d+\)$", r"\1", " ".join(str(answer or "").split()))[:300]
    return words or (type(answer).__name__ if isinstance(answer, Exception) else "")


def hidden(words: str, password: str) -> str:
    """The server's words without a password that they may repeat.

    A short one may be a part of any word: masked there it garbles the words, and shows itself by what is missing. So nothing is left.
    """
    if not password:
        return words
    return words.replace(password, "•" * 8) if len(password) >= _TELLING else ""


@contextlib.asynccontextmanager
async def connected(
    account: Account, *, tokens: Tokens | None = None, timeout: float = 30.0, trust: ssl.SSLContext | None = None
) -> AsyncIterator["BaseMailBox"]:
    """A mailbox logged in, no folder selected. A token that is refused is replaced once; `trust` says which certificates are believed."""
    mailbox = await call(connect, account, timeout, trust)
    try:
        try:
            await _log_in(mailbox, account, tokens)
        except CommandRefused:
            if tokens is None:
                raise
            # It may have been taken back before its time. Some servers hang up after a refusal, so from the beginning.
            tokens.forget()
            await leave(mailbox)
            mailbox = await call(connect, account, timeout, trust)
            await _log_in(mailbox, account, tokens)
        yield mailbox
    except BaseException:
        # A thread may still be waiting for this server; closing the socket sets it free.
        abandon(mailbox)
        raise
    await leave(mailbox)


async def _log_in(mailbox: "BaseMailBox", account: Account, tokens: Tokens | None) -> None:
    if tokens is not None:
        await call(log_in_by_token, mailbox, account.user, await tokens.token())
    else:
        await call(log_in, mailbox, account.user, account.password)


async def leave(mailbox: "BaseMailBox") -> None:
    with contextlib.suppress(MailboxFailed):
        await call(mailbox.logout)
    abandon(mailbox)


def abandon(mailbox: "BaseMailBox") -> None:
    with contextlib.suppress(OSError):
        mailbox.client.shutdown()


def connect(account: Account, timeout: float, trust: ssl.SSLContext | None = None) -> "BaseMailBox":
    from imap_tools import MailBox, MailBoxStartTls, MailBoxUnencrypted

    match account.security:
        case Security.TLS:
            return MailBox(account.host, account.port, timeout=timeout, ssl_context=trust or ssl.create_default_context())
        case Security.STARTTLS:
            return MailBoxStartTls(account.host, account.port, timeout=timeout, ssl_context=trust or ssl.create_default_context())
        case Security.NONE:
            return MailBoxUnencrypted(account.host, account.port, timeout=timeout)


def log_in(mailbox: "BaseMailBox", user: str, password: str) -> None:
    """By LOGIN, or AUTHENTICATE PLAIN (RFC 4616) where a letter is not ASCII, which LOGIN cannot carry."""
    plain = user.isascii() and password.isascii()
    (mailbox.login if plain else mailbox.login_utf8)(user, password, initial_folder=None)


def log_in_by_token(mailbox: Any, user: str, token: str) -> None:
    """SASL XOAUTH2, as Google and Microsoft describe it: an error comes as a challenge in JSON, to be answered with nothing."""
    challenges: list[bytes] = []

    def answer(challenge: bytes) -> bytes:
        challenges.append(challenge)
        return b"" if len(challenges) > 1 else f"user={user}\1auth=Bearer {token}\1\1".encode()

    import imaplib

    try:
        mailbox.login_result = mailbox.client.authenticate("XOAUTH2", answer)
    except imaplib.IMAP4.abort:
        raise
    except imaplib.IMAP4.error as error:
        raise imaplib.IMAP4.error("; ".join(filter(None, (said(error), *map(said, challenges[1:]))))) from error


def welcome(mailbox: Any) -> str:
    """What the server said when it let us in."""
    return said(mailbox.login_result[1]) if mailbox.login_result else ""


def certificate(mailbox: "BaseMailBox") -> tuple[bytes, str]:
    """(the server's certificate as DER, the TLS version) of a protected connection."""
    shown = cast("ssl.SSLSocket", mailbox.client.sock)
    return shown.getpeercert(binary_form=True) or b"", shown.version() or ""


def offers(mailbox: "BaseMailBox") -> frozenset[str]:
    """What the server can do beyond the basics, in capitals."""
    _status, answer = mailbox.client.capability()
    return frozenset(word for line in answer if isinstance(line, bytes) for word in line.decode("ascii", "replace").upper().split())


def select(mailbox: "BaseMailBox", folder: str, *, readonly: bool = False) -> int:
    """Select a folder by the name people see; its UIDVALIDITY, 0 where the server has none (RFC 3501, section 2.3.1.1)."""
    mailbox.folder.set(folder, readonly)
    _code, answer = mailbox.client.response("UIDVALIDITY")
    value = answer[0] if answer else None
    return int(value) if isinstance(value, bytes) and value.isdigit() else 0


def unseen(mailbox: "BaseMailBox") -> list[str]:
    return sorted(mailbox.uids("UNSEEN", charset=None), key=int)


def since(mailbox: "BaseMailBox", day: date) -> list[str]:
    """Everything that came on this day or later, seen or not. By the server's own date of arrival, which has no zone."""
    # Names of months are English on the wire, whatever this machine speaks.
    return sorted(mailbox.uids(f"SINCE {day.day:02}-{_MONTHS[day.month - 1]}-{day.year}", charset=None), key=int)


def newest(mailbox: "BaseMailBox") -> str | None:
    """The last message of the selected folder; asked for alone, as a folder may hold a million."""
    return max(mailbox.uids("UID *", charset=None), key=int, default=None)


def having(mailbox: "BaseMailBox", message_id: str) -> list[str]:
    """Where in the selected folder the mail with this Message-ID lies; marks nothing."""
    return mailbox.uids(f'HEADER Message-ID "<{message_id}>"', charset=None)


def folder_names(mailbox: "BaseMailBox") -> list[str]:
    return [found.name for found in mailbox.folder.list()]


def fetch(mailbox: "BaseMailBox", folder: str, validity: int, uid: str, max_size: int) -> Fetched | None:
    """The bytes as they came, unmarked, the folder being selected; None for what is gone. Of a monster only the beginning."""
    _status, answer = mailbox.client.uid("FETCH", uid, "(RFC822.SIZE)")
    found = _SIZE.search(answer[0]) if answer and isinstance(answer[0], bytes) else None
    size = int(found[1]) if found else 0
    part = f"BODY.PEEK[]<0.{_PARTIAL}>" if size > max_size else "BODY.PEEK[]"
    # The library's own messages are parsed and written anew; the desk keeps the bytes as they came.
    raw = next((item[1] for item in _done(mailbox, "FETCH", uid, f"({part})") if isinstance(item, tuple) and len(item) > 1), None)
    return None if raw is None else Fetched(folder, validity, uid, size, raw)


def news(mailbox: "BaseMailBox", seconds: float) -> bool:
    """Whether the server said something within this time, while it idles. A line that comes in pieces is waited for.

    The library reads without waiting and takes half a line for a lost connection.
    """
    client: Any = mailbox.client
    if not _at_hand(client) and not sockets.select([client.sock], [], [], seconds)[0]:
        return False
    client._get_line()  # noqa: SLF001 - as the library does; what follows this line is read when idling ends
    return True


def _at_hand(client: Any) -> bool:
    """Whether something has been read from the socket already; takes nothing away."""
    sock = client.sock
    before = sock.gettimeout()
    sock.settimeout(0)
    try:
        return bool((getattr(client, "_file", None) or client.file).peek(1))
    except (BlockingIOError, ssl.SSLWantReadError):
        return False
    finally:
        sock.settimeout(before)


def settle(mailbox: "BaseMailBox", uid: str, after: After, can: frozenset[str]) -> None:
    """Do with a stored message what was chosen. Only ever with this one: a plain EXPUNGE would delete what others merely marked."""
    _store(mailbox, uid, "+FLAGS.SILENT", "\\Seen")
    match after.fate:
        case Fate.SEEN:
            return
        case Fate.DELETE:
            _remove(mailbox, uid, can)
        case Fate.MOVE:
            try:
                _carry(mailbox, uid, after.folder, can)
            except Exception:
                # Still where it was: it stays unread, and the next visit tries again.
                _store(mailbox, uid, "-FLAGS.SILENT", "\\Seen")
                raise


def _carry(mailbox: "BaseMailBox", uid: str, folder: str, can: frozenset[str]) -> None:
    """MOVE (RFC 6851), or COPY and removal; a folder that is not there is made (RFC 3501, section 6.4.7: TRYCREATE)."""
    from imap_tools.utils import encode_folder

    verb, target = ("MOVE" if "MOVE" in can else "COPY"), encode_folder(folder).decode("ascii")
    status, _answer = mailbox.client.uid(verb, uid, target)
    if status != "OK":
        if not mailbox.folder.exists(folder):
            mailbox.folder.create(folder)
        _done(mailbox, verb, uid, target)
    if verb == "COPY":
        _remove(mailbox, uid, can)


def _remove(mailbox: "BaseMailBox", uid: str, can: frozenset[str]) -> None:
    """Marked as deleted, and gone where the server can remove one alone (UIDPLUS, RFC 4315); elsewhere the marked one stays."""
    _store(mailbox, uid, "+FLAGS.SILENT", "\\Deleted")
    if "UIDPLUS" in can:
        _done(mailbox, "EXPUNGE", uid)


def _store(mailbox: "BaseMailBox", uid: str, how: str, flag: str) -> None:
    # The library's `flag` expunges as well.
    _done(mailbox, "STORE", uid, how, f"({flag})")


def _done(mailbox: "BaseMailBox", command: str, *arguments: Any) -> Sequence[Any]:
    import imaplib

    status, answer = mailbox.client.uid(command, *arguments)
    if status != "OK":
        raise imaplib.IMAP4.error(f"{command}: {said(answer)}")
    return answer
