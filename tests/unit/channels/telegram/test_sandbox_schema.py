"""The schema as a judge of requests: lengths as people see them, uploads, and what came after it."""

import json

import pytest

from channels.telegram.sandbox.newer import newer
from channels.telegram.sandbox.schema import EXTRACT, NEWER, schema


@pytest.mark.parametrize(
    ("method", "values", "problems"),
    [
        ("sendMessage", {"chat_id": 1, "text": "x"}, []),
        ("sendmessage", {"chat_id": "1", "text": "x", "entities": "[]"}, []),
        ("sendMessage", {"chat_id": 1, "text": ""}, ["text is missing"]),
        ("sendMessage", {"chat_id": 1, "text": "x", "reply_to_message_id": 1}, ["reply_to_message_id is unknown"]),
        ("sendMessage", {"chat_id": 1, "text": "x", "message_thread_id": "first"}, ["message_thread_id: not an integer"]),
        ("sendMessage", {"chat_id": 1, "text": "<b>" + "x" * 4096 + "</b>", "parse_mode": "HTML"}, []),
        ("sendMessage", {"chat_id": 1, "text": "<b>" + "x" * 4097 + "</b>", "parse_mode": "HTML"}, ["text is longer than 4096 characters"]),
        ("sendMessages", {}, ["there is no method sendMessages"]),
    ],
)
def test_a_request_is_as_the_schema_has_it_or_told_why_not(method: str, values: dict[str, object], problems: list[str]) -> None:
    assert schema().problems(method, values) == problems


def test_what_a_button_sends_is_counted_in_bytes() -> None:
    keyboard = {"inline_keyboard": [[{"text": "Yes", "callback_data": "я" * 33}]]}
    [problem] = schema().problems("sendMessage", {"chat_id": 1, "text": "x", "reply_markup": json.dumps(keyboard)})
    assert problem.endswith("callback_data is longer than 64 bytes")


def test_a_file_counts_for_its_field_and_for_whatever_refers_to_it() -> None:
    assert schema().problems("sendDocument", {"chat_id": 1}, frozenset({"document"})) == []
    assert schema().problems("sendDocument", {"chat_id": 1, "document": "attach://f"}, frozenset({"f"})) == []
    assert schema().problems("sendDocument", {"chat_id": 1}, frozenset({"f"})) == ["document is missing"]


def test_what_is_newer_is_let_pass() -> None:
    assert schema().problems("sendMessageDraft", {"chat_id": 1, "draft_id": 1, "text": "x", "can_stop": True}) == []
    assert schema().problems("deleteEphemeralMessage", {}) == []


def test_what_is_newer_is_what_the_installed_library_has_beyond_the_schema() -> None:
    assert json.loads(NEWER.read_text(encoding="utf-8")) == newer(json.loads(EXTRACT.read_text(encoding="utf-8")))
