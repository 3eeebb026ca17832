"""What a form still needs: prefill, the next question, answers, skipping, going back, and the lines of the summary. Pure."""

from collections.abc import Mapping
from dataclasses import replace

from nlu.turn import DialogueState
from nlu.understood import FormDef, SlotDef, Validated

# What is known of a contact answers slots of these kinds without asking.
_KNOWN_KINDS = frozenset({"phone", "email", "location"})
_STRICT_KINDS = frozenset({"choice", "phone", "email", "date", "number"})


def slot_named(form: FormDef | None, name: str | None) -> SlotDef | None:
    """The slot of a form by its name."""
    return next((slot for slot in form.slots if slot.name == name), None) if form else None


def is_strict(slot: SlotDef) -> bool:
    """Whether only certain answers fit, so that one that fits is surely meant as the answer."""
    return bool(slot.choices) or slot.pattern is not None or slot.kind in _STRICT_KINDS


def applies(slot: SlotDef, state: DialogueState) -> bool:
    """Whether a question makes sense after the answers so far; one that hangs on an answer waits for it."""
    return all(state.slots.get(other) in values for other, values in slot.when.items())


def missing(form: FormDef | None, state: DialogueState) -> tuple[SlotDef, ...]:
    """Slots that apply and are neither filled nor skipped, in the order of the form."""
    if form is None:
        return ()
    return tuple(slot for slot in form.slots if not state.slots.get(slot.name) and slot.name not in state.skipped and applies(slot, state))


def next_slot(form: FormDef | None, state: DialogueState, *, limit: int) -> SlotDef | None:
    """The next question to ask, or None when nothing is missing or the person was asked enough."""
    for slot in missing(form, state):
        if slot.name in state.asked or len(state.asked) < limit:
            return slot
    return None


def prefill(form: FormDef | None, state: DialogueState, *, found: Mapping[str, str], known: Mapping[str, str]) -> DialogueState:
    """Fill empty slots from what the text says, then from what is known of the person."""
    if form is None:
        return state
    slots = dict(state.slots)
    for slot in form.slots:
        if slots.get(slot.name):
            continue
        value = found.get(slot.name) or known.get(slot.name) or (known.get(slot.kind) if slot.kind in _KNOWN_KINDS else None)
        if value:
            slots[slot.name] = value
    return replace(state, slots=slots)


def kept(form: FormDef | None, state: DialogueState) -> DialogueState:
    """The state with only those answers that the (changed) form still has a place for."""
    names = {slot.name for slot in form.slots} if form else set()
    return replace(
        state,
        slots={name: value for name, value in state.slots.items() if name in names},
        skipped=tuple(name for name in state.skipped if name in names),
    )


def filled(state: DialogueState, slot: str, answer: Validated) -> DialogueState:
    """The state with an answer, and with whatever else the same answer told."""
    slots = dict(state.slots)
    for name, value in answer.extra.items():
        slots.setdefault(name, value)
    if answer.value:
        slots[slot] = answer.value
    skipped = tuple(name for name in state.skipped if name != slot)
    return replace(state, slots=slots, skipped=skipped, pending=None, failures=0)


def skipped(state: DialogueState, slot: str) -> DialogueState:
    """The state without an answer to this question, which is not asked again."""
    slots = {name: value for name, value in state.slots.items() if name != slot}
    return replace(state, slots=slots, skipped=(*(name for name in state.skipped if name != slot), slot), pending=None, failures=0)


def asking(state: DialogueState, slot: str) -> DialogueState:
    """The state with this question open; a question counts once however often it is put."""
    asked = state.asked if slot in state.asked else (*state.asked, slot)
    return replace(state, pending=slot, asked=asked, failures=0)


def previous(state: DialogueState) -> str | None:
    """The question asked before the open one."""
    if state.pending in state.asked:
        place = state.asked.index(state.pending)
        return state.asked[place - 1] if place > 0 else None
    return state.asked[-1] if state.asked else None


def title(slot: SlotDef, language: str) -> str:
    """A slot's title in a language."""
    return slot.titles.get(language) or next(iter(slot.titles.values()), slot.name)


def choice_title(slot: SlotDef, value: str, language: str) -> str:
    """How a value is shown: the title of a choice, otherwise the value itself."""
    for known, titles in slot.choices:
        if known == value:
            return titles.get(language) or next(iter(titles.values()), value)
    return value


def example(slot: SlotDef, language: str) -> str:
    """An answer that would do: the slot's own example, or its first choices."""
    if found := slot.examples.get(language) or next(iter(slot.examples.values()), ""):
        return found
    return ", ".join(choice_title(slot, value, language) for value, _ in slot.choices[:3])


def summary_lines(form: FormDef | None, state: DialogueState, *, language: str) -> tuple[str, ...]:
    """ "Title: value" for every filled slot, in the order of the form."""
    return tuple(
        f"{title(slot, language)}: {choice_title(slot, state.slots[slot.name], language)}"
        for slot in (form.slots if form else ())
        if state.slots.get(slot.name)
    )
