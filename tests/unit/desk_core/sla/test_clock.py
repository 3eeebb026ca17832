"""The clocks of a promise: due, at risk, paused with a ledger, met, late, stopped."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import assume, given
from hypothesis import strategies as st

from desk_core.sla.clock import Calendar, Clock, ClockState, Metric, Pause, add_business, business_between

WEEK = dict.fromkeys(("mon", "tue", "wed", "thu", "fri"), ("09:00-13:00", "14:00-18:00"))
MOSCOW = Calendar.from_weekly(zone="Europe/Moscow", weekly=WEEK)
BERLIN = Calendar.from_weekly(zone="Europe/Berlin", weekly=WEEK, holidays=["2026-04-03"])
HOUR = timedelta(hours=1)
calendars = st.sampled_from((MOSCOW, BERLIN, Calendar.always()))
moments = st.integers(0, 60 * 86_400).map(lambda seconds: datetime(2026, 3, 1, tzinfo=UTC) + timedelta(seconds=seconds))
gaps = st.integers(0, 10 * 24 * 60).map(lambda minutes: timedelta(minutes=minutes))
targets = st.integers(1, 80 * 60).map(lambda minutes: timedelta(minutes=minutes))


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo("Europe/Moscow"))


def promise(start: str, target: timedelta) -> Clock:
    return Clock.start(Metric.FIRST_RESPONSE, target=target, at=at(start), calendar=MOSCOW)


class TestARunningClock:
    def test_is_due_after_its_target_of_working_time(self) -> None:
        clock = promise("2026-11-20T17:30", HOUR)
        assert clock.due_at(at("2026-11-20T17:31")) == at("2026-11-23T09:30")

    def test_is_at_risk_after_a_share_of_it(self) -> None:
        clock = promise("2026-11-23T09:00", 5 * HOUR)
        assert clock.at_risk_at(clock.started_at) == at("2026-11-23T13:00")
        assert clock.at_risk_at(clock.started_at, fraction=0.5) == at("2026-11-23T11:30")

    def test_is_breached_from_its_due_moment_on(self) -> None:
        clock = promise("2026-11-23T09:00", HOUR)
        assert clock.state(at("2026-11-23T09:59")) is ClockState.RUNNING
        assert clock.state(at("2026-11-23T10:00")) is ClockState.BREACHED
        assert clock.remaining(at("2026-11-23T10:05")) == timedelta(minutes=-5)

    def test_counts_nothing_when_the_machine_clock_jumps_back(self) -> None:
        clock = promise("2026-11-23T09:00", HOUR)
        assert clock.used(at("2026-11-23T08:00")) == timedelta(0)


class TestAMetClock:
    def test_stays_met_for_ever(self) -> None:
        clock = promise("2026-11-23T09:00", HOUR).meet(at("2026-11-23T10:00"))
        assert clock.state(at("2026-12-23T10:00")) is ClockState.MET
        assert clock.due_at(at("2026-12-23T10:00")) == at("2026-11-23T10:00")
        assert clock.used(at("2026-12-23T10:00")) == HOUR

    def test_is_late_when_it_was_met_after_it_was_due(self) -> None:
        clock = promise("2026-11-23T09:00", HOUR).meet(at("2026-11-23T10:01"))
        assert clock.state(at("2026-11-23T10:01")) is ClockState.LATE

    def test_ignores_what_comes_later(self) -> None:
        met = promise("2026-11-23T09:00", HOUR).meet(at("2026-11-23T09:30"))
        later = at("2026-11-24T09:30")
        assert met.meet(later) == met.stop(later) == met.resume(later) == met.pause(later, reason="x", by="y") == met

    def test_may_be_met_while_paused(self) -> None:
        paused = promise("2026-11-23T09:00", HOUR).pause(at("2026-11-23T09:30"), reason="waiting", by="anna")
        met = paused.meet(at("2026-11-24T16:00"))
        assert met.state(at("2026-11-25T09:00")) is ClockState.MET
        assert met.pauses[0].ended_at == at("2026-11-24T16:00")


def test_a_stopped_clock_owes_nothing() -> None:
    clock = promise("2026-11-23T09:00", HOUR).stop(at("2026-11-23T09:30"))
    assert clock.state(at("2026-11-25T09:30")) is ClockState.STOPPED
    assert not clock.is_breached(at("2026-11-25T09:30"))
    assert not clock.is_running
    assert not clock.is_paused


class TestPauses:
    def test_are_written_into_a_ledger_with_who_and_why(self) -> None:
        clock = (
            promise("2026-11-23T09:00", 8 * HOUR)
            .pause(at("2026-11-23T10:00"), reason="waiting", by="anna")
            .resume(at("2026-11-23T15:00"))
            .pause(at("2026-11-23T16:00"), reason="on_hold", by="boris")
        )
        assert clock.pauses == (
            Pause(started_at=at("2026-11-23T10:00"), ended_at=at("2026-11-23T15:00"), reason="waiting", by="anna"),
            Pause(started_at=at("2026-11-23T16:00"), ended_at=None, reason="on_hold", by="boris"),
        )
        assert clock.pauses[0].length(MOSCOW, now=at("2026-11-24T12:00")) == 4 * HOUR
        assert clock.pauses[1].length(MOSCOW, now=at("2026-11-24T12:00")) == 5 * HOUR
        assert clock.paused_at == at("2026-11-23T16:00")
        assert clock.used(at("2026-11-24T12:00")) == 2 * HOUR

    def test_acting_twice_changes_nothing(self) -> None:
        clock = promise("2026-11-23T09:00", 8 * HOUR)
        paused = clock.pause(at("2026-11-23T10:00"), reason="waiting", by="anna")
        assert paused.pause(at("2026-11-23T11:00"), reason="again", by="boris") == paused
        assert clock.resume(at("2026-11-23T11:00")) == clock

    def test_do_not_hide_a_breach(self) -> None:
        clock = promise("2026-11-23T09:00", HOUR).pause(at("2026-11-23T11:00"), reason="waiting", by="anna")
        assert clock.state(at("2026-11-23T12:00")) is ClockState.PAUSED
        resumed = clock.resume(at("2026-11-25T09:00"))
        assert resumed.due_at(at("2026-11-25T09:00")) == at("2026-11-23T10:00")
        assert resumed.state(at("2026-11-25T09:00")) is ClockState.BREACHED
        again = resumed.pause(at("2026-11-25T10:00"), reason="waiting", by="anna")
        assert again.breached_at == at("2026-11-23T10:00")

    def test_a_clock_read_without_its_ledger_pauses_and_resumes(self) -> None:
        row = Clock(
            metric=Metric.RESOLUTION,
            calendar=MOSCOW,
            target=2 * HOUR,
            started_at=at("2026-11-23T09:00"),
            running_since=None,
            consumed=HOUR,
        )
        resumed = row.resume(at("2026-11-23T15:00"))
        assert resumed.due_at(at("2026-11-23T15:00")) == at("2026-11-23T16:00")

    @given(calendars, moments, targets, gaps, gaps)
    def test_move_the_due_by_exactly_their_working_time(
        self, calendar: Calendar, start: datetime, target: timedelta, before: timedelta, length: timedelta
    ) -> None:
        clock = Clock.start(Metric.RESOLUTION, target=target, at=start, calendar=calendar)
        paused_at, resumed_at = start + before, start + before + length
        due = clock.due_at(start)
        assume(paused_at < due)
        moved = clock.pause(paused_at, reason="waiting", by="anna").resume(resumed_at)
        worked = business_between(paused_at, resumed_at, calendar)
        assert moved.due_at(resumed_at) == add_business(due, worked, calendar)
        assert moved.pauses[0].length(calendar, now=resumed_at) == worked

    @given(calendars, moments, targets, gaps)
    def test_outside_working_hours_move_nothing(self, calendar: Calendar, start: datetime, target: timedelta, before: timedelta) -> None:
        clock = Clock.start(Metric.RESOLUTION, target=target, at=start, calendar=calendar)
        due = clock.due_at(start)
        paused_at = start + before
        assume(paused_at < due)
        moved = clock.pause(paused_at, reason="waiting", by="anna").resume(calendar.next_open(paused_at))
        assert moved.due_at(due) == due

    @given(moments, targets, st.lists(gaps, max_size=8))
    def test_used_time_is_elapsed_time_without_the_ledger(self, start: datetime, target: timedelta, steps: list[timedelta]) -> None:
        clock, now = Clock.start(Metric.RESOLUTION, target=target, at=start, calendar=BERLIN), start
        for step in steps:
            now += step
            clock = clock.resume(now) if clock.is_paused else clock.pause(now, reason="waiting", by="anna")
        elapsed = business_between(start, now, BERLIN)
        paused = sum((pause.length(BERLIN, now=now) for pause in clock.pauses), timedelta(0))
        assert clock.used(now) == elapsed - paused
        assert clock.remaining(now) + clock.used(now) == target
