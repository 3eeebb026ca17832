"""Whether a mail inbox works: names, connection, certificate, log-in, folders, sending, and a mail to itself. Steps as data.

A step that fails stops only those that cannot be tried without it. Nothing is marked, nothing is moved, and no request opens.
"""

import asyncio
import contextlib
import socket
import ssl
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from ipaddress import ip_address
from typing import Any

from channels.email import imap_mailbox as wire
from channels.email.certificates import SOON, Certificate, certificate_advice, plainly
from channels.email.imap_account import Account, Security, provider_at
from channels.email.imap_mailbox import CommandRefused, MailboxFailed, Tokens, call
from channels.email.imap_oauth import TokenRefused
from channels.email.intake import MEGABYTE
from channels.email.resolver import NamesUnavailable, Resolver
from channels.email.smtp_out import Sender
from channels.email.threading import CHECK, make_message_id
from desk_core.conversations.checkups import State, Step
from desk_core.conversations.ports import DeliveryError
from desk_core.kit.clock import Clock, SystemClock
from desk_core.kit.i18n import gettext_noop as _
from desk_core.kit.ids import new_id

STEPS = {
    "mx": _("Mail servers of the domain (MX)"),
    "spf": _("Who may send for the domain (SPF)"),
    "dkim": _("Key for signatures (DKIM)"),
    "dmarc": _("What others do with forgeries (DMARC)"),
    "imap_tcp": _("Connection to the mailbox"),
    "imap_tls": _("Certificate of the mail server"),
    "imap_login": _("Log-in"),
    "imap_folder": _("Folders"),
    "imap_fetch": _("Reading a mail without marking it"),
    "smtp": _("Outgoing mail"),
    "loop": _("A mail to itself"),
}

ADVICE = {
    "names_unavailable": _("The name servers did not answer. Check the network of this machine and try again."),
    "reserved": _("This domain is made for examples or for one's own network; the Internet knows nothing of it."),
    "mx_missing": _("Nobody can send mail to %(domain)s. Add an MX record at the domain's registrar."),
    "mx_implicit": _("There is no MX record, so mail goes to the domain's own address. Add an MX record that names the mail server."),
    "mx_null": _("The domain says that it takes no mail (null MX). Replace the record with one that names the mail server."),
    "spf_missing": _("Add a TXT record at %(domain)s that begins with v=spf1 and names your servers; without it answers go to spam."),
    "spf_many": _("There must be one record that begins with v=spf1. Put them together into one."),
    "spf_open": _("The record lets everybody send for the domain. Let it end with -all or ~all."),
    "dkim_unsigned": _("Mail is not signed by the desk, so there is no key to look for. The relay may sign it."),
    "dkim_missing": _("Add the TXT record %(name)s with the public key of the desk."),
    "dmarc_missing": _("Add a TXT record at _dmarc.%(domain)s, to begin with: v=DMARC1; p=none"),
    "no_imap": _("No mailbox is fetched: mail for %(address)s has to arrive at the desk's own listener."),
    "unreachable": _("Check the server's name and port (%(host)s:%(port)s), and whether a firewall lets this machine out."),
    "no_such_host": _("There is no server named %(host)s. Look for a slip in the name, or ask the mail service what it is called."),
    "slow": _("No answer in %(seconds)s seconds. Try again; if it stays so, check the server and the firewall between."),
    "no_tls": _("The password travels unprotected. Use imaps:// or imap+starttls:// unless the network is your own."),
    "cert_expired": _("The certificate has expired. Whoever runs the mail server has to renew it."),
    "cert_soon": _("The certificate ends in less than two weeks. Whoever runs the mail server should renew it."),
    "cert_self_signed": _("The server made its certificate itself. Give it one of a known authority, or let this machine trust it."),
    "cert_unknown": _("Nobody this machine trusts has issued the certificate. Let the server send the whole chain."),
    "cert_names": _("The certificate is for other names: %(names)s. Use one of them as the server's name."),
    "tls": _("The server does not speak TLS here. Port 993 is for TLS, 143 for STARTTLS."),
    "login": _("Check the user and the password. Some services want IMAP to be switched on in their settings first."),
    "app_password": _("This service wants a password made for programs, not your own. Make one at %(url)s and switch IMAP on."),
    "microsoft": _("Microsoft takes no passwords for mail. Use XOAUTH2: priyom inbox set-email --imap-oauth-token-url."),
    "oauth": _("The authority gave no token. Ask for a new refresh token and store it: priyom inbox set-email --imap-oauth-refresh-token."),
    "folder": _("There is no folder %(folder)s. The mailbox has: %(known)s."),
    "fetch": _("The server does not hand the mail out. Look at its own log."),
    "needs_earlier": _("Tried once the step before works."),
    "no_relay": _("No relay is configured: answers stay in the mail sandbox and reach nobody. Give the inbox one under Outgoing mail."),
    "smtp": _("The words of the server say why. Check its name, port, user and password under Outgoing mail, or in PRIYOM_SMTP_OUT__URL."),
    "smtp_login": _("Check the user and the password. Some services let programs send only after that is switched on in their settings."),
    "smtp_tls": _("The server does not protect the connection in this way. Port 465 is for TLS, 587 for STARTTLS."),
    "paused": _("The inbox is paused and takes nothing in. Resume it and check again."),
    "not_running": _("Nothing receives at the moment. Start the desk and check again."),
    "not_saved": _("Tried once the inbox is saved."),
    "loop_refused": _("The mail was not taken. The words of the server say why."),
    "loop_lost": _("It was sent and did not arrive within %(seconds)s seconds. Look into the spam folder, or wait: servers delay mail."),
}  # fmt: skip

RESERVED = ("example", "test", "invalid", "localhost", "local", "internal", "example.com", "example.net", "example.org")
"""Names the Internet will never know: RFC 2606, RFC 6761, RFC 6762."""
_NEEDS = {"imap_tls": "imap_tcp", "imap_login": "imap_tls", "imap_folder": "imap_login", "imap_fetch": "imap_login"}
_TOLD_THE_PASSWORD = frozenset({"imap_login", "imap_folder", "imap_fetch"})
_LOOK_SECONDS = 1.0
_MAIL_POLICY = SMTP.clone(max_line_length=900)


Trying = Callable[[], Awaitable[Step]]


@dataclass(frozen=True, slots=True)
class Loop:
    """How a mail to itself goes out and is seen. `why_not` is the advice where it cannot be tried.

    `arrived` asks the desk's own store for a Message-ID; a fetched mailbox is looked into as well.
    """

    secret: bytes
    carrier: Sender | None
    arrived: Callable[[str], Awaitable[bool]]
    why_not: str | None = None
    seconds: float = 30.0


@dataclass(frozen=True, slots=True)
class Checkup:
    """What is examined. Without `resolver` names are left out, without `loop` the mail to itself is.

    `selector` names the DKIM key the desk signs with; `trust` says which certificates are believed, this machine's own by default.
    """

    address: str
    account: Account | None = None
    tokens: Tokens | None = None
    sender: Sender | None = None
    resolver: Resolver | None = None
    selector: str | None = None
    loop: Loop | None = None
    clock: Clock = field(default_factory=SystemClock)
    trust: ssl.SSLContext | None = None
    seconds: float = 10.0

    async def run(self) -> list[Step]:
        """Every step in its order; each ends within `seconds`, the mail to itself within its own time."""
        names, incoming, outgoing = await asyncio.gather(self._names(), self._incoming(), self._outgoing())
        steps = [*names, *incoming, *outgoing]
        if self.loop is not None:
            steps.append(await self._itself(self.loop, steps))
        return [replace(step, words=self._masked(step)) for step in steps]

    async def _try(self, key: str, do: Trying, *, seconds: float | None = None, advice: str | None = None) -> Step:
        began = time.perf_counter()
        limit = seconds or self.seconds
        try:
            async with asyncio.timeout(limit):
                step = await do()
        except TimeoutError:
            step = Step(key, State.FAIL, "", "slow", {"seconds": round(limit)})
        except NamesUnavailable as error:
            step = Step(key, State.WARN, str(error.fields.get("reason", "")), "names_unavailable")
        except TokenRefused as error:
            step = Step(key, State.FAIL, str(error.fields.get("reason", "")), "oauth")
        except MailboxFailed as error:
            timed_out = isinstance(error.__cause__, TimeoutError)
            step = Step(
                key,
                State.FAIL,
                str(error.fields.get("reason", "")),
                "slow" if timed_out else _nowhere(error) or advice,
                self._place(round(limit)),
            )
        return replace(step, ms=max(1, round((time.perf_counter() - began) * 1000)))

    def _place(self, seconds: int) -> dict[str, Any]:
        return {"seconds": seconds} | ({"host": self.account.host, "port": self.account.port} if self.account else {})

    def _masked(self, step: Step) -> str:
        """What a server says once it knows the password may repeat it."""
        if self.account is None or step.key not in _TOLD_THE_PASSWORD or step.state is not State.FAIL:
            return step.words
        return wire.hidden(step.words, self.account.password)

    # Names

    async def _names(self) -> list[Step]:
        if self.resolver is None:
            return []
        domain = self.address.rpartition("@")[2].lower().rstrip(".")
        if any(domain == name or domain.endswith(f".{name}") for name in RESERVED):
            return [Step(key, State.SKIPPED, domain, "reserved") for key in ("mx", "spf", "dkim", "dmarc")]
        asked = self.resolver
        questions: dict[str, Callable[[], Step]] = {
            "mx": lambda: mail_servers(asked, domain),
            "spf": lambda: senders(asked, domain),
            "dkim": lambda: signing_key(asked, domain, self.selector),
            "dmarc": lambda: policy(asked, domain),
        }
        return list(await asyncio.gather(*(self._try(key, _in_thread(ask)) for key, ask in questions.items())))

    # The mailbox

    async def _incoming(self) -> list[Step]:
        account = self.account
        if account is None:
            return [Step("imap_tcp", State.SKIPPED, "", "no_imap", {"address": self.address})] if self.resolver is not None else []
        steps = [await self._try("imap_tcp", lambda: _reach(account), advice="unreachable")]
        async with contextlib.AsyncExitStack() as open_for_now:
            waiting: dict[str, Trying] = {}

            async def enter() -> Step:
                connection = wire.connected(account, tokens=self.tokens, timeout=self.seconds, trust=self.trust)
                mailbox = await open_for_now.enter_async_context(connection)
                waiting["imap_folder"] = lambda: _folders(mailbox, account)
                waiting["imap_fetch"] = lambda: _newest(mailbox, account)
                return Step("imap_login", State.OK, wire.welcome(mailbox) or account.user)

            waiting["imap_tls"] = lambda: self._certificate(account)
            waiting["imap_login"] = enter
            blame = {"imap_tls": "tls", "imap_login": log_in_advice(account), "imap_folder": "folder", "imap_fetch": "fetch"}
            provider = provider_at(account.host)
            states = {"imap_tcp": steps[0].state}
            for key, needed in _NEEDS.items():
                if states[needed] in (State.FAIL, State.SKIPPED):
                    step = Step(key, State.SKIPPED, "", "needs_earlier")
                else:
                    step = await self._try(key, waiting[key], advice=blame[key])
                    if provider is not None and step.advice == "app_password":
                        step = replace(step, params={**step.params, "url": provider.passwords})
                states[key] = step.state
                steps.append(step)
        return steps

    async def _certificate(self, account: Account) -> Step:
        """Names, issuer and end of the certificate; a wrong one is read as well, so that it can be said what is wrong with it."""
        if account.security is Security.NONE:
            return Step("imap_tls", State.OK, "localhost") if _is_here(account.host) else Step("imap_tls", State.WARN, "", "no_tls")
        try:
            shown = await self._shown(account, self.trust)
        except MailboxFailed as error:
            if not isinstance(error.__cause__, ssl.SSLCertVerificationError):
                raise
            code, words = error.__cause__.verify_code, error.__cause__.verify_message
            believing = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            believing.check_hostname, believing.verify_mode = False, ssl.CERT_NONE  # only to read it: nobody logs in here
            shown = await self._shown(account, believing)
            return Step("imap_tls", State.FAIL, f"{words} ({shown})", certificate_advice(code), {"names": ", ".join(shown.names)})
        soon = shown.until - self.clock.now() < SOON
        return Step("imap_tls", State.WARN if soon else State.OK, str(shown), "cert_soon" if soon else None)

    async def _shown(self, account: Account, trust: ssl.SSLContext | None) -> Certificate:
        mailbox = await call(wire.connect, account, self.seconds, trust)
        try:
            return Certificate.of(*await call(wire.certificate, mailbox))
        finally:
            wire.abandon(mailbox)

    # Sending

    async def _outgoing(self) -> list[Step]:
        sender = self.sender
        if sender is None:
            return []

        async def test() -> Step:
            tried = await sender.test()
            refused = [one for one in tried if not one.passed]
            state = State.FAIL if len(refused) == len(tried) else State.WARN if refused else State.OK
            words = tried[0].words if len(tried) == 1 else "; ".join(f"{one.where}: {one.words}" for one in tried)
            advised = next((one for one in [*refused, *tried] if one.advice), None)
            if advised is None:
                return Step("smtp", state, words)
            if advised.passed:
                return Step("smtp", State.WARN, "", advised.advice, advised.params)
            return Step("smtp", state, words, advised.advice, advised.params)

        return [await self._try("smtp", test)]

    async def _itself(self, loop: Loop, steps: list[Step]) -> Step:
        """Send a marked mail and see it arrive: in the desk's own store, or in the mailbox, by its Message-ID."""
        states = {step.key: step.state for step in steps}
        carrier = loop.carrier
        if loop.why_not is not None or carrier is None:
            return Step("loop", State.SKIPPED, "", loop.why_not or "not_running")
        if State.FAIL in (states.get("smtp"), states.get("imap_login")):
            return Step("loop", State.SKIPPED, "", "needs_earlier")
        message_id, raw = self._letter(loop.secret)

        async def send_and_see() -> Step:
            try:
                await carrier.deliver(raw, sender=self.address, recipient=self.address)
            except DeliveryError as error:
                return Step("loop", State.FAIL, str(error.fields.get("reason", "")), "loop_refused")
            sent = time.perf_counter()
            while time.perf_counter() - sent < loop.seconds:
                if where := await self._seen(loop, message_id):
                    return Step("loop", State.OK, where)
                await asyncio.sleep(_LOOK_SECONDS)
            return Step("loop", State.FAIL, message_id, "loop_lost", {"seconds": round(loop.seconds)})

        return await self._try("loop", send_and_see, seconds=loop.seconds + self.seconds)

    async def _seen(self, loop: Loop, message_id: str) -> str:
        if await loop.arrived(message_id):
            return message_id
        if self.account is None:
            return ""
        async with wire.connected(self.account, tokens=self.tokens, timeout=self.seconds, trust=self.trust) as mailbox:
            for folder in self.account.folders:
                with contextlib.suppress(CommandRefused):  # a folder that is not there was told in its own step
                    await call(wire.select, mailbox, folder, readonly=True)
                    if await call(wire.having, mailbox, message_id):
                        return f"{folder}: {message_id}"
        return ""

    def _letter(self, secret: bytes) -> tuple[str, bytes]:
        """(Message-ID, the mail): from and to the inbox, under an id of ours, so that the desk knows it as its own and opens nothing."""
        letter = EmailMessage(policy=_MAIL_POLICY)
        message_id = make_message_id(new_id(), CHECK, self.address.rpartition("@")[2], secret)
        letter["From"] = letter["To"] = self.address
        letter["Subject"] = "Priyom: check of this inbox"
        letter["Date"] = format_datetime(self.clock.now())
        letter["Message-ID"] = f"<{message_id}>"
        letter["Auto-Submitted"] = "auto-generated"  # RFC 3834: nobody answers it automatically
        letter.set_content("The desk sent this to itself to see whether mail arrives. You may delete it.\n")
        return message_id, letter.as_bytes()


def mail_servers(resolver: Resolver, domain: str) -> Step:
    """RFC 5321, section 5.1 (no MX: the domain's own address) and RFC 7505 (a null MX)."""
    found = resolver.mail_servers(domain)
    if not found:
        addresses = resolver.addresses(domain)
        advice = "mx_implicit" if addresses else "mx_missing"
        return Step("mx", State.WARN if addresses else State.FAIL, ", ".join(addresses), advice, {"domain": domain})
    words = ", ".join(f"{preference} {host or '.'}" for preference, host in found)
    null = all(host in ("", ".") for _preference, host in found)
    return Step("mx", State.FAIL if null else State.OK, words, "mx_null" if null else None)


def senders(resolver: Resolver, domain: str) -> Step:
    """RFC 7208: one record (section 4.5), and not open to everybody."""
    records = [text for text in _texts(resolver, domain) if text.lower() == "v=spf1" or text.lower().startswith("v=spf1 ")]
    match records:
        case []:
            return Step("spf", State.WARN, "", "spf_missing", {"domain": domain})
        case [record]:
            is_open = not {"+all", "all", "?all"}.isdisjoint(record.lower().split())
            return Step("spf", State.WARN if is_open else State.OK, record, "spf_open" if is_open else None)
        case _:
            return Step("spf", State.FAIL, "; ".join(records), "spf_many")


def signing_key(resolver: Resolver, domain: str, selector: str | None) -> Step:
    """RFC 6376, section 3.6.1; an empty `p=` is a key taken back. Without a selector there is nothing to look for."""
    if selector is None:
        return Step("dkim", State.SKIPPED, "", "dkim_unsigned")
    name = f"{selector}._domainkey.{domain}"
    for text in _texts(resolver, name):
        tags = {key.strip(): value.strip() for key, _equals, value in (tag.partition("=") for tag in text.split(";"))}
        if tags.get("p"):
            return Step("dkim", State.OK, f"{name}: {text[:80]}")
    return Step("dkim", State.FAIL, name, "dkim_missing", {"name": name})


def policy(resolver: Resolver, domain: str) -> Step:
    """RFC 7489, section 6.6.3: the domain's own record, otherwise that of the domain above it."""
    labels = domain.split(".")
    for start in range(len(labels) - 1):
        name = f"_dmarc.{'.'.join(labels[start:])}"
        for text in _texts(resolver, name):
            if text.lower().replace(" ", "").startswith("v=dmarc1"):
                return Step("dmarc", State.OK, f"{name}: {text}")
    return Step("dmarc", State.WARN, "", "dmarc_missing", {"domain": domain})


def _texts(resolver: Resolver, name: str) -> list[str]:
    return [text.decode("utf-8", "replace").strip() for text in resolver.texts(name)]


def _in_thread(ask: Callable[[], Step]) -> Trying:
    return lambda: asyncio.to_thread(ask)


async def _reach(account: Account) -> Step:
    try:
        _reader, writer = await asyncio.open_connection(account.host, account.port)
    except TimeoutError:
        raise
    except OSError as error:
        raise MailboxFailed(reason=plainly(error)) from error
    peer = writer.get_extra_info("peername") or (account.host, account.port)
    await hang_up(writer)
    return Step("imap_tcp", State.OK, f"{peer[0]}:{peer[1]}")


def _nowhere(error: MailboxFailed) -> str | None:
    """A name that is unknown is another mistake than a port that is closed."""
    return "no_such_host" if isinstance(error.__cause__, socket.gaierror) else None


async def hang_up(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with contextlib.suppress(OSError):  # the far side may have been faster
        await writer.wait_closed()


async def _folders(mailbox: Any, account: Account) -> Step:
    told = []
    for folder in account.folders:
        try:
            await call(wire.select, mailbox, folder, readonly=True)
        except CommandRefused as error:
            known = ", ".join((await call(wire.folder_names, mailbox))[:30])
            words = f"{folder}: {error.fields.get('reason', '')}"
            return Step("imap_folder", State.FAIL, words, "folder", {"folder": folder, "known": known})
        told.append(f"{folder}: {len(await call(wire.unseen, mailbox))} UNSEEN")
    return Step("imap_folder", State.OK, ", ".join(told))


async def _newest(mailbox: Any, account: Account) -> Step:
    validity = await call(wire.select, mailbox, account.folder, readonly=True)
    uid = await call(wire.newest, mailbox)
    found = await call(wire.fetch, mailbox, account.folder, validity, uid, MEGABYTE) if uid is not None else None
    return Step("imap_fetch", State.OK, f"{account.folder}: UID {uid}, {found.size} B" if found else f"{account.folder}: 0")


def log_in_advice(account: Account) -> str:
    """The advice where the server does not let the account in."""
    if account.oauth is not None:
        return "oauth"
    provider = provider_at(account.host)
    if provider is None:
        return "login"
    return "app_password" if provider.passwords else "microsoft" if provider.host.endswith("office365.com") else "login"


def _is_here(host: str) -> bool:
    with contextlib.suppress(ValueError):
        return ip_address(host).is_loopback
    return host.lower() == "localhost"
