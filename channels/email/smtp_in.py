"""The mail listener: answers 250 only for what is committed, and says plainly why it refuses the rest."""

import asyncio
import inspect
import ipaddress
import logging
import re
import ssl
from collections.abc import Awaitable, Callable
from typing import Any, cast

import structlog
from aiosmtpd.proxy_protocol import ProxyData
from aiosmtpd.smtp import SMTP, Envelope, Session

from channels.email.examining import Examiner
from channels.email.intake import MEGABYTE, InboxAddress, MailIntake
from channels.email.peers import Peers
from channels.email.trust import Origin
from desk_core.conversations.addresses import one_spelling, without_plus
from desk_core.conversations.ports import Accept, Blobs
from desk_core.kit.clock import Clock
from desk_core.kit.errors import StoreUnavailable, TooMany

log = structlog.get_logger()

Inboxes = Callable[[str], Awaitable[InboxAddress | None] | InboxAddress | None]

TRY_LATER = "451 4.3.0 The desk cannot store mail right now, please try again later"
_READ_LIMIT = 128 * 1024
_PATH = re.compile(r"\s*<((?:[^\s<>\"@:,;\\()\[\]]{1,100}@[^\s<>\"@:,;\\()\[\]]{1,254})?)>[ ]*([^\r\n]*)$")
_END_OF_DATA = b"\r\n.\r\n"
_PROXY_SECONDS = 5.0
_XCLIENT = re.compile(r"([A-Za-z]+)=(\S*)")
_UNTOLD = {"", "[UNAVAILABLE]", "[TEMPUNAVAIL]"}


class MailListener:
    """SMTP for all mail inboxes, in the running event loop, and LMTP on a port of its own where one is given.

    `inboxes` finds the inbox of an address (in `one_spelling`), plain or by coroutine. With `proxied`, trusted peers begin with a PROXY
    header (HAProxy, versions 1 and 2), which tells whom they speak for; they may tell it by XCLIENT (Postfix) in any case.
    """

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
        lmtp_port: int | None = None,
        tls: ssl.SSLContext | None = None,
        peers: Peers | None = None,
        proxied: bool = False,
        examiner: Examiner | None = None,
    ) -> None:
        self.host, self.port, self.lmtp_port = host, port, lmtp_port
        self.peers, self.proxied, self._tls = peers or Peers(), proxied, tls
        self._inboxes, self._accept = inboxes, accept
        self._intake = MailIntake(
            blobs=blobs, secret=secret, clock=clock, file_limit=file_limit, mail_limit=max(max_size, file_limit), examiner=examiner
        )
        self.max_size, self.max_recipients, self.max_connections = max_size, max_recipients, max_connections
        self._timeout, self._hostname = timeout, hostname
        self._servers: list[asyncio.Server] = []
        self._connections: set[_Connection] = set()
        self.in_hand = 0

    async def start(self) -> None:
        """Bind and listen; port 0 takes a free one. Raises `OSError` when a port cannot be had: that of LMTP where it `listens` already."""
        # aiosmtpd writes addresses and commands into its log at level info; those are nobody's business.
        logging.getLogger("mail.log").setLevel(logging.ERROR)
        loop = asyncio.get_running_loop()
        self._servers = [await loop.create_server(lambda: self._connection(_Connection), self.host, self.port)]
        self.port = self._servers[0].sockets[0].getsockname()[1]
        if self.lmtp_port is not None:
            self._servers.append(await loop.create_server(lambda: self._connection(_LmtpConnection), self.host, self.lmtp_port))
            self.lmtp_port = self._servers[1].sockets[0].getsockname()[1]

    @property
    def listens(self) -> bool:
        return bool(self._servers)

    async def stop(self, *, grace: float = 5.0) -> None:
        """Take no more connections, let mails in hand be committed and answered, then hang up."""
        if not self._servers:
            return
        for server in self._servers:
            server.close()
        waited = 0.0
        while self.in_hand and waited < grace:
            await asyncio.sleep(0.02)
            waited += 0.02
        for connection in list(self._connections):
            connection.hang_up()
        await asyncio.sleep(0)
        self._servers = []

    def _connection(self, kind: "type[_Connection]") -> "_Connection":
        return kind(
            _Conversation(self),
            self,
            data_size_limit=self.max_size,
            enable_SMTPUTF8=True,
            hostname=self._hostname,
            ident="Priyom",
            timeout=self._timeout,
            tls_context=self._tls,
            proxy_protocol_timeout=_PROXY_SECONDS if self.proxied else None,
            loop=asyncio.get_running_loop(),
        )

    async def find(self, address: str) -> InboxAddress | None:
        """The inbox of a recipient; `support+anything@` belongs to `support@`."""
        plain = one_spelling(address)
        for wanted in dict.fromkeys((plain, without_plus(plain))):
            found = self._inboxes(wanted)
            inbox = await found if inspect.isawaitable(found) else found
            if inbox is not None:
                return inbox
        return None

    async def take(self, envelope: Envelope, inboxes: dict[str, InboxAddress], *, origin: Origin | None = None) -> str:
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
                origin=origin,
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
        """Count a connection in; False when there are too many, of all peers or of this one."""
        if len(self._connections) >= self.max_connections or not self.peers.open(connection.peer):
            return False
        self._connections.add(connection)
        return True

    def moved(self, connection: "_Connection", peer: str) -> bool:
        """The connection speaks for another peer, which may have too many already."""
        if not self.peers.open(peer):
            return False
        self.peers.close(connection.peer)
        connection.peer = peer
        return True

    def closed(self, connection: "_Connection") -> None:
        if connection in self._connections:
            self._connections.discard(connection)
            self.peers.close(connection.peer)


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

    async def handle_MAIL(  # noqa: N802 - aiosmtpd's name
        self, server: "_Connection", session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if not self._listener.peers.may_send(server.peer):
            return "450 4.7.1 Too many mails from your address within a minute, please try again later"
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 OK"

    async def handle_EHLO(  # noqa: N802 - aiosmtpd's name
        self, server: "_Connection", session: Session, envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        session.host_name = hostname
        if self._listener.peers.trusts(server.socket_peer):
            responses.insert(-1, "250-XCLIENT ADDR NAME HELO")
        return responses

    async def handle_PROXY(self, server: "_Connection", session: Session, envelope: Envelope, told: ProxyData) -> bool:  # noqa: N802 - aiosmtpd's name
        # LOCAL (a health check of the balancer itself) and unknown families name nobody.
        return self._listener.moved(server, str(told.src_addr)) if told.src_addr else True

    async def handle_DATA(self, server: "_Connection", session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's name
        # A server of our own that does not tell for whom it speaks brings the mail of strangers: its address proves nothing of them.
        seen = server.from_outside and not self._listener.peers.trusts(server.peer)
        origin = Origin(server.peer, str(session.host_name or "")) if seen else None
        return await self._listener.take(envelope, self._inboxes, origin=origin)

    async def handle_exception(self, error: Exception) -> str:
        # Whatever went wrong, the sender still has the mail and must keep it.
        log.error("mail.failed", error=type(error).__name__, exc_info=error)
        return TRY_LATER


class _Connection(SMTP):
    """aiosmtpd's protocol with a cap on connections and with DATA read in large pieces.

    aiosmtpd reads DATA line by line and refuses lines over 1001 bytes for good; mail in the wild has them, and a refusal loses the mail.
    """

    line_length_limit = _READ_LIMIT
    from_outside = True

    def __init__(self, handler: _Conversation, listener: MailListener, **options: Any) -> None:
        super().__init__(handler, **options)
        self._listener = listener
        self._turned_away = False
        self.peer = self.socket_peer = ""
        """The address this connection speaks for, and the one it comes from."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if self.socket_peer:  # the same connection again, behind TLS
            super().connection_made(transport)
            return
        name = transport.get_extra_info("peername")
        self.peer = self.socket_peer = str(name[0]) if isinstance(name, tuple) else "unix"
        if not self._listener.peers.trusts(self.socket_peer):
            self._proxy_timeout = None  # a stranger's PROXY header is a command like any other, and unknown
        if not self._listener.opened(self):
            self._turned_away = True
            stream = cast("asyncio.Transport", transport)  # uvloop's are of no class of asyncio's
            stream.write(b"421 4.7.0 Too many connections, please try again later\r\n")
            stream.close()
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

    async def smtp_XCLIENT(self, arg: str) -> None:  # noqa: N802 - aiosmtpd's name
        """Postfix's way to tell for whom a trusted peer speaks; the conversation begins anew."""
        if not self._listener.peers.trusts(self.socket_peer):
            await self.push("550 5.7.1 You may not speak for others")
            return
        told = {key.upper(): value for key, value in _XCLIENT.findall(arg or "")}
        address = told.get("ADDR", "").removeprefix("IPv6:").removeprefix("IPV6:")
        if not told or (address not in _UNTOLD and not _is_address(address)):
            await self.push("501 5.5.4 Syntax: XCLIENT ADDR=address [HELO=name] [NAME=name]")
            return
        if address not in _UNTOLD and not self._listener.moved(self, address):
            await self.push("421 4.7.0 Too many connections from that address, please try again later")
            self.hang_up()
            return
        self._forget_envelope()
        session = self.session
        if session is not None:
            session.host_name = None
        await self.push(f"220 {self.hostname} {self.__ident__}")

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
            await self._answer("552 5.3.4 The mail is larger than this desk takes", envelope)
            return
        envelope.content = envelope.original_content = content
        try:
            status = await self._call_handler_hook("DATA")
        finally:
            self._forget_envelope()
        await self._answer(status, envelope)

    async def _answer(self, status: str, envelope: Envelope) -> None:
        """The answer to a mail."""
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


class _LmtpConnection(_Connection):
    """LMTP (RFC 2033): LHLO instead of EHLO, and an answer for every recipient. All of them stand in one request, so it is the same one."""

    from_outside = False  # LMTP is what a mail server speaks to its own store

    async def smtp_LHLO(self, arg: str) -> None:  # noqa: N802 - aiosmtpd's name
        """LHLO hostname."""
        await super().smtp_EHLO(arg)

    async def smtp_HELO(self, arg: str) -> None:  # noqa: N802 - aiosmtpd's name
        await self.push("500 5.5.1 This is LMTP: say LHLO")

    smtp_EHLO = smtp_HELO  # noqa: N815 - aiosmtpd's name

    async def _answer(self, status: str, envelope: Envelope) -> None:
        for _recipient in envelope.rcpt_tos:
            await self.push(status)


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
