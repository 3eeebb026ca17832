"""Business time, and the clocks of a promise that run in it. Pure: every function is told what time it is.

Moments are aware datetimes and are answered in UTC. A calendar speaks of wall-clock hours in its zone: it is open exactly when
the clock on that wall reads a time inside one of the day's intervals, also on the days when the clocks are changed.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from desk_core.kit.errors import DeskError, Invalid
from desk_core.kit.i18n import Phrase
from desk_core.kit.i18n import gettext_noop as _

Interval = tuple[time, time]  # half-open; an end of 00:00 is the midnight that ends the day
Window = tuple[datetime, datetime]  # the same in UTC

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
ZERO = timedelta(0)
_DAY = timedelta(days=1)
_SECOND = timedelta(seconds=1)
# A calendar that opens a minute a week would be walked for decades to hold a promise of days: such a promise is a mistake.
_HORIZON_DAYS = 366 * 20
_CLOCK_TIMES = re.compile(r"\s*(\d{1,2}):(\d{2})\s*[-\u2013]\s*(\d{1,2}):(\d{2})\s*")


class CalendarNeverOpen(DeskError):
    """The calendar has no working hours, or too few to ever hold the promise."""

    code, status, text = "calendar_never_open", 422, _("This calendar never has enough working hours.")

    def __init__(self) -> None:
        super().__init__()


@dataclass(frozen=True, slots=True)
class Calendar:
    """Working hours: a zone, seven days (Monday first) of intervals in local time, and dates on which nobody works."""

    zone: str
    weekly: tuple[tuple[Interval, ...], ...]
    holidays: frozenset[date] = frozenset()

    def __post_init__(self) -> None:
        try:
            ZoneInfo(self.zone)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise Invalid(reason=Phrase(_("no time zone “%(zone)s”"), zone=self.zone)) from error
        if len(self.weekly) != len(WEEKDAYS):
            raise Invalid(reason=_("a week has seven days"))
        for name, intervals in zip(WEEKDAYS, self.weekly, strict=True):
            closed_until = ZERO
            for start, end in intervals:
                if _since_midnight(start) < closed_until or _until(end) <= _since_midnight(start):
                    raise Invalid(reason=Phrase(_("%(day)s: intervals must be in order and not overlap; split a night at 24:00"), day=name))
                closed_until = _until(end)

    @classmethod
    def always(cls, zone: str = "UTC") -> "Calendar":
        """Round the clock, every day."""
        return cls(zone=zone, weekly=(((time(0), time(0)),),) * 7)

    @classmethod
    def from_weekly(cls, *, zone: str, weekly: Mapping[str, Sequence[str]], holidays: Iterable[date | str] = ()) -> "Calendar":
        """Read `{"mon": ["09:00-13:00", "14:00-18:00"], ...}`; days left out are free, "24:00" ends a day."""
        unknown = set(weekly) - set(WEEKDAYS)
        if unknown:
            raise Invalid(reason=Phrase(_("no such day: %(days)s"), days=", ".join(sorted(map(str, unknown)))))
        days = tuple(tuple(_read_interval(text) for text in weekly.get(name) or ()) for name in WEEKDAYS)
        return cls(zone=zone, weekly=days, holidays=frozenset(_read_date(day) for day in holidays))

    @property
    def tz(self) -> ZoneInfo:
        return ZoneInfo(self.zone)

    @property
    def is_always(self) -> bool:
        """Open at every moment, so that arithmetic is plain."""
        return not self.holidays and all(day == ((time(0), time(0)),) for day in self.weekly)

    def is_working_day(self, day: date) -> bool:
        return day not in self.holidays and bool(self.weekly[day.weekday()])

    def is_open(self, at: datetime) -> bool:
        """Whether somebody works at this moment."""
        local = at.astimezone(self.tz)
        if local.date() in self.holidays:
            return False
        passed = _since_midnight(local.time())
        return any(_since_midnight(start) <= passed < _until(end) for start, end in self.weekly[local.weekday()])

    def next_open(self, at: datetime) -> datetime:
        """`at` itself when open, otherwise the moment work begins next."""
        at = at.astimezone(UTC)
        return max(at, next(self.windows(at))[0])

    def windows(self, start: datetime) -> Iterator[Window]:
        """Working hours in UTC that end after `start`, in order; raises `CalendarNeverOpen` where they run out."""
        start = start.astimezone(UTC)
        if not any(self.weekly):
            raise CalendarNeverOpen
        zone = self.tz
        day = start.astimezone(zone).date()
        midnight = datetime.combine(day, time(0))
        offset = _offset(midnight, zone)
        for _step in range(_HORIZON_DAYS):
            following = midnight + _DAY
            next_offset = _offset(following, zone)
            if self.is_working_day(midnight.date()):
                for window in _day_windows(self.weekly[midnight.weekday()], midnight, offset, next_offset, zone):
                    if window[1] > start:
                        yield window
            midnight, offset = following, next_offset
        raise CalendarNeverOpen


def add_business(start: datetime, amount: timedelta, calendar: Calendar) -> datetime:
    """The earliest moment at which `amount` of working time has passed since `start`; `start` itself for nothing."""
    start = start.astimezone(UTC)
    if amount < ZERO:
        raise ValueError("business time is added forward only")
    if amount == ZERO or calendar.is_always:
        return start + amount
    left = amount
    for opens, closes in calendar.windows(start):
        begin = max(opens, start)
        if begin + left <= closes:
            return begin + left
        left -= closes - begin
    raise CalendarNeverOpen


def business_between(a: datetime, b: datetime, calendar: Calendar) -> timedelta:
    """Working time from `a` to `b`; negative when `b` is the earlier one."""
    a, b = a.astimezone(UTC), b.astimezone(UTC)
    if b < a:
        return -business_between(b, a, calendar)
    if calendar.is_always:
        return b - a
    if not any(calendar.weekly):
        return ZERO
    passed = ZERO
    for opens, closes in calendar.windows(a):
        if opens >= b:
            break
        passed += min(closes, b) - max(opens, a)
    return passed


def is_open(at: datetime, calendar: Calendar) -> bool:
    return calendar.is_open(at)


def next_open(at: datetime, calendar: Calendar) -> datetime:
    return calendar.next_open(at)


def add_business_days(at: datetime, n: int, calendar: Calendar) -> datetime:
    """The same time of day, `n` working days later, within working hours.

    Something that happens after hours counts from the next opening, so that nobody gets less than `n` whole working days.
    """
    if n < 0:
        raise ValueError("business days are added forward only")
    opening = calendar.next_open(at)
    local = opening.astimezone(calendar.tz)
    day, left = local.date(), n
    for _step in range(_HORIZON_DAYS):
        if left == 0:
            break
        day += _DAY
        left -= calendar.is_working_day(day)
    else:
        raise CalendarNeverOpen
    moment = opening if n == 0 else datetime.combine(day, local.time(), tzinfo=calendar.tz).astimezone(UTC)
    return calendar.next_open(moment)


def _day_windows(intervals: tuple[Interval, ...], midnight: datetime, before: timedelta, after: timedelta, zone: ZoneInfo) -> list[Window]:
    """One local day's intervals in UTC. `before` and `after` are the offsets at its two midnights."""
    utc_midnight = midnight.replace(tzinfo=UTC)
    if before == after:
        base = utc_midnight - before
        return [(base + _since_midnight(start), base + _until(end)) for start, end in intervals]
    # The clocks change on this day: cut every interval at the change and shift each half by its own offset. An hour that
    # is read twice is worked twice, an hour that is never read is not worked.
    day_starts, day_ends = utc_midnight - before, utc_midnight + _DAY - after
    change = _change(day_starts, day_ends, before, zone)
    halves = ((before, day_starts, change), (after, change, day_ends))
    windows: list[Window] = []
    for offset, lower, upper in halves:
        base = utc_midnight - offset
        for start, end in intervals:
            opens, closes = max(base + _since_midnight(start), lower), min(base + _until(end), upper)
            if opens < closes:
                windows.append((opens, closes))
    return windows


def _change(lower: datetime, upper: datetime, before: timedelta, zone: ZoneInfo) -> datetime:
    """The second at which the zone leaves the offset `before`, found by halving."""
    while upper - lower > _SECOND:
        middle = lower + timedelta(seconds=int((upper - lower) / _SECOND) // 2)
        if middle.astimezone(zone).utcoffset() == before:
            lower = middle
        else:
            upper = middle
    return upper if lower.astimezone(zone).utcoffset() == before else lower


def _offset(local: datetime, zone: ZoneInfo) -> timedelta:
    return local.replace(tzinfo=zone).utcoffset() or ZERO


def _since_midnight(at: time) -> timedelta:
    return timedelta(hours=at.hour, minutes=at.minute, seconds=at.second, microseconds=at.microsecond)


def _until(end: time) -> timedelta:
    return _since_midnight(end) or _DAY


def _read_interval(text: str) -> Interval:
    found = _CLOCK_TIMES.fullmatch(str(text))
    if not found:
        raise Invalid(reason=Phrase(_("“%(text)s” is not like 09:00-18:00"), text=text))
    hours, minutes, end_hours, end_minutes = map(int, found.groups())
    try:
        end = time(0) if (end_hours, end_minutes) == (24, 0) else time(end_hours, end_minutes)
        return time(hours, minutes), end
    except ValueError as error:
        raise Invalid(reason=Phrase(_("“%(text)s” is not like 09:00-18:00"), text=text)) from error


def _read_date(day: date | str) -> date:
    try:
        return date.fromisoformat(day) if isinstance(day, str) else day
    except ValueError as error:
        raise Invalid(reason=Phrase(_("“%(day)s” is not a date like 2026-11-04"), day=day)) from error


# --- the clocks of a promise ----------------------------------------------------------------------------------------


class Metric(StrEnum):
    """What is promised."""

    FIRST_RESPONSE = "first_response"
    NEXT_RESPONSE = "next_response"
    RESOLUTION = "resolution"


class ClockState(StrEnum):
    RUNNING = "running"
    PAUSED = "paused"
    BREACHED = "breached"  # overdue and still owed
    MET = "met"  # kept in time
    LATE = "late"  # kept after it was due
    STOPPED = "stopped"  # no longer owed: cancelled, merged


@dataclass(frozen=True, slots=True)
class Pause:
    """One line of the pause ledger: from when to when (None: still), why, and who did it."""

    started_at: datetime
    ended_at: datetime | None
    reason: str
    by: str

    def length(self, calendar: Calendar, *, now: datetime) -> timedelta:
        """The working time it took out of the promise so far."""
        return max(business_between(self.started_at, self.ended_at or now, calendar), ZERO)


@dataclass(frozen=True, slots=True)
class Clock:
    """One promise on one ticket. Every act answers the clock as it is afterwards; acting twice changes nothing."""

    metric: Metric
    calendar: Calendar
    target: timedelta  # of working time
    started_at: datetime
    running_since: datetime | None  # when the present stretch began; None while paused
    consumed: timedelta = ZERO  # working time used up before `running_since`
    breached_at: datetime | None = None  # written down when a breached clock is paused; otherwise ask `due_at`
    met_at: datetime | None = None
    stopped_at: datetime | None = None
    pauses: tuple[Pause, ...] = ()  # the ledger, oldest first; may be left out where only deadlines are asked for

    @classmethod
    def start(cls, metric: Metric, *, target: timedelta, at: datetime, calendar: Calendar) -> "Clock":
        """A promise given at `at`. Restarting one is starting it anew."""
        return cls(metric=metric, calendar=calendar, target=target, started_at=at, running_since=at)

    @property
    def is_over(self) -> bool:
        return self.met_at is not None or self.stopped_at is not None

    @property
    def is_running(self) -> bool:
        return self.running_since is not None and not self.is_over

    @property
    def is_paused(self) -> bool:
        return self.running_since is None and not self.is_over

    @property
    def paused_at(self) -> datetime | None:
        """Since when it is paused, by the ledger."""
        return self.pauses[-1].started_at if self.is_paused and self.pauses else None

    def used(self, now: datetime) -> timedelta:
        """Working time used up by `now`."""
        if self.running_since is None:
            return self.consumed
        until = self.met_at or self.stopped_at or now
        # A machine's clock may jump back; time that was used stays used.
        return self.consumed + max(business_between(self.running_since, until, self.calendar), ZERO)

    def remaining(self, now: datetime) -> timedelta:
        """Working time left; negative when overdue."""
        return self.target - self.used(now)

    def due_at(self, now: datetime) -> datetime:
        """When the promise falls due; for a paused clock: if it went on at `now`."""
        return self.breached_at or self._reaches(self.target, now)

    def at_risk_at(self, now: datetime, *, fraction: float = 0.8) -> datetime:
        """When this share of the target is used up; for a paused clock: if it went on at `now`."""
        return self._reaches(self.target * fraction, now)

    def is_breached(self, now: datetime) -> bool:
        """Whether the promise was not kept in time, or is overdue at `now`."""
        if self.breached_at is not None:
            return True
        ended_at = self.met_at or self.stopped_at
        if ended_at is not None:
            return ended_at > self.due_at(ended_at)
        return self.is_running and now >= self.due_at(now)

    def state(self, now: datetime) -> ClockState:
        if self.stopped_at is not None:
            return ClockState.STOPPED
        if self.met_at is not None:
            return ClockState.LATE if self.is_breached(now) else ClockState.MET
        if self.is_paused:
            return ClockState.PAUSED
        return ClockState.BREACHED if self.is_breached(now) else ClockState.RUNNING

    def pause(self, now: datetime, *, reason: str, by: str) -> "Clock":
        """Stop counting, and write down why and by whom."""
        if not self.is_running:
            return self
        due = self.due_at(now)
        return replace(
            self,
            consumed=self.used(now),
            running_since=None,
            breached_at=due if now >= due else self.breached_at,
            pauses=(*self.pauses, Pause(started_at=now, ended_at=None, reason=reason, by=by)),
        )

    def resume(self, now: datetime) -> "Clock":
        """Go on counting from `now`."""
        if not self.is_paused:
            return self
        now = max(now, self.paused_at or now)
        return replace(self, running_since=now, pauses=_ended(self.pauses, now))

    def meet(self, now: datetime) -> "Clock":
        """The promise is fulfilled."""
        return self if self.is_over else replace(self, met_at=now, pauses=_ended(self.pauses, now))

    def stop(self, now: datetime) -> "Clock":
        """Nothing is owed any more."""
        return self if self.is_over else replace(self, stopped_at=now, pauses=_ended(self.pauses, now))

    def _reaches(self, amount: timedelta, now: datetime) -> datetime:
        begin = self.running_since or self.met_at or self.stopped_at or now
        return add_business(begin, max(amount - self.consumed, ZERO), self.calendar)


def _ended(pauses: tuple[Pause, ...], now: datetime) -> tuple[Pause, ...]:
    """The ledger with its open line, where there is one, closed at `now`."""
    if not pauses or pauses[-1].ended_at is not None:
        return pauses
    return (*pauses[:-1], replace(pauses[-1], ended_at=now))
