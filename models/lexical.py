"""The lexical half in training: TF-IDF of words and characters under a linear machine, as scikit-learn knows them."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.pipeline import FeatureUnion, Pipeline
from sklearn.preprocessing import normalize
from sklearn.svm import LinearSVC

from models.features import CHARS_LIMIT, WORDS_LIMIT, char_analyzer, word_analyzer
from models.scoring import Floats

Analyzer = Callable[[str], list[str]]
# These libraries have no annotations; naming what is used of them once keeps the rest of the module checked.
_Tfidf: Any = TfidfVectorizer
_Union: Any = FeatureUnion
_Pipeline: Any = Pipeline
_Linear: Any = LinearSVC
_normalize: Any = normalize
_sparse: Any = sparse
_LARGE = 500  # rows; from here on character n-grams seen once cost memory and help nothing


def pipeline(*, rows: int, words: Analyzer = word_analyzer) -> Any:
    """The lexical half as scikit-learn knows it. `TextModel` gives the same decision values (tested to 1e-6)."""
    union = _Union(
        [
            ("words", _Tfidf(analyzer=words, sublinear_tf=True, max_features=WORDS_LIMIT)),
            ("chars", _Tfidf(analyzer=char_analyzer, sublinear_tf=True, max_features=CHARS_LIMIT, min_df=2 if rows >= _LARGE else 1)),
        ]
    )
    return _Pipeline([("features", union), ("linear", linear())])


def linear() -> Any:
    """The linear machine of the pipeline, not fitted."""
    return _Linear(C=0.5, class_weight="balanced", random_state=0)


class Remembered:
    """Analyses each text once, however often it is asked."""

    def __init__(self, analyzer: Analyzer) -> None:
        self._analyzer = analyzer
        self._known: dict[str, list[str]] = {}

    def __call__(self, text: str) -> list[str]:
        found = self._known.get(text)
        if found is None:
            found = self._known[text] = self._analyzer(text)
        return found


def columns(estimator: Any, count: int) -> tuple[Floats, Floats]:
    """Weights (features, classes) and bias of a linear estimator, with two columns where scikit-learn keeps one for two classes."""
    weights, bias = np.asarray(estimator.coef_, dtype=np.float64), np.asarray(estimator.intercept_, dtype=np.float64)
    if count == 2:
        weights, bias = np.vstack([-weights / 2, weights / 2]), np.concatenate([-bias / 2, bias / 2])
    return weights.T, bias


def unmet_left_out(features: Any, met: NDArray[np.bool_], *, split: int) -> Any:
    """Rows as a model reads them that never met some features: without those, words and characters each of length one again."""
    left = features @ _sparse.diags(met.astype(features.dtype))
    return _sparse.hstack([_normalize(left[:, :split]), _normalize(left[:, split:])]).tocsr()
