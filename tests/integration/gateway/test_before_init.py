"""Commands in a place where no desk is say so, and what to do, before anything else."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from gateway.cli.main import app


@pytest.mark.parametrize("command", [["inbox", "list"], ["tickets", "list"], ["doctor"], ["serve"], ["work"], ["run", "--no-sandbox"]])
def test_a_command_before_init_says_to_make_a_desk(command: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PRIYOM_HOME", str(tmp_path))
    monkeypatch.delenv("PRIYOM_SANDBOX", raising=False)
    ended = CliRunner().invoke(app, command)
    assert ended.exit_code == 1
    assert "priyom init" in ended.output
    assert "try again" not in ended.output.lower()
