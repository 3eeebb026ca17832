"""A relay: where mail is handed over, how the connection is protected, who logs in. Pure."""

from dataclasses import dataclass, field
from enum import StrEnum
from urllib.parse import quote, unquote, urlsplit

from channels.email.imap_account import guess
from desk_core.kit.errors import Invalid
from desk_core.kit.i18n import gettext_noop as _


class Protection(StrEnum):
    """How the connection is protected; the values are the schemes of addresses."""

    TLS = "smtps"
    STARTTLS = "smtp+starttls"
    NONE = "smtp"


PORTS = {Protection.TLS: 465, Protection.STARTTLS: 587, Protection.NONE: 25}


@dataclass(frozen=True, slots=True)
class Relay:
    """A relay's address, read from `smtp://`, `smtps://` or `smtp+starttls://user:password@host:port`."""

    host: str
    port: int
    tls: bool = False
    starttls: bool = False
    user: str | None = None
    password: str | None = field(default=None, repr=False)

    @classmethod
    def of(cls, url: str) -> "Relay":
        """Raises `Invalid` for anything else; the words name no password."""
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError as error:
            raise Invalid(reason=_("not an SMTP address")) from error
        if parts.scheme not in set(Protection) or not parts.hostname:
            raise Invalid(reason="smtp://, smtps:// or smtp+starttls://host:port")
        return cls(
            host=parts.hostname,
            port=port or PORTS[Protection(parts.scheme)],
            tls=parts.scheme == Protection.TLS,
            starttls=parts.scheme == Protection.STARTTLS,
            user=unquote(parts.username) if parts.username else None,
            password=unquote(parts.password) if parts.password else None,
        )

    @classmethod
    def several(cls, urls: str) -> "tuple[Relay, ...]":
        """Relays in order of preference, their addresses separated by commas (one in a password is written %2C)."""
        return tuple(cls.of(url.strip()) for url in urls.split(",") if url.strip())

    @property
    def protection(self) -> Protection:
        return Protection.TLS if self.tls else Protection.STARTTLS if self.starttls else Protection.NONE

    @property
    def url(self) -> str:
        """The address that `of` reads back; a secret, where there is a password."""
        secret = f":{quote(self.password, safe='')}" if self.password else ""
        user = f"{quote(self.user, safe='')}{secret}@" if self.user else ""
        return f"{self.protection}://{user}{f'[{self.host}]' if ':' in self.host else self.host}:{self.port}"

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


def guessed(address: str) -> Relay:
    """The relay an address most likely has, without its password: that of the service, otherwise `smtp.<domain>`."""
    provider = guess(address)
    host = provider.smtp or f"smtp.{address.rpartition('@')[2].strip().lower()}"
    return Relay(host, PORTS[Protection.STARTTLS if provider.submits else Protection.TLS], not provider.submits, provider.submits, address)
