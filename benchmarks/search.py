"""Article search on a small and on a large shelf, by words alone and with the sentence encoder reading the question."""

import os
import time
from collections.abc import Sequence

os.environ.setdefault("OMP_NUM_THREADS", "1")  # as in the product, before numpy is there

import numpy as np

from benchmarks import shelf
from benchmarks.report import Row
from benchmarks.timing import fresh, resident_mb, times
from models.encoder import Encoder, Vectors, load_encoder
from models.retrieval import ArticleIndex

SIZES = ((1_000, 5.0), (100_000, 20.0))  # articles, and the milliseconds that 95 of 100 searches may take


class ShelfEncoder:
    """Random directions for what the articles say, the true encoder for questions: a hundred thousand titles take an hour to encode."""

    name = "shelf"

    def __init__(self, reader: Encoder) -> None:
        self._reader = reader
        self._chance = np.random.default_rng(0)
        self.dimension = reader.dimension
        self.reads = True  # questions; else a search goes by words alone, on the same shelf

    def encode(self, texts: Sequence[str]) -> Vectors:
        vectors: Vectors = self._chance.standard_normal((len(texts), self.dimension), dtype=np.float32)
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        return vectors

    def encode_one(self, text: str) -> Vectors | None:
        return self._reader.encode_one(text) if self.reads else None


def measure(*, quick: bool) -> list[Row]:
    preset, reader, rows = shelf.preset(), load_encoder(), list[Row]()
    asked = shelf.questions(preset, 150 if quick else 400)
    reading = times(reader.encode_one, fresh(asked), share=0.95)
    for size, bound in SIZES[:1] if quick else SIZES:
        articles, encoder = list(shelf.articles(preset, size)), ShelfEncoder(reader)
        before, began = resident_mb(), time.process_time()
        index = ArticleIndex.build(articles, encoder)
        rows.append(Row.of(f"building an index of {size:,} articles", time.process_time() - began, "CPU s"))
        rows.append(Row.of("memory that it adds", resident_mb() - before, "MB"))
        encoder.reads = False
        found = times(lambda text, index=index: index.search(text, "ru"), fresh(asked), share=0.95)
        rows.append(Row.of(f"search of {size:,} articles, words alone, p95", found, "ms", at_most=bound))
        if reader.dimension:
            encoder.reads = True
            found = times(lambda text, index=index: index.search(text, "ru"), fresh(asked), share=0.95)
            named = f"search of {size:,} articles with the encoder, p95; baseline: the encoder alone"
            rows.append(Row.of(named, found, "ms", baseline=reading, at_most=bound))
    return rows
