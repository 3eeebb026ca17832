"""Sending: through a relay, or into the mail sandbox where none is configured."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol
from urllib.parse import unquote, urlsplit

from channels.email.sandbox.mailbox import MailSandbox
from desk_core.conversations.ports import Refused, RetryLater
from desk_core.kit.errors import Invalid
from desk_core.kit.i18n import gettext_noop as _

if TYPE_CHECKING:
    import aiosmtplib

_PORTS = {"smtp": 25, "smtps": 465, "smtp+starttls": 587}


class Sender(Protocol):
    """Hands one finished mail to somebody who will carry it."""

    async def deliver(self, raw: bytes, *, sender: str, recipient: str) -> None:
        """Raises `RetryLater` or `Refused`."""
        ...

    async def test(self) -> list[tuple[str, bool, str]]: ...


@dataclass(frozen=True, slots=True)
class Relay:
    """A relay's address, read from `smtp://`, `smtps://` or `smtp+starttls://user:password@host:port`."""

    host: str
    port: int
    tls: bool
    starttls: bool
    user: str | None
    password: str | None

    @classmethod
    def of(cls, url: str) -> "Relay":
        """Raises `Invalid` for anything else; the words name no password."""
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError as error:
            raise Invalid(reason=_("not an SMTP address")) from error
        if parts.scheme not in _PORTS or not parts.hostname:
            raise Invalid(reason="smtp://, smtps:// or smtp+starttls://host:port")
        return cls(
            host=parts.hostname,
            port=port or _PORTS[parts.scheme],
            tls=parts.scheme == "smtps",
            starttls=parts.scheme == "smtp+starttls",
            user=unquote(parts.username) if parts.username else None,
            password=unquote(parts.password) if parts.password else None,
        )


class SmtpSender:
    """Sends through a relay. 4xx and a lost connection are tried again, 5xx is final with the server's own words."""

    def __init__(self, url: str, *, timeout: float = 30.0) -> None:
        self._relay, self._timeout = Relay.of(url), timeout

    async def deliver(self, raw: bytes, *, sender: str, recipient: str) -> None:
        import aiosmtplib

        client = self._client()
        handed_over = False
        try:
            async with client:
                options = ["SMTPUTF8"] if not (recipient.isascii() and sender.isascii()) else []
                await client.mail(sender, options=options, encoding="utf-8" if options else "ascii")
                await client.rcpt(recipient, encoding="utf-8" if options else "ascii")
                handed_over = True  # from here on a lost connection says nothing about whether the relay kept the mail
                await client.data(raw)
                handed_over = False
        except aiosmtplib.SMTPRecipientsRefused as error:
            first = error.recipients[0]
            _raise(first.code, first.message, error)
        except aiosmtplib.SMTPAuthenticationError as error:
            # A wrong password is the desk's trouble, not the letter's: it waits until somebody corrects it.
            raise RetryLater(f"{error.code} {error.message}") from error
        except aiosmtplib.SMTPResponseException as error:
            _raise(error.code, error.message, error)
        except (aiosmtplib.SMTPException, OSError, TimeoutError) as error:
            raise RetryLater(f"{type(error).__name__}: {error}"[:300], uncertain=handed_over) from error

    async def test(self) -> list[tuple[str, bool, str]]:
        """Connect, greet and log in, without sending anything."""
        import aiosmtplib

        step = f"SMTP {self._relay.host}:{self._relay.port}"
        try:
            async with self._client() as client:
                answer = await client.noop()
        except (aiosmtplib.SMTPException, OSError, TimeoutError) as error:
            return [(step, False, f"{type(error).__name__}: {error}"[:300])]
        return [(step, True, f"{answer.code} {answer.message}"[:300])]

    def _client(self) -> "aiosmtplib.SMTP":
        import aiosmtplib

        relay = self._relay
        return aiosmtplib.SMTP(
            hostname=relay.host,
            port=relay.port,
            username=relay.user,
            password=relay.password,
            timeout=self._timeout,
            use_tls=relay.tls,
            start_tls=True if relay.starttls else (None if relay.tls else False),
        )


class SandboxSender:
    """Keeps what is sent in the mail sandbox."""

    def __init__(self, sandbox: MailSandbox) -> None:
        self._sandbox = sandbox

    async def deliver(self, raw: bytes, *, sender: str, recipient: str) -> None:
        try:
            await self._sandbox.put(raw, sender=sender, recipient=recipient)
        except OSError as error:
            raise RetryLater(f"mail sandbox: {error.strerror or type(error).__name__}") from error

    async def test(self) -> list[tuple[str, bool, str]]:
        return [("sandbox", True, str(self._sandbox.root))]


def sender_for(url: str, sandbox: MailSandbox) -> Sender:
    """The relay of a URL, the sandbox where it is empty."""
    return SmtpSender(url) if url else SandboxSender(sandbox)


def _raise(code: int, words: str, error: Exception) -> None:
    text = f"{code} {' '.join(words.split())}"[:400]
    if 500 <= code < 600:
        raise Refused(text) from error
    raise RetryLater(text) from error
