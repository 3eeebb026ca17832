"""BM25 over one field of a shelf, with scores that are also known as a share of the best that a question could reach."""

from collections.abc import Mapping, Sequence
from typing import Any

import bm25s
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
_LARGE = 5_000  # documents; from here on terms that stand in a good part of them cost most of the time and tell nothing
_COMMON = 0.2
_TERMS = 160  # of a question that are looked up, the rarest first


class Field:
    """An inverted index over tokens. Robertson's formula as `bm25s` computes it, ahead of time for every term and document."""

    def __init__(self, documents: Sequence[Sequence[str]], *, k1: float = 1.2, b: float = 0.6) -> None:
        self._size = len(documents)
        engine: Any = bm25s.BM25
        index = engine(k1=k1, b=b)
        index.index([list(document) or ["\0"] for document in documents], show_progress=False)
        self._known: Mapping[str, int] = index.vocab_dict
        self._scores: Floats = index.scores["data"]
        self._documents: NDArray[np.int32] = index.scores["indices"]
        self._starts: NDArray[np.int64] = index.scores["indptr"]
        self._best = np.maximum.reduceat(self._scores, self._starts[:-1]) if len(self._scores) else np.zeros(0, dtype=np.float32)
        self._unknown = float(np.median(self._best)) if len(self._best) else 1.0

    def search(self, terms: Sequence[str]) -> tuple[Floats, float]:
        """Scores of all documents, and the score that a document best in every term would have."""
        known = np.array([number for term in terms if (number := self._known.get(term)) is not None], dtype=np.intp)
        if not len(known):
            return np.zeros(self._size, dtype=np.float32), 1.0
        ideal = float(self._best[known].sum()) + self._unknown * (len(terms) - len(known))
        telling = self._telling(known)
        starts, ends = self._starts[telling].tolist(), self._starts[telling + 1].tolist()
        parts = [slice(start, end) for start, end in zip(starts, ends, strict=True)]
        documents = np.concatenate([self._documents[part] for part in parts])
        scores = np.bincount(documents, weights=np.concatenate([self._scores[part] for part in parts]), minlength=self._size)
        return scores.astype(np.float32), ideal or 1.0

    def _telling(self, terms: NDArray[np.intp]) -> NDArray[np.intp]:
        """On a large shelf, the terms without those that stand almost everywhere; all where nothing else is left."""
        if self._size < _LARGE:
            return terms
        held = self._starts[terms + 1] - self._starts[terms]
        order = np.argsort(held, kind="stable")[:_TERMS]
        rare = order[held[order] <= _COMMON * self._size]
        return terms[rare if len(rare) else order[:1]]
