"""Article search in memory: BM25 over stems and over character n-grams, the sentence encoder on titles, joined and calibrated."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import bm25s
import numpy as np
from numpy.typing import NDArray

from models.encoder import Encoder, Vectors
from models.features import token_chars
from models.passages import Part, best_part, parts_of
from models.words import fold as fold_token
from models.words import mask, normalise, stem, surface

Floats = NDArray[np.float32]
_TITLE_TIMES = 3
_KEYWORD_TIMES = 2
_VOICES = 13  # title and keywords that the encoder reads, at most
_QUERY_TOKENS = 60


@dataclass(frozen=True, slots=True)
class IndexedArticle:
    """One language of an article, as the index takes it. `body` is Markdown."""

    article_id: str
    key: str
    language: str
    title: str
    body: str
    keywords: tuple[str, ...] = ()
    category: str | None = None
    summary: str = ""


@dataclass(frozen=True, slots=True)
class ArticleHit:
    """A found article: `score` is the calibrated chance that it is the right one, comparable between queries."""

    article_id: str
    key: str
    title: str
    passage: str
    language: str
    score: float


@dataclass(frozen=True, slots=True)
class Blend:
    """Weights that join the parts for ranking, and the logistic curve that turns the best one into a chance."""

    stems: float
    chars: float
    encoder: float
    category: float
    curve: tuple[float, float, float, float, float]  # bias, stems, chars, encoder, category

    def chance(self, stems: float, chars: float, encoder: float, category: float) -> float:
        bias, *factors = self.curve
        logit = bias + sum(f * v for f, v in zip(factors, (stems, chars, encoder, category), strict=True))
        return 1 / (1 + math.exp(-max(-30.0, min(30.0, logit))))


# Fitted on the shipped preset: every example is a question, an article of its category is right (benchmarks.bench_nlu_quick --fit).
WITH_ENCODER = Blend(stems=0.3, chars=0.2, encoder=0.5, category=0.25, curve=(-2.67, 2.29, 0.99, 3.39, 1.2))
LEXICAL = Blend(stems=0.6, chars=0.4, encoder=0.0, category=0.25, curve=(-2.21, 2.24, 3.54, 0.0, 1.2))
ABSTAIN = 0.55


class _Field:
    """A BM25 index whose scores are also known as a share of the best a query could reach."""

    def __init__(self, documents: Sequence[Sequence[str]], *, k1: float, b: float) -> None:
        self._size = len(documents)
        engine: Any = bm25s.BM25
        self._index = engine(k1=k1, b=b)
        self._index.index([list(document) or ["\0"] for document in documents], show_progress=False)
        self._known: Mapping[str, int] = self._index.vocab_dict
        scores, starts = self._index.scores["data"], self._index.scores["indptr"]
        self._best = np.maximum.reduceat(scores, starts[:-1]) if len(scores) else np.zeros(0, dtype=np.float32)
        self._unknown = float(np.median(self._best)) if len(self._best) else 1.0

    def search(self, terms: Sequence[str]) -> tuple[Floats, float]:
        """Scores of all documents, and the score that a document best in every term would have."""
        known = [term for term in terms if term in self._known]
        if not known:
            return np.zeros(self._size, dtype=np.float32), 1.0
        ideal = float(self._best[[self._known[term] for term in known]].sum()) + self._unknown * (len(terms) - len(known))
        scores: Floats = self._index.get_scores(known)
        return scores, ideal or 1.0


def _read(text: str) -> list[str]:
    return [fold_token(token) for token in surface(mask(normalise(text)))]


def _grams(folded: Sequence[str]) -> list[str]:
    return [gram for token in folded for gram in token_chars(token) if len(gram) >= 3]


def _min_max(scores: Floats) -> Floats:
    low, high = float(scores.min()), float(scores.max())
    if high - low < 1e-9:
        return np.zeros_like(scores)
    scaled: Floats = (scores - low) / (high - low)
    return scaled


class ArticleIndex:
    """An immutable index; build a new one when articles change and swap it in. Safe to search from any thread."""

    def __init__(self, articles: Sequence[IndexedArticle], encoder: Encoder, vectors: Vectors, voices: Mapping[str, Vectors]) -> None:
        self._articles = tuple(articles)
        self._encoder = encoder
        self.voices = voices  # text -> vector, kept so that the next build encodes only what is new
        self._vectors = vectors
        self._parts: list[tuple[Part, ...]] = [parts_of(article.body) for article in articles]
        self._categories = np.array([article.category or "" for article in articles])
        names = {(article.key, article.language) for article in articles}
        self._open = {
            language: np.array([a.language == language or (a.key, language) not in names for a in articles], dtype=bool)
            for language in {a.language for a in articles}
        }
        if articles:
            read = [(_read(a.title), _read(" . ".join([*a.keywords, a.summary])), _read(a.body)) for a in articles]
            fields = [[*title * _TITLE_TIMES, *keywords * _KEYWORD_TIMES, *body] for title, keywords, body in read]
            self._stems = _Field([[stem(token) for token in field] for field in fields], k1=1.2, b=0.6)
            # Characters are for typos in what a person calls the thing: title and keywords hold that, bodies only dilute it.
            self._chars = _Field([_grams([*title * _TITLE_TIMES, *keywords]) for title, keywords, _ in read], k1=1.2, b=0.6)

    @classmethod
    def build(cls, articles: Sequence[IndexedArticle], encoder: Encoder, *, previous: "ArticleIndex | None" = None) -> "ArticleIndex":
        """Index articles, about 20 ms each with the encoder: call it in a thread. Vectors of unchanged titles come from `previous`."""
        known: dict[str, Vectors] = {}
        owners: list[list[str]] = [list(dict.fromkeys([a.title, *a.keywords]))[:_VOICES] for a in articles]
        if encoder.dimension:
            wanted = list(dict.fromkeys(text for voices in owners for text in voices))
            if previous is not None:
                known = {text: previous.voices[text] for text in wanted if text in previous.voices}
            missing = [text for text in wanted if text not in known]
            known.update(zip(missing, encoder.encode(missing), strict=True))
        # One row a voice, padded by repeating the title, so that a search is one product and one maximum.
        vectors = np.zeros((len(articles), _VOICES if encoder.dimension else 0, encoder.dimension), dtype=np.float32)
        if encoder.dimension:
            for row, voices in enumerate(owners):
                for column in range(_VOICES):
                    vectors[row, column] = known[voices[column] if column < len(voices) else voices[0]]
        return cls(articles, encoder, vectors, known)

    def __len__(self) -> int:
        return len(self._articles)

    def search(
        self, text: str, language: str, category: str | None = None, limit: int = 3, *, threshold: float | None = None
    ) -> list[ArticleHit]:
        """The best articles above the threshold, best first; in the language asked, else in the other where only that exists."""
        ranked = self.rank(text, language, category)
        floor = ABSTAIN if threshold is None else threshold
        hits: list[ArticleHit] = []
        terms = frozenset(stem(token) for token in _read(text)[:_QUERY_TOKENS]) if ranked else frozenset()
        for row, score in ranked[: limit * 2]:
            if score < floor or len(hits) == limit:
                break
            hits.append(self.hit(row, score, terms))
        return hits

    def hit(self, row: int, score: float, terms: frozenset[str] = frozenset()) -> ArticleHit:
        """An article as it is shown, with the part of it that fits the terms."""
        article = self._articles[row]
        passage = best_part(self._parts[row], lambda words: sum(1 for word in words if word in terms)) or article.summary
        return ArticleHit(article.article_id, article.key, article.title, passage, article.language, round(score, 4))

    def article(self, article_id: str) -> ArticleHit | None:
        """One article by its id, with its first part."""
        row = next((row for row, article in enumerate(self._articles) if article.article_id == article_id), None)
        return None if row is None else self.hit(row, 1.0)

    def rank(self, text: str, language: str, category: str | None = None) -> list[tuple[int, float]]:
        """Rows with their chance, best first, at most ten; no threshold."""
        if not self._articles:
            return []
        folded = _read(text)[:_QUERY_TOKENS]
        if not folded:
            return []
        stems, ideal_stems = self._stems.search(list(dict.fromkeys(stem(token) for token in folded)))
        chars, ideal_chars = self._chars.search(_grams(folded))
        vector = self._encoder.encode_one(text) if self._vectors.size else None
        close: Floats | None = (self._vectors @ vector).max(axis=1) if vector is not None else None
        blend = LEXICAL if close is None else WITH_ENCODER
        match: Floats = (self._categories == category).astype(np.float32) if category else np.zeros(len(stems), dtype=np.float32)
        total = blend.stems * _min_max(stems) + blend.chars * _min_max(chars) + blend.category * match
        if close is not None:
            total = total + blend.encoder * _min_max(close)
        allowed = self._open.get(language)
        if allowed is not None:
            total = np.where(allowed, total, -1.0)
        best = np.argsort(-total, kind="stable")[:10]
        found: list[tuple[int, float]] = []
        seen: set[str] = set()
        for place in best.tolist():
            if total[place] < 0 or (self._articles[place].key in seen):
                continue
            seen.add(self._articles[place].key)
            chance = blend.chance(
                float(stems[place]) / ideal_stems,
                float(chars[place]) / ideal_chars,
                float(close[place]) if close is not None else 0.0,
                float(match[place]),
            )
            found.append((place, chance))
        return found

    def parts(self, text: str, row: int, category: str | None = None) -> tuple[float, float, float, float]:
        """The four numbers behind the chance of one row; for fitting and for "why this article"."""
        folded = _read(text)[:_QUERY_TOKENS]
        stems, ideal_stems = self._stems.search(list(dict.fromkeys(stem(token) for token in folded)))
        chars, ideal_chars = self._chars.search(_grams(folded))
        vector = self._encoder.encode_one(text) if self._vectors.size else None
        close = float((self._vectors[row] @ vector).max()) if vector is not None else 0.0
        return (
            float(stems[row]) / ideal_stems,
            float(chars[row]) / ideal_chars,
            close,
            float(bool(category) and self._articles[row].category == category),
        )

    def article_at(self, row: int) -> IndexedArticle:
        """The article of a row that `rank` named."""
        return self._articles[row]
