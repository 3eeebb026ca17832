"""Moments and spans in words, in the viewer's zone and language. Pure: the present moment is always given."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_datetime, format_time

from desk_core.kit.i18n import gettext_noop as _
from desk_core.kit.i18n import ntranslate, translate

SOON = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who looks: language, zone and the moment of looking."""

    language: str
    zone: ZoneInfo
    now: datetime


def exact(at: datetime, viewer: Viewer) -> str:
    """Date and time with seconds, for titles and screen readers."""
    return format_datetime(at.astimezone(viewer.zone), "medium", locale=viewer.language)


def clock(at: datetime, viewer: Viewer) -> str:
    """14:30"""
    return format_time(at.astimezone(viewer.zone), "HH:mm", locale=viewer.language)


def day(at: datetime, viewer: Viewer) -> str:
    """Today, Yesterday, 24 November, 24 November 2025."""
    local, today = at.astimezone(viewer.zone), viewer.now.astimezone(viewer.zone).date()
    if local.date() == today:
        return translate(viewer.language, _("Today"))
    if local.date() == today - timedelta(days=1):
        return translate(viewer.language, _("Yesterday"))
    return format_date(local.date(), "d MMMM" if local.year == today.year else "d MMMM y", locale=viewer.language)


def moment(at: datetime, viewer: Viewer) -> str:
    """14:30 today, otherwise "24 November, 14:30"."""
    local = at.astimezone(viewer.zone)
    if local.date() == viewer.now.astimezone(viewer.zone).date():
        return clock(at, viewer)
    return f"{day(at, viewer)}, {clock(at, viewer)}"


def span(length: timedelta, language: str) -> str:
    """A length in its two largest useful units: 45 s, 12 min, 2 h 5 min, 3 d 4 h."""
    seconds = int(abs(length).total_seconds())
    minutes, hours, days = seconds // 60, seconds // 3600, seconds // 86400
    if seconds < 60:
        return translate(language, _("%(n)s s"), n=seconds)
    if hours < 1:
        return translate(language, _("%(n)s min"), n=minutes)
    if days < 1:
        rest = minutes % 60
        whole = translate(language, _("%(n)s h"), n=hours)
        return f"{whole} {translate(language, _('%(n)s min'), n=rest)}" if rest and hours < 10 else whole
    rest = hours % 24
    whole = translate(language, _("%(n)s d"), n=days)
    return f"{whole} {translate(language, _('%(n)s h'), n=rest)}" if rest and days < 3 else whole


def ago(at: datetime, viewer: Viewer) -> str:
    """now, 5 min, 3 h, then the date: short, for lists."""
    passed = viewer.now - at
    if passed < timedelta(minutes=1):
        return translate(viewer.language, _("now"))
    if passed < timedelta(hours=24):
        minutes = int(passed.total_seconds()) // 60
        if minutes < 60:
            return translate(viewer.language, _("%(n)s min"), n=minutes)
        return translate(viewer.language, _("%(n)s h"), n=minutes // 60)
    local, today = at.astimezone(viewer.zone), viewer.now.astimezone(viewer.zone)
    return format_date(local.date(), "d MMM" if local.year == today.year else "dd.MM.yy", locale=viewer.language)


class Tone(StrEnum):
    """How a timer is drawn; its words say the same."""

    CALM = "calm"
    SOON = "soon"
    OVERDUE = "overdue"
    MET = "met"
    PAUSED = "paused"


@dataclass(frozen=True, slots=True)
class Timer:
    tone: Tone
    words: str
    due_at: datetime | None


_DUE = {
    "first_response": _("first answer in %(span)s"),
    "next_response": _("answer in %(span)s"),
    "resolution": _("solve in %(span)s"),
}
_OVERDUE = {
    "first_response": _("first answer overdue %(span)s"),
    "next_response": _("answer overdue %(span)s"),
    "resolution": _("overdue %(span)s"),
}
_SHORT_DUE, _SHORT_OVERDUE = _("in %(span)s"), _("overdue %(span)s")


def timer(metric: str | None, due_at: datetime | None, viewer: Viewer, *, short: bool = False) -> Timer | None:
    """What is owed next, in words: "first answer in 12 min", "overdue 5 min". None where nothing is owed."""
    if due_at is None:
        return None
    left = due_at - viewer.now
    late = left <= timedelta(0)
    words = (_OVERDUE if late else _DUE).get(metric or "", _SHORT_OVERDUE if late else _SHORT_DUE)
    if short:
        words = _SHORT_OVERDUE if late else _SHORT_DUE
    tone = Tone.OVERDUE if late else Tone.SOON if left <= SOON else Tone.CALM
    return Timer(tone, translate(viewer.language, words, span=span(left, viewer.language)), due_at)


def plural(language: str, singular: str, many: str, n: int, **params: object) -> str:
    """The right plural in a template's language."""
    return ntranslate(language, singular, many, n, **params)
