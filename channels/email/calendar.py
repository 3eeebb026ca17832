"""An invitation as a card: what, when, where, and who asks (RFC 5545, RFC 5546). Pure."""

from datetime import date, datetime
from typing import Any

from channels.email.charsets import text_of
from channels.email.mime import Part

_LARGEST = 512 * 1024  # bytes; an invitation is small, and the reader is slow with what is not
METHODS = frozenset({"publish", "request", "reply", "add", "cancel", "refresh", "counter", "declinecounter"})


def calendar_part(root: Part) -> Part | None:
    """The first part that holds a calendar object."""
    return next((part for part in root.walk() if part.type in ("text/calendar", "application/ics")), None)


def method_of(part: Part) -> str:
    """What the calendar object asks for: request, cancel, reply, ...; empty where it does not say."""
    declared = part.params.get("method", "").lower()
    if declared in METHODS:
        return declared
    for line in text_of(part.content()[:2_000]).splitlines():
        name, _, value = line.partition(":")
        if name.strip().upper() == "METHOD":
            return value.strip().lower() if value.strip().lower() in METHODS else ""
    return ""


def event_of(part: Part) -> dict[str, str]:
    """{method, summary, starts, ends, place, organiser}, what is known of them; times in ISO 8601. Empty where it cannot be read."""
    from icalendar import Calendar

    content = part.content()
    if len(content) > _LARGEST:
        return {}
    try:
        calendar = Calendar.from_ical(text_of(content, part.params.get("charset")))
        event = next(iter(calendar.walk("VEVENT")), None)
        if event is None:
            return {}
        told = {
            "method": method_of(part),
            "summary": _words(event.get("SUMMARY")),
            "starts": _moment(event.get("DTSTART")),
            "ends": _moment(event.get("DTEND")),
            "place": _words(event.get("LOCATION")),
            "organiser": _words(event.get("ORGANIZER")).removeprefix("mailto:").removeprefix("MAILTO:"),
        }
    except (ValueError, KeyError, TypeError, IndexError, AttributeError, RecursionError):
        return {}
    return {name: value for name, value in told.items() if value}


def _words(value: Any) -> str:
    return " ".join(str(value).split())[:300] if value is not None else ""


def _moment(value: Any) -> str:
    found = getattr(value, "dt", None)
    return found.isoformat() if isinstance(found, datetime | date) else ""
