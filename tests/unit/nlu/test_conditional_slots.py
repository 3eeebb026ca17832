"""A question that hangs on another answer waits for it, and is not asked where it makes no sense."""

from nlu import forms
from nlu.turn import DialogueState
from nlu.understood import FormDef, SlotDef


def slot(name: str, **more: object) -> SlotDef:
    return SlotDef(name=name, kind="text", titles={"en": name}, questions={}, examples={}, **more)  # type: ignore[arg-type]


FORM = FormDef("phone", (slot("number", when={"trouble": ("dead", "mute")}), slot("trouble"), slot("since")))


def names(**slots: str) -> list[str]:
    return [one.name for one in forms.missing(FORM, DialogueState(slots=slots))]


def test_it_waits_for_the_answer_and_then_comes_in_its_place() -> None:
    assert names() == ["trouble", "since"]
    assert names(trouble="dead") == ["number", "since"]


def test_it_is_not_asked_after_another_answer() -> None:
    assert names(trouble="new") == ["since"]
    assert forms.next_slot(FORM, DialogueState(slots={"trouble": "new", "since": "today"}), limit=3) is None
