"""Scores are BM25's, also on a shelf so large that common terms are left out."""

import numpy as np

from models import bm25
from models.bm25 import Field

DOCUMENTS = [["a", "b"], ["a", "c", "c"], ["a"], ["d"]]


def test_the_rarer_and_more_frequent_term_wins() -> None:
    scores, ideal = Field(DOCUMENTS).search(["a", "c"])
    assert scores.argmax() == 1
    assert 0.99 < float(scores[1]) / ideal <= 1.01 or float(scores[1]) < ideal
    assert scores[3] == 0


def test_a_share_of_the_ideal_counts_unknown_words_against_the_question() -> None:
    field = Field(DOCUMENTS)
    known, _ = field.search(["c"])
    scores, ideal = field.search(["c", "never", "seen"])
    assert float(scores.max()) == float(known.max())
    assert float(scores.max()) / ideal < 0.6


def test_nothing_known_scores_nothing() -> None:
    scores, ideal = Field(DOCUMENTS).search(["never"])
    assert not scores.any()
    assert ideal == 1.0


def test_a_large_shelf_leaves_out_what_stands_everywhere_but_never_everything() -> None:
    many = [["common", f"rare{n}"] for n in range(bm25._LARGE)]
    field = Field(many)
    scores, _ = field.search(["common", "rare7"])
    assert np.flatnonzero(scores).tolist() == [7]
    assert field.search(["common"])[0].all()
