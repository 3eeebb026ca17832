"""`priyom token`: made once, shown once, listed, revoked."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from gateway.cli.api_tokens import app


@pytest.fixture
def environment(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PRIYOM_HOME", str(tmp_path))
    monkeypatch.setenv("PRIYOM_DATABASE__URL", database_url)
    monkeypatch.setenv("PRIYOM_LOG__LEVEL", "error")


@pytest.mark.usefixtures("environment")
def test_a_token_is_made_listed_without_its_secret_and_revoked() -> None:
    runner = CliRunner()
    made = json.loads(runner.invoke(app, ["add", "--name", "monitoring", "--scope", "write", "--json"]).stdout)
    assert made["token"].startswith("priyom_")
    listed = runner.invoke(app, ["list", "--json"]).stdout
    assert made["token"] not in listed
    assert [(one["name"], one["scopes"], one["revoked"]) for one in json.loads(listed)] == [("monitoring", ["write"], False)]
    assert runner.invoke(app, ["revoke", "--name", "monitoring"]).exit_code == 0
    assert json.loads(runner.invoke(app, ["list", "--json"]).stdout)[0]["revoked"]
    assert runner.invoke(app, ["revoke", "--name", "monitoring"]).exit_code == 3
    assert runner.invoke(app, ["add", "--name", "x", "--scope", "everything"]).exit_code == 2
