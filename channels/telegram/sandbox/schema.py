"""What the schema of the Bot API says of a request: a check that knows nothing of the library that made it."""

import json
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

_EXTRACT: Final = Path(__file__).resolve().parent / "schema.json"


class Schema:
    """Methods, parameters and types; names are compared as the server does, whatever their case."""

    def __init__(self, extract: Mapping[str, Any]) -> None:
        self.version: str = extract["version"]
        self._methods = {name.lower(): fields for name, fields in extract["methods"].items()}
        self._types: Mapping[str, Any] = extract["types"]

    def knows(self, method: str) -> bool:
        return method.lower() in self._methods

    def problems(self, method: str, values: Mapping[str, Any], uploads: frozenset[str] = frozenset()) -> list[str]:
        """What is wrong with the call, in words; nothing where it is as the schema has it."""
        fields = self._methods.get(method.lower())
        if fields is None:
            return [f"there is no method {method}"]
        return list(self._of_fields(fields, {name: _plain(value) for name, value in values.items()}, uploads, top=True))

    def _of_fields(self, fields: Mapping[str, Any], values: Mapping[str, Any], uploads: frozenset[str], *, top: bool) -> Iterator[str]:
        for name, (_, required, _) in fields.items():
            if required and values.get(name) is None and not (top and name in uploads):
                yield f"{name} is missing"
        for name, value in values.items():
            if name not in fields:
                yield f"{name} is unknown"
            elif value is not None:
                types, _, longest = fields[name]
                fitting = [list(self._of(kind, value, uploads)) for kind in types]
                if all(fitting):
                    yield from (f"{name}: {problem}" for problem in min(fitting, key=len))
                if longest is not None and isinstance(value, str) and len(value) > longest and "parse_mode" not in values:
                    yield f"{name} is longer than {longest}"

    def _of(self, kind: str, value: Any, uploads: frozenset[str]) -> Iterator[str]:
        if kind.startswith("Array of "):
            items = _structure(value)
            if not isinstance(items, list):
                yield "not an array"
                return
            for item in items:
                yield from self._of(kind.removeprefix("Array of "), item, uploads)
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
                yield from self._of_object(kind, _structure(value), uploads)

    def _of_object(self, kind: str, value: Any, uploads: frozenset[str]) -> Iterator[str]:
        known = self._types.get(kind)
        if known is None:
            return
        if not isinstance(value, dict):
            yield f"not a {kind}"
        elif isinstance(known, list):
            fitting = [list(self._of_object(each, value, uploads)) for each in known]
            if all(fitting):
                yield from min(fitting, key=len)
        else:
            yield from self._of_fields(known, value, uploads, top=False)


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
    """The schema this sandbox was made for."""
    return Schema(json.loads(_EXTRACT.read_text(encoding="utf-8")))
