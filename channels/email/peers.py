"""Who talks to the mail listener: which peers may speak for others, and how much each may ask for."""

import ipaddress
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable

_Network = ipaddress.IPv4Network | ipaddress.IPv6Network
_KEPT = 10_000
_WINDOW = 60.0


def networks(text: str) -> tuple[_Network, ...]:
    """`10.0.0.5, 192.168.0.0/16` as networks; raises `ValueError` for anything else."""
    return tuple(ipaddress.ip_network(part.strip(), strict=False) for part in text.split(",") if part.strip())


class Peers:
    """Counts connections and mails of each peer address. A trusted peer is a server of our own: no limit is meant for it."""

    def __init__(
        self,
        *,
        trusted: Iterable[_Network] = (),
        connections: int = 50,
        mails_per_minute: int = 0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._trusted, self._most, self._rate, self._clock = tuple(trusted), connections, mails_per_minute, clock
        self._connections: Counter[str] = Counter()
        self._mails: dict[str, deque[float]] = {}

    def trusts(self, address: str) -> bool:
        """Whether this peer may tell whom it speaks for (PROXY, XCLIENT)."""
        try:
            found = ipaddress.ip_address(address)
        except ValueError:
            return False
        return any(found in network for network in self._trusted)

    def open(self, address: str) -> bool:
        """Count a connection in; False where this peer has too many."""
        if self._connections[address] >= self._most > 0 and not self.trusts(address):
            return False
        self._connections[address] += 1
        return True

    def close(self, address: str) -> None:
        self._connections[address] -= 1
        if self._connections[address] <= 0:
            del self._connections[address]

    def may_send(self, address: str) -> bool:
        """Count a mail; False where this peer has sent too many within a minute."""
        if not self._rate or self.trusts(address):
            return True
        now = self._clock()
        if len(self._mails) > _KEPT:
            self._mails = {peer: sent for peer, sent in self._mails.items() if sent[-1] > now - _WINDOW}
        sent = self._mails.setdefault(address, deque())
        while sent and sent[0] <= now - _WINDOW:
            sent.popleft()
        if len(sent) >= self._rate:
            return False
        sent.append(now)
        return True
