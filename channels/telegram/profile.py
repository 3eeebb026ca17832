"""Whose bot it is: what its menu and descriptions are made of."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from desk_core.kit.i18n import LANGUAGES

_LONGEST_NAME: Final = 100


@dataclass(frozen=True, slots=True)
class Profile:
    """The name of the desk by language, the languages it speaks, and the one that its inbox is set to."""

    names: Mapping[str, str] = field(default_factory=dict)
    languages: Sequence[str] = ("en", "ru")
    inbox_language: str = "en"

    def shown(self) -> list[tuple[str | None, str]]:
        """(a client's language, ours). First what a client with any other language shows: the language that its owner is greeted in."""
        spoken = [language for language in self.languages if language in LANGUAGES]
        otherwise = "en" if "en" in spoken or self.inbox_language not in LANGUAGES else self.inbox_language
        return [(None, otherwise), *((language, language) for language in spoken)]

    def name(self, language: str) -> str:
        return (self.names.get(language) or next(iter(self.names.values()), ""))[:_LONGEST_NAME]
