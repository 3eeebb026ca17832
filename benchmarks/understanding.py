"""Understanding one message: triage beside the scikit-learn pipeline, article search beside plain bm25s, each also with the encoder."""

import asyncio
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")  # as in the product, before numpy is there

from benchmarks import running
from benchmarks.report import Row
from benchmarks.running import RunningDesk
from gateway.bootstrap import Desk
from gateway.settings import Settings
from gateway.understanding import catalogue_of, offered_articles, training_sets
from models.encoder import Encoder, NullEncoder, load_encoder
from models.features import char_analyzer, word_analyzer
from models.retrieval import ArticleIndex, IndexedArticle
from models.rows import Row as Example
from nlu.extract import Extractor, Vocabulary
from nlu.text import normalise
from nlu.triage import TriageEngine


def measure(*, quick: bool) -> list[Row]:
    with running.folder("understanding") as folder:
        home = RunningDesk(folder).make().home
        return asyncio.run(_measure(home, count=150 if quick else 600))


async def _measure(home: Path, *, count: int) -> list[Row]:
    desk = Desk(Settings(home=home))
    try:
        config = await desk.config()
        async with desk.database.read() as session:
            sets, articles = await training_sets(session, config), await offered_articles(session, desk.clock.now().date())
    finally:
        await desk.close()
    examples = [row for row in sets["category"] if row.measured][:: max(1, len(sets["category"]) // count)]
    texts = [row.text for row in examples]
    category, intent, known = desk.registry.load("category"), desk.registry.load("intent"), catalogue_of(config)
    lexical, encoder = NullEncoder(), load_encoder()

    def triage(chosen: Encoder) -> Callable[[str], object]:
        engine = TriageEngine(category_model=category, intent_model=intent, catalogue=known, encoder=chosen)
        return lambda text: engine.triage(text, language="ru")

    pipeline = _pipeline(sets["category"])
    theirs = _times(pipeline, texts)
    words = _times(triage(lexical), texts)
    rows = [
        Row.of("triage of a message, words alone (both models); baseline: scikit-learn pipeline (one model)", words, "ms", baseline=theirs)
    ]
    extractor, now = Extractor(Vocabulary.from_json(config.names)), desk.clock.now()
    read = _times(lambda text: extractor.find(text, now=now), texts, share=0.95)
    bare = _times(normalise, texts, share=0.95)
    rows.append(Row.of("extraction from a message, p95; baseline: its normalisation alone", read, "ms", baseline=bare, at_most=1))
    huge = _times(lambda text: extractor.find(text, now=now), [(f"{text} " * 100_000)[:100_000] for text in texts[:20]], share=0.95)
    rows.append(Row.of("extraction from 100,000 characters, p95", huge, "ms", at_most=100))
    index = ArticleIndex.build(articles, lexical)
    plain = _times(_bm25s(articles), texts)
    searched = _times(lambda text: index.search(text, "ru"), texts)
    rows.append(
        Row.of(f"search of {len(index)} articles, words alone; baseline: bm25s over the same words", searched, "ms", baseline=plain)
    )
    if encoder.dimension:
        encoder.encode(["warm"])
        alone = _times(lambda text: encoder.encode([text]), _fresh(texts))
        both = _times(triage(encoder), _fresh(texts))
        rows.append(Row.of("triage of a message with the encoder; baseline: the encoder alone", both, "ms", baseline=alone))
        whole = ArticleIndex.build(articles, encoder)
        found = _times(lambda text: whole.search(text, "ru"), _fresh(texts))
        rows.append(Row.of("search of the articles with the encoder; baseline: the encoder alone", found, "ms", baseline=alone))
    return rows


def _times(work: Callable[[str], object], texts: list[str] | Iterator[list[str]], *, share: float = 0.5) -> float:
    """Milliseconds in which that share of the texts is done, after a warm pass; a fresh list for each where the work remembers texts."""
    passes = [texts, texts] if isinstance(texts, list) else [next(texts), next(texts)]
    spent: list[float] = []
    for some in passes:
        spent.clear()
        for text in some:
            began = time.perf_counter()
            work(text)
            spent.append((time.perf_counter() - began) * 1000)
    return sorted(spent)[int(share * len(spent))]


def _fresh(texts: list[str]) -> Iterator[list[str]]:
    number = 0
    while True:
        number += 1
        yield [f"{text} {number}" for text in texts]


def _pipeline(rows: list[Example]) -> Callable[[str], object]:
    from models.train import pipeline

    trained = pipeline(rows=len(rows)).fit([row.text for row in rows], [row.label for row in rows])
    return lambda text: trained.decision_function([text])


def _bm25s(articles: list[IndexedArticle]) -> Callable[[str], object]:
    """The library as its documentation uses it, over all words of the articles."""
    import bm25s

    def analyse(text: str) -> list[str]:
        return word_analyzer(text) + char_analyzer(text)

    retriever = bm25s.BM25()
    retriever.index([analyse(f"{article.title} {article.body}") for article in articles], show_progress=False)
    return lambda text: retriever.retrieve([analyse(text)], k=3, show_progress=False)
