"""What we import is what we ask for: no package arrives by chance, and every one is pinned."""

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterable
from importlib.metadata import distributions, packages_distributions
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
PRODUCT = ("gateway", "channels", "nlu", "models", "desk_core")
OURS = {*PRODUCT, "presets", "tests", "benchmarks"}

# Parts of what we ask for by name: fastapi is starlette and pydantic, jinja2 is markupsafe, scikit-learn is numpy and scipy, rasa-sdk is
# sanic, SQLAlchemy's asyncio is greenlet, pytest is packaging.
BROUGHT = {"greenlet", "markupsafe", "numpy", "packaging", "pydantic", "sanic", "scipy", "starlette"}


def named(*extras: str) -> set[str]:
    """The packages we ask for, with these extras."""
    lines = [*PROJECT["dependencies"], *(line for extra in extras for line in PROJECT["optional-dependencies"][extra])]
    return {canonicalize_name(Requirement(line).name) for line in lines}


def imported(folders: Iterable[str]) -> dict[str, set[str]]:
    """Distribution -> files that import it."""
    known = packages_distributions()
    found: dict[str, set[str]] = {}
    for folder in folders:
        for file in (ROOT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
                modules = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
                if isinstance(node, ast.ImportFrom) and node.module and not node.level:
                    modules = [node.module]
                for top in {module.partition(".")[0] for module in modules} - OURS - set(sys.stdlib_module_names):
                    for name in known.get(top, [top])[:1]:
                        found.setdefault(canonicalize_name(name), set()).add(file.relative_to(ROOT).as_posix())
    return found


def pins() -> dict[str, str]:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    return {canonicalize_name(name): pinned for name, _, pinned in (line.partition("==") for line in lines if not line.startswith("#"))}


def test_the_product_imports_only_what_it_asks_for() -> None:
    allowed = named("encoder", "ru") | BROUGHT
    assert {name: files for name, files in imported(PRODUCT).items() if name not in allowed} == {}


def test_tests_and_benchmarks_import_only_what_they_ask_for() -> None:
    allowed = named("encoder", "ru", "test", "dev") | BROUGHT
    assert {name: files for name, files in imported(("tests", "benchmarks")).items() if name not in allowed} == {}


def test_everything_asked_for_is_pinned_to_what_is_installed_here() -> None:
    wanted = named("encoder", "ru", "test", "dev")
    assert wanted - pins().keys() == set()
    here = {canonicalize_name(found.name): found.version for found in distributions()}
    # A pin that is not installed belongs to another version of Python.
    assert {name: (pinned, here[name]) for name, pinned in pins().items() if here.get(name, pinned) != pinned} == {}


def test_the_core_asks_for_nothing_heavy() -> None:
    heavy = {"torch", "transformers", "tensorflow", "rasa", "sentence-transformers"}
    assert heavy & pins().keys() == set()


def test_pins_are_names_and_versions_and_nothing_else() -> None:
    for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines():
        assert re.fullmatch(r"#.*|[A-Za-z0-9._-]+==[A-Za-z0-9.+!]+", line), line


def test_a_small_desk_loads_nothing_that_it_does_not_use() -> None:
    """Redis' client takes 20 MB, these parts of SciPy 16, aiohttp 7, scikit-learn 80, what aiogram brings of types 135."""
    loaded = "import sys, gateway.app, gateway.bootstrap; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", loaded], capture_output=True, text=True, check=True)
    assert {"aiogram", "aiohttp", "asyncpg", "redis", "scipy.cluster", "scipy.special", "sklearn"} & set(done.stdout.split()) == set()
