"""Article search on a small and on a large shelf, by words alone and with the sentence encoder reading the question."""

import os
import time
from collections.abc import Sequence

os.environ.setdefault("OMP_NUM_THREADS", "1")  # as in the product, before numpy is there

import numpy as np

from benchmarks import shelf
from benchmarks.report import Row
from benchmarks.timing import fresh, times
from models.encoder import Encoder, NullEncoder, Vectors, load_encoder
from models.retrieval import ArticleIndex, IndexedArticle

SIZES = ((1_000, 5.0), (100_000, 20.0))  # articles, and the milliseconds that 95 of 100 searches may take


class ShelfEncoder:
    """Random directions for what the articles say, the true encoder for questions: a hundred thousand titles take an hour to encode."""

    name = "shelf"

    def __init__(self, reader: Encoder) -> None:
        self._reader = reader
        self._chance = np.random.default_rng(0)
        self.dimension = reader.dimension

    def encode(self, texts: Sequence[str]) -> Vectors:
        vectors: Vectors = self._chance.standard_normal((len(texts), self.dimension), dtype=np.float32)
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        return vectors

    def encode_one(self, text: str) -> Vectors | None:
        return self._reader.encode_one(text)


def measure(*, quick: bool) -> list[Row]:
    preset, reader, rows = shelf.preset(), load_encoder(), list[Row]()
    asked = shelf.questions(preset, 150 if quick else 400)
    reading = times(reader.encode_one, fresh(asked), share=0.95)
    for size, bound in SIZES[:1] if quick else SIZES:
        articles = list(shelf.articles(preset, size))
        rows += _rows(articles, NullEncoder(), asked, bound, None)
        if reader.dimension:
            rows += _rows(articles, ShelfEncoder(reader), asked, bound, reading)
    return rows


def _rows(articles: list[IndexedArticle], encoder: Encoder, asked: list[str], bound: float, reading: float | None) -> list[Row]:
    words = "with the encoder; baseline: the encoder alone" if encoder.dimension else "words alone"
    began = time.process_time()
    index = ArticleIndex.build(articles, encoder)
    built = time.process_time() - began
    spent = times(lambda text: index.search(text, "ru"), fresh(asked), share=0.95)
    return [
        Row.of(f"search of {len(index):,} articles, p95, {words}", spent, "ms", baseline=reading, at_most=bound),
        Row.of(f"building that index, {words.partition(';')[0]}", built, "CPU s"),
    ]
