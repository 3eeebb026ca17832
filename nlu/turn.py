"""The words of a dialogue turn: what was heard, what is known, what is answered and done. Data only, no behaviour but (de)serialisation.

The gateway builds a `Snapshot` and a `Heard`, `nlu.dialogue.advance` answers with a `Turn`, and the gateway applies it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol


class Manner(StrEnum):
    """How a channel converses: one question at a time, one letter with all, or fields on a page."""

    CHAT = "chat"
    MAIL = "mail"
    FORM = "form"


class Phase(StrEnum):
    IDLE = "idle"
    PROBLEM = "problem"  # asked "what happened?", waiting for the story
    ARTICLES = "articles"  # articles are on the screen, waiting for helped / not it / human
    FORM = "form"  # a question is open
    SUMMARY = "summary"  # the card is on the screen, waiting for send / edit
    CHOOSING = "choosing"  # asked whether the words in `text` belong to the active request or to a new one
    ADDING = "adding"  # the next text is added to the active request
    RATING = "rating"  # stars are on the screen
    RATING_COMMENT = "rating_comment"


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
    """What the models think of a text. `category` is a second-level key; `categories` the best few, best first."""

    intent: Intent
    intent_confidence: float
    category: str | None
    confidence: float
    band: Band
    categories: tuple[Guess, ...] = ()
    kind: str = "incident"
    impact: str = "individual"
    urgency: str = "medium"
    reasons: tuple[Reason, ...] = ()
    human_now: bool = False
    model: str = ""
    mood: str = "calm"  # `nlu.sentiment.Mood`


@dataclass(frozen=True, slots=True)
class Hit:
    """An article found: enough to show it. `score` is 0..1, comparable between queries; `passage` is plain text with line breaks."""

    article_id: str
    key: str
    title: str
    passage: str
    language: str
    score: float


@dataclass(frozen=True, slots=True)
class Option:
    """A choice a slot offers: a stable value and its title in the language of the turn."""

    value: str
    title: str


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
class OpenRequest:
    """A request of this person that is not closed, cancelled or merged."""

    ticket_id: str
    number: int
    subject: str
    status: str
    category: str | None
    promise: str | None  # rendered in the person's zone and language


@dataclass(frozen=True, slots=True)
class Press:
    """A button pressed: what its server-side token stood for."""

    action: str
    value: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Heard:
    """One turn of the person: a burst of messages joined, or one pressed button or command."""

    text: str = ""
    press: Press | None = None
    command: str | None = None  # "/new" gives "new"; arguments stay in `text`
    attachments: int = 0
    subject: str | None = None
    slots: Mapping[str, str] = field(default_factory=dict)  # filled fields, from a web form
    category: str | None = None  # a topic the person chose themselves, on a web form


@dataclass(frozen=True, slots=True)
class DialogueState:
    """Where a conversation stands between turns; stored as JSON on the conversation."""

    phase: Phase = Phase.IDLE
    text: str = ""  # the problem as told so far, newest paragraph last
    subject: str = ""
    category: str | None = None
    confidence: float = 0.0
    kind: str = "incident"
    impact: str = "individual"
    urgency: str = "medium"
    reasons: tuple[Mapping[str, Any], ...] = ()
    alternatives: tuple[Mapping[str, Any], ...] = ()
    model: str = ""
    slots: Mapping[str, str] = field(default_factory=dict)
    pending: str | None = None  # the slot whose question is open
    asked: tuple[str, ...] = ()
    skipped: tuple[str, ...] = ()
    failures: int = 0  # in a row, on the open question
    shown: tuple[str, ...] = ()  # article ids offered in this request
    read: tuple[str, ...] = ()  # of those shown, the ones whose text was on the screen; of the others only the title was
    refused: tuple[str, ...] = ()
    editing: bool = False
    ticket_id: str | None = None  # the request that ADDING, RATING or a confirmation is about
    attachments: int = 0

    def to_json(self) -> dict[str, Any]:
        """Plain JSON without the defaults, so that an idle conversation stores `{}`."""
        blank = asdict(DialogueState())
        return {name: value for name, value in asdict(self).items() if value != blank[name]}

    @classmethod
    def from_json(cls, data: Mapping[str, Any] | None) -> "DialogueState":
        """Read what `to_json` wrote; fields of another version are ignored."""
        known: dict[str, Any] = {}
        for name in cls.__dataclass_fields__:
            if data and name in data:
                value = data[name]
                known[name] = tuple(value) if isinstance(value, list) else value
        if "phase" in known:
            known["phase"] = Phase(known["phase"])
        return cls(**known)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What the desk knows when a turn begins. Read once, never changed."""

    manner: Manner
    state: DialogueState
    language: str | None  # of the conversation; None while nothing was said yet
    contact_language: str | None
    inbox_language: str
    languages: tuple[str, ...]
    contact_name: str
    known: Mapping[str, str]  # of the contact: "email", "phone", "location", ...
    active: OpenRequest | None
    requests: tuple[OpenRequest, ...]
    resolved: OpenRequest | None  # a request of this conversation that awaits "solved?"
    working_now: bool
    next_open: datetime | None
    now: datetime  # in the person's zone
    first_contact: bool = False


# --- what a turn answers with ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Button:
    """A choice under a message. `action` and `value` come back as a `Press`; on a mail or page it is rendered as text or link."""

    label: str
    action: str
    value: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Say:
    """A reply by its key in the desk's replies (`utter_<key>`), or `text` ready made; `{name}` placeholders come from `params`."""

    key: str
    params: Mapping[str, Any] = field(default_factory=dict)
    text: str | None = None
    buttons: tuple[tuple[Button, ...], ...] = ()  # rows


@dataclass(frozen=True, slots=True)
class OpenTicket:
    """Open a request from the state of this turn; the flow adds number, route, promise and says so."""

    subject: str
    text: str
    category: str | None
    kind: str
    impact: str
    urgency: str
    slots: Mapping[str, str]
    confidence: float
    reasons: tuple[Mapping[str, Any], ...] = ()
    alternatives: tuple[Mapping[str, Any], ...] = ()
    model: str = ""
    tags: tuple[str, ...] = ()
    shown: tuple[str, ...] = ()
    read: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()
    tried: tuple[str, ...] = ()  # sentences that tell what the person did about it
    mood: str = "calm"
    questions: tuple[str, ...] = ()  # slot names still open, for the one letter of e-mail
    articles: tuple[str, ...] = ()  # article ids to put into the acknowledgement of e-mail
    notice: str = ""  # what the acknowledgement of e-mail says before anything else


@dataclass(frozen=True, slots=True)
class HandOver:
    """Give the baton to the queue; where no request is open the turn also opens one."""

    reason: str  # person_asked | failures | human_now | complaint | error


@dataclass(frozen=True, slots=True)
class AddToTicket:
    """File what was heard under this request and tell its people; `text` holds words of an earlier turn that belong there too."""

    ticket_id: str
    text: str = ""


@dataclass(frozen=True, slots=True)
class FillSlots:
    """Answers to open questions of an already opened request (mail, "add details")."""

    ticket_id: str
    slots: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class ArticleFeedback:
    article_id: str
    verdict: str  # shown | helped | refused


@dataclass(frozen=True, slots=True)
class ConfirmSolved:
    ticket_id: str
    solved: bool


@dataclass(frozen=True, slots=True)
class CancelTicket:
    ticket_id: str


@dataclass(frozen=True, slots=True)
class RateTicket:
    ticket_id: str
    score: int | None = None
    comment: str | None = None


@dataclass(frozen=True, slots=True)
class ListRequests:
    """Show the person's requests, newest first, from `offset`."""

    offset: int = 0


@dataclass(frozen=True, slots=True)
class ShowRequest:
    ticket_id: str


@dataclass(frozen=True, slots=True)
class UseRequest:
    """Make this request the active one of the conversation; None starts afresh (`/new`)."""

    ticket_id: str | None


@dataclass(frozen=True, slots=True)
class SetLanguage:
    language: str


Action = (
    OpenTicket
    | HandOver
    | AddToTicket
    | FillSlots
    | ArticleFeedback
    | ConfirmSolved
    | CancelTicket
    | RateTicket
    | ListRequests
    | ShowRequest
    | UseRequest
    | SetLanguage
)


@dataclass(frozen=True, slots=True)
class Looked:
    """Articles were looked for with a person's words; `shown` are those that were sure enough, often none."""

    text: str
    category: str | None
    shown: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Turn:
    """The whole outcome of one turn: replies in order, actions in order, and where the dialogue stands after it."""

    language: str
    intent: Intent
    state: DialogueState
    replies: tuple[Say, ...] = ()
    actions: tuple[Action, ...] = ()
    triage: Triage | None = None
    looked: Looked | None = None


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
