"""Scoring one message with numpy alone: the arithmetic of the trained pipeline without scikit-learn's cost per call."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.features import read, token_chars, word_features
from models.words import fold, stem

Floats = NDArray[np.float64]
_CACHED_TOKENS = 20_000
_BATCH = 256


@dataclass(frozen=True, slots=True)
class Contribution:
    """A word of the text and how much it speaks for the label."""

    token: str
    weight: float


@dataclass(frozen=True, slots=True)
class Scored:
    """Calibrated probabilities, best first, the familiarity of the text 0..1, and why."""

    ranked: tuple[tuple[str, float], ...]
    familiarity: float
    similarity: float | None  # cosine with the nearest known text, where an encoder is in use
    reasons: tuple[Contribution, ...] = ()
    outside: float | None = None  # chance that the text is out of scope, where the model saw enough rejected examples to tell

    @property
    def label(self) -> str:
        return self.ranked[0][0]

    @property
    def confidence(self) -> float:
        return self.ranked[0][1]


def softmax(logits: Floats) -> Floats:
    """Along the last axis, safe for any size of logits."""
    shifted = np.exp(logits - logits.max(axis=-1, keepdims=True))
    total: Floats = shifted / shifted.sum(axis=-1, keepdims=True)
    return total


def kernel(cosines: NDArray[np.float32], *, gamma: float) -> NDArray[np.float32]:
    """The radial kernel between unit vectors, from their cosines: `exp(-gamma * squared distance)`."""
    value: NDArray[np.float32] = np.exp(np.float32(2.0 * gamma) * (cosines - np.float32(1.0)))
    return value


@dataclass(frozen=True, slots=True)
class Mixture:
    """How the two halves are joined: `temperature * ((1 - weight) * lexical / lexical_scale + weight * encoded / encoder_scale)`."""

    weight: float = 0.0  # of the encoder half
    lexical_scale: float = 1.0
    encoder_scale: float = 1.0
    sharpness: float = 1.0  # of the joined logits
    lexical_sharpness: float = 1.0  # where the encoder is missing at run time
    lifts: tuple[float, ...] = ()  # added to each label before sharpening, where some are young (`models.young`)
    given: tuple[float, ...] = ()  # log odds of the best label as softmax has them, and what they come to mean (`probabilities`)
    meant: tuple[float, ...] = ()

    @classmethod
    def from_json(cls, known: Mapping[str, Any]) -> "Mixture":
        """From `dataclasses.asdict` that went through JSON."""
        values: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in known.items()}
        return cls(**values)

    def probabilities(self, lexical: Floats, encoded: Floats | None) -> Floats:
        """Calibrated probabilities; what the best label gains or loses, the others share."""
        given = softmax(self.logits(lexical, encoded))
        return self._levelled(given) if given.ndim == 1 else np.stack([self._levelled(row) for row in given])

    def _levelled(self, given: Floats) -> Floats:
        first = int(given.argmax())
        best = min(max(float(given[first]), 1e-9), 1 - 1e-9)
        odds = math.log(best / (1 - best))
        if self.given:
            odds = float(np.interp(odds, self.given, self.meant))
        meant = 1 / (1 + math.exp(-odds))
        shared: Floats = given + 1e-12  # where softmax left the others nothing, they still share what the best one loses
        shared[first] = 0.0
        shared *= (1 - meant) / shared.sum()
        shared[first] = max(meant, float(shared.max()))  # however unsure, it stays the best
        shared /= shared.sum()
        return shared

    def logits(self, lexical: Floats, encoded: Floats | None) -> Floats:
        """Joined and sharpened logits; without an encoded half the lexical one speaks alone."""
        lifted = np.asarray(self.lifts) if self.lifts else 0.0
        if encoded is None or self.weight == 0:
            return self.lexical_sharpness * (lexical / self.lexical_scale + lifted)
        return self.sharpness * ((1 - self.weight) * lexical / self.lexical_scale + self.weight * encoded / self.encoder_scale + lifted)


@dataclass(frozen=True, slots=True)
class Outsider:
    """Logistic lines (bias, then factors) that tell what is out of scope; empty where nothing was learned.

    Signals of `lexical`: best decision value, familiarity; `full` goes on with best kernel value, kernel value of "rejected", similarity.
    """

    lexical: tuple[float, ...] = ()
    full: tuple[float, ...] = ()

    def chance(self, *signals: float) -> float | None:
        """The chance of being out of scope from as many signals as there are."""
        line = self.full if len(signals) > 2 else self.lexical
        if not line:
            return None
        logit = line[0] + sum(factor * signal for factor, signal in zip(line[1:], signals, strict=True))
        return 1 / (1 + math.exp(-max(-30.0, min(30.0, logit))))


@dataclass(slots=True)
class TextModel:
    """A linear layer over TF-IDF of words and characters, a kernel layer over the sentence vector where one is trained, and calibration.

    The kernel layer compares a message with the vectors of known texts (`anchors`): on the shipped preset it reads 88 of 100 examples
    right where a logistic layer over the same vectors reads 79. It needs no text of the examples, only their vectors.
    """

    classes: tuple[str, ...]
    words: Mapping[str, int]  # feature -> column
    chars: Mapping[str, int]  # feature -> column, continuing after the words
    idf: NDArray[np.float32]
    weights: NDArray[np.float32]  # (features, classes)
    bias: NDArray[np.float32]
    anchors: NDArray[np.float32] | None = None  # (anchors, dimension), unit rows
    anchor_weights: NDArray[np.float32] | None = None  # (anchors, classes, and one column more where rejected texts were learned)
    shared_weights: NDArray[np.float32] | None = None  # (features, as many): what the kernel layer reads from the words
    gamma: float = 1.0
    mixture: Mixture = field(default_factory=Mixture)
    outsider: Outsider = field(default_factory=Outsider)
    _columns: dict[str, tuple[int, ...]] = field(default_factory=dict, repr=False)

    @property
    def uses_encoder(self) -> bool:
        return self.anchors is not None and self.mixture.weight > 0

    def score(self, text: str, vector: NDArray[np.float32] | None = None, *, top: int = 3, reasons: int = 0) -> Scored:
        """Rank the labels for a text; `vector` is the encoder's, given by the caller so that several models share it."""
        compared = self._compared(vector[None])[0] if vector is not None and vector.size else None
        return self._score(text, compared, top=top, reasons=reasons)

    def score_many(self, texts: Sequence[str], vectors: NDArray[np.float32] | None = None, *, top: int = 3) -> list[Scored]:
        """`score` for each of many texts (with one row of `vectors` each): the same answers, several times faster."""
        scored: list[Scored] = []
        for start in range(0, len(texts), _BATCH):
            part = texts[start : start + _BATCH]
            told = vectors[start : start + _BATCH] if vectors is not None and vectors.size else None
            compared = self._compared(told) if told is not None else [None] * len(part)
            scored += [self._score(text, each, top=top, reasons=0) for text, each in zip(part, compared, strict=True)]
        return scored

    def _compared(self, vectors: NDArray[np.float32]) -> Sequence[tuple[Floats, float] | None]:
        """What the kernel layer says of each vector (a column a class), and its cosine with the nearest known text."""
        if self.anchors is None or self.anchor_weights is None:
            return [None] * len(vectors)
        cosines = vectors @ self.anchors.T
        said = (kernel(cosines, gamma=self.gamma) @ self.anchor_weights).astype(np.float64)
        return list(zip(said, cosines.max(axis=1).tolist(), strict=True))

    def _score(self, text: str, compared: tuple[Floats, float] | None, *, top: int, reasons: int) -> Scored:
        tokens = read(text)
        folded = [fold(token) for token in tokens]
        stemmed = [stem(token) for token in folded]
        ids, values = self._tfidf(folded, stemmed)
        lexical = self._lexical(ids, values)
        known = sum(1 for word in stemmed if word in self.words)
        familiarity = known / len(stemmed) if stemmed else 0.0
        encoded: Floats | None = None
        similarity: float | None = None
        signals = [float(lexical.max()), familiarity]
        if compared is not None:
            said, similarity = compared
            if self.shared_weights is not None and ids:
                said = said + values @ self.shared_weights[ids]
            encoded = said[: len(self.classes)]
            signals += [float(encoded.max()), float(said[-1]) if len(said) > len(encoded) else 0.0, similarity]
        probabilities = self.mixture.probabilities(lexical, encoded)
        order = np.argsort(-probabilities, kind="stable")[:top]
        return Scored(
            ranked=tuple((self.classes[int(i)], float(probabilities[i])) for i in order),
            familiarity=familiarity,
            similarity=similarity,
            reasons=self._explain(tokens, folded, stemmed, ids, values, int(order[0]), reasons) if reasons else (),
            outside=self.outsider.chance(*signals),
        )

    def lexical_logits(self, text: str) -> Floats:
        """The raw decision values of the lexical half."""
        folded = [fold(token) for token in read(text)]
        return self._lexical(*self._tfidf(folded, [stem(token) for token in folded]))

    def _lexical(self, ids: list[int], values: Floats) -> Floats:
        if not ids:
            return self.bias.astype(np.float64)
        decision: Floats = values @ self.weights[ids] + self.bias
        return decision

    def _token_columns(self, token: str) -> tuple[int, ...]:
        known = self._columns.get(token)
        if known is None:
            chars = self.chars
            known = tuple(chars[gram] for gram in token_chars(token) if gram in chars)
            if len(self._columns) >= _CACHED_TOKENS:
                self._columns.clear()
            self._columns[token] = known
        return known

    def _tfidf(self, folded: list[str], stemmed: list[str]) -> tuple[list[int], Floats]:
        """Columns and values: sublinear counts times idf, words and characters each of length one."""
        words = self.words
        paired = Counter([words[feature] for feature in word_features(stemmed) if feature in words])
        counted = Counter(chain.from_iterable(map(self._token_columns, folded)))
        ids, split = [*paired, *counted], len(paired)
        values = np.log(np.array([*paired.values(), *counted.values()], dtype=np.float64)) + 1.0
        if ids:
            values *= self.idf[ids]
            for part in (values[:split], values[split:]):
                if part.size:
                    part /= math.sqrt(float(part @ part))
        return ids, values

    def _explain(
        self, tokens: list[str], folded: list[str], stemmed: list[str], ids: list[int], values: Floats, label: int, limit: int
    ) -> tuple[Contribution, ...]:
        """Every feature lies within one or two words of the text, so its weight is shared out to them."""
        worth = dict(zip(ids, (values * (self.weights[ids, label] - self.weights[ids].mean(axis=1))).tolist(), strict=True)) if ids else {}
        total: dict[str, float] = {}
        shown: dict[str, str] = {}
        uses = Counter(feature for feature in word_features(stemmed))
        char_uses: Counter[int] = Counter()
        for token in folded:
            char_uses.update(self._token_columns(token))
        for position, token in enumerate(folded):
            weight = sum(worth.get(column, 0.0) / char_uses[column] for column in self._token_columns(token))
            weight += worth.get(self.words.get(stemmed[position], -1), 0.0) / uses[stemmed[position]]
            for left in (position - 1, position):
                if 0 <= left < len(stemmed) - 1:
                    pair = f"{stemmed[left]} {stemmed[left + 1]}"
                    weight += worth.get(self.words.get(pair, -1), 0.0) / (2 * uses[pair])
            shown.setdefault(token, tokens[position])
            total[token] = total.get(token, 0.0) + weight
        best = sorted(total.items(), key=lambda item: -item[1])[:limit]
        return tuple(Contribution(shown[token], round(weight, 4)) for token, weight in best if weight > 0.01)
