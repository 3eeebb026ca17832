"""Whether an article really helped: the person did not come back with the same topic. Pure."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from enum import StrEnum

QUIET = timedelta(hours=72)


class Outcome(StrEnum):
    HELPED = "helped"  # said so, and nothing new came on that topic
    WAITING = "waiting"  # said so, and the time to come back is not over
    CAME_BACK = "came_back"  # said so, and asked again


def topic_of(category: str | None) -> str | None:
    """The first level of a category; people who come back seldom meet the second one again."""
    return category.partition(".")[0] if category else None


def outcome(helped_at: datetime, topic: str | None, later: Iterable[tuple[datetime, str | None]], *, now: datetime) -> Outcome:
    """What became of a "helped", given the person's requests as (opened at, category); an unknown topic counts as the same one."""
    for opened_at, category in later:
        theirs = topic_of(category)
        if helped_at < opened_at <= helped_at + QUIET and (topic is None or theirs is None or theirs == topic):
            return Outcome.CAME_BACK
    return Outcome.HELPED if now >= helped_at + QUIET else Outcome.WAITING
