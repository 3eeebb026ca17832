"""What a session holds, written with prepared statements: entities of a turn are rows of known shape, and SQLite takes 20 us for one.

SQLAlchemy's flush plans what may depend on what, and costs ten times the writing. Where every pending or changed entity is plain (all of
its key is known, nothing of it hangs on a relationship, no value is an expression) the plan is one line: table by table, as they refer to
each other, first what changed and then what is new. Everything else is left to the session.
"""

from collections.abc import Hashable
from functools import cache
from typing import Any, cast

from sqlalchemy import Dialect, Table
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstanceState, Session, class_mapper
from sqlalchemy.orm.exc import StaleDataError
from sqlalchemy.sql import ClauseElement

from desk_core.kit.kept import begun, driver_of, run_now
from desk_core.kit.sqlite_driver import SqliteConnection
from desk_core.kit.values import for_store


class _Shape:
    """How entities of one class lie in their table."""

    def __init__(self, one: type[Any], dialect: Dialect) -> None:
        mapper = class_mapper(one)
        self.table = cast("Table", mapper.local_table)
        columns = {attribute.key: attribute.columns[0] for attribute in mapper.column_attrs}
        self.related = frozenset(mapper.relationships.keys())
        self.keys = tuple(columns)
        self.primary = tuple(mapper.get_property_by_column(column).key for column in mapper.primary_key)
        self.names = {key: _quoted(column.name, dialect) for key, column in columns.items()}
        self.converts = {key: for_store(column.type, dialect) for key, column in columns.items()}
        self.defaults: dict[str, Any] = {
            key: column.default for key, column in columns.items() if column.default is not None and not column.default.is_clause_element
        }
        self._means_none = {key for key, column in columns.items() if column.type.should_evaluate_none}
        # A value that only the store gives would have to be asked for.
        given = {
            key for key, column in columns.items() if any((column.default, column.server_default, column.onupdate, column.server_onupdate))
        }
        self.is_plain = len(mapper.tables) == 1 and mapper.version_id_col is None and given <= self.defaults.keys()
        names, marks = ", ".join(self.names.values()), ", ".join("?" * len(columns))
        self.insert = f"INSERT INTO {_quoted(self.table.name, dialect)} ({names}) VALUES ({marks})"  # noqa: S608 - names of our own tables
        self._update = f"UPDATE {_quoted(self.table.name, dialect)} SET "  # noqa: S608
        self._where = " WHERE " + " AND ".join(f"{self.names[key]} = ?" for key in self.primary)

    def takes(self, state: InstanceState[Any], values: dict[str, Any]) -> bool:
        """Whether this entity can be written by us."""
        touched = values if state.key is None else state.committed_state
        if not self.is_plain or not self.related.isdisjoint(touched):
            return False
        if state.key is not None and not touched.keys().isdisjoint(self.primary):
            return False
        if any(isinstance(values.get(key), ClauseElement) for key in touched):
            return False
        return all(values.get(key) is not None or key in self.defaults for key in self.primary)

    def row(self, values: dict[str, Any]) -> list[Any]:
        """The values of a new row; defaults are set in the entity as well."""
        row: list[Any] = []
        for key in self.keys:
            if key not in values or (values[key] is None and key not in self._means_none):
                default = self.defaults.get(key)
                if default is None:
                    row.append(None)
                    continue
                values[key] = default.arg(None) if default.is_callable else default.arg
            row.append(self._converted(key, values))
        return row

    def change(self, state: InstanceState[Any], values: dict[str, Any]) -> tuple[str, list[Any]] | None:
        """The statement that writes what has changed of an entity, and its values; None where nothing has."""
        known = state.committed_state
        changed = sorted(key for key in known if key in values and not _same(values[key], known[key]))
        if not changed:
            return None
        row = [self._converted(key, values) for key in (*changed, *self.primary)]
        return f"{self._update}{', '.join(f'{self.names[key]} = ?' for key in changed)}{self._where}", row

    def _converted(self, key: str, values: dict[str, Any]) -> Any:
        convert, value = self.converts[key], values[key]
        return value if convert is None else convert(value)


async def write_pending(session: AsyncSession) -> bool:
    """Write what is new or changed in the session; False where nothing was written, because the session has to do it itself.

    Raises what its own flush raises.
    """
    if driver_of(session) is None:
        return False
    sync = session.sync_session
    states = _pending(sync, sync.bind.dialect) if sync.bind is not None else None
    if states is None:
        return False
    if states:
        driver = await begun(session)
        assert driver is not None  # noqa: S101 - asked above
        for state, shape in states:
            _write(driver, state, shape)
        sync._register_persistent({state for state, _shape in states})  # noqa: SLF001 - what its own flush says of rows that are written
    return True


def _pending(session: Session, dialect: Dialect) -> "list[tuple[InstanceState[Any], _Shape]] | None":
    """What is to be written, in order; None where something of it is not for us."""
    if session.deleted or session.in_nested_transaction():
        return None
    found: list[tuple[InstanceState[Any], _Shape]] = []
    for entity in (*session.new, *session.dirty):
        state = _state(entity)
        shape: _Shape = _shape(cast("Hashable", state.class_), dialect)
        if not shape.takes(state, state.dict):
            return None
        found.append((state, shape))
    return sorted(found, key=lambda each: (_place(each[1].table), each[0].key is None))


def _write(driver: SqliteConnection, state: InstanceState[Any], shape: _Shape) -> None:
    values = state.dict
    if state.key is None:
        run_now(driver, shape.insert, shape.row(values))
        return
    change = shape.change(state, values)
    if change is not None and run_now(driver, *change)[0] != 1:
        raise StaleDataError(f"a row of {shape.table.name} that was to be changed is gone")


@cache
def _shape(one: Any, dialect: Dialect) -> _Shape:
    return _Shape(one, dialect)


@cache
def _place(table: Table) -> int:
    """Where a table stands among those that refer to each other."""
    return table.metadata.sorted_tables.index(table)


def _state(entity: object) -> InstanceState[Any]:
    return cast("InstanceState[Any]", entity._sa_instance_state)  # type: ignore[attr-defined]  # noqa: SLF001 - `inspect` without its look-up


def _same(value: Any, known: Any) -> bool:
    return value is known or (type(value) is type(known) and bool(value == known))


def _quoted(name: str, dialect: Dialect) -> str:
    return str(dialect.identifier_preparer.quote(name))
