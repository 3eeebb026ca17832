"""`priyom email dkim`: a key, its record, rotation. `priyom email trust` and `rules`: whose word counts, and what the desk says of mail."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pytest
from sqlalchemy import select
from typer.testing import CliRunner

from desk_core.catalogue.entities import DeskSetting
from desk_core.catalogue.install import install
from desk_core.conversations.entities import Inbox
from desk_core.kit.clock import FakeClock
from desk_core.kit.db import Database
from desk_core.lanes.signal import LocalSignal
from gateway import mail_signing
from gateway.bootstrap import Desk
from gateway.checkups import checkup_of
from gateway.cli.main import app
from gateway.secret_box import SecretBox
from gateway.settings import Settings
from tests.factories.desk import PRESET, DeskFactory
from tests.fakes.zone import Zone

pytestmark = pytest.mark.parametrize("store", ["sqlite"], indirect=True)

Run = Callable[..., tuple[int, Any]]


@pytest.fixture
def preset_in() -> str:
    return "en"


@pytest.fixture
def priyom(at_the_shell: None, database: Database, clock: FakeClock, signal: LocalSignal) -> Run:
    async def furnish() -> None:
        await (await DeskFactory.of(database, clock, signal)).inbox("email")

    asyncio.run(furnish())
    runner = CliRunner()

    def run(*words: str) -> tuple[int, Any]:
        result = runner.invoke(app, ["email", *words])
        return result.exit_code, json.loads(result.stdout) if "--json" in words and result.exit_code in (0, 1) else result.output

    return run


def in_store(database: Database, work: Callable[[Any], Any]) -> Any:
    async def ask() -> Any:
        async with database.unit() as uow:
            return await work(uow)

    return asyncio.run(ask())


def test_a_key_is_made_once_and_shown_as_often_as_wanted(priyom: Run, database: Database) -> None:
    assert priyom("dkim", "init", "desk.example", "--show")[0] == 3
    code, made = priyom("dkim", "init", "desk.example", "--json")
    assert (code, made["made"], made["algorithm"]) == (0, True, "rsa")
    assert made["name"] == f"{made['selector']}._domainkey.desk.example"
    assert made["value"].startswith("v=DKIM1; k=rsa; p=MII")
    assert "".join(made["strings"]) == made["value"]
    code, words = priyom("dkim", "init", "desk.example")
    assert code == 0
    assert f"desk.example has a key already: {made['selector']}" in words
    assert f'{made["name"]}. IN TXT ( "{made["strings"][0]}" "{made["strings"][1]}" )' in words
    assert priyom("dkim", "init", "DESK.example", "--show", "--json")[1] == {**made, "made": False}
    stored = in_store(database, lambda uow: uow.scalar(select(DeskSetting.value).where(DeskSetting.key == "dkim")))
    assert "PRIVATE KEY" not in json.dumps(stored)


def test_a_preset_loaded_again_leaves_the_keys_where_they_are(priyom: Run, database: Database, clock: FakeClock) -> None:
    priyom("dkim", "init", "desk.example", "--algorithm", "ed25519")
    in_store(database, lambda uow: install(uow, PRESET, language="en", now=clock.now()))
    assert priyom("dkim", "init", "desk.example", "--show")[0] == 0


@pytest.mark.parametrize(
    "words", [["init", "desk"], ["init", "a@desk.example"], ["init", "desk.example", "--selector", "a b"], ["init", "-x.example"]]
)
def test_what_cannot_be_a_name_is_refused(priyom: Run, words: list[str]) -> None:
    assert priyom("dkim", *words, "--algorithm", "ed25519")[0] in (1, 2)


def test_another_key_gets_a_name_of_its_own(priyom: Run) -> None:
    quick = ("--algorithm", "ed25519", "--json")
    first = priyom("dkim", "init", "desk.example", "--selector", "s1", *quick)[1]
    second = priyom("dkim", "init", "desk.example", "--replace", *quick)[1]
    third = priyom("dkim", "init", "desk.example", "--replace", *quick)[1]
    assert len({first["selector"], second["selector"], third["selector"]}) == 3
    assert priyom("dkim", "init", "desk.example", "--replace", "--selector", "s1")[0] == 1
    assert priyom("dkim", "remove", "desk.example", "--selector", "s1")[0] == 0
    assert priyom("dkim", "remove", "desk.example", "--selector", "s1")[0] == 3
    assert priyom("dkim", "check", "other.example")[0] == 3


def test_a_new_key_signs_once_its_record_is_found(priyom: Run, database: Database, clock: FakeClock) -> None:
    made = [priyom("dkim", "init", "desk.example", "--selector", name, "--replace", "--json")[1] for name in ("s1", "s2")]
    box = SecretBox(b"k" * 40)

    def after(zone: Zone) -> tuple[dict[str, str], str]:
        async def check(uow: Any) -> tuple[dict[str, str], str]:
            keys = await mail_signing.keys_of(uow, "desk.example")
            states = mail_signing.look_up(keys, "desk.example", zone)
            found = {name: state == "published" for name, state in states.items()}
            keys = await mail_signing.note_published(uow, "desk.example", found, now=clock.now())
            signs = mail_signing.signer(keys, "desk.example", box=box)
            assert signs is not None
            return states, signs.selector

        found: tuple[dict[str, str], str] = in_store(database, check)
        return found

    one, two = ({key["name"]: [key["value"]]} for key in made)
    assert after(Zone()) == ({"s1": "missing", "s2": "missing"}, "s1")
    assert after(Zone(txt=one)) == ({"s1": "published", "s2": "missing"}, "s1")
    assert after(Zone(txt={**one, **two})) == ({"s1": "published", "s2": "published"}, "s2")
    assert after(Zone(txt={**two, made[0]["name"]: ["v=DKIM1; p="]})) == ({"s1": "different", "s2": "published"}, "s2")
    with pytest.raises(mail_signing.NamesSilent):
        after(Zone(silent=frozenset({made[0]["name"]})))


def test_the_command_asks_and_says_what_is_missing(priyom: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    made = priyom("dkim", "init", "desk.example", "--algorithm", "ed25519", "--json")[1]
    zone = Zone()
    monkeypatch.setattr("gateway.bootstrap.DnsResolver", lambda: zone)
    code, told = priyom("dkim", "check", "desk.example", "--json")
    assert (code, told[0]["state"], told[0]["signs"]) == (1, "missing", True)
    zone.txt = {made["name"]: [made["value"]]}
    code, words = priyom("dkim", "check", "desk.example")
    assert code == 0
    assert "published" in words
    zone.silent = frozenset({made["name"]})
    assert priyom("dkim", "check", "desk.example")[0] == 1


def test_a_running_desk_follows(priyom: Run, database: Database, database_url: str, clock: FakeClock, tmp_path: Path) -> None:
    async def signing() -> str:
        desk = Desk(Settings(home=tmp_path, secret_key="k" * 40, database={"url": database_url}), clock=clock)
        try:
            async with desk.database.read() as session:
                inbox = await session.scalar(select(Inbox.id).where(Inbox.channel == "email"))
            channel: Any = await desk.channel(inbox)
            signs = channel._signer.selector if channel._signer else ""
            looked_for = (await checkup_of(cast("Any", desk), address="help@desk.example", account=None, itself=False)).selector
            assert (looked_for or "") == signs, "a check-up looks for the key that signs"
            return signs
        finally:
            await desk.close()

    version = select(Inbox.version).where(Inbox.channel == "email")
    before = in_store(database, lambda uow: uow.scalar(version))
    assert asyncio.run(signing()) == ""
    priyom("dkim", "init", "desk.example", "--selector", "s1", "--algorithm", "ed25519")
    assert in_store(database, lambda uow: uow.scalar(version)) == before + 1
    assert asyncio.run(signing()) == "s1"
    priyom("dkim", "init", "sk.example", "--algorithm", "ed25519")
    assert in_store(database, lambda uow: uow.scalar(version)) == before + 1, "another domain"


def test_trust_is_shown_replaced_and_taken_back(priyom: Run, database: Database) -> None:
    nobody: dict[str, list[str]] = {"authserv": [], "sealers": []}
    assert priyom("trust", "email", "--json") == (0, nobody)
    given = ("--authserv", "MX.desk.example", "--authserv", "", "--sealer", "lists.example")
    assert priyom("trust", "email", *given, "--json") == (0, {"authserv": ["", "mx.desk.example"], "sealers": ["lists.example"]})
    assert "servers: (without an id), mx.desk.example" in priyom("trust", "email")[1]
    config = in_store(database, lambda uow: uow.scalar(select(Inbox.config).where(Inbox.channel == "email")))
    assert config["trusted_authserv"] == ["", "mx.desk.example"]
    assert priyom("trust", "email", "--clear", "--json") == (0, nobody)
    assert priyom("trust", "nowhere")[0] == 3


def test_rules_are_shown_made_tried_and_removed(priyom: Run) -> None:
    assert priyom("rules", "email") == (0, "No rules.\n")
    tried = priyom("rules", "email", "--hold", "@a.example", "--dry-run", "--json")[1]
    assert (tried["senders"], tried["met"]["@a.example"]["count"]) == ({}, 0)
    made = priyom("rules", "email", "--hold", "Robot@A.example", "--apart", "[Zabbix] PROBLEM", "--json")
    assert made == (0, {"senders": {"robot@a.example": "robot"}, "subjects": {"[zabbix] problem": "apart"}})
    assert "apart   [zabbix] problem" in priyom("rules", "email")[1]
    assert priyom("rules", "email", "--remove", "robot@a.example", "--json")[1]["senders"] == {}
    assert priyom("rules", "email", "--remove", "robot@a.example")[0] == 3
    assert priyom("rules", "email", "--hold", "re")[0] == 1
