"""What the bot answers and does in one turn: `advance` is pure, instant, and has an answer for whatever is said or pressed."""

from dataclasses import replace

from nlu import (
    forms,
    labels,
    lexicon,
    policy_articles,
    policy_chat,
    policy_edits,
    policy_form,
    policy_letters,
    policy_requests,
    questions,
    reading,
)
from nlu.scene import BUILDING, Scene, shortened, spoken_language, storable
from nlu.turn import (
    DialogueState,
    Heard,
    JoinRequest,
    LeaveNamed,
    LeaveRequest,
    Manner,
    Phase,
    Press,
    ProveEmail,
    ShowMe,
    Snapshot,
    Turn,
    UseRequest,
)
from nlu.understood import Intent, Tools

MAX_HEARD = 100_000
READ_SHOWN = 120
_PHRASE_WORDS = 3


def advance(snapshot: Snapshot, heard: Heard, tools: Tools) -> Turn:
    """Decide one turn from what is known and what was heard; the same input always gives the same turn."""
    heard = replace(
        heard,
        text=storable(heard.text[:MAX_HEARD]).strip(),
        subject=storable(heard.subject)[:500].strip() if heard.subject else None,
        attachments=max(heard.attachments, 0),
    )
    meant = reread(snapshot, heard, tools)
    if meant is None:
        return answered(snapshot, heard, tools)
    turn = answered(snapshot, replace(heard, text=meant), tools)
    scene = Scene(snapshot=snapshot, heard=heard, tools=tools, language=turn.language)
    read_as = scene.own("read_as", labels.READ_AS, text=shortened(meant, READ_SHOWN))
    return replace(turn, replies=(read_as, *turn.replies)) if turn.replies else turn


def reread(snapshot: Snapshot, heard: Heard, tools: Tools) -> str | None:
    """What the words of a chat mean in another layout or alphabet; None where they stand. A login stays as it was typed."""
    if snapshot.manner is not Manner.CHAT or heard.press is not None or heard.edited is not None or heard.command not in {None, "new"}:
        return None
    if lexicon.intent_of(heard.text) is not None or lexicon.language_wish(heard.text):
        return None
    other = reading.other_layout(heard.text) if len(heard.text.split()) <= _PHRASE_WORDS else None
    meant = other if other is not None and lexicon.intent_of(other) is not None else reading.meant(heard.text)
    if meant is None:
        return None
    state = snapshot.state
    slot = forms.slot_named(tools.form(state.category), state.pending)
    free = state.phase in {Phase.ADDING, Phase.RATING_COMMENT} or (slot is not None and not forms.is_strict(slot))
    return None if free and lexicon.intent_of(meant) is None else meant


def answered(snapshot: Snapshot, heard: Heard, tools: Tools) -> Turn:
    """The turn for words that stand, or for a button or command."""
    scene = Scene(snapshot=snapshot, heard=heard, tools=tools, language=spoken_language(snapshot, heard, tools))
    if heard.press is not None:
        return pressed(scene, heard.press)
    if heard.edited is not None:
        return policy_edits.amended(scene, heard.edited)
    match snapshot.manner:
        case Manner.MAIL:
            return policy_letters.mail(scene)
        case Manner.FORM:
            return policy_letters.form(scene)
        case Manner.CHAT:
            return commanded(scene, heard.command.lower()) if heard.command else policy_chat.chat(scene)


# --- buttons -----------------------------------------------------------------------------------------------------------


def pressed(scene: Scene, press: Press) -> Turn:
    """A button pressed; one that no longer fits is answered and files nothing."""
    state = scene.state
    match press.action:
        case "human":
            return policy_requests.to_person(scene)
        case "new":
            return start_new(scene)
        case "mine":
            return policy_requests.list_mine(scene, press.value.get("offset", 0))
        case "faq":
            return policy_articles.faq(scene)
        case "lang":
            return policy_chat.set_language(scene, value_of(press, "language"))
        case "rate":
            return policy_requests.rate(scene, press.value)
        case "status" | "show" | "add" | "use" | "cancel_request" | "solved" | "not_solved" if value_of(press, "ticket"):
            return about_request(scene, press.action, value_of(press, "ticket"))
        case "join" | "join_in" | "rate_in" if value_of(press, "invitation"):
            return scene.turn(state, actions=(JoinRequest(value_of(press, "invitation")),))
        case "not_join":
            return scene.turn(state, scene.own("not_joined", labels.NOT_JOINED))
        case "not_join_in":
            return scene.turn(state, scene.own("not_joined", labels.NOT_JOINED_IN))
        case "leave" if value_of(press, "ticket"):
            return scene.turn(state, actions=(LeaveRequest(value_of(press, "ticket")),))
        case "prove_email":
            return questions.aside(scene, actions=(ProveEmail(),))
        case "cancel" if state.phase is not Phase.IDLE:
            return policy_chat.leave(scene)
        case "helped":
            turn = policy_articles.helped(scene, value_of(press, "article") or None, intent=Intent.CONFIRM)
        case "not_it":
            turn = policy_articles.not_it(scene, intent=Intent.DENY)
        case "together" if is_split(state):
            turn = policy_articles.together(scene)
        case "apart" if is_split(state):
            turn = policy_articles.apart(scene)
        case "article":
            turn = policy_articles.show(scene, value_of(press, "id"), page=press.value.get("page"))
        case "category":
            turn = policy_form.choose_category(scene, value_of(press, "key"))
        case "slot":
            turn = policy_form.press_slot(scene, value_of(press, "slot"), value_of(press, "value"))
        case "edit_slot":
            turn = policy_form.edit_slot(scene, value_of(press, "slot"))
        case "send" if state.phase is Phase.SUMMARY:
            turn = policy_form.send(scene, state, intent=Intent.CONFIRM)
        case "edit" if state.phase is Phase.SUMMARY:
            turn = policy_form.open_edit(scene, state)
        case "skip" if state.phase is Phase.FORM:
            turn = policy_form.skip(scene, state)
        case "skip" if state.phase is Phase.RATING_COMMENT:
            turn = scene.turn(DialogueState(), scene.say("rated"), intent=Intent.SKIP)
        case "back" if state.phase in {Phase.FORM, Phase.SUMMARY}:
            turn = policy_form.back(scene, state)
        case _:
            turn = None
    return turn or policy_requests.stale(scene)


def is_split(state: DialogueState) -> bool:
    """Whether "one request or two?" is open."""
    return state.phase is Phase.CHOOSING and state.ticket_id is None


def about_request(scene: Scene, action: str, ticket_id: str) -> Turn:
    match action:
        case "status":
            return policy_requests.press_status(scene, ticket_id)
        case "show":
            return policy_requests.show(scene, ticket_id)
        case "add":
            return policy_requests.start_adding(scene, ticket_id)
        case "use":
            return policy_requests.use(scene, ticket_id)
        case "cancel_request":
            return policy_requests.cancel_request(scene, ticket_id)
        case _:
            return policy_requests.press_solved(scene, ticket_id, yes=action == "solved")


def value_of(press: Press, name: str) -> str:
    """A button's value as text; whatever else was stored under the name counts as nothing."""
    value = press.value.get(name)
    return value if isinstance(value, str) else ""


# --- commands ----------------------------------------------------------------------------------------------------------


def commanded(scene: Scene, command: str) -> Turn:
    """A command; an unknown one is answered with help."""
    match command:
        case "start" if scene.snapshot.invitation:
            return invited(scene)
        case "start":
            buttons = questions.main_buttons(scene) if scene.state.phase is Phase.IDLE else ()
            return questions.aside(scene, scene.say("greet", name=scene.snapshot.contact_name, buttons=buttons), intent=Intent.GREET)
        case "new":
            return start_new(scene)
        case "me":
            return questions.aside(scene, actions=(ShowMe(),))
        case "email":
            return questions.aside(scene, actions=(ProveEmail(scene.text),))
        case "my":
            return policy_requests.list_mine(scene)
        case "invite":
            return policy_requests.invite(scene)
        case "leave":
            return questions.aside(scene, actions=(LeaveNamed(policy_requests.number_of(scene)),))
        case "faq":
            return policy_articles.faq(scene)
        case "lang":
            return policy_chat.set_language(scene, lexicon.language_wish(scene.text) or scene.text.lower())
        case "human":
            return policy_requests.to_person(scene)
        case "cancel":
            return policy_chat.leave(scene)
        case _:
            return questions.aside(scene, scene.say("help"), intent=Intent.HELP)


def invited(scene: Scene) -> Turn:
    """A link opened this chat: ask what it is for; an old link, or one that asks nothing of them, is told as such."""
    request, to = scene.snapshot.invited, scene.snapshot.invited_to
    if to == "group":
        return questions.aside(scene, scene.own("invited_in_group", labels.INVITED_IN_GROUP), intent=Intent.GREET)
    if request is None:
        buttons = questions.main_buttons(scene) if scene.state.phase is Phase.IDLE else ()
        return questions.aside(scene, scene.own("invitation_spent", labels.INVITATION_SPENT, buttons=buttons), intent=Intent.GREET)
    if to in labels.NOTHING_TO_CONFIRM:
        told = scene.own("invited", labels.NOTHING_TO_CONFIRM[to], number=request.number)
        return questions.aside(scene, told, intent=Intent.GREET)
    words, agree, refuse = labels.INVITED_TO[to]
    yes, no = scene.button(agree, invitation=scene.snapshot.invitation), scene.button(refuse)
    asked = scene.own("invited", words, number=request.number, subject=request.subject, buttons=((yes,), (no,)))
    return scene.turn(scene.state, asked, intent=Intent.GREET)


def start_new(scene: Scene) -> Turn:
    """Begin another request; words that waited for the choice begin it, a text after /new does too."""
    state = scene.state
    afresh = UseRequest(ticket_id=None)
    if state.phase is Phase.CHOOSING or (scene.text and scene.heard.press is None):
        waiting = state if state.phase is Phase.CHOOSING else DialogueState()
        turn = policy_articles.report(scene, waiting)
        return replace(turn, actions=(afresh, *turn.actions))
    left = (scene.say("cancelled"),) if state.phase in BUILDING and state.text else ()
    fresh = DialogueState(phase=Phase.PROBLEM, attachments=0)
    resumed = (scene.say("resume"),) if not left and state.phase is Phase.PROBLEM else ()
    return scene.turn(fresh, *left, *resumed, questions.ask_problem(scene, fresh), actions=(afresh,))
