"""Sending: through relays, or into the mail sandbox where none is configured."""

import asyncio
import re
import time
from datetime import timedelta
from typing import NoReturn, Protocol

from channels.email.relay_address import Relay
from channels.email.relay_checkup import Tried, try_relay
from channels.email.relays import Busy, OwnPace, Pace, RelayPool, Unreachable
from channels.email.sandbox.mailbox import MailSandbox
from desk_core.conversations.ports import Refused, RetryLater
from desk_core.kit.errors import Invalid

_DOWN_SECONDS = 30.0
"""How long a relay that could not be reached is asked last."""
# Many servers tell what they think of the sender only when they hear the recipient, or at the very end.
_ABOUT_SENDER = re.compile(
    r"sender address rejected|not owned by|send as this sender|sendasdenied|sender (?:is )?not (?:allowed|permitted)", re.IGNORECASE
)


class Sender(Protocol):
    """Hands one finished mail to somebody who will carry it."""

    async def deliver(self, raw: bytes, *, sender: str, recipient: str) -> None:
        """Raises `RetryLater` or `Refused`."""
        ...

    async def test(self) -> list[Tried]: ...

    async def close(self) -> None: ...


class SmtpSender:
    """Sends through the first relay that can be reached. 4xx and a lost connection are tried again, 5xx is final in the server's words.

    Connections rest `idle` seconds for the next mail. What goes to one domain keeps to `pace`.
    """

    def __init__(self, urls: str, *, timeout: float = 30.0, idle: float = 30.0, pace: Pace | None = None) -> None:
        relays = Relay.several(urls)
        if not relays:
            raise Invalid(reason="smtp://, smtps:// or smtp+starttls://host:port")
        self._timeout, self._pace = timeout, pace or OwnPace(0)
        self.pools = tuple(RelayPool(relay, timeout=timeout, idle=idle) for relay in relays)

    async def deliver(self, raw: bytes, *, sender: str, recipient: str) -> None:
        if wait := await self._pace.wait(recipient):
            raise RetryLater("enough mail went to this domain within a minute", after=timedelta(seconds=wait), free=True)
        now, reason = time.monotonic(), ""
        for pool in sorted(self.pools, key=lambda one: one.down_until > now):
            try:
                await self._through(pool, raw, sender=sender, recipient=recipient)
            except Unreachable as error:
                pool.down_until = time.monotonic() + _DOWN_SECONDS
                reason = error.reason
            except Busy as error:
                raise RetryLater("all connections to the relay are busy", after=timedelta(seconds=1), free=True) from error
            else:
                return
        raise RetryLater(reason[:300])

    async def _through(self, pool: RelayPool, raw: bytes, *, sender: str, recipient: str) -> None:
        """One relay; a connection that died while it rested is replaced once, because nothing of this mail was on it."""
        import aiosmtplib

        fresh = False
        while True:
            handed_over = reused = False
            try:
                async with pool.connection(fresh=fresh) as held:
                    reused = held.used
                    try:
                        await held.send(raw, sender=sender, recipient=recipient)
                    finally:
                        handed_over = held.handed_over
            except aiosmtplib.SMTPResponseException as error:
                if not (error.code == aiosmtplib.SMTPStatus.domain_unavailable and reused and not handed_over):
                    _raise(error.code, error.message, error)
            except (aiosmtplib.SMTPException, OSError) as error:
                if handed_over or not reused:
                    # Once the content is on its way a lost connection says nothing about whether the relay kept the mail.
                    raise RetryLater(f"{type(error).__name__}: {error}"[:300], uncertain=handed_over) from error
            else:
                return
            fresh = True

    async def test(self) -> list[Tried]:
        """Connect to every relay, greet and log in, without sending anything."""
        return list(await asyncio.gather(*(try_relay(pool.relay, timeout=self._timeout) for pool in self.pools)))

    async def close(self) -> None:
        """Hang up; nothing more is sent."""
        for pool in self.pools:
            await pool.close()


class SandboxSender:
    """Keeps what is sent in the mail sandbox."""

    def __init__(self, sandbox: MailSandbox) -> None:
        self._sandbox = sandbox

    async def deliver(self, raw: bytes, *, sender: str, recipient: str) -> None:
        try:
            await self._sandbox.put(raw, sender=sender, recipient=recipient)
        except OSError as error:
            raise RetryLater(f"mail sandbox: {error.strerror or type(error).__name__}") from error

    async def test(self) -> list[Tried]:
        return [Tried("sandbox", passed=True, words=str(self._sandbox.root), advice="no_relay")]

    async def close(self) -> None:
        """Holds nothing."""


def sender_for(urls: str, sandbox: MailSandbox, *, pace: Pace | None = None, idle: float = 30.0, timeout: float = 30.0) -> Sender:
    """The relays of these URLs, the sandbox where there are none."""
    return SmtpSender(urls, pace=pace, idle=idle, timeout=timeout) if urls.strip(" ,") else SandboxSender(sandbox)


def _raise(code: int, words: str, error: Exception) -> NoReturn:
    import aiosmtplib

    text = f"{code} {' '.join(words.split())}"[:400]
    if 500 <= code < 600:
        raise Refused(text, sender=isinstance(error, aiosmtplib.SMTPSenderRefused) or bool(_ABOUT_SENDER.search(text))) from error
    raise RetryLater(text) from error
