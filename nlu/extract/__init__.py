"""Slot values that already stand in a text, so that nobody is asked for what they have said. One file a kind."""

import re

from nlu import cues
from nlu.extract import asset, choice, day, device, email, error_code, location, number, phone, system
from nlu.extract.found import Found
from nlu.text import normalise
from nlu.turn import FormDef, SlotDef

__all__ = ["Found", "extract_all"]

_SCAN = 5_000  # characters: who writes more is quoting something


def extract_all(text: str, *, language: str, form: FormDef | None) -> dict[str, str]:
    """Values for the slots of a form; a slot without a certain value is left out. One reading serves both languages."""
    if form is None:
        return {}
    read = normalise(text[: _SCAN * 2])[:_SCAN]
    values: dict[str, str] = {}
    for slot in form.slots:
        value = _value(read, slot)
        if value:
            values[slot.name] = value[: slot.max_length]
    return values


def _value(text: str, slot: SlotDef) -> str | None:
    if slot.choices:
        return choice.find(text, slot) or _from_cues(text, slot)
    match slot.kind:
        case "phone":
            found = phone.find(text)
        case "email":
            found = email.find(text)
        case "number":
            found = number.find(text)
            if len(found) != 1:  # two numbers: which one is meant is not for us to say
                return None
        case "date":
            found = day.find(text)
        case "location":
            found = location.find(text)
        case "asset":
            found = asset.find(text)
        case "device":
            found = device.find_specific(text)
        case "text":
            found = _named(text, slot.name)
        case _:
            return None
    if not found:
        return None
    return found[0].value if _fits(found[0].value, slot) else None


def _named(text: str, name: str) -> list[Found]:
    """Text slots whose name says what they want."""
    if name.startswith("error"):
        return error_code.find(text)
    if name in {"software_name", "system_name", "program"}:
        found = device.find(text, kind="program")
        return found if len(found) == 1 else []
    if name in {"operating_system", "os"}:
        return system.find(text)
    return []


def _from_cues(text: str, slot: SlotDef) -> str | None:
    """A choice that sets impact or urgency may follow from the cues that triage reads, where just one choice sets that value."""
    for cue in cues.read(text):
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
