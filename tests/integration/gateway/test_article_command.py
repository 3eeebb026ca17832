"""`priyom article`: imported from files, again without change, listed, shown and written back."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from gateway.cli.articles import app


@pytest.fixture
def preset_in() -> str:
    return "en"


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
@pytest.mark.usefixtures("at_the_shell", "database")
def test_a_folder_becomes_articles_once(tmp_path: Path) -> None:
    folder = tmp_path / "texts" / "ru"
    folder.mkdir(parents=True)
    (folder / "badge.md").write_text("# Новый пропуск\n\nПриходите в комнату 1.", encoding="utf-8")
    (folder / "broken.md").write_text("", encoding="utf-8")
    runner = CliRunner()

    def told(*words: str) -> tuple[int, dict[str, object]]:
        result = runner.invoke(app, ["import", str(folder), "--json", *words])
        return result.exit_code, json.loads(result.stdout)

    code, report = told("--dry-run")
    assert (code, report["created"], report["problems"]) == (1, 1, report["problems"])
    assert [(one["file"], one["line"]) for one in report["problems"]] == [("broken.md", 1), ("broken.md", 1)]  # type: ignore[attr-defined]
    (folder / "broken.md").unlink()
    code, report = told()
    assert (code, report["created"], report["changed"], report["unchanged"]) == (0, 1, 0, 0)
    assert told() == (0, {"created": 0, "changed": 0, "unchanged": 1, "dry_run": False, "problems": []})
    assert told("--publish")[1]["changed"] == 1
    assert told()[1]["unchanged"] == 1  # what people decided about it since then stays

    [shown] = json.loads(runner.invoke(app, ["show", "badge", "--json"]).stdout)
    assert (shown["language"], shown["state"], shown["body"], shown["version"]) == ("ru", "published", "Приходите в комнату 1.", 2)
    assert shown["key"] in {one["key"] for one in json.loads(runner.invoke(app, ["list", "--json"]).stdout)}
    assert runner.invoke(app, ["show", "nothing"]).exit_code == 3
    assert runner.invoke(app, ["export", str(tmp_path / "out")]).exit_code == 0
    [one] = [json.loads(runner.invoke(app, ["import", str(tmp_path / "out"), "--json"]).stdout)]
    assert (one["created"], one["changed"], one["problems"]) == (0, 0, [])
