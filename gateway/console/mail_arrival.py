"""How mail of an inbox gets here without being fetched, and which rules send its requests to a team. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit

from desk_core.catalogue.desk import DeskConfig, pick
from desk_core.conversations.addresses import ascii_domain
from desk_core.routing.rules import Field
from gateway.settings import Settings

SMTP_PORT = 25


@dataclass(frozen=True, slots=True)
class Arrival:
    """The desk's own listener, and lines that point mail to it. `host` is how other machines call this one, as far as is known."""

    listens: str
    host: str
    port: int
    lmtp_port: int
    tls: bool
    is_local: bool
    addresses: Sequence[str]

    @classmethod
    def of(cls, settings: Settings, *addresses: str) -> "Arrival":
        smtp, name = settings.smtp, urlsplit(settings.http.public_url).hostname or ""
        host = "mail.example.org" if not name or _is_local(name) else name
        bound = f"[{smtp.host}]" if ":" in smtp.host else smtp.host
        return cls(f"{bound}:{smtp.port}", host, smtp.port, smtp.lmtp_port, smtp.tls_cert is not None, _is_local(smtp.host), addresses)

    @property
    def mx(self) -> Sequence[str]:
        """The record of each domain; other servers only ever come to port 25."""
        domains = dict.fromkeys(ascii_domain(address.rpartition("@")[2]) for address in self.addresses)
        return [f"{domain}. IN MX 10 {self.host}." for domain in domains]

    @property
    def transport(self) -> Sequence[str]:
        """Lines of Postfix's transport table, for a mail server that hands the addresses on."""
        host = "127.0.0.1" if self.is_local else self.host
        way = f"lmtp:inet:{host}:{self.lmtp_port}" if self.lmtp_port else f"smtp:[{host}]:{self.port}"
        return [f"{address} {way}" for address in self.addresses]

    @property
    def takes_mx(self) -> bool:
        return self.port == SMTP_PORT and not self.is_local


def _is_local(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def teams_by_rule(config: DeskConfig, inbox: str, language: str) -> Sequence[tuple[str, str]]:
    """(rule, team) for every rule that looks at this inbox, in the order in which they are asked."""
    found = []
    for rule in config.rules:
        named = any(
            one.field == Field.INBOX and inbox in (one.value if isinstance(one.value, tuple) else (one.value,)) for one in rule.conditions
        )
        team = config.teams.get(rule.actions.team or "")
        if rule.enabled and named and team is not None:
            found.append((rule.name if isinstance(rule.name, str) else pick(rule.name, language), pick(team.titles, language)))
    return found
