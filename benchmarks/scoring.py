"""Scoring by the desk's category model: one message, with and without the encoder, many at once, and the memory understanding takes."""

import asyncio
import os
import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")  # as in the product, before numpy is there

from benchmarks import running
from benchmarks.report import Row
from benchmarks.running import RunningDesk
from gateway.bootstrap import Desk
from gateway.settings import Settings
from gateway.understanding import offered_articles, training_sets
from models.encoder import load_encoder
from models.retrieval import ArticleIndex


def measure(*, quick: bool) -> list[Row]:
    with running.folder("scoring") as folder:
        home = RunningDesk(folder).make().home
        return asyncio.run(_measure(home, count=300 if quick else 2000))


async def _measure(home: Path, *, count: int) -> list[Row]:
    desk = Desk(Settings(home=home))
    try:
        config = await desk.config()
        async with desk.database.read() as session:
            sets, articles = await training_sets(session, config), await offered_articles(session, desk.clock.now().date())
    finally:
        await desk.close()
    examples = [row.text for row in sets["category"] if row.measured]
    texts = examples[:: max(1, len(examples) // count)]
    empty = _resident_mb()
    loaded, intent, encoder = desk.registry.load("category"), desk.registry.load("intent"), load_encoder()
    if loaded is None or intent is None:
        raise RuntimeError("the desk that was made has no models")
    model = loaded.model
    encoder.encode(["warm"])
    index = ArticleIndex.build(articles, encoder)
    alone, read = _each(lambda text: model.score(text), texts), _each(lambda text: encoder.encode([text]), texts)
    both = _each(lambda text: model.score(text, encoder.encode([text])[0]), texts)
    for text in texts[:200]:
        intent.model.score(text, encoder.encode_one(text))
        index.search(text, "ru")
    taken = _resident_mb() - empty
    began = time.process_time()
    model.score_many(texts, encoder.encode(texts))
    spent = time.process_time() - began
    rows = [Row.of("scoring of a message, words alone, 95th percentile", _p95(alone), "ms", at_most=0.3)]
    if encoder.dimension:
        rows += [
            Row.of(
                "scoring with the encoder, 95th percentile; baseline: the encoder alone", _p95(both), "ms", baseline=_p95(read), at_most=4
            ),
            Row.of(f"messages scored a second of one core, {len(texts)} at once, with the encoder", len(texts) / spent, "/s", at_least=800),
            Row.of("memory that models, encoder and article index add", taken, "MB", at_most=250),
        ]
    return rows


def _each(work: Callable[[str], object], texts: Sequence[str]) -> list[float]:
    """Milliseconds of each text, after a warm pass over some."""
    for text in texts[:50]:
        work(text)
    spent = list[float]()
    for text in texts:
        began = time.perf_counter()
        work(text)
        spent.append((time.perf_counter() - began) * 1000)
    return spent


def _p95(spent: Sequence[float]) -> float:
    return statistics.quantiles(spent, n=20)[-1]


def _resident_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6
