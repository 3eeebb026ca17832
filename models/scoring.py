"""Scoring one message with numpy alone: the arithmetic of the trained pipeline without scikit-learn's cost per call."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from models.features import pairs, read, token_chars, word_features
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
    """Calibrated probabilities, best first, and the familiarity of the text 0..1."""

    ranked: tuple[tuple[str, float], ...]
    familiarity: float
    similarity: float | None  # cosine with the nearest known text, where an encoder is in use
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
        shared[first] = meant
        if (most := float(shared.max())) > meant:  # however unsure, it stays the best
            shared[first] = most
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


class _Token(NamedTuple):
    """What a model knows of a token, whatever stands around it."""

    stem: str
    folded: str
    word: int  # its column, or -1
    chars: NDArray[np.intp]  # columns of its characters, as often as they stand in it


class Anchors(Protocol):
    """Vectors of known texts in a byte a number, as `models.products.Bytes` are."""

    @property
    def rows(self) -> NDArray[np.int8]: ...

    @property
    def steps(self) -> NDArray[np.float32]: ...

    def products(self, others: NDArray[np.float32]) -> NDArray[np.float32]: ...


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
    anchors: Anchors | None = None
    anchor_weights: NDArray[np.float32] | None = None  # (anchors, classes, and one column more where rejected texts were learned)
    shared_weights: NDArray[np.float32] | None = None  # (features, as many): what the kernel layer reads from the words
    gamma: float = 1.0
    mixture: Mixture = field(default_factory=Mixture)
    outsider: Outsider = field(default_factory=Outsider)
    _tokens: dict[str, _Token] = field(default_factory=dict, repr=False)

    @property
    def uses_encoder(self) -> bool:
        return self.anchors is not None and self.mixture.weight > 0

    def score(self, text: str, vector: NDArray[np.float32] | None = None, *, top: int = 3) -> Scored:
        """Rank the labels for a text; `vector` is the encoder's, given by the caller so that several models share it."""
        compared = self._compared(vector[None])[0] if vector is not None and vector.size else None
        return self._score(text, compared, top=top)

    def score_many(self, texts: Sequence[str], vectors: NDArray[np.float32] | None = None, *, top: int = 3) -> list[Scored]:
        """`score` for each of many texts (with one row of `vectors` each): the same answers, several times faster."""
        scored: list[Scored] = []
        for start in range(0, len(texts), _BATCH):
            part = texts[start : start + _BATCH]
            told = vectors[start : start + _BATCH] if vectors is not None and vectors.size else None
            compared = self._compared(told) if told is not None else [None] * len(part)
            scored += [self._score(text, each, top=top) for text, each in zip(part, compared, strict=True)]
        return scored

    def _compared(self, vectors: NDArray[np.float32]) -> Sequence[tuple[Floats, float] | None]:
        """What the kernel layer says of each vector (a column a class), and its cosine with the nearest known text."""
        if self.anchors is None or self.anchor_weights is None:
            return [None] * len(vectors)
        cosines = self.anchors.products(vectors)
        said = (kernel(cosines, gamma=self.gamma) @ self.anchor_weights).astype(np.float64)
        return list(zip(said, cosines.max(axis=1).tolist(), strict=True))

    def _score(self, text: str, compared: tuple[Floats, float] | None, *, top: int) -> Scored:
        tokens = self._read(text)
        ids, values = self._tfidf(tokens)
        lexical = self._lexical(ids, values)
        familiarity = sum(1 for token in tokens if token.word >= 0) / len(tokens) if tokens else 0.0
        encoded: Floats | None = None
        similarity: float | None = None
        signals = [float(lexical.max()), familiarity]
        if compared is not None:
            said, similarity = compared
            if self.shared_weights is not None and len(ids):
                said = said + self._times(ids, values, self.shared_weights)
            encoded = said[: len(self.classes)]
            signals += [float(encoded.max()), float(said[-1]) if len(said) > len(encoded) else 0.0, similarity]
        probabilities = self.mixture.probabilities(lexical, encoded)
        order = (-probabilities).argsort(kind="stable")[:top]
        return Scored(
            ranked=tuple((self.classes[place], value) for place, value in zip(order.tolist(), probabilities[order].tolist(), strict=True)),
            familiarity=familiarity,
            similarity=similarity,
            outside=self.outsider.chance(*signals),
        )

    def lexical_logits(self, text: str) -> Floats:
        """The raw decision values of the lexical half."""
        return self._lexical(*self._tfidf(self._read(text)))

    def _lexical(self, ids: NDArray[np.intp], values: Floats) -> Floats:
        return self._times(ids, values, self.weights) + self.bias

    @staticmethod
    def _times(ids: NDArray[np.intp], values: Floats, weights: NDArray[np.float32]) -> Floats:
        """A few rows of the weights, multiplied as they are: numpy would first widen all of them."""
        return (values.astype(np.float32) @ weights.take(ids, axis=0)).astype(np.float64)

    def _read(self, text: str) -> list[_Token]:
        known = self._tokens
        return [known.get(token) or self._met(token) for token in read(text)]

    def _met(self, token: str) -> _Token:
        """A token that was not met before, or not lately."""
        folded, chars = fold(token), self.chars
        stemmed = stem(folded)
        columns = [column for column in map(chars.get, token_chars(folded)) if column is not None]
        met = _Token(stemmed, folded, self.words.get(stemmed, -1), np.array(columns, dtype=np.intp))
        if len(self._tokens) >= _CACHED_TOKENS:
            self._tokens.clear()
        self._tokens[token] = met
        return met

    def _tfidf(self, tokens: Sequence[_Token]) -> tuple[NDArray[np.intp], Floats]:
        """Columns in order and their values: sublinear counts times idf, words and characters each of length one."""
        known = [token.word for token in tokens if token.word >= 0]
        words = self.words
        known += [words[pair] for pair in pairs([token.stem for token in tokens]) if pair in words]
        found = np.concatenate([np.array(known, dtype=np.intp), *[token.chars for token in tokens]])
        found.sort()
        first = np.empty(len(found), dtype=bool)
        first[:1] = True
        np.not_equal(found[1:], found[:-1], out=first[1:])
        places = first.nonzero()[0]
        ids = found[places]
        values = self.idf.take(ids).astype(np.float64)
        if len(ids) < len(found):
            times = np.empty(len(ids))
            times[:-1], times[-1] = places[1:], len(found)
            times -= places
            values *= np.log(times) + 1.0
        split = int(ids.searchsorted(len(words)))
        for part in (values[:split], values[split:]):
            if len(part):
                part /= math.sqrt(float(part @ part))
        return ids, values

    def explain(self, text: str, label: str, *, limit: int) -> tuple[Contribution, ...]:
        """The words that speak most for a label. Every feature lies within one or two of them, so its weight is shared out to these."""
        surface = read(text)
        tokens = self._read(text)
        ids, values = self._tfidf(tokens)
        weights = self.weights.take(ids, axis=0)
        worth = values * (weights[:, self.classes.index(label)] - weights.sum(axis=1) / weights.shape[1])
        places = ids.searchsorted(np.concatenate([np.empty(0, dtype=np.intp), *[token.chars for token in tokens]]))
        shared = worth / np.maximum(np.bincount(places, minlength=len(ids)), 1)
        ends = np.cumsum([0, *[len(token.chars) for token in tokens]])
        of_chars = np.diff(np.concatenate([[0.0], np.cumsum(shared[places])])[ends]).tolist()
        split = int(ids.searchsorted(len(self.words)))
        of_words = dict(zip(ids[:split].tolist(), worth[:split].tolist(), strict=True))
        stemmed = [token.stem for token in tokens]
        total: dict[str, float] = {}
        shown: dict[str, str] = {}
        uses = Counter(word_features(stemmed))
        for position, (word, folded, column, _) in enumerate(tokens):
            weight = of_chars[position] + of_words.get(column, 0.0) / uses[word]
            for left in (position - 1, position):
                if 0 <= left < len(stemmed) - 1:
                    pair = f"{stemmed[left]} {stemmed[left + 1]}"
                    weight += of_words.get(self.words.get(pair, -1), 0.0) / (2 * uses[pair])
            shown.setdefault(folded, surface[position])
            total[folded] = total.get(folded, 0.0) + weight
        best = sorted(total.items(), key=lambda item: -item[1])[:limit]
        return tuple(Contribution(shown[token], round(weight, 4)) for token, weight in best if weight > 0.01)
