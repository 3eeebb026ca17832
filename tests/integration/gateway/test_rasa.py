"""A Rasa project goes into a running desk and comes out as it went in."""

from datetime import timedelta
from pathlib import Path

from sqlalchemy import func, select

from desk_core.catalogue.entities import TrainingExample
from desk_core.catalogue.export import write_files
from desk_core.catalogue.rasa_export import rasa_project
from desk_core.kit.ids import new_id
from gateway.rasa import bring_in, desk_as_preset
from tests.integration.gateway.conftest import SmallDesk

BAKERY = Path(__file__).parents[2] / "data" / "rasa_bakery"


async def written(desk: SmallDesk) -> dict[str, str]:
    return rasa_project(await desk_as_preset(desk), language="ru")


class TestBringIn:
    async def test_the_desks_own_export_changes_nothing(self, desk: SmallDesk, tmp_path: Path) -> None:
        before = await written(desk)
        write_files(tmp_path / "project", before)
        await bring_in(desk, tmp_path / "project", dry_run=False)
        assert await written(desk) == before

    async def test_a_dry_run_tells_and_changes_nothing(self, desk: SmallDesk) -> None:
        before = await written(desk)
        joined = await bring_in(desk, BAKERY, dry_run=True)
        assert joined.brought["forms"] == 2
        assert await written(desk) == before

    async def test_a_project_is_part_of_the_desk_at_once(self, desk: SmallDesk) -> None:
        before = await desk.config()
        desk.clock.advance(timedelta(seconds=1))
        await bring_in(desk, BAKERY, dry_run=False)
        config = await desk.config()
        assert config.revision > before.revision
        assert config.categories["imported.order_cake"].form == "cake_form"
        assert config.forms["cake_form"] == ("flavour", "tiers", "gift_wrapped")
        assert config.categories.keys() > before.categories.keys()

    async def test_what_operators_taught_stays_theirs(self, desk: SmallDesk, tmp_path: Path) -> None:
        async with desk.database.unit() as uow:
            uow.add(
                TrainingExample(
                    id=new_id(), label="hardware.printer", language="ru", text="жуёт листы", source="correction", created_by=None,
                    created_at=desk.clock.now(),
                )
            )  # fmt: skip
        write_files(tmp_path / "project", await written(desk))
        await bring_in(desk, tmp_path / "project", dry_run=False)
        async with desk.database.read() as session:
            sources = await session.scalars(select(TrainingExample.source).where(TrainingExample.text == "жуёт листы"))
            assert list(sources) == ["correction"]
            assert await session.scalar(select(func.count()).select_from(TrainingExample)) > 1000
