"""An inbox of this desk, ready to be examined: a mailbox with its way out, the names and a mail to itself; a bot with a test message."""

import asyncio
import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from channels.email import checkup as of_mail
from channels.email.checkup import Checkup, Loop, hang_up
from channels.email.imap_account import Account
from channels.email.smtp_out import Sender, SmtpSender, sender_for
from channels.email.trust import domain_of
from channels.telegram import checkup as of_bots
from channels.telegram.channel import TelegramChannel
from desk_core.conversations.checkups import STATES, State, Step
from desk_core.conversations.deep_links import deep_link
from desk_core.conversations.entities import Inbox, RawInbound
from desk_core.groups import service as groups
from desk_core.groups.entities import LinkCode
from desk_core.groups.repository import last_used
from desk_core.kit.errors import Invalid
from desk_core.kit.i18n import Phrase, translate
from desk_core.kit.i18n import gettext_noop as _
from gateway import mail_signing
from gateway.inboxes import access_tokens
from gateway.mail import sandbox_of
from gateway.secret_box import SecretLost

if TYPE_CHECKING:
    from gateway.web.desk import WebDesk

PROBE_SECONDS = 2.0


async def checkup_of(
    desk: "WebDesk",
    *,
    address: str,
    account: Account | None,
    inbox: Inbox | None = None,
    selector: str | None = None,
    listener: str = "",
    itself: bool = True,
    seconds: float = 10.0,
    loop_seconds: float = 30.0,
) -> Checkup:
    """`inbox` where it is stored already; `listener` is where the desk listens for mail (host:port), its settings by default.

    `selector` names the DKIM key to look for, by default the one the desk signs with; without `itself` nothing is sent.
    """
    relay = _relays(desk, inbox)
    return Checkup(
        address=address,
        account=account,
        tokens=access_tokens(account, desk.database, desk.box, inbox.id if inbox is not None else None),
        # What a relay says comes before our own patience ends.
        sender=sender_for(relay, sandbox_of(desk.settings, desk.clock), timeout=seconds * 0.8),
        resolver=desk.resolver,
        selector=selector or await _signs_with(desk, address),
        loop=await _loop(desk, inbox, listener, relay, fetched=account is not None, seconds=loop_seconds) if itself else None,
        clock=desk.clock,
        seconds=seconds,
    )


async def _signs_with(desk: "WebDesk", address: str) -> str | None:
    async with desk.database.read() as session:
        key = mail_signing.in_use(await mail_signing.keys_of(session, domain_of(address)))
    return key.selector if key is not None else None


def _relays(desk: "WebDesk", inbox: Inbox | None) -> str:
    """By which relays the letters of an inbox go out; its own cannot be known where their secret is lost."""
    own = ""
    if inbox is not None:
        with contextlib.suppress(SecretLost):
            own = desk.box.open(inbox.secrets).get("smtp_url", "")
    return own or desk.settings.smtp_out.url.get_secret_value()


async def _loop(desk: "WebDesk", inbox: Inbox | None, listener: str, relay: str, *, fetched: bool, seconds: float) -> Loop:
    looks = bool(relay) and fetched
    host, _colon, port = (listener or f"{desk.settings.smtp.host}:{desk.settings.smtp.port}").rpartition(":")
    # Without a relay the mail goes straight to the listener, as one from the sandbox does.
    carrier: Sender = SmtpSender(relay or f"smtp://{f'[{host}]' if ':' in host else host}:{port}", idle=0)
    return Loop(
        secret=desk.key,
        carrier=carrier,
        arrived=lambda message_id: _stored(desk, inbox, message_id),
        why_not=_why_not(inbox, looks=looks, listens=looks or await _answers(host, int(port))),
        seconds=seconds,
    )


def _why_not(inbox: Inbox | None, *, looks: bool, listens: bool) -> str | None:
    """Why a mail to itself cannot be seen; nothing is in the way where it goes out by a relay and the mailbox is looked into."""
    if looks:
        return None
    if inbox is None:
        return "not_saved"
    if inbox.state != "active":
        return "paused"
    return None if listens else "not_running"


async def _answers(host: str, port: int) -> bool:
    try:
        async with asyncio.timeout(PROBE_SECONDS):
            _reader, writer = await asyncio.open_connection(host, port)
    except OSError:
        return False
    await hang_up(writer)
    return True


async def _stored(desk: "WebDesk", inbox: Inbox | None, message_id: str) -> bool:
    if inbox is None:
        return False
    async with desk.database.read() as session:
        found = await session.scalar(select(RawInbound.id).where(RawInbound.inbox_id == inbox.id, RawInbound.external_id == message_id))
    return found is not None


async def examine_bot(desk: "WebDesk", inbox: Inbox) -> list[Step]:
    """Every step of a Telegram inbox; raises `Invalid` while it is paused."""
    channel = await desk.channel(inbox.id, version=inbox.version)
    if not isinstance(channel, TelegramChannel):
        raise Invalid(reason=Phrase(_("%(name)s is paused"), name=inbox.name))
    return await channel.checkup(of_bots.News(inbox.last_received_at, inbox.trouble)).run()


@dataclass(frozen=True, slots=True)
class NewTest:
    """A test message that can be asked for once: whoever opens the bot by `link`, or sends it `words`, gets it."""

    link: str
    words: str
    code_hash: str


async def new_test(desk: "WebDesk", inbox: Inbox, *, by: str) -> NewTest:
    """Raises `Invalid` while the inbox is paused, and `RetryLater` or `Refused` where Telegram does not know the bot."""
    channel = await desk.channel(inbox.id, version=inbox.version)
    if not isinstance(channel, TelegramChannel):
        raise Invalid(reason=Phrase(_("%(name)s is paused"), name=inbox.name))
    username, now = await channel.username(), desk.clock.now()
    async with desk.database.unit() as uow:
        code = await groups.make_code(uow, purpose=groups.FOR_TEST, subject=inbox.id, by=by, now=now)
    return NewTest(deep_link(username, f"{groups.TEST_LINK}{code}"), f"/start {groups.TEST_LINK}{code}", groups.hashed(code))


async def last_test(desk: "WebDesk", inbox: Inbox) -> LinkCode | None:
    """The last test message that somebody asked for."""
    async with desk.database.read() as session:
        return await last_used(session, purpose=groups.FOR_TEST, subject=inbox.id)


async def awaited_test(desk: "WebDesk", test: NewTest, *, seconds: float) -> Step:
    """Once somebody has got the message, or the seconds are over."""
    began = asyncio.get_running_loop().time()
    while True:
        async with desk.database.read() as session:
            code = await session.get_one(LinkCode, test.code_hash)
        if code.answered_at is not None:
            return Step("to_me", State.OK, code.used_by or "")
        if asyncio.get_running_loop().time() - began >= seconds:
            return Step("to_me", State.FAIL, code.used_by or "", "not_answered" if code.used_at else "not_opened")
        await asyncio.sleep(0.5)


def told(step: Step, language: str) -> dict[str, Any]:
    """A step for programs and for people: its names stay, its sentences are in `language`."""
    return {
        "step": translate(language, (of_bots if step.key in of_bots.STEPS else of_mail).STEPS[step.key]),
        "passed": step.state is not State.FAIL,
        "words": translate(language, step.words) if isinstance(step.words, Phrase) else step.words,
        "key": step.key,
        "state": step.state.value,
        "said": translate(language, STATES[step.state]),
        "ms": step.ms,
        "advice": step.advice,
        "params": dict(step.params),
        "todo": translate(language, _advice(step), **step.params) if step.advice else "",
    }


def _advice(step: Step) -> str:
    """Both channels may call different things by one name."""
    advice: str = (of_bots if step.key in of_bots.STEPS else of_mail).ADVICE[step.advice or ""]
    return advice
