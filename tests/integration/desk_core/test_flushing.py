"""What a session holds is written as its own flush would write it, whichever of the two does it."""

import asyncio
from datetime import UTC, datetime

import pytest
from sqlalchemy import delete, func, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import selectinload
from sqlalchemy.orm.exc import StaleDataError

from desk_core.kit.db import GLANCES, Database
from desk_core.kit.flushing import write_pending
from desk_core.kit.ids import new_id
from desk_core.people.entities import Contact, ContactIdentity

NOW = datetime(2026, 11, 27, 9, 30, 0, 123456, tzinfo=UTC)


def anna(**more: object) -> Contact:
    return Contact(**{"id": new_id(), "name": "Anna", "language": "ru", "created_at": NOW, **more})


def address_of(contact: Contact, address: str) -> ContactIdentity:
    return ContactIdentity(id=new_id(), contact_id=contact.id, channel="email", address=address)


async def stored(database: Database, contact: Contact | str) -> tuple[str, str | None, dict[str, object], datetime]:
    wanted = contact if isinstance(contact, str) else contact.id
    async with database.read() as session:
        row = (await session.execute(select(Contact).where(Contact.id == wanted))).scalar_one()
        return row.name, row.time_zone, row.facts, row.created_at


class TestNew:
    async def test_rows_have_their_defaults_and_so_has_the_entity(self, database: Database) -> None:
        contact = anna()
        async with database.unit() as uow:
            uow.add(contact)
            await uow.flush()
            assert contact.facts == {}
            assert await uow.session.get(Contact, contact.id) is contact
        assert await stored(database, contact) == ("Anna", None, {}, NOW)

    async def test_what_refers_to_another_may_be_added_before_it(self, database: Database) -> None:
        contact = anna()
        async with database.unit() as uow:
            uow.add(address_of(contact, "anna@example.org"), contact)
        async with database.read() as session:
            assert await session.scalar(select(ContactIdentity.address)) == "anna@example.org"

    async def test_that_hang_on_a_relationship_are_written_too(self, database: Database) -> None:
        contact = anna()
        contact.identities = [address_of(contact, "anna@example.org"), address_of(contact, "a@example.org")]
        async with database.unit() as uow:
            uow.add(contact)
        async with database.read() as session:
            known = await session.scalar(select(Contact).options(selectinload(Contact.identities)))
            assert known is not None
            assert {one.address for one in known.identities} == {"anna@example.org", "a@example.org"}

    async def test_that_may_not_be_there_fail_and_leave_nothing(self, database: Database) -> None:
        contact = anna()
        with pytest.raises(IntegrityError):
            async with database.unit() as uow:
                uow.add(contact, address_of(contact, "anna@example.org"), address_of(contact, "anna@example.org"))
        async with database.read() as session:
            assert await session.scalar(select(func.count()).select_from(Contact)) == 0


class TestChanged:
    async def test_columns_are_written_and_no_others(self, database: Database) -> None:
        contact = anna(facts={"room": "305"})
        async with database.unit() as uow:
            uow.add(contact)
        async with database.unit() as uow:
            mine = await uow.session.get_one(Contact, contact.id)
            await uow.execute(text("UPDATE contacts SET time_zone = 'Asia/Omsk'"))
            mine.name, mine.facts = "Anna Petrova", {**mine.facts, "floor": 3}
            await uow.flush()
            mine.name = "Anna Ivanova"
        assert await stored(database, contact) == ("Anna Ivanova", "Asia/Omsk", {"room": "305", "floor": 3}, NOW)

    async def test_what_was_set_to_what_it_is_is_no_change(self, database: Database) -> None:
        contact = anna()
        async with database.unit() as uow:
            uow.add(contact)
        async with database.unit() as uow:
            mine = await uow.session.get_one(Contact, contact.id)
            await uow.execute(text("UPDATE contacts SET name = 'Boris'"))
            mine.name = "Anna"
        assert (await stored(database, contact))[0] == "Boris"

    async def test_of_a_row_that_is_gone_is_told(self, database: Database) -> None:
        contact = anna()
        async with database.unit() as uow:
            uow.add(contact)
        with pytest.raises(StaleDataError):
            async with database.unit() as uow:
                mine = await uow.session.get_one(Contact, contact.id)
                await uow.execute(delete(Contact).where(Contact.id == contact.id).execution_options(synchronize_session=False))
                mine.name = "Nobody"

    async def test_within_a_savepoint_is_undone_with_it(self, database: Database) -> None:
        contact = anna()
        async with database.unit() as uow:
            uow.add(contact)
            await uow.flush()
            known = contact.id
            nested = await uow.session.begin_nested()
            contact.name = "Boris"
            await uow.flush()
            await nested.rollback()
        assert (await stored(database, known))[0] == "Anna"


async def test_on_sqlite_the_session_need_not_flush(database: Database) -> None:
    async with database.unit() as uow:
        uow.add(anna())
        assert await write_pending(uow.session) == (database.dialect == "sqlite")


class TestKeptSessions:
    async def test_a_glance_sees_one_moment(self, database: Database) -> None:
        if database.dialect != "sqlite":
            return  # each statement of PostgreSQL sees what is committed by then
        async with database.glance() as session:
            assert await session.scalar(select(func.count()).select_from(Contact)) == 0
            async with database.unit() as uow:
                uow.add(anna())
            assert await session.scalar(select(func.count()).select_from(Contact)) == 0
        async with database.glance() as session:
            assert await session.scalar(select(func.count()).select_from(Contact)) == 1

    async def test_more_may_look_at_once_than_are_kept(self, database: Database) -> None:
        async with database.unit() as uow:
            uow.add(anna())
        everybody = asyncio.Barrier(GLANCES + 4)

        async def look() -> int:
            async with database.glance() as session:
                found = await session.scalar(select(func.count()).select_from(Contact))
                await everybody.wait()
                return int(found or 0)

        async with asyncio.timeout(20):
            assert await asyncio.gather(*(look() for _ in range(GLANCES + 4))) == [1] * (GLANCES + 4)

    async def test_a_unit_that_fails_leaves_nothing_for_the_next(self, database: Database) -> None:
        with pytest.raises(ZeroDivisionError):
            async with database.unit() as uow:
                uow.add(anna())
                await uow.flush()
                raise ZeroDivisionError
        async with database.unit() as uow:
            assert not uow.session.new
            assert not uow.session.identity_map
            uow.add(anna(name="Boris"))
        async with database.glance() as session:
            assert list(await session.scalars(select(Contact.name))) == ["Boris"]

    async def test_a_closed_database_opens_again(self, database: Database) -> None:
        contact = anna()
        async with database.unit() as uow:
            uow.add(contact)
        await database.close()
        assert (await stored(database, contact))[0] == "Anna"
        async with database.unit() as uow:
            uow.add(anna())
