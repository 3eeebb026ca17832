"""What an extractor found in a text."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Found:
    """A value with the place it stands at and how sure the extractor is, 0..1."""

    value: str
    start: int
    end: int
    confidence: float = 1.0
