"""A prepared statement says the same as the session would, on both stores and in every kind of session."""

from datetime import UTC, datetime
from typing import cast

import pytest
from sqlalchemy import Table, bindparam, insert, inspect, select, update
from sqlalchemy.exc import IntegrityError, StatementError

from desk_core.kit.db import Database
from desk_core.kit.ids import new_id
from desk_core.kit.prepared import Prepared, PreparedEntities, at_hand
from desk_core.people.entities import Contact

NOW = datetime(2026, 11, 27, 9, 30, 0, 123456, tzinfo=UTC)
CONTACTS = cast("Table", Contact.__table__)
BY_NAMES = Prepared(
    select(CONTACTS.c.id, CONTACTS.c.facts, CONTACTS.c.created_at)
    .where(CONTACTS.c.name.in_(["Anna", "Boris"]), CONTACTS.c.language == bindparam("language"))
    .order_by(CONTACTS.c.name)
)
RENAME = Prepared(update(CONTACTS).where(CONTACTS.c.id == bindparam("contact")).values(name=bindparam("called")))
WITH_ID = Prepared(insert(CONTACTS).returning(CONTACTS.c.id), keys=("id", "name", "language", "time_zone", "facts", "created_at"))
BY_ID: PreparedEntities[Contact] = PreparedEntities(select(Contact).where(Contact.id == bindparam("id")), Contact)


def anna(name: str = "Anna", **facts: object) -> Contact:
    return Contact(id=new_id(), name=name, language="ru", time_zone=None, organisation_id=None, facts=dict(facts), created_at=NOW)


async def stored(database: Database, *people: Contact) -> None:
    async with database.unit() as uow:
        uow.add(*people)


class TestAStatement:
    @pytest.mark.parametrize("kind", ["glance", "read", "unit"])
    async def test_gives_what_the_session_gives(self, database: Database, kind: str) -> None:
        first, second = anna(room="305", floors=[1, 2]), anna("Boris")
        await stored(database, second, first, anna("Vera"))
        opened = {"glance": database.glance, "read": database.read, "unit": database.unit}[kind]
        async with opened() as one:
            session = getattr(one, "session", one)
            rows = await BY_NAMES.rows(session, {"language": "ru"})
            assert rows == [(first.id, {"room": "305", "floors": [1, 2]}, NOW), (second.id, {}, NOW)]
            assert await BY_NAMES.scalar(session, {"language": "en"}) is None

    async def test_counts_what_it_touched_and_is_part_of_the_transaction(self, database: Database) -> None:
        first, second = anna(), anna("Boris")
        await stored(database, first, second)
        with pytest.raises(ZeroDivisionError):
            async with database.unit() as uow:
                await RENAME.many(uow.session, ({"contact": one.id, "called": "X"} for one in (first, second)))
                assert await BY_NAMES.rows(uow.session, {"language": "ru"}) == []
                assert await RENAME.run(uow.session, {"contact": first.id, "called": "Y"}) == 1
                assert await RENAME.run(uow.session, {"contact": new_id(), "called": "X"}) == 0
                raise ZeroDivisionError
        async with database.glance() as session:
            assert len(await BY_NAMES.rows(session, {"language": "ru"})) == 2

    async def test_fails_as_in_the_session(self, database: Database) -> None:
        known = anna()
        await stored(database, known)
        row = {"id": known.id, "name": "Again", "language": "ru", "time_zone": None, "facts": {}, "created_at": NOW}
        with pytest.raises(IntegrityError):
            async with database.unit() as uow:
                await WITH_ID.scalar(uow.session, row)
        async with database.unit() as uow:
            assert await WITH_ID.scalar(uow.session, {**row, "id": (other := new_id())}) == other

    async def test_wants_every_value(self, database: Database) -> None:
        with pytest.raises((KeyError, StatementError)):
            async with database.glance() as session:
                await BY_NAMES.rows(session, {})


class TestEntities:
    async def test_read_in_a_glance_are_whole_and_belong_to_nobody(self, database: Database) -> None:
        known = anna(room="305")
        await stored(database, known)
        async with database.glance() as session:
            found = await BY_ID.first(session, {"id": known.id})
            assert await BY_ID.first(session, {"id": new_id()}) is None
        assert found is not None
        assert (found.name, found.facts, found.created_at, found.time_zone) == ("Anna", {"room": "305"}, NOW, None)

    async def test_read_in_a_transaction_are_written_when_they_change(self, database: Database) -> None:
        known = anna()
        await stored(database, known)
        async with database.unit() as uow:
            found = await BY_ID.first(uow.session, {"id": known.id})
            assert found is not None
            found.name = "Anna Petrova"
        async with database.read() as session:
            assert await session.scalar(select(Contact.name).where(Contact.id == known.id)) == "Anna Petrova"


class TestAtHand:
    async def test_writes_what_changed_and_nothing_else(self, database: Database) -> None:
        known = anna(room="305")
        await stored(database, known)
        async with database.glance() as session:
            seen = await BY_ID.first(session, {"id": known.id})
        assert seen is not None
        await self._rename(database, known.id, "Anna Petrova")
        async with database.unit() as uow:
            mine = at_hand(uow.session, seen)
            assert not inspect(mine).modified
            mine.language = "en"
            assert at_hand(uow.session, seen) is mine
        assert seen.language == "ru"  # what was read stays as it was read: it may be needed for another try
        async with database.read() as session:
            now = await session.get_one(Contact, known.id)
        assert (now.name, now.language, now.facts) == ("Anna Petrova", "en", {"room": "305"})

    @staticmethod
    async def _rename(database: Database, contact: str, name: str) -> None:
        async with database.unit() as uow:
            await RENAME.run(uow.session, {"contact": contact, "called": name})
