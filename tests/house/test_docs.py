"""The documentation says what the code does: every setting, command, option, shape, make target and file it names is real."""

import ast
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from gateway.cli.main import app
from tests.house import settings_page

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "compose.yaml")] + sorted((ROOT / "docs").rglob("*.md"))
PAGES += sorted((ROOT / "deploy").rglob("*"))
TEXTS = {page.relative_to(ROOT).as_posix(): page.read_text(encoding="utf-8") for page in PAGES if page.is_file()}
INTERFACE = TEXTS["docs/interface.md"]

SHAPES = {"Ticket": "_ticket", "Message": "_message", "Conversation": "conversations", "Dead": "dead_items"}


def command_line() -> dict[str, set[str]]:
    """Every command of `priyom` with its options: {"inbox add email": {"--name", ...}}."""
    found: dict[str, set[str]] = {}

    def walk(command: Any, path: tuple[str, ...]) -> None:
        for name, inner in getattr(command, "commands", {}).items():
            walk(inner, (*path, name))
        if not hasattr(command, "commands"):
            options = (option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts))
            found[" ".join(path)] = {option for option in options if option.startswith("-")} | {"--help"}

    walk(get_command(app), ())
    return found


COMMANDS = command_line()


def named_commands(text: str) -> Iterator[str]:
    """What a page calls as `priyom ...`, in code or on a line of its own."""
    yield from re.findall(r"`(priyom [^`]+)`", text)
    for fence in re.findall(r"^```.*?^```", text, re.MULTILINE | re.DOTALL) or [text]:
        for line in fence.splitlines():
            if match := re.match(r"(?:ExecStart(?:Pre)?=|command: )?[\w./-]*?(priyom [a-z].*?)\s*(?:#.*|&|\\)?$", line.strip()):
                yield match[1]


def breach(call: str) -> str | None:
    """What is wrong about a call, or None."""
    words = re.sub(r"[\[\]]", "", call).split()[1:]
    if words[:1] == ["--help"]:
        return None
    depth = next((depth for depth in (3, 2, 1) if " ".join(words[:depth]) in COMMANDS), 0)
    if not depth:
        groups = {" ".join(name.split()[:length]) for name in COMMANDS for length in (1, 2)}
        return None if " ".join(words) in groups else f"{call}: no such command"
    options = {word.partition("=")[0] for word in words[depth:] if word.startswith("--")}
    unknown = options - COMMANDS[" ".join(words[:depth])]
    return f"{call}: no option {', '.join(sorted(unknown))}" if unknown else None


class TestSettings:
    def test_the_configuration_page_is_written_from_the_settings(self) -> None:
        assert settings_page.PAGE.read_text(encoding="utf-8") == settings_page.page(), "python -m tests.house.settings_page"

    def test_every_setting_says_what_it_means(self) -> None:
        assert [name for name, field in settings_page.settings() if not field.description] == []

    def test_every_name_in_the_documentation_is_a_setting(self) -> None:
        known = {name for name, _ in settings_page.settings()}
        named = {name for text in TEXTS.values() for name in re.findall(r"\bPRIYOM_[A-Z_]+[A-Z]\b", text)}
        assert named - known == set()

    def test_the_interface_page_names_what_outside_programs_set(self) -> None:
        promised = {
            "HOME",
            "HTTP__PORT",
            "HTTP__PUBLIC_URL",
            "SMTP__PORT",
            "SMTP_OUT__URL",
            "DATABASE__URL",
            "REDIS__URL",
            "SECRET_KEY",
            "SANDBOX",
        }
        assert {f"PRIYOM_{name}" for name in promised} <= set(re.findall(r"PRIYOM_[A-Z_]+", INTERFACE))


class TestCommands:
    def test_the_interface_page_names_every_command(self) -> None:
        named = list(named_commands(INTERFACE))
        missing = [command for command in COMMANDS if not any(re.match(rf"priyom {re.escape(command)}(\s|$)", call) for call in named)]
        assert missing == []

    def test_every_option_of_a_command_is_on_the_interface_page(self) -> None:
        rows = [line for line in INTERFACE.splitlines() if line.startswith("| `priyom")]
        missing = []
        for command, options in COMMANDS.items():
            [row] = [row for row in rows if re.search(rf"`priyom {re.escape(command)}[ `]", row)]
            missing += [f"{command} {option}" for option in options - {"--help"} if option not in row and not option.startswith("--no-")]
        assert missing == []

    @pytest.mark.parametrize("document", TEXTS)
    def test_every_call_in_the_documentation_works(self, document: str) -> None:
        assert [wrong for call in named_commands(TEXTS[document]) if (wrong := breach(call))] == []

    def test_a_wrong_call_would_be_found(self) -> None:
        assert [breach(call) for call in ("priyom fly", "priyom run --fast", "priyom inbox add fax --name N")] == [
            "priyom fly: no such command", "priyom run --fast: no option --fast", "priyom inbox add fax --name N: no such command",
        ]  # fmt: skip

    def test_every_command_has_its_help(self) -> None:
        def walk(command: Any) -> Iterator[str]:
            if not command.help:
                yield command.name
            for inner in getattr(command, "commands", {}).values():
                yield from walk(inner)

        assert list(walk(get_command(app))) == []


class TestShapes:
    @pytest.mark.parametrize("shape", SHAPES)
    def test_are_those_of_the_code(self, shape: str) -> None:
        assert _documented(shape) == _built_by(SHAPES[shape])


def _documented(shape: str) -> set[str]:
    """The names of a shape on the interface page, outermost level."""
    block = INTERFACE.partition("## Shapes")[2].partition("```")[2].partition("```")[0]
    text = re.search(rf"^{shape}\s+\{{", block, re.MULTILINE)
    assert text, f"the interface page has no {shape}"
    depth, names, start = 1, set(), text.end()
    for at in range(text.end(), len(block)):
        if block[at] in ",}" and depth == 1:
            names.add(re.match(r"\s*(\w+)", block[start:at])[1])  # type: ignore[index]  # a part always begins with its name
            start = at + 1
        depth += {"{": 1, "[": 1, "}": -1, "]": -1}.get(block[at], 0)
        if depth == 0:
            return names
    raise AssertionError(f"{shape} does not end")


def _built_by(function: str) -> set[str]:
    """The keys of the largest dict that a function of gateway/shapes.py makes."""
    tree = ast.parse((ROOT / "gateway" / "shapes.py").read_text(encoding="utf-8"))
    [body] = [node for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name == function]
    made = [{key.value for key in node.keys if isinstance(key, ast.Constant)} for node in ast.walk(body) if isinstance(node, ast.Dict)]
    return max(made, key=len)


class TestMakeAndFiles:
    def test_every_make_target_has_a_line_of_help(self) -> None:
        makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
        phony = set(re.findall(r"^\.PHONY: (\S+)$", makefile, re.MULTILINE))
        helped = set(re.findall(r"^([a-z0-9_-]+):.*## \S", makefile, re.MULTILINE))
        assert phony == helped
        promised = "help run demo test check fmt types arch i18n migrate revision bench chaos soak clean"
        assert set(promised.split()) <= helped

    @pytest.mark.parametrize("document", TEXTS)
    def test_every_make_target_in_the_documentation_exists(self, document: str) -> None:
        targets = set(re.findall(r"^([a-z0-9_-]+):.*## ", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
        named = {shlex.split(code)[1] for code in re.findall(r"`(make [a-z][^`]*)`", TEXTS[document])}
        assert named - targets == set()

    @pytest.mark.parametrize("document", [page for page in TEXTS if page.endswith(".md")])
    def test_every_file_in_the_documentation_exists(self, document: str) -> None:
        text = TEXTS[document]
        paths = re.findall(r"`((?:[\w.-]+/)+[\w.-]*)`", text)
        ours = {path.name for path in ROOT.iterdir()}
        here = (ROOT / document).parent
        missing = [
            path for path in paths if path.partition("/")[0] in ours and path.partition("/")[0] != "build" and not (ROOT / path).exists()
        ]
        missing += [link for link in re.findall(r"\]\((?!https?:|#)([^)#]+)", text) if not (here / link).exists()]
        assert missing == []

    def test_no_page_or_pin_names_an_index_or_a_machine(self) -> None:
        everything = {**TEXTS, "constraints.txt": (ROOT / "constraints.txt").read_text(), "Makefile": (ROOT / "Makefile").read_text()}
        found = {name for name, text in everything.items() if re.search(r"--(?:extra-)?index-url|--find-links|file://|/home/|/root/", text)}
        assert found == set()
