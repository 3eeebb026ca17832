"""What the domain name system says of a mail domain. A small port, so that tests bring their own zone and nothing leaves the machine."""

from collections.abc import Sequence
from typing import Protocol

from desk_core.kit.errors import DeskError


class NamesUnavailable(DeskError):
    """The name servers did not answer (a timeout, SERVFAIL): nothing is known, neither that a name exists nor that it does not."""

    code, status = "names_unavailable", 503


class Resolver(Protocol):
    """Blocking: call it in a thread. A name that does not exist has no records; raises `NamesUnavailable` where nobody answered."""

    def texts(self, name: str) -> Sequence[bytes]:
        """TXT records, the strings of each joined."""
        ...

    def mail_servers(self, name: str) -> Sequence[tuple[int, str]]:
        """MX records: (preference, host), best first."""
        ...

    def addresses(self, name: str) -> Sequence[str]:
        """IPv4 and IPv6 addresses."""
        ...

    def names(self, address: str) -> Sequence[str]:
        """The names an address claims (PTR)."""
        ...


class DnsResolver:
    """The name servers of this machine."""

    def __init__(self, *, timeout: float = 5.0) -> None:
        self._timeout = timeout

    def texts(self, name: str) -> Sequence[bytes]:
        return [b"".join(record.strings) for record in self._ask(name, "TXT")]

    def mail_servers(self, name: str) -> Sequence[tuple[int, str]]:
        return sorted((record.preference, str(record.exchange).rstrip(".")) for record in self._ask(name, "MX"))

    def addresses(self, name: str) -> Sequence[str]:
        return [record.address for kind in ("A", "AAAA") for record in self._ask(name, kind)]

    def names(self, address: str) -> Sequence[str]:
        import dns.reversename

        return [str(record.target).rstrip(".") for record in self._ask(dns.reversename.from_address(address).to_text(), "PTR")]

    def _ask(self, name: str, kind: str) -> list:  # type: ignore[type-arg]  # rdata classes are made per kind
        import dns.exception
        import dns.resolver

        try:
            return list(dns.resolver.resolve(name, kind, lifetime=self._timeout))
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
            return []
        except (dns.exception.DNSException, OSError) as error:
            raise NamesUnavailable(name=name, reason=type(error).__name__) from error
