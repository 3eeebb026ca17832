"""Condense the machine-readable schema of the Bot API to what `schema.py` reads: `python -m channels.telegram.sandbox.condense api.json`.

The source is the api.json of PaulSonOfLars/telegram-bot-api-spec (MIT, its licence lies beside the extract).
"""

import json
import re
import sys
from pathlib import Path
from typing import Any, Final

from channels.telegram.sandbox.schema import EXTRACT

_LENGTH: Final = re.compile(r"\d+-(\d+) (characters|bytes)")


def condensed(api: dict[str, Any]) -> dict[str, Any]:
    """Fields as `[types, required, [longest, unit] or null]`; types as their fields, or as the list of what they may be."""
    methods = {name: _fields(method) for name, method in api["methods"].items()}
    types = {name: kind.get("subtypes") or _fields(kind) for name, kind in api["types"].items()}
    kept: dict[str, Any] = {}
    wanted = [each for fields in methods.values() for types_of, _, _ in fields.values() for each in types_of]
    while wanted:
        name = wanted.pop().removeprefix("Array of ").removeprefix("Array of ")
        if name not in types or name in kept:
            continue
        kept[name] = types[name]
        inner = kept[name]
        wanted += inner if isinstance(inner, list) else [each for types_of, _, _ in inner.values() for each in types_of]
    return {"version": api["version"], "methods": methods, "types": dict(sorted(kept.items()))}


def _fields(described: dict[str, Any]) -> dict[str, Any]:
    return {each["name"]: [each["types"], each["required"], _longest(each)] for each in described.get("fields", [])}


def _longest(described: dict[str, Any]) -> list[int | str] | None:
    match = _LENGTH.search(described["description"])
    return [int(match[1]), match[2]] if match and described["types"] == ["String"] else None


if __name__ == "__main__":
    source = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    EXTRACT.write_text(json.dumps(condensed(source), ensure_ascii=False, separators=(",", ":")) + "\n", encoding="utf-8")
