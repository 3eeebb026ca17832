"""Connections to relays, kept between mails, and the pace of mail to one domain."""

import asyncio
import math
import ssl
import time
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Protocol

from channels.email.relay_address import Relay
from desk_core.kit.errors import DeskError
from desk_core.kit.i18n import gettext_noop as _

if TYPE_CHECKING:
    import aiosmtplib

_CONNECT_SECONDS = 10.0
"""Less than half a lease, so that a second relay can still be tried."""
_PATIENCE = 10.0
_FRESH_SECONDS = 5.0
_WINDOW = 60.0
_KEPT_DOMAINS = 10_000


class Unreachable(DeskError):
    """There is no way to this relay at the moment; nothing was handed to it."""

    code, status, text = "relay_unreachable", 503, _("The mail server cannot be reached: %(reason)s")

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason=reason)


class Busy(DeskError):
    """All connections to this relay carry other mails, and none became free in time."""

    code, status, text = "relay_busy", 503, _("All connections to the mail server are busy.")


class Connection:
    """One connection to a relay. It is used by one mail at a time."""

    def __init__(self, client: "aiosmtplib.SMTP") -> None:
        self.client = client
        self.mails = 0
        self.clean = True
        self.handed_over = False
        self.rested_at = time.monotonic()
        self.timer: asyncio.TimerHandle | None = None

    @property
    def used(self) -> bool:
        return self.mails > 0

    async def send(self, raw: bytes, *, sender: str, recipient: str) -> None:
        """One mail; raises aiosmtplib's errors. `handed_over` stays True where a failure says nothing about whether the relay kept it."""
        client = self.client
        self.clean = self.handed_over = False
        plain = recipient.isascii() and sender.isascii()
        if plain and not raw.partition(b"\r\n\r\n")[0].isascii():  # it names somebody else, or a letter, in another alphabet
            if client.is_ehlo_or_helo_needed:
                await client.ehlo()
            plain = not client.supports_extension("smtputf8")
        encoding = "ascii" if plain else "utf-8"
        await client.mail(sender, options=[] if plain else ["SMTPUTF8"], encoding=encoding)
        await client.rcpt(recipient, encoding=encoding)
        self.handed_over = True
        await client.data(raw)
        self.handed_over, self.clean = False, True
        self.mails += 1

    async def answers(self) -> bool:
        """Whether the relay still listens, ready for the next mail. What was used a moment ago and ended well is believed unasked."""
        import aiosmtplib

        if not self.client.is_connected:
            return False
        if self.clean and time.monotonic() - self.rested_at < _FRESH_SECONDS:
            return True
        try:
            await self.client.rset()
        except (aiosmtplib.SMTPException, OSError):
            return False
        return True

    def hang_up(self) -> None:
        """Say goodbye where somebody still listens, and wait for no answer."""
        if self.timer is not None:
            self.timer.cancel()
        protocol = self.client.protocol
        if protocol is not None and protocol.is_connected:
            protocol.write(b"QUIT\r\n")
        self.client.close()


class RelayPool:
    """At most `most` connections to one relay; each carries at most `mails` and is given up when idle for `idle` seconds."""

    def __init__(self, relay: Relay, *, timeout: float = 30.0, most: int = 4, idle: float = 30.0, mails: int = 100) -> None:
        self.relay = relay
        self._timeout, self._most, self._idle_seconds, self._mails = timeout, most, idle, mails
        self._slots = asyncio.Semaphore(most)
        self._idle: list[Connection] = []
        self._trust: ssl.SSLContext | None = None
        self._closed = False
        self.opened = 0
        self.down_until = 0.0

    @asynccontextmanager
    async def connection(self, *, fresh: bool = False) -> AsyncIterator[Connection]:
        """A connection for one mail; with `fresh` none that was used before. Raises `Unreachable` and `Busy`.

        It goes back only where the mail ended, well or refused: after anything else, as when given up, nobody knows where the relay is.
        """
        try:
            async with asyncio.timeout(_PATIENCE):
                await self._slots.acquire()
        except TimeoutError as error:
            raise Busy from error
        held: Connection | None = None
        try:
            if fresh:
                self._hang_up_all()  # where one has died unnoticed the others mostly have too
            held = await self._rested()
            if held is None:
                held = await self._connect()
            yield held
        except BaseException as error:
            if held is not None and not (held.client.is_connected and _answered(error)):
                held.client.close()
            raise
        finally:
            if held is not None:
                self._give_back(held)
            self._slots.release()

    async def _rested(self) -> Connection | None:
        while self._idle:
            held = self._idle.pop()
            if held.timer is not None:
                held.timer.cancel()
            try:
                ready = await held.answers()
            except BaseException:
                held.client.close()
                raise
            if ready:
                return held
            held.client.close()
        return None

    async def _connect(self) -> Connection:
        import aiosmtplib

        if (self.relay.tls or self.relay.starttls) and self._trust is None:
            self._trust = await asyncio.to_thread(ssl.create_default_context)  # reading all certificates takes longer than a mail
        client = client_of(self.relay, timeout=self._timeout, trust=self._trust)
        try:
            async with asyncio.timeout(min(_CONNECT_SECONDS, self._timeout)):
                await client.connect()
                await _greet(client)
        except aiosmtplib.SMTPResponseException as error:
            client.close()
            raise Unreachable(f"{error.code} {error.message}") from error
        except (aiosmtplib.SMTPException, OSError) as error:
            client.close()
            raise Unreachable(f"{type(error).__name__}: {error}") from error
        except BaseException:
            client.close()
            raise
        self.opened += 1
        return Connection(client)

    def _give_back(self, held: Connection) -> None:
        held.rested_at = time.monotonic()
        if not held.client.is_connected:
            return
        if self._closed or held.mails >= self._mails or self._idle_seconds <= 0 or len(self._idle) >= self._most:
            held.hang_up()
            return
        self._idle.append(held)
        held.timer = asyncio.get_running_loop().call_later(self._idle_seconds, self._retire, held)

    def _retire(self, held: Connection) -> None:
        if held in self._idle:
            self._idle.remove(held)
        held.hang_up()

    async def close(self) -> None:
        """Say goodbye to every connection that rests; those that carry a mail end with it."""
        self._closed = True
        self._hang_up_all()
        await asyncio.sleep(0)  # the transports close in the next turn of the loop

    def _hang_up_all(self) -> None:
        resting, self._idle = self._idle, []
        for held in resting:
            held.hang_up()


class Pace(Protocol):
    """How fast mail goes to one domain."""

    async def wait(self, recipient: str) -> float:
        """Count a mail to this address; where that is one too many, how many seconds to wait instead."""
        ...


class OwnPace:
    """At most so many mails a minute to one domain, in this process; 0 switches it off."""

    def __init__(self, per_minute: int, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._most, self._clock = per_minute, clock
        self._sent: dict[str, deque[float]] = {}

    async def wait(self, recipient: str) -> float:
        if not self._most:
            return 0.0
        now = self._clock()
        if len(self._sent) > _KEPT_DOMAINS:
            self._sent = {domain: sent for domain, sent in self._sent.items() if sent[-1] > now - _WINDOW}
        sent = self._sent.setdefault(recipient.rpartition("@")[2].lower(), deque())
        while sent and sent[0] <= now - _WINDOW:
            sent.popleft()
        if len(sent) >= self._most:
            return math.ceil(sent[0] + _WINDOW - now)
        sent.append(now)
        return 0.0


def client_of(relay: Relay, *, timeout: float, trust: ssl.SSLContext | None = None) -> "aiosmtplib.SMTP":
    """A client that is not connected yet."""
    import aiosmtplib

    return aiosmtplib.SMTP(
        hostname=relay.host,
        port=relay.port,
        username=relay.user,
        password=relay.password,
        timeout=timeout,
        use_tls=relay.tls,
        start_tls=True if relay.starttls else (None if relay.tls else False),
        tls_context=trust,
    )


async def _greet(client: "aiosmtplib.SMTP") -> None:
    """EHLO, or HELO to those who know no better (RFC 5321, 3.2)."""
    import aiosmtplib

    if not client.is_ehlo_or_helo_needed:
        return
    try:
        await client.ehlo()
    except aiosmtplib.SMTPHeloError:
        await client.helo()


def _answered(error: BaseException) -> bool:
    """Whether the relay said what it thinks, and so waits for the next command."""
    import aiosmtplib

    return isinstance(error, aiosmtplib.SMTPResponseException) and 400 <= error.code < 600
