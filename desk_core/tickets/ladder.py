"""The close ladder: a resolved request asks "solved?", reminds once, and closes after some working days. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from desk_core.kit.errors import Invalid
from desk_core.kit.i18n import gettext_noop as _
from desk_core.sla.clock import Calendar, add_business_days


class Speaker(StrEnum):
    """Who said the last word on a request."""

    CONTACT = "contact"
    AGENT = "agent"
    BOT = "bot"


class StepKind(StrEnum):
    ASK = "ask"
    REMIND = "remind"
    CLOSE = "close"
    NONE = "none"  # the requester has the last word: nothing happens by itself


@dataclass(frozen=True, slots=True)
class Step:
    """The next thing to do and when. Nothing else is to be done before."""

    kind: StepKind
    at: datetime

    def is_due(self, now: datetime) -> bool:
        return self.kind is not StepKind.NONE and self.at <= now


@dataclass(frozen=True, slots=True)
class Ladder:
    """How patient the desk is. Reminding after 0 days means no reminder; reopening counts calendar days."""

    remind_after_business_days: int
    close_after_business_days: int
    reopen_days: int

    def __post_init__(self) -> None:
        if self.close_after_business_days < 1 or self.reopen_days < 0:
            raise Invalid(reason=_("a request closes after one working day at the earliest"))
        if not 0 <= self.remind_after_business_days < self.close_after_business_days:
            raise Invalid(reason=_("the reminder must come before the closing"))

    def next_step(
        self,
        *,
        resolved_at: datetime,
        last_speaker: str,
        reminded_at: datetime | None,
        now: datetime,
        calendar: Calendar,
        asked: bool = True,
    ) -> Step:
        """What the ladder does next. It never closes while the requester spoke last, nor without the reminder it owes."""
        if last_speaker == Speaker.CONTACT:
            return Step(StepKind.NONE, now)
        if not asked:
            return Step(StepKind.ASK, now)
        if reminded_at is None and self.remind_after_business_days:
            return Step(StepKind.REMIND, add_business_days(resolved_at, self.remind_after_business_days, calendar))
        closes_at = add_business_days(resolved_at, self.close_after_business_days, calendar)
        if reminded_at is not None:
            # A reminder that went out late (the desk was down) leaves as much time to answer as one in time.
            notice = self.close_after_business_days - self.remind_after_business_days
            closes_at = max(closes_at, add_business_days(reminded_at, notice, calendar))
        return Step(StepKind.CLOSE, closes_at)

    def may_reopen(self, closed_at: datetime, now: datetime) -> bool:
        """Whether a reply still opens the closed request again; later it starts a follow-up."""
        return now <= closed_at + timedelta(days=self.reopen_days)
