"""Lengths of time as an administrator writes them."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desk_core.sla.durations import InvalidDuration, format_duration, parse_duration


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("15m", timedelta(minutes=15)),
        ("4h", timedelta(hours=4)),
        ("2d 4h", timedelta(hours=52)),
        ("2h30m", timedelta(hours=2, minutes=30)),
        (" 1W ", timedelta(days=7)),
        ("45 s", timedelta(seconds=45)),
    ],
)
def test_lengths_are_read(text: str, length: timedelta) -> None:
    assert parse_duration(text) == length


@pytest.mark.parametrize("text", ["", "15", "m", "15min", "4h 2d", "1h 1h", "-5m", "0m", "1.5h", "15м", "9999999h"])
def test_what_is_no_length_is_refused_with_the_text_itself(text: str) -> None:
    with pytest.raises(InvalidDuration) as refusal:
        parse_duration(text)
    assert refusal.value.fields == {"value": text}
    assert refusal.value.status == 422


@given(st.integers(1, 10**7).map(lambda seconds: timedelta(seconds=seconds)))
def test_what_is_written_is_read_back(length: timedelta) -> None:
    assert parse_duration(format_duration(length)) == length


def test_nothing_is_written_as_nothing() -> None:
    assert format_duration(timedelta(0)) == "0s"
