"""Words in a chat: what they mean where the dialogue stands, and whose turn they are. Pure."""

from collections.abc import Sequence
from dataclasses import replace

from nlu import forms, lexicon, policy_articles, policy_form, policy_requests, questions, reading
from nlu.policy_form import FAILURES_TO_PERSON, STEERS
from nlu.scene import BUILDING, Scene, hand_over, judged, told
from nlu.turn import Button, DialogueState, Phase, Say, SetLanguage, Turn, UseRequest
from nlu.understood import Band, Intent

# Intents by which a person steers or chats rather than tells; a model's word on them counts when it is sure.
_TELLING = frozenset({Intent.REPORT, Intent.ASK, Intent.ADD_DETAILS, Intent.UNKNOWN})

SURELY_STEERS = 0.9
# Below this on a word or two the model has recognised nothing at all.
_GUESSES = 0.3


def chat(scene: Scene) -> Turn:
    """One text or file in a chat."""
    text, state = scene.text, scene.state
    if not text:
        return files_only(scene) if scene.heard.attachments else questions.aside(scene)
    if wish := lexicon.language_wish(text):
        return set_language(scene, wish)
    if meant(scene) is Intent.HUMAN:
        return policy_requests.to_person(scene)
    if lexicon.asks_to_repeat(text) and state.phase in BUILDING | {Phase.CHOOSING}:
        return questions.aside(scene, intent=Intent.HELP)
    if reading.is_mashed(text) and may_misread(scene):
        return policy_form.failed(scene) if state.phase is Phase.FORM else nonsense(scene)
    match state.phase:
        case Phase.IDLE:
            return idle(scene)
        case Phase.PROBLEM:
            return story(scene)
        case Phase.ARTICLES:
            return articles(scene)
        case Phase.FORM:
            return form(scene)
        case Phase.SUMMARY:
            return card(scene)
        case Phase.CHOOSING:
            return choosing(scene)
        case Phase.ADDING:
            return adding(scene)
        case Phase.RATING:
            return rating(scene)
        case Phase.RATING_COMMENT:
            return policy_requests.comment(scene)


def may_misread(scene: Scene) -> bool:
    """Whether words are for the bot to understand: not those for an open request, nor a free answer such as a login."""
    state, snapshot = scene.state, scene.snapshot
    if state.phase is Phase.IDLE:
        return snapshot.active is None and snapshot.resolved is None
    slot = forms.slot_named(scene.form(state), state.pending)
    return state.phase in BUILDING and (slot is None or forms.is_strict(slot))


def meant(scene: Scene) -> Intent:
    """What a text means: a fixed phrase, a sure model, otherwise a telling."""
    fixed = lexicon.intent_of(scene.text)
    if fixed is not None:
        return fixed
    if lexicon.word_count(scene.text) == 0:
        return Intent.UNKNOWN
    triage = scene.triage
    if triage.intent in _TELLING:
        guessing = triage.intent_confidence < _GUESSES and triage.band is Band.ASK and lexicon.word_count(scene.text) <= 2
        return Intent.UNKNOWN if guessing and not lexicon.is_vague(scene.text) else triage.intent
    if triage.intent_confidence >= STEERS:
        return triage.intent
    return Intent.REPORT if triage.band is not Band.ASK else triage.intent if triage.intent_confidence >= 0.5 else Intent.REPORT


def small(scene: Scene, intent: Intent) -> Turn | None:
    """Greetings, thanks, status and the like are answered on the way; None where the words are something else."""
    at_rest = scene.state.phase is Phase.IDLE
    match intent:
        case Intent.GREET:
            buttons = questions.main_buttons(scene) if at_rest else ()
            return questions.aside(scene, scene.say("greet", name=scene.snapshot.contact_name, buttons=buttons), intent=intent)
        case Intent.THANKS:
            return questions.aside(scene, scene.say("thanks"), intent=intent)
        case Intent.STATUS:
            return policy_requests.status(scene)
        case Intent.HELP:
            buttons = questions.main_buttons(scene) if at_rest else ()
            return questions.aside(scene, scene.say("help", buttons=buttons), intent=intent)
        case Intent.SMALLTALK:
            return questions.aside(scene, scene.say("smalltalk"), intent=intent)
        case Intent.LANGUAGE:
            return questions.aside(scene, questions.ask_language(scene), intent=intent)
        case Intent.OUT_OF_SCOPE:
            buttons = ((scene.button("faq"), scene.button("human")),)
            return questions.aside(scene, scene.say("out_of_scope", buttons=buttons), intent=intent)
        case _:
            return None


def leave(scene: Scene) -> Turn:
    """Leave whatever is open, and say so; where nothing is, say what can be cancelled."""
    if scene.state.phase is not Phase.IDLE:
        return scene.turn(DialogueState(), scene.say("cancelled"), intent=Intent.CANCEL)
    active = scene.snapshot.active
    buttons = [[scene.button("cancel_request", ticket=active.ticket_id)]] if active else []
    return scene.turn(scene.state, scene.say("nothing_to_cancel", buttons=buttons), intent=Intent.CANCEL)


# --- by phase ----------------------------------------------------------------------------------------------------------


def idle(scene: Scene) -> Turn:
    """Nothing is open: an answer to "solved?", words for the active request, or a new story."""
    snapshot = scene.snapshot
    intent = meant(scene)
    if intent is Intent.CANCEL:
        return leave(scene)
    if snapshot.resolved is not None:
        turn = after_resolution(scene, intent)
        if turn is not None:
            return turn
    # "Thanks, it works" is news for whoever works on the open request.
    news = intent is Intent.OUT_OF_SCOPE or (intent is Intent.THANKS and lexicon.reports_success(scene.text))
    if snapshot.active is None or not news:
        answered = small(scene, intent)
        if answered is not None:
            return answered
    if scene.triage.human_now:
        return policy_articles.report(scene, scene.state, intent=intent)
    if snapshot.active is not None:
        if (other := policy_requests.closer(scene, snapshot.active)) is not None:
            return policy_requests.ask_which(scene, other)
        if policy_requests.is_clearly_new(scene, snapshot.active):
            return policy_requests.ask_which(scene, snapshot.active)
        turn = policy_requests.added(scene, snapshot.active.ticket_id, intent=intent)
        return replace(turn, replies=(*turn.replies, calm(scene))) if intent is Intent.COMPLAINT else turn
    return fresh(scene, intent)


def after_resolution(scene: Scene, intent: Intent) -> Turn | None:
    """The desk asked "solved?" and somebody speaks; None where the words are not about it."""
    resolved = scene.snapshot.resolved
    if resolved is None:
        return None
    if intent is Intent.CONFIRM or lexicon.says_solved(scene.text):
        return policy_requests.solved(scene, resolved)
    if intent is Intent.DENY:
        return policy_requests.not_solved(scene, resolved)
    asked = [[scene.button("solved", ticket=resolved.ticket_id), scene.button("not_solved", ticket=resolved.ticket_id)]]
    if intent is Intent.THANKS:
        return scene.turn(scene.state, scene.say("thanks", buttons=asked), intent=intent)
    if intent is Intent.UNKNOWN:
        return nonsense(scene, asked=asked)
    if intent in {Intent.REPORT, Intent.ASK, Intent.ADD_DETAILS, Intent.COMPLAINT} and not scene.triage.human_now:
        if not lexicon.denies(scene.text) and policy_requests.is_clearly_new(scene, resolved):
            return policy_requests.ask_which(scene, resolved)
        return policy_requests.not_solved(scene, resolved)
    return None


def fresh(scene: Scene, intent: Intent) -> Turn:
    """A text with nothing before it."""
    match intent:
        case Intent.CONFIRM | Intent.DENY | Intent.BACK | Intent.SKIP | Intent.EDIT:
            return scene.turn(scene.state, scene.say("anything_else", buttons=questions.main_buttons(scene)), intent=intent)
        case Intent.COMPLAINT:
            return complaint(scene)
        case Intent.UNKNOWN if scene.triage.band is Band.ASK:
            return nonsense(scene)
        case _ if (split := policy_articles.ask_split(scene)) is not None:
            return split
        case _ if (alike := policy_requests.alike(scene)) is not None:
            return policy_requests.ask_which(scene, alike)
        case _:
            return policy_articles.report(scene, scene.state, intent=intent)


def story(scene: Scene) -> Turn:
    """The person was asked what happened."""
    intent = meant(scene)
    if intent is Intent.CANCEL:
        return leave(scene)
    if (answered := small(scene, intent)) is not None:
        return answered
    match intent:
        case Intent.CONFIRM | Intent.DENY | Intent.BACK | Intent.SKIP | Intent.EDIT:
            # "No" after a story was begun means that there is no more to tell.
            return policy_form.proceed(scene, scene.state, intent=intent) if scene.state.text else questions.aside(scene)
        case Intent.COMPLAINT if lexicon.word_count(scene.text) < 3:
            return complaint(scene)
        case Intent.UNKNOWN if scene.triage.band is Band.ASK:
            return nonsense(scene)
        case _ if not scene.state.text and (split := policy_articles.ask_split(scene)) is not None:
            return split
        case _:
            return policy_articles.report(scene, scene.state, intent=intent)


def articles(scene: Scene) -> Turn:
    intent = meant(scene)
    if intent is Intent.CANCEL:
        return leave(scene)
    if intent is Intent.BACK:
        state = replace(scene.state, phase=Phase.PROBLEM)
        return scene.turn(state, questions.ask_problem(scene, state), intent=intent)
    if intent is not Intent.THANKS and (answered := small(scene, intent)) is not None:
        return answered
    if intent is Intent.COMPLAINT and (turn := policy_articles.not_it(scene, intent=intent)) is not None:
        return replace(turn, replies=(scene.say("complaint"), *turn.replies))
    if intent is Intent.UNKNOWN and scene.triage.band is Band.ASK:
        return nonsense(scene)
    return policy_articles.more_words(scene)


def form(scene: Scene) -> Turn:
    """A question is open: an answer, a steering word, a side question, or a failure."""
    state = scene.state
    slot = forms.slot_named(scene.form(state), state.pending)
    fixed = lexicon.intent_of(scene.text)
    # "No" or "I don't know" may be one of the choices: a choice wins over steering.
    strict = slot is not None and forms.is_strict(slot)
    if strict and (turn := policy_form.answer(scene)) is not None:
        return turn
    if fixed is None and lexicon.word_count(scene.text) == 0:
        return policy_form.failed(scene)
    # A short free answer looks like anything to a model; only a very sure one may take it for small talk.
    needed = SURELY_STEERS if not strict and lexicon.word_count(scene.text) <= 3 else STEERS
    intent = fixed or (scene.triage.intent if scene.triage.intent_confidence >= needed else Intent.REPORT)
    match intent:
        case Intent.CANCEL:
            return leave(scene)
        case Intent.BACK | Intent.EDIT if fixed is not None:
            return policy_form.back(scene, state)
        case Intent.SKIP:
            return policy_form.skip(scene, state)
        case Intent.DENY if fixed is not None and slot is not None and not strict:
            return policy_form.skip(scene, state)
        case Intent.CONFIRM | Intent.DENY if fixed is not None:
            return policy_form.failed(scene)
        case Intent.COMPLAINT if slot is None or strict or lexicon.swears(scene.text):
            return complaint(scene)
        case Intent.OUT_OF_SCOPE:
            pass  # a serial number or a surname is out of every scope; it is an answer all the same
        case _ if (answered := small(scene, intent)) is not None:
            return answered
    if (aside := policy_articles.side_answer(scene)) is not None:
        return aside
    if scene.triage.human_now and scene.triage.band is Band.ACT and lexicon.word_count(scene.text) >= 3:
        return policy_articles.report(scene, state, intent=intent)
    return (None if strict else policy_form.answer(scene)) or policy_form.failed(scene)


def card(scene: Scene) -> Turn:
    """The card is on the screen."""
    state = scene.state
    intent = meant(scene)
    match intent:
        case Intent.CONFIRM:
            return policy_form.send(scene, state, intent=intent)
        case Intent.CANCEL:
            return leave(scene)
        case Intent.BACK:
            return policy_form.back(scene, state)
        case Intent.DENY if state.editing:
            return policy_form.show_summary(scene, state, intent=intent)
        case Intent.DENY | Intent.EDIT if lexicon.correction(scene.text) is None:
            return policy_form.open_edit(scene, state)
        case Intent.COMPLAINT:
            return complaint(scene)
        case Intent.SKIP:
            return questions.aside(scene, intent=intent)
        case Intent.UNKNOWN if lexicon.word_count(scene.text) == 0:
            return nonsense(scene)
        case Intent.OUT_OF_SCOPE:
            pass  # the person adds to their own card what they like
        case _ if (answered := small(scene, intent)) is not None:
            return answered
    if state.editing and (turn := named_slot(scene)) is not None:
        return turn
    return policy_articles.side_answer(scene) or policy_form.add_to_card(scene, state)


def named_slot(scene: Scene) -> Turn | None:
    """Somebody types what to change instead of pressing it."""
    words = lexicon.plain(scene.text)
    menu = questions.edit_menu(scene, scene.state)
    for row in menu.buttons:
        for button in row:
            if button.action == "edit_slot" and lexicon.plain(button.label) == words:
                return policy_form.edit_slot(scene, str(button.value.get("slot")))
    return None


def choosing(scene: Scene) -> Turn:
    """About the active request, or new? One request or two?"""
    intent = meant(scene)
    if scene.state.ticket_id is None and (turn := one_or_two(scene, intent)) is not None:
        return turn
    number = lexicon.request_number(f"#{scene.text.lstrip('#№ ')}")
    if number is not None or (intent is Intent.CONFIRM and len(questions.choices(scene, scene.state)) == 1):
        named = next((one.ticket_id for one in scene.snapshot.requests if one.number == number), scene.state.ticket_id)
        return policy_requests.add_waiting(scene, named or "")
    if intent is Intent.CONFIRM:
        return questions.aside(scene, intent=intent)
    if intent is Intent.CANCEL:
        return leave(scene)
    if (answered := small(scene, intent)) is not None:
        return answered
    # Words that tell more settle it: somebody who goes on explaining has a new story.
    turn = policy_articles.report(scene, scene.state, intent=intent)
    return replace(turn, actions=(UseRequest(ticket_id=None), *turn.actions))


def one_or_two(scene: Scene, intent: Intent) -> Turn | None:
    """The answer to "one request or two?"; None where it is none."""
    match lexicon.one_or_two(scene.text) if lexicon.word_count(scene.text) <= 4 else None:
        case 1:
            return policy_articles.together(scene)
        case 2:
            return policy_articles.apart(scene)
    if intent in {Intent.CONFIRM, Intent.DENY, Intent.UNKNOWN, Intent.SKIP, Intent.BACK, Intent.EDIT}:
        return questions.aside(scene, intent=intent)
    return None


def adding(scene: Scene) -> Turn:
    intent = lexicon.intent_of(scene.text)
    if intent is Intent.CANCEL:
        return leave(scene)
    if intent in {Intent.THANKS, Intent.STATUS, Intent.HELP, Intent.GREET} and (answered := small(scene, intent)) is not None:
        return answered
    return policy_requests.added(scene, scene.state.ticket_id or "", intent=intent or Intent.ADD_DETAILS)


def rating(scene: Scene) -> Turn:
    """Stars as a word; anything else leaves them, they can be pressed later."""
    score = policy_requests.stars_of(scene.text) if lexicon.word_count(scene.text) <= 2 else None
    if score is not None:
        return policy_requests.rated(scene, scene.state.ticket_id or "", score)
    if lexicon.intent_of(scene.text) in {Intent.SKIP, Intent.CANCEL, Intent.DENY, Intent.CONFIRM}:
        return scene.turn(DialogueState(), scene.say("thanks"), intent=Intent.SKIP)
    return idle(replace(scene, snapshot=replace(scene.snapshot, state=DialogueState())))


# --- what fits nowhere -------------------------------------------------------------------------------------------------


def files_only(scene: Scene) -> Turn:
    """Files without a word: to the active request, or kept until the story comes."""
    state = scene.state
    if state.phase is Phase.ADDING and state.ticket_id:
        return policy_requests.added(scene, state.ticket_id, intent=Intent.ADD_DETAILS)
    if state.phase in {Phase.IDLE, Phase.RATING, Phase.RATING_COMMENT}:
        current = scene.snapshot.active or scene.snapshot.resolved
        if current is not None:
            return policy_requests.added(scene, current.ticket_id, intent=Intent.ADD_DETAILS)
        state = DialogueState(phase=Phase.PROBLEM, attachments=scene.heard.attachments)
        return scene.turn(state, scene.say("only_attachment"), intent=Intent.ADD_DETAILS)
    return questions.aside(scene, state=told(state, "", attachments=scene.heard.attachments), intent=Intent.ADD_DETAILS)


def nonsense(scene: Scene, *, asked: Sequence[list[Button]] | None = None) -> Turn:
    """Words nobody understands: say so, then show an example, then call a person. `asked` are the answers to what the desk had asked."""
    state = replace(scene.state, failures=scene.state.failures + 1)
    state = replace(state, phase=Phase.PROBLEM) if state.phase is Phase.IDLE and asked is None else state
    if state.failures >= FAILURES_TO_PERSON:
        return hand_over(scene, told(state, scene.text), reason="failures", intent=Intent.UNKNOWN)
    buttons = asked or ([[scene.button("human")]] if state.phase is Phase.PROBLEM else [])
    reply = scene.say("not_understood" if state.failures == 1 else "example", example=scene.example(), buttons=buttons)
    rest = questions.again(scene, state) if state.phase not in {Phase.IDLE, Phase.PROBLEM} else ()
    return scene.turn(state, reply, *rest, intent=Intent.UNKNOWN)


def calm(scene: Scene) -> Say:
    return scene.say("complaint", buttons=[[scene.button("human")]])


def complaint(scene: Scene) -> Turn:
    """Anger is answered and a person is offered; a problem inside the words is taken up, and anger thrice brings the person."""
    triage, state = scene.triage, scene.state
    state = replace(state, failures=state.failures + 1)
    if state.failures >= FAILURES_TO_PERSON:
        return hand_over(scene, told(state, scene.text), reason="complaint", intent=Intent.COMPLAINT)
    if state.phase is Phase.IDLE:
        category = scene.tools.category(triage.category)
        if triage.band is Band.ACT and category is not None and category.kind != "complaint":
            return policy_articles.report(scene, state, scene.say("complaint"), intent=Intent.COMPLAINT)
        state = judged(told(state, scene.text, attachments=scene.heard.attachments), triage, category=category)
        return scene.turn(replace(state, phase=Phase.PROBLEM), calm(scene), intent=Intent.COMPLAINT)
    return questions.aside(scene, calm(scene), state=state, intent=Intent.COMPLAINT)


def set_language(scene: Scene, language: str) -> Turn:
    """Speak another language from here on; an unknown one is asked for with buttons."""
    if language not in scene.snapshot.languages:
        return scene.turn(scene.state, questions.ask_language(scene), intent=Intent.LANGUAGE)
    scene.language = language
    return questions.aside(scene, scene.say("language_set"), actions=(SetLanguage(language=language),), intent=Intent.LANGUAGE)
