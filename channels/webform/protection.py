"""What stands between a public form and those who abuse it: a signed token, a trap for robots, work to prove, and limits.

Nothing here throws away what somebody typed: every refusal goes back to the page with its words.
"""

import base64
import hashlib
import hmac
import ipaddress
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from itsdangerous import BadSignature, URLSafeSerializer
from starlette.requests import Request

from channels.webform.desk import FormDesk
from desk_core.kit.ids import new_token

TRAP = "website"
"""A field that people do not see and robots like to fill."""

AT_LEAST = timedelta(seconds=2)
AT_MOST = timedelta(days=1)
WORK_BITS = 13
"""Leading zero bits of the proof: a fraction of a second in a browser, a cost for whoever sends thousands."""


class Refusal(StrEnum):
    """Why a form is not taken as it is."""

    NO_TOKEN = "no_token"  # noqa: S105 - a reason, not a secret
    FOREIGN_TOKEN = "foreign_token"  # noqa: S105 - a reason, not a secret
    TOO_OLD = "too_old"
    TOO_FAST = "too_fast"
    TRAPPED = "trapped"
    WORTHLESS_WORK = "worthless_work"
    TOO_MANY = "too_many"


STATUS = {
    Refusal.NO_TOKEN: 403,
    Refusal.FOREIGN_TOKEN: 403,
    Refusal.TOO_OLD: 403,
    Refusal.TOO_FAST: 422,
    Refusal.TRAPPED: 422,
    Refusal.WORTHLESS_WORK: 422,
    Refusal.TOO_MANY: 429,
}


@dataclass(frozen=True, slots=True)
class FormToken:
    """That our page was opened, for which inbox and when. `nonce` tells two pages apart."""

    inbox: str
    nonce: str
    issued_at: datetime


class Signer:
    """Signs what travels through the page and comes back: form tokens and references to stored files."""

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._tokens = URLSafeSerializer(key, salt="priyom.webform.token")
        self._files = URLSafeSerializer(key, salt="priyom.webform.file")

    def token(self, inbox: str, now: datetime) -> str:
        """A fresh form token."""
        return self._dump(self._tokens, {"i": inbox, "n": new_token(12), "t": int(now.timestamp())})

    def read_token(self, signed: str) -> FormToken | None:
        body = self._load(self._tokens, signed)
        if body is None:
            return None
        return FormToken(inbox=str(body["i"]), nonce=str(body["n"]), issued_at=datetime.fromtimestamp(int(body["t"]), UTC))

    def file(self, described: Mapping[str, Any]) -> str:
        """A reference to a file that is stored already and belongs to a form not sent yet."""
        return self._dump(self._files, dict(described))

    def read_file(self, signed: str) -> dict[str, Any] | None:
        return self._load(self._files, signed)

    def secret(self, *parts: str) -> str:
        """An unguessable word that the same parts always give: a form sent twice is one request."""
        message = "\x1f".join(parts).encode()
        digest = hmac.new(self._key, b"priyom.webform.secret\x1f" + message, hashlib.sha256).digest()[:18]
        return _word(digest)

    @staticmethod
    def _dump(serializer: Any, body: dict[str, Any]) -> str:
        signed: str = serializer.dumps(body)
        return signed

    @staticmethod
    def _load(serializer: Any, signed: str) -> dict[str, Any] | None:
        try:
            body = serializer.loads(signed)
        except BadSignature:
            return None
        return body if isinstance(body, dict) else None


def _word(digest: bytes) -> str:
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def thread_of(token: str) -> str:
    """The public name of a request's thread: found by whoever holds the secret token, useless to whoever reads the name."""
    return hashlib.sha256(f"priyom.thread:{token}".encode()).hexdigest()[:32]


def refused(signed: str, *, signer: Signer, inbox: str, trap: str, work: str, now: datetime) -> Refusal | None:
    """Why this form is refused, None when it may pass. Without script there is no `work`, and that alone refuses nobody."""
    if not signed:
        return Refusal.NO_TOKEN
    token = signer.read_token(signed)
    if token is None or token.inbox != inbox:
        return Refusal.FOREIGN_TOKEN
    age = now - token.issued_at
    if age > AT_MOST:
        return Refusal.TOO_OLD
    if trap.strip():
        return Refusal.TRAPPED
    # The token tells whole seconds, so the youngest that passes is up to a second older than it says.
    if age < AT_LEAST:
        return Refusal.TOO_FAST
    if work and not proves(signed, work):
        return Refusal.WORTHLESS_WORK
    return None


def proves(challenge: str, work: str) -> bool:
    """Whether the SHA-256 of "challenge:work" begins with enough zero bits."""
    if not work.isascii() or not work.isdigit() or len(work) > 12:
        return False
    digest = hashlib.sha256(f"{challenge}:{work}".encode()).digest()
    return int.from_bytes(digest[:4], "big") >> (32 - WORK_BITS) == 0


def address_of(request: Request, *, trusted_proxies: str) -> str:
    """The address a request comes from. `X-Forwarded-For` is believed from trusted proxies only, and only up to the last of them."""
    peer = request.client.host if request.client else "unknown"
    trusted = _networks(trusted_proxies)
    if not _among(peer, trusted):
        return peer
    for hop in reversed([part.strip() for part in ",".join(request.headers.getlist("x-forwarded-for")).split(",")]):
        if not hop:
            continue
        try:
            ipaddress.ip_address(hop)
        except ValueError:
            return peer
        if not _among(hop, trusted):
            return hop
        peer = hop
    return peer


Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def _networks(listed: str) -> list[Network]:
    return [ipaddress.ip_network(part.strip(), strict=False) for part in listed.split(",") if part.strip() and part.strip() != "*"]


def _among(host: str, networks: Sequence[Network]) -> bool:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    return any(address in network for network in networks)


async def within_limits(request: Request, desk: FormDesk, *, name: str = "webform") -> bool:
    """Count one request of this browser's address; False when it was one too many for the hour or the day."""
    limits, address = desk.settings.limits, address_of(request, trusted_proxies=desk.settings.http.trusted_proxies)
    hour = await desk.limits.hit(f"{name}-hour", address, limit=limits.webform_per_hour, seconds=3600)
    return hour and await desk.limits.hit(f"{name}-day", address, limit=limits.webform_per_day, seconds=86400)
