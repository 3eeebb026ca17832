"""Article search in memory: BM25 over stems and over character n-grams, the meaning of titles and texts, joined and calibrated."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from models.bm25 import Field
from models.encoder import Encoder
from models.features import read, token_chars
from models.meaning import Closeness, Meaning
from models.passages import best_part, pages_of, parts_of
from models.ranking import POOL, Blend
from models.words import fold as fold_token
from models.words import stem

_TITLE_TIMES = 3
_KEYWORD_TIMES = 2
_KEYWORDS = 12  # that the encoder reads; the rest count by their letters
_OPENING = 60  # words of a text whose characters are read: what it is about stands there, the rest only dilutes
_QUERY_TOKENS = 60
_SHOWN = 10


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
    asked: tuple[str, ...] = ()  # questions of people that an editor says it answers


@dataclass(frozen=True, slots=True)
class ArticleHit:
    """A found article: `score` is the calibrated chance that it is the right one, comparable between queries."""

    article_id: str
    key: str
    title: str
    passage: str
    language: str
    score: float
    pages: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Ranked:
    """A row of the index in its place: the chance that it is the right one, and the signals behind it, in the order of `ranking.NAMES`."""

    row: int
    chance: float
    signals: tuple[float, ...]


# Rounded from `python -m benchmarks.search_fit`: weights from public questions with known answers, each set judged by the weights of the
# other; the curve from these and from the examples of the shipped preset, in equal parts, with questions that no article answers.
WITH_ENCODER = Blend(weights=(0.2, 0.3, 0.4, 0.15, 0.5), curve=(-4.6, 2.3, 1.9, 5.3, 2.8, 0.9))
LEXICAL = Blend(weights=(0.5, 0.5, 0.0, 0.0, 0.5), curve=(-3.6, 3.3, 4.1, 0.0, 0.0, 0.9))
ABSTAIN = 0.55


def _read(text: str) -> list[str]:
    return [fold_token(token) for token in read(text)]


def _grams(folded: Iterable[str]) -> list[str]:
    return [gram for token in folded for gram in token_chars(token) if len(gram) >= 3]


class ArticleIndex:
    """An index that nobody changes once it is in use; build a new one when articles change and swap it in. Any thread may search."""

    def __init__(self, articles: Sequence[IndexedArticle], encoder: Encoder, meaning: Meaning | None) -> None:
        self.blend = LEXICAL if meaning is None else WITH_ENCODER
        self._articles = tuple(articles)
        self._encoder = encoder
        self.meaning = meaning
        self.rows = {article.article_id: row for row, article in enumerate(articles)}
        self._names = [(f"key {article.key}", f"title {article.title.casefold()}") for article in articles]
        self._categories = np.array([article.category or "" for article in articles])
        names = {(article.key, article.language) for article in articles}
        self._open = {
            language: np.array([a.language == language or (a.key, language) not in names for a in articles], dtype=bool)
            for language in {a.language for a in articles}
        }
        if articles:
            told = [(_read(a.title), _read(" . ".join([*a.keywords, *a.asked, a.summary])), _read(a.body)) for a in articles]
            fields = [[*title * _TITLE_TIMES, *keywords * _KEYWORD_TIMES, *body] for title, keywords, body in told]
            self._stems = Field([[stem(token) for token in field] for field in fields])
            self._chars = Field([_grams([*title * _TITLE_TIMES, *keywords, *body[:_OPENING]]) for title, keywords, body in told])

    @classmethod
    def build(cls, articles: Sequence[IndexedArticle], encoder: Encoder, *, previous: "ArticleIndex | None" = None) -> "ArticleIndex":
        """Index articles, about 20 ms each with the encoder: call it in a thread. What `previous` has read is not read again."""
        meaning = Meaning.of(
            [[article.title, *article.keywords[:_KEYWORDS], *article.asked] for article in articles],
            [article.body for article in articles],
            encoder,
            previous=previous.meaning if previous is not None else None,
        )
        return cls(articles, encoder, meaning)

    def __len__(self) -> int:
        return len(self._articles)

    def search(
        self, text: str, language: str, category: str | None = None, limit: int = 3, *, threshold: float | None = None
    ) -> list[ArticleHit]:
        """The best articles above the threshold, best first; in the language asked, else in the other where only that exists."""
        floor = ABSTAIN if threshold is None else threshold
        hits: list[ArticleHit] = []
        terms = _terms(text)
        for ranked in self.rank(text, language, category)[: limit * 2]:
            if ranked.chance < floor or len(hits) == limit:
                break
            hits.append(self._hit(ranked.row, ranked.chance, terms))
        return hits

    def article(self, article_id: str) -> ArticleHit | None:
        """One article by its id, with its first part."""
        row = self.rows.get(article_id)
        return None if row is None else self._hit(row, 1.0, frozenset())

    def article_at(self, row: int) -> IndexedArticle:
        """The article of a row that `rank` named."""
        return self._articles[row]

    def rank(self, text: str, language: str, category: str | None = None) -> list[Ranked]:
        """Rows with their chance, best first, at most ten; no threshold. Of articles with one key or one title, the best alone."""
        compared = self.compare(text, language, category)
        if compared is None:
            return []
        pool, signals = compared
        found: list[Ranked] = []
        seen: set[str] = set()
        for place in np.argsort(-self.blend.order(signals), kind="stable").tolist():
            names = self._names[pool[place]]
            if not seen.isdisjoint(names):
                continue
            seen.update(names)
            found.append(Ranked(int(pool[place]), self.blend.chance(signals[place]), tuple(signals[place].tolist())))
            if len(found) == _SHOWN:
                break
        return found

    def compare(self, text: str, language: str, category: str | None = None) -> tuple[NDArray[np.int64], NDArray[np.float64]] | None:
        """The rows worth comparing with a question, and their signals (rows, `ranking.NAMES`); None where there is nothing to compare."""
        folded = _read(text)[:_QUERY_TOKENS] if self._articles else []
        if not folded:
            return None
        stems, ideal_stems = self._stems.search(list(dict.fromkeys(stem(token) for token in folded)))
        chars, ideal_chars = self._chars.search(_grams(folded))
        vector = self._encoder.encode_one(text) if self.meaning is not None else None
        close = self.meaning.close(vector) if self.meaning is not None and vector is not None else None
        pool = self._pool([stems, chars, *((close.titles, close.texts) if close else ())], language)
        meant = close or Closeness(np.zeros_like(stems), np.zeros_like(stems))
        signals = np.column_stack(
            [
                stems[pool] / ideal_stems,
                chars[pool] / ideal_chars,
                meant.titles[pool],
                meant.texts[pool],
                (self._categories[pool] == category) if category else np.zeros(len(pool)),
            ]
        ).astype(np.float64)
        return pool, signals

    def _pool(self, scores: Sequence[NDArray[np.float32]], language: str) -> NDArray[np.int64]:
        """The rows that may be offered in a language and are among the best by some signal, in their order."""
        allowed = self._open.get(language)
        rows = np.arange(len(self._articles)) if allowed is None else np.flatnonzero(allowed)
        if len(rows) <= POOL:
            return rows
        best = [rows[np.argpartition(-score[rows], POOL)[:POOL]] for score in scores]
        return np.unique(np.concatenate(best))

    def _hit(self, row: int, score: float, terms: frozenset[str]) -> ArticleHit:
        """An article as it is shown, with the part of it that fits the terms."""
        article = self._articles[row]
        passage = best_part(_parts(article.body), lambda words: sum(1 for word in words if word in terms)) or article.summary
        return ArticleHit(article.article_id, article.key, article.title, passage, article.language, round(score, 4), _pages(article.body))


_parts = lru_cache(maxsize=512)(parts_of)
_pages = lru_cache(maxsize=512)(pages_of)


def _terms(text: str) -> frozenset[str]:
    return frozenset(stem(token) for token in _read(text)[:_QUERY_TOKENS])
