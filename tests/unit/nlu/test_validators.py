"""What counts as an answer, kind by kind."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlu.understood import SlotDef, Validated
from nlu.validators import validate
from tests.fakes.tools import SCOPE

MONDAY = date(2026, 11, 23)
KINDS = ("text", "choice", "phone", "email", "date", "number", "location", "device", "asset", "person")


def slot(kind: str, **fields: object) -> SlotDef:
    return SlotDef(name="s", kind=kind, titles={}, questions={}, examples={}, **fields)  # type: ignore[arg-type]  # keywords of `SlotDef`


def value(kind: str, answer: str, **fields: object) -> str | None:
    return validate(slot(kind, **fields), answer, language="ru", today=MONDAY).value


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("Только у меня", "me"),
        ("only me", "me"),
        ("all", "all"),
        ("У ВСЕХ!", "all"),
        ("да у всех в отделе", "all"),
        ("everybody here", "all"),
        ("Толко у миня", "me"),
        ("принтер", None),
        ("А у всех так бывает?", None),
        ("...", None),
    ],
)
def test_a_choice_by_value_title_words_or_nearly_so(answer: str, expected: str | None) -> None:
    assert validate(SCOPE, answer, language="ru", today=MONDAY).value == expected


def test_a_choice_is_titled_in_the_language() -> None:
    assert validate(SCOPE, "me", language="en", today=MONDAY) == Validated(value="me", title="Only me")


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("8 (912) 345-67-89", "+79123456789"),
        ("мой +7 912 345 67 89, после обеда", "+79123456789"),
        ("+44 20 7946 0958", "+442079460958"),
        ("внутренний 4512", "4512"),
        ("12", None),
        ("позвоните мне", None),
    ],
)
def test_a_phone(answer: str, expected: str | None) -> None:
    assert value("phone", answer) == expected


@pytest.mark.parametrize(("answer", "expected"), [("пишите на anna@example.com.", "anna@example.com"), ("anna at example", None)])
def test_an_address(answer: str, expected: str | None) -> None:
    assert value("email", answer) == expected


@pytest.mark.parametrize(("answer", "expected"), [("человек 15", "15"), ("2,5", "2.5"), ("много", None), ("-3", "-3")])
def test_a_number(answer: str, expected: str | None) -> None:
    assert value("number", answer) == expected


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("завтра", "2026-11-24"),
        ("послезавтра утром", "2026-11-25"),
        ("tomorrow", "2026-11-24"),
        ("01.12.2026", "2026-12-01"),
        ("1.12", "2026-12-01"),
        ("15 января", "2027-01-15"),
        ("December 7th, 2026", "2026-12-07"),
        ("2026-12-31", "2026-12-31"),
        ("в пятницу", "2026-11-27"),
        ("к среде", "2026-11-25"),
        ("next Monday", "2026-11-30"),
        ("среда", "2026-11-25"),
        ("к среде, после обеда", "2026-11-25"),
        ("после обеда", "после обеда"),
        ("послезавтра в 15:00", "2026-11-25"),
        ("через 3 дня", "2026-11-26"),
        ("in a week", "2026-11-30"),
        ("до конца месяца", "до конца месяца"),
        ("как можно скорее", "как можно скорее"),
        ("31.02.2026", None),
        ("зелёный", None),
    ],
)
def test_a_day(answer: str, expected: str | None) -> None:
    assert value("date", answer) == expected


def test_an_inventory_number_by_the_preset_pattern() -> None:
    pattern = r"[0-9A-Za-z-]{4,20}"
    assert value("asset", "инв. 10452", pattern=pattern) == "10452"
    assert value("asset", "нет", pattern=pattern) is None


def test_a_broken_pattern_does_not_ask_forever() -> None:
    assert value("asset", "10452", pattern="[0-9") == "10452"


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "choice"])
@pytest.mark.parametrize("answer", ["не знаю", "I don't know", "пропустить"])
def test_not_knowing_is_a_skip(kind: str, answer: str) -> None:
    assert validate(slot(kind), answer, language="ru", today=MONDAY) == Validated(value=None, skip=True)


def test_not_knowing_may_be_a_choice() -> None:
    unsure = slot("choice", choices=(("none", {"ru": "Не знаю", "en": "I don't know"}),))
    assert validate(unsure, "не знаю", language="ru", today=MONDAY).value == "none"


def test_a_long_text_is_cut() -> None:
    assert value("text", "слово " * 500, max_length=40) == ("слово " * 500)[:40]


@given(st.text(max_size=400), st.sampled_from(KINDS))
def test_any_text_is_judged_without_harm(answer: str, kind: str) -> None:
    checked = validate(slot(kind, max_length=50), answer, language="en", today=MONDAY)
    assert checked.value is None or 0 < len(checked.value) <= 50
