"""`priyom messages edit` and `delete`: from the shell through a worker into the person's chat, by the rules of the console."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, Self

import pytest
from sqlalchemy import update
from typer.testing import CliRunner

from desk_core.conversations.entities import Message
from desk_core.conversations.ports import Refused
from desk_core.kit.clock import FakeClock, SystemClock
from desk_core.kit.db import Database, UnitOfWork
from desk_core.kit.ids import new_id
from desk_core.lanes.signal import LocalSignal
from desk_core.tickets.sent import CHANGEABLE
from gateway.cli.main import app
from gateway.settings import Settings
from tests.factories.desk import DeskFactory
from tests.fakes.channel import FakeChannel
from tests.integration.gateway.conftest import SmallDesk

pytestmark = pytest.mark.parametrize("store", ["sqlite"], indirect=True)

OLGA, PAVEL = "olga@desk.example", "pavel@desk.example"


@pytest.fixture
def preset_in() -> str:
    return "en"


@dataclass
class Shell:
    """`priyom` over a desk with one request, whose worker speaks through a fake channel when told to work."""

    database: Database
    settings: Settings
    number: int = 0
    letter: int = 0
    channel: FakeChannel = field(default_factory=FakeChannel)

    async def furnished(self, signal: LocalSignal) -> Self:
        make = await DeskFactory.of(self.database, FakeClock(SystemClock().now()), signal)
        for name, email in (("Olga", OLGA), ("Pavel", PAVEL)):
            await make.agent(name, email=email)
        self.number, self.letter = (await make.ticket()).number, (await make.ticket(channel="email")).number
        return self

    def __call__(self, *words: str, code: int = 0) -> str:
        result = CliRunner().invoke(app, list(words))
        assert result.exit_code == code, result.output
        assert isinstance(result.exception, SystemExit | type(None)), result.exception  # a crash ends with 1 too
        return result.output

    def works(self) -> None:
        async def drain() -> None:
            # A little later than the shell, so that what it asked for is due.
            desk = SmallDesk(self.settings, clock=FakeClock(SystemClock().now() + timedelta(seconds=5)))
            desk.fake = self.channel
            try:
                await desk.worker().drain()
            finally:
                await desk.close()

        asyncio.run(drain())

    def writes(self, change: Callable[[UnitOfWork], Awaitable[Any]]) -> None:
        async def inside() -> None:
            async with self.database.unit() as uow:
                await change(uow)

        asyncio.run(inside())

    def answers(self, text: str, *, number: int | None = None) -> str:
        """An answer of Olga's that is with the person; its id."""
        self("tickets", "reply", str(number or self.number), "--by", OLGA, "--text", text)
        self.works()
        return str(self.message(text, number=number)["id"])

    def whole(self, number: int | None = None) -> dict[str, Any]:
        shown: dict[str, Any] = json.loads(self("tickets", "show", str(number or self.number), "--json"))
        return shown

    def message(self, text: str, *, number: int | None = None) -> dict[str, Any]:
        return next(one for one in self.whole(number)["messages"] if one["text"] == text)


@pytest.fixture
def shell(database_url: str, database: Database, signal: LocalSignal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shell:
    for name, value in {"HOME": str(tmp_path), "DATABASE__URL": database_url, "LOG__LEVEL": "error", "SECRET_KEY": "k" * 40}.items():
        monkeypatch.setenv(f"PRIYOM_{name}", value)
    settings = Settings(home=tmp_path, secret_key="k" * 40, database={"url": database_url})
    return asyncio.run(Shell(database, settings).furnished(signal))


def test_an_answer_is_corrected_in_the_chat_and_its_old_words_are_kept(shell: Shell) -> None:
    ident = shell.answers("I come at **five**.")
    assert "on its way" in shell("messages", "edit", ident, "--by", OLGA, "--text", "I come at **six**.")
    assert shell.channel.edited == [], "the shell asks, a worker does it"
    shell.works()
    assert [(said.text, shown.external_id) for said, shown in shell.channel.edited] == [
        ("I come at **six**.", shell.message("I come at **six**.")["external_id"])
    ]
    assert [version["text"] for version in shell.message("I come at **six**.")["versions"]] == ["I come at **five**."]


def test_an_answer_is_taken_away_and_kept_by_the_desk(shell: Shell) -> None:
    ident = shell.answers("To somebody else.")
    external = shell.message("To somebody else.")["external_id"]
    assert "taken away" in shell("messages", "delete", ident, "--by", OLGA)
    shell.works()
    assert [gone for _chat, gone in shell.channel.deleted] == [(external,)]
    told = shell.whole()
    assert "message_deleted" in [event["kind"] for event in told["events"]]
    assert "To somebody else." in [one["text"] for one in told["messages"]]
    assert "can no longer be changed" in shell("messages", "delete", ident, "--by", OLGA, code=1)


def test_where_the_chat_takes_no_correction_it_follows_as_a_message(shell: Shell) -> None:
    ident = shell.answers("I come at five.")
    shell.channel.trouble.append(Refused("message can't be edited"))
    shell("messages", "edit", ident, "--by", OLGA, "--text", "I come at six.")
    shell.works()
    assert shell.channel.sent[-1].text == "I come at six."
    assert shell.message("I come at five.")["versions"] == []


def test_only_ones_own_words_are_changed_within_two_days(shell: Shell) -> None:
    ident = shell.answers("I come at five.")
    commands = (("edit", ident, "--text", "No."), ("delete", ident))
    for command in commands:
        assert "can no longer be changed" in shell("messages", *command, "--by", PAVEL, code=1)
        assert "agent" in shell("messages", *command, "--by", "nobody@desk.example", code=3)
    assert "write something first" in shell("messages", "edit", ident, "--by", OLGA, "--text", "  ", code=1)
    shell.writes(lambda uow: uow.execute(update(Message).where(Message.id == ident).values(at=SystemClock().now() - CHANGEABLE)))
    for command in commands:
        assert "can no longer be changed" in shell("messages", *command, "--by", OLGA, code=1)
    shell.works()
    assert (shell.channel.edited, shell.channel.deleted) == ([], [])


def test_a_letter_is_gone_for_good(shell: Shell) -> None:
    ident = shell.answers("Dear Boris", number=shell.letter)
    for command in (("edit", ident, "--text", "No."), ("delete", ident)):
        assert "can no longer be changed" in shell("messages", *command, "--by", OLGA, code=1)


@pytest.mark.parametrize("command", ["edit", "delete"])
def test_nothing_is_found_by_a_wrong_id(shell: Shell, command: str) -> None:
    more = ("--text", "x") if command == "edit" else ()
    theirs = str(shell.message("The printer does not print")["id"])
    for wrong, code in (("x", 3), (new_id(), 3), (theirs, 1)):
        shell("messages", command, wrong, "--by", OLGA, *more, code=code)
