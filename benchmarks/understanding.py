"""Triage and article search, a message at a time, beside scikit-learn's own pipeline in the same run."""

import tempfile
from pathlib import Path

from benchmarks.bench_nlu_quick import AT, articles, build, catalogue, examples, fresh, times
from benchmarks.report import Row
from models.encoder import NullEncoder, load_encoder
from models.registry import Registry
from models.rows import category_rows, intent_rows
from models.training import train_and_publish
from nlu.triage import TriageEngine
from nlu.turn import CategoryDef


def measure(*, quick: bool) -> list[Row]:
    from models.train import pipeline

    spoken, found, topics = examples(), articles(), catalogue()
    second = [topic["key"] for topic in topics if topic["parent"]]
    sets = {
        "category": category_rows(spoken, categories=second, articles=[(a.category or "", a.language, a.title, a.keywords) for a in found]),
        "intent": intent_rows(spoken, categories=second),
    }
    known = {
        topic["key"]: CategoryDef(
            topic["key"],
            topic["parent"],
            topic["titles"],
            topic["kind"],
            topic["impact"],
            topic["urgency"],
            topic["form"],
            topic["human_now"],
        )
        for topic in topics
    }
    texts = [text for intents in spoken.values() for label, said in intents.items() if label in known for text in said][
        :: 30 if quick else 6
    ]
    trained = pipeline(rows=len(sets["category"])).fit([row.text for row in sets["category"]], [row.label for row in sets["category"]])
    theirs, _late = times(lambda text: trained.predict([text]), texts)
    with tempfile.TemporaryDirectory() as folder:
        registry = Registry(Path(folder), secret="benchmark")
        train_and_publish(registry, sets, created_at=AT)
        category, intent = registry.load("category"), registry.load("intent")
    rows = []
    for name, encoder in (("lexical", NullEncoder()), ("with encoder", load_encoder())):
        encoder.encode(["warm"])
        engine = TriageEngine(category_model=category, intent_model=intent, catalogue=known, encoder=encoder)
        index, _seconds = build(found, encoder)
        said = fresh(texts) if encoder.dimension else texts
        median, _p95 = times(lambda text, used=engine: used.triage(text, language="ru"), said)  # type: ignore[misc]
        searched, _p95 = times(lambda text, used=index: used.search(text, "ru"), said)  # type: ignore[misc]
        rows += [
            Row.of(f"triage of one message, both models, {name}, beside scikit-learn's category alone", median, "ms", baseline=theirs),
            Row.of(f"article search for a text already judged, {len(index)} articles, {name}", searched, "ms"),
        ]
    return rows
