"""`priyom inbox sign`: whose name stands over answers, set from the shell and audited."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from typer.testing import CliRunner

from desk_core.conversations.entities import Inbox
from desk_core.kit.clock import FakeClock
from desk_core.kit.db import Database
from desk_core.lanes.signal import LocalSignal
from desk_core.people.entities import AuditEntry
from gateway.cli.main import app
from tests.factories.desk import DeskFactory

pytestmark = pytest.mark.parametrize("store", ["sqlite"], indirect=True)


@pytest.fixture
def preset_in() -> str:
    return "en"


@pytest.fixture
def inbox(
    database_url: str, database: Database, clock: FakeClock, signal: LocalSignal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> str:
    """The name of an inbox whose answers bear the operator's own name."""
    for name, value in {"HOME": str(tmp_path), "DATABASE__URL": database_url, "LOG__LEVEL": "error", "SECRET_KEY": "k" * 40}.items():
        monkeypatch.setenv(f"PRIYOM_{name}", value)

    async def furnish() -> str:
        make = await DeskFactory.of(database, clock, signal)
        await make.ticket()
        async with database.read() as session:
            return str(await session.scalar(select(Inbox.name)))

    return asyncio.run(furnish())


def kept(database: Database, query: Any) -> list[Any]:
    async def read() -> list[Any]:
        async with database.read() as session:
            return list(await session.scalars(query))

    return asyncio.run(read())


@pytest.mark.parametrize("whose", ["team", "operator"])
def test_says_whose_name_people_hear(database: Database, inbox: str, whose: str) -> None:
    said = CliRunner().invoke(app, ["inbox", "sign", inbox, whose])
    assert said.exit_code == 0, said.output
    assert kept(database, select(Inbox).where(Inbox.name == inbox))[0].config["signed_by"] == whose
    audited = kept(database, select(AuditEntry))
    assert [(one.action, one.subject, one.after) for one in audited] == [("inbox.set", inbox, {"signed_by": whose})]


def test_changes_nothing_by_a_wrong_name(database: Database, inbox: str) -> None:
    for words, code in ((("nowhere", "team"), 3), ((inbox, "nobody"), 2)):
        assert CliRunner().invoke(app, ["inbox", "sign", *words]).exit_code == code
    assert "signed_by" not in kept(database, select(Inbox).where(Inbox.name == inbox))[0].config
    assert kept(database, select(AuditEntry)) == []
