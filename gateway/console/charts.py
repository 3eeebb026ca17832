"""Figures of a model as shapes to draw: a confusion matrix, a reliability diagram, and what other thresholds would do. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from models.held import Held

BINS = 10
FEWEST = 5  # answers in a bin below which its point would be chance
SIDE = 24  # pixels of a cell
LARGEST = 40  # classes that fit on a screen; beyond, those with the most mistakes are drawn


@dataclass(frozen=True, slots=True)
class Cell:
    """How often `truth` was taken for `said`; `share` is of its row."""

    x: int
    y: int
    count: int
    truth: str
    said: str
    share: float

    @property
    def shade(self) -> int:
        """One of five tints, darker for more; a class of the style sheet."""
        return min(4, int(self.share * 5))

    @property
    def right(self) -> bool:
        return self.x == self.y


@dataclass(frozen=True, slots=True)
class Matrix:
    """Rows are what a message was, columns what it was taken for."""

    titles: tuple[str, ...]
    cells: tuple[Cell, ...]

    @classmethod
    def of(cls, held: Held, titles: Mapping[str, str]) -> "Matrix":
        counts: dict[tuple[int, int], int] = {}
        for truth, said in zip(held.truth, held.said, strict=True):
            counts[truth, said] = counts.get((truth, said), 0) + 1
        mistakes = {
            place: sum(n for (truth, said), n in counts.items() if truth != said and place in (truth, said)) for place in held.truth
        }
        drawn = sorted(sorted(mistakes, key=lambda place: -mistakes[place])[:LARGEST])
        seat = {place: index for index, place in enumerate(drawn)}
        totals = {place: sum(n for (truth, _said), n in counts.items() if truth == place) for place in drawn}
        named = {place: titles.get(held.classes[place], held.classes[place]) for place in drawn}
        cells = tuple(
            Cell(seat[said], seat[truth], count, named[truth], named[said], count / totals[truth])
            for (truth, said), count in sorted(counts.items())
            if truth in seat and said in seat
        )
        return cls(tuple(named[place] for place in drawn), cells)

    @property
    def size(self) -> int:
        return SIDE * len(self.titles)

    @property
    def mistakes(self) -> Sequence[Cell]:
        """The commonest, for the table behind the picture."""
        return sorted((cell for cell in self.cells if not cell.right), key=lambda cell: -cell.count)[:10]


@dataclass(frozen=True, slots=True)
class Point:
    """Answers of about this confidence, and how many of them were right."""

    confidence: float
    right: float
    count: int


@dataclass(frozen=True, slots=True)
class Reliability:
    """How far "80 % sure" is right 80 times of 100."""

    points: tuple[Point, ...]

    @classmethod
    def of(cls, held: Held) -> "Reliability":
        slots: dict[int, list[tuple[float, bool]]] = {}
        for truth, said, sure in zip(held.truth, held.said, held.confidence, strict=True):
            slots.setdefault(min(BINS - 1, int(sure * BINS)), []).append((sure, truth == said))
        return cls(
            tuple(
                Point(sum(sure for sure, _ in answers) / len(answers), sum(right for _, right in answers) / len(answers), len(answers))
                for _slot, answers in sorted(slots.items())
                if len(answers) >= FEWEST
            )
        )

    @property
    def line(self) -> str:
        """The points of a polyline on a square of 240."""
        return " ".join(f"{point.confidence * 240:.1f},{240 - point.right * 240:.1f}" for point in self.points)


@dataclass(frozen=True, slots=True)
class WhatIf:
    """A threshold, the share of messages that the desk would sort by itself, and how many of these rightly."""

    threshold: float
    share: float
    right: float
    present: bool


def what_if(held: Held, *, act: float) -> tuple[WhatIf, ...]:
    """What other thresholds would have done with the messages held back."""
    found = []
    for threshold in sorted({0.5, 0.6, 0.7, 0.8, 0.9, 0.95, round(act, 2)}):
        answers = [truth == said for truth, said, sure in zip(held.truth, held.said, held.confidence, strict=True) if sure >= threshold]
        right = sum(answers) / len(answers) if answers else 0.0
        found.append(WhatIf(threshold, len(answers) / len(held.texts), right, threshold == round(act, 2)))
    return tuple(found)
