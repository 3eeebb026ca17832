"""What stands beside a conversation: the clocks in words, what the bot learned, why this category and this team. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from desk_core.catalogue.desk import DeskConfig, pick
from desk_core.kit.i18n import gettext_noop as _
from desk_core.kit.i18n import translate
from desk_core.routing.rules import Explanation
from desk_core.sla.entities import AppliedSla, SlaPause
from desk_core.tickets.entities import Ticket
from desk_core.tickets.lifecycle import Event, Status, can
from desk_core.tickets.words import METRIC
from gateway.certainty import admitted
from gateway.web.moments import Timer, Tone, Viewer, moment, timer

PAUSE_REASONS = {
    "ask_requester": _("waiting for the person"),
    "put_on_hold": _("on hold"),
    "requester_replied": _("the person wrote"),
}
TITLES = {
    "first_response": _("First answer"),
    "next_response": _("Next answer"),
    "resolution": _("Solution"),
}
RUNNING = frozenset({"running", "breached"})
OWED = {
    "paused": _("paused"),
    "met": _("kept"),
    "late": _("kept late"),
    "stopped": _("no longer owed"),
}


@dataclass(frozen=True, slots=True)
class Clock:
    """One promise: what, how it stands in words, and its pauses."""

    metric: str
    title: str
    shown: Timer
    pauses: tuple[str, ...]
    running: bool = False


def clocks(rows: Sequence[AppliedSla], pauses: Sequence[SlaPause], viewer: Viewer) -> list[Clock]:
    """The promises of a request in the order they fall due."""
    order = list(METRIC)
    told = []
    for row in sorted(rows, key=lambda row: order.index(row.metric) if row.metric in order else len(order)):
        stops = tuple(_pause(pause, viewer) for pause in pauses if pause.applied_id == row.id)
        told.append(
            Clock(
                row.metric, translate(viewer.language, TITLES.get(row.metric, row.metric)), _timer(row, viewer), stops, row.state in RUNNING
            )
        )
    return told


def _timer(row: AppliedSla, viewer: Viewer) -> Timer:
    running = timer(row.metric, row.due_at, viewer, short=True) if row.state in RUNNING else None
    if running is not None:
        return running
    tones = {"met": Tone.MET, "paused": Tone.PAUSED, "late": Tone.CALM}
    return Timer(tones.get(row.state, Tone.CALM), translate(viewer.language, OWED.get(row.state, row.state)), row.due_at)


def _pause(pause: SlaPause, viewer: Viewer) -> str:
    reason = translate(viewer.language, PAUSE_REASONS.get(pause.reason, pause.reason)) if pause.reason else ""
    until = moment(pause.ended_at, viewer) if pause.ended_at else "…"
    return f"{moment(pause.started_at, viewer)} – {until} · {reason} · {pause.by}"


@dataclass(frozen=True, slots=True)
class Filled:
    """A slot with its title and value in the viewer's language; `value` is empty where the bot still has to ask."""

    name: str
    title: str
    value: str


def slots(config: DeskConfig, ticket: Ticket, language: str) -> list[Filled]:
    """What the bot learned, and what the form of the category still lacks."""
    category = config.categories.get(ticket.category_key or "")
    asked = config.forms.get(category.form or "", ()) if category else ()
    names = list(dict.fromkeys([*asked, *ticket.slots]))
    return [Filled(name, slot_title(config, name, language), _value(config, name, ticket.slots.get(name), language)) for name in names]


def slot_title(config: DeskConfig, name: str, language: str) -> str:
    definition = config.slots.get(name)
    return pick(definition["titles"], language) if definition and definition.get("titles") else name


def _value(config: DeskConfig, name: str, value: Any, language: str) -> str:
    if value in (None, ""):
        return ""
    definition: Mapping[str, Any] = config.slots.get(name) or {}
    for choice in definition.get("choices") or ():
        if choice["value"] == value:
            return pick(choice["titles"], language)
    return str(value)


@dataclass(frozen=True, slots=True)
class Guess:
    key: str
    title: str
    percent: int


@dataclass(frozen=True, slots=True)
class Why:
    """Why this category: how sure, which words spoke for it, what else came close."""

    percent: int | None
    source: str
    terms: tuple[str, ...]
    alternatives: tuple[Guess, ...]
    model: str


WORTH_SAYING = 0.01
"""An alternative less likely than this is noise."""


def why(config: DeskConfig, ticket: Ticket, language: str) -> Why:
    triage = ticket.triage or {}
    # A rule's reason says "words → what follows"; here only the words are of interest.
    terms = tuple(dict.fromkeys(str(one["text"]).split(" → ")[0] for one in triage.get("reasons", ()) if one.get("text")))[:8]
    others = tuple(
        Guess(one["label"], config.title(one["label"], language), round(float(one.get("confidence", 0)) * 100))
        for one in triage.get("alternatives", ())
        if one.get("label") and one["label"] != ticket.category_key and float(one.get("confidence", 0)) >= WORTH_SAYING
    )[:3]
    sure = round(admitted(ticket.category_confidence) * 100) if ticket.category_confidence is not None else None
    return Why(sure, ticket.category_source, terms, others, str(triage.get("model", "")))


def titles(config: DeskConfig, language: str) -> dict[str, str]:
    """Names of categories, teams and slots by key, for sentences about them."""
    known = {key: config.title(key, language) for key in config.categories}
    known |= {key: pick(team.titles, language) for key, team in config.teams.items()}
    return known | {name: slot_title(config, name, language) for name in config.slots}


def why_here(config: DeskConfig, ticket: Ticket, language: str) -> str:
    """One sentence: which routing rule decided and what it saw."""
    if not ticket.why_here:
        return ""
    return Explanation.from_json(ticket.why_here).render(language, titles=titles(config, language))


CHOOSABLE = (
    (Status.OPEN, Event.RESUMED, _("In work")),
    (Status.WAITING, Event.ASK_REQUESTER, _("Waiting for the person")),
    (Status.ON_HOLD, Event.PUT_ON_HOLD, _("On hold")),
    (Status.RESOLVED, Event.RESOLVED, _("Solved")),
    (Status.CLOSED, Event.CLOSED_BY_AGENT, _("Closed")),
    (Status.CANCELLED, Event.CANCELLED, _("Cancelled")),
)


def next_statuses(ticket: Ticket) -> list[tuple[str, str]]:
    """The statuses an operator may choose now."""
    status = Status(ticket.status)
    return [
        (target.value, title)
        for target, event, title in CHOOSABLE
        if target is not status and (can(status, event) or (target is Status.OPEN and can(status, Event.REOPENED)))
    ]
