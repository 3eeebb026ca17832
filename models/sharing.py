"""Two models that were taught the same texts hold them once, and compare a message with them once."""

from collections import defaultdict
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from models.products import Bytes, Floats
from models.scoring import TextModel


class _Common:
    """Rows that both look at. What they ask about the same vector one after the other is multiplied once."""

    def __init__(self, rows: Bytes) -> None:
        self.rows = rows
        self._last: tuple[bytes, Floats] | None = None

    def products(self, others: Floats) -> Floats:
        asked, last = others.tobytes(), self._last
        if last is not None and last[0] == asked:
            return last[1]
        found = self.rows.products(others)
        if len(others) == 1:
            self._last = asked, found
        return found


class _Part:
    """A run of those rows, as if there were no others."""

    def __init__(self, common: _Common, run: slice) -> None:
        self._common, self._run = common, run

    @property
    def rows(self) -> NDArray[np.int8]:
        return self._common.rows.rows[self._run]

    @property
    def steps(self) -> Floats:
        return self._common.rows.steps[self._run]

    def products(self, others: Floats) -> Floats:
        return self._common.products(others)[:, self._run]


def shared(one: TextModel, other: TextModel) -> tuple[TextModel, TextModel]:
    """The two, saying what they said; where either compares with nothing they stay as they are.

    The rows lie in three runs, of the one alone, of both, and of the other alone, so that each has its own side by side.
    """
    if one.anchors is None or other.anchors is None or one.anchor_weights is None or other.anchor_weights is None:
        return one, other
    rows, more = one.anchors.rows, other.anchors.rows
    steps, more_steps = one.anchors.steps, other.anchors.steps
    if rows.shape[1] != more.shape[1]:
        return one, other
    waiting: dict[bytes, list[int]] = defaultdict(list)
    for place, key in enumerate(_keys(more, more_steps)):
        waiting[key].append(place)
    alone: list[int] = []
    both: list[int] = []
    second: list[int] = []  # places in the other, in the order of the runs
    for place, key in enumerate(_keys(rows, steps)):
        if waiting[key]:
            both.append(place)
            second.append(waiting[key].pop())
        else:
            alone.append(place)
    rest = sorted(set(range(len(more))) - set(second))
    first, second = [*alone, *both], [*second, *rest]
    laid = Bytes(np.concatenate([rows[first], more[rest]]), np.concatenate([steps[first], more_steps[rest]]))
    common = _Common(laid)
    return (
        replace(one, anchors=_Part(common, slice(0, len(first))), anchor_weights=one.anchor_weights[first]),
        replace(other, anchors=_Part(common, slice(len(alone), len(laid))), anchor_weights=other.anchor_weights[second]),
    )


def _keys(rows: NDArray[np.int8], steps: Floats) -> list[bytes]:
    return [row.tobytes() + step.tobytes() for row, step in zip(rows, steps, strict=True)]
