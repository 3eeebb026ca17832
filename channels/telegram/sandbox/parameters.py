"""The parameters of one Bot API call, whatever way they came: query, form, JSON or multipart."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from channels.telegram.sandbox.refusals import bad_request


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that came in a multipart body."""

    name: str
    mime_type: str | None
    data: bytes


@dataclass(frozen=True, slots=True)
class Parameters:
    """Typed access; a value of the wrong shape is refused as the real server words it."""

    values: Mapping[str, Any]
    uploads: Mapping[str, Upload] = field(default_factory=dict)

    def text(self, name: str, default: str = "") -> str:
        value = self.values.get(name)
        if value is None:
            return default
        if isinstance(value, str):
            # Invalid code points and null bytes never reach a chat.
            return value.replace("\x00", "")
        if isinstance(value, (dict, list)):
            return json.dumps(value)
        return "true" if value is True else str(value)

    def integer(self, name: str, default: int = 0) -> int:
        value = self.values.get(name)
        if value is None or value == "":
            return default
        try:
            return int(str(value))
        except ValueError:
            raise bad_request(f"field {name} must be a valid Number") from None

    def number(self, name: str) -> float:
        try:
            return float(str(self.values.get(name, "")))
        except ValueError:
            raise bad_request(f"{name} is empty or invalid") from None

    def flag(self, name: str) -> bool:
        return str(self.values.get(name, "")).lower() in ("true", "yes", "1")

    def has(self, name: str) -> bool:
        return self.values.get(name) not in (None, "")

    def structure(self, name: str) -> Any:
        """A JSON value that may have come serialised; None where the parameter is absent."""
        value = self.values.get(name)
        if value is None or value == "":
            return None
        if not isinstance(value, str):
            return value
        try:
            return json.loads(value)
        except ValueError:
            raise bad_request(f"can't parse {name.replace('_', ' ')} JSON object") from None

    def mapping(self, name: str) -> dict[str, Any] | None:
        value = self.structure(name)
        if value is None or isinstance(value, dict):
            return value
        raise bad_request(f"can't parse {name.replace('_', ' ')}: Object expected")

    def items(self, name: str) -> list[Any] | None:
        value = self.structure(name)
        if value is None or isinstance(value, list):
            return value
        raise bad_request(f"can't parse {name.replace('_', ' ')}: Array expected")
