"""UUIDv7 identifiers: sortable by creation, safe to make anywhere (RFC 9562, section 5.7)."""

import secrets

from uuid_utils import uuid7


def new_id() -> str:
    """A new UUIDv7 as text with hyphens."""
    return str(uuid7())


def new_token(size: int = 18) -> str:
    """An unguessable URL-safe token of `size` random bytes."""
    return secrets.token_urlsafe(size)
