"""Whether a relay lets the desk in: connection, certificate, log-in, without sending anything; the server's own words and what to do."""

import socket
import ssl
from dataclasses import dataclass, field, replace
from typing import Any

from channels.email.certificates import Certificate, certificate_advice
from channels.email.imap_account import provider_at
from channels.email.imap_mailbox import hidden
from channels.email.relay_address import Relay
from channels.email.relays import client_of

LONGEST_WORDS = 300


@dataclass(frozen=True, slots=True)
class Tried:
    """One way out that was tried. `advice` names what to do, with its `params`."""

    where: str
    passed: bool
    words: str
    advice: str | None = None
    params: dict[str, Any] = field(default_factory=dict)


async def try_relay(relay: Relay, *, timeout: float, trust: ssl.SSLContext | None = None) -> Tried:
    """Connect, greet and log in."""
    import aiosmtplib

    where = f"SMTP {relay}"
    try:
        async with client_of(relay, timeout=timeout, trust=trust) as client:
            answer = await client.noop()
    except (aiosmtplib.SMTPException, OSError) as error:
        advice, params = _advice(error, relay, timeout)
        said = f"{error.code} {error.message}" if isinstance(error, aiosmtplib.SMTPResponseException) else str(error)
        words = said or type(error).__name__
        refused = Tried(where, passed=False, words=hidden(words, relay.password or "")[:LONGEST_WORDS], advice=advice, params=params)
        return await _with_names(refused, relay, timeout) if advice == "cert_names" else refused
    return Tried(where, passed=True, words=f"{answer.code} {answer.message}"[:LONGEST_WORDS])


def _advice(error: Exception, relay: Relay, timeout: float) -> tuple[str, dict[str, Any]]:
    """What is wrong stands in the error or in what brought it about."""
    import aiosmtplib

    place = {"host": relay.host, "port": relay.port}
    causes = (error, error.__cause__, error.__context__)
    untrusted = next((one for one in causes if isinstance(one, ssl.SSLCertVerificationError)), None)
    if untrusted is not None:
        advice = certificate_advice(untrusted.verify_code)
        return ("smtp_tls" if advice == "tls" else advice), {"names": ""}
    if any(isinstance(one, socket.gaierror) for one in causes):
        return "no_such_host", place
    if isinstance(error, aiosmtplib.SMTPAuthenticationError):
        provider = provider_at(relay.host)
        return ("app_password", {"url": provider.passwords}) if provider is not None and provider.passwords else ("smtp_login", {})
    if isinstance(error, aiosmtplib.SMTPConnectTimeoutError):
        # Whoever took the connection and says nothing mostly waits for the other side to begin with TLS.
        return ("smtp_tls", {}) if isinstance(error.__cause__, aiosmtplib.SMTPException) else ("unreachable", place)
    if isinstance(error, aiosmtplib.SMTPTimeoutError):
        return "slow", {"seconds": round(timeout)}
    if any(isinstance(one, ssl.SSLError) for one in causes) or "STARTTLS" in str(error):
        return "smtp_tls", {}
    if isinstance(error, aiosmtplib.SMTPConnectError | OSError) and not isinstance(error, aiosmtplib.SMTPResponseException):
        return "unreachable", place
    return "smtp", {}


async def _with_names(refused: Tried, relay: Relay, timeout: float) -> Tried:
    """Read the certificate that is for other names, to tell which; nobody logs in."""
    import aiosmtplib

    believing = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    believing.check_hostname, believing.verify_mode = False, ssl.CERT_NONE
    try:
        async with client_of(replace(relay, user=None, password=None), timeout=timeout, trust=believing) as client:
            shown = client.get_transport_info("ssl_object")
            found = Certificate.of(shown.getpeercert(binary_form=True), shown.version())
    except (aiosmtplib.SMTPException, OSError):
        return refused
    return replace(refused, words=f"{refused.words} ({found})", params={"names": ", ".join(found.names)})
