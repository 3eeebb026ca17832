"""`priyom email import`: mails from files of every kind, once, and a dry run that writes nothing."""

import asyncio
import json
import mailbox
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select
from typer.testing import CliRunner

from desk_core.conversations.entities import RawInbound
from desk_core.conversations.ports import ChannelKind
from desk_core.kit.clock import FakeClock
from desk_core.kit.db import Database
from gateway import inboxes
from gateway.cli.main import app

pytestmark = pytest.mark.parametrize("store", ["sqlite"], indirect=True)


@pytest.fixture
def preset_in() -> str:
    return "en"


def letter(number: int, **headers: str) -> bytes:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "anna@klient.ru", "help@desk.example", f"Принтер {number}"
    message["Message-ID"], message["Date"] = f"<{number}@klient.ru>", "Mon, 02 Nov 2026 10:00:00 +0300"
    for name, value in headers.items():
        message[name.replace("_", "-")] = value
    message.set_content("Не печатает.\n\nFrom здесь начинается строка.")
    return message.as_bytes()


@pytest.fixture
def files(tmp_path: Path) -> Path:
    folder = tmp_path / "old mail"
    (folder / "eml").mkdir(parents=True)
    (folder / "eml" / "1.eml").write_bytes(letter(1))
    (folder / "eml" / "2.eml").write_bytes(letter(2, Auto_Submitted="auto-replied"))
    box = mailbox.mbox(folder / "archive.mbox")
    for number in (3, 4):
        box.add(letter(number))
    box.close()
    kept = mailbox.Maildir(folder / "maildir")
    kept.add(letter(5))
    kept.add_folder("Archive").add(letter(6))
    (folder / "notes.txt").write_text("no mail")
    return folder


def test_every_kind_of_file_comes_in_once(
    at_the_shell: None,
    database: Database,
    clock: FakeClock,
    files: Path,
) -> None:
    async def furnish() -> None:
        async with database.unit() as uow:
            for name in ("help", "sales"):
                await inboxes.add(
                    uow, name=name, channel=ChannelKind.EMAIL, address=f"{name}@desk.example", language="ru", config={}, sealed=None,
                    clock=clock,
                )  # fmt: skip

    asyncio.run(furnish())
    runner = CliRunner()

    def told(*words: str) -> tuple[int, dict[str, Any]]:
        result = runner.invoke(app, ["email", "import", str(files), "--inbox", "help", "--json", *words])
        return result.exit_code, json.loads(result.stdout)

    code, report = told("--dry-run")
    assert (code, report["new"], report["known"], report["verdicts"]) == (0, 6, 0, {"received": 5, "automatic": 1})
    assert stored(database) == []
    assert told()[1]["new"] == 6
    bodies = stored(database)
    assert sorted(body["subject"] for body in bodies) == [f"Принтер {number}" for number in range(1, 7)]
    assert all(body["card"]["imported"] for body in bodies)
    assert {body["at"] for body in bodies} == {"2026-11-02T07:00:00+00:00"}
    assert all("From здесь начинается строка." in body["text"] for body in bodies)
    code, report = told()
    assert (code, report["new"], report["known"]) == (0, 0, 6)
    assert len(stored(database)) == 6
    refused = runner.invoke(app, ["email", "import", str(files)])
    assert refused.exit_code == 1
    assert "help, sales" in refused.stderr
    assert runner.invoke(app, ["email", "import", str(files / "nothing")]).exit_code == 3


def stored(database: Database) -> list[dict[str, Any]]:
    async def read() -> list[dict[str, Any]]:
        async with database.read() as session:
            assert (await session.scalar(select(func.count()).select_from(RawInbound))) is not None
            return list((await session.scalars(select(RawInbound.body))).all())

    return asyncio.run(read())
