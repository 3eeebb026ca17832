"""How a request looks in its topic: title, head card with buttons, and what is said under it. Pure: it decides words, and sends nothing."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from zoneinfo import ZoneInfo

from desk_core.catalogue.desk import DeskConfig
from desk_core.conversations.entities import Message
from desk_core.groups.ports import Face
from desk_core.kit.i18n import gettext_noop as _
from desk_core.kit.i18n import translate
from desk_core.tickets import words
from desk_core.tickets.entities import Ticket, TicketEvent
from gateway.console.facts import slots, titles
from gateway.web.moments import Viewer, moment

ICONS = {
    "new": "❗️", "open": "💬", "waiting": "👀", "on_hold": "📆", "resolved": "✅", "closed": "🏁", "cancelled": "🏁", "merged": "🏁",
}  # fmt: skip
"""Pictures that Telegram offers for topics; the title says the same in words."""
OVER = frozenset({"closed", "cancelled", "merged"})
SPOKEN = frozenset({"opened", "requester_replied", "agent_replied", "noted", "edited"})
"""Events that the messages beside them tell already."""
LONGEST_TITLE = 128
LONGEST_TEXT = 3500
CATCHING_UP = 4
"""So many messages waiting are shown together: a group takes twenty a minute."""
PROMISED = {
    "first_response": _("first answer by %(at)s"), "next_response": _("answer by %(at)s"), "resolution": _("solution by %(at)s"),
}  # fmt: skip
SPEAKS = {"bot": _("the bot speaks"), "queue": _("waits for an operator")}
CHANNELS = {"telegram": "Telegram", "email": _("Mail"), "webform": _("Form"), "api": "API"}
LABELS = {
    "take": _("Take over"), "bot": _("Give back to the bot"), "resolve": _("Solved"), "reopen": _("Reopen"),
    "escalate": _("Pass on"), "assign": _("Assign"), "priority": _("Priority"), "category": _("Category"), "draft": _("Suggest an answer"),
}  # fmt: skip
ACTIONS = tuple(LABELS)
ALERTED = {
    "opened": _("New request"), "sla_at_risk": _("The deadline is near"), "sla_breached": _("The deadline has passed"),
}  # fmt: skip

ONLY_IN_CONSOLE = _("Not shown here, but kept in the console: %(names)s")

_SPECIAL = re.compile(r"([\\`*_\[\]<>~|])")
_LINE_START = re.compile(r"^(\s*)([#>+-]|\d+(?=[.)]))", re.MULTILINE)


def plain(text: str) -> str:
    """What a person typed, so that Markdown leaves it as it is."""
    escaped = _SPECIAL.sub(r"\\\1", text)
    return _LINE_START.sub(lambda found: f"{found[1]}{_shielded(found[2])}", escaped)


def _shielded(start: str) -> str:
    # A number at the start of a line begins a list; an invisible joiner behind it keeps it a number.
    return f"{start}\u2060" if start.isdecimal() else f"\\{start}"


@dataclass(frozen=True, slots=True)
class Shown:
    """A request as its topic needs it."""

    ticket: Ticket
    requester: str
    address: str
    baton: str
    speaker: str  # the operator who speaks, where one does
    assignee: str
    url: str
    remade: bool = False


def face(shown: Shown, language: str) -> Face:
    """Title and icon of the topic."""
    ticket = shown.ticket
    number, state = f"#{ticket.number} ", f" · {translate(language, words.STATUS[ticket.status])}"
    room = LONGEST_TITLE - len(number) - len(state)
    subject = " ".join(ticket.subject.split())
    subject = subject if len(subject) <= room else f"{subject[: room - 1]}…"
    return Face(f"{number}{subject}{state}", ICONS[ticket.status], closed=ticket.status in OVER)


def head(shown: Shown, config: DeskConfig, language: str) -> str:
    """The card at the top: who, what, where it stands and until when, and how to act."""
    ticket = shown.ticket

    def line(label: str, value: str) -> str:
        return f"**{translate(language, label)}:** {plain(value)}" if value else ""

    channel = translate(language, CHANNELS.get(ticket.channel, ticket.channel))
    who = ", ".join(filter(None, (shown.requester, shown.address if shown.address != shown.requester else "")))
    team = f"{config.team_title(ticket.team_id, language)}, {config.line_title(ticket.line, language)}"
    speaks = translate(language, _("%(name)s speaks"), name=shown.speaker) if shown.speaker else translate(language, SPEAKS[shown.baton])
    facts = [
        line(_("Requester"), who),
        line(_("Channel"), channel),
        line(_("Category"), config.title(ticket.category_key, language)),
        line(_("Priority"), ticket.priority),
        line(_("Team"), team),
        line(_("State"), f"{translate(language, words.STATUS[ticket.status])}, {speaks}"),
        line(_("Operator"), shown.assignee),
        line(_("Promise"), _promise(ticket, config, language)),
        *(f"**{plain(slot.title)}:** {plain(slot.value)}" for slot in slots(config, ticket, language) if slot.value),
    ]
    parts = [f"**#{ticket.number} {plain(' '.join(ticket.subject.split()))}**", "\n".join(filter(None, facts))]
    if shown.remade:
        parts.append(translate(language, _("This topic was opened anew. What was said before is in the console.")))
    parts.append(translate(language, _("Write here and the requester gets it. // or /note is for colleagues only. /help lists the rest.")))
    parts.append(shown.url)
    return "\n\n".join(parts)[:LONGEST_TEXT]


def _promise(ticket: Ticket, config: DeskConfig, language: str) -> str:
    if ticket.next_due_at is None:
        return ""
    # The day always, so that the card does not change when one passes.
    at = moment(ticket.next_due_at, Viewer(language, ZoneInfo(config.time_zone), ticket.next_due_at - timedelta(days=2)))
    return translate(language, PROMISED.get(ticket.next_due_metric or "", PROMISED["resolution"]), at=at)


def actions(shown: Shown, *, has_article: bool) -> list[list[str]]:
    """The buttons of the card that mean something now, in rows."""
    ticket = shown.ticket
    if ticket.status == "merged":
        return []
    if ticket.status in ("resolved", "closed", "cancelled"):
        return [["reopen"]]
    speaks = ["take"] if shown.baton != "agent" else ["take", "bot"]
    return [speaks, ["resolve", "escalate"], ["assign", "priority", "category"], *([["draft"]] if has_article else [])]


def said(message: Message, language: str) -> str:
    """One message of the request, with who said it and to whom."""
    # What our own people and the bot write is Markdown already.
    text = message.text if message.direction == "outbound" else plain(message.text)
    name = plain(message.author)
    match message.direction:
        case "outbound" if message.author_kind == "agent":
            who = translate(language, _("%(name)s → requester"), name=name)
        case "outbound":
            who = translate(language, _("Bot → requester"))
        case "note":
            who = translate(language, _("Note, %(name)s"), name=name)
        case "activity":
            who = translate(language, _("%(name)s pressed") if message.card.get("press") else _("%(name)s reacted"), name=name)
            reactions = message.card.get("reactions")
            text = text or " ".join(str(one) for one in reactions or ()) or translate(language, _("took the reaction back"))
        case _:
            who = name
    if not text and not (message.attachments if "attachments" in message.__dict__ else ()):
        text = translate(language, _("something that only the console can show"))
    if message.meta.get("too_large"):
        names = ", ".join(map(str, message.meta["too_large"]))
        text = "\n".join(filter(None, (text, translate(language, _("(too large to keep: %(names)s)"), names=plain(names)))))
    if message.edited_at is not None:
        text = f"{text}\n_{translate(language, _('changed'))}_"
    text = text if len(text) <= LONGEST_TEXT else f"{text[: LONGEST_TEXT - 1]}…"
    return f"**{who}:**\n{text}" if "\n" in text else f"**{who}:** {text}"


@dataclass(frozen=True, slots=True)
class Portion:
    """What goes into the topic as one message."""

    text: str
    messages: tuple[Message, ...] = ()
    upto: int = 0  # the version of the request up to which its history is told with it
    loud: bool = False
    extra: Mapping[str, str] = field(default_factory=dict)


def next_portion(messages: Sequence[Message], events: Sequence[TicketEvent], config: DeskConfig, language: str) -> Portion | None:
    """The oldest of what is to be told: several events in one, one message alone, or many short ones together after a pause."""
    told = [event for event in events if event.kind not in SPOKEN]
    upto = max((event.version for event in events), default=0)
    if told and (not messages or told[0].at <= messages[0].at):
        until = messages[0].at if messages else None
        first = [event for event in told if until is None or event.at <= until]
        # Of events of one moment only those told now count as seen; silent ones between them go along.
        rest = [event.version for event in told if event not in first]
        seen = min(rest) - 1 if rest else upto
        names = titles(config, language)
        return Portion("\n".join(f"· {plain(words.tell(event, language, titles=names))}" for event in first)[:LONGEST_TEXT], upto=seen)
    if not messages:
        return Portion("", upto=upto) if upto else None
    taken = [messages[0]]
    if len(messages) >= CATCHING_UP and not messages[0].attachments:
        length = len(messages[0].text)
        for message in messages[1:]:
            length += len(message.text) + len(message.author) + 20
            if message.attachments or length > LONGEST_TEXT or (told and told[0].at < message.at):
                break
            taken.append(message)
    text = "\n\n".join(said(message, language) for message in taken)[:LONGEST_TEXT]
    return Portion(text, messages=tuple(taken), loud=any(message.direction == "inbound" for message in taken))


def called(event: str, shown: Shown, config: DeskConfig, language: str, *, metric: str = "") -> str:
    """An alert: what, which request, and until when."""
    ticket = shown.ticket
    title = translate(language, ALERTED[event])
    about = f": {translate(language, words.METRIC[metric])}" if metric in words.METRIC else ""
    team = config.team_title(ticket.team_id, language)
    subject = plain(" ".join(ticket.subject.split()))
    return f"**{title}{about}**\n#{ticket.number} {subject}\n{ticket.priority} · {plain(team)} · {plain(shown.requester)}\n{shown.url}"
