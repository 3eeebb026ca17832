"""Passwords: argon2id, hashed and checked off the event loop, strengthened at log-in when the parameters grow."""

import asyncio
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

LEAST_LENGTH = 8


@cache
def _hasher() -> PasswordHasher:
    # OWASP's second choice: 46 MiB and one pass costs an attacker as much as the default and the embedded desk less memory.
    return PasswordHasher(time_cost=1, memory_cost=47104, parallelism=1)


@cache
def _nobody() -> str:
    return _hasher().hash("nobody")


def hash_password(password: str) -> str:
    """A new argon2id hash; takes some 50 ms of CPU."""
    return _hasher().hash(password)


async def verify(password_hash: str | None, password: str) -> bool:
    """Whether the password fits. An unknown person costs the same time as a wrong password."""
    return await asyncio.to_thread(_verify, password_hash, password)


def _verify(password_hash: str | None, password: str) -> bool:
    try:
        _hasher().verify(password_hash or _nobody(), password)
    except (VerificationError, InvalidHashError):
        return False
    return password_hash is not None


def outdated(password_hash: str) -> bool:
    """Whether a hash was made with weaker parameters than today's."""
    return _hasher().check_needs_rehash(password_hash)
