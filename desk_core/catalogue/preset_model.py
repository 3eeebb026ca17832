"""A preset in memory: a whole desk as frozen data, as its folder of files tells it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

Texts = Mapping[str, str]  # language -> text


@dataclass(frozen=True, slots=True)
class PresetCategory:
    key: str
    parent: str | None
    titles: Texts
    descriptions: Texts
    kind: str
    impact: str
    urgency: str
    form: str | None
    team: str
    human_now: bool
    position: int


@dataclass(frozen=True, slots=True)
class PresetForm:
    key: str
    slots: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PresetChoice:
    """A value a slot may take; `words` (language -> words) are what people say for it."""

    value: str
    titles: Texts
    words: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class PresetSlot:
    """One thing to know. `form_questions` (form -> questions) holds where a form asks in its own words; `sets` is by choice value."""

    name: str
    kind: str
    titles: Texts
    questions: Texts
    examples: Texts
    form_questions: Mapping[str, Texts] = field(default_factory=dict)
    choices: tuple[PresetChoice, ...] = ()
    pattern: str | None = None
    max_length: int = 500
    sets: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    when: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # slot -> choices of it after which this one is asked

    def definition(self) -> dict[str, Any]:
        """Plain JSON of everything but the name and the kind, as the desk's tables keep it."""
        return {
            "titles": dict(self.titles),
            "questions": dict(self.questions),
            "form_questions": {form: dict(texts) for form, texts in self.form_questions.items()},
            "examples": dict(self.examples),
            "choices": [
                {"value": one.value, "titles": dict(one.titles), "words": {lang: list(words) for lang, words in one.words.items()}}
                for one in self.choices
            ],
            "pattern": self.pattern,
            "max_length": self.max_length,
            "sets": {value: dict(effect) for value, effect in self.sets.items()},
            "when": {name: list(values) for name, values in self.when.items()},
        }


@dataclass(frozen=True, slots=True)
class PresetLine:
    number: int
    titles: Texts


@dataclass(frozen=True, slots=True)
class PresetTeam:
    key: str
    titles: Texts
    line: int
    calendar: str
    sla_policy: str | None


@dataclass(frozen=True, slots=True)
class PresetCalendar:
    """Working hours as written: day -> `"09:00-13:00"` intervals; holidays are ISO dates."""

    key: str
    titles: Texts
    zone: str
    weekly: Mapping[str, tuple[str, ...]]
    holidays: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PresetPolicy:
    """Targets are business seconds: priority -> metric -> seconds."""

    key: str
    titles: Texts
    calendar: str
    targets: Mapping[str, Mapping[str, int]]


@dataclass(frozen=True, slots=True)
class PresetRule:
    """A routing rule as data; `names` by language, the rest as `routing.rules.Rule.from_mapping` reads it."""

    position: int
    names: Texts
    conditions: tuple[Mapping[str, Any], ...]
    actions: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class PresetArticle:
    key: str
    language: str
    title: str
    category: str
    keywords: tuple[str, ...]
    audience: str
    state: str
    summary: str
    body: str
    expires_on: date | None = None


@dataclass(frozen=True, slots=True)
class Preset:
    """A whole desk. `replies` are keyed `(name, language)` by their Rasa name (`utter_greet`); `variations` hold all texts of each."""

    key: str
    version: str
    titles: Texts
    languages: tuple[str, ...]
    time_zone: str
    organisation: Texts
    categories: tuple[PresetCategory, ...]
    forms: Mapping[str, PresetForm]
    slots: Mapping[str, PresetSlot]
    replies: Mapping[tuple[str, str], str]
    variations: Mapping[tuple[str, str], tuple[str, ...]]
    examples: Mapping[tuple[str, str], tuple[str, ...]]
    teams: tuple[PresetTeam, ...]
    lines: tuple[PresetLine, ...]
    calendars: tuple[PresetCalendar, ...]
    sla_policies: tuple[PresetPolicy, ...]
    default_sla_policy: str
    rules: tuple[PresetRule, ...]
    priority_matrix: Mapping[str, Mapping[str, str]]
    ladder: Mapping[str, int]
    limits: Mapping[str, int]
    articles: tuple[PresetArticle, ...]
    names: Mapping[str, Any] = field(default_factory=dict)  # what is recognised in a text, as `names.yml` has it
