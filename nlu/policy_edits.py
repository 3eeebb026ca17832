"""A person changes words of theirs that are still being talked over: an answer is taken anew, a story is read anew. Pure.

What has become of them already (a request, an article that helped) stays as it is; there an edit is news for operators alone.
"""

from dataclasses import replace

from nlu import forms, policy_articles, policy_chat, policy_form, questions
from nlu.scene import BUILDING, JUDGED_LENGTH, MAX_QUESTIONS, Scene, judged
from nlu.turn import DialogueState, Edited, Phase, Turn
from nlu.understood import Band, SlotDef


def amended(scene: Scene, edited: Edited) -> Turn:
    """The turn for changed words. It says something only where what is on the screen does not hold any more."""
    state, before, now = scene.state, edited.before.strip(), scene.text.strip()
    if not before or not now or before == now:
        return _silent(scene, state)
    if state.phase is Phase.FORM and state.failures and edited.is_last:
        return policy_chat.form(scene)  # it was not understood before
    told_anew = _in_story(state.text, before, now)
    if told_anew is not None:
        return _reread(scene, replace(state, text=told_anew), before)
    slot = _answered(scene, state, before) if state.phase in (Phase.FORM, Phase.SUMMARY) else None
    return _answer_anew(scene, slot) if slot is not None else _silent(scene, state)


def _silent(scene: Scene, state: DialogueState) -> Turn:
    return scene.turn(state)


def _in_story(story: str, before: str, now: str) -> str | None:
    """The story with these paragraphs in the place of those; None where they are none of it."""
    lines = f"\n{story}\n"
    place = lines.rfind(f"\n{before}\n")
    return None if place < 0 else f"{lines[:place]}\n{now}{lines[place + len(before) + 1 :]}".strip("\n")


def _reread(scene: Scene, state: DialogueState, before: str) -> Turn:
    """Judge the story again. A topic that the person chose stays, and so do answers that the old words did not hold."""
    if state.phase not in BUILDING:
        return _silent(scene, state)  # it waits for a choice, and is read once that is made
    form = scene.form(state)
    undone = scene.tools.extract(before[:JUDGED_LENGTH], form=form, now=scene.snapshot.now) if form else {}
    slots = {name: value for name, value in state.slots.items() if undone.get(name) != value}
    state = replace(state, slots=slots, subject="")
    triage = scene.judge(state.text)
    chosen = state.confidence == 1.0 and state.category is not None
    if not chosen and triage.band is not Band.ASK and triage.category != state.category:
        state = judged(state, triage, category=scene.tools.category(triage.category))
        state = forms.kept(scene.form(state), state)
    moved = state.category != scene.state.category
    wordless = policy_articles.wordless(scene)
    match state.phase:
        case Phase.SUMMARY if not moved:
            return policy_form.show_summary(scene, policy_form.collected(scene, state))
        case Phase.FORM | Phase.SUMMARY if not triage.human_now:
            state = policy_form.collected(scene, state)
            stands = not moved and (state.pending is None or not state.slots.get(state.pending))
            return _silent(scene, state) if stands else policy_form.proceed(scene, state)
        case Phase.ARTICLES if not triage.human_now and not moved and _shows_best(scene, state):
            return _silent(scene, state)
        case _:
            return policy_articles.report(wordless, replace(state, refused=()))


def _shows_best(scene: Scene, state: DialogueState) -> bool:
    """Whether the articles on the screen are still those that the story asks for."""
    found = scene.tools.search(state.text[:JUDGED_LENGTH], language=scene.language, category=state.category, limit=1)
    return not found or found[0].article_id in state.shown


def _answered(scene: Scene, state: DialogueState, before: str) -> SlotDef | None:
    """The question that these words answered, the latest where they would do for several."""
    form = scene.form(state)
    for name in reversed(state.asked):
        slot = forms.slot_named(form, name)
        if slot is None or name == state.pending or not state.slots.get(name):
            continue
        others = {key: value for key, value in state.slots.items() if key != name}
        if scene.tools.validate(slot, before, language=scene.language, slots=others).value == state.slots[name]:
            return slot
    return None


def _answer_anew(scene: Scene, slot: SlotDef) -> Turn:
    """The new answer in the place of the old one; where it does not fit, the question is open again."""
    state, form = scene.state, scene.form(scene.state)
    others = replace(state, slots={name: value for name, value in state.slots.items() if name != slot.name})
    checked = scene.tools.validate(slot, scene.text, language=scene.language, slots=dict(others.slots))
    if form is None or (checked.value is None and not checked.skip):
        asking = forms.asking(replace(others, phase=Phase.FORM), slot.name)
        return scene.turn(asking, questions.ask_slot(scene, form.key if form else "", slot))
    amended = forms.skipped(others, slot.name) if checked.value is None else forms.filled(others, slot.name, checked)
    if amended.slots == state.slots:
        return _silent(scene, state)
    if state.phase is Phase.SUMMARY:
        return policy_form.show_summary(scene, amended)
    following = forms.next_slot(form, amended, limit=MAX_QUESTIONS)
    if following is not None and following.name == state.pending:
        return _silent(scene, replace(amended, pending=state.pending, failures=state.failures))
    return policy_form.proceed(scene, amended)
