"""Counts the SQL statements of a block, so that a page that begins to ask per row is noticed."""

import contextlib
from collections.abc import Iterator
from typing import Any

from sqlalchemy import event

from desk_core.kit.db import Database


class QueryRecorder:
    """`with recorder(database) as seen: ...; assert len(seen) <= 5`. Transaction control is not counted."""

    @contextlib.contextmanager
    def __call__(self, database: Database) -> Iterator[list[str]]:
        seen: list[str] = []

        def note(_conn: Any, _cursor: Any, statement: str, _params: Any, _context: Any, _many: bool) -> None:
            if not statement.startswith(("BEGIN", "PRAGMA", "COMMIT", "ROLLBACK")):
                seen.append(statement)

        engines = {id(engine): engine.sync_engine for engine in (database.reader, database.writer)}.values()
        for engine in engines:
            event.listen(engine, "before_cursor_execute", note)
        try:
            yield seen
        finally:
            for engine in engines:
                event.remove(engine, "before_cursor_execute", note)
