"""Words of a topic: what people typed stays as they typed it, titles fit, what waits comes in order and together."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.telegram import render
from desk_core.conversations.entities import Attachment, Message
from desk_core.tickets.entities import Ticket, TicketEvent
from gateway.flows import group_view
from gateway.flows.group_view import Shown

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
A_FILE = Attachment(name="log.txt", size=3, sha256="0", content_type="text/plain")
NO_CONFIG: Any = type("Config", (), {"categories": {}, "teams": {}, "slots": {}})()


def ticket(**more: Any) -> Ticket:
    return Ticket(**{"number": 1042, "subject": "Printer", "status": "open", **more})


def shown(**more: Any) -> Shown:
    return Shown(ticket(**more), requester="Anna", address="7", baton="queue", speaker="", assignee="", url="http://desk/1042")


def message(number: int, text: str, **more: Any) -> Message:
    fields = {
        "id": str(number), "direction": "inbound", "author_kind": "contact", "author": "Anna", "text": text, "card": {}, "meta": {},
        "at": NOW + timedelta(seconds=number), "edited_at": None, "attachments": [],
    }  # fmt: skip
    return Message(**{**fields, **more})


def event(version: int, kind: str, *, seconds: int = 0) -> TicketEvent:
    return TicketEvent(version=version, kind=kind, actor_kind="agent", actor="Olga", data={}, at=NOW + timedelta(seconds=seconds))


def seen(markdown: str) -> str:
    return render.plain(render.to_html(markdown))


class TestPlain:
    @pytest.mark.parametrize("text", ["# 5", "1. first", "- a", "> b", "*x*", "_y_", "`z`", "a <b> [c](d)", "~~e~~", "\\*", "+ f"])
    def test_keeps_what_looks_like_markup(self, text: str) -> None:
        assert seen(group_view.plain(text)).replace("\u2060", "") == text

    @given(st.text(alphabet="ab *_`~[]()<>#+-.!|\\1", min_size=1, max_size=40))
    def test_loses_no_letter(self, text: str) -> None:
        kept = seen(group_view.plain(text)).replace("\u2060", "")
        assert kept.split() == text.split()


class TestFace:
    @given(st.text(max_size=400), st.sampled_from(sorted(group_view.ICONS)), st.sampled_from(["ru", "en"]))
    def test_fits_and_says_number_and_state(self, subject: str, status: str, language: str) -> None:
        face = group_view.face(shown(subject=subject, status=status), language)
        assert len(face.title) <= group_view.LONGEST_TITLE
        assert face.title.startswith("#1042 ")
        assert " · " in face.title

    def test_is_closed_with_the_request(self) -> None:
        assert group_view.face(shown(status="closed"), "en").closed
        assert not group_view.face(shown(status="resolved"), "en").closed


class TestPortions:
    def test_one_message_stands_alone(self) -> None:
        portion = group_view.next_portion([message(1, "a"), message(2, "b")], [], NO_CONFIG, "en")
        assert portion is not None
        assert [one.id for one in portion.messages] == ["1"]
        assert portion.loud

    def test_many_that_waited_come_together_and_in_order(self) -> None:
        waiting = [message(number, f"words {number}") for number in range(1, 8)]
        portion = group_view.next_portion(waiting, [], NO_CONFIG, "en")
        assert portion is not None
        assert len(portion.messages) == 7
        assert portion.text.index("words 1") < portion.text.index("words 7")

    def test_a_file_stands_alone(self) -> None:
        waiting = [message(1, "a"), message(2, "b"), message(3, "c", attachments=[A_FILE]), message(4, "d"), message(5, "e")]
        portion = group_view.next_portion(waiting, [], NO_CONFIG, "en")
        assert portion is not None
        assert [one.id for one in portion.messages] == ["1", "2"]

    def test_events_before_the_words_come_first_and_in_one(self) -> None:
        portion = group_view.next_portion(
            [message(5, "hello")], [event(2, "taken"), event(3, "put_on_hold"), event(4, "resumed", seconds=9)], NO_CONFIG, "en"
        )
        assert portion is not None
        assert (portion.messages, portion.upto) == ((), 3)
        assert portion.text.count("Olga") == 2

    def test_silent_events_are_passed_over(self) -> None:
        portion = group_view.next_portion([], [event(2, "requester_replied"), event(3, "noted")], NO_CONFIG, "en")
        assert portion == group_view.Portion("", upto=3)

    def test_nothing_is_nothing(self) -> None:
        assert group_view.next_portion([], [], NO_CONFIG, "en") is None

    def test_no_portion_is_longer_than_a_message(self) -> None:
        waiting = [message(number, "x" * 3000) for number in range(1, 8)]
        portion = group_view.next_portion(waiting, [], NO_CONFIG, "en")
        assert portion is not None
        assert len(portion.messages) == 1
        assert len(portion.text) <= group_view.LONGEST_TEXT + 100
