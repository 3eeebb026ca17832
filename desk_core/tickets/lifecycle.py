"""The life of a request: status x event -> status and effects. One table, from which the documentation is written too.

`transition` decides, the caller acts: it stores the status and carries out the effects in one commit.
"""

from dataclasses import dataclass
from enum import StrEnum

from desk_core.kit.errors import DeskError
from desk_core.kit.i18n import gettext_noop as _


class Status(StrEnum):
    """Where a request stands."""

    NEW = "new"
    OPEN = "open"
    WAITING = "waiting"  # for the requester
    ON_HOLD = "on_hold"  # for a third party
    RESOLVED = "resolved"  # awaiting confirmation
    CLOSED = "closed"
    CANCELLED = "cancelled"
    MERGED = "merged"

    @property
    def is_final(self) -> bool:
        """No event leads out of it."""
        return self in FINAL

    @property
    def is_active(self) -> bool:
        """Somebody still has something to do or to confirm."""
        return self in ACTIVE


class Kind(StrEnum):
    INCIDENT = "incident"
    SERVICE_REQUEST = "service_request"
    QUESTION = "question"
    COMPLAINT = "complaint"
    PROBLEM = "problem"
    CHANGE = "change"


class Priority(StrEnum):
    """P1 is the most urgent."""

    P1 = "P1"
    P2 = "P2"
    P3 = "P3"
    P4 = "P4"


class Event(StrEnum):
    """What happened to a request."""

    OPENED = "opened"
    TAKEN = "taken"  # an agent took it over
    ASSIGNED = "assigned"  # it was given to an agent
    ESCALATED = "escalated"  # to another line
    RETURNED = "returned"  # back to the line it came from
    REQUESTER_REPLIED = "requester_replied"
    AGENT_REPLIED = "agent_replied"
    ASK_REQUESTER = "ask_requester"  # nothing can be done before the requester answers
    PUT_ON_HOLD = "put_on_hold"  # nothing can be done before a third party acts
    RESUMED = "resumed"
    RESOLVED = "resolved"
    TAKEN_BACK = "taken_back"  # the solution never left the desk
    CONFIRMED = "confirmed"  # "yes, solved"
    DENIED = "denied"  # "no, not solved"
    REOPENED = "reopened"
    CLOSED_BY_TIMER = "closed_by_timer"
    CLOSED_BY_REQUESTER = "closed_by_requester"
    CLOSED_BY_AGENT = "closed_by_agent"
    CANCELLED = "cancelled"
    MERGED = "merged"


class Effect(StrEnum):
    """What the caller does in the same commit. Each is safe to repeat and does nothing where there is nothing to do."""

    START_SLA = "start_sla"  # begin first_response and resolution by the policy
    PAUSE_CLOCKS = "pause_clocks"  # every clock that runs
    PAUSE_RESOLUTION = "pause_resolution"  # resolution alone: an answer is still owed
    RESUME_CLOCKS = "resume_clocks"  # every clock that is paused
    STOP_CLOCKS = "stop_clocks"  # nothing is owed any more
    RESTART_RESOLUTION = "restart_resolution"  # begin resolution anew
    MEET_FIRST_RESPONSE = "meet_first_response"
    MEET_NEXT_RESPONSE = "meet_next_response"
    START_NEXT_RESPONSE = "start_next_response"  # unless a response clock is owed already or the requester is not the last to speak
    MEET_RESOLUTION = "meet_resolution"
    OWE_AGAIN = "owe_again"  # what the solution fulfilled, as if it had not been told
    ASK_SOLVED = "ask_solved"
    START_LADDER = "start_ladder"
    CANCEL_LADDER = "cancel_ladder"
    ASK_RATING = "ask_rating"
    TELL_CLOSED = "tell_closed"
    TELL_CANCELLED = "tell_cancelled"
    TELL_MERGED = "tell_merged"
    NOTIFY_TEAM = "notify_team"  # the assignee, or the team where there is none
    NOTIFY_ASSIGNEE = "notify_assignee"
    OPEN_FOLLOW_UP = "open_follow_up"  # a new request linked to this one


class IllegalTransition(DeskError):
    """This cannot happen to a request in this status."""

    code, status, text = "illegal_transition", 409, _("This cannot be done to the request as it stands now.")

    def __init__(self, current: Status, event: Event) -> None:
        super().__init__(current=current, event=event)
        self.current, self.event = current, event


@dataclass(frozen=True, slots=True)
class Transition:
    """The status afterwards and what to do about it, in this order."""

    status: Status
    effects: tuple[Effect, ...] = ()


FINAL = frozenset({Status.CANCELLED, Status.MERGED})
ACTIVE = frozenset({Status.NEW, Status.OPEN, Status.WAITING, Status.ON_HOLD, Status.RESOLVED})


def _to(status: Status, *effects: Effect) -> Transition:
    return Transition(status, effects)


_ANSWERED = (Effect.MEET_FIRST_RESPONSE, Effect.MEET_NEXT_RESPONSE)
_KEPT = (*_ANSWERED, Effect.MEET_RESOLUTION)
_SOLVED = _to(Status.RESOLVED, *_KEPT, Effect.ASK_SOLVED, Effect.START_LADDER)
_CLOSED_BY_AGENT = _to(Status.CLOSED, *_KEPT, Effect.STOP_CLOCKS, Effect.TELL_CLOSED, Effect.ASK_RATING)
# Who closes their own request owes us nothing and we owe them nothing: the promise is neither kept nor broken.
_CLOSED_BY_REQUESTER = _to(Status.CLOSED, Effect.STOP_CLOCKS, Effect.TELL_CLOSED, Effect.ASK_RATING)
_CANCELLED = _to(Status.CANCELLED, Effect.STOP_CLOCKS, Effect.TELL_CANCELLED)
_MERGED = _to(Status.MERGED, Effect.STOP_CLOCKS, Effect.TELL_MERGED)
_HEARD_AGAIN = _to(Status.OPEN, Effect.RESUME_CLOCKS, Effect.START_NEXT_RESPONSE, Effect.NOTIFY_TEAM)
_NOT_SOLVED = _to(
    Status.OPEN,
    Effect.CANCEL_LADDER,
    Effect.RESTART_RESOLUTION,
    Effect.START_NEXT_RESPONSE,
    Effect.NOTIFY_TEAM,
)

TABLE: dict[Status, dict[Event, Transition]] = {
    Status.NEW: {
        Event.OPENED: _to(Status.NEW, Effect.START_SLA, Effect.NOTIFY_TEAM),
        Event.TAKEN: _to(Status.OPEN),
        Event.ASSIGNED: _to(Status.NEW, Effect.NOTIFY_ASSIGNEE),
        Event.ESCALATED: _to(Status.NEW, Effect.NOTIFY_TEAM),
        Event.RETURNED: _to(Status.NEW, Effect.NOTIFY_TEAM),
        Event.REQUESTER_REPLIED: _to(Status.NEW, Effect.NOTIFY_TEAM),
        Event.AGENT_REPLIED: _to(Status.OPEN, *_ANSWERED),
        Event.ASK_REQUESTER: _to(Status.WAITING, Effect.PAUSE_CLOCKS),
        Event.PUT_ON_HOLD: _to(Status.ON_HOLD, Effect.PAUSE_RESOLUTION),
        Event.RESUMED: _to(Status.OPEN),
        Event.RESOLVED: _SOLVED,
        Event.CLOSED_BY_REQUESTER: _CLOSED_BY_REQUESTER,
        Event.CLOSED_BY_AGENT: _CLOSED_BY_AGENT,
        Event.CANCELLED: _CANCELLED,
        Event.MERGED: _MERGED,
    },
    Status.OPEN: {
        Event.TAKEN: _to(Status.OPEN),
        Event.ASSIGNED: _to(Status.OPEN, Effect.NOTIFY_ASSIGNEE),
        Event.ESCALATED: _to(Status.OPEN, Effect.NOTIFY_TEAM),
        Event.RETURNED: _to(Status.OPEN, Effect.NOTIFY_TEAM),
        Event.REQUESTER_REPLIED: _to(Status.OPEN, Effect.START_NEXT_RESPONSE, Effect.NOTIFY_TEAM),
        Event.AGENT_REPLIED: _to(Status.OPEN, *_ANSWERED),
        Event.ASK_REQUESTER: _to(Status.WAITING, Effect.PAUSE_CLOCKS),
        Event.PUT_ON_HOLD: _to(Status.ON_HOLD, Effect.PAUSE_RESOLUTION),
        Event.RESUMED: _to(Status.OPEN),
        Event.RESOLVED: _SOLVED,
        Event.CLOSED_BY_REQUESTER: _CLOSED_BY_REQUESTER,
        Event.CLOSED_BY_AGENT: _CLOSED_BY_AGENT,
        Event.CANCELLED: _CANCELLED,
        Event.MERGED: _MERGED,
    },
    Status.WAITING: {
        Event.TAKEN: _to(Status.WAITING),
        Event.ASSIGNED: _to(Status.WAITING, Effect.NOTIFY_ASSIGNEE),
        Event.ESCALATED: _to(Status.WAITING, Effect.NOTIFY_TEAM),
        Event.RETURNED: _to(Status.WAITING, Effect.NOTIFY_TEAM),
        Event.REQUESTER_REPLIED: _HEARD_AGAIN,
        Event.AGENT_REPLIED: _to(Status.WAITING, *_ANSWERED),
        Event.ASK_REQUESTER: _to(Status.WAITING),
        # An answer is owed again while a third party works, so the response clocks go on.
        Event.PUT_ON_HOLD: _to(Status.ON_HOLD, Effect.RESUME_CLOCKS, Effect.PAUSE_RESOLUTION),
        Event.RESUMED: _to(Status.OPEN, Effect.RESUME_CLOCKS),
        Event.RESOLVED: _SOLVED,
        Event.CLOSED_BY_REQUESTER: _CLOSED_BY_REQUESTER,
        Event.CLOSED_BY_AGENT: _CLOSED_BY_AGENT,
        Event.CANCELLED: _CANCELLED,
        Event.MERGED: _MERGED,
    },
    Status.ON_HOLD: {
        Event.TAKEN: _to(Status.ON_HOLD),
        Event.ASSIGNED: _to(Status.ON_HOLD, Effect.NOTIFY_ASSIGNEE),
        Event.ESCALATED: _to(Status.ON_HOLD, Effect.NOTIFY_TEAM),
        Event.RETURNED: _to(Status.ON_HOLD, Effect.NOTIFY_TEAM),
        Event.REQUESTER_REPLIED: _HEARD_AGAIN,
        Event.AGENT_REPLIED: _to(Status.ON_HOLD, *_ANSWERED),
        Event.ASK_REQUESTER: _to(Status.WAITING, Effect.PAUSE_CLOCKS),
        Event.PUT_ON_HOLD: _to(Status.ON_HOLD),
        Event.RESUMED: _to(Status.OPEN, Effect.RESUME_CLOCKS),
        Event.RESOLVED: _SOLVED,
        Event.CLOSED_BY_REQUESTER: _CLOSED_BY_REQUESTER,
        Event.CLOSED_BY_AGENT: _CLOSED_BY_AGENT,
        Event.CANCELLED: _CANCELLED,
        Event.MERGED: _MERGED,
    },
    Status.RESOLVED: {
        Event.TAKEN: _to(Status.RESOLVED),
        Event.ASSIGNED: _to(Status.RESOLVED, Effect.NOTIFY_ASSIGNEE),
        Event.REQUESTER_REPLIED: _NOT_SOLVED,
        Event.AGENT_REPLIED: _to(Status.RESOLVED),
        # A second solution asks again and gives the requester the whole time again.
        Event.RESOLVED: _to(Status.RESOLVED, Effect.CANCEL_LADDER, Effect.ASK_SOLVED, Effect.START_LADDER),
        Event.TAKEN_BACK: _to(Status.OPEN, Effect.CANCEL_LADDER, Effect.OWE_AGAIN, Effect.RESUME_CLOCKS),
        # The requester has just said so themselves; only the rating is left to ask.
        Event.CONFIRMED: _to(Status.CLOSED, Effect.CANCEL_LADDER, Effect.ASK_RATING),
        Event.DENIED: _NOT_SOLVED,
        Event.REOPENED: _NOT_SOLVED,
        Event.CLOSED_BY_TIMER: _to(Status.CLOSED, Effect.CANCEL_LADDER, Effect.TELL_CLOSED, Effect.ASK_RATING),
        Event.CLOSED_BY_REQUESTER: _to(Status.CLOSED, Effect.CANCEL_LADDER, Effect.TELL_CLOSED, Effect.ASK_RATING),
        Event.CLOSED_BY_AGENT: _to(Status.CLOSED, Effect.CANCEL_LADDER, Effect.TELL_CLOSED, Effect.ASK_RATING),
        Event.CANCELLED: _to(Status.CANCELLED, Effect.CANCEL_LADDER, Effect.TELL_CANCELLED),
        Event.MERGED: _to(Status.MERGED, Effect.CANCEL_LADDER, Effect.TELL_MERGED),
    },
    Status.CLOSED: {
        # Within the reopen window (`ladder.may_reopen`) the caller sends REOPENED instead of these two.
        Event.REQUESTER_REPLIED: _to(Status.CLOSED, Effect.OPEN_FOLLOW_UP),
        Event.DENIED: _to(Status.CLOSED, Effect.OPEN_FOLLOW_UP),
        # "Solved" pressed after the timer has closed it is still a kind word worth a rating.
        Event.CONFIRMED: _to(Status.CLOSED, Effect.ASK_RATING),
        Event.AGENT_REPLIED: _to(Status.CLOSED),
        Event.REOPENED: _to(
            Status.OPEN, Effect.RESTART_RESOLUTION, Effect.START_NEXT_RESPONSE, Effect.NOTIFY_TEAM
        ),
        Event.MERGED: _to(Status.MERGED, Effect.TELL_MERGED),
    },
    Status.CANCELLED: {
        Event.REQUESTER_REPLIED: _to(Status.CANCELLED, Effect.OPEN_FOLLOW_UP),
    },
    Status.MERGED: {
        Event.REQUESTER_REPLIED: _to(Status.MERGED, Effect.OPEN_FOLLOW_UP),
    },
}  # fmt: skip


def transition(status: Status, event: Event) -> Transition:
    """What `event` makes of a request in `status`; raises `IllegalTransition` where it cannot happen."""
    try:
        return TABLE[status][event]
    except KeyError:
        raise IllegalTransition(status, event) from None


def can(status: Status, event: Event) -> bool:
    """Whether `event` may happen to a request in `status` (which buttons to show)."""
    return event in TABLE[status]


_PAGE_HEAD = """# The life of a request

Written from the table in `desk_core/tickets/lifecycle.py`; do not edit by hand. Rewrite it with
`python -m desk_core.tickets.lifecycle > docs/lifecycle.md`. An event that a status does not list is refused with
`illegal_transition`. Effects are carried out in the commit that stores the status.
"""


def table_markdown() -> str:
    """The documentation page `docs/lifecycle.md`."""
    lines = [_PAGE_HEAD]
    for status, events in TABLE.items():
        lines += [f"## {status}{' (final)' if status.is_final else ''}", "", "| event | status | effects |", "|---|---|---|"]
        for event, then in events.items():
            lines.append(f"| {event} | {then.status} | {', '.join(then.effects)} |")
        lines.append("")
    return "\n".join(lines)


if __name__ == "__main__":
    import sys

    sys.stdout.write(table_markdown())
