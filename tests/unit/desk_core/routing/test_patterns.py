"""Regular expressions in rules: useful ones pass, runaway ones are refused before any text arrives."""

import time

import pytest

from desk_core.routing.patterns import MAX_PATTERN, MAX_TEXT, UnsafePattern, compile_safely, search


@pytest.mark.parametrize(
    "pattern",
    [
        r"(?i)\b(дым(ит|ится|ок)?|искр(ит|ы|ится)|запах гари|smoke|sparks?)\b",
        r"vpn.*не работает",
        r"\d{3}-\d{2}-\d{2}",
        r"(?:\d{3}-){2}\d{4}",
        r"ошибк\w{0,5}\s+0x[0-9a-f]{8}",
        r"^срочно",
        r"принтер\s+не\s+печата\w*",
        r"(very )?urgent!*",
    ],
)
def test_useful_patterns_pass(pattern: str) -> None:
    assert compile_safely(pattern)


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        (r"(a+)+b", "repeat inside"),
        (r"(?:\w*\s?)*x", "repeat inside"),
        (r"((?:a|b+){2,})*", "repeat inside"),
        (r"(a|ab)*c", "too many ways"),
        (r"(a|aa){30}c", "too many ways"),
        (r"(x?){25}y", "too many ways"),
        (r".*.*.*x", "too many ways"),
        (r"(a)\1", "not supported"),
        (r"(?=a)a", "not supported"),
        (r"(unclosed", "missing )"),
        ("a" * (MAX_PATTERN + 1), "longer"),
    ],
)
def test_runaway_patterns_are_refused_with_the_reason(pattern: str, reason: str) -> None:
    with pytest.raises(UnsafePattern) as refusal:
        compile_safely(pattern)
    assert reason in str(refusal.value)


@pytest.mark.parametrize("pattern", [r"a*x", r"a?a?a?a?a?a?a?a?a?a?a?a?a?x", r"\w{0,90}\w{0,90}x"])
def test_the_worst_that_passes_is_bearable_on_a_hostile_text(pattern: str) -> None:
    began = time.perf_counter()
    assert compile_safely(pattern).search("a" * MAX_TEXT) is None
    assert time.perf_counter() - began < 3


def test_white_space_of_any_length_is_one_blank() -> None:
    assert search(r"не\s+печатает", "принтер не\n\n   печатает") == "не печатает"


def test_only_the_beginning_of_a_text_is_searched() -> None:
    assert search("needle", " " * 10 + "needle") == "needle"
    assert search("needle", "x" * MAX_TEXT + "needle") is None
