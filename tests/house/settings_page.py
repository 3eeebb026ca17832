"""docs/configuration.md, written from the settings themselves: `python -m tests.house.settings_page` rewrites it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo

from gateway.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "configuration.md"

HEAD = """# Configuration

*Deployment* settings (addresses, secrets, sizes) come from the environment or from a file `.env` in the working directory; the
environment wins. They are read once, when a process starts. Everything about the *desk* itself (categories, forms, teams, calendars,
routing rules, promises, replies, inboxes) lives in its tables and is changed in the console, by a preset or by `priyom inbox`.

Nested names use two underscores. Values marked *secret* are never logged or shown.

This page is written from `gateway/settings.py`; do not edit it by hand. Rewrite it with `python -m tests.house.settings_page`.

| name | meaning | default |
|---|---|---|
"""

TAIL = """
## An example

```
PRIYOM_DATABASE__URL=postgresql+asyncpg://priyom:password@db.example.org/priyom
PRIYOM_REDIS__URL=redis://redis.example.org:6379/0
PRIYOM_SECRET_KEY=forty-or-more-random-characters-the-same-in-every-process
PRIYOM_HTTP__HOST=0.0.0.0
PRIYOM_HTTP__PUBLIC_URL=https://desk.example.org
PRIYOM_HTTP__TRUSTED_PROXIES=10.0.0.5
PRIYOM_SMTP__HOST=0.0.0.0
PRIYOM_SMTP_OUT__URL=smtp+starttls://desk:password@mail.example.org:587
```
"""


def settings() -> Iterator[tuple[str, FieldInfo]]:
    """(environment name, field) of every setting, in the order of the code."""
    prefix = Settings.model_config["env_prefix"]
    for name, field in Settings.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            for inner, inner_field in field.annotation.model_fields.items():
                yield f"{prefix}{name}__{inner}".upper(), inner_field
        else:
            yield f"{prefix}{name}".upper(), field


def _default(field: FieldInfo) -> str:
    value: Any = field.default
    if isinstance(value, SecretStr):
        value = value.get_secret_value()
    if isinstance(value, bool):
        value = int(value)
    return f"`{value}`" if str(value) else "empty"


def _remarks(field: FieldInfo) -> str:
    words = (field.description or "").replace("<", "&lt;")
    if get_origin(field.annotation) is Literal:
        words += f" One of {', '.join(f'`{choice}`' for choice in get_args(field.annotation) if choice)}."
    return words + (" *Secret.*" if field.annotation is SecretStr else "")


def page() -> str:
    """The page as it should be."""
    return HEAD + "".join(f"| `{name}` | {_remarks(field)} | {_default(field)} |\n" for name, field in settings()) + TAIL


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
