"""Each import contract of pyproject.toml is seen broken by a planted import, and kept by the tree as it is."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parents[3]
PACKAGES = ("gateway", "channels", "nlu", "models", "desk_core")


class Planted(NamedTuple):
    contract: str
    into: str
    imports: str


PLANTED = [
    Planted("layers", "desk_core/sla/service.py", "gateway.settings"),
    Planted("layers", "nlu/labels.py", "channels.telegram.plan"),
    Planted("layers", "models/words.py", "nlu.text"),
    Planted("channels", "channels/email/channel.py", "channels.telegram.plan"),
    Planted("features", "desk_core/people/repository.py", "desk_core.people.service"),
    Planted("features", "desk_core/tickets/lifecycle.py", "desk_core.tickets.entities"),
    Planted("entities", "desk_core/sla/entities.py", "desk_core.tickets.service"),
    Planted("kit", "desk_core/kit/ids.py", "desk_core.people.entities"),
    Planted("by-need", "gateway/health.py", "aiogram"),
    Planted("by-need", "nlu/triage.py", "sklearn"),
    Planted("pure", "nlu/turn.py", "asyncio"),
    Planted("pure", "desk_core/routing/rules.py", "sqlalchemy"),
]


def contracts() -> dict[str, str]:
    """Id -> name, as pyproject.toml lists them."""
    listed = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]["contracts"]
    return {contract["id"]: contract["name"] for contract in listed}


def lint_imports(tree: Path) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-logo", "--no-cache"]
    environment = {**os.environ, "COLUMNS": "400", "NO_COLOR": "1", "PYTHONPATH": str(tree)}
    return subprocess.run(command, cwd=tree, env=environment, capture_output=True, text=True, check=False)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The packages and their contracts, elsewhere."""
    for package in PACKAGES:
        shutil.copytree(
            ROOT / package, tmp_path / package, ignore=lambda folder, names: [n for n in names if "." in n and not n.endswith(".py")]
        )
    shutil.copyfile(ROOT / "pyproject.toml", tmp_path / "pyproject.toml")
    return tmp_path


def test_the_tree_as_it_is_keeps_every_contract(copy: Path) -> None:
    result = lint_imports(copy)
    assert result.returncode == 0, result.stdout
    assert result.stdout.count("KEPT") == len(contracts())


def test_every_contract_is_broken_by_a_planted_import(copy: Path) -> None:
    """All at once, because building the graph of the whole tree is what takes time; each breach is named by itself."""
    for planted in PLANTED:
        with (copy / planted.into).open("a", encoding="utf-8") as file:
            file.write(f"\n\nimport {planted.imports}\n")
    result = lint_imports(copy)
    assert result.returncode == 1
    names = contracts()
    told = re.split(r"-{4,}", result.stdout.partition("Broken contracts")[2])
    for planted in PLANTED:
        assert f"{names[planted.contract]} BROKEN" in result.stdout
        section = told[next(at for at, part in enumerate(told) if part.strip().endswith(names[planted.contract])) + 1]
        module = planted.into.removesuffix(".py").replace("/", ".")
        assert re.search(rf"{re.escape(module)} -> {re.escape(planted.imports)}\b", section), f"{planted} is not named in:\n{section}"


def test_every_contract_is_seen_failing() -> None:
    assert {planted.contract for planted in PLANTED} == set(contracts())
