"""Which rule looks at which file, and the command line."""

import ast
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path, PurePosixPath

from tests.lint import python_rules, template_rules
from tests.lint.findings import Finding, Source, without_excused

PRODUCT = ("gateway", "channels", "nlu", "desk_core", "models", "presets")
"""The rules bind what we ship; tests and benchmarks may plant what the rules forbid."""

PYTHON: dict[str, Callable[[Source, ast.Module], Iterator[Finding]]] = {
    "commit-outside-unit": python_rules.commit_outside_unit,
    "network-in-transaction": python_rules.network_in_transaction,
    "clock": python_rules.clock,
    "pure-module": python_rules.pure_module,
    "sql-fstring": python_rules.sql_fstring,
    "user-text-in-log": python_rules.user_text_in_log,
}
TEMPLATES: dict[str, Callable[[Source], Iterator[Finding]]] = {
    "template-inline-handler": template_rules.template_inline_handler,
    "untranslated-template": template_rules.untranslated_template,
}
RULES = (*PYTHON, *TEMPLATES)


def check_file(path: str, text: str) -> list[Finding]:
    """Findings in one file; `path` is relative to the repository."""
    source = Source(PurePosixPath(path), text)
    if source.package not in PRODUCT:
        return []
    found: set[Finding] = set()
    if source.path.suffix == ".py":
        tree = ast.parse(text, filename=path)
        for python_rule in PYTHON.values():
            found.update(python_rule(source, tree))
    elif source.path.suffix in {".html", ".j2"}:
        for template_rule in TEMPLATES.values():
            found.update(template_rule(source))
    return without_excused(source, sorted(found))


def _files(root: Path, paths: Iterable[str]) -> Iterator[Path]:
    for given in paths:
        path = root / given
        if path.is_file():
            yield path
        else:
            yield from (file for file in sorted(path.rglob("*")) if file.suffix in {".py", ".html", ".j2"} and "static" not in file.parts)


def check_paths(root: Path, paths: Sequence[str] = PRODUCT) -> list[Finding]:
    """Findings in files and folders under `root`."""
    return [
        finding
        for file in _files(root, paths)
        for finding in check_file(file.relative_to(root).as_posix(), file.read_text(encoding="utf-8"))
    ]


def main(arguments: Sequence[str]) -> int:
    """Print every finding; 1 where there is one."""
    findings = check_paths(Path.cwd(), arguments or PRODUCT)
    for finding in findings:
        print(finding)
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
