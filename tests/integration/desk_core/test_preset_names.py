"""What a preset's `names.yml` declares goes with the desk: into its tables, to the dialogue, and back into a folder."""

from pathlib import Path

import pytest
import yaml

from desk_core.catalogue.export import export_preset
from desk_core.kit.clock import FakeClock
from desk_core.kit.db import Database
from desk_core.lanes.signal import LocalSignal
from nlu.extract import Extractor, Vocabulary
from tests.factories.desk import PRESET, DeskFactory


@pytest.fixture
def preset_in() -> str:
    return "en"


async def test_a_desk_knows_the_names_of_its_preset_and_exports_them(
    database: Database, clock: FakeClock, signal: LocalSignal, tmp_path: Path
) -> None:
    make = await DeskFactory.of(database, clock, signal)
    assert make.config.names == PRESET.names
    found = Extractor(Vocabulary.from_json(make.config.names)).find("после CHG-2217 не открывается фигма", now=clock.now())
    assert {(one.kind, one.value, one.source) for one in found} >= {("number", "CHG-2217", "change"), ("software", "Figma", "list")}
    async with database.read() as session:
        await export_preset(session, tmp_path / "desk")
    assert yaml.safe_load((tmp_path / "desk" / "names.yml").read_text(encoding="utf-8")) == PRESET.names
