"""Texts that ask for the same thing, side by side whatever their language."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.encoder import Vectors
from models.features import char_analyzer, word_analyzer

MEANT = 0.55  # cosine distance up to which two questions mean the same, by the encoder; two languages lie further apart than one
SPELLED = 0.72  # the same by words and characters, which have less in common
_HASHED = 4_096


@dataclass(frozen=True, slots=True)
class Cluster:
    """Places of texts that belong together, the most central first."""

    members: tuple[int, ...]


def clusters(texts: Sequence[str], vectors: Vectors | None) -> list[Cluster]:
    """Average linkage over cosines, the largest cluster first; `vectors` hold a unit row a text, None leaves it to words and characters.

    Quadratic in time and memory: two thousand texts take a second and 16 MB. The same texts always give the same clusters.
    """
    if not texts:
        return []
    points = vectors if vectors is not None and vectors.size else _spelled(texts)
    if len(texts) == 1:
        return [Cluster((0,))]
    cosines = np.clip(points @ points.T, -1.0, 1.0)
    above = np.triu_indices(len(texts), 1)
    linked = _hierarchy().linkage((1.0 - cosines[above]).astype(np.float64), method="average")
    groups: NDArray[np.int64] = _hierarchy().fcluster(linked, MEANT if points is vectors else SPELLED, criterion="distance")
    found = [_central(np.flatnonzero(groups == group), cosines) for group in np.unique(groups)]
    return sorted(found, key=lambda cluster: (-len(cluster.members), min(cluster.members)))


def _hierarchy() -> Any:
    """16 MB, which a desk that answers everything never needs."""
    from scipy.cluster import hierarchy

    return hierarchy


def _central(members: NDArray[np.int64], cosines: Vectors) -> Cluster:
    order = np.argsort(-cosines[np.ix_(members, members)].mean(axis=1), kind="stable")
    return Cluster(tuple(members[order].tolist()))


def _spelled(texts: Sequence[str]) -> Vectors:
    """Words and pieces of words hashed into fixed numbers, the rare ones weighing more. Python's own hash differs between processes."""
    counts = np.zeros((len(texts), _HASHED), dtype=np.float32)
    for row, text in enumerate(texts):
        for feature in (*word_analyzer(text), *char_analyzer(text)) or (".",):
            counts[row, _number(feature)] += 1
    weights = np.log((1 + len(texts)) / (1 + (counts > 0).sum(axis=0))) + 1
    scaled = np.log1p(counts) * weights
    unit: Vectors = (scaled / np.maximum(np.linalg.norm(scaled, axis=1, keepdims=True), 1e-9)).astype(np.float32)
    return unit


def _number(feature: str) -> int:
    value = 0
    for byte in feature.encode():
        value = (value * 131 + byte) % 1_000_003
    return value % _HASHED
