"""Understanding a message: scoring, triage beside scikit-learn's pipeline, article search beside plain bm25s, also with the encoder."""

import asyncio
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")  # as in the product, before numpy is there

from benchmarks import running
from benchmarks.report import Row
from benchmarks.running import RunningDesk
from benchmarks.timing import fresh, resident_mb, times
from gateway.bootstrap import Desk
from gateway.settings import Settings
from gateway.understanding import MODELS, catalogue_of, offered_articles, training_sets
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
    people = [row.text for row in sets["category"] if row.measured]
    rows = _scoring(desk, people, articles)
    texts = people[:: max(1, len(sets["category"]) // count)]
    category, intent, known = desk.registry.load("category"), desk.registry.load("intent"), catalogue_of(config)
    lexical, encoder = NullEncoder(), load_encoder()

    def triage(chosen: Encoder) -> Callable[[str], object]:
        engine = TriageEngine(category_model=category, intent_model=intent, catalogue=known, encoder=chosen)
        return lambda text: engine.triage(text, language="ru")

    pipeline = _pipeline(sets["category"])
    theirs = times(pipeline, texts)
    words = times(triage(lexical), texts)
    rows.append(
        Row.of("triage of a message, words alone (both models); baseline: scikit-learn pipeline (one model)", words, "ms", baseline=theirs)
    )
    extractor, now = Extractor(Vocabulary.from_json(config.names)), desk.clock.now()
    read = times(lambda text: extractor.find(text, now=now), texts, share=0.95)
    bare = times(normalise, texts, share=0.95)
    rows.append(Row.of("extraction from a message, p95; baseline: its normalisation alone", read, "ms", baseline=bare, at_most=1))
    huge = times(lambda text: extractor.find(text, now=now), [(f"{text} " * 100_000)[:100_000] for text in texts[:20]], share=0.95)
    rows.append(Row.of("extraction from 100,000 characters, p95", huge, "ms", at_most=100))
    index = ArticleIndex.build(articles, lexical)
    plain = times(_bm25s(articles), texts)
    searched = times(lambda text: index.search(text, "ru"), texts)
    rows.append(
        Row.of(f"search of {len(index)} articles, words alone; baseline: bm25s over the same words", searched, "ms", baseline=plain)
    )
    if encoder.dimension:
        encoder.encode(["warm"])
        alone = times(lambda text: encoder.encode([text]), fresh(texts))
        both = times(triage(encoder), fresh(texts))
        rows.append(Row.of("triage of a message with the encoder; baseline: the encoder alone", both, "ms", baseline=alone))
        whole = ArticleIndex.build(articles, encoder)
        found = times(lambda text: whole.search(text, "ru"), fresh(texts))
        rows.append(Row.of("search of the articles with the encoder; baseline: the encoder alone", found, "ms", baseline=alone))
    return rows


def _scoring(desk: Desk, texts: list[str], articles: list[IndexedArticle]) -> list[Row]:
    """The category model alone, on texts it was not warmed with; first of all, because memory is counted from before anything is loaded."""
    before = resident_mb()
    models, encoder = [loaded.model for name in MODELS if (loaded := desk.registry.load(name)) is not None], load_encoder()
    category = models[0]
    index = ArticleIndex.build(articles, encoder)

    def halves() -> Iterator[list[str]]:
        return iter((texts[::2], texts[1::2]))

    alone = times(category.score, halves(), share=0.95)
    rows = [Row.of("scoring of a message by the category model, words alone, p95", alone, "ms", at_most=0.3)]
    if encoder.dimension:
        read = times(lambda text: encoder.encode([text]), halves(), share=0.95)
        both = times(lambda text: category.score(text, encoder.encode([text])[0]), halves(), share=0.95)
        for text in texts[:200]:
            for model in models:
                model.score(text, encoder.encode_one(text))
            index.search(text, "ru")
        taken = resident_mb() - before
        began = time.process_time()
        category.score_many(texts, encoder.encode(texts))
        rate = len(texts) / (time.process_time() - began)
        rows += [
            Row.of("scoring with the encoder, p95; baseline: the encoder alone", both, "ms", baseline=read, at_most=4),
            Row.of(f"messages scored a second of one core, {len(texts)} at once, with the encoder", rate, "/s", at_least=800),
            Row.of("memory that models, encoder and article index add", taken, "MB", at_most=250),
        ]
    return rows


def _pipeline(rows: list[Example]) -> Callable[[str], object]:
    from models.lexical import pipeline

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
