"""The close ladder is polite: it asks, reminds once, and never closes over the requester's last word."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desk_core.kit.errors import Invalid
from desk_core.sla.clock import Calendar
from desk_core.tickets.ladder import Ladder, Speaker, Step, StepKind

OFFICE = Calendar.from_weekly(
    zone="Europe/Moscow",
    weekly=dict.fromkeys(("mon", "tue", "wed", "thu", "fri"), ("09:00-13:00", "14:00-18:00")),
    holidays=["2026-11-04"],
)
LADDER = Ladder(remind_after_business_days=2, close_after_business_days=3, reopen_days=14)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo("Europe/Moscow"))


RESOLVED = at("2026-11-19T16:00")  # a Thursday


def step(*, speaker: str = Speaker.AGENT, reminded: datetime | None = None, asked: bool = True) -> Step:
    return LADDER.next_step(
        resolved_at=RESOLVED,
        last_speaker=speaker,
        reminded_at=reminded,
        now=RESOLVED,
        calendar=OFFICE,
        asked=asked,
    )


def test_first_it_asks() -> None:
    assert step(asked=False).kind is StepKind.ASK


def test_then_it_reminds_after_working_days() -> None:
    assert step() == Step(StepKind.REMIND, at("2026-11-23T16:00"))
    assert not step().is_due(at("2026-11-23T15:59"))
    assert step().is_due(at("2026-11-23T16:00"))


def test_then_it_closes_after_more_of_them() -> None:
    assert step(reminded=at("2026-11-23T16:00")) == Step(StepKind.CLOSE, at("2026-11-24T16:00"))


def test_a_late_reminder_leaves_as_much_time_to_answer() -> None:
    assert step(reminded=at("2026-12-01T10:00")) == Step(StepKind.CLOSE, at("2026-12-02T10:00"))


def test_the_last_word_of_the_requester_stops_it() -> None:
    stopped = step(speaker="contact", reminded=at("2026-11-23T16:00"))
    assert stopped.kind is StepKind.NONE
    assert not stopped.is_due(at("2027-11-23T16:00"))


def test_without_a_reminder_it_closes_straight_away() -> None:
    ladder = Ladder(remind_after_business_days=0, close_after_business_days=1, reopen_days=0)
    result = ladder.next_step(resolved_at=at("2026-11-03T16:00"), last_speaker="bot", reminded_at=None, now=RESOLVED, calendar=OFFICE)
    assert result == Step(StepKind.CLOSE, at("2026-11-05T16:00"))


@pytest.mark.parametrize(("remind", "close", "reopen"), [(3, 3, 1), (-1, 3, 1), (0, 0, 1), (1, 2, -1)])
def test_impossible_patience_is_refused(remind: int, close: int, reopen: int) -> None:
    with pytest.raises(Invalid):
        Ladder(remind_after_business_days=remind, close_after_business_days=close, reopen_days=reopen)


def test_reopening_is_possible_for_a_while() -> None:
    closed = at("2026-11-01T12:00")
    assert LADDER.may_reopen(closed, at("2026-11-15T12:00"))
    assert not LADDER.may_reopen(closed, at("2026-11-15T12:01"))


@given(
    speaker=st.sampled_from(list(Speaker)),
    reminded_after=st.none() | st.integers(0, 20 * 24).map(lambda hours: timedelta(hours=hours)),
    later=st.integers(0, 60 * 24).map(lambda hours: timedelta(hours=hours)),
)
def test_it_never_closes_early_nor_over_the_last_word(speaker: Speaker, reminded_after: timedelta | None, later: timedelta) -> None:
    reminded = None if reminded_after is None else RESOLVED + reminded_after
    now = RESOLVED + later
    result = LADDER.next_step(resolved_at=RESOLVED, last_speaker=speaker, reminded_at=reminded, now=now, calendar=OFFICE)
    if result.kind is StepKind.CLOSE and result.is_due(now):
        assert speaker is not Speaker.CONTACT
        assert reminded is not None
        assert OFFICE.is_open(result.at)
        assert result.at >= at("2026-11-24T16:00")
        assert result.at > reminded
