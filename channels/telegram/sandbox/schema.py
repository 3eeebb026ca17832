"""What the schema of the Bot API says of a request: a check that knows nothing of the library that made it."""

import json
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

from channels.telegram.sandbox.markup import parse_html
from channels.telegram.sandbox.refusals import Refusal

EXTRACT: Final = Path(__file__).resolve().parent / "schema.json"
NEWER: Final = EXTRACT.with_name("newer.json")
_ATTACHED: Final = "attach://"


class Schema:
    """Methods, parameters and types; names of methods are compared as the server does, whatever their case.

    `newer` names what came after `extract`: its methods and fields are let pass, whatever they hold.
    """

    def __init__(self, extract: Mapping[str, Any], newer: Mapping[str, Any]) -> None:
        self.version: str = extract["version"]
        self._methods = {name.lower(): fields for name, fields in extract["methods"].items()}
        self._types: Mapping[str, Any] = extract["types"]
        self._newer_of_methods = {name.lower(): frozenset(fields) for name, fields in newer["methods"].items()}
        self._newer_of_types = {name: frozenset(fields) for name, fields in newer["types"].items()}

    def problems(self, method: str, values: Mapping[str, Any], uploads: frozenset[str] = frozenset()) -> list[str]:
        """What is wrong with the call, in words; nothing where it is as the schema has it."""
        name = method.lower()
        newer = self._newer_of_methods.get(name)
        if name not in self._methods:
            return [f"there is no method {method}"] if newer is None else []
        given = {field: _plain(value) for field, value in values.items()} | dict.fromkeys(uploads - values.keys(), _ATTACHED)
        # A file may come under any name that a field refers to (attach://name), and under the field's own.
        given = {field: value for field, value in given.items() if value != _ATTACHED or field in self._methods[name]}
        return list(self._of_fields(self._methods[name], given, newer or frozenset()))

    def _of_fields(self, fields: Mapping[str, Any], values: Mapping[str, Any], newer: frozenset[str]) -> Iterator[str]:
        for name, (_, required, _) in fields.items():
            if required and values.get(name) is None:
                yield f"{name} is missing"
        for name, value in values.items():
            if value is None or name in newer:
                continue
            if name not in fields:
                yield f"{name} is unknown"
                continue
            types, _, longest = fields[name]
            fitting = [list(self._of(kind, value)) for kind in types]
            if all(fitting):
                yield from (f"{name}: {problem}" for problem in min(fitting, key=len))
            elif longest is not None and isinstance(value, str):
                most, unit = longest
                shown = _shown(value, values.get(f"{name}_parse_mode", values.get("parse_mode")))
                if len(shown.encode() if unit == "bytes" else shown) > most:
                    yield f"{name} is longer than {most} {unit}"

    def _of(self, kind: str, value: Any) -> Iterator[str]:
        if kind.startswith("Array of "):
            items = _structure(value)
            if not isinstance(items, list):
                yield "not an array"
                return
            for item in items:
                yield from self._of(kind.removeprefix("Array of "), item)
            return
        match kind:
            case "String" | "InputFile":
                if isinstance(value, (dict, list, bool)):
                    yield "not a string"
            case "Integer":
                if isinstance(value, (bool, float)) or not str(value).removeprefix("-").isdecimal():
                    yield "not an integer"
            case "Float":
                if isinstance(value, bool) or not str(value).replace(".", "", 1).replace("-", "").replace("e", "").isdecimal():
                    yield "not a number"
            case "Boolean":
                if str(value).lower() not in ("true", "false", "1", "0"):
                    yield "not a boolean"
            case _:
                yield from self._of_object(kind, _structure(value))

    def _of_object(self, kind: str, value: Any) -> Iterator[str]:
        known = self._types.get(kind)
        if known is None:
            return
        if not isinstance(value, dict):
            yield f"not a {kind}"
        elif isinstance(known, list):
            fitting = [list(self._of_object(each, value)) for each in known]
            if all(fitting):
                yield from min(fitting, key=len)
        else:
            yield from self._of_fields(known, value, self._newer_of_types.get(kind, frozenset()))


def _shown(text: str, parse_mode: Any) -> str:
    """What is counted: the text after entities parsing. Broken markup is for the method to refuse."""
    if str(parse_mode or "").lower() != "html":
        return text
    try:
        return parse_html(text)[0]
    except Refusal:
        return ""


def _plain(value: Any) -> Any:
    return None if value == "" else value


def _structure(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError:
        return value


@cache
def schema() -> Schema:
    """The schema this sandbox was made for, and what the installed library has beyond it."""
    return Schema(json.loads(EXTRACT.read_text(encoding="utf-8")), json.loads(NEWER.read_text(encoding="utf-8")))
