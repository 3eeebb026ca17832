"""Articles are written once, keep what they said, and only those that may be offered are; on both stores."""

from datetime import date, timedelta

import pytest

from desk_core.catalogue import desk as catalogue
from desk_core.kit.clock import FakeClock
from desk_core.kit.db import Database
from desk_core.kit.errors import StaleWrite
from desk_core.knowledge import repository, service
from desk_core.knowledge.service import Change, Sheet
from gateway.understanding import offered_articles
from tests.factories.desk import DeskFactory

SHEET = Sheet(key="badge", language="en", title="A new badge", body="Come to room 1.", state="published")


async def offered(database: Database, today: date) -> list[str]:
    async with database.read() as session:
        return [one.title for one in await offered_articles(session, today)]


@pytest.mark.usefixtures("database")
class TestWriting:
    async def test_the_same_again_changes_nothing_and_a_change_keeps_what_was_said(self, database: Database, clock: FakeClock) -> None:
        async def write(sheet: Sheet, *, seen: int | None = None) -> Change:
            async with database.unit() as uow:
                return (await service.write(uow, sheet, by="Anna", now=clock.now(), seen=seen))[1]

        changed = Sheet(**{name: getattr(SHEET, name) for name in SHEET.__slots__} | {"body": "Come to room 2."})
        assert [await write(SHEET), await write(SHEET), await write(changed), await write(changed)] == [
            Change.CREATED, Change.UNCHANGED, Change.CHANGED, Change.UNCHANGED,
        ]  # fmt: skip
        async with database.read() as session:
            [article] = await repository.articles(session, key="badge")
            assert (article.body, article.version, article.updated_by) == ("Come to room 2.", 2, "Anna")
            assert [(one.version, one.body) for one in await repository.versions(session, article.id)] == [(1, "Come to room 1.")]
        with pytest.raises(StaleWrite):
            await write(SHEET, seen=1)

    @pytest.mark.parametrize(
        ("fields", "is_offered"),
        [
            ({}, True),
            ({"state": "draft"}, False),
            ({"state": "review"}, False),
            ({"audience": "internal"}, False),
            ({"expires_on": date(2026, 11, 23)}, True),
            ({"expires_on": date(2026, 11, 22)}, False),
        ],
    )
    async def test_only_what_is_published_public_and_not_expired_is_offered(
        self, database: Database, clock: FakeClock, fields: dict[str, object], is_offered: bool
    ) -> None:
        sheet = Sheet(**{name: getattr(SHEET, name) for name in SHEET.__slots__} | fields)
        async with database.unit() as uow:
            await service.write(uow, sheet, by="Anna", now=clock.now())
        assert await offered(database, clock.now().date()) == (["A new badge"] if is_offered else [])

    async def test_a_running_desk_notices(self, database: Database, make: DeskFactory, clock: FakeClock) -> None:
        async with database.read() as session:
            before = await catalogue.revision(session)
        clock.advance(timedelta(minutes=1))
        async with database.unit() as uow:
            await service.write(uow, SHEET, by="Anna", now=clock.now())
        async with database.read() as session:
            assert await catalogue.revision(session) != before
