"""What the dialogue is told: intents, guesses and why, articles, slots and forms, and the tools that tell it. Data only."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol


class Intent(StrEnum):
    REPORT = "report"
    ASK = "ask"
    GREET = "greet"
    THANKS = "thanks"
    CONFIRM = "confirm"
    DENY = "deny"
    HUMAN = "human"
    STATUS = "status"
    CANCEL = "cancel"
    BACK = "back"
    SKIP = "skip"
    EDIT = "edit"
    HELP = "help"
    COMPLAINT = "complaint"
    SMALLTALK = "smalltalk"
    LANGUAGE = "language"
    ADD_DETAILS = "add_details"
    OUT_OF_SCOPE = "out_of_scope"
    UNKNOWN = "unknown"


class Band(StrEnum):
    """What a confidence allows: act on it, suggest it, or ask."""

    ACT = "act"
    SUGGEST = "suggest"
    ASK = "ask"


class Mood(StrEnum):
    """How a person feels, as far as their words tell."""

    GLAD = "glad"
    CALM = "calm"
    UNHAPPY = "unhappy"
    ANGRY = "angry"


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a prediction was made: a term of the text with its weight and its place in it, or a rule."""

    kind: str  # "term" | "rule"
    text: str
    weight: float
    start: int | None = None
    end: int | None = None


@dataclass(frozen=True, slots=True)
class Guess:
    """A label with its calibrated probability."""

    label: str
    confidence: float


@dataclass(frozen=True, slots=True)
class Triage:
    """What the models think of a text. `category` is a second-level key; `categories` the best few, best first.

    `familiarity` is the share of its words that the intent model has ever seen, 0..1; where an encoder reads what they mean, 1.
    """

    intent: Intent
    intent_confidence: float
    category: str | None
    confidence: float
    band: Band
    categories: tuple[Guess, ...] = ()
    kind: str = "incident"
    impact: str = "individual"
    urgency: str = "medium"
    human_now: bool = False
    model: str = ""
    mood: Mood = Mood.CALM
    familiarity: float = 1.0
    explain: Callable[[], tuple[Reason, ...]] = field(default=tuple, compare=False, repr=False)

    @property
    def reasons(self) -> tuple[Reason, ...]:
        """What in the text speaks for this; worked out when asked for, since of most texts nobody asks."""
        return self.explain()


@dataclass(frozen=True, slots=True)
class Hit:
    """An article found: enough to show it. `score` is 0..1, comparable between queries.

    `passage` is the part that answers, as plain text with line breaks; `pages` are the whole.
    """

    article_id: str
    key: str
    title: str
    passage: str
    language: str
    score: float
    pages: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SlotDef:
    name: str
    kind: str
    titles: Mapping[str, str]
    questions: Mapping[str, str]
    examples: Mapping[str, str]
    choices: tuple[tuple[str, Mapping[str, str]], ...] = ()
    words: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # choice value -> words that mean it, both languages
    pattern: str | None = None
    max_length: int = 500
    sets: Mapping[str, Mapping[str, str]] = field(default_factory=dict)  # choice value -> {"impact": .., "urgency": ..}
    when: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # asked only where these slots have one of these values


@dataclass(frozen=True, slots=True)
class FormDef:
    key: str
    slots: tuple[SlotDef, ...]


@dataclass(frozen=True, slots=True)
class CategoryDef:
    key: str
    parent: str | None
    titles: Mapping[str, str]
    kind: str
    impact: str
    urgency: str
    form: str | None
    human_now: bool = False


@dataclass(frozen=True, slots=True)
class Validated:
    """What a form validation made of an answer: the value to keep, or None with nothing more to say (the dialogue gives the example)."""

    value: str | None
    title: str | None = None  # how to show the value
    extra: Mapping[str, str] = field(default_factory=dict)  # other slots that the same answer filled
    skip: bool = False  # "I don't know": the slot stays empty and is not asked again


@dataclass(frozen=True, slots=True)
class KnownIncident:
    """An outage that many people report: what it is and how it stands, in the language of the turn."""

    id: str
    title: str
    status: str


class Tools(Protocol):
    """What `advance` may ask while it thinks; all of it in memory, nothing waits."""

    def triage(self, text: str, *, language: str) -> Triage: ...

    def glance(self, text: str) -> Guess | None:
        """The topic that the words of a text alone speak for; None where nothing was learned."""
        ...

    def detect_language(self, text: str) -> tuple[str | None, float]:
        """ "ru", "en" or None when unsure, with a confidence 0..1."""
        ...

    def search(self, text: str, *, language: str, category: str | None, limit: int = 3) -> Sequence[Hit]: ...

    def article(self, article_id: str, *, language: str) -> Hit | None:
        """An article somebody asked for by its button."""
        ...

    def faq(self, *, language: str, limit: int = 5) -> Sequence[Hit]:
        """The articles that are worth offering before anything was asked."""
        ...

    def incident(self, text: str, *, language: str, category: str | None) -> KnownIncident | None:
        """The known mass incident that a story is surely about."""
        ...

    def category(self, key: str | None) -> CategoryDef | None: ...

    def form(self, category: str | None) -> FormDef | None: ...

    def extract(self, text: str, *, form: FormDef | None, now: datetime) -> Mapping[str, str]:
        """Slot values that stand in the text already."""
        ...

    def validate(self, slot: SlotDef, answer: str, *, language: str, slots: Mapping[str, str]) -> Validated: ...
