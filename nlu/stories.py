"""Stories: what a person says and presses, and what the bot has to make of it, written in YAML and played without a desk.

A story names the channel, what the person has open, the turns, and the end. It expects acts, slots and states, never wording.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal, cast

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from desk_core.kit.errors import DeskError
from desk_core.kit.i18n import gettext_noop as _
from nlu.rehearsal import Rehearsal, buttons
from nlu.turn import (
    Action,
    AddToTicket,
    ArticleFeedback,
    CancelTicket,
    ConfirmSolved,
    FillSlots,
    HandOver,
    Heard,
    InviteColleague,
    JoinRequest,
    LeaveNamed,
    LeaveRequest,
    ListRequests,
    Manner,
    OpenRequest,
    OpenTicket,
    Phase,
    Press,
    ProveEmail,
    RateTicket,
    SetLanguage,
    ShowMe,
    ShowRequest,
    Turn,
    UseRequest,
)
from nlu.understood import Hit, Intent, Tools

ANY = "*"
"""In a story: some value, whichever."""


class StoryUnreadable(DeskError):
    """A file of stories is not in their format."""

    code, status, text = "story_unreadable", 422, _("The stories of %(file)s cannot be read: %(reason)s")


class _Written(BaseModel):
    """Something a person wrote in YAML: what is not in the format is a mistake, not a remark."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Expected(_Written):
    """What a turn must come to; only what is written is compared.

    `topic` takes a category or the first level alone. `does` is every act in order, but for articles shown. `says` and `offers` are
    replies and buttons that must be among the others.
    """

    phase: Phase | None = None
    intent: Intent | list[Intent] | None = None
    language: str | None = None
    asks: str | None = None
    topic: str | None = None
    slots: Mapping[str, str] = {}
    does: list[str] | None = None
    says: list[str] = []
    never_says: list[str] = []
    offers: list[str] = []
    why: str | None = None
    urgency: str | None = None
    impact: str | None = None


class Told(_Written):
    """One turn of the person: words, files, a command, a button, or a page; and what is expected then."""

    say: str | None = None
    subject: str | None = None
    files: int = 0
    command: str | None = None
    press: str | None = None
    value: Mapping[str, Any] = {}
    fields: Mapping[str, str] = {}
    topic: str | None = None
    then: Expected = Expected()

    @model_validator(mode="after")
    def _says_something(self) -> "Told":
        if self.say is None and self.subject is None and not (self.files or self.command or self.press or self.topic):
            raise ValueError("a turn needs one of say, subject, files, command, press, topic")
        return self


class Open(_Written):
    """A request that the person has when the story begins."""

    number: int = 1042
    topic: str | None = None
    subject: str = "VPN"
    status: str = "open"


class Ending(_Written):
    """What is left when the story is over: where the dialogue stands, and the topics of the requests that are open."""

    phase: Phase | None = None
    requests: list[str | None] | None = None


class Story(_Written):
    """One story. `about` is the request its conversation is about, by number; `solved` one that awaits the person's word."""

    story: Annotated[str, Field(min_length=3)]
    channel: Literal["chat", "mail", "form"] = "chat"
    language: str = "ru"
    articles: bool = False  # without them a story does not change when somebody writes an article
    open: list[Open] = []
    about: int | None = None
    solved: int | None = None
    known: Mapping[str, str] = {}
    working_hours: bool = True
    turns: Annotated[list[Told], Field(min_length=1)]
    end: Ending = Ending()


class _File(_Written):
    stories: list[Story]


@dataclass(frozen=True, slots=True)
class Difference:
    """Where a story went another way. `turn` counts from 1; 0 is the end."""

    turn: int
    said: str
    what: str
    expected: str
    got: str


def read(text: str, *, file: str) -> list[Story]:
    """The stories of a file; raises `StoryUnreadable` with the place and the reason."""
    try:
        return _File.model_validate(yaml.safe_load(text)).stories
    except yaml.YAMLError as error:
        raise StoryUnreadable(file=file, reason=" ".join(str(error).split())[:300]) from error
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise StoryUnreadable(file=file, reason=f"{place}: {first['msg']}") from error


def play(story: Story, tools: Tools) -> list[Difference]:
    """Tell a story to the bot; the differences, none where it went as written."""
    having = {one.number: OpenRequest(f"t{one.number}", one.number, one.subject, one.status, one.topic, "14:30") for one in story.open}
    talk = Rehearsal(
        tools=tools if story.articles else cast("Tools", _EmptyShelf(tools)),
        manner=Manner(story.channel),
        contact_language=story.language,
        known=story.known,
        requests=tuple(having.values()),
        active=having.get(story.about or 0),
        resolved=having.get(story.solved or 0),
        working_now=story.working_hours,
    )
    different: list[Difference] = []
    for place, told in enumerate(story.turns, 1):
        heard = _heard(told, talk.last)
        said = told.say if told.say is not None else next((one for one in (told.press, told.command, told.subject) if one), "files")
        if heard is None:
            offered = ", ".join(sorted({button.action for button in buttons(talk.last)})) if talk.last else ""
            different.append(Difference(place, said, "button", str(told.press), offered or "no buttons"))
            return different
        turn = talk.hears(heard)
        different.extend(Difference(place, said, *one) for one in _unlike(told.then, turn))
    left = [request.category for request in talk.requests]
    if story.end.phase not in {None, talk.state.phase}:
        different.append(Difference(0, "", "phase", _words(story.end.phase), talk.state.phase))
    wanted = story.end.requests
    if wanted is not None and (len(wanted) != len(left) or not all(_is_topic(*pair) for pair in zip(wanted, left, strict=True))):
        different.append(Difference(0, "", "requests", _words(wanted), _words(left)))
    return different


def _heard(told: Told, last: Turn | None) -> Heard | None:
    """What the bot hears; None where the story presses what is not on the screen."""
    press = None
    if told.press is not None:
        shown = buttons(last) if last is not None else []
        fitting = (one for one in shown if one.action == told.press and told.value.items() <= one.value.items())
        button = next(fitting, None)
        if button is None:
            return None
        press = Press(button.action, button.value)
    return Heard(
        text=told.say or "",
        press=press,
        command=told.command,
        attachments=told.files,
        subject=told.subject,
        slots=told.fields,
        category=told.topic,
    )


def _unlike(expected: Expected, turn: Turn) -> list[tuple[str, str, str]]:
    """What was expected of a turn and is otherwise: the name, the expected and the real value."""
    opened = next((action for action in turn.actions if isinstance(action, OpenTicket)), None)
    about = opened or turn.state
    filled = {name: value for action in turn.actions if isinstance(action, FillSlots) for name, value in action.slots.items()}
    slots = {**about.slots, **filled}
    why = next((action.reason for action in turn.actions if isinstance(action, HandOver)), None)
    acts = [act_name(action) for action in turn.actions if not (isinstance(action, ArticleFeedback) and action.verdict == "shown")]
    said = [reply.key for reply in turn.replies]
    offered = [button.action for button in buttons(turn)]
    intents = expected.intent if isinstance(expected.intent, list) else [expected.intent]
    asked = (turn.state.pending or "") if opened is None else ", ".join(opened.questions)
    checks = (
        ("phase", expected.phase, turn.state.phase, turn.state.phase is expected.phase),
        ("intent", expected.intent, turn.intent, turn.intent in intents),
        ("language", expected.language, turn.language, turn.language == expected.language),
        ("asks", expected.asks, asked, asked == expected.asks or (expected.asks == ANY and bool(asked))),
        ("topic", expected.topic, about.category, _is_topic(expected.topic, about.category)),
        ("does", expected.does, acts, acts == expected.does),
        ("why", expected.why, why, why == expected.why),
        ("urgency", expected.urgency, about.urgency, about.urgency == expected.urgency),
        ("impact", expected.impact, about.impact, about.impact == expected.impact),
        ("says", expected.says or None, said, set(expected.says) <= set(said)),
        ("never_says", expected.never_says or None, said, not set(expected.never_says) & set(said)),
        ("offers", expected.offers or None, offered, set(expected.offers) <= set(offered)),
    )
    unlike = [(name, _words(wanted), _words(got)) for name, wanted, got, same in checks if wanted is not None and not same]
    for name, value in expected.slots.items():
        got = slots.get(name, "")
        if got != value and not (value == ANY and got):
            unlike.append((f"slot {name}", value, got))
    return unlike


def _is_topic(wanted: str | None, got: str | None) -> bool:
    """Whether a category is the wanted one or, where only the first level is wanted, belongs to it."""
    return wanted in {ANY, got, got.partition(".")[0] if got else None}


def _words(value: object) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(_words(one) for one in value) or "nothing"
    return "nothing" if value is None or value == "" else str(value)


def act_name(action: Action) -> str:
    """What a story calls an act."""
    match action:
        case OpenTicket():
            return "open"
        case HandOver():
            return "hand_over"
        case AddToTicket():
            return "add"
        case FillSlots():
            return "fill"
        case ArticleFeedback(verdict=verdict):
            return verdict
        case ConfirmSolved(solved=solved):
            return "solved" if solved else "reopen"
        case CancelTicket():
            return "cancel"
        case RateTicket():
            return "rate"
        case ListRequests():
            return "list"
        case ShowRequest():
            return "show"
        case UseRequest(ticket_id=ticket_id):
            return "switch" if ticket_id else "afresh"
        case JoinRequest():
            return "join"
        case LeaveRequest():
            return "leave"
        case LeaveNamed():
            return "leave"
        case InviteColleague():
            return "invite"
        case ShowMe():
            return "me"
        case ProveEmail():
            return "email"
        case SetLanguage():
            return "language"


class _EmptyShelf:
    """The desk's tools without its articles."""

    def __init__(self, tools: Tools) -> None:
        self._tools = tools

    def __getattr__(self, name: str) -> Any:
        return getattr(self._tools, name)

    def search(self, text: str, *, language: str, category: str | None, limit: int = 3) -> Sequence[Hit]:
        return ()

    def faq(self, *, language: str, limit: int = 5) -> Sequence[Hit]:
        return ()
