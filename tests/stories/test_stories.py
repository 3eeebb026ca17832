"""Every story of this folder goes as written, on the shipped presets with their trained models."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from gateway.cli.main import app
from nlu.stories import Story, play, read
from nlu.understood import Tools
from tests.acceptance.trained import KEY

FOLDER = Path(__file__).parent


def told(folder: Path) -> list[tuple[str, Story]]:
    return [(path.name, story) for path in sorted(folder.glob("*.yml")) for story in read(path.read_text(encoding="utf-8"), file=path.name)]


STORIES, OF_THE_SHOP = told(FOLDER), told(FOLDER / "customer_care")


@pytest.mark.parametrize("story", [story for _, story in STORIES], ids=[f"{file}: {story.story}" for file, story in STORIES])
def test_a_story_goes_as_written(story: Story, tools: Tools) -> None:
    assert play(story, tools) == []


@pytest.mark.parametrize("story", [story for _, story in OF_THE_SHOP], ids=[f"{file}: {story.story}" for file, story in OF_THE_SHOP])
def test_a_story_of_the_shop_goes_as_written(story: Story, shop: Tools) -> None:
    assert play(story, shop) == []


def test_no_two_stories_have_the_same_name() -> None:
    names = [story.story for _, story in (*STORIES, *OF_THE_SHOP)]
    assert len(names) == len(set(names))


def test_the_command_plays_them_on_a_desk_and_tells_where_one_goes_otherwise(
    desk_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PRIYOM_HOME", str(desk_home))
    monkeypatch.setenv("PRIYOM_SECRET_KEY", KEY)
    good, bad = tmp_path / "good.yml", tmp_path / "bad.yml"
    good.write_text("stories: [{story: Hello, turns: [{say: Привет, then: {says: [greet]}}]}]", encoding="utf-8")
    bad.write_text("stories: [{story: Farewell, turns: [{say: Привет, then: {says: [bye], does: [open]}}]}]", encoding="utf-8")
    runner = CliRunner()
    fine = runner.invoke(app, ["stories", "run", str(good)])
    assert (fine.exit_code, fine.stdout) == (0, "1 of 1 stories go as written\n")
    other = runner.invoke(app, ["stories", "run", str(tmp_path)])
    assert other.exit_code == 1
    assert other.stdout.splitlines() == [
        "bad.yml: Farewell",
        "  turn 1, 'Привет': does",
        "    - open",
        "    + nothing",
        "  turn 1, 'Привет': says",
        "    - bye",
        "    + greet",
        "1 of 2 stories go as written",
    ]
    listed = json.loads(runner.invoke(app, ["stories", "run", str(bad), "--json"]).stdout)
    assert [one["what"] for one in listed[0]["differences"]] == ["does", "says"]
