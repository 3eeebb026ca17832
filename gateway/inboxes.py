"""Inboxes as adapters: which channel class stands behind a row, with its secrets opened."""

import secrets
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from sqlalchemy import select

from desk_core.conversations.entities import Inbox
from desk_core.conversations.ports import Blobs, Channel, ChannelKind
from desk_core.kit.clock import Clock
from desk_core.kit.db import UnitOfWork
from desk_core.kit.errors import DeskError, Invalid
from desk_core.kit.i18n import gettext_noop as _
from desk_core.kit.ids import new_id
from gateway.secret_box import SecretBox
from gateway.settings import Settings

if TYPE_CHECKING:
    from channels.email.examining import Examiner

OnStatus = Callable[[str | None], None]


class InboxExists(DeskError):
    code, status, text = "inbox_exists", 409, _("There is an inbox of this name already.")


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
    """A new inbox; raises `InboxExists`, or `Invalid` for a name that cannot stand in an address."""
    if not name or not all(letter.isalnum() or letter in "-_" for letter in name) or len(name) > 60:
        raise Invalid(reason=_("a name of letters, digits, - and _"))
    if await uow.scalar(select(Inbox.id).where(Inbox.name == name)):
        raise InboxExists(name=name)
    inbox = Inbox(
        id=new_id(), name=name, channel=channel.value, address=address, language=language, state="active", config=config, secrets=sealed,
        last_received_at=None, last_error=None, created_at=clock.now(), version=1,
    )  # fmt: skip
    uow.add(inbox)
    await uow.flush()
    return inbox


def telegram_secrets(box: SecretBox, *, token: str, webhook: bool) -> tuple[dict[str, Any], str]:
    """(public config, sealed secrets) of a bot; a webhook gets a random path and a secret of its own."""
    head, _colon, tail = token.partition(":")
    if not head.isdigit() or len(tail) < 20:
        raise Invalid(reason=_("a bot token looks like 123456789:AbC..."))
    hidden = {"token": token}
    if webhook:
        hidden |= {"hook_path": secrets.token_urlsafe(24), "hook_secret": secrets.token_urlsafe(32)}
    return {"bot": head}, box.seal(hidden)


def build(
    inbox: Inbox,
    settings: Settings,
    *,
    box: SecretBox,
    key: bytes,
    organisation: str,
    blobs: Blobs,
    clock: Clock,
    on_status: OnStatus,
    examiner: "Examiner | None" = None,
) -> Channel:
    """The adapter of an inbox. Heavy libraries are imported here, by need: a desk without Telegram never loads it."""
    hidden = box.open(inbox.secrets)
    match ChannelKind(inbox.channel):
        case ChannelKind.TELEGRAM:
            from channels.telegram.channel import TelegramChannel

            base = inbox.config.get("webhook_url")
            return TelegramChannel(
                inbox.id,
                hidden["token"],
                blobs=blobs,
                clock=clock,
                api_url=_bot_api(inbox, settings),
                webhook_url=f"{base.rstrip('/')}/hooks/telegram/{hidden['hook_path']}" if base else None,
                webhook_secret=hidden.get("hook_secret"),
                proxy=inbox.config.get("proxy"),
                burst_seconds=settings.work.burst_seconds,
                on_status=on_status,
            )
        case ChannelKind.EMAIL:
            from gateway.mail import build_mail

            return build_mail(
                inbox, settings, hidden=hidden, key=key, organisation=organisation, blobs=blobs, clock=clock, on_status=on_status,
                examiner=examiner,
            )  # fmt: skip
        case ChannelKind.WEBFORM | ChannelKind.API:
            from channels.webform.channel import WebformChannel

            return WebformChannel(inbox.id)


def _bot_api(inbox: Inbox, settings: Settings) -> str | None:
    """The Bot API server of a bot: Telegram's own, another base, or the sandbox of this very process on whatever port it got."""
    if inbox.config.get("sandbox"):
        return f"http://127.0.0.1:{settings.http.port}/sandbox/bot-api"
    base: str | None = inbox.config.get("api_url")
    return base


def shown(inbox: Inbox, settings: Settings) -> dict[str, Any]:
    """An inbox as lists show it: no secret in it."""
    urls = {
        ChannelKind.WEBFORM: f"{settings.http.public_url}/f/{inbox.name}",
        ChannelKind.EMAIL: f"mailto:{inbox.address}",
        ChannelKind.TELEGRAM: inbox.config.get("webhook_url") or inbox.config.get("api_url") or "",
    }
    url = urls.get(ChannelKind(inbox.channel), "")
    return {
        "name": inbox.name,
        "channel": inbox.channel,
        "address": inbox.address,
        "url": urlsplit(url)._replace(query="").geturl() if url else "",
        "state": inbox.state,
        "last_received_at": inbox.last_received_at.isoformat() if inbox.last_received_at else None,
        "last_error": inbox.last_error,
    }
