"""Tokens that bring an answer back to its conversation."""

import pytest

from channels.email.threading import make_message_id, number_in_subject, plus_address, read_token, sign_token, tagged_subject

SECRET = b"secret"
CONVERSATION = "01939f3e-1111-7000-8000-00000000c0de"


@pytest.mark.parametrize("token", [CONVERSATION, "short", "Кириллица"])
def test_a_token_comes_back_from_everywhere_it_is_put(token: str) -> None:
    assert read_token(sign_token(token, SECRET), SECRET) == token
    assert read_token(plus_address("support@x.example", token, SECRET), SECRET) == token
    assert read_token(make_message_id("m", token, "x.example", SECRET), SECRET) == token


def test_it_survives_servers_that_change_case_and_fits_a_local_part() -> None:
    address = plus_address("support@x.example", CONVERSATION, SECRET)
    assert read_token(address.upper(), SECRET) == CONVERSATION
    assert len(address.partition("@")[0]) <= 64


@pytest.mark.parametrize("text", ["", "support@x", "support+abc@x", "p-", "paaaa-bbbbbbbbbbbbbbbb@x", "<a.b.c@d>", "\x00+p\n@"])
def test_anything_else_is_no_token(text: str) -> None:
    assert read_token(text, SECRET) is None


def test_a_changed_letter_or_another_secret_is_refused() -> None:
    token = sign_token(CONVERSATION, SECRET)
    assert read_token(token[:5] + ("a" if token[5] != "a" else "b") + token[6:], SECRET) is None
    assert read_token(token, b"other") is None


def test_a_retry_has_the_same_message_id() -> None:
    assert make_message_id("m", CONVERSATION, "x", SECRET) == make_message_id("m", CONVERSATION, "x", SECRET)
    assert make_message_id("m", CONVERSATION, "x", SECRET) != make_message_id("n", CONVERSATION, "x", SECRET)


@pytest.mark.parametrize(
    ("subject", "number"),
    [("Re: [#1042] x", 1042), ("#1042", 1042), ("order #7 [#1042]", 1042), ("no", None), ("[#]", None), ("a#1042", None), ("C#12", None)],
)
def test_numbers_in_subjects(subject: str, number: int | None) -> None:
    assert number_in_subject(subject) == number


@pytest.mark.parametrize(
    ("subject", "answer", "tagged"),
    [
        ("Printer", False, "[#7] Printer"),
        ("Re: RE: Ответ: Printer", True, "Re: [#7] Printer"),
        ("Re: [#6] Printer", True, "Re: [#7] Printer"),
        ("", True, "Re: [#7]"),
    ],
)
def test_subjects_carry_one_tag_and_one_re(subject: str, answer: bool, tagged: str) -> None:
    assert tagged_subject(subject, 7, answer=answer) == tagged
