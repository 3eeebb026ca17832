"""`priyom messages undo`: an answer that waits is taken back from the shell, by the rule of the console."""

import asyncio
import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from desk_core.kit.clock import FakeClock
from desk_core.kit.db import Database
from desk_core.kit.ids import new_id
from desk_core.lanes.signal import LocalSignal
from gateway.cli.main import app
from tests.factories.desk import DeskFactory

pytestmark = pytest.mark.parametrize("store", ["sqlite"], indirect=True)


@pytest.fixture
def preset_in() -> str:
    return "en"


@pytest.fixture
def number(
    database_url: str, database: Database, clock: FakeClock, signal: LocalSignal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> int:
    """A request in a desk whose answers in chats wait for five minutes."""
    values = {
        "HOME": str(tmp_path),
        "DATABASE__URL": database_url,
        "LOG__LEVEL": "error",
        "SECRET_KEY": "k" * 40,
        "WORK__UNDO_CHAT_SECONDS": "300",
    }
    for name, value in values.items():
        monkeypatch.setenv(f"PRIYOM_{name}", value)

    async def furnish() -> int:
        make = await DeskFactory.of(database, clock, signal)
        await make.agent("Olga", email="olga@desk.example")
        return (await make.ticket()).number

    return asyncio.run(furnish())


def priyom(*words: str, code: int = 0) -> Result:
    result = CliRunner().invoke(app, list(words))
    assert result.exit_code == code, result.output
    return result


def answer(number: int, *options: str) -> str:
    said = priyom("tickets", "reply", str(number), "--by", "olga@desk.example", "--text", "On my way.", *options).stdout
    found = re.search(r"priyom messages undo (\S+)", said)
    return found[1] if found else ""


def texts(number: int) -> list[str]:
    return [one["text"] for one in json.loads(priyom("tickets", "show", str(number), "--json").stdout)["messages"]]


def test_an_answer_that_waits_is_taken_back_once(number: int) -> None:
    waiting = answer(number, "--undoable")
    assert "On my way." in texts(number)
    assert json.loads(priyom("messages", "undo", waiting, "--json").stdout) == {"text": "On my way.", "files": []}
    assert "On my way." not in texts(number)
    priyom("messages", "undo", waiting, code=3)


def test_one_that_does_not_wait_is_on_its_way(number: int) -> None:
    assert answer(number) == ""
    shown = json.loads(priyom("tickets", "show", str(number), "--json").stdout)
    sent = next(one["id"] for one in shown["messages"] if one["text"] == "On my way.")
    assert "on its way" in priyom("messages", "undo", sent, code=1).output


def test_nothing_is_found_by_a_wrong_id(number: int) -> None:
    for wrong in ("x", new_id()):
        priyom("messages", "undo", wrong, code=3)
