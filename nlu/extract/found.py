"""What an extractor found in a text, and the reading of a text that all of them share."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from nlu.text import normalise, trace

SCAN = 5_000  # characters: who writes more is quoting something


@dataclass(frozen=True, slots=True)
class Found:
    """A value with the place it stands at, how sure the extractor is (0..1), and what it went by: a rule, a list, a declared pattern."""

    value: str
    start: int
    end: int
    confidence: float = 1.0
    kind: str = ""
    source: str = "rule"


class Reading:
    """The beginning of a text as extractors see it: normalised, with the way back to the original."""

    def __init__(self, original: str) -> None:
        self._original = original[: SCAN * 2]
        self.text = normalise(self._original)[:SCAN]

    def placed(self, findings: Iterable[Found]) -> Iterator[Found]:
        """The findings with their places in the original text."""
        traced = None if self.text == self._original else trace(self._original)
        for found in findings:
            start, end = traced.span(found.start, found.end) if traced else (found.start, found.end)
            yield replace(found, start=start, end=end)
