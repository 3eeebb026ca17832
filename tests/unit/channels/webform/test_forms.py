"""Fields from topics and slots, and what is wrong with what was typed."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.webform.forms import Filled, Slot, check_slots, clean, fields, known_zone, problems, topics
from desk_core.catalogue.desk import CategoryInfo


@dataclass
class Asked:
    name: str
    kind: str = "text"
    titles: Mapping[str, str] = field(default_factory=lambda: {"ru": "Принтер", "en": "Printer"})
    questions: Mapping[str, str] = field(default_factory=lambda: {"ru": "Какой?", "en": "Which?"})
    examples: Mapping[str, str] = field(default_factory=lambda: {"ru": "305", "en": "305"})
    choices: tuple[tuple[str, Mapping[str, str]], ...] = ()
    max_length: int = 20


@dataclass
class Said:
    value: str | None
    skip: bool = False


def category(key: str, parent: str | None = None) -> CategoryInfo:
    return CategoryInfo(
        key=key, parent=parent, titles={"en": key.title()}, descriptions={}, kind="incident", impact="individual", urgency="medium",
        form=None, team=None, human_now=False,
    )  # fmt: skip


CHOICE = Asked("trouble", kind="choice", choices=(("jam", {"en": "Jam"}), ("toner", {"en": "Toner"})))
WHOLE = Filled(name="Anna", email="anna@company.example", text="It broke", consent=True)


def test_topics_stand_under_their_groups_and_a_lonely_group_is_a_topic() -> None:
    known = {one.key: one for one in (category("mail"), category("mail.box", "mail"), category("other"))}
    assert [(group.title, group.options) for group in topics(known, "en")] == [
        ("Mail", (("mail.box", "Mail.Box"),)),
        ("Other", (("other", "Other"),)),
    ]


def test_a_slot_becomes_a_field_in_the_persons_language() -> None:
    (shown,) = fields([Asked("device", kind="phone")], Filled(slots={"device": "7"}), "ru")
    assert (shown.name, shown.label, shown.type, shown.value) == ("slot.device", "Принтер", "tel", "7")
    assert "305" in shown.help


def test_only_answers_that_fit_are_kept_and_none_is_demanded() -> None:
    def validate(slot: Slot, answer: str, _known: Mapping[str, str]) -> Said:
        return {"good": Said("GOOD"), "dunno": Said(None, skip=True)}.get(answer, Said(None))

    slots = [Asked("a"), Asked("b"), Asked("c"), Asked("d"), Asked("e"), CHOICE]
    typed = Filled(slots={"a": "good", "b": "dunno", "c": "bad", "d": "", "e": "x" * 21, "trouble": "fire"})
    kept, wrong = check_slots(slots, typed, "en", validate=validate)
    assert kept == {"a": "GOOD"}
    assert [one.field for one in wrong] == ["slot.c", "slot.e", "slot.trouble"]


@pytest.mark.parametrize("address", ["anna@company.example", "a.b+c@sub.company.example", "пётр@почта.рф", "o'hara@company.example", ""])
def test_addresses_that_people_have_pass(address: str) -> None:
    whole = Filled(name="Anna", email=address, text="x", consent=True)
    assert problems(whole, files=0, needs_email=False, language="en") == []


@pytest.mark.parametrize(
    "address", ["anna", "anna@", "@company.example", "a b@company.example", "a@b", "a@company.example, b@c.example", "<a@b.ru>"]
)
def test_what_is_no_address_does_not(address: str) -> None:
    whole = Filled(name="Anna", email=address, text="x", consent=True)
    assert [one.field for one in problems(whole, files=0, needs_email=False, language="en")] == ["email"]


@given(st.lists(st.tuples(st.text(max_size=20), st.one_of(st.text(max_size=200), st.binary(max_size=5))), max_size=20))
def test_whatever_is_posted_can_be_read_and_judged(pairs: list[tuple[str, object]]) -> None:
    filled = Filled.of(pairs)
    problems(filled, files=0, needs_email=True, language="ru")
    assert "\x00" not in filled.text + filled.name + filled.email


@given(st.text(max_size=300))
def test_cleaning_keeps_every_letter_and_is_done_once(text: str) -> None:
    assert clean(clean(text)) == clean(text)
    assert [letter for letter in clean(text) if letter.isalnum()] == [letter for letter in text if letter.isalnum()]


@given(st.text(max_size=80))
def test_no_text_breaks_the_time_zone(name: str) -> None:
    assert known_zone(name) in ("", name)
