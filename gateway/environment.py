"""The settings of this environment and its `.env`, and in words what of them does not fit."""

import difflib
import os
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel, ValidationError

from desk_core.kit.errors import DeskError
from desk_core.kit.i18n import Phrase
from desk_core.kit.i18n import gettext_noop as _
from gateway.settings import NESTED, PREFIX, Settings


class BadSettings(DeskError):
    """Variables of the environment, or lines of `.env`, that cannot be meant so. Their values are not shown: one may be a secret."""

    code, status, text = "bad_settings", 500, _("Settings do not fit:")

    def __init__(self, problems: Mapping[str, Phrase]) -> None:
        super().__init__()
        self.problems = problems


def load_settings(**overrides: Any) -> Settings:
    """The settings of this environment and `.env`; raises `BadSettings`, which names each variable that does not fit."""
    try:
        return Settings(**overrides)
    except ValidationError as error:
        problems = error.errors(include_url=False, include_input=False)
        raise BadSettings({_variable(one["loc"]): _words(one) for one in problems}) from None


def unknown_variables() -> dict[str, str]:
    """Variables of the environment that look like settings and are none, each with the one that was probably meant, or ""."""
    known = set(_variables(Settings))
    strange = [name.upper() for name in os.environ if name.upper().startswith(PREFIX)]
    return {name: _alike(name, known) for name in sorted(strange) if name not in known}


def _variables(model: type[BaseModel], place: tuple[str, ...] = ()) -> Iterator[str]:
    for name, field in model.model_fields.items():
        inner = field.annotation
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            yield from _variables(inner, (*place, name))
        else:
            yield _variable((*place, name))


def _variable(place: tuple[int | str, ...]) -> str:
    return PREFIX + NESTED.join(str(part) for part in place).upper()


def _alike(name: str, known: set[str]) -> str:
    return next(iter(difflib.get_close_matches(name, known, n=1, cutoff=0.8)), "")


def _words(problem: Any) -> Phrase:
    """What pydantic found, in words of ours."""
    limits: dict[str, Any] = problem.get("ctx") or {}
    match problem["type"]:
        case "extra_forbidden":
            meant = _alike(_variable(problem["loc"]), set(_variables(Settings)))
            return (
                Phrase(_("there is no such setting; did you mean %(name)s?"), name=meant)
                if meant
                else Phrase(_("there is no such setting"))
            )
        case "int_parsing" | "int_from_float" | "float_parsing":
            return Phrase(_("a number is expected"))
        case "bool_parsing":
            return Phrase(_("1 or 0 is expected"))
        case "greater_than_equal":
            return Phrase(_("%(limit)s or more is expected"), limit=limits["ge"])
        case "less_than_equal":
            return Phrase(_("%(limit)s or less is expected"), limit=limits["le"])
        case "literal_error":
            return Phrase(_("one of these is expected: %(values)s"), values=limits["expected"].replace(" or ", ", "))
        case "value_error":
            return Phrase(str(limits["error"]))
        case _:
            return Phrase(problem["msg"])
