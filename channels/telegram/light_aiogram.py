"""aiogram without building all of it: import this module before anything of aiogram.

At its import aiogram builds the validators of some 300 types, each with everything that it refers to: 128 MB and 5.7 s of processor
time, during which no other thread gets far. A desk sends with a handful of them. So the building is put off here, to the first use of
each type, which pydantic does by itself once it knows where the names of the types are: 25 MB and 0.9 s for what a desk uses.
"""

import sys
from importlib import import_module
from typing import Any, Literal, Optional, Union

from pydantic import BaseModel

_REBUILD: Any = BaseModel.__dict__["model_rebuild"].__func__


def _later(cls: type[BaseModel], /, *, _parent_namespace_depth: int = 2, **options: Any) -> bool | None:
    """While aiogram is imported its types wait; models of others, made meanwhile by other threads, do not."""
    if cls.__module__.startswith("aiogram."):
        return None
    built: bool | None = _REBUILD(cls, _parent_namespace_depth=_parent_namespace_depth + 1, **options)
    return built


def _import_lightly() -> None:
    eager = BaseModel.__dict__["model_rebuild"]
    BaseModel.model_rebuild = classmethod(_later)  # type: ignore[method-assign, assignment]  # for the time of this import
    try:
        types = import_module("aiogram.types")
        methods = import_module("aiogram.methods.base")
    finally:
        BaseModel.model_rebuild = eager  # type: ignore[method-assign]  # as it was
    default = import_module("aiogram.client.default").Default
    names = {"List": list, "Optional": Optional, "Union": Union, "Literal": Literal, "Default": default}
    names |= {name: getattr(types, name) for name in types.__all__}

    def by_need(cls: type[BaseModel], /, *, _types_namespace: Any = None, _parent_namespace_depth: int = 2, **options: Any) -> bool | None:
        """What aiogram does with all of its types at import, for one of them when it is first used."""
        built: bool | None = _REBUILD(
            cls, _types_namespace=_types_namespace or names, _parent_namespace_depth=_parent_namespace_depth + 1, **options
        )
        return built

    for base in (import_module("aiogram.types.base").TelegramObject, methods.TelegramMethod, methods.Response):
        base.model_rebuild = classmethod(by_need)


# Whoever imported aiogram before us has paid already, and has it all.
if "aiogram.types" not in sys.modules:
    _import_lightly()
