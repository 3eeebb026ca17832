"""Inboxes as adapters: which channel class stands behind a row, with its secrets opened."""

import functools
import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from desk_core.catalogue.desk import DeskConfig
from desk_core.conversations import repository as conversations
from desk_core.conversations.entities import Inbox
from desk_core.conversations.ports import Ability, Blobs, Channel, ChannelKind
from desk_core.kit.clock import Clock
from desk_core.kit.db import Database, UnitOfWork
from desk_core.kit.errors import DeskError, Invalid, NotFound
from desk_core.kit.i18n import LANGUAGES, Phrase
from desk_core.kit.i18n import gettext_noop as _
from desk_core.kit.ids import new_id
from gateway import mail_inboxes
from gateway.secret_box import SecretBox
from gateway.settings import Settings

if TYPE_CHECKING:
    from channels.email.examining import Examiner
    from channels.email.imap_account import Account
    from channels.email.imap_oauth import AccessTokens
    from channels.email.signing import Signer
    from channels.email.smtp_out import Sender
    from channels.telegram.channel import OnName
    from channels.telegram.pace import Pace

OnStatus = Callable[[str | None], None]
KeepSecret = Callable[[str, str], Awaitable[None]]


HOOK = ("hook_path", "hook_secret")
PROXY_SCHEMES = ("http", "https", "socks5", "socks5h", "socks4")
BOT_ADDRESSES = {"api_url": ("http", "https"), "webhook_url": ("http", "https"), "proxy": PROXY_SCHEMES}
MASK = "***"


class InboxExists(DeskError):
    code, status, text = "inbox_exists", 409, _("There is an inbox of this name already.")


def abilities(channel: str) -> frozenset[Ability]:
    """What the adapters of this kind of channel can do with what was sent, for pages that have no adapter at hand."""
    if channel != ChannelKind.TELEGRAM:
        return frozenset()
    from channels.telegram.channel import TelegramChannel

    return TelegramChannel.abilities


async def abilities_of(session: AsyncSession, inbox_id: str) -> frozenset[Ability]:
    """The same by the id of an inbox."""
    inbox = await session.get(Inbox, inbox_id)
    return abilities(inbox.channel) if inbox is not None else frozenset()


async def own_addresses(database: Database, inbox: Inbox) -> tuple[str, ...]:
    """All mail addresses of the desk, for the adapter of a mail inbox; others need none."""
    if inbox.channel != ChannelKind.EMAIL:
        return ()
    async with database.glance() as session:
        return await conversations.own_addresses(session)


async def by_name(uow: UnitOfWork, name: str) -> Inbox:
    """Raises `NotFound`."""
    inbox: Inbox | None = await uow.scalar(select(Inbox).where(Inbox.name == name))
    if inbox is None:
        raise NotFound(inbox=name)
    return inbox


async def add(
    uow: UnitOfWork,
    *,
    name: str,
    channel: ChannelKind,
    address: str,
    language: str,
    config: dict[str, Any],
    sealed: str | None,
    clock: Clock,
) -> Inbox:
    """A new inbox; raises `InboxExists`, `AddressTaken`, or `Invalid` for a name that cannot stand in an address."""
    if not name or not all(letter.isalnum() or letter in "-_" for letter in name) or len(name) > 60:
        raise Invalid(reason=_("a name of letters, digits, - and _"))
    if await uow.scalar(select(Inbox.id).where(Inbox.name == name)):
        raise InboxExists(name=name)
    if channel is ChannelKind.EMAIL:
        mail_inboxes.require_free(address, await mail_inboxes.all_others(uow))
    inbox = Inbox(
        id=new_id(), name=name, channel=channel.value, address=address, language=language, state="active", config=config, secrets=sealed,
        last_received_at=None, last_success_at=None, last_error=None, created_at=clock.now(), version=1,
    )  # fmt: skip
    uow.add(inbox)
    await uow.flush()
    if channel is ChannelKind.EMAIL:
        await mail_inboxes.tell_the_others(uow, inbox)
    return inbox


@dataclass(frozen=True, slots=True)
class BotOptions:
    """How a bot is connected, as it is given; what is None stays as it was, and an empty address ends its use (no webhook: polling)."""

    token: str | None = None
    api_url: str | None = None
    webhook_url: str | None = None
    proxy: str | None = None
    max_connections: int | None = None
    only_telegram: bool | None = None
    groups: bool | None = None
    local: bool | None = None  # the Bot API server is one of our own

    def over(self, config: Mapping[str, Any], hidden: Mapping[str, str]) -> tuple[dict[str, Any], dict[str, str]]:
        """(public config, secrets) with these options laid over; raises `Invalid`.

        A webhook keeps its random path and its secret for as long as it lasts; the next one gets others. An address with a password
        is a secret as a whole, also one that was stored openly before.
        """
        addresses = {**config, **hidden}
        public, secret = ({name: value for name, value in kept.items() if name not in BOT_ADDRESSES} for kept in (config, hidden))
        if self.token is not None:
            head, _colon, tail = self.token.strip().partition(":")
            if not head.isdigit() or len(tail) < 20:
                raise Invalid(reason=_("a bot token looks like 123456789:AbC..."))
            if head != public.get("bot"):
                public.pop("username", None)  # it is asked for again
            public["bot"], secret["token"] = head, self.token.strip()
        for name, schemes in BOT_ADDRESSES.items():
            given, known = getattr(self, name), str(addresses.get(name) or "")
            # What a form showed comes back as it was shown.
            value = known if given is None or (known and given == masked(known)) else given
            if not value:
                continue
            if value != known:
                _require_address(name, value, schemes)
            (secret if has_credentials(value) else public)[name] = value
        if self.max_connections is not None:
            if not 1 <= self.max_connections <= 100:
                raise Invalid(reason=_("Telegram keeps 1 to 100 connections to a webhook"))
            public["max_connections"] = self.max_connections
        for name in ("only_telegram", "groups", "local"):
            switched = getattr(self, name)
            if switched or (switched is not None and name in public):  # what was never on need not be said to be off
                public[name] = switched
        if not (public.get("api_url") or secret.get("api_url")) and public.get("local"):
            if self.local:
                raise Invalid(reason=_("A local Bot API server needs its address."))
            del public["local"]  # its server went with its address
        if not (public.get("webhook_url") or secret.get("webhook_url")):
            return public, {name: value for name, value in secret.items() if name not in HOOK}
        if "hook_secret" not in secret:
            secret |= {"hook_path": secrets.token_urlsafe(24), "hook_secret": secrets.token_urlsafe(32)}
        return public, secret


def new_bot(box: SecretBox, options: BotOptions) -> tuple[dict[str, Any], str]:
    """(public config, sealed secrets) of a bot that is connected for the first time; raises `Invalid`."""
    public, hidden = options.over({}, {})
    return public, box.seal(hidden)


async def set_bot(uow: UnitOfWork, inbox: Inbox, options: BotOptions, *, box: SecretBox) -> list[str]:
    """Change how a bot is connected; the answer names what changed, never a value. A running desk follows within seconds, losing nothing:
    what Telegram holds is kept over the change, and an update that comes by both ways is stored once."""
    if inbox.channel != ChannelKind.TELEGRAM:
        raise Invalid(reason=_("this is no Telegram inbox"))
    hidden = box.open(inbox.secrets)
    config, secret = options.over(inbox.config, hidden)
    before, after = {**inbox.config, **hidden}, {**config, **secret}
    changed = sorted(name for name in {*before, *after} - {*HOOK, "username"} if before.get(name) != after.get(name))
    if changed or config != inbox.config:
        if "bot" in before and before["bot"] != after["bot"]:
            inbox.address = f"bot {after['bot']}"
        inbox.config, inbox.secrets = config, box.seal(secret)
        inbox.version += 1
    return changed


def bot_address(inbox: Inbox, hidden: Mapping[str, str], name: str) -> str | None:
    """One of `BOT_ADDRESSES` of a bot, from wherever it is kept."""
    value: str | None = hidden.get(name) or inbox.config.get(name)
    return value


def has_credentials(address: str) -> bool:
    return "@" in urlsplit(address).netloc


def masked(address: str) -> str:
    """An address as pages and lists show it: without the user and the password before its host."""
    if not has_credentials(address):
        return address
    parts = urlsplit(address)
    return parts._replace(netloc=f"{MASK}@{parts.netloc.rpartition('@')[2]}").geturl()


def _require_address(name: str, text: str, schemes: Sequence[str]) -> None:
    """Raises `Invalid`, whose words do not quote it: it may hold a password."""
    refusal = Phrase(_("%(address)s is no address that begins with one of: %(schemes)s"), address=name, schemes=", ".join(schemes))
    try:
        parts = urlsplit(text)
        if parts.scheme not in schemes or not parts.hostname or parts.port == 0:
            raise Invalid(reason=refusal)
    except ValueError:
        raise Invalid(reason=refusal) from None  # its words quote the address
    if name == "webhook_url" and has_credentials(text):
        raise Invalid(reason=_("The address of the webhook takes no password: it has a secret of its own."))
    if parts.netloc.startswith(f"{MASK}@"):
        # A password is never sent to another server than it was given for.
        raise Invalid(reason=_("Please give the whole address, with its user and password."))


SIGNED_BY = ("operator", "team")


def set_manner(inbox: Inbox, *, language: str | None = None, signed_by: str | None = None) -> list[str]:
    """The language of an inbox's first words, and whose name stands under answers; None leaves it. The answer names what changed."""
    changed = []
    if signed_by is not None:
        if signed_by not in SIGNED_BY:
            raise Invalid(reason=_("This is none of the choices."))
        if inbox.config.get("signed_by") != signed_by:
            inbox.config = {**inbox.config, "signed_by": signed_by}
            changed.append("signed_by")
    if language is not None:
        if language not in LANGUAGES:
            raise Invalid(reason=_("This is none of the choices."))
        if inbox.language != language:
            inbox.language = language
            changed.append("language")
    if changed:
        inbox.version += 1
    return changed


async def keep_username(database: Database, inbox_id: str, username: str) -> None:
    """What the bot is called, as Telegram told it: mentions are known by it. Nothing has to be built anew for it."""
    async with database.unit() as uow:
        inbox = await uow.scalar(select(Inbox).where(Inbox.id == inbox_id).with_for_update())
        if inbox is not None and inbox.config.get("username") != username:
            config = {**inbox.config, "username": username}
            await uow.execute(update(Inbox).where(Inbox.id == inbox_id).values(config=config).execution_options(synchronize_session=False))


async def keep_secret(database: Database, box: SecretBox, inbox_id: str, name: str, value: str) -> None:
    """One secret was replaced by the far side (a refresh token); the adapter goes on with it and is not built anew."""
    async with database.unit() as uow:
        inbox = await uow.session.get_one(Inbox, inbox_id)
        sealed = box.seal({**box.open(inbox.secrets), name: value})
        await uow.execute(update(Inbox).where(Inbox.id == inbox_id).values(secrets=sealed))


def access_tokens(account: "Account | None", database: Database, box: SecretBox, inbox_id: str | None) -> "AccessTokens | None":
    """Where a mailbox without a password gets its tokens; a replaced refresh token is kept for the inbox that is stored."""
    if account is None or account.oauth is None:
        return None
    from channels.email.imap_oauth import AccessTokens

    keep = functools.partial(keep_secret, database, box, inbox_id, "oauth_refresh_token") if inbox_id is not None else None
    return AccessTokens(account.oauth, keep=keep)


def build(
    inbox: Inbox,
    settings: Settings,
    *,
    box: SecretBox,
    key: bytes,
    config: DeskConfig,
    blobs: Blobs,
    clock: Clock,
    on_status: OnStatus,
    on_name: "OnName | None" = None,
    own_addresses: Sequence[str] = (),
    examiner: "Examiner | None" = None,
    signer: "Signer | None" = None,
    mail_sender: "Callable[[str], Sender]",
    keep_secret: KeepSecret | None = None,
    telegram_pace: "Callable[[str], Pace]",
) -> Channel:
    """The adapter of an inbox. Heavy libraries are imported here, by need: a desk without Telegram never loads it."""
    hidden = box.open(inbox.secrets)
    match ChannelKind(inbox.channel):
        case ChannelKind.TELEGRAM:
            from channels.telegram.channel import MAX_CONNECTIONS, TelegramChannel
            from channels.telegram.profile import Profile

            base = bot_address(inbox, hidden, "webhook_url")
            return TelegramChannel(
                inbox.id,
                hidden["token"],
                blobs=blobs,
                clock=clock,
                api_url=_bot_api(inbox, hidden, settings),
                webhook_url=f"{base.rstrip('/')}/hooks/telegram/{hidden['hook_path']}" if base else None,
                webhook_secret=hidden.get("hook_secret"),
                max_connections=inbox.config.get("max_connections", MAX_CONNECTIONS),
                only_telegram=bool(inbox.config.get("only_telegram")),
                proxy=bot_address(inbox, hidden, "proxy"),
                burst_seconds=settings.work.burst_seconds,
                pace=telegram_pace(inbox.id),
                profile=Profile(config.organisation, config.languages, inbox.language),
                on_status=on_status,
                on_name=on_name,
                local=bool(inbox.config.get("local")),
            )
        case ChannelKind.EMAIL:
            from gateway.mail import build_mail

            return build_mail(
                inbox,
                settings,
                account=mail_inboxes.mail_account(inbox.config, hidden),
                key=key,
                organisation=config.organisation,
                blobs=blobs,
                clock=clock,
                on_status=on_status,
                own_addresses=own_addresses,
                sender=mail_sender(hidden.get("smtp_url", "")),
                keep_secret=keep_secret,
                examiner=examiner,
                signer=signer,
            )
        case ChannelKind.WEBFORM | ChannelKind.API:
            from channels.webform.channel import WebformChannel

            return WebformChannel(inbox.id)


def _bot_api(inbox: Inbox, hidden: Mapping[str, str], settings: Settings) -> str | None:
    """The Bot API server of a bot: Telegram's own, another base, or the sandbox of this very process on whatever port it got."""
    if inbox.config.get("sandbox"):
        return f"http://127.0.0.1:{settings.http.port}/sandbox/bot-api"
    return bot_address(inbox, hidden, "api_url")


def shown(inbox: Inbox, settings: Settings) -> dict[str, Any]:
    """An inbox as lists show it: no secret in it."""
    urls = {
        ChannelKind.WEBFORM: f"{settings.http.public_url}/f/{inbox.name}",
        ChannelKind.EMAIL: f"mailto:{inbox.address}",
        ChannelKind.TELEGRAM: inbox.config.get("webhook_url") or inbox.config.get("api_url") or "",
    }
    url = masked(urls.get(ChannelKind(inbox.channel), ""))
    return {
        "name": inbox.name,
        "channel": inbox.channel,
        "address": inbox.address,
        "aliases": list(inbox.addresses[1:]),
        "url": urlsplit(url)._replace(query="").geturl() if url else "",
        "state": inbox.state,
        "last_received_at": inbox.last_received_at.isoformat() if inbox.last_received_at else None,
        "last_error": inbox.last_error,
    }
