"""`priyom model explain`: what the desk makes of a text, with nothing trained and with a model."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from desk_core.kit.clock import FakeClock
from gateway.cli.understanding import model
from gateway.settings import Settings
from models.encoder import NullEncoder
from models.registry import Registry
from models.train import fit
from tests.unit.models.small import category


@pytest.fixture
def preset_in() -> str:
    return "en"


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
@pytest.mark.usefixtures("at_the_shell", "database")
def test_a_text_is_explained(clock: FakeClock, tmp_path: Path) -> None:
    def told(*words: str) -> Result:
        result = CliRunner().invoke(model, ["explain", "the printer is broken, it is urgent", *words])
        assert result.exit_code == 0, result.output
        return result

    assert json.loads(told("--json").stdout)["category"] is None
    assert "category None" in told().stdout

    Registry(tmp_path, secret=Settings().key()).publish(fit(category(), encoder=NullEncoder()), created_at=clock.now())
    explained = json.loads(told("--json").stdout)
    assert explained["category"].startswith("hardware.")
    assert "printer" in {reason["text"] for reason in explained["reasons"]}
    assert "because: " in told().stdout
