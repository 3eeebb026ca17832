"""Reading a preset's files with the line of everything in them, so that a fault can be pointed at."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

import yaml

from desk_core.kit.i18n import gettext_noop as _
from desk_core.kit.i18n import translate

Where = tuple[str | int, ...]

MAX_NODES = 200_000
"""A file of a preset has a few thousand values; a file that unfolds into more (aliases of aliases) is refused, not unfolded."""

_MERGE = "tag:yaml.org,2002:merge"
_PLAIN = frozenset({"tag:yaml.org,2002:map", "tag:yaml.org,2002:seq"})
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class Severity(StrEnum):
    ERROR = "error"  # the preset cannot be loaded as it is meant
    WARNING = "warning"  # it works, but worse than it could


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """What is wrong, and where: the file inside the preset and its line, counted from 1. `text` is a msgid with `%(name)s` params."""

    file: str
    line: int
    text: str
    params: Mapping[str, object] = field(default_factory=dict, compare=False)
    severity: Severity = Severity.ERROR

    @property
    def message(self) -> str:
        return self.render("en")

    def render(self, language: str) -> str:
        return translate(language, self.text, **self.params)

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.severity}: {self.message}"


@dataclass(frozen=True, slots=True)
class Located:
    """A file's value, and the line of every key and item by its path, such as `("categories", 3, "team")`."""

    file: str
    value: Mapping[Any, Any]
    lines: Mapping[Where, int] = field(default_factory=dict)

    def line(self, where: Where) -> int:
        """The line of `where`, or of the nearest thing around it that is in the file."""
        while where and where not in self.lines:
            where = where[:-1]
        return self.lines.get(where, 1)

    def get(self, *where: str | int) -> Any:
        """The value at a path, None where there is none."""
        value: Any = self.value
        for step in where:
            known = value if isinstance(value, Mapping) else dict(enumerate(value)) if isinstance(value, list) else {}
            if step not in known:
                return None
            value = known[step]
        return value


class Report:
    """Collects problems while a preset is looked through."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []

    def error(self, doc: Located, where: Where, text: str, /, **params: object) -> None:
        self.at(doc.file, doc.line(where), text, **params)

    def warning(self, doc: Located, where: Where, text: str, /, **params: object) -> None:
        self.problems.append(Problem(doc.file, doc.line(where), text, params, Severity.WARNING))

    def at(self, file: str, line: int, text: str, /, **params: object) -> None:
        self.problems.append(Problem(file, line, text, params))

    # What nearly every record needs looked at.

    def mapping(self, doc: Located, *where: str | int) -> Mapping[str, Any]:
        """The mapping at a path; reported and empty where there is something else."""
        value = doc.get(*where)
        if isinstance(value, Mapping):
            return value
        self.error(doc, where, _("“%(key)s” must be a mapping of names to values."), key=_name(where))
        return {}

    def items(self, doc: Located, *where: str | int) -> Sequence[Any]:
        """The list at a path; reported and empty where there is something else."""
        value = doc.get(*where)
        if isinstance(value, list):
            return value
        self.error(doc, where, _("“%(key)s” must be a list."), key=_name(where))
        return ()

    def records(self, doc: Located, *where: str | int, required: frozenset[str], optional: frozenset[str] = frozenset()) -> list[int]:
        """The numbers of the list's items that are mappings with all the keys they need; the rest is reported."""
        return [i for i, _item in enumerate(self.items(doc, *where)) if self.keys(doc, (*where, i), required=required, optional=optional)]

    def keys(self, doc: Located, where: Where, *, required: frozenset[str], optional: frozenset[str] = frozenset()) -> bool:
        """Whether the record has every required key; unknown and missing keys are reported."""
        record = self.mapping(doc, *where)
        for key in record:
            if key not in required and key not in optional:
                known = ", ".join(sorted(required | optional))
                self.error(doc, (*where, key), _("There is no key “%(key)s” here. Known: %(known)s."), key=key, known=known)
        missing = sorted(required - set(record))
        for key in missing:
            self.error(doc, where, _("The key “%(key)s” is missing."), key=key)
        return bool(record) and not missing

    def texts(self, doc: Located, where: Where, languages: Sequence[str]) -> None:
        """A text for every language of the desk."""
        value = self.mapping(doc, *where)
        for language in languages:
            if not isinstance(value.get(language), str) or not value[language].strip():
                self.error(doc, (*where, language), _("“%(key)s” has no text in “%(lang)s”."), key=_name(where), lang=language)
        for language in value:
            if language not in languages:
                self.error(doc, (*where, language), _("“%(lang)s” is not a language of this desk."), lang=language)

    def one_of(self, doc: Located, where: Where, known: Sequence[str] | frozenset[str]) -> None:
        """The value at `where` is among `known`."""
        value = doc.get(*where)
        if not isinstance(value, str) or value not in known:
            names = ", ".join(sorted(known)[:40])
            text = _("“%(value)s” is not a known value of “%(key)s”. Known: %(known)s.")
            self.error(doc, where, text, value=value, key=_name(where), known=names)


def locate(file: Path, name: str, report: Report) -> Located:
    """Read a YAML file of the preset; what cannot be read is reported and empty."""
    try:
        text = file.read_text(encoding="utf-8")
    except OSError:
        report.at(name, 1, _("This file is missing or cannot be opened."))
        return Located(name, {})
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        report.at(name, line, _("This line is not UTF-8 text."))
        return Located(name, {})
    return locate_text(text, name, report)


def locate_text(text: str, name: str, report: Report, *, first_line: int = 1) -> Located:
    """Read YAML text that begins at `first_line` of its file."""
    builder = _Builder(name, report, first_line)
    try:
        root = yaml.compose(text, Loader=_Loader)
        value = builder.build(root, ()) if root is not None else {}
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = (mark.line if mark else 0) + first_line
        report.at(name, line, _("This is not valid YAML: %(reason)s."), reason=error.problem or error.context or "")
        return Located(name, {})
    except (yaml.YAMLError, ValueError) as error:
        report.at(name, first_line, _("This is not valid YAML: %(reason)s."), reason=" ".join(str(error).split()))
        return Located(name, {})
    except RecursionError:
        report.at(name, first_line, _("This is not valid YAML: %(reason)s."), reason="nested too deeply")
        return Located(name, {})
    if not isinstance(value, Mapping):
        report.at(name, first_line, _("This file must be a mapping of names to values."))
        return Located(name, {})
    return Located(name, value, builder.lines)


class _Builder:
    """Turns YAML nodes into plain values and remembers their lines."""

    def __init__(self, name: str, report: Report, first_line: int) -> None:
        self.lines: dict[Where, int] = {}
        self._name, self._report, self._first = name, report, first_line
        self._scalars: Any = yaml.SafeLoader("")
        self._nodes = 0

    def build(self, node: yaml.Node, where: Where) -> Any:
        self._nodes += 1
        if self._nodes > MAX_NODES:
            raise ValueError("it unfolds into too many values")
        self.lines.setdefault(where, node.start_mark.line + self._first)
        if not isinstance(node, yaml.ScalarNode) and node.tag not in _PLAIN:
            problem = f"the tag {node.tag!r} is not allowed"
            raise yaml.MarkedYAMLError(problem=problem, problem_mark=node.start_mark)
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, where)
        if isinstance(node, yaml.SequenceNode):
            return [self.build(item, (*where, index)) for index, item in enumerate(node.value)]
        # Only plain values come out: a tag such as !!python/object has no constructor here and is an error.
        return self._scalars.construct_object(node, deep=True)

    def _mapping(self, node: yaml.MappingNode, where: Where) -> dict[str | int, Any]:
        value: dict[str | int, Any] = {}
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + self._first
            if key_node.tag == _MERGE or not isinstance(key_node, yaml.ScalarNode):
                self._report.at(self._name, line, _("A key must be a plain name."))
                continue
            key = self._scalars.construct_object(key_node)
            if key in value:
                self._report.at(self._name, line, _("“%(key)s” is here twice; the later one would win."), key=key)
            self.lines[(*where, key)] = line
            value[key] = self.build(value_node, (*where, key))
        return value


def _name(where: Where) -> str:
    return str(next((step for step in reversed(where) if isinstance(step, str)), "file"))
