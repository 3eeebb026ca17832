"""What already stands in a text, so that nobody is asked for what they have said. One file a kind."""

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime

from nlu.extract import (
    asset,
    choice,
    device,
    email,
    error_code,
    link,
    location,
    moment,
    money,
    number,
    person,
    phone,
    said,
    software,
    system,
    urgency,
)
from nlu.extract.declared import Declared
from nlu.extract.found import Found, Reading
from nlu.extract.gazetteer import Gazetteer
from nlu.extract.vocabulary import Numbering, Vocabulary
from nlu.understood import FormDef, SlotDef

__all__ = ["Extractor", "Found", "Numbering", "Vocabulary"]

_SURE_OF_DAY = 0.7
_NAMED_DAY = 0.6  # in a request that is about a person's first or last day, a day to come is that day
_DAYS = ("start_date", "last_day", "first_day")
_MOST = 50  # of a kind: a text with more is a table
_SINCE = frozenset({"since", "happened_when", "started_when"})
_PROGRAM = frozenset({"software_name", "system_name", "program"})
_SYSTEM = frozenset({"operating_system", "os"})
_LINK = frozenset({"link", "url", "page"})
# Whose name a slot wants, by how the slot is called; the roles are those of `person`.
_ROLES = {"approver": ("approver",), "employee": ("employee", "name"), "handover": ("taker",)}


class Extractor:
    """Finds values by rules that every desk shares and by what this desk declares."""

    def __init__(self, vocabulary: Vocabulary | None = None) -> None:
        own = vocabulary or Vocabulary()
        self._declared = Declared(own.numbers)
        slots = {slot for one in own.numbers for slot in one.slots}
        self._numbered = {slot: {one.key for one in own.numbers if slot in one.slots} for slot in slots}
        self._devices = Gazetteer({**device.DEVICES, **own.devices})
        self._programs = Gazetteer({**software.PROGRAMS, **own.programs}, plural=False)
        # A stretch of text is one of these at most, and the first that knows it has it: an order number is no phone.
        self._exclusive: Sequence[tuple[str, Callable[[str, datetime], list[Found]]]] = (
            ("link", lambda text, _: link.find(text)),
            ("email", lambda text, _: email.find(text)),
            ("number", lambda text, _: self._declared.find(text)),
            ("asset", lambda text, _: asset.find(text)),
            ("error_code", lambda text, _: error_code.find(text)),
            ("phone", lambda text, _: phone.find(text)),
            ("money", lambda text, _: money.find(text)),
            ("moment", lambda text, now: moment.find(text, now=now)),
            ("location", lambda text, _: location.find(text)),
            ("system", lambda text, _: system.find(text)),
            ("count", lambda text, _: number.find(text)),
        )

    def find(self, text: str, *, now: datetime) -> tuple[Found, ...]:
        """Everything there is, in the order it stands, with places in the text as it was given; `now` is in the person's zone."""
        reading = Reading(text)
        return tuple(sorted(reading.placed(self._read(reading.text, now)), key=lambda found: (found.start, found.end, found.kind)))

    def fill(self, text: str, *, form: FormDef | None, now: datetime) -> dict[str, str]:
        """Values for the slots of a form; a slot without a certain value is left out. One reading serves both languages."""
        if form is None:
            return {}
        read = Reading(text).text
        findings = self._read(read, now)
        values = {slot.name: self._value(read, slot, findings, now) for slot in form.slots}
        return {slot.name: value[: slot.max_length] for slot in form.slots if (value := values[slot.name])}

    def _read(self, text: str, now: datetime) -> list[Found]:
        found: list[Found] = []
        free = bytearray(b"\1") * len(text)
        for kind, find in self._exclusive:
            for one in find(text, now)[:_MOST]:
                if all(free[one.start : one.end]):
                    free[one.start : one.end] = bytes(one.end - one.start)
                    found.append(one if one.kind else replace(one, kind=kind))
        found += (replace(one, kind="device") for one in device.find(text, self._devices))
        found += (replace(one, kind="software") for one in software.find(text, self._programs))
        return [*found, *person.find(text), *urgency.find(text)]

    def _value(self, text: str, slot: SlotDef, findings: Sequence[Found], now: datetime) -> str | None:
        if slot.choices:
            return choice.find(text, slot) or _from_cues(slot, findings)
        found = [one for one in self._fitting(text, slot, findings, now) if _fits(one.value, slot)]
        return found[0].value if found else None

    def _fitting(self, text: str, slot: SlotDef, findings: Sequence[Found], now: datetime) -> list[Found]:
        match slot.kind:
            case "phone":
                return _of(findings, "phone") or _only(phone.extensions(text))
            case "email" | "location":
                return _of(findings, slot.kind)
            case "asset":
                declared = [one for one in findings if one.kind == "number" and one.source in self._numbered.get(slot.name, ())]
                return declared or _of(findings, "asset")
            case "number":
                return _only(_of(findings, "count"))  # two numbers: which one is meant is not for us to say
            case "date":
                return _day(_of(findings, "moment"), now, sure=_NAMED_DAY if slot.name.endswith(_DAYS) else _SURE_OF_DAY)
            case "device":
                return device.find_specific(text, _of(findings, "device"))
            case "person":
                roles = next((roles for name, roles in _ROLES.items() if slot.name.startswith(name)), ())
                return _only([one for one in _of(findings, "person") if one.source in roles])
            case "text":
                return _named(text, slot.name, findings)
            case _:
                return []


def _named(text: str, name: str, findings: Sequence[Found]) -> list[Found]:
    """Text slots whose name says what they want."""
    if name.startswith("error") and (codes := _of(findings, "error_code")):
        return codes
    if name in _PROGRAM:
        return _only(_of(findings, "software"))
    if name in _SYSTEM:
        return _of(findings, "system")
    if name in _LINK:
        return _of(findings, "link")
    if name in _SINCE:
        return _only([replace(one, value=text[one.start : one.end]) for one in findings if one.kind in {"since", "moment"}])
    return list(said.find(text, name))


def _day(moments: Sequence[Found], now: datetime, *, sure: float) -> list[Found]:
    """The one day, today or later, that a deadline falls on."""
    days = [replace(one, value=one.value[:10]) for one in moments if one.confidence >= sure and one.value[:10] >= now.date().isoformat()]
    best = max((one.confidence for one in days), default=0.0)
    return _only([one for one in days if one.confidence == best])


def _of(findings: Sequence[Found], kind: str) -> list[Found]:
    return [one for one in findings if one.kind == kind]


def _only(findings: Sequence[Found]) -> list[Found]:
    """The findings where they all say the same, none where they differ."""
    return list(findings) if len({one.value for one in findings}) == 1 else []


def _from_cues(slot: SlotDef, findings: Sequence[Found]) -> str | None:
    """A choice that sets impact or urgency may follow from the cues that triage reads, where just one choice sets that value."""
    for cue in findings:
        fitting = [value for value, sets in slot.sets.items() if sets.get(cue.kind) == cue.value]
        if len(fitting) == 1:
            return fitting[0]
    return None


def _fits(value: str, slot: SlotDef) -> bool:
    if slot.pattern is None:
        return True
    try:
        return re.fullmatch(slot.pattern, value) is not None
    except re.error:
        return True  # `preset check` reports the pattern
