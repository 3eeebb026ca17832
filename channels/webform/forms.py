"""The fields of a page from the desk's topics and slots, and what is wrong with what was filled in. Pure."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from desk_core.catalogue.desk import CategoryInfo, pick
from desk_core.kit.i18n import gettext_noop as _
from desk_core.kit.i18n import translate

TEXT_LENGTH = 20_000
NAME_LENGTH = 120
EMAIL_LENGTH = 254
FILES = 10

_EMAIL = re.compile(r"[^\s@<>,;:\"()\[\]\\]{1,64}@(?:[^\s@<>,;:\"()\[\]\\.]{1,63}\.)+[^\s@<>,;:\"()\[\]\\.\d]{2,24}")
_INPUTS = {"email": ("email", "email"), "phone": ("tel", "tel"), "number": ("text", "numeric")}
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


class Slot(Protocol):
    """One thing a form asks."""

    @property
    def name(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def titles(self) -> Mapping[str, str]: ...
    @property
    def questions(self) -> Mapping[str, str]: ...
    @property
    def examples(self) -> Mapping[str, str]: ...
    @property
    def choices(self) -> tuple[tuple[str, Mapping[str, str]], ...]: ...
    @property
    def max_length(self) -> int: ...


class SlotForm(Protocol):
    @property
    def slots(self) -> Sequence[Slot]: ...


class Answer(Protocol):
    """What a validation made of an answer: a value, or nothing (`skip`: the person does not know, which is fine)."""

    @property
    def value(self) -> str | None: ...
    @property
    def skip(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class Group:
    """A topic of level one with what can be chosen under it."""

    title: str
    options: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Field:
    """One question of a topic as a field. `options` make it a choice."""

    name: str  # in the page: "slot.<name>"
    slot: str
    label: str
    help: str
    value: str
    type: str
    inputmode: str
    max_length: int
    options: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Filled:
    """What a person typed, cleaned of what no text may hold; kept through every error."""

    topic: str = ""
    name: str = ""
    email: str = ""
    text: str = ""
    consent: bool = False
    zone: str = ""  # the browser's time zone; empty without script
    slots: Mapping[str, str] = field(default_factory=dict)  # by the slot's own name

    @classmethod
    def of(cls, posted: Iterable[tuple[str, object]]) -> "Filled":
        """From the pairs of a form; files and unknown fields are not looked at."""
        texts: dict[str, str] = {}
        for name, value in posted:
            if isinstance(value, str):
                texts.setdefault(name, clean(value))
        return cls(
            topic=texts.get("topic", "").strip()[:200],
            name=" ".join(texts.get("name", "").split())[: NAME_LENGTH * 2],
            email=texts.get("email", "").strip()[: EMAIL_LENGTH * 2],
            text=texts.get("text", "").strip(),
            consent=bool(texts.get("consent")),
            zone=known_zone(texts.get("zone", "")),
            slots={name.removeprefix("slot."): value.strip() for name, value in texts.items() if name.startswith("slot.")},
        )


def clean(text: str) -> str:
    """Line ends as one character; control characters, which no store and no reader wants, left out."""
    return _CONTROLS.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))


def known_zone(name: str) -> str:
    """The name of a time zone that there is, otherwise nothing."""
    try:
        return ZoneInfo(name).key if name and len(name) < 60 else ""
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ""


def topics(categories: Mapping[str, CategoryInfo], language: str) -> tuple[Group, ...]:
    """What a person may choose, grouped. A group without entries is an entry of its own."""
    below: dict[str, list[tuple[str, str]]] = {}
    for one in categories.values():
        if one.parent:
            below.setdefault(one.parent, []).append((one.key, pick(one.titles, language)))
    return tuple(
        Group(title=pick(one.titles, language), options=tuple(below.get(one.key) or [(one.key, pick(one.titles, language))]))
        for one in categories.values()
        if one.parent is None
    )


def known_topic(categories: Mapping[str, CategoryInfo], key: str) -> str:
    """The topic, or nothing for a name that the desk does not have."""
    return key if key in categories else ""


def fields(slots: Sequence[Slot], filled: Filled, language: str) -> tuple[Field, ...]:
    """The questions of a topic as fields, with what is typed in them already."""
    return tuple(_field(slot, filled.slots.get(slot.name, ""), language) for slot in slots)


def _field(slot: Slot, value: str, language: str) -> Field:
    type_, inputmode = _INPUTS.get(slot.kind, ("text", ""))
    example = pick(slot.examples, language)
    said = pick(slot.questions, language)
    if example and not slot.choices:
        said = f"{said} {translate(language, _('For example: %(example)s'), example=example)}".strip()
    return Field(
        name=f"slot.{slot.name}",
        slot=slot.name,
        label=pick(slot.titles, language),
        help=said,
        value=value,
        type=type_,
        inputmode=inputmode,
        max_length=slot.max_length,
        options=tuple((key, pick(titles, language)) for key, titles in slot.choices),
    )


@dataclass(frozen=True, slots=True)
class Problem:
    """A field and a sentence about it."""

    field: str
    sentence: str


def problems(filled: Filled, *, files: int, needs_email: bool, language: str) -> list[Problem]:
    """What must be put right in the fields that every topic has."""
    found: list[Problem] = []

    def add(name: str, sentence: str, **params: object) -> None:
        found.append(Problem(name, translate(language, sentence, **params)))

    if not filled.name:
        add("name", _("Write your name, so that we know whom to answer."))
    elif len(filled.name) > NAME_LENGTH:
        add("name", _("The name is too long: %(limit)s letters at most."), limit=NAME_LENGTH)
    if filled.email and (len(filled.email) > EMAIL_LENGTH or not _EMAIL.fullmatch(filled.email)):
        add("email", _("This does not look like an e-mail address. For example: name@company.com"))
    elif needs_email and not filled.email:
        add("email", _("Write your e-mail: the answer goes there."))
    if not filled.text and not files:
        add("text", _("Write what happened, or attach a file that shows it."))
    elif len(filled.text) > TEXT_LENGTH:
        add("text", _("The text is too long: %(limit)s letters at most. Attach the rest as a file."), limit=TEXT_LENGTH)
    if not filled.consent:
        add("consent", _("Tick the box: without it we may not keep your request."))
    return found


def check_slots(
    slots: Sequence[Slot], filled: Filled, language: str, *, validate: Callable[[Slot, str, Mapping[str, str]], Answer]
) -> tuple[dict[str, str], list[Problem]]:
    """The answers worth keeping and what is wrong with the others. No question must be answered; an answer must fit."""
    kept: dict[str, str] = {}
    found: list[Problem] = []
    for slot in slots:
        typed = filled.slots.get(slot.name, "")
        if not typed:
            continue
        if slot.choices and typed not in {key for key, _titles in slot.choices}:
            found.append(Problem(f"slot.{slot.name}", translate(language, _("Choose one of the answers in the list."))))
            continue
        if len(typed) > slot.max_length:
            found.append(
                Problem(f"slot.{slot.name}", translate(language, _("Too long: %(limit)s letters at most."), limit=slot.max_length))
            )
            continue
        answer = validate(slot, typed, {**filled.slots, **kept})
        if answer.value is not None:
            kept[slot.name] = answer.value
        elif not answer.skip:
            example = pick(slot.examples, language)
            sentence = _("This does not fit here. For example: %(example)s") if example else _("This does not fit here.")
            found.append(Problem(f"slot.{slot.name}", translate(language, sentence, **({"example": example} if example else {}))))
    return kept, found
