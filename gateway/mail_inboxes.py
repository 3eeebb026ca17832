"""Mail inboxes as rows: how they are fetched, by which relays their letters go out, whose word they believe, what they do with letters."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from sqlalchemy import select, update

from desk_core.context import Context
from desk_core.conversations.addresses import one_spelling, spellings, without_plus
from desk_core.conversations.entities import Inbox
from desk_core.conversations.ports import ChannelKind
from desk_core.kit.db import UnitOfWork
from desk_core.kit.errors import DeskError, Invalid, NotFound
from desk_core.kit.i18n import Phrase
from desk_core.kit.i18n import gettext_noop as _
from desk_core.tickets import participants
from gateway.secret_box import SecretBox, SecretLost

if TYPE_CHECKING:
    from channels.email.imap_account import Account
    from channels.email.relay_address import Relay

OAUTH_PUBLIC = ("oauth_token_url", "oauth_client_id")
OAUTH_HIDDEN = ("oauth_client_secret", "oauth_refresh_token")


def mail_address(text: str) -> str:
    """The address of a mail inbox, in lower case; raises `Invalid`."""
    address = text.strip().lower()
    local, at, domain = address.rpartition("@")
    if not local or not at or not domain or "@" in local or any(letter.isspace() for letter in address):
        raise Invalid(reason=Phrase(_("%(address)s is not a mail address"), address=text))
    return address


class AddressTaken(DeskError):
    """Mail for an address goes to one inbox."""

    code, status, text = "address_taken", 409, _("Mail for %(address)s goes to the inbox “%(inbox)s” already.")


MOST_ALIASES = 50


@dataclass(frozen=True, slots=True)
class MailOptions:
    """How a mailbox is fetched and by which relays its letters go out, as it is given; what is None stays as it was.

    An address with a password ends the use of tokens; an empty one ends fetching. Without relays of its own the desk's are used.
    """

    imap_url: str | None = None
    imap_folders: tuple[str, ...] | None = None
    imap_after: str | None = None
    oauth_token_url: str | None = None
    oauth_client_id: str | None = None
    oauth_client_secret: str | None = None
    oauth_refresh_token: str | None = None
    smtp_url: str | None = None

    def over(self, config: Mapping[str, Any], hidden: Mapping[str, str]) -> tuple[dict[str, Any], dict[str, str]]:
        """(public config, secrets) with these options laid over; raises `Invalid` where they make no mailbox."""
        public, secret = dict(config), dict(hidden)
        if self.smtp_url is not None:
            secret.pop("smtp_url", None)
            if relays := _relays(self.smtp_url):
                secret["smtp_url"] = ",".join(relay.url for relay in relays)
        if self.imap_url == "":
            kept = {name: value for name, value in public.items() if name not in (*OAUTH_PUBLIC, "imap_folders", "imap_after")}
            return {**kept, "imap": False}, {name: value for name, value in secret.items() if name not in (*OAUTH_HIDDEN, "imap_url")}
        if self.imap_url is not None:
            secret["imap_url"] = self.imap_url
            if urlsplit(self.imap_url).password:
                public = {name: value for name, value in public.items() if name not in OAUTH_PUBLIC}
                secret = {name: value for name, value in secret.items() if name not in OAUTH_HIDDEN}
        public |= {name: value for name in OAUTH_PUBLIC if (value := getattr(self, name)) is not None}
        secret |= {name: value for name in OAUTH_HIDDEN if (value := getattr(self, name)) is not None}
        if self.imap_folders is not None:
            public["imap_folders"] = list(self.imap_folders)
        if self.imap_after is not None:
            public["imap_after"] = self.imap_after
        public["imap"] = mail_account(public, secret) is not None
        return public, secret


def mail_account(config: Mapping[str, Any], hidden: Mapping[str, str]) -> "Account | None":
    """The mailbox that an inbox fetches from; None where mail only comes to the listener. Raises `Invalid`."""
    from channels.email.imap_account import Account, OAuth

    given = {**{name: str(config.get(name, "")) for name in OAUTH_PUBLIC}, **{name: hidden.get(name, "") for name in OAUTH_HIDDEN}}
    parts = {name.removeprefix("oauth_"): value for name, value in given.items()}
    after, folders = str(config.get("imap_after", "")), config.get("imap_folders", ())
    if not hidden.get("imap_url"):
        if after or folders or any(given.values()):
            raise Invalid(reason=_("options of a mailbox need its address: --imap-url"))
        return None
    if any(given.values()):
        if not (parts["token_url"].startswith(("https://", "http://")) and parts["client_id"] and parts["refresh_token"]):
            raise Invalid(reason=_("XOAUTH2 needs the address of the authority (https://...), a client id and a refresh token"))
        return Account.of(hidden["imap_url"], folders=folders, after=after, oauth=OAuth(**parts))
    return Account.of(hidden["imap_url"], folders=folders, after=after)


def own_relays(hidden: Mapping[str, str]) -> "tuple[Relay, ...]":
    """The relays that an inbox has of its own, in order of preference."""
    return _relays(hidden.get("smtp_url", ""))


def _relays(urls: str) -> "tuple[Relay, ...]":
    """Raises `Invalid`."""
    if not urls.strip(" ,"):
        return ()
    from channels.email.relay_address import Relay

    return Relay.several(urls)


async def mail_inbox(uow: UnitOfWork, name: str) -> Inbox:
    """The mail inbox of this name, locked; raises `NotFound` and `Invalid`."""
    inbox: Inbox | None = await uow.scalar(select(Inbox).where(Inbox.name == name).with_for_update())
    if inbox is None:
        raise NotFound(inbox=name)
    if inbox.channel != ChannelKind.EMAIL:
        raise Invalid(reason=_("this is no mail inbox"))
    return inbox


async def set_trust(
    uow: UnitOfWork, name: str, *, authserv: Sequence[str] | None = None, sealers: Sequence[str] | None = None
) -> dict[str, list[str]]:
    """Whose word about senders a mail inbox believes; None leaves it as it is. Answers what holds now; raises `NotFound` and `Invalid`."""
    inbox = await mail_inbox(uow, name)
    given = {"trusted_authserv": authserv, "trusted_sealers": sealers}
    wanted = {key: sorted({one.strip().lower() for one in value}) for key, value in given.items() if value is not None}
    if any(inbox.config.get(key, []) != value for key, value in wanted.items()):
        inbox.config, inbox.version = {**inbox.config, **wanted}, inbox.version + 1
    return {key.removeprefix("trusted_"): list(inbox.config.get(key, ())) for key in given}


async def set_mail(uow: UnitOfWork, inbox: Inbox, options: MailOptions, *, box: SecretBox) -> list[str]:
    """Change how a mail inbox is fetched and sends; the answer names what changed, never a value. A running desk follows within seconds."""
    if inbox.channel != ChannelKind.EMAIL:
        raise Invalid(reason=_("this is no mail inbox"))
    hidden = _opened(inbox, box, anew=bool(options.imap_url))
    config, secret = options.over(inbox.config, hidden)
    before, after = {**inbox.config, **hidden}, {**config, **secret}
    changed = sorted(name for name in {*before, *after} if before.get(name) != after.get(name))
    if changed:
        inbox.config, inbox.secrets = config, box.seal(secret) if secret else None
        inbox.version += 1
    return changed


def _opened(inbox: Inbox, box: SecretBox, *, anew: bool) -> dict[str, str]:
    """Its secrets; none where they were sealed with a key that is lost and others are given `anew`. Raises `SecretLost`."""
    try:
        return box.open(inbox.secrets)
    except SecretLost:
        if not anew:
            raise
        return {}


HABITS = {"plus": True, "participants": False, "dkim": True}
"""What a mail inbox does unless it is told otherwise: answers come back to an address of their own (support+...@); people whom a requester
copies in are on the request; letters are signed where its domain has a key."""


def habits(config: Mapping[str, Any]) -> dict[str, bool]:
    """How a mail inbox goes about its letters."""
    return {name: bool(config.get(name, usual)) for name, usual in HABITS.items()}


def set_habits(inbox: Inbox, **wanted: bool | None) -> list[str]:
    """Change them; None leaves one as it is. The answer names what changed. Raises `Invalid` for an inbox of another channel."""
    if inbox.channel != ChannelKind.EMAIL:
        raise Invalid(reason=_("this is no mail inbox"))
    now = habits(inbox.config)
    changed = {name: value for name, value in wanted.items() if value is not None and now[name] != value}
    if changed:
        inbox.config, inbox.version = {**inbox.config, **changed}, inbox.version + 1
    return sorted(changed)


async def set_aliases(uow: UnitOfWork, ctx: Context, inbox: Inbox, wanted: Sequence[str]) -> list[str]:
    """All other addresses whose mail comes to this inbox; answers go out from its own. The answer names what changed.

    The first thing to be done to the inbox: it is read anew once nobody else gives out addresses. Raises `Invalid` for what is no
    address, or needs no saying, and `AddressTaken`.
    """
    if inbox.channel != ChannelKind.EMAIL:
        raise Invalid(reason=_("this is no mail inbox"))
    others = await all_others(uow, inbox)
    own, aliases = one_spelling(inbox.address), dict[str, str]()
    for address in map(mail_address, wanted):
        plain = one_spelling(address)
        if own in (plain, without_plus(plain)):
            raise Invalid(reason=Phrase(_("%(address)s comes here already: it is the inbox's own address"), address=address))
        require_free(address, others, plus=True)
        aliases.setdefault(plain, address)
    if len(aliases) > MOST_ALIASES:
        raise Invalid(reason=Phrase(_("an inbox has at most %(most)s aliases"), most=MOST_ALIASES))
    if list(aliases.values()) == list(inbox.addresses[1:]):
        return []
    inbox.config, inbox.version = {**inbox.config, "aliases": list(aliases.values())}, inbox.version + 1
    await tell_the_others(uow, inbox)
    await participants.turn_out_ours(uow, ctx, spellings(aliases.values()))
    return ["aliases"]


async def all_others(uow: UnitOfWork, inbox: Inbox | None = None) -> list[Inbox]:
    """The other mail inboxes, for whoever gives one an address or an alias: they wait here for each other, and see theirs afterwards."""
    await uow.execute(select(Inbox.id).order_by(Inbox.id).with_for_update(key_share=True))
    if inbox is not None:
        await uow.session.refresh(inbox)
    found = await uow.scalars(select(Inbox).where(Inbox.channel == ChannelKind.EMAIL.value).order_by(Inbox.name))
    return [one for one in found if one is not inbox]


def require_free(address: str, others: Sequence[Inbox], *, plus: bool = False) -> None:
    """Raises `AddressTaken` where one of the others has this address or alias; with `plus`, or has it without its plus."""
    plain = one_spelling(address)
    for inbox in others:
        theirs = {one_spelling(one) for one in inbox.addresses}
        if plain in theirs or (plus and without_plus(plain) in theirs):
            raise AddressTaken(address=address, inbox=inbox.name)


async def tell_the_others(uow: UnitOfWork, inbox: Inbox) -> None:
    """The desk has other addresses now: adapters are built anew when their inbox changes."""
    others = update(Inbox).where(Inbox.channel == ChannelKind.EMAIL.value, Inbox.id != inbox.id)
    await uow.execute(others.values(version=Inbox.version + 1))
