"""The life of a request, case by case."""

from pathlib import Path

import pytest

from desk_core.kit.errors import DeskError
from desk_core.tickets.lifecycle import (
    ACTIVE,
    FINAL,
    TABLE,
    Effect,
    Event,
    IllegalTransition,
    Status,
    can,
    table_markdown,
    transition,
)

ROOT = Path(__file__).parents[4]


@pytest.mark.parametrize(
    ("status", "event", "then", "effect"),
    [
        (Status.NEW, Event.OPENED, Status.NEW, Effect.START_SLA),
        (Status.NEW, Event.AGENT_REPLIED, Status.OPEN, Effect.MEET_FIRST_RESPONSE),
        (Status.OPEN, Event.REQUESTER_REPLIED, Status.OPEN, Effect.START_NEXT_RESPONSE),
        (Status.OPEN, Event.ASK_REQUESTER, Status.WAITING, Effect.PAUSE_CLOCKS),
        (Status.OPEN, Event.PUT_ON_HOLD, Status.ON_HOLD, Effect.PAUSE_RESOLUTION),
        (Status.WAITING, Event.REQUESTER_REPLIED, Status.OPEN, Effect.RESUME_CLOCKS),
        (Status.ON_HOLD, Event.REQUESTER_REPLIED, Status.OPEN, Effect.RESUME_CLOCKS),
        (Status.OPEN, Event.RESOLVED, Status.RESOLVED, Effect.MEET_RESOLUTION),
        (Status.RESOLVED, Event.CONFIRMED, Status.CLOSED, Effect.ASK_RATING),
        (Status.RESOLVED, Event.DENIED, Status.OPEN, Effect.RESTART_RESOLUTION),
        (Status.RESOLVED, Event.REQUESTER_REPLIED, Status.OPEN, Effect.CANCEL_LADDER),
        (Status.RESOLVED, Event.CLOSED_BY_TIMER, Status.CLOSED, Effect.TELL_CLOSED),
        (Status.CLOSED, Event.REQUESTER_REPLIED, Status.CLOSED, Effect.OPEN_FOLLOW_UP),
        (Status.CLOSED, Event.REOPENED, Status.OPEN, Effect.RESTART_RESOLUTION),
        (Status.CANCELLED, Event.REQUESTER_REPLIED, Status.CANCELLED, Effect.OPEN_FOLLOW_UP),
        (Status.MERGED, Event.REQUESTER_REPLIED, Status.MERGED, Effect.OPEN_FOLLOW_UP),
    ],
)
def test_an_event_leads_to_a_status_with_an_effect(status: Status, event: Event, then: Status, effect: Effect) -> None:
    result = transition(status, event)
    assert result.status is then
    assert effect in result.effects


@pytest.mark.parametrize(
    ("status", "event"),
    [
        (Status.CLOSED, Event.RESOLVED),
        (Status.OPEN, Event.CONFIRMED),
        (Status.OPEN, Event.CLOSED_BY_TIMER),
        (Status.MERGED, Event.REOPENED),
        (Status.CANCELLED, Event.AGENT_REPLIED),
        (Status.OPEN, Event.OPENED),
    ],
)
def test_what_cannot_happen_is_refused_as_a_conflict(status: Status, event: Event) -> None:
    with pytest.raises(IllegalTransition) as refusal:
        transition(status, event)
    assert isinstance(refusal.value, DeskError)
    assert refusal.value.status == 409
    assert refusal.value.code == "illegal_transition"
    assert refusal.value.fields == {"current": status, "event": event}
    assert not can(status, event)


def test_every_status_has_its_row_and_nothing_is_lost_that_a_requester_says() -> None:
    assert set(TABLE) == set(Status)
    assert all(can(status, Event.REQUESTER_REPLIED) for status in Status)


def test_statuses_are_active_closed_or_final() -> None:
    assert ACTIVE | FINAL | {Status.CLOSED} == set(Status)
    assert Status.RESOLVED.is_active
    assert Status.MERGED.is_final
    assert not Status.CLOSED.is_active


def test_stored_words_find_their_row() -> None:
    assert transition(Status("on_hold"), Event("resumed")).status == "open"


def test_the_documentation_is_up_to_date() -> None:
    assert (ROOT / "docs" / "lifecycle.md").read_text(encoding="utf-8") == table_markdown()
