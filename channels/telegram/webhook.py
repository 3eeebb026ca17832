"""Receiving by webhook: the answer tells Telegram whether the update is stored, and is given only then."""

import hashlib
import hmac
from ipaddress import ip_address, ip_network
from typing import Final

from channels.telegram.connection import read_json
from channels.telegram.mapping import unreadable
from channels.telegram.receive import take
from desk_core.conversations.ports import Accept
from desk_core.kit.clock import Clock
from desk_core.kit.errors import StoreUnavailable

SECRET_HEADER: Final = "X-Telegram-Bot-Api-Secret-Token"  # noqa: S105 - the name of a header
LARGEST_BODY: Final = 4 * 1024 * 1024
# https://core.telegram.org/bots/webhooks
NETWORKS: Final = (ip_network("149.154.160.0/20"), ip_network("91.108.4.0/22"))


def is_telegram(address: str | None) -> bool:
    """Whether a call comes from Telegram's own networks."""
    try:
        caller = ip_address((address or "").partition("%")[0])
    except ValueError:
        return False
    # A listener for both families shows IPv4 callers in this dress.
    caller = getattr(caller, "ipv4_mapped", None) or caller
    return any(caller in network for network in NETWORKS)


async def handle_webhook(
    secret_header: str | None,
    body: bytes,
    *,
    secret: str,
    inbox_id: str,
    accept: Accept,
    clock: Clock,
    burst_seconds: float = 2.0,
) -> int:
    """The HTTP status for one call: 200 after the commit, 403 for a stranger, 503 when nothing could be stored.

    The path of the route is random and holds no token; the secret header alone proves that Telegram is calling.
    """
    # An empty secret would let everybody in who sends an empty header.
    if not secret or not hmac.compare_digest((secret_header or "").encode(), secret.encode()):
        return 403
    if len(body) > LARGEST_BODY:
        return 413
    try:
        try:
            update = read_json(body)
        except ValueError:
            # It has the secret, so it is from Telegram: kept as it came, and acknowledged, since it will not get better.
            mark = hashlib.sha256(body).hexdigest()
            await accept(inbox_id, unreadable(mark, inbox_id=inbox_id, reason="no JSON", now=clock.now()), raw=body)
            return 200
        await take(update, accept, inbox_id=inbox_id, burst_seconds=burst_seconds, clock=clock)
    except StoreUnavailable:
        return 503
    return 200
