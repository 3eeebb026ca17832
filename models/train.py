"""Training, in a process of its own: `python -m models.train --input rows.json --output DIR`. The only module that needs scikit-learn."""

import argparse
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import linalg, sparse
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import FeatureUnion, Pipeline
from sklearn.preprocessing import normalize
from sklearn.svm import LinearSVC

from models.artefact import Draft, write_draft
from models.encoder import Encoder, load_encoder
from models.evaluate import decide_thresholds, metrics, negative_log_likelihood
from models.features import CHARS_LIMIT, WORDS_LIMIT, char_analyzer, word_analyzer
from models.held import Held
from models.rows import Row, data_hash, read_rows
from models.scoring import Floats, Mixture, Outsider, TextModel, softmax

Analyzer = Callable[[str], list[str]]
Vectors = NDArray[np.float32]
# scikit-learn has no annotations; naming its classes once keeps the rest of the module checked.
_Tfidf: Any = TfidfVectorizer
_Union: Any = FeatureUnion
_Pipeline: Any = Pipeline
_Linear: Any = LinearSVC
_normalize: Any = normalize
_linalg: Any = linalg
_sparse: Any = sparse
EXACT = 16_000  # rows up to which every one is an anchor
ANCHORS = 3_000  # beyond; every thousand is worth about a point of accuracy, and 0.2 ms a message
GAMMA = 1.0
RIDGE = 0.05
SHARE = 0.3  # of the words in what two texts have in common; the rest is the sentence vector's
MIN_REJECTED = 50  # examples of what the desk does not do, from which being out of scope is learned
MIN_LEVELLED = 20  # right and wrong answers each, below which a line over them would follow chance
_BENDS: Floats = np.array([-1.0, 0.0, 1.0, 2.0, 3.0, 4.0, 5.5])  # log odds: 27, 50, 73, 88, 95, 98 and 99.6 %
_BENDING = 500  # answers held back, from which a curve over them may bend
_OUTSIDE = -1  # the truth of a rejected row
_FEW, _MANY = 2_000, 6_000  # rows
_BLOCK = 1_000
_UNTAUGHT = Outsider()
_LARGE = 500  # rows; from here on character n-grams seen once cost memory and help nothing


@dataclass(frozen=True, slots=True)
class Kernel:
    """The fitted kernel layer: vectors of the anchors, their weights a class, and the weights of the words that come with them."""

    anchors: Vectors
    weights: Vectors
    shared: Vectors


class TrainingRefused(ValueError):
    """The rows cannot make a model; the message says why."""


def pipeline(*, rows: int, words: Analyzer = word_analyzer, chars: Analyzer = char_analyzer) -> Any:
    """The lexical half as scikit-learn knows it. `TextModel` gives the same decision values (tested to 1e-6)."""
    union = _Union(
        [
            ("words", _Tfidf(analyzer=words, sublinear_tf=True, max_features=WORDS_LIMIT)),
            ("chars", _Tfidf(analyzer=chars, sublinear_tf=True, max_features=CHARS_LIMIT, min_df=2 if rows >= _LARGE else 1)),
        ]
    )
    return _Pipeline([("features", union), ("linear", _linear())])


def _linear() -> Any:
    return _Linear(C=0.5, class_weight="balanced", random_state=0)


class _Remembered:
    """Analyses each text once, however many folds ask."""

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


def _importance(rows: Sequence[Row], truth: NDArray[np.int64]) -> Floats:
    """People's own words count in full, titles less (that is worth 3 points of accuracy), labels that crowd the rest less each."""
    sizes = np.bincount(truth + 1)
    crowd = np.clip(sizes[sizes > 0].mean() / sizes[truth + 1], 0.05, 6.0)
    own = np.array([0.4 if row.source in {"article", "catalogue"} else 1.0 for row in rows])
    weight: Floats = crowd * own
    return weight


def _targets(truth: NDArray[np.int64], labels: NDArray[np.int64]) -> Vectors:
    """One column a label: 1 for its rows, -1 for all others."""
    return np.where(truth[:, None] == labels, 1.0, -1.0).astype(np.float32)


def _head(signals: Floats, rejected: NDArray[np.bool_]) -> tuple[float, ...]:
    """A logistic line over the signals of texts that were held back: bias, then a factor a signal."""
    middle, width = signals.mean(axis=0), signals.std(axis=0) + 1e-9
    learner: Any = LogisticRegression
    line = learner(class_weight="balanced", max_iter=500).fit((signals - middle) / width, rejected)
    factors = line.coef_[0] / width
    return (float(line.intercept_[0] - factors @ middle), *(float(factor) for factor in factors))


def _folds(truth: NDArray[np.int64], *, count: int, seed: int) -> NDArray[np.int64]:
    """A fold for every row, each class spread evenly; a class with one row is never held back from training."""
    chance = np.random.default_rng(seed)
    folds = np.full(len(truth), -1, dtype=np.int64)
    for label in np.unique(truth):
        members = chance.permutation(np.flatnonzero(truth == label))
        if len(members) > 1:
            folds[members] = (np.arange(len(members)) + chance.integers(count)) % count
    return folds


def _sharpness(logits: Floats, truth: NDArray[np.int64]) -> tuple[float, float]:
    """The factor on logits with the least negative log likelihood, and that likelihood (coarse to fine on a log scale)."""
    low, high, best, loss = -2.0, 4.0, 0.0, float("inf")
    for _ in range(3):
        for candidate in np.linspace(low, high, 13):
            found = negative_log_likelihood(softmax(float(np.exp(candidate)) * logits), truth)
            if found < loss:
                best, loss = float(candidate), found
        step = (high - low) / 12
        low, high = best - step, best + step
    return float(np.exp(best)), loss


def _mixture(lexical: Floats, encoded: Floats | None, truth: NDArray[np.int64]) -> Mixture:
    """Scales, the encoder's weight and the temperature, all from logits of texts that were held back."""

    def spread(logits: Floats) -> float:
        return float((logits - logits.mean(axis=1, keepdims=True)).std()) or 1.0

    scale = spread(lexical)
    alone, _ = _sharpness(lexical / scale, truth)
    if encoded is None:
        return Mixture(lexical_scale=scale, sharpness=alone, lexical_sharpness=alone)
    encoder_scale = spread(encoded)
    best, least = Mixture(lexical_scale=scale, sharpness=alone, lexical_sharpness=alone), float("inf")
    for weight in (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.95, 0.98):
        joined = (1 - weight) * lexical / scale + weight * encoded / encoder_scale
        sharpness, loss = _sharpness(joined, truth)
        if loss < least:
            best, least = Mixture(round(float(weight), 2), scale, encoder_scale, sharpness, alone), loss
    return best


def _levelled(mixture: Mixture, lexical: Floats, encoded: Floats | None, truth: NDArray[np.int64]) -> Mixture:
    """The mixture with a curve over the log odds of its best label, so that "90 %" is right nine times of ten.

    The curve is a logistic line that may bend at `_BENDS`: examples with a wrong label hold the surest answers below what softmax says
    of them while the unsure ones are right more often, and no straight line follows both.
    """
    given = softmax(mixture.logits(lexical, encoded))
    right = given.argmax(axis=1) == truth
    if not MIN_LEVELLED <= right.sum() <= len(right) - MIN_LEVELLED:
        return mixture
    best = np.clip(given.max(axis=1), 1e-9, 1 - 1e-9)
    odds = np.log(best / (1 - best))
    bends = _BENDS if len(right) >= _BENDING else _BENDS[:0]

    def bent(odds: Floats) -> Floats:
        found: Floats = np.column_stack([odds, *(np.maximum(odds - bend, 0.0) for bend in bends)])
        return found

    learner: Any = LogisticRegression
    line = learner(C=0.5, max_iter=1000).fit(bent(odds), right)
    knots = np.concatenate([[-4.0], _BENDS, [10.0]])
    meant = np.maximum.accumulate(line.decision_function(bent(knots)))
    return replace(mixture, given=tuple(knots.tolist()), meant=tuple(meant.tolist()))


def _unmet_left_out(features: Any, met: NDArray[np.bool_], *, split: int) -> Any:
    """Rows as a model reads them that never met some features: without those, words and characters each of length one again."""
    left = features @ _sparse.diags(met.astype(features.dtype))
    return _sparse.hstack([_normalize(left[:, :split]), _normalize(left[:, split:])]).tocsr()


def fit(rows: Sequence[Row], *, encoder: Encoder, name: str = "category", seed: int = 7) -> Draft:
    """Train, calibrate and measure one model; deterministic for the same rows and seed."""
    started = time.process_time()
    rows = [row for row in rows if row.text.strip()]
    rejected = [row for row in rows if row.rejected]
    rows = [row for row in rows if not row.rejected]
    if len(rejected) < MIN_REJECTED:
        rejected = []
    classes = tuple(sorted({row.label for row in rows}))
    if len(classes) < 2:
        raise TrainingRefused(f"{name}: {len(rows)} rows with {len(classes)} label(s); a model needs at least two labels")
    number = {label: i for i, label in enumerate(classes)}
    count, known = len(classes), len(rows)
    everything = [*rows, *rejected]
    texts = [row.text for row in everything]
    truth = np.array([number[row.label] for row in rows] + [_OUTSIDE] * len(rejected), dtype=np.int64)
    vectors = encoder.encode(texts) if encoder.dimension else None
    importance = _importance(everything, truth)
    words, chars = _Remembered(word_analyzer), _Remembered(char_analyzer)
    outside = np.array([_OUTSIDE] if rejected else [], dtype=np.int64)

    trained = pipeline(rows=known, words=words, chars=chars)
    features = trained["features"].fit_transform(texts[:known]).tocsr()
    trained["linear"].fit(features, truth[:known])
    if rejected:
        features = _sparse.vstack([features, trained["features"].transform(texts[known:])]).tocsr()
    vocabulary = trained["features"].transformer_list[0][1].vocabulary_

    fold_of, folds = _held_back(everything, truth, seed=seed)
    lexical = np.full((len(texts), count), np.nan)
    familiarity, similarity = (np.zeros(len(texts)) for _ in range(2))
    for fold in range(folds):
        held, kept = np.flatnonzero(fold_of == fold), np.flatnonzero(fold_of != fold)
        inside = kept[kept < known]
        present = np.unique(truth[inside])
        if not len(held) or len(present) < 2:
            continue
        weights, bias = columns(_linear().fit(features[inside], truth[inside]), len(present))
        met = np.bincount(features[inside].indices, minlength=features.shape[1]) > 0
        lexical[np.ix_(held, present)] = _unmet_left_out(features[held], met, split=len(vocabulary)) @ weights + bias
        for i in held:
            single = [word for word in words(texts[i]) if " " not in word]
            familiarity[i] = sum(met[vocabulary[word]] for word in single if word in vocabulary) / len(single) if single else 0.0
        if vectors is not None:
            similarity[held] = (vectors[held] @ vectors[inside].T).max(axis=1)
    answered = ~np.isnan(lexical).all(axis=1)
    seen = np.flatnonzero(answered & (truth != _OUTSIDE))
    turned_away = np.flatnonzero(answered & (truth == _OUTSIDE))
    if len(seen) < 2 * count:
        raise TrainingRefused(f"{name}: {len(seen)} examples for {count} labels; at least {2 * count} are needed")
    gaps = np.isnan(lexical)  # a class that a fold did not know is its least likely one
    if gaps.any():
        lexical[gaps] = np.broadcast_to(np.where(gaps, np.inf, lexical).min(axis=1, keepdims=True), lexical.shape)[gaps]

    encoded, beyond = np.zeros((len(texts), count)), np.zeros(len(texts))
    whole: Kernel | None = None
    if vectors is not None:
        features = features.astype(np.float32)
        labels = np.concatenate([np.arange(count), outside])
        chosen, layer, said = fit_kernel(vectors, features, _targets(truth, labels), importance, fold_of)
        encoded, beyond = said[:, :count], said[:, -1] if rejected else beyond
        shared = np.asarray((SHARE / 2) * (features[chosen].T @ layer), dtype=np.float32)
        whole = Kernel(vectors[chosen], (1.0 - SHARE) * layer, shared)
    mixture = _mixture(lexical[seen], encoded[seen] if vectors is not None else None, truth[seen])
    mixture = _levelled(mixture, lexical[seen], encoded[seen] if vectors is not None else None, truth[seen])
    probabilities = mixture.probabilities(lexical[seen], encoded[seen] if vectors is not None else None)
    figures = metrics(probabilities, truth[seen], classes=classes, languages=[rows[i].language for i in seen])
    thresholds, bands = decide_thresholds(
        probabilities, truth[seen], familiarity=familiarity[seen], similarity=similarity[seen] if vectors is not None else None
    )
    figures["bands"] = bands
    figures["lexical_accuracy"] = round(float((lexical[seen].argmax(axis=1) == truth[seen]).mean()), 4)
    outsider = Outsider()
    if len(turned_away):
        both = np.concatenate([seen, turned_away])
        plain = np.column_stack([lexical[both].max(axis=1), familiarity[both]])
        refused = truth[both] == _OUTSIDE
        outsider = Outsider(lexical=_head(plain, refused))
        if vectors is not None:
            full = np.column_stack([plain, encoded[both].max(axis=1), beyond[both], similarity[both]])
            outsider = Outsider(lexical=outsider.lexical, full=_head(full, refused))
    figures["cpu_seconds"] = round(time.process_time() - started, 2)
    model = to_model(trained, classes=classes, mixture=mixture, encoded=whole, outsider=outsider)
    return Draft(
        name=name,
        model=model,
        thresholds=thresholds,
        metrics=figures,
        data_hash=data_hash(everything),
        rows=len(everything),
        languages=tuple(sorted({row.language for row in rows})),
        encoder=encoder.name,
        held=Held.of(classes, [texts[i] for i in seen], truth[seen].tolist(), probabilities),
    )


def _held_back(rows: Sequence[Row], truth: NDArray[np.int64], *, seed: int) -> tuple[NDArray[np.int64], int]:
    """The fold of every row (-1: never held back), and how many folds to learn: few rows need many folds, many rows need one."""
    folds = 10 if len(rows) <= _FEW else 5
    fold_of = np.full(len(rows), -1, dtype=np.int64)
    measured = np.array([row.measured or row.rejected for row in rows])
    fold_of[measured] = _folds(truth[measured], count=folds, seed=seed)
    if len(rows) <= _MANY:
        return fold_of, folds
    fold_of[(truth == _OUTSIDE) & (fold_of == 1)] = 0  # a fifth of the rejected ones would be too few to learn from
    return np.where(fold_of == 0, 0, -1), 1


def to_model(
    trained: Any,
    *,
    classes: tuple[str, ...],
    mixture: Mixture,
    encoded: Kernel | None = None,
    outsider: Outsider = _UNTAUGHT,
) -> TextModel:
    """Plain arrays out of the fitted pipeline."""
    (_, by_words), (_, by_chars) = trained["features"].transformer_list
    words = {feature: int(column) for feature, column in by_words.vocabulary_.items()}
    chars = {feature: int(column) + len(words) for feature, column in by_chars.vocabulary_.items()}
    weights, bias = columns(trained["linear"], len(classes))
    return TextModel(
        classes=classes,
        words=words,
        chars=chars,
        idf=np.concatenate([by_words.idf_, by_chars.idf_]).astype(np.float32),
        weights=np.ascontiguousarray(weights, dtype=np.float32),
        bias=bias.astype(np.float32),
        anchors=encoded.anchors.astype(np.float16).astype(np.float32) if encoded is not None else None,
        anchor_weights=encoded.weights if encoded is not None else None,
        shared_weights=encoded.shared if encoded is not None else None,
        gamma=GAMMA,
        mixture=mixture,
        outsider=outsider,
    )


class _Once:
    """Shares vectors between models that train on the same texts."""

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder
        self._known: dict[str, Vectors] = {}
        self.name, self.dimension = encoder.name, encoder.dimension

    def encode(self, texts: Sequence[str]) -> Vectors:
        missing = list(dict.fromkeys(text for text in texts if text not in self._known))
        self._known.update(zip(missing, self._encoder.encode(missing), strict=True))
        return np.vstack([self._known[text] for text in texts])

    def encode_one(self, text: str) -> Vectors | None:
        vector: Vectors = self.encode([text])[0]
        return vector


def main(arguments: Sequence[str] | None = None) -> int:
    """Train every set of rows in the input file into `OUTPUT/<name>/`; prints one line a model."""
    parser = argparse.ArgumentParser(prog="python -m models.train", description=main.__doc__)
    parser.add_argument("--input", type=Path, required=True, help="rows as models.rows.write_rows writes them")
    parser.add_argument("--output", type=Path, required=True, help="a folder for the drafts")
    parser.add_argument("--encoder", action=argparse.BooleanOptionalAction, default=True, help="use the sentence encoder where installed")
    chosen = parser.parse_args(arguments)
    encoder = load_encoder(wanted=chosen.encoder)
    shared: Encoder = _Once(encoder) if encoder.dimension else encoder
    for name, rows in read_rows(chosen.input).items():
        try:
            draft = fit(rows, encoder=shared, name=name)
        except TrainingRefused as refused:
            print(f"refused {refused}")
            return 2
        write_draft(chosen.output / name, draft)
        print(f"{name}: {draft.rows} rows, accuracy {draft.metrics['accuracy']}, {draft.metrics['cpu_seconds']} s")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
