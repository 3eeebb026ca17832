"""Talk about requests that exist: status, additions, cancelling, "solved?", stars, and the way to a person. Pure."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any

from desk_core.kit.i18n import translate
from nlu import labels, lexicon, questions
from nlu.scene import BUILDING, Scene, hand_over, judged, told
from nlu.text import stems
from nlu.turn import (
    AddToTicket,
    CancelTicket,
    ConfirmSolved,
    DialogueState,
    InviteColleague,
    ListRequests,
    OpenRequest,
    Phase,
    RateTicket,
    Say,
    ShowRequest,
    Turn,
    UseRequest,
)
from nlu.understood import Band, Intent

# Below this "it is a report" says nothing; the caption of a picture must not be asked about as if it were another story.
SURE = 0.5
# One word that no other subject has is enough; the same topic alone is not.
LIKE, SAME_TOPIC = 1.0, 0.5

STAR_WORDS = {
    "1": 1,
    "2": 2,
    "3": 3,
    "4": 4,
    "5": 5,
    "один": 1,
    "два": 2,
    "три": 3,
    "четыре": 4,
    "пять": 5,
    "отлично": 5,
    "five": 5,
    "four": 4,
    "three": 3,
    "two": 2,
    "one": 1,
}


def to_person(scene: Scene, *, reason: str = "person_asked") -> Turn:
    """A person is asked for: at once, with everything collected, in any state."""
    state = scene.state
    if state.phase not in BUILDING:
        state = replace(DialogueState(), text=state.text if state.phase is Phase.CHOOSING else "")
    state = told(state, scene.text, attachments=scene.heard.attachments)
    if state.text and state.category is None and lexicon.intent_of(state.text) is not Intent.HUMAN:
        triage = scene.judge(state.text)
        state = judged(state, triage, category=scene.tools.category(triage.category))
    return hand_over(scene, state, reason=reason, intent=Intent.HUMAN)


# --- status and lists --------------------------------------------------------------------------------------------------


def status(scene: Scene) -> Turn:
    """How the person's request stands: the one named by number, the active one, the only one, or the list."""
    requests = scene.snapshot.requests
    number = lexicon.request_number(scene.text)
    named = next((request for request in requests if number is not None and request.number == number), None)
    if number is not None and named is None:
        return unknown_number(scene, number)
    found = named or scene.snapshot.active or scene.snapshot.resolved or (requests[0] if len(requests) == 1 else None)
    if found is not None:
        return questions.aside(scene, tell_status(scene, found), intent=Intent.STATUS)
    if requests:
        return questions.aside(scene, actions=(ListRequests(),), intent=Intent.STATUS)
    buttons = [[scene.button("new")]] if scene.state.phase is Phase.IDLE else []
    return questions.aside(scene, scene.say("status_none", buttons=buttons), intent=Intent.STATUS)


def unknown_number(scene: Scene, number: int) -> Turn:
    """A number that is none of this person's: said in the same words whether somebody else has it or nobody."""
    requests = scene.snapshot.requests
    buttons = [] if requests or scene.state.phase is not Phase.IDLE else [[scene.button("new")]]
    reply = scene.own("status_unknown", labels.UNKNOWN_NUMBER, number=str(number), buttons=buttons)
    return questions.aside(scene, reply, actions=(ListRequests(),) if requests else (), intent=Intent.STATUS)


def tell_status(scene: Scene, request: OpenRequest) -> Say:
    state = labels.STATES.get(request.status)
    return scene.say(
        "status",
        number=request.number,
        subject=request.subject,
        state=translate(scene.language, state) if state else request.status,
        promise=request.promise or "",
        buttons=[[scene.button("add", ticket=request.ticket_id), scene.button("cancel_request", ticket=request.ticket_id)]]
        if scene.state.phase is Phase.IDLE
        else [],
    )


def press_status(scene: Scene, ticket_id: str) -> Turn:
    request = questions.request_of(scene, ticket_id)
    if request is None:
        return questions.aside(scene, actions=(ShowRequest(ticket_id=ticket_id),))
    return questions.aside(scene, tell_status(scene, request), intent=Intent.STATUS)


def show(scene: Scene, ticket_id: str) -> Turn:
    return questions.aside(scene, actions=(ShowRequest(ticket_id=ticket_id),))


def list_mine(scene: Scene, offset: object = 0) -> Turn:
    start = offset if isinstance(offset, int) and not isinstance(offset, bool) and offset >= 0 else 0
    return questions.aside(scene, actions=(ListRequests(offset=start),))


def number_of(scene: Scene) -> int | None:
    """The number behind a command, written with or without its sign."""
    return lexicon.request_number(f"#{scene.text.lstrip('#№ ')}")


def invite(scene: Scene) -> Turn:
    """Somebody else is to join the request named by number, the one that is talked about, or the only one."""
    requests, number = scene.snapshot.requests, number_of(scene)
    named = next((request for request in requests if number is not None and request.number == number), None)
    if number is not None and named is None:
        return unknown_number(scene, number)
    found = named or scene.snapshot.active or scene.snapshot.resolved or (requests[0] if len(requests) == 1 else None)
    if found is not None:
        return questions.aside(scene, actions=(InviteColleague(found.ticket_id),))
    if requests:
        return questions.aside(scene, scene.own("invite_which", labels.INVITE_WHICH), actions=(ListRequests(),))
    return status(scene)


# --- adding ------------------------------------------------------------------------------------------------------------


def start_adding(scene: Scene, ticket_id: str) -> Turn:
    """The next text belongs to this request; words that were waiting for the choice go there at once."""
    state = scene.state
    if state.phase is Phase.CHOOSING and ticket_id in questions.choices(scene, state):
        return add_waiting(scene, ticket_id)
    if state.phase in BUILDING:
        return stale(scene)
    state = DialogueState(phase=Phase.ADDING, ticket_id=ticket_id)
    resumed = (scene.say("resume"),) if scene.state == state else ()
    return scene.turn(state, *resumed, questions.ask_addition(scene), actions=(UseRequest(ticket_id=ticket_id),))


def added(scene: Scene, ticket_id: str, *, intent: Intent | None = None) -> Turn:
    """File what was heard under a request and say so."""
    request = questions.request_of(scene, ticket_id)
    reply = scene.say("added", number=request.number if request else "")
    return scene.turn(DialogueState(), reply, actions=(AddToTicket(ticket_id=ticket_id),), intent=intent)


def add_waiting(scene: Scene, ticket_id: str) -> Turn:
    """The words waiting in the state belong to this request, and so do those that follow."""
    request = questions.request_of(scene, ticket_id)
    actions: tuple[Any, ...] = (AddToTicket(ticket_id=ticket_id, text=scene.state.text),)
    if scene.snapshot.resolved is not None and scene.snapshot.resolved.ticket_id == ticket_id:
        actions = (ConfirmSolved(ticket_id=ticket_id, solved=False), *actions)
    if scene.snapshot.active is not None and scene.snapshot.active.ticket_id != ticket_id:
        actions = (*actions, UseRequest(ticket_id=ticket_id))
    return scene.turn(DialogueState(), scene.say("added", number=request.number if request else ""), actions=actions)


def use(scene: Scene, ticket_id: str) -> Turn:
    """The person switches to another of their requests: what follows belongs to it."""
    request = questions.request_of(scene, ticket_id)
    if request is None or scene.state.phase in BUILDING:
        return stale(scene)
    reply = scene.own("switched", labels.SWITCHED, name=f"#{request.number} · {request.subject}")
    return scene.turn(DialogueState(), reply, actions=(UseRequest(ticket_id=ticket_id),))


def is_clearly_new(scene: Scene, request: OpenRequest) -> bool:
    """Whether a text is surely about something else than this request; where the person points at the request themselves, it is not."""
    triage = scene.triage
    return (
        not scene.heard.pointed
        and triage.intent in {Intent.REPORT, Intent.ASK}
        and triage.intent_confidence >= SURE
        and triage.band is Band.ACT
        and triage.category is not None
        and triage.category != request.category
        and not lexicon.says_again(scene.text)
    )


@lru_cache(maxsize=2048)
def _stems_of(subject: str) -> frozenset[str]:
    """The telling stems of a subject; those of a person's open requests are asked for with each of their messages."""
    return frozenset(stem for stem in stems(subject) if len(stem) > 2)


def closer(scene: Scene, active: OpenRequest) -> OpenRequest | None:
    """Another open request of this person that a text is about rather than the active one; None where nothing speaks for it.

    Nor where the person points at the active one themselves.
    """
    if scene.heard.pointed:
        return None
    open_ones = {request.ticket_id: request for request in (active, *scene.snapshot.requests)}
    words = {stem for stem in stems(scene.text) if len(stem) > 2}
    subjects = {ident: _stems_of(request.subject) for ident, request in open_ones.items()}
    # A word that stands in several subjects tells them apart the less.
    spread = Counter(stem for subject in subjects.values() for stem in subject)
    topic = scene.triage.category if scene.triage.band is Band.ACT else None

    def likeness(ident: str) -> float:
        shared = sum(1 / spread[stem] for stem in sorted(words & subjects[ident]))
        return shared + (SAME_TOPIC if topic is not None and open_ones[ident].category == topic else 0.0)

    others = [ident for ident in open_ones if ident != active.ticket_id]
    best = max(others, key=likeness, default=None)
    if best is None or likeness(best) < LIKE or likeness(best) <= likeness(active.ticket_id):
        return None
    return open_ones[best]


def alike(scene: Scene) -> OpenRequest | None:
    """A request of this person that a new text is likely about: the same topic, and words of its subject or "again"."""
    triage = scene.triage
    if triage.band is not Band.ACT or triage.human_now:
        return None
    words = set(stems(scene.text))
    return next(
        (
            request
            for request in scene.snapshot.requests
            if request.category == triage.category
            and request.status != "resolved"
            and (lexicon.says_again(scene.text) or not words.isdisjoint(_stems_of(request.subject)))
        ),
        None,
    )


def ask_which(scene: Scene, request: OpenRequest) -> Turn:
    """Keep the words and ask whether they belong to this request or are a new one."""
    state = told(DialogueState(), scene.text, attachments=scene.heard.attachments)
    state = replace(state, phase=Phase.CHOOSING, ticket_id=request.ticket_id)
    return scene.turn(state, questions.ask_about(scene, state))


def cancel_request(scene: Scene, ticket_id: str) -> Turn:
    request = questions.request_of(scene, ticket_id)
    if request is None:
        return stale(scene)
    reply = scene.say("request_cancelled", number=request.number)
    # The dialogue may be in the middle of another request; that one goes on.
    state = scene.state if scene.state.ticket_id != ticket_id else DialogueState()
    return questions.aside(scene, reply, state=state, actions=(CancelTicket(ticket_id=ticket_id),))


# --- solved? and stars -------------------------------------------------------------------------------------------------


def solved(scene: Scene, request: OpenRequest) -> Turn:
    state = DialogueState(phase=Phase.RATING, ticket_id=request.ticket_id)
    return scene.turn(
        state,
        questions.ask_rating(scene, state),
        actions=(ConfirmSolved(ticket_id=request.ticket_id, solved=True),),
        intent=Intent.CONFIRM,
    )


def not_solved(scene: Scene, request: OpenRequest) -> Turn:
    """Reopen; what was said goes to the request, and a bare "no" waits for what is wrong."""
    bare = not scene.text or lexicon.intent_of(scene.text) is Intent.DENY
    actions: tuple[Any, ...] = (ConfirmSolved(ticket_id=request.ticket_id, solved=False),)
    if scene.text or scene.heard.attachments:
        actions = (*actions, AddToTicket(ticket_id=request.ticket_id))
    state = DialogueState(phase=Phase.ADDING, ticket_id=request.ticket_id) if bare else DialogueState()
    replies = (scene.say("reopened", number=request.number), *((questions.ask_addition(scene),) if bare else ()))
    return scene.turn(state, *replies, actions=actions, intent=Intent.DENY)


def press_solved(scene: Scene, ticket_id: str, *, yes: bool) -> Turn:
    request = scene.snapshot.resolved
    if request is None or request.ticket_id != ticket_id or scene.state.phase in BUILDING:
        return stale(scene)
    return solved(scene, request) if yes else not_solved(scene, request)


def rate(scene: Scene, value: Mapping[str, Any]) -> Turn:
    """A star pressed; it may be pressed again later, also in the middle of something else."""
    ticket_id, score = value.get("ticket"), stars_of(value.get("score"))
    if not isinstance(ticket_id, str) or not ticket_id or score is None:
        return stale(scene)
    action = RateTicket(ticket_id=ticket_id, score=score)
    if scene.state.phase in {Phase.IDLE, Phase.RATING}:
        return rated(scene, ticket_id, score)
    return questions.aside(scene, scene.say("rated"), actions=(action,))


def rated(scene: Scene, ticket_id: str, score: int) -> Turn:
    state = DialogueState(phase=Phase.RATING_COMMENT, ticket_id=ticket_id)
    return scene.turn(state, questions.ask_comment(scene), actions=(RateTicket(ticket_id=ticket_id, score=score),))


def stars_of(value: object) -> int | None:
    """A number of stars 1..5 out of a button's value or a word."""
    word = lexicon.plain(str(value)).split(" ")[0] if isinstance(value, str | int) and not isinstance(value, bool) else ""
    return STAR_WORDS.get(word)


def comment(scene: Scene) -> Turn:
    """Words after the stars are their comment; a way to a new request stays in sight."""
    ticket_id = scene.state.ticket_id or ""
    thanks = scene.say("rated", buttons=[[scene.button("new")]])
    if lexicon.intent_of(scene.text) in {Intent.SKIP, Intent.THANKS, Intent.DENY, Intent.CONFIRM, Intent.BACK}:
        return scene.turn(DialogueState(), thanks)
    return scene.turn(DialogueState(), thanks, actions=(RateTicket(ticket_id=ticket_id, comment=scene.text),))


def stale(scene: Scene) -> Turn:
    """A button from another moment files nothing and is answered; the open question comes again."""
    return questions.aside(scene, scene.say("stale_button"))
