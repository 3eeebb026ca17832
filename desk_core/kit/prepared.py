"""Statements that every message runs, prepared once.

Through a session a small statement costs ten times and more what SQLite takes for it: looked up, compiled from the cache, bound, wrapped
into a result. A `Prepared` is compiled once and handed to the driver as text with its values; types convert as they do in the session, in
the same transaction. Where the driver has to be waited for (PostgreSQL, reads in a thread) the session runs it as any other statement.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import cache, partial
from typing import Any, Generic, TypeVar, cast

from sqlalchemy import Dialect, Executable, Select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapper, class_mapper, make_transient_to_detached
from sqlalchemy.orm.attributes import manager_of_class
from sqlalchemy.sql.compiler import SQLCompiler

from desk_core.kit.kept import begun, run_now
from desk_core.kit.sqlite_driver import SqliteConnection
from desk_core.kit.values import Convert, for_store, from_store

Params = Mapping[str, Any]
_GIVEN = object()
"""Stands for a value that each run brings along."""
_Entity = TypeVar("_Entity")


class Prepared:
    """One statement of the core, with named parameters. `keys` are the columns that an insert is given: all that have no default in SQL."""

    __slots__ = ("_binds", "_keys", "_results", "_statement", "_text")

    def __init__(self, statement: Executable, *, keys: Sequence[str] | None = None) -> None:
        self._statement, self._keys = statement, keys
        self._text = ""
        self._binds: list[tuple[str, Any, Convert]] = []
        self._results: list[Convert] = []

    async def rows(self, session: AsyncSession, params: Params) -> list[tuple[Any, ...]]:
        """All rows of the answer. Raises what the session raises."""
        driver = await begun(session)
        if driver is None:
            return [tuple(row) for row in await session.execute(self._statement, params)]
        rows = self._now(driver, params)[1]
        if not any(self._results):
            return list(rows)
        return [
            tuple(value if convert is None else convert(value) for value, convert in zip(row, self._results, strict=True)) for row in rows
        ]

    async def scalar(self, session: AsyncSession, params: Params) -> Any:
        """The first value of the first row, None where there is none."""
        rows = await self.rows(session, params)
        return rows[0][0] if rows else None

    async def run(self, session: AsyncSession, params: Params) -> int:
        """The answer is how many rows it touched."""
        driver = await begun(session)
        if driver is not None:
            return self._now(driver, params)[0]
        return int(cast("Any", await session.execute(self._statement, params)).rowcount)

    async def many(self, session: AsyncSession, each: Iterable[Params]) -> None:
        """Run it for every set of parameters, in order."""
        driver = await begun(session)
        if driver is None:
            await session.execute(self._statement, list(each))
        else:
            for params in each:
                self._now(driver, params)

    def _now(self, driver: SqliteConnection, params: Params) -> tuple[int, Sequence[tuple[Any, ...]]]:
        if not self._text:
            self._compile(driver.dialect)
        values = []
        for name, fixed, convert in self._binds:
            value = params[name] if fixed is _GIVEN else fixed
            values.append(value if convert is None else convert(value))
        return run_now(driver, self._text, values)

    def _compile(self, dialect: Dialect) -> None:
        compiled = cast("SQLCompiler", cast("Any", self._statement).compile(dialect=dialect, column_keys=self._keys))
        given = {name for name, bound in compiled.binds.items() if bound.required}
        # A list of values that the statement itself holds is written out here; one that each run brings along is not for this.
        expanded = compiled.construct_expanded_state(dict.fromkeys(given))
        binds: list[tuple[str, Any, Convert]] = []
        for name in expanded.positiontup or ():
            bound = compiled.binds.get(name)
            convert = for_store(bound.type, dialect) if bound is not None else None
            binds.append((name, _GIVEN if name in given else expanded.parameters[name], convert))
        self._binds = binds
        self._results = [from_store(column.type, dialect) for column in compiled._result_columns]  # noqa: SLF001
        self._text = expanded.statement


class PreparedEntities(Generic[_Entity]):
    """A query for whole entities of one class, or of several that stand beside each other in a row.

    Read in the loop they belong to no session: copies that may be looked at, as after the end of one. In a write transaction they are
    the session's own, to be changed.
    """

    __slots__ = ("_classes", "_core", "_statement")

    def __init__(self, statement: "Select[*tuple[Any, ...]]", *classes: type[Any]) -> None:
        """`classes` are what the statement selects, in its order."""
        self._statement = statement
        self._classes = [(one, [attribute.key for attribute in class_mapper(one).column_attrs]) for one in classes]
        columns = [attribute.columns[0] for one in classes for attribute in class_mapper(one).column_attrs]
        self._core = Prepared(statement.with_only_columns(*columns, maintain_column_froms=True))

    async def rows(self, session: AsyncSession, params: Params) -> list[tuple[Any, ...]]:
        """Each row as the entities that stand in it."""
        driver = await begun(session)
        if driver is None:
            return [tuple(row) for row in await session.execute(self._statement, params)]
        made = _apart if not driver.writes else partial(_own, session)
        found = []
        for row in await self._core.rows(session, params):
            entities, begin = [], 0
            for one, keys in self._classes:
                end = begin + len(keys)
                entities.append(made(one, dict(zip(keys, row[begin:end], strict=True))))
                begin = end
            found.append(tuple(entities))
        return found

    async def all(self, session: AsyncSession, params: Params) -> list[_Entity]:
        """The first entity of each row."""
        return [row[0] for row in await self.rows(session, params)]

    async def first(self, session: AsyncSession, params: Params) -> _Entity | None:
        rows = await self.rows(session, params)
        return rows[0][0] if rows else None


def at_hand(session: AsyncSession, entity: _Entity) -> _Entity:
    """An entity read a moment ago as one of this session, as it was then; what is changed of it is written.

    For what a version guards, or what nobody else changes: the store is not asked again.
    """
    one = type(entity)
    return _own(session, one, {attribute.key: getattr(entity, attribute.key) for attribute in class_mapper(one).column_attrs})


def _own(session: AsyncSession, one: type[_Entity], values: Mapping[str, Any]) -> _Entity:
    """The session's own entity with this key, as it has it or with these values."""
    mapper = class_mapper(one)
    key = mapper.identity_key_from_primary_key(tuple(values[attribute.key] for attribute in _key_of(mapper)))
    known: _Entity | None = session.identity_map.get(key)
    if known is not None:
        return known
    mine = _apart(one, values)
    make_transient_to_detached(cast("Any", mine))
    session.add(mine)
    return mine


@cache
def _key_of(mapper: "Mapper[Any]") -> tuple[Any, ...]:
    return tuple(mapper.get_property_by_column(column) for column in mapper.primary_key)


def _apart(one: type[_Entity], values: Mapping[str, Any]) -> _Entity:
    """An entity with these values, in no session; nothing is written of it."""
    manager = cast("Any", manager_of_class(one))
    made: _Entity = manager.new_instance()
    made.__dict__.update(values)
    return made
