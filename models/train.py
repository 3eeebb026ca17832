"""Training, in a process of its own: `python -m models.train --input rows.json --output DIR`.

With what it calls (`lexical`, `kernel`, `calibration`) the only code that needs scikit-learn and SciPy.
"""

import argparse
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from scipy import sparse

from models.artefact import Draft, write_draft
from models.calibration import mixture_of, outsider_of
from models.encoder import Encoder, Vectors, load_encoder
from models.evaluate import decide_thresholds, metrics
from models.features import word_analyzer
from models.folds import OUTSIDE, held_back
from models.held import Held
from models.kernel import GAMMA, SHARE, Kernel, fit_kernel, importance_of, targets_of
from models.lexical import Remembered, columns, linear, pipeline, unmet_left_out
from models.products import Bytes
from models.rows import Row, data_hash, read_rows
from models.scoring import Mixture, Outsider, TextModel

_sparse: Any = sparse  # has no annotations
MIN_REJECTED = 50  # examples of what the desk does not do, from which being out of scope is learned
_UNTAUGHT = Outsider()


class TrainingRefused(ValueError):
    """The rows cannot make a model; the message says why."""


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
    truth = np.array([number[row.label] for row in rows] + [OUTSIDE] * len(rejected), dtype=np.int64)
    vectors = encoder.encode(texts) if encoder.dimension else None
    importance = importance_of(everything, truth)
    words = Remembered(word_analyzer)
    outside = np.array([OUTSIDE] if rejected else [], dtype=np.int64)

    trained = pipeline(rows=known, words=words)
    features = trained["features"].fit_transform(texts[:known]).tocsr()
    trained["linear"].fit(features, truth[:known])
    if rejected:
        features = _sparse.vstack([features, trained["features"].transform(texts[known:])]).tocsr()
    vocabulary = trained["features"].transformer_list[0][1].vocabulary_

    fold_of, folds = held_back(everything, truth, seed=seed)
    lexical = np.full((len(texts), count), np.nan)
    familiarity, similarity = (np.zeros(len(texts)) for _ in range(2))
    for fold in range(folds):
        held, kept = np.flatnonzero(fold_of == fold), np.flatnonzero(fold_of != fold)
        inside = kept[kept < known]
        present = np.unique(truth[inside])
        if not len(held) or len(present) < 2:
            continue
        weights, bias = columns(linear().fit(features[inside], truth[inside]), len(present))
        met = np.bincount(features[inside].indices, minlength=features.shape[1]) > 0
        lexical[np.ix_(held, present)] = unmet_left_out(features[held], met, split=len(vocabulary)) @ weights + bias
        for i in held:
            single = [word for word in words(texts[i]) if " " not in word]
            familiarity[i] = sum(met[vocabulary[word]] for word in single if word in vocabulary) / len(single) if single else 0.0
        if vectors is not None:
            similarity[held] = (vectors[held] @ vectors[inside].T).max(axis=1)
    answered = ~np.isnan(lexical).all(axis=1)
    seen = np.flatnonzero(answered & (truth != OUTSIDE))
    turned_away = np.flatnonzero(answered & (truth == OUTSIDE))
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
        chosen, layer, said = fit_kernel(vectors, features, targets_of(truth, labels), importance, fold_of)
        encoded, beyond = said[:, :count], said[:, -1] if rejected else beyond
        shared = np.asarray((SHARE / 2) * (features[chosen].T @ layer), dtype=np.float32)
        whole = Kernel(vectors[chosen], (1.0 - SHARE) * layer, shared)
    told = encoded[seen] if vectors is not None else None
    mixture = mixture_of(lexical[seen], told, truth[seen])
    probabilities = mixture.probabilities(lexical[seen], told)
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
        kernel = np.column_stack([encoded[both].max(axis=1), beyond[both], similarity[both]]) if vectors is not None else None
        outsider = outsider_of(plain, kernel, truth[both] == OUTSIDE)
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
        anchors=Bytes.of(encoded.anchors) if encoded is not None else None,
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
