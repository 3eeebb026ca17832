"""How values lie in SQLite, for statements that go to the driver itself: as SQLAlchemy's types have it, in less time."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from sqlalchemy import Dialect, Uuid
from sqlalchemy.types import TypeEngine

from desk_core.kit.types import UtcDateTime

Convert = Callable[[Any], Any] | None


def for_store(kind: TypeEngine[Any], dialect: Dialect) -> Convert:
    """From Python to the driver; None where nothing is to be done."""
    if isinstance(kind, UtcDateTime):

        def written(value: datetime | None) -> str | None:
            plain = kind.process_bind_param(value, dialect)
            return plain.isoformat(" ", "microseconds") if plain is not None else None

        return written
    return kind.dialect_impl(dialect).bind_processor(dialect)


def from_store(kind: TypeEngine[Any], dialect: Dialect) -> Convert:
    """From the driver to Python."""
    if isinstance(kind, UtcDateTime):
        return lambda value: kind.process_result_value(datetime.fromisoformat(value), dialect) if value is not None else None
    if isinstance(kind, Uuid) and not kind.as_uuid:
        return _with_hyphens
    return kind.dialect_impl(dialect).result_processor(dialect, None)


def _with_hyphens(value: str | None) -> str | None:
    return f"{value[:8]}-{value[8:12]}-{value[12:16]}-{value[16:20]}-{value[20:]}" if value is not None else None
