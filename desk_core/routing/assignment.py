"""Who of a team gets the next request: somebody online, free, skilled; the least loaded, then the longest idle. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from fractions import Fraction

_NEVER = datetime.min.replace(tzinfo=UTC)


class Reason(StrEnum):
    """Why this agent, or why nobody."""

    LEAST_LOADED = "least_loaded"
    NO_MEMBERS = "no_members"
    NOBODY_ONLINE = "nobody_online"
    NO_SKILL = "no_skill"  # nobody online has it
    ALL_AT_CAP = "all_at_cap"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A member of the team. `load` is active requests in hand, `cap` how many are too many."""

    agent_id: str
    online: bool
    load: int
    cap: int
    skills: frozenset[str] = frozenset()
    last_assigned_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Choice:
    """None sends the request to the queue."""

    agent_id: str | None
    reason: Reason


def choose_agent(candidates: Sequence[Candidate], skill: str | None) -> Choice:
    """The member who takes it. The same candidates in any order give the same choice."""
    if not candidates:
        return Choice(None, Reason.NO_MEMBERS)
    online = [one for one in candidates if one.online]
    if not online:
        return Choice(None, Reason.NOBODY_ONLINE)
    skilled = [one for one in online if skill is None or skill in one.skills]
    if not skilled:
        return Choice(None, Reason.NO_SKILL)
    free = [one for one in skilled if one.load < one.cap]
    if not free:
        return Choice(None, Reason.ALL_AT_CAP)
    chosen = min(free, key=lambda one: (Fraction(one.load, one.cap), one.last_assigned_at or _NEVER, one.agent_id))
    return Choice(chosen.agent_id, Reason.LEAST_LOADED)
