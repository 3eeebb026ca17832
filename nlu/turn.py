"""The words of a dialogue turn: what was heard, what is known, what is answered and done. Data only, no behaviour but (de)serialisation.

The gateway builds a `Snapshot` and a `Heard`, `nlu.dialogue.advance` answers with a `Turn`, and the gateway applies it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from nlu.understood import Intent, Mood, Triage


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
class Edited:
    """What words said before they were changed, and whether they are the last that the person wrote."""

    before: str
    is_last: bool = False


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
    under: tuple[tuple[str, str], ...] = ()  # in a letter: a quoted line, and the words written under it
    edited: Edited | None = None  # the text stands in the place of an earlier one
    sealed: str = ""  # how a letter is encrypted of which not one word can be read: S/MIME, PGP
    pointed: bool = False  # it answers a message of the active request (or the resolved one), or names its number


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
        values = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return {name: value for name, value in values.items() if value != getattr(_BLANK, name)}

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


_BLANK = DialogueState()


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
    invited: OpenRequest | None = None  # the request whose link opened this chat
    invitation: str = ""  # what marks that link; where it is "spent", nothing can be opened with it
    invited_to: str = ""  # what the link is for: continue, join, rate; own, on_it, group where nothing is to be confirmed


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
    mood: Mood = Mood.CALM
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
class JoinRequest:
    """The person confirmed what a link asked: the request is theirs, or they join it. The flow says what became of it."""

    invitation: str


@dataclass(frozen=True, slots=True)
class LeaveRequest:
    """They joined somebody's request and want to be on it no longer; the flow says what became of it."""

    ticket_id: str


@dataclass(frozen=True, slots=True)
class LeaveNamed:
    """The same by a request's number; without one it is the only one that they have joined, or they are asked which."""

    number: int | None = None


@dataclass(frozen=True, slots=True)
class InviteColleague:
    """A link by which somebody else joins the person's own request; the flow makes it and says it."""

    ticket_id: str


@dataclass(frozen=True, slots=True)
class ShowMe:
    """Tell the person for whom the desk takes them, and let them prove a phone and an address."""


@dataclass(frozen=True, slots=True)
class ProveEmail:
    """A code goes to the address told, or the address is asked for; the flow says what became of it."""

    told: str = ""


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
    | JoinRequest
    | LeaveRequest
    | LeaveNamed
    | InviteColleague
    | ShowMe
    | ProveEmail
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
    known: str = ""  # while a form is open: what it holds already, a line for each answer
