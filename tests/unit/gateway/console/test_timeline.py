"""The story of a conversation: order, days, runs of one speaker."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from desk_core.conversations.entities import Message
from desk_core.tickets.entities import TicketEvent
from gateway.console.timeline import EntryKind, story

NOON = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


def message(ident: str, at: datetime, **fields: Any) -> Message:
    values: dict[str, Any] = {
        "id": ident, "at": at, "direction": "inbound", "author_kind": "contact", "author": "Boris", "text": ident, "buttons": [],
        "verdict_code": "received", "verdict": {}, "meta": {},
    }  # fmt: skip
    return Message(**{**values, **fields})


def event(ident: str, at: datetime, kind: str) -> TicketEvent:
    return TicketEvent(id=ident, ticket_id="t", at=at, kind=kind, actor_kind="agent", actor="Anna", version=1, data={})


def told(messages: list[Message], events: list[TicketEvent] | None = None) -> list[Any]:
    return story(messages, events or [], zone=ZoneInfo("Europe/Moscow"), language="en", titles={})


def test_a_day_begins_with_its_line_in_the_viewers_zone() -> None:
    late = datetime(2026, 11, 23, 20, 59, tzinfo=UTC)
    kinds = [entry.kind for entry in told([message("1", late), message("2", late + timedelta(minutes=2))])]
    assert kinds == [EntryKind.DAY, EntryKind.MESSAGE, EntryKind.DAY, EntryKind.MESSAGE]


def test_one_speaker_goes_on_without_a_new_heading() -> None:
    entries = told([message("1", NOON), message("2", NOON + timedelta(minutes=1)), message("3", NOON + timedelta(minutes=30))])
    assert [entry.first for entry in entries[1:]] == [True, False, True]


def test_a_note_never_joins_an_answer_of_the_same_person() -> None:
    entries = told([
        message("1", NOON, direction="outbound", author_kind="agent", author="Anna"),
        message("2", NOON, direction="note", author_kind="agent", author="Anna"),
    ])  # fmt: skip
    assert [(entry.kind, entry.first) for entry in entries[1:]] == [(EntryKind.MESSAGE, True), (EntryKind.NOTE, True)]


def test_of_one_moment_the_thing_written_first_stands_first() -> None:
    entries = told([message("2", NOON)], [event("1", NOON, "taken"), event("3", NOON, "prioritised")])
    assert [entry.kind for entry in entries[1:]] == [EntryKind.ACTIVITY, EntryKind.MESSAGE, EntryKind.ACTIVITY]


def test_an_event_whose_message_is_there_is_not_told_twice() -> None:
    assert len(told([message("1", NOON)], [event("2", NOON, "requester_replied")])) == 2


def test_labels_of_buttons_are_kept_for_reading() -> None:
    entries = told([message("1", NOON, direction="outbound", author_kind="bot", buttons=[[{"label": "Helped"}, {"label": "Not it"}]])])
    assert entries[1].buttons == ("Helped", "Not it")


def test_a_subject_stands_at_the_first_letter_and_where_it_changed() -> None:
    subjects = ["Printer", "Re: [#1042] Printer", None, "FWD: Re[2]: printer", "Re: Scanner", "Отв: Scanner"]
    entries = told([message(str(number), NOON, subject=subject) for number, subject in enumerate(subjects)])
    assert [entry.subject for entry in entries[1:]] == ["Printer", "", "", "", "Re: Scanner", ""]


def test_a_report_in_between_does_not_bring_the_subject_back() -> None:
    entries = told([
        message("1", NOON, subject="Printer"), message("2", NOON, subject="Undelivered Mail", verdict_code="bounce"),
        message("3", NOON, subject="Re: [#1042] Printer"),
    ])  # fmt: skip
    assert [entry.subject for entry in entries[1:]] == ["Printer", "Undelivered Mail", ""]


def test_an_answer_that_is_quoted_is_quoted_in_plain_words() -> None:
    ours = message("1", NOON, direction="outbound", author_kind="agent", text="**Restart** it: `reboot`", external_id="x1")
    entries = told(
        [ours, message("2", NOON, reply_to="x1"), message("3", NOON, text="**so**", external_id="x3"), message("4", NOON, reply_to="x3")]
    )
    assert [entry.around.quoted for entry in entries if entry.around] == ["Restart it: reboot", "**so**"]
