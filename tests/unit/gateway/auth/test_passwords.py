"""Passwords and where a log-in may lead."""

import pytest

from gateway.auth.pages import inside
from gateway.auth.passwords import hash_password, outdated, verify


async def test_the_right_password_fits_and_another_does_not() -> None:
    hashed = hash_password("correct horse")
    assert "correct" not in hashed
    assert await verify(hashed, "correct horse")
    assert not await verify(hashed, "wrong")


async def test_nobody_and_a_broken_hash_never_fit() -> None:
    assert not await verify(None, "nobody")
    assert not await verify("", "x")
    assert not await verify("$2b$12$not-argon", "x")


def test_a_weaker_hash_is_noticed() -> None:
    weak = "$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHQ$LzSf8PUuuzxXrvy61d1QMX6hpLVqoE3sNVSHyRZ8Dd0"
    assert outdated(weak)
    assert not outdated(hash_password("x"))


@pytest.mark.parametrize("target", ["https://evil.example", "//evil.example/x", "/\\evil.example", "javascript:alert(1)", "", None, "evil"])
def test_a_log_in_never_leads_elsewhere(target: str | None) -> None:
    assert inside(target) == "/console"


def test_a_log_in_leads_back_to_the_page_asked_for() -> None:
    assert inside("/console/tickets/1042") == "/console/tickets/1042"
