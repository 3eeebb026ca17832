"""Business time: lunches, holidays, and the days on which clocks are changed."""

import time as stopwatch
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desk_core.kit.errors import Invalid
from desk_core.sla.clock import (
    Calendar,
    CalendarNeverOpen,
    add_business,
    add_business_days,
    business_between,
    is_open,
    next_open,
)

LUNCH = ("09:00-13:00", "14:00-18:00")
WEEK = dict.fromkeys(("mon", "tue", "wed", "thu", "fri"), LUNCH)
MOSCOW = Calendar.from_weekly(zone="Europe/Moscow", weekly=WEEK, holidays=["2026-11-04"])
BERLIN = Calendar.from_weekly(zone="Europe/Berlin", weekly=WEEK)
NIGHTS = Calendar.from_weekly(zone="Europe/Berlin", weekly=dict.fromkeys(("sat", "sun", "mon"), ("00:00-06:00", "22:00-24:00")))
URALS = Calendar.from_weekly(zone="Asia/Yekaterinburg", weekly={**WEEK, "sat": ["10:00-15:30"]})
ALWAYS = Calendar.always("Europe/Berlin")
CALENDARS = (MOSCOW, BERLIN, NIGHTS, URALS, ALWAYS)


def local(calendar: Calendar, text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(calendar.zone))


moments = st.integers(0, 2 * 365 * 86_400).map(lambda seconds: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds))
amounts = st.integers(0, 400 * 3600).map(lambda seconds: timedelta(seconds=seconds))
calendars = st.sampled_from(CALENDARS)


@pytest.mark.parametrize(
    ("calendar", "start", "amount", "end"),
    [
        pytest.param(MOSCOW, "2026-11-23T09:00", "0:30", "2026-11-23T09:30", id="within an interval"),
        pytest.param(MOSCOW, "2026-11-23T12:45", "0:30", "2026-11-23T14:15", id="over lunch"),
        pytest.param(MOSCOW, "2026-11-23T12:45", "0:15", "2026-11-23T13:00", id="until lunch, not after it"),
        pytest.param(MOSCOW, "2026-11-23T13:20", "1:00", "2026-11-23T15:00", id="asked at lunch"),
        pytest.param(MOSCOW, "2026-11-23T07:00", "1:00", "2026-11-23T10:00", id="asked before hours"),
        pytest.param(MOSCOW, "2026-11-23T20:00", "1:00", "2026-11-24T10:00", id="asked after hours"),
        pytest.param(MOSCOW, "2026-11-20T17:30", "1:00", "2026-11-23T09:30", id="over a weekend"),
        pytest.param(MOSCOW, "2026-11-21T12:00", "1:00", "2026-11-23T10:00", id="asked on Saturday"),
        pytest.param(MOSCOW, "2026-11-03T17:30", "1:00", "2026-11-05T09:30", id="over a holiday"),
        pytest.param(MOSCOW, "2026-11-23T09:00", "8:00", "2026-11-23T18:00", id="a whole day ends with it"),
        pytest.param(MOSCOW, "2026-11-23T09:00", "40:00", "2026-11-27T18:00", id="a whole week"),
        pytest.param(BERLIN, "2026-03-27T17:00", "2:00", "2026-03-30T10:00", id="over the change to summer time"),
        pytest.param(BERLIN, "2026-10-23T17:00", "2:00", "2026-10-26T10:00", id="over the change to winter time"),
        pytest.param(NIGHTS, "2026-03-29T00:00", "5:00", "2026-03-29T06:00", id="the night that is short of an hour"),
        pytest.param(NIGHTS, "2026-10-25T00:00", "7:00", "2026-10-25T06:00", id="the night that has an hour twice"),
        pytest.param(URALS, "2026-11-21T15:00", "1:00", "2026-11-23T09:30", id="half a Saturday in Yekaterinburg"),
        pytest.param(ALWAYS, "2026-03-28T12:00", "24:00", "2026-03-29T13:00", id="round the clock on a short day"),
    ],
)  # fmt: skip
def test_business_time_is_added_in_working_hours(calendar: Calendar, start: str, amount: str, end: str) -> None:
    hours, minutes = map(int, amount.split(":"))
    length = timedelta(hours=hours, minutes=minutes)
    assert add_business(local(calendar, start), length, calendar) == local(calendar, end)
    assert business_between(local(calendar, start), local(calendar, end), calendar) == length


@given(calendars, moments, amounts)
def test_adding_and_measuring_are_inverse(calendar: Calendar, start: datetime, amount: timedelta) -> None:
    assert business_between(start, add_business(start, amount, calendar), calendar) == amount


@given(calendars, moments, amounts, amounts)
def test_adding_in_two_steps_is_adding_at_once(calendar: Calendar, start: datetime, first: timedelta, second: timedelta) -> None:
    at_once = add_business(start, first + second, calendar)
    assert add_business(add_business(start, first, calendar), second, calendar) == at_once


@given(calendars, moments, moments, moments)
def test_measuring_adds_up(calendar: Calendar, a: datetime, b: datetime, c: datetime) -> None:
    whole = business_between(a, c, calendar)
    assert business_between(a, b, calendar) + business_between(b, c, calendar) == whole
    assert business_between(c, a, calendar) == -whole


@given(calendars, moments)
def test_open_is_what_the_clock_on_the_wall_says(calendar: Calendar, at: datetime) -> None:
    """The windows in UTC and the plain reading of the wall clock agree at every moment."""
    inside = any(opens <= at < closes for opens, closes in [next(iter(calendar.windows(at)))])
    assert inside is is_open(at, calendar)
    opening = next_open(at, calendar)
    assert opening >= at
    assert is_open(opening, calendar)
    assert business_between(at, opening, calendar) == timedelta(0)


@given(calendars, st.integers(0, 59), st.sampled_from([datetime(2026, 3, 29, tzinfo=UTC), datetime(2026, 10, 25, tzinfo=UTC)]))
def test_minutes_of_the_days_that_change_clocks_are_counted_once(calendar: Calendar, second: int, day: datetime) -> None:
    start = day - timedelta(hours=6) + timedelta(seconds=second)
    minutes = [start + timedelta(minutes=step) for step in range(36 * 60)]
    counted = timedelta(minutes=sum(is_open(minute, calendar) for minute in minutes))
    assert abs(business_between(start, minutes[-1] + timedelta(minutes=1), calendar) - counted) < timedelta(minutes=4)


def test_nothing_added_is_the_moment_itself() -> None:
    saturday = local(MOSCOW, "2026-11-21T12:00")
    assert add_business(saturday, timedelta(0), MOSCOW) == saturday
    with pytest.raises(ValueError, match="forward only"):
        add_business(saturday, timedelta(seconds=-1), MOSCOW)


def test_moments_are_answered_in_utc_whatever_zone_they_come_in() -> None:
    answer = add_business(local(MOSCOW, "2026-11-23T09:00"), timedelta(minutes=15), URALS)
    assert answer.tzinfo is UTC


class TestWorkingDays:
    @pytest.mark.parametrize(
        ("at", "days", "then"),
        [
            pytest.param("2026-11-23T15:00", 1, "2026-11-24T15:00", id="the same time tomorrow"),
            pytest.param("2026-11-20T15:00", 2, "2026-11-24T15:00", id="over a weekend"),
            pytest.param("2026-11-03T15:00", 1, "2026-11-05T15:00", id="over a holiday"),
            pytest.param("2026-11-23T21:00", 1, "2026-11-25T09:00", id="the evening counts from the next morning"),
            pytest.param("2026-11-21T12:00", 1, "2026-11-24T09:00", id="a Saturday counts from Monday"),
            pytest.param("2026-11-23T13:10", 1, "2026-11-24T14:00", id="lunch counts from its end"),
            pytest.param("2026-11-21T12:00", 0, "2026-11-23T09:00", id="none is the next opening"),
        ],
    )
    def test_are_counted_from_the_first_working_moment(self, at: str, days: int, then: str) -> None:
        assert add_business_days(local(MOSCOW, at), days, MOSCOW) == local(MOSCOW, then)

    @given(calendars, moments, moments, st.integers(0, 12))
    def test_keep_the_order_of_moments(self, calendar: Calendar, a: datetime, b: datetime, days: int) -> None:
        first, second = sorted((a, b))
        earlier, later = (add_business_days(at, days, calendar) for at in (first, second))
        assert first <= earlier <= later
        assert is_open(earlier, calendar)

    def test_are_not_counted_backward(self) -> None:
        with pytest.raises(ValueError, match="forward only"):
            add_business_days(local(MOSCOW, "2026-11-23T15:00"), -1, MOSCOW)


class TestCalendarsThatNeverOpen:
    closed = Calendar(zone="UTC", weekly=((),) * 7)
    at = datetime(2026, 11, 23, tzinfo=UTC)

    def test_say_so_instead_of_searching_for_ever(self) -> None:
        for ask in (
            lambda: add_business(self.at, timedelta(minutes=1), self.closed),
            lambda: next_open(self.at, self.closed),
            lambda: add_business_days(self.at, 1, self.closed),
        ):
            with pytest.raises(CalendarNeverOpen):
                ask()

    def test_have_no_business_time(self) -> None:
        assert business_between(self.at, self.at + timedelta(days=900), self.closed) == timedelta(0)

    def test_a_promise_of_centuries_is_refused(self) -> None:
        minute_a_week = Calendar.from_weekly(zone="UTC", weekly={"mon": ["09:00-09:01"]})
        with pytest.raises(CalendarNeverOpen):
            add_business(self.at, timedelta(hours=100), minute_a_week)


class TestReadingWeeks:
    def test_free_days_may_be_left_out_and_a_day_may_end_at_24(self) -> None:
        calendar = Calendar.from_weekly(zone="UTC", weekly={"sun": ["20:00-24:00"]}, holidays=[date(2026, 1, 4)])
        assert calendar.weekly[6] == ((time(20), time(0)),)
        assert calendar.holidays == {date(2026, 1, 4)}
        assert not calendar.is_open(datetime(2026, 1, 4, 21, tzinfo=UTC))
        assert calendar.is_open(datetime(2026, 1, 11, 23, 59, 59, 999_999, tzinfo=UTC))

    @pytest.mark.parametrize(
        ("zone", "weekly", "reason"),
        [
            ("Mars/Base", WEEK, "no time zone"),
            ("UTC", {"monday": LUNCH}, "no such day"),
            ("UTC", {"mon": ("9-18",)}, "not like"),
            ("UTC", {"mon": ("09:00-25:00",)}, "not like"),
            ("UTC", {"mon": ("22:00-06:00",)}, "in order"),
            ("UTC", {"mon": ("09:00-13:00", "12:00-18:00")}, "in order"),
        ],
    )
    def test_what_cannot_be_a_week_is_refused(self, zone: str, weekly: dict[str, tuple[str, ...]], reason: str) -> None:
        with pytest.raises(Invalid) as refusal:
            Calendar.from_weekly(zone=zone, weekly=weekly)
        assert reason in str(refusal.value.fields["reason"])

    def test_a_date_that_is_none_is_refused(self) -> None:
        with pytest.raises(Invalid):
            Calendar.from_weekly(zone="UTC", weekly=WEEK, holidays=["4 November"])


@given(moments)
def test_a_month_costs_little(start: datetime) -> None:
    best = min(_seconds(lambda: add_business(start, timedelta(hours=160), BERLIN)) for _try in range(3))
    assert best < 0.02  # about 0.4 ms; room for a busy machine


def _seconds(act: object) -> float:
    began = stopwatch.perf_counter()
    assert callable(act)
    act()
    return stopwatch.perf_counter() - began
