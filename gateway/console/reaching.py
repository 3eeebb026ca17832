"""Whether an answer can reach its person: what their mail server said of the address, and which other ways there are. Pure."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from desk_core.conversations.entities import Message
from desk_core.conversations.ports import ChannelKind
from desk_core.kit.i18n import gettext_noop as _
from desk_core.people.entities import ContactIdentity
from desk_core.tickets.detail import TicketDetail

_CODE = re.compile(r"\b5\.(\d{1,3}\.\d{1,3})\b")
_BY_CODE: Mapping[str, str] = {
    "1.1": _("there is no such mailbox"),
    "1.2": _("there is no such mail domain"),
    "1.3": _("there is no such mailbox"),
    "1.6": _("the mailbox has moved away"),
    "1.10": _("this domain takes no mail"),
    "2.1": _("the mailbox is switched off"),
    "2.2": _("the mailbox is full"),
    "2.3": _("our letter was too large"),
    "3.4": _("our letter was too large"),
    "4.1": _("their mail server does not answer"),
    "4.4": _("their mail server cannot be found"),
    "7.1": _("their mail server does not let us in"),
    "7.26": _("their mail server does not believe that we are who we say"),
}  # fmt: skip
_BY_WORDS = (
    (re.compile(r"full|quota|over\s?limit|переполнен", re.IGNORECASE), "2.2"),
    (re.compile(r"disabled|inactive|suspended|blocked by owner|отключ[её]н|заблокирован", re.IGNORECASE), "2.1"),
    (re.compile(r"(?:domain|host)\b.{0,20}not found|nxdomain|unrouteable", re.IGNORECASE), "1.2"),
    (
        re.compile(r"no such|unknown|n[o']t exist|not found|invalid (?:user|recipient|mailbox)|не существует", re.IGNORECASE),
        "1.1",
    ),
    (re.compile(r"spam|policy|blacklist|blocklist|reputation|denied|спам", re.IGNORECASE), "7.1"),
)
_LONGEST = 160


@dataclass(frozen=True, slots=True)
class OtherWay:
    """Another address of the same person that has not refused us; `number` is their newest request on it, where there is one."""

    channel: str
    address: str
    shown: str
    number: int | None = None


@dataclass(frozen=True, slots=True)
class Unreached:
    """The address an answer would go to, and why it will hardly arrive."""

    address: str
    since: datetime
    gist: str  # empty where the words are unknown to us
    words: str
    others: tuple[OtherWay, ...]


def unreached(detail: TicketDetail, answered: Message | None) -> Unreached | None:
    """What an operator who answers now should know of the address; None where nothing speaks against it."""
    conversation = detail.conversation
    if conversation is None or conversation.channel != ChannelKind.EMAIL:
        return None
    written_from = str(answered.meta.get("address", "")) if answered is not None and not answered.meta.get("participant") else ""
    mine = [one for one in detail.identities if one.channel == ChannelKind.EMAIL]
    refusing = next((one for one in mine if one.address == (written_from or mine[0].address)), None) if mine else None
    if refusing is None or refusing.failed_at is None:
        return None
    words = " ".join((refusing.failed_reason or "").split())
    return Unreached(refusing.address, refusing.failed_at, gist(words), words[:_LONGEST], _other_ways(detail, refusing))


def gist(words: str) -> str:
    """What a mail server means: by its code (RFC 3463), else by its words; empty where neither tells."""
    for code in _CODE.findall(words):
        if code in _BY_CODE:
            return _BY_CODE[code]
    return next((_BY_CODE[code] for pattern, code in _BY_WORDS if pattern.search(words)), "")


def _other_ways(detail: TicketDetail, refusing: ContactIdentity) -> tuple[OtherWay, ...]:
    copied = {one.address for one in detail.participants}
    reachable: Sequence[ContactIdentity] = [
        one for one in detail.identities
        if one.id != refusing.id and one.failed_at is None and one.address not in copied
        and one.channel in (ChannelKind.EMAIL, ChannelKind.TELEGRAM)
    ]  # fmt: skip
    newest = {row.channel: row.number for row in reversed(detail.others) if row.channel != ChannelKind.EMAIL}
    return tuple(OtherWay(one.channel, one.address, one.display or one.address, newest.get(one.channel)) for one in reachable)
