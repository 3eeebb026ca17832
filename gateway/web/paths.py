"""Parts of addresses as types: what cannot be an id or a number is a page that does not exist, before any store is asked."""

from typing import Annotated
from uuid import UUID

from fastapi import Path
from pydantic import AfterValidator


def canonical(ident: str) -> str:
    """An id as the store writes it; raises `ValueError` for what is none."""
    return str(UUID(ident))


Number = Annotated[int, Path(ge=1, le=2**31 - 1)]
"""A ticket's number."""

Ident = Annotated[str, AfterValidator(canonical)]
"""An id in an address."""
