"""Asking for what is missing: one question at a time, at most three, then a card to check and send. Pure."""

import re
from collections.abc import Mapping
from dataclasses import replace

from nlu import forms, lexicon, questions
from nlu.scene import (
    CATEGORY,
    JUDGED_LENGTH,
    MAX_QUESTIONS,
    MODELS_BEST,
    PROBLEM,
    Scene,
    classified,
    hand_over,
    judged,
    opened,
    subject_of,
    told,
)
from nlu.turn import DialogueState, Phase, Say, Turn
from nlu.understood import Band, Intent, SlotDef, Validated

# A model's word on a short answer counts as steering only when it is this sure; the fixed phrases need no model.
STEERS = 0.75
FAILURES_TO_PERSON = 3


def collected(scene: Scene, state: DialogueState) -> DialogueState:
    """The state with every answer that the story and the contact already hold."""
    form = scene.form(state)
    if form is None:
        return state
    found = scene.tools.extract(state.text[:JUDGED_LENGTH], form=form, now=scene.snapshot.now)
    return forms.prefill(form, state, found=found, known=scene.snapshot.known)


def proceed(scene: Scene, state: DialogueState, *before: Say, intent: Intent | None = None, repeat: bool = False) -> Turn:
    """Ask the next missing thing, or show the card."""
    state = collected(scene, replace(state, phase=Phase.FORM, pending=None, editing=False, failures=0))
    if state.category is None and may_ask_category(scene, state):
        state = forms.asking(state, CATEGORY)
        return scene.turn(state, *before, questions.ask_category(scene, state), intent=intent)
    form = scene.form(state)
    slot = forms.next_slot(form, state, limit=MAX_QUESTIONS)
    if form is None or slot is None:
        return show_summary(scene, state, *before, intent=intent)
    state = forms.asking(state, slot.name)
    resumed = (scene.say("resume"),) if repeat or scene.state.pending == slot.name else ()
    return scene.turn(state, *before, *resumed, questions.ask_slot(scene, form.key, slot), intent=intent)


def may_ask_category(scene: Scene, state: DialogueState) -> bool:
    """Whether the topic was not asked yet, may be asked, and there are topics to choose from."""
    open_still = CATEGORY not in state.asked and CATEGORY not in state.skipped and len(state.asked) < MAX_QUESTIONS
    return open_still and any(scene.tools.category(str(one.get("label", ""))) for one in state.alternatives)


def show_summary(scene: Scene, state: DialogueState, *before: Say, intent: Intent | None = None) -> Turn:
    state = replace(state, phase=Phase.SUMMARY, pending=None, editing=False, failures=0, subject=state.subject or subject_of(state.text))
    unchanged = scene.state.phase is Phase.SUMMARY and not scene.state.editing
    same = unchanged and questions.card(scene, state) == questions.card(scene, scene.state)
    intro = scene.say("resume") if same else scene.say("summary_intro")
    return scene.turn(state, *before, intro, questions.summary(scene, state), intent=intent)


def send(scene: Scene, state: DialogueState, *, intent: Intent | None = None) -> Turn:
    """Open the request; the flow answers with its number and promise."""
    ticket = opened(state, form=scene.form(state), language=scene.language)
    return scene.turn(DialogueState(), actions=(ticket,), intent=intent)


# --- an open question --------------------------------------------------------------------------------------------------


def answer(scene: Scene) -> Turn | None:
    """Take the text as an answer to the open question; None where it is none and others should look at it."""
    state = told(scene.state, "", attachments=scene.heard.attachments)
    if state.pending == PROBLEM:
        return retell(scene, state)
    if state.pending == CATEGORY:
        return answer_category(scene, state)
    form = scene.form(state)
    slot = forms.slot_named(form, state.pending)
    if form is None or slot is None:
        return proceed(scene, told(state, scene.text))
    if lexicon.correction(scene.text) and (corrected := correct(scene, state)) is not None:
        return corrected
    checked = scene.tools.validate(slot, scene.text, language=scene.language, slots=dict(state.slots))
    if checked.skip:
        return skip(scene, state)
    if checked.value is None:
        return None
    return fill(scene, state, slot, checked)


def fill(scene: Scene, state: DialogueState, slot: SlotDef, checked: Validated) -> Turn:
    """Keep an answer, and whatever else the same sentence told, and go on."""
    if not forms.is_strict(slot) and lexicon.word_count(scene.text) > 3:
        form = scene.form(state)
        also = scene.tools.extract(scene.text[:JUDGED_LENGTH], form=form, now=scene.snapshot.now)
        checked = replace(checked, extra={**also, **checked.extra})
    checked = replace(checked, extra=_without(checked.extra, slot.name))
    was_editing = state.editing
    state = forms.filled(state, slot.name, checked)
    return show_summary(scene, state) if was_editing else proceed(scene, state)


def _without(values: Mapping[str, str], name: str) -> dict[str, str]:
    return {key: value for key, value in values.items() if key != name and value}


def failed(scene: Scene) -> Turn:
    """An answer that does not fit: what is wanted, then an example, then a person."""
    state = replace(scene.state, failures=scene.state.failures + 1)
    if state.failures >= FAILURES_TO_PERSON:
        return hand_over(scene, told(state, scene.text), reason="failures")
    slot = forms.slot_named(scene.form(state), state.pending)
    example = forms.example(slot, scene.language) if slot else scene.example()
    buttons = questions.slot_buttons(scene, slot) if slot else questions.category_buttons(scene, state)
    return scene.turn(state, scene.say("not_understood" if state.failures == 1 else "example", example=example, buttons=buttons))


def skip(scene: Scene, state: DialogueState) -> Turn:
    pending = state.pending
    if pending is None or pending == PROBLEM:
        return questions.aside(scene)
    was_editing = state.editing
    state = forms.skipped(state, pending)
    return show_summary(scene, state) if was_editing else proceed(scene, state)


def back(scene: Scene, state: DialogueState) -> Turn:
    """The question before; before the first one the story itself; from editing the card."""
    if state.editing:
        return show_summary(scene, state)
    before = forms.previous(state)
    form = scene.form(state)
    if before == CATEGORY:
        state = forms.asking(replace(state, phase=Phase.FORM, skipped=_less(state.skipped, CATEGORY)), CATEGORY)
        return scene.turn(state, questions.ask_category(scene, state))
    slot = forms.slot_named(form, before)
    if form is None or slot is None:
        state = replace(state, phase=Phase.PROBLEM, pending=None, failures=0)
        return scene.turn(state, questions.ask_problem(scene, state))
    slots = {name: value for name, value in state.slots.items() if name != slot.name}
    state = replace(state, phase=Phase.FORM, slots=slots, skipped=_less(state.skipped, slot.name))
    state = forms.asking(state, slot.name)
    return scene.turn(state, questions.ask_slot(scene, form.key, slot))


def _less(names: tuple[str, ...], name: str) -> tuple[str, ...]:
    return tuple(one for one in names if one != name)


def press_slot(scene: Scene, name: str, value: str) -> Turn | None:
    """A choice pressed; None when it is not the open question or no choice of it."""
    state = scene.state
    slot = forms.slot_named(scene.form(state), name)
    if state.phase is not Phase.FORM or state.pending != name or slot is None or value not in {known for known, _ in slot.choices}:
        return None
    return fill(scene, state, slot, Validated(value=value, title=forms.choice_title(slot, value, scene.language)))


# --- category ----------------------------------------------------------------------------------------------------------


def choose_category(scene: Scene, key: str) -> Turn | None:
    """A topic pressed; answers that still fit are kept."""
    category = scene.tools.category(key)
    state = scene.state
    if category is None or state.phase is not Phase.FORM or state.pending != CATEGORY:
        return None
    was_editing = state.editing
    state = recategorised(scene, state, key)
    if not was_editing:
        return proceed(scene, state)
    state = collected(scene, state)
    return proceed(scene, state) if forms.next_slot(scene.form(state), state, limit=MAX_QUESTIONS) else show_summary(scene, state)


def recategorised(scene: Scene, state: DialogueState, key: str, *, confidence: float = 1.0) -> DialogueState:
    """The state under another category, with the answers its form has a place for."""
    category = scene.tools.category(key)
    if category is None:
        return state
    state = classified(state, category, confidence=confidence)
    return forms.kept(scene.form(state), replace(state, pending=None, failures=0))


def answer_category(scene: Scene, state: DialogueState) -> Turn | None:
    """A topic told in words: a title, or a text that the models can place now."""
    words = lexicon.plain(scene.text)
    for guess in state.alternatives:
        category = scene.tools.category(str(guess.get("label", "")))
        if category and words and any(words == lexicon.plain(title) for title in category.titles.values()):
            return choose_category(scene, category.key)
    triage = scene.triage
    if triage.category and triage.band is not Band.ASK and scene.tools.category(triage.category):
        if not state.editing:
            state = told(state, scene.text)
        state = recategorised(scene, state, triage.category, confidence=min(triage.confidence, MODELS_BEST))
        return show_summary(scene, collected(scene, state)) if state.editing else proceed(scene, state)
    if state.editing or lexicon.word_count(scene.text) < 3:
        return None
    # The story went on instead of naming a topic: the words are worth more than the topic.
    return proceed(scene, forms.skipped(told(state, scene.text), CATEGORY))


# --- the card ----------------------------------------------------------------------------------------------------------


def open_edit(scene: Scene, state: DialogueState) -> Turn:
    state = replace(state, phase=Phase.SUMMARY, editing=True, pending=None)
    if scene.state.phase is Phase.SUMMARY and scene.state.editing:
        return questions.aside(scene, state=state)
    return scene.turn(state, questions.edit_menu(scene, state))


def edit_slot(scene: Scene, name: str) -> Turn | None:
    """Ask again for what a person chose to change; questions they ask for themselves are not counted."""
    state = replace(scene.state, phase=Phase.FORM, editing=True, pending=name, failures=0)
    if scene.state.phase is not Phase.SUMMARY:
        return None
    if name == CATEGORY and not state.alternatives and state.category:
        state = replace(state, alternatives=({"label": state.category, "confidence": state.confidence},))
    if name not in {PROBLEM, CATEGORY} and forms.slot_named(scene.form(state), name) is None:
        return None
    return scene.turn(state, questions.open_question(scene, state))


def retell(scene: Scene, state: DialogueState) -> Turn:
    """A new story in place of the old; its topic is judged afresh, a topic the person chose stays."""
    chosen = state.confidence == 1.0 and state.category is not None
    state = replace(state, text="", subject="", pending=None)
    state = told(state, scene.text)
    triage = scene.triage
    if not chosen and triage.category and triage.category != state.category and triage.band is Band.ACT:
        state = judged(state, triage, category=scene.tools.category(triage.category))
        state = forms.kept(scene.form(state), state)
    return show_summary(scene, collected(scene, state))


def add_to_card(scene: Scene, state: DialogueState) -> Turn:
    """More words while the card is on the screen: a correction, or another paragraph."""
    if (corrected := correct(scene, state)) is not None:
        return corrected
    return show_summary(scene, collected(scene, told(state, scene.text, attachments=scene.heard.attachments)))


def correct(scene: Scene, state: DialogueState) -> Turn | None:
    """ "нет, не принтер, а сканер": change what the right half changes; None when it changes nothing."""
    halves = lexicon.correction(scene.text)
    if halves is None:
        return None
    wrong, right = halves
    form = scene.form(state)
    pending = state.pending
    found = scene.tools.extract(right, form=form, now=scene.snapshot.now) if form else {}
    changes = {name: value for name, value in found.items() if value and state.slots.get(name) not in {None, "", value}}
    for slot in form.slots if form else ():
        said = state.slots.get(slot.name, "")
        if not slot.choices and wrong.casefold() in said.casefold():
            changes.setdefault(slot.name, re.sub(re.escape(wrong), lambda _: right, said, flags=re.IGNORECASE))
    # What the wrong half had filled goes with it, and the story tells the right one from now on.
    undone = scene.tools.extract(wrong, form=form, now=scene.snapshot.now) if form else {}
    left = {name: value for name, value in state.slots.items() if undone.get(name) != value or name in found}
    retold = re.sub(re.escape(wrong), lambda _: right, state.text, flags=re.IGNORECASE)
    triage = scene.judge(right)
    moved = triage.category is not None and triage.band is not Band.ASK and triage.category != state.category
    if not changes and not moved and left == state.slots:
        return None
    # The wrong word must not stay in the story, where the next turn would read it again.
    state = told(replace(state, text=retold), scene.text if retold == state.text else "", attachments=scene.heard.attachments)
    state = replace(state, slots={**left, **changes})
    if moved and triage.category is not None:
        state = recategorised(scene, state, triage.category, confidence=min(triage.confidence, MODELS_BEST))
    if scene.state.phase is Phase.SUMMARY:
        return proceed(scene, state, intent=Intent.EDIT) if moved else show_summary(scene, state, intent=Intent.EDIT)
    return proceed(scene, state, intent=Intent.EDIT, repeat=pending is not None and not moved)
