"""What a desk itself declares: the numbers it gives to things, and the devices and programs it has."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Numbering:
    """A kind of number. `said` are the words that stand before one; `alone`: the pattern is telling enough without them."""

    key: str
    pattern: str
    said: tuple[str, ...] = ()
    alone: bool = False
    slots: tuple[str, ...] = ()  # which slots such a number fills


@dataclass(frozen=True, slots=True)
class Vocabulary:
    numbers: tuple[Numbering, ...] = ()
    devices: Mapping[str, Sequence[str]] = field(default_factory=dict)  # name -> words people use
    programs: Mapping[str, Sequence[str]] = field(default_factory=dict)

    @classmethod
    def from_json(cls, told: Mapping[str, Any]) -> "Vocabulary":
        """Read what the desk's tables keep."""
        return cls(
            numbers=tuple(
                Numbering(one["key"], one["pattern"], _words(one.get("words")), bool(one.get("alone")), tuple(one.get("slots") or ()))
                for one in told.get("numbers") or ()
            ),
            devices={one["name"]: (one["name"], *_words(one.get("words"))) for one in told.get("devices") or ()},
            programs={one["name"]: (one["name"], *_words(one.get("words"))) for one in told.get("programs") or ()},
        )


def _words(by_language: Mapping[str, Sequence[str]] | None) -> tuple[str, ...]:
    return tuple(dict.fromkeys(str(word) for words in (by_language or {}).values() for word in words))
