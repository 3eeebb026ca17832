"""A mailbox that is fetched: where it is, who logs in, which folders, and what becomes of a message once it is stored. Pure."""

import contextlib
import ipaddress
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from urllib.parse import quote, unquote, urlsplit

from desk_core.kit.errors import Invalid
from desk_core.kit.i18n import gettext_noop as _

INBOX = "INBOX"
_HOST = re.compile(r"[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?)*\.?")


class Security(StrEnum):
    """How the connection is protected; the values are the schemes of addresses."""

    TLS = "imaps"
    STARTTLS = "imap+starttls"
    NONE = "imap"


PORTS = {Security.TLS: 993, Security.STARTTLS: 143, Security.NONE: 143}


class Fate(StrEnum):
    SEEN = "seen"
    MOVE = "move"
    DELETE = "delete"


@dataclass(frozen=True, slots=True)
class After:
    """What is done with a message after the commit; written `seen`, `delete` or `move:FOLDER`."""

    fate: Fate = Fate.SEEN
    folder: str = ""

    @classmethod
    def of(cls, text: str) -> "After":
        """Raises `Invalid` for anything else."""
        fate, _colon, folder = text.strip().partition(":")
        folder = folder.strip()
        if fate not in set(Fate) or bool(folder) != (fate == Fate.MOVE):
            raise Invalid(reason=_("what is done with fetched mail is seen, delete or move:FOLDER"))
        return cls(Fate(fate), folder)

    def __str__(self) -> str:
        return f"{self.fate}:{self.folder}" if self.folder else str(self.fate)


@dataclass(frozen=True, slots=True)
class OAuth:
    """How access tokens are got (RFC 6749, section 6): a refresh token, given once by a person, is exchanged at `token_url`."""

    token_url: str
    client_id: str
    client_secret: str = field(repr=False)
    refresh_token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Account:
    """A mailbox, read from `imaps://user:password@host[:port][/folder]`, `imap+starttls://...` or `imap://...`.

    `folder` is watched; `others` are looked into now and then. With `oauth` there is no password.
    """

    host: str
    port: int
    security: Security
    user: str
    password: str = field(repr=False)
    folder: str = INBOX
    others: tuple[str, ...] = ()
    after: After = After()
    oauth: OAuth | None = None

    @classmethod
    def of(cls, url: str, *, folders: Sequence[str] = (), after: str = "", oauth: OAuth | None = None) -> "Account":
        """Raises `Invalid` for what is no mailbox; the words name no password. INBOX is watched where it is among the folders."""
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError as error:
            raise Invalid(reason=_("not an IMAP address")) from error
        if parts.scheme not in set(Security) or not parts.hostname or not parts.username:
            raise Invalid(reason="imaps://user:password@host")
        named = (unquote(parts.path.strip("/")), *(folder.strip() for folder in folders))
        wanted = tuple(dict.fromkeys(INBOX if name.upper() == INBOX else name for name in named if name)) or (INBOX,)
        first = INBOX if INBOX in wanted else wanted[0]
        then = After.of(after) if after else After()
        if then.folder in wanted:
            raise Invalid(reason=_("mail cannot be moved into a folder that is fetched itself"))
        security = Security(parts.scheme)
        return cls(
            host=parts.hostname,
            port=port or PORTS[security],
            security=security,
            user=unquote(parts.username),
            password=unquote(parts.password or ""),
            folder=first,
            others=tuple(name for name in wanted if name != first),
            after=then,
            oauth=oauth,
        )

    @property
    def folders(self) -> tuple[str, ...]:
        return (self.folder, *self.others)


def is_host(name: str) -> bool:
    """Whether something can be the name or the number of a server at all."""
    with contextlib.suppress(ValueError):
        return bool(ipaddress.ip_address(name))
    try:
        return _HOST.fullmatch(name.encode("idna").decode().lower()) is not None
    except UnicodeError:
        return False


def is_port(text: str) -> bool:
    """Whether it is a number that a server may listen on."""
    return text.isascii() and text.isdigit() and 0 < int(text[:6]) < 65536


def url_of(*, security: Security, host: str, port: int, user: str, password: str) -> str:
    """The address that `Account.of` reads back; a secret, where there is a password."""
    secret = f":{quote(password, safe='')}" if password else ""
    return f"{security}://{quote(user, safe='')}{secret}@{f'[{host}]' if ':' in host else host}:{port}"


@dataclass(frozen=True, slots=True)
class Provider:
    """A mail service many use: its servers, and where it gives out passwords for programs, which it wants instead of the person's own.

    `smtp` takes mail by TLS, or by STARTTLS at the port of submission where it `submits`.
    """

    host: str
    passwords: str = ""
    smtp: str = ""
    submits: bool = False
    security: Security = Security.TLS

    @property
    def port(self) -> int:
        return PORTS[self.security]


_GOOGLE = Provider("imap.gmail.com", "https://myaccount.google.com/apppasswords", "smtp.gmail.com")
_YANDEX = Provider("imap.yandex.ru", "https://id.yandex.ru/security/app-passwords", "smtp.yandex.ru")
_MAIL_RU = Provider("imap.mail.ru", "https://account.mail.ru/user/2-step-auth/passwords", "smtp.mail.ru")
_MICROSOFT = Provider("outlook.office365.com", smtp="smtp.office365.com", submits=True)
_PROVIDERS = {
    **dict.fromkeys(("gmail.com", "googlemail.com"), _GOOGLE),
    **dict.fromkeys(("yandex.ru", "ya.ru", "yandex.com", "yandex.by", "yandex.kz"), _YANDEX),
    **dict.fromkeys(("mail.ru", "bk.ru", "inbox.ru", "list.ru", "internet.ru"), _MAIL_RU),
    **dict.fromkeys(("outlook.com", "hotmail.com", "live.com", "msn.com"), _MICROSOFT),
    "icloud.com": Provider("imap.mail.me.com", "https://account.apple.com", "smtp.mail.me.com", submits=True),
    "rambler.ru": Provider("imap.rambler.ru", smtp="smtp.rambler.ru"),
}
_BY_HOST = {host: provider for provider in _PROVIDERS.values() for host in (provider.host, provider.smtp)}


def guess(address: str) -> Provider:
    """The server an address most likely has: the service's own, otherwise `imap.<domain>`."""
    domain = address.rpartition("@")[2].strip().lower()
    return _PROVIDERS.get(domain) or Provider(f"imap.{domain}" if domain else "")


def provider_at(host: str) -> Provider | None:
    """The known service behind a server, whatever domain the address has."""
    return _BY_HOST.get(host.lower())
