"""Tokens, proofs and addresses of the public form."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import Request

from channels.webform.protection import AT_LEAST, AT_MOST, Refusal, Signer, address_of, proves, refused, thread_of

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
SIGNER = Signer(b"k" * 40)


def verdict(signed: str, *, later: timedelta = timedelta(seconds=10), trap: str = "", inbox: str = "site") -> Refusal | None:
    return refused(signed, signer=SIGNER, inbox=inbox, trap=trap, work="", now=NOW + later)


def test_a_token_passes_between_two_seconds_and_a_day() -> None:
    token = SIGNER.token("site", NOW)
    assert verdict(token) is None
    assert verdict(token, later=AT_LEAST) is None
    assert verdict(token, later=AT_MOST) is None
    assert verdict(token, later=AT_LEAST - timedelta(milliseconds=1)) is Refusal.TOO_FAST
    assert verdict(token, later=AT_MOST + timedelta(seconds=1)) is Refusal.TOO_OLD


def test_what_was_not_signed_here_for_this_form_is_foreign() -> None:
    assert verdict("") is Refusal.NO_TOKEN
    assert verdict(Signer(b"other key" * 5).token("site", NOW)) is Refusal.FOREIGN_TOKEN
    assert verdict(SIGNER.token("elsewhere", NOW)) is Refusal.FOREIGN_TOKEN
    assert verdict(SIGNER.file({"name": "x"})) is Refusal.FOREIGN_TOKEN
    assert SIGNER.read_file(SIGNER.token("site", NOW)) is None


@given(st.text(max_size=200))
def test_no_text_is_a_token_or_a_file_of_ours(text: str) -> None:
    assert SIGNER.read_token(text) is None
    assert SIGNER.read_file(text) is None


@given(st.text(max_size=40))
def test_no_odd_word_passes_as_work(work: str) -> None:
    assert isinstance(proves("challenge", work), bool)


def test_the_same_parts_are_the_same_secret_and_their_borders_count() -> None:
    assert SIGNER.secret("a", "b") == SIGNER.secret("a", "b")
    assert SIGNER.secret("a", "b") != SIGNER.secret("ab", "")
    assert Signer(b"z" * 40).secret("a", "b") != SIGNER.secret("a", "b")
    assert SIGNER.secret("a") not in thread_of(SIGNER.secret("a"))


def request(peer: str, forwarded: str = "") -> Request:
    headers = [(b"x-forwarded-for", forwarded.encode())] if forwarded else []
    return Request({"type": "http", "client": (peer, 1), "headers": headers, "method": "GET", "path": "/"})


@pytest.mark.parametrize(
    ("peer", "forwarded", "expected"),
    [
        ("203.0.113.5", "", "203.0.113.5"),
        ("203.0.113.5", "198.51.100.1", "203.0.113.5"),
        ("10.0.0.1", "198.51.100.1", "198.51.100.1"),
        ("10.0.0.1", "6.6.6.6, 198.51.100.1, 10.0.0.2", "198.51.100.1"),
        ("10.0.0.1", "198.51.100.1, nonsense", "10.0.0.1"),
        ("10.0.0.1", "2001:db8::7", "2001:db8::7"),
        ("10.0.0.1", "", "10.0.0.1"),
    ],
)
def test_a_forwarded_address_is_believed_only_from_trusted_hops(peer: str, forwarded: str, expected: str) -> None:
    assert address_of(request(peer, forwarded), trusted_proxies="10.0.0.0/24") == expected


def test_nobody_is_trusted_by_default() -> None:
    assert address_of(request("10.0.0.1", "198.51.100.1"), trusted_proxies="") == "10.0.0.1"
