"""The kernel layer in training: ridge over the sentence vector and the words together, and what its folds would have said."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import linalg

from models.encoder import Vectors
from models.rows import Row
from models.scoring import Floats

_linalg: Any = linalg  # has no annotations
EXACT = 16_000  # rows up to which every one is an anchor
ANCHORS = 3_000  # beyond; every thousand is worth about a point of accuracy, and 0.2 ms a message
GAMMA = 1.0
RIDGE = 0.05
SHARE = 0.3  # of the words in what two texts have in common; the rest is the sentence vector's
_BLOCK = 1_000


@dataclass(frozen=True, slots=True)
class Kernel:
    """The fitted kernel layer: vectors of the anchors, their weights a class, and the weights of the words that come with them."""

    anchors: Vectors
    weights: Vectors
    shared: Vectors


def gram(left: Vectors, right: Vectors, left_words: Any, right_words: Any) -> Vectors:
    """What two lists of texts have in common: the radial kernel of their vectors, and for `SHARE` of it their TF-IDF rows."""
    joined = left @ right.T
    for start in range(0, len(joined), _BLOCK):  # in place and in blocks: at ten thousand rows every copy is 400 MB
        part = joined[start : start + _BLOCK]
        part -= 1.0
        part *= 2.0 * GAMMA
        np.exp(part, out=part)
        part *= 1.0 - SHARE
        part += (SHARE / 2) * (left_words[start : start + _BLOCK] @ right_words.T).toarray()
    return joined


def fit_kernel(
    vectors: Vectors, words: Any, targets: Vectors, importance: Floats, fold_of: NDArray[np.int64]
) -> tuple[NDArray[np.int64], Vectors, Floats]:
    """Kernel ridge over texts as `gram` compares them: the rows that serve as anchors, their weights a target, and what would have been
    said of every row that has a fold (0, 1, ...) without the rows of its fold; the others are NaN there.

    Up to `EXACT` rows it is scikit-learn's KernelRidge; beyond, the first `ANCHORS` of a fixed shuffle stand for the kernel while all
    rows are fitted, so that time grows with the rows and not with their cube. Single precision: half the time, the same accuracy.
    """
    if len(vectors) <= EXACT:
        return _exact(vectors, words, targets, importance, fold_of)
    said = np.full(targets.shape, np.nan)
    for fold in range(int(fold_of.max()) + 1):
        held, kept = np.flatnonzero(fold_of == fold), np.flatnonzero(fold_of != fold)
        chosen, layer = _reduced(vectors[kept], words[kept], targets[kept], importance[kept])
        anchors = kept[chosen]
        said[held] = gram(vectors[held], vectors[anchors], words[held], words[anchors]) @ layer
    return *_reduced(vectors, words, targets, importance), said


def _exact(
    vectors: Vectors, words: Any, targets: Vectors, importance: Floats, fold_of: NDArray[np.int64]
) -> tuple[NDArray[np.int64], Vectors, Floats]:
    """One factorisation serves the model and all its folds.

    What is said of a fold F without its rows is `targets[F] - inverse(inverse(M)[F, F]) @ weights[F]`, M being the kernel with its ridge:
    the block form of the leave-one-out residual (Allen's PRESS). With the folds side by side the factor's rows above F play no part.
    """
    order = np.argsort(fold_of, kind="stable")
    vectors, words, targets, fold_of = vectors[order], words[order], targets[order], fold_of[order]
    square = np.zeros((len(vectors), len(vectors)), dtype=np.float32)
    for start in range(0, len(vectors), _BLOCK):  # one triangle is all that is read
        end = min(start + _BLOCK, len(vectors))
        square[start:end, :end] = gram(vectors[start:end], vectors[:end], words[start:end], words[:end])
    square[np.diag_indices_from(square)] += (RIDGE / importance[order]).astype(np.float32)
    factor, _ = _linalg.cho_factor(square.T, lower=False, overwrite_a=True, check_finite=False)
    weights: Vectors = np.asarray(_linalg.cho_solve((factor, False), targets, check_finite=False), dtype=np.float32)
    said = np.full(targets.shape, np.nan)
    for fold in range(int(fold_of.max()) + 1):
        start, end = np.searchsorted(fold_of, [fold, fold + 1])
        if start == end:
            continue
        half = _linalg.solve_triangular(
            factor[start:, start:], np.eye(len(vectors) - start, end - start, dtype=np.float32), trans="T", check_finite=False
        )
        said[order[start:end]] = targets[start:end] - _solve(half.T @ half, weights[start:end])
    return order, weights, said


def _reduced(vectors: Vectors, words: Any, targets: Vectors, importance: Floats) -> tuple[NDArray[np.int64], Vectors]:
    """All rows fitted with the kernel to some of them."""
    chosen = np.sort(np.random.default_rng(0).permutation(len(vectors))[:ANCHORS])
    cross = gram(vectors, vectors[chosen], words, words[chosen])
    weighted = cross * importance[:, None].astype(np.float32)
    left = (cross.T @ weighted).astype(np.float64) + RIDGE * cross[chosen]
    left[np.diag_indices_from(left)] += 1e-6 * len(vectors)
    return chosen, _solve(left, weighted.T @ targets)


def _solve(left: NDArray[Any], right: NDArray[Any]) -> NDArray[np.float32]:
    solved: NDArray[np.float32] = np.asarray(
        _linalg.solve(left, right, assume_a="pos", overwrite_a=True, check_finite=False), dtype=np.float32
    )
    return solved


def importance_of(rows: Sequence[Row], truth: NDArray[np.int64]) -> Floats:
    """People's own words count in full, titles less (that is worth 3 points of accuracy), labels that crowd the rest less each."""
    sizes = np.bincount(truth + 1)
    crowd = np.clip(sizes[sizes > 0].mean() / sizes[truth + 1], 0.05, 6.0)
    own = np.array([0.4 if row.source in {"article", "catalogue"} else 1.0 for row in rows])
    weight: Floats = crowd * own
    return weight


def targets_of(truth: NDArray[np.int64], labels: NDArray[np.int64]) -> Vectors:
    """One column a label: 1 for its rows, -1 for all others."""
    return np.where(truth[:, None] == labels, 1.0, -1.0).astype(np.float32)
