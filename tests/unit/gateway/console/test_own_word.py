"""The requester says by themselves that it is solved, while people work on it."""

from datetime import UTC, datetime
from typing import Any

import pytest

from desk_core.conversations.entities import Attachment, Message
from desk_core.tickets.entities import Ticket, TicketEvent
from gateway.console.own_word import told_solved

NOON = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


def message(ident: str, text: str, **fields: Any) -> Message:
    values: dict[str, Any] = {
        "id": ident, "ticket_id": "t", "at": NOON, "direction": "inbound", "text": text, "verdict_code": None,
        "meta": {}, "attachments": [],
    }  # fmt: skip
    return Message(**{**values, **fields})


def answer(ident: str, text: str) -> Message:
    return message(ident, text, direction="outbound")


def found(*messages: Message, status: str = "open", events: tuple[TicketEvent, ...] = ()) -> str | None:
    word = told_solved(Ticket(id="t", status=status), messages, events)
    return word.id if word else None


def event(ident: str, kind: str) -> TicketEvent:
    return TicketEvent(id=ident, ticket_id="t", at=NOON, kind=kind, data={})


@pytest.mark.parametrize(
    "words", ["Спасибо, решено!", "it works now, thanks", "Всё заработало", "Solved. You can close it.", "Помогло, закройте"]
)
def test_the_word_is_seen_at_its_message(words: str) -> None:
    assert found(message("1", "Printer is dead"), answer("2", "Try again"), message("3", words)) == "3"


@pytest.mark.parametrize(
    "words",
    [
        "Спасибо!",
        "да",
        "ok",
        "It still does not work",
        "Заработало, но снова зависло",
        "Заработает ли завтра? Не решено",
        "А когда будет решено?",
    ],
)
def test_what_only_thanks_or_says_otherwise_proposes_nothing(words: str) -> None:
    assert found(message("1", words)) is None


def test_our_own_words_between_the_lines_are_not_theirs() -> None:
    assert found(message("1", "> Is it solved? Then it works now.\nLet me see tomorrow")) is None


def test_thanks_that_follow_take_nothing_back_and_other_words_do() -> None:
    assert found(message("1", "it works now"), message("2", "Thank you very much")) == "1"
    assert found(message("1", "it works now"), answer("2", "Glad to hear that.")) == "1"
    assert found(message("1", "it works now"), message("2", "Wait, the scanner is dead too")) is None
    assert found(message("1", "it works now"), message("2", "", attachments=[Attachment()])) is None


@pytest.mark.parametrize("status", ["resolved", "closed", "cancelled", "merged"])
def test_it_goes_when_nobody_works_on_it_any_more(status: str) -> None:
    assert found(message("1", "it works now"), status=status) is None


def test_it_goes_when_an_operator_decided_otherwise_since() -> None:
    assert found(message("2", "it works now"), status="waiting", events=(event("3", "ask_requester"),)) is None
    assert found(message("2", "it works now"), events=(event("1", "ask_requester"), event("3", "requester_replied"))) == "2"


def test_somebody_else_on_the_request_closes_nothing_and_a_robot_says_nothing() -> None:
    assert found(message("1", "it works now", meta={"participant": True})) is None
    assert found(message("1", "it works now", verdict_code="out_of_office")) is None
    assert found(message("1", "it works now", ticket_id="another")) is None
