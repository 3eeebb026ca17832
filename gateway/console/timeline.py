"""The story of a conversation as entries of one page: messages, notes, activity, days. Pure."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from markupsafe import Markup

from desk_core.conversations.entities import Attachment, Message
from desk_core.conversations.repository import ASIDE
from desk_core.conversations.service import waits
from desk_core.kit.i18n import gettext_noop as _
from desk_core.kit.i18n import translate
from desk_core.tickets.entities import TicketEvent
from desk_core.tickets.moving import is_movable
from desk_core.tickets.verdicts import FOREIGN, JOINED, tell_trust, tell_verdict
from desk_core.tickets.words import tell
from gateway.console.cards import Around, Card, Reactions, around, card_of, formatted, reactions_of
from nlu.text import bare_subject

SAID_ELSEWHERE = frozenset({"agent_replied", "requester_replied", "noted", "edited", "delivery_failed"})
"""Events whose message stands in the story itself."""

TOGETHER = timedelta(minutes=5)
_EVENT = {
    "summary": _("Event"), "starts": _("Begins"), "ends": _("Ends"), "place": _("Place"), "organiser": _("Organiser"),
}  # fmt: skip
_SEALED = {"signed": _("signed with %(by)s"), "encrypted": _("encrypted with %(by)s: nobody here can read it")}
QUIET_VERDICTS = frozenset({None, "received", "thread", "new"})


class EntryKind(StrEnum):
    MESSAGE = "message"
    NOTE = "note"
    ACTIVITY = "activity"
    DAY = "day"


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the story. `side` is who speaks: contact, bot, agent or system; `first` begins a run of the same speaker."""

    kind: EntryKind
    at: datetime
    side: str = ""
    text: str = ""
    message: Message | None = None
    first: bool = True
    verdict: str = ""
    trust: str = ""  # what is known of a mail's sender
    forged: bool = False
    buttons: tuple[str, ...] = field(default=())
    facts: tuple[tuple[str, str], ...] = field(default=())  # of a mail: an invitation, how it is sealed
    body: Markup = field(default_factory=Markup)  # what the person wrote, with its formatting
    card: Card | None = None
    around: Around | None = None
    reactions: tuple[Reactions, ...] = ()
    files: tuple[Attachment, ...] = ()
    earlier_files: tuple[Attachment, ...] = ()  # which an edit replaced
    leaves_in: int = 0  # seconds in which it can be taken back
    subject: str = ""  # where it is not that of the letter before
    movable: bool = False  # a letter that an operator may put elsewhere
    joined: bool = False  # it came to a request that was there before it
    foreign: bool = False  # by somebody else than its requester
    mail: str = ""  # "html" or "text" where it came by mail, whose bytes can be looked at


def story(
    messages: Sequence[Message],
    events: Sequence[TicketEvent],
    *,
    zone: ZoneInfo,
    language: str,
    titles: Mapping[str, str],
    now: datetime | None = None,
) -> list[Entry]:
    """Messages and events in the order they happened, with a line where a day begins."""
    # Ids are made in order, so of two things in one moment the one that was written first stands first.
    known = {message.external_id: message for message in messages if message.external_id}
    lines = [(message.at, message.id, _entry(message, language, zone, now, known)) for message in messages]
    lines += [
        (event.at, event.id, Entry(EntryKind.ACTIVITY, event.at, "system", tell(event, language, titles=titles)))
        for event in events
        if event.kind not in SAID_ELSEWHERE
    ]
    lines.sort(key=lambda line: line[:2])
    return _with_days(_with_subjects([entry for *_, entry in lines]), zone)


def _entry(message: Message, language: str, zone: ZoneInfo, now: datetime | None, known: Mapping[str, Message]) -> Entry:
    if message.direction == "activity":
        return Entry(EntryKind.ACTIVITY, message.at, message.author_kind, f"{message.author}: {_done(message, language)}", message=message)
    kind = EntryKind.NOTE if message.direction == "note" else EntryKind.MESSAGE
    side = "contact" if message.direction == "inbound" else message.author_kind
    verdict = "" if message.verdict_code in QUIET_VERDICTS else tell_verdict(message.verdict_code, message.verdict, language)
    trust = (message.card or {}).get("trust") or {}
    return Entry(
        kind,
        message.at,
        side,
        message.text,
        message=message,
        verdict=verdict,
        trust=tell_trust(trust, language),
        forged=trust.get("verdict") == "forged",
        buttons=_labels(message.buttons),
        facts=_mail_card(message, language, zone),
        body=formatted(message.text or "", (message.card or {}).get("marks")),
        card=card_of(message, language, zone),
        around=around(message, known, language),
        reactions=reactions_of(message, language),
        files=tuple(file for file in _in_order(message) if file.sha256 not in (message.meta or {}).get("replaced", ())),
        earlier_files=tuple(file for file in _in_order(message) if file.sha256 in (message.meta or {}).get("replaced", ())),
        leaves_in=_leaves_in(message, now),
        movable=is_movable(message),
        joined=message.verdict_code in JOINED,
        foreign=message.verdict_code in FOREIGN,
        mail=_mail(message),
    )


def _leaves_in(message: Message, now: datetime | None) -> int:
    if now is None or not waits(message):
        return 0
    return max(0, math.ceil((datetime.fromisoformat(message.meta["leaves_at"]) - now).total_seconds()))


def _done(message: Message, language: str) -> str:
    """What somebody did, where no message is there that it could be shown at."""
    kept = message.card or {}
    if "reactions" in kept:
        return str(message.text or ", ".join(str(one) for one in kept["reactions"]) or translate(language, _("took a reaction back")))
    if "counts" in kept:
        return ", ".join(f"{emoji} × {count}" for emoji, count in kept["counts"])
    return message.text


def _in_order(message: Message) -> list[Attachment]:
    """Files as they were sent: those of an album by their part, however late one arrived."""
    parts = {sha256: _part_number(known.get("part")) for sha256, known in (message.meta or {}).get("files", {}).items()}
    return sorted(message.attachments or (), key=lambda file: parts.get(file.sha256, 0))


def _part_number(part: Any) -> int:
    number = str(part or "").rpartition(":")[2]
    return int(number) if number.isdecimal() else 0


def _mail(message: Message) -> str:
    if message.direction != "inbound" or "@" not in (message.external_id or ""):  # only Message-IDs have one
        return ""
    return "html" if message.html else "text"


def _mail_card(message: Message, language: str, zone: ZoneInfo) -> tuple[tuple[str, str], ...]:
    """Who else was on a letter, an invitation, and how a mail is sealed."""
    kept = message.card or {}
    facts: list[tuple[str, str]] = []
    if people := [*kept.get("people", ()), *message.meta.get("cc", ())]:
        facts.append((translate(language, _("Copied to")), ", ".join(str(address) for _name, address in people)))
    event, sealed = kept.get("event"), kept.get("sealed")
    if isinstance(event, dict):
        for key, label in _EVENT.items():
            if value := str(event.get(key, "")):
                facts.append((translate(language, label), _moment(value, zone) if key in ("starts", "ends") else value))
    if isinstance(sealed, dict):
        words = _SEALED.get(str(sealed.get("how")), "")
        facts.append((translate(language, _("Protection")), translate(language, words, by=str(sealed.get("by", "")))))
    return tuple(facts)


def _moment(text: str, zone: ZoneInfo) -> str:
    """A time of a calendar in the reader's zone; a day stays a day."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return text
    if "T" not in text:
        return f"{at:%d.%m.%Y}"
    return f"{at.astimezone(zone):%d.%m.%Y %H:%M}" if at.tzinfo is not None else f"{at:%d.%m.%Y %H:%M}"


def _labels(rows: Sequence[Any]) -> tuple[str, ...]:
    return tuple(str(button["label"]) for row in rows for button in row if isinstance(button, dict) and button.get("label"))


def _with_subjects(entries: Sequence[Entry]) -> list[Entry]:
    """The subject stands at the first letter, and wherever a person changed it; marks of answers, our number and what robots write
    in between change nothing."""
    told: list[Entry] = []
    before = ""
    for entry in entries:
        subject = (entry.message.subject or "") if entry.message is not None and entry.side == "contact" else ""
        bare = bare_subject(subject).casefold()
        told.append(replace(entry, subject=subject) if bare and bare != before else entry)
        if entry.message is not None and entry.message.verdict_code not in ASIDE:
            before = bare or before
    return told


def _with_days(entries: Sequence[Entry], zone: ZoneInfo) -> list[Entry]:
    told: list[Entry] = []
    day: date | None = None
    for entry in entries:
        here = entry.at.astimezone(zone).date()
        before = told[-1] if told else None
        if here != day:
            told.append(Entry(EntryKind.DAY, entry.at))
            day, before = here, None
        told.append(_joined(entry, before))
    return told


def _joined(entry: Entry, before: Entry | None) -> Entry:
    """The same speaker within five minutes goes on without a new heading."""
    if before is None or entry.message is None or before.message is None or entry.kind is EntryKind.ACTIVITY:
        return entry
    same = (entry.kind, entry.side, entry.message.author) == (before.kind, before.side, before.message.author)
    if not same or entry.at - before.at > TOGETHER:
        return entry
    return replace(entry, first=False)
