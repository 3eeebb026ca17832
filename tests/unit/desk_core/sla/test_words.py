"""How a deadline is told to people."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from desk_core.sla.words import humanise, humanise_at, humanise_date

ZONE = "Europe/Moscow"


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(ZONE))


NOW = at("2026-11-23T11:00")  # a Monday


@pytest.mark.parametrize(
    ("due", "english", "russian"),
    [
        ("2026-11-23T14:30", "by 14:30", "до 14:30"),
        ("2026-11-24T10:00", "tomorrow by 10:00", "завтра до 10:00"),
        ("2026-11-25T10:00", "on Wednesday by 10:00", "в среду до 10:00"),
        ("2026-11-27T09:05", "on Friday by 09:05", "в пятницу до 09:05"),
        ("2026-11-29T10:00", "on Sunday by 10:00", "в воскресенье до 10:00"),
        ("2026-11-30T10:00", "on 30 November by 10:00", "30 ноября до 10:00"),
        ("2026-12-05T10:00", "on 5 December by 10:00", "5 декабря до 10:00"),
        ("2027-01-11T10:00", "on 11 January 2027 by 10:00", "11 января 2027 года до 10:00"),
        ("2026-11-20T10:00", "on 20 November by 10:00", "20 ноября до 10:00"),
    ],
)
def test_a_deadline_in_both_languages(due: str, english: str, russian: str) -> None:
    assert humanise(at(due), NOW, ZONE, "en") == english
    assert humanise(at(due), NOW, ZONE, "ru-RU") == russian


def test_russian_eases_the_preposition_before_tuesday() -> None:
    sunday = at("2026-11-22T11:00")
    assert humanise(at("2026-11-24T10:00"), sunday, ZONE, "ru") == "во вторник до 10:00"


def test_the_day_is_that_of_the_person_not_of_utc() -> None:
    late = at("2026-11-23T22:30")
    assert humanise(late, NOW, ZONE, "en") == "by 22:30"
    assert humanise(late, NOW, ZoneInfo("Asia/Yekaterinburg"), "en") == "tomorrow by 00:30"


def test_a_moment_is_told_with_at() -> None:
    assert humanise_at(at("2026-11-24T09:00"), NOW, ZONE, "en") == "tomorrow at 09:00"
    assert humanise_at(at("2026-11-24T09:00"), NOW, ZONE, "ru") == "завтра в 09:00"


def test_a_day_is_told_without_a_preposition() -> None:
    assert humanise_date(at("2026-11-27T10:00"), NOW, ZONE, "en") == "27 November"
    assert humanise_date(at("2026-11-27T10:00"), NOW, ZONE, "ru") == "27 ноября"
    assert humanise_date(at("2027-01-11T10:00"), NOW, ZONE, "en") == "11 January 2027"
