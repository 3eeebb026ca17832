"""Mail of this desk: adapters, the shared listener, and the sandbox's pages."""

import functools
import ssl
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from fastapi import APIRouter
from sqlalchemy import select

from channels.email.channel import EmailChannel
from channels.email.compose import Mailbox
from channels.email.examining import Examiner
from channels.email.imap_account import Account
from channels.email.intake import InboxAddress
from channels.email.letter import letters_of
from channels.email.peers import Peers, networks
from channels.email.relays import OwnPace
from channels.email.rules import Rules
from channels.email.sandbox.mailbox import MailSandbox
from channels.email.sandbox.pages import create_pages
from channels.email.signing import Signer
from channels.email.smtp_in import MailListener
from channels.email.smtp_out import Sender, sender_for
from channels.email.trust import Trusted
from desk_core.catalogue.desk import pick
from desk_core.conversations.addresses import one_spelling, spellings
from desk_core.conversations.entities import Inbox
from desk_core.conversations.ports import Blobs, ChannelKind
from desk_core.kit.clock import Clock
from desk_core.kit.errors import Invalid
from desk_core.kit.i18n import known_language
from gateway.limits import RateLimits
from gateway.listening import refusal
from gateway.mail_inboxes import habits
from gateway.settings import Settings, Smtp

if TYPE_CHECKING:
    from gateway.bootstrap import Desk
    from gateway.inboxes import KeepSecret, OnStatus

MEGABYTE = 1024 * 1024
BELIEVED_SECONDS = 2.0


def sandbox_of(settings: Settings, clock: Clock) -> MailSandbox:
    """The local mailbox that keeps what no relay carries away; files, so that every process sees the same."""
    return MailSandbox(settings.home / "mail-sandbox", clock=clock)


class SharedPace:
    """At most so many mails a minute to one domain, of all processes of the desk together; of each alone while Redis is away."""

    def __init__(self, limits: RateLimits, per_minute: int) -> None:
        self._limits, self._most, self._own = limits, per_minute, OwnPace(per_minute)

    async def wait(self, recipient: str) -> float:
        domain = recipient.rpartition("@")[2].lower()
        together = await self._limits.wait("mail-out", domain, limit=self._most, seconds=60)
        return await self._own.wait(recipient) if together is None else together


class WaysOut:
    """What carries mail. Inboxes with the same relays share their connections, and all of them the pace of mail to one domain."""

    def __init__(self, settings: Settings, clock: Clock, limits: RateLimits) -> None:
        out = settings.smtp_out
        shared = bool(settings.redis.url.get_secret_value())
        self._pace = SharedPace(limits, out.domain_per_minute) if shared else OwnPace(out.domain_per_minute)
        self._usual, self._sandbox = out.url.get_secret_value(), sandbox_of(settings, clock)
        self._senders: dict[str, Sender] = {}

    def through(self, own: str) -> Sender:
        """The way out of an inbox with relays of its `own`, or by those of the desk. One that nobody takes any more hangs up by itself."""
        urls = own or self._usual
        if urls not in self._senders:
            self._senders[urls] = sender_for(urls, self._sandbox, pace=self._pace)
        return self._senders[urls]

    async def close(self) -> None:
        for sender in self._senders.values():
            await sender.close()


def build_mail(
    inbox: Inbox,
    settings: Settings,
    *,
    account: Account | None,
    key: bytes,
    organisation: Mapping[str, str],
    blobs: Blobs,
    clock: Clock,
    on_status: "OnStatus",
    own_addresses: Sequence[str] = (),
    examiner: Examiner | None = None,
    signer: Signer | None = None,
    sender: Sender,
    keep_secret: "KeepSecret | None" = None,
) -> EmailChannel:
    """The adapter of a mail inbox; `organisation` is the name that people see as the sender, by language; `sender` carries the mail."""
    return EmailChannel(
        inbox.id,
        mailbox=Mailbox(
            inbox.address,
            pick(organisation, inbox.language),
            plus=habits(inbox.config)["plus"],
            letters=letters_of(inbox.config),
            names=organisation,
        ),
        sender=sender,
        blobs=blobs,
        secret=key,
        clock=clock,
        own_addresses=own_addresses,
        rules=Rules.of(inbox.config),
        trusted=Trusted.of(inbox.config),
        examiner=examiner,
        signer=signer,
        account=account,
        keep_refresh_token=functools.partial(keep_secret, "oauth_refresh_token") if keep_secret is not None else None,
        file_limit=settings.limits.attachment_mb * MEGABYTE,
        on_status=on_status,
    )


def inbox_address(inbox: Inbox, every: tuple[str, ...]) -> InboxAddress:
    """An inbox as mail comes to it; `every` are all addresses of the desk."""
    return InboxAddress(
        inbox.id,
        inbox.address.lower(),
        every,
        paused=inbox.state != "active",
        rules=Rules.of(inbox.config),
        trusted=Trusted.of(inbox.config),
    )


class Addresses:
    """Which inbox takes mail for an address (in `one_spelling`), its own or an alias; asks the store anew every other second."""

    def __init__(self, desk: "Desk") -> None:
        self._desk = desk
        self._known: dict[str, InboxAddress] = {}
        self._read_at = 0.0

    async def find(self, address: str) -> InboxAddress | None:
        if time.monotonic() - self._read_at > BELIEVED_SECONDS:
            self._known = await self._read()
            self._read_at = time.monotonic()
        return self._known.get(address)

    async def _read(self) -> dict[str, InboxAddress]:
        query = select(Inbox).where(Inbox.channel == ChannelKind.EMAIL.value).order_by(Inbox.name)
        async with self._desk.database.read() as session:
            found = (await session.scalars(query)).all()
        every = spellings(address for inbox in found for address in inbox.addresses)
        known: dict[str, InboxAddress] = {}
        for inbox in found:
            taker = inbox_address(inbox, every)
            known |= {one_spelling(address): taker for address in inbox.addresses}
        return known


def _tls(smtp: Smtp) -> ssl.SSLContext | None:
    """What STARTTLS is offered with; raises `Invalid` for files that cannot be used."""
    if smtp.tls_cert is None:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        context.load_cert_chain(smtp.tls_cert, smtp.tls_key)
    except (OSError, ssl.SSLError) as error:
        raise Invalid(reason=f"PRIYOM_SMTP__TLS_CERT: {error}") from error
    return context


async def start_listener(desk: "Desk") -> MailListener:
    """Listen for mail of every mail inbox of this desk. Raises `PortTaken` and `CannotListen`."""
    settings = desk.settings
    listener = MailListener(
        settings.smtp.host,
        settings.smtp.port,
        inboxes=Addresses(desk).find,
        accept=desk.accept,
        blobs=desk.blobs,
        secret=desk.key,
        clock=desk.clock,
        max_size=settings.smtp.max_size_mb * MEGABYTE,
        file_limit=settings.limits.attachment_mb * MEGABYTE,
        lmtp_port=settings.smtp.lmtp_port or None,
        tls=_tls(settings.smtp),
        peers=Peers(
            trusted=networks(settings.smtp.trusted_peers),
            connections=settings.smtp.peer_connections,
            mails_per_minute=settings.smtp.peer_mails_per_minute,
        ),
        proxied=settings.smtp.proxy_protocol,
        examiner=desk.examiner,
    )
    try:
        await listener.start()
    except OSError as error:
        port = settings.smtp.lmtp_port if listener.listens else settings.smtp.port
        await listener.stop()
        raise refusal(error, settings.smtp.host, port) from error
    return listener


def sandbox_pages(desk: "Desk") -> APIRouter:
    """The pages of the mail sandbox; what is written there goes through the real listener."""

    async def desks() -> list[tuple[str, str]]:
        async with desk.database.read() as session:
            found = await session.scalars(select(Inbox).where(Inbox.channel == ChannelKind.EMAIL.value).order_by(Inbox.name))
            return [(address, inbox.name) for inbox in found for address in inbox.addresses]

    return create_pages(
        sandbox_of(desk.settings, desk.clock),
        smtp=lambda: (desk.settings.smtp.host, desk.settings.smtp.port),
        inboxes=desks,
        language=lambda request: known_language(getattr(request.state, "language", None)),
    )
