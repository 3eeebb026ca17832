"""Deployment settings: read once, in `bootstrap`, from the environment or a `.env` file (DESIGN.md section 8, docs/interface.md)."""

import contextlib
import os
import secrets
import sys
import tempfile
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from desk_core.kit.errors import DeskError, Invalid
from desk_core.kit.i18n import gettext_noop as _

PREFIX, NESTED = "PRIYOM_", "__"
# As people have these addresses from elsewhere.
_DRIVERS = {"postgres": "postgresql+asyncpg", "postgresql": "postgresql+asyncpg", "sqlite": "sqlite+aiosqlite"}


class HomeUnusable(DeskError):
    code, status, text = "home_unusable", 500, _("The data folder cannot be used. Name another one by PRIYOM_HOME, or see to its rights.")


def _page(url: str) -> str:
    if url and (urlsplit(url).scheme not in {"http", "https"} or not urlsplit(url).hostname):
        raise ValueError(_("an address is expected that begins with http:// or https://"))
    return url


def _networks(listed: str) -> str:
    if listed:
        from channels.email.peers import networks

        try:
            networks(listed)
        except ValueError as error:
            raise ValueError(_("addresses or networks are expected, as in 10.0.0.5, 192.168.0.0/16")) from error
    return listed


def _proxies(listed: str) -> str:
    """The same, or `*`: whoever calls."""
    _networks(",".join(part for part in listed.split(",") if part.strip() != "*"))
    return listed


def _store(url: SecretStr) -> SecretStr:
    given = url.get_secret_value()
    scheme, separator, rest = given.partition("://")
    if not given:
        return url
    driver = _DRIVERS.get(scheme, scheme)
    if not separator or driver not in _DRIVERS.values():
        raise ValueError(_("sqlite+aiosqlite:///path or postgresql+asyncpg://user:password@host/name is expected"))
    return SecretStr(f"{driver}://{rest.replace('sslmode=', 'ssl=')}")


def _wake_ups(url: SecretStr) -> SecretStr:
    given = url.get_secret_value()
    if given and urlsplit(given).scheme not in {"redis", "rediss", "unix"}:
        raise ValueError(_("redis://host:port/0 is expected"))
    return url


def _relays(urls: SecretStr) -> SecretStr:
    if given := urls.get_secret_value():
        from channels.email.relay_address import Relay

        try:
            Relay.several(given)
        except Invalid as error:
            raise ValueError(_("smtp://, smtps:// or smtp+starttls://host:port is expected")) from error
    return urls


class Http(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    host: str = Field("127.0.0.1", description="Address the web server listens on.")
    port: int = Field(8080, ge=0, le=65535, description="Its port; the default moves on when it is taken, a given one is used or refused.")
    public_url: Annotated[str, AfterValidator(_page)] = Field(
        "", description="Base of every link given to people; empty: http://127.0.0.1:<port>."
    )
    trusted_proxies: Annotated[str, AfterValidator(_proxies)] = Field(
        "", description="Comma-separated addresses whose X-Forwarded-* headers are believed."
    )


class Smtp(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    host: str = Field("127.0.0.1", description="Address the mail listener binds to.")
    port: int = Field(2525, ge=0, le=65535, description="Its port; the default moves on when it is taken.")
    max_size_mb: int = Field(25, ge=1, description="Largest mail accepted, in megabytes; larger ones are refused with 552.")
    lmtp_port: int = Field(0, ge=0, le=65535, description="A port for LMTP, from a mail server on the same network; 0: none.")
    tls_cert: Path | None = Field(None, description="Certificate chain (PEM) that the listener offers STARTTLS with; empty: no TLS.")
    tls_key: Path | None = Field(None, description="Its private key (PEM), where it is not in the same file.")
    trusted_peers: Annotated[str, AfterValidator(_networks)] = Field(
        "", description="Comma-separated networks of own servers, which may tell by PROXY or XCLIENT whom they speak for."
    )
    proxy_protocol: bool = Field(False, description="1 where trusted peers begin every connection with a PROXY header (HAProxy).")
    peer_connections: int = Field(50, ge=0, description="Connections of one address at once; 0 switches the limit off.")
    peer_mails_per_minute: int = Field(0, ge=0, description="Mails of one address within a minute; 0 switches the limit off.")


class SmtpOut(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    url: Annotated[SecretStr, AfterValidator(_relays)] = Field(
        SecretStr(""),
        description="Relay: smtp://, smtps:// or smtp+starttls://user:password@host:port; empty: the mail sandbox keeps it. "
        "Several, separated by commas: the next one where one cannot be reached.",
    )
    domain_per_minute: int = Field(
        0,
        ge=0,
        description="Mails to one domain within a minute, of all processes where Redis is configured; others wait. 0: no limit.",
    )


class MailTrust(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    verify: bool = Field(
        False, description="1 checks senders of mail by SPF, DKIM, DMARC and ARC where no trusted server has; needs a public name server."
    )


class Store(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    url: Annotated[SecretStr, AfterValidator(_store)] = Field(
        SecretStr(""), description="sqlite+aiosqlite:///path or postgresql+asyncpg://...; empty: a file in the home."
    )
    pool_size: int = Field(10, ge=1, le=100, description="Connections per process on PostgreSQL.")


class Redis(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    url: Annotated[SecretStr, AfterValidator(_wake_ups)] = Field(
        SecretStr(""), description="redis://host:port/0; empty: wake-ups and limits stay inside the process."
    )


class Limits(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    webform_per_hour: int = Field(20, ge=0, description="Requests by form per address and hour; 0 switches the limit off.")
    webform_per_day: int = Field(240, ge=0, description="Requests by form per address and day; 0 switches the limit off.")
    telegram_per_minute: int = Field(30, ge=0, description="Telegram messages per person and minute; 0 switches the limit off.")
    telegram_mb_per_day: int = Field(200, ge=0, description="Files kept per person and 24 hours from Telegram, in megabytes; 0: no limit.")
    telegram_out_per_second: int = Field(
        30, ge=0, description="Messages a bot sends per second over all its chats; 0 for a Bot API server without limits of its own."
    )
    mail_per_hour: int = Field(60, ge=0, description="Mails per sender and hour that get an automatic answer; 0 switches the limit off.")
    attachment_mb: int = Field(20, ge=1, description="Largest single attachment kept, in megabytes.")
    upload_mb: int = Field(100, ge=1, description="Files of one upload by the link that the bot gives for what is too large, in megabytes.")
    mail_out_mb: int = Field(
        15, ge=0, description="Files of one letter in megabytes; what exceeds it is offered by links that are valid for 14 days."
    )


class Log(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    level: Literal["debug", "info", "warning", "error"] = Field("info", description="Least severe record written.")
    format: Literal["text", "json", ""] = Field("", description="text or json; empty: text on a terminal, else json. Always to stderr.")


class Work(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    concurrency: int = Field(8, ge=1, le=256, description="Lanes worked on at once by one worker process.")
    undo_mail_seconds: int = Field(
        10, ge=0, le=300, description="How long an operator's answer by mail can be taken back before it leaves."
    )
    undo_chat_seconds: int = Field(0, ge=0, le=300, description="The same for answers in chats and on the status page.")
    burst_seconds: float = Field(2.0, ge=0, le=10, description="How long the bot waits for more of one Telegram burst; 0 answers at once.")

    def undo_window(self) -> dict[str, timedelta]:
        """How long answers wait, by channel."""
        chat = timedelta(seconds=self.undo_chat_seconds)
        return {"telegram": chat, "webform": chat, "api": chat, "email": timedelta(seconds=self.undo_mail_seconds)}


class Settings(BaseSettings):
    """All deployment settings, frozen. Nested names use two underscores: PRIYOM_HTTP__PORT."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_nested_delimiter=NESTED, env_file=".env", env_file_encoding="utf-8", extra="ignore", frozen=True
    )

    home: Path = Field(Path("var"), description="Data folder of the embedded desk.")
    secret_key: SecretStr = Field(
        SecretStr(""), description="Signs links and encrypts secrets; empty on the embedded default: generated into the home."
    )
    sandbox: bool = Field(False, description="1 offers the Telegram and mail sandboxes; on after make run, otherwise off.")
    http: Http = Http()
    smtp: Smtp = Smtp()
    smtp_out: SmtpOut = SmtpOut()
    mail_trust: MailTrust = MailTrust()
    database: Store = Store()
    redis: Redis = Redis()
    limits: Limits = Limits()
    log: Log = Log()
    work: Work = Work()

    @property
    def database_url(self) -> str:
        """The store's URL; by default a SQLite file in the home."""
        return self.database.url.get_secret_value() or f"sqlite+aiosqlite:///{(self.home / 'desk.sqlite3').resolve()}"

    @property
    def embedded(self) -> bool:
        return self.database_url.startswith("sqlite")

    @property
    def log_format(self) -> str:
        return self.log.format or ("text" if sys.stderr.isatty() else "json")

    def key(self) -> bytes:
        """The desk's secret key; on first use of the embedded default it is generated into the home, readable by its owner only."""
        given = self.secret_key.get_secret_value()
        if given:
            return given.encode()
        path = self.home / "secret.key"
        try:
            if not path.exists():
                self._make_key(path)
            return path.read_text().strip().encode()
        except OSError as error:
            raise HomeUnusable(home=str(self.home), error=error.strerror) from error

    def _make_key(self, path: Path) -> None:
        self.home.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", dir=self.home) as fresh:
            fresh.write(secrets.token_urlsafe(48))
            fresh.flush()
            # A hard link appears whole or not at all, so two processes starting at once agree on one key.
            with contextlib.suppress(FileExistsError):
                os.link(fresh.name, path)
