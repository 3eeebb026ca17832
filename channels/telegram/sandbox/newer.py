"""What the installed library can ask that the schema does not have yet: `python -m channels.telegram.sandbox.newer` writes it.

The library follows the Bot API sooner than the published schema does. What it calls deprecated is older, not newer, and stays out.
"""

import json
from typing import Any

from aiogram import methods, types
from aiogram.methods import TelegramMethod
from pydantic import BaseModel

from channels.telegram.sandbox.schema import EXTRACT, NEWER


def newer(extract: dict[str, Any]) -> dict[str, Any]:
    """Methods and types, each with the names of its fields beyond `extract`; a method that is new as a whole has them all."""
    of_methods = {kind.__api_method__: kind for kind in _models(methods) if issubclass(kind, TelegramMethod) and kind is not TelegramMethod}
    of_types = {kind.__name__: kind for kind in _models(types) if isinstance(extract["types"].get(kind.__name__), dict)}
    return {
        "methods": _beyond(of_methods, extract["methods"], whole=True),
        "types": _beyond(of_types, extract["types"], whole=False),
    }


def _models(module: Any) -> list[Any]:
    return [each for each in vars(module).values() if isinstance(each, type) and issubclass(each, BaseModel)]


def _beyond(kinds: dict[str, Any], known: dict[str, Any], *, whole: bool) -> dict[str, list[str]]:
    found = {name: sorted(_fields(kind) - known.get(name, {}).keys()) for name, kind in sorted(kinds.items())}
    return {name: fields for name, fields in found.items() if fields or (whole and name not in known)}


def _fields(kind: type[BaseModel]) -> set[str]:
    return {
        field.alias or name
        for name, field in kind.model_fields.items()
        if not (isinstance(field.json_schema_extra, dict) and field.json_schema_extra.get("deprecated"))
    }


if __name__ == "__main__":
    beyond = newer(json.loads(EXTRACT.read_text(encoding="utf-8")))
    NEWER.write_text(json.dumps(beyond, indent=1) + "\n", encoding="utf-8")
