"""A story that goes otherwise is told where and how, and a file that is no story is refused with its place."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from gateway.cli.main import app
from nlu.stories import Difference, StoryUnreadable, play, read
from tests.fakes.tools import FakeTools

PRINTER = """
stories:
  - story: A printer
    turns:
      - say: Сломался принтер
        then: {phase: form, asks: device, topic: hardware}
      - say: HP 305
        then: {asks: scope, slots: {device: HP 305}, offers: [slot]}
      - press: slot
        value: {value: all}
        then: {asks: location, does: []}
      - say: skip
      - say: send
        then: {does: [open], topic: hardware.printer, impact: organisation, urgency: high}
    end: {phase: idle, requests: [hardware.printer]}
"""


def differences(text: str) -> list[Difference]:
    (story,) = read(text, file="a.yml")
    return play(story, FakeTools())


def test_a_story_that_goes_as_written_has_no_differences() -> None:
    assert differences(PRINTER) == []


def test_a_difference_names_the_turn_what_was_expected_and_what_came() -> None:
    other = PRINTER.replace("{asks: scope, slots: {device: HP 305}", "{asks: location, slots: {device: Canon}")
    assert differences(other)[:2] == [
        Difference(2, "HP 305", "asks", "location", "scope"),
        Difference(2, "HP 305", "slot device", "Canon", "HP 305"),
    ]


def test_a_button_that_is_not_on_the_screen_ends_the_story() -> None:
    (found,) = differences(PRINTER.replace("press: slot", "press: helped"))
    assert (found.turn, found.what, found.expected) == (3, "button", "helped")
    assert "skip" in found.got


def test_the_end_is_compared_too() -> None:
    found = differences("stories: [{story: The end, turns: [{say: привет}], end: {phase: form, requests: [hardware]}}]")
    assert [(one.turn, one.what, one.got) for one in found] == [(0, "phase", "idle"), (0, "requests", "nothing")]


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("stories: [{story: No turns, turns: []}]", "stories.0.turns"),
        ("stories: [{story: Misspelt, turns: [{say: hi, them: {}}]}]", "stories.0.turns.0.them"),
        ("stories: [{story: Silent, turns: [{then: {}}]}]", "a turn needs one of"),
        ("stories: [", "line 1"),
        ("", "valid dictionary"),
    ],
)
def test_what_is_no_story_is_refused_with_its_place(text: str, place: str) -> None:
    with pytest.raises(StoryUnreadable) as refused:
        read(text, file="a.yml")
    assert place in str(refused.value.fields["reason"])


def test_the_command_has_help_and_says_what_it_does_not_find(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PRIYOM_HOME", str(tmp_path))
    runner = CliRunner()
    assert "Play every story" in runner.invoke(app, ["stories", "run", "--help"]).stdout
    assert runner.invoke(app, ["stories", "run", str(tmp_path / "none")]).exit_code == 3
