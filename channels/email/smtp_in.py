"""The mail listener: answers 250 only for what is committed, and says plainly why it refuses the rest."""

import asyncio
import inspect
import logging
import re
from collections.abc import Awaitable, Callable
from typing import Any

import structlog
from aiosmtpd.smtp import SMTP, Envelope, Session

from channels.email.intake import MEGABYTE, InboxAddress, MailIntake
from channels.email.threading import without_plus
from desk_core.conversations.ports import Accept, Blobs
from desk_core.kit.clock import Clock
from desk_core.kit.errors import StoreUnavailable, TooMany

log = structlog.get_logger()

Inboxes = Callable[[str], Awaitable[InboxAddress | None] | InboxAddress | None]

TRY_LATER = "451 4.3.0 The desk cannot store mail right now, please try again later"
_READ_LIMIT = 128 * 1024
_PATH = re.compile(r"\s*<((?:[^\s<>\"@:,;\\()\[\]]{1,100}@[^\s<>\"@:,;\\()\[\]]{1,254})?)>[ ]*([^\r\n]*)$")
_END_OF_DATA = b"\r\n.\r\n"


class MailListener:
    """SMTP for all mail inboxes, in the running event loop. `inboxes` finds the inbox of an address, plain or by coroutine."""

    def __init__(
        self,
        host: str,
        port: int,
        *,
        inboxes: Inboxes,
        accept: Accept,
        blobs: Blobs,
        secret: bytes,
        clock: Clock,
        max_size: int = 25 * MEGABYTE,
        file_limit: int = 20 * MEGABYTE,
        max_recipients: int = 100,
        max_connections: int = 200,
        timeout: float = 120.0,
        hostname: str = "priyom.local",
    ) -> None:
        self.host, self.port = host, port
        self._inboxes, self._accept = inboxes, accept
        self._intake = MailIntake(blobs=blobs, secret=secret, clock=clock, file_limit=file_limit, mail_limit=max(max_size, file_limit))
        self.max_size, self.max_recipients, self.max_connections = max_size, max_recipients, max_connections
        self._timeout, self._hostname = timeout, hostname
        self._server: asyncio.Server | None = None
        self._connections: set[_Connection] = set()
        self.in_hand = 0

    async def start(self) -> None:
        """Bind and listen; port 0 takes a free one. Raises `OSError` when the port is taken."""
        # aiosmtpd writes addresses and commands into its log at level info; those are nobody's business.
        logging.getLogger("mail.log").setLevel(logging.ERROR)
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self._connection, self.host, self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self, *, grace: float = 5.0) -> None:
        """Take no more connections, let mails in hand be committed and answered, then hang up."""
        if self._server is None:
            return
        self._server.close()
        waited = 0.0
        while self.in_hand and waited < grace:
            await asyncio.sleep(0.02)
            waited += 0.02
        for connection in list(self._connections):
            connection.hang_up()
        await asyncio.sleep(0)
        self._server = None

    def _connection(self) -> "_Connection":
        return _Connection(
            _Conversation(self),
            self,
            data_size_limit=self.max_size,
            enable_SMTPUTF8=True,
            hostname=self._hostname,
            ident="Priyom",
            timeout=self._timeout,
            loop=asyncio.get_running_loop(),
        )

    async def find(self, address: str) -> InboxAddress | None:
        """The inbox of a recipient; `support+anything@` belongs to `support@`."""
        for wanted in dict.fromkeys((address.lower(), without_plus(address))):
            found = self._inboxes(wanted)
            inbox = await found if inspect.isawaitable(found) else found
            if inbox is not None:
                return inbox
        return None

    async def take(self, envelope: Envelope, inboxes: dict[str, InboxAddress]) -> str:
        """The answer to DATA. A mail to two of our inboxes is one request: the first takes it, all stand in its recipients."""
        inbox = next((inboxes[address] for address in envelope.rcpt_tos if address in inboxes), None)
        if inbox is None or not isinstance(envelope.content, bytes):
            return "554 5.5.1 No valid recipients"
        self.in_hand += 1
        try:
            accepted = await self._intake.take(
                envelope.content,
                inbox=inbox,
                accept=self._accept,
                envelope_from=envelope.mail_from or "",
                envelope_to=tuple(envelope.rcpt_tos),
            )
        except TooMany:
            return "450 4.7.1 Too many mails at once, please try again later"
        except StoreUnavailable as error:
            log.warning("mail.not_stored", inbox=inbox.inbox_id, error=error.code)
            return TRY_LATER
        finally:
            self.in_hand -= 1
        return f"250 2.0.0 {'Known' if accepted.duplicate else 'Stored'} as {accepted.id}"

    def opened(self, connection: "_Connection") -> bool:
        """Count a connection in; False when there are too many."""
        if len(self._connections) >= self.max_connections:
            return False
        self._connections.add(connection)
        return True

    def closed(self, connection: "_Connection") -> None:
        self._connections.discard(connection)


class _Conversation:
    """The hooks that aiosmtpd calls for one connection."""

    def __init__(self, listener: MailListener) -> None:
        self._listener = listener
        self._inboxes: dict[str, InboxAddress] = {}

    async def handle_RCPT(self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]) -> str:  # noqa: N802 - aiosmtpd's name
        if len(envelope.rcpt_tos) >= self._listener.max_recipients:
            return "452 4.5.3 Too many recipients"
        try:
            inbox = await self._listener.find(address)
        except StoreUnavailable:
            return TRY_LATER
        if inbox is None:
            return "550 5.1.1 No such inbox here"
        if inbox.paused:
            return "450 4.2.1 This inbox is paused, please try again later"
        self._inboxes[address] = inbox
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        return "250 2.1.5 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's name
        return await self._listener.take(envelope, self._inboxes)

    async def handle_exception(self, error: Exception) -> str:
        # Whatever went wrong, the sender still has the mail and must keep it.
        log.error("mail.failed", error=type(error).__name__, exc_info=error)
        return TRY_LATER


class _Connection(SMTP):
    """aiosmtpd's protocol with a cap on connections and with DATA read in large pieces.

    aiosmtpd reads DATA line by line and refuses lines over 1001 bytes for good; mail in the wild has them, and a refusal loses the mail.
    """

    line_length_limit = _READ_LIMIT

    def __init__(self, handler: _Conversation, listener: MailListener, **options: Any) -> None:
        super().__init__(handler, **options)
        self._listener = listener
        self._turned_away = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if not self._listener.opened(self) and isinstance(transport, asyncio.WriteTransport):
            self._turned_away = True
            transport.write(b"421 4.7.0 Too many connections, please try again later\r\n")
            transport.close()
            return
        super().connection_made(transport)

    def connection_lost(self, error: Exception | None) -> None:
        self._listener.closed(self)
        if not self._turned_away:
            super().connection_lost(error)

    def eof_received(self) -> bool | None:
        return None if self._turned_away else super().eof_received()

    def hang_up(self) -> None:
        if self.transport is not None:
            self.transport.close()

    def _getaddr(self, arg: str) -> tuple[str | None, str | None]:
        # The library runs a full header grammar over each address, a third of what a small mail costs; nearly all look like this.
        plain = _PATH.match(arg)
        if plain is None:
            found: tuple[str | None, str | None] = super()._getaddr(arg)
            return found
        return plain[1] or "<>", plain[2]

    async def smtp_DATA(self, arg: str) -> None:  # noqa: N802 - aiosmtpd's name
        if await self.check_helo_needed() or await self.check_auth_needed("DATA"):
            return
        envelope = self.envelope
        if envelope is None or not envelope.rcpt_tos:
            await self.push("503 Error: need RCPT command")
            return
        if arg:
            await self.push("501 Syntax: DATA")
            return
        await self.push("354 End data with <CR><LF>.<CR><LF>")
        content = await self._read_data()
        if content is None:
            self._forget_envelope()
            await self.push("552 5.3.4 The mail is larger than this desk takes")
            return
        envelope.content = envelope.original_content = content
        try:
            status = await self._call_handler_hook("DATA")
        finally:
            self._forget_envelope()
        await self.push(status)

    def _forget_envelope(self) -> None:
        self.envelope = self._create_envelope()

    async def _read_data(self) -> bytes | None:
        """Everything up to the lone dot, unstuffed; None where it is too large (it is read to its end all the same)."""
        reader = self._reader
        # With a line end put before it the dot ends the data also where the mail is empty, and every line begins after one.
        waiting: bytearray = reader._buffer  # type: ignore[attr-defined]  # noqa: SLF001 - StreamReader cannot unread
        waiting[:0] = b"\r\n"
        pieces: list[bytes] = []
        size = 0
        while True:
            self._reset_timeout()
            try:
                piece = await reader.readuntil(_END_OF_DATA)
            except asyncio.LimitOverrunError as overrun:
                piece = await reader.readexactly(overrun.consumed)
                ended = False
            else:
                ended = True
            size += len(piece)
            if size > self._listener.max_size + len(_END_OF_DATA) + 2:
                pieces.clear()
            else:
                pieces.append(piece)
            if ended:
                break
        if size > self._listener.max_size + len(_END_OF_DATA) + 2:
            return None
        content = b"".join(pieces)[: -len(_END_OF_DATA)] + b"\r\n"
        return content.replace(b"\r\n.", b"\r\n")[2:]
