"""Who may do what: the one place where roles are asked."""

from enum import StrEnum

from desk_core.kit.errors import Forbidden


class Role(StrEnum):
    AGENT = "agent"
    SUPERVISOR = "supervisor"
    ADMINISTRATOR = "administrator"


class Right(StrEnum):
    WORK_TICKETS = "work_tickets"
    SEE_REPORTS = "see_reports"
    REPLAY_DEAD = "replay_dead"
    ASSIGN_OTHERS = "assign_others"
    EDIT_ARTICLES = "edit_articles"
    MANAGE_DESK = "manage_desk"
    MANAGE_PEOPLE = "manage_people"


_AGENT = frozenset({Right.WORK_TICKETS})
_SUPERVISOR = _AGENT | {Right.SEE_REPORTS, Right.REPLAY_DEAD, Right.ASSIGN_OTHERS, Right.EDIT_ARTICLES}
_ADMINISTRATOR = _SUPERVISOR | {Right.MANAGE_DESK, Right.MANAGE_PEOPLE}

RIGHTS = {Role.AGENT: _AGENT, Role.SUPERVISOR: _SUPERVISOR, Role.ADMINISTRATOR: _ADMINISTRATOR}


def allowed(role: Role | str, right: Right) -> bool:
    return right in RIGHTS[Role(role)]


def require(role: Role | str, right: Right) -> None:
    """Raises `Forbidden` when the role lacks the right."""
    if not allowed(role, right):
        raise Forbidden(right=right.value)
