"""Which rows are held back from training in turn, so that a model is measured on what it has not seen."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from models.rows import Row

OUTSIDE = -1  # the truth of a rejected row
_FEW, _MANY = 2_000, 6_000  # rows


def held_back(rows: Sequence[Row], truth: NDArray[np.int64], *, seed: int) -> tuple[NDArray[np.int64], int]:
    """The fold of every row (-1: never held back), and how many folds to learn: few rows need many folds, many rows need one."""
    folds = 10 if len(rows) <= _FEW else 5
    fold_of = np.full(len(rows), -1, dtype=np.int64)
    measured = np.array([row.measured or row.rejected for row in rows])
    fold_of[measured] = _folds(truth[measured], count=folds, seed=seed)
    if len(rows) <= _MANY:
        return fold_of, folds
    fold_of[(truth == OUTSIDE) & (fold_of == 1)] = 0  # a fifth of the rejected ones would be too few to learn from
    return np.where(fold_of == 0, 0, -1), 1


def _folds(truth: NDArray[np.int64], *, count: int, seed: int) -> NDArray[np.int64]:
    """A fold for every row, each class spread evenly; a class with one row is never held back from training."""
    chance = np.random.default_rng(seed)
    folds = np.full(len(truth), -1, dtype=np.int64)
    for label in np.unique(truth):
        members = chance.permutation(np.flatnonzero(truth == label))
        if len(members) > 1:
            folds[members] = (np.arange(len(members)) + chance.integers(count)) % count
    return folds
