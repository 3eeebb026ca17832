"""Moments and spans in words."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from gateway.web.moments import Tone, Viewer, ago, day, moment, span, timer

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
MOSCOW = Viewer("en", ZoneInfo("Europe/Moscow"), NOW)


@pytest.mark.parametrize(
    ("length", "words"),
    [
        (timedelta(seconds=45), "45 s"), (timedelta(minutes=12), "12 min"), (timedelta(hours=2, minutes=5), "2 h 5 min"),
        (timedelta(hours=3), "3 h"), (timedelta(hours=12, minutes=30), "12 h"), (timedelta(days=1, hours=4), "1 d 4 h"),
        (timedelta(days=9, hours=4), "9 d"), (-timedelta(minutes=5), "5 min"),
    ],
)  # fmt: skip
def test_a_span_in_its_two_largest_useful_units(length: timedelta, words: str) -> None:
    assert span(length, "en") == words


def test_moments_are_told_in_the_viewers_zone() -> None:
    assert moment(NOW, MOSCOW) == "12:00"
    assert moment(NOW - timedelta(days=1), MOSCOW) == "Yesterday, 12:00"
    assert moment(NOW - timedelta(days=30), MOSCOW) == "24 October, 12:00"
    assert moment(NOW - timedelta(days=400), MOSCOW) == "19 October 2025, 12:00"


def test_russian_months_are_bent() -> None:
    assert day(NOW - timedelta(days=30), Viewer("ru", ZoneInfo("Europe/Moscow"), NOW)) == "24 октября"


def test_lists_say_shortly_how_long_ago() -> None:
    assert ago(NOW, MOSCOW) == "now"
    assert ago(NOW - timedelta(minutes=5), MOSCOW) == "5 min"
    assert ago(NOW - timedelta(hours=3), MOSCOW) == "3 h"
    assert ago(NOW - timedelta(days=3), MOSCOW) == "20 Nov"


class TestTimer:
    def test_says_what_is_owed_and_when(self) -> None:
        shown = timer("first_response", NOW + timedelta(minutes=42), MOSCOW)
        assert shown is not None
        assert (shown.words, shown.tone) == ("first answer in 42 min", Tone.CALM)

    def test_warns_when_it_is_near_and_when_it_is_late(self) -> None:
        near, late = timer("resolution", NOW + timedelta(minutes=5), MOSCOW), timer("resolution", NOW - timedelta(minutes=5), MOSCOW)
        assert near is not None and near.tone is Tone.SOON
        assert late is not None and (late.tone, late.words) == (Tone.OVERDUE, "overdue 5 min")

    def test_says_nothing_where_nothing_is_owed(self) -> None:
        assert timer(None, None, MOSCOW) is None
