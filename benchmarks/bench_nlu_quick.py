"""Understanding, measured quickly on the shipped preset: `python -m benchmarks.bench_nlu_quick`.

Prints milliseconds a message (baseline: the scikit-learn pipeline in the same run), training time, accuracy and memory.
"""

import os
import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import yaml

from models.encoder import Encoder, NullEncoder, load_encoder
from models.registry import Registry
from models.retrieval import ArticleIndex, IndexedArticle
from models.rows import category_rows, intent_rows
from models.training import train_and_publish
from nlu.triage import TriageEngine
from nlu.turn import CategoryDef

PRESET = Path(__file__).resolve().parent.parent / "presets" / "it_service_desk"
AT = datetime(2026, 1, 1, tzinfo=UTC)


def resident() -> float:
    """Resident memory of this process in MB."""
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * 4096 / 2**20


def examples() -> dict[str, dict[str, list[str]]]:
    found: dict[str, dict[str, list[str]]] = {}
    for path in sorted((PRESET / "nlu").glob("*.yml")):
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
        found[path.stem] = {
            block["intent"]: [line.strip()[2:].strip() for line in block["examples"].splitlines() if line.strip().startswith("- ")]
            for block in data["nlu"]
            if "intent" in block
        }
    return found


def articles() -> list[IndexedArticle]:
    found = []
    for path in sorted((PRESET / "articles").glob("*/*.md")):
        _, front, body = path.read_text(encoding="utf-8").split("---\n", 2)
        meta = yaml.safe_load(front)
        found.append(
            IndexedArticle(
                f"{path.parent.name}/{path.stem}",
                path.stem,
                path.parent.name,
                meta["title"],
                body,
                tuple(map(str, meta.get("keywords", ()))),
                meta["category"],
                meta.get("summary", ""),
            )
        )
    return found


def catalogue() -> list[dict[str, Any]]:
    data: list[dict[str, Any]] = yaml.safe_load((PRESET / "catalogue.yml").read_text(encoding="utf-8"))["categories"]
    return data


def times(work: Callable[[str], object], texts: list[str]) -> tuple[float, float]:
    """Median and 95th percentile, in milliseconds, after one warm pass."""
    for text in texts:
        work(text)
    spent = []
    for text in texts:
        started = time.perf_counter()
        work(text)
        spent.append((time.perf_counter() - started) * 1e3)
    return statistics.median(spent), sorted(spent)[int(len(spent) * 0.95)]


def fresh(texts: list[str]) -> list[str]:
    """The same texts as nobody wrote them before, so that the encoder's memory of recent texts does not help."""
    return [f"{text} {number % 7}" for number, text in enumerate(texts)]


def main() -> None:
    print(f"start: {resident():.0f} MB")
    spoken, found, topics = examples(), articles(), catalogue()
    second = [topic["key"] for topic in topics if topic["parent"]]
    sets = {
        "category": category_rows(
            spoken,
            categories=second,
            articles=[(a.category or "", a.language, a.title, a.keywords) for a in found],
            catalogue=[
                (topic["key"], language, f"{topic['titles'][language]}. {topic['description'][language]}")
                for topic in topics
                for language in topic["titles"]
            ],
        ),
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
    texts = [text for intents in spoken.values() for label, said in intents.items() if label in known for text in said][::3]
    with tempfile.TemporaryDirectory() as folder:
        registry = Registry(Path(folder), secret="benchmark")
        for encoded in (False, True):
            started = time.perf_counter()
            train_and_publish(registry, sets, created_at=AT, encoder=encoded)
            print(f"training both models {'with' if encoded else 'without'} encoder: {time.perf_counter() - started:.1f} s, child process")
            for name in sets:
                manifest = registry.manifest(name, registry.current(name) or "")
                figures = manifest["metrics"]
                print(
                    f"  {name}: {manifest['rows']} rows, accuracy {figures['accuracy']} {figures['languages']}, "
                    f"lexical {figures['lexical_accuracy']}, top3 {figures['top3']}, ece {figures['ece']}, "
                    f"weight {manifest['mixture']['weight']}, {manifest['features']}, "
                    f"{manifest['thresholds']}, {figures['bands']}"
                )
                for row in figures["confusions"][:6] if encoded else ():
                    print(f"    {row['truth']} taken for {row['said']}: {row['count']}")
        before = resident()
        lexical, encoder = NullEncoder(), load_encoder()
        category, intent = registry.load("category"), registry.load("intent")
        print(f"both models loaded: +{resident() - before:.0f} MB")
        engine = TriageEngine(category_model=category, intent_model=intent, catalogue=known, encoder=lexical)
        alone = times(lambda text: engine.triage(text, language="ru"), texts)
        print(f"triage, lexical: {alone[0]:.3f} ms, p95 {alone[1]:.3f}   ({resident():.0f} MB)")
        print(f"search build, lexical: {build(found, lexical)[1]:.2f} s")
        index, _ = build(found, lexical)
        searched = times(lambda text: index.search(text, "ru"), texts)
        print(f"search, lexical, {len(index)} articles: {searched[0]:.3f} ms, p95 {searched[1]:.3f}   ({resident():.0f} MB)")
        if encoder.dimension:
            encoder.encode(["warm"])
            print(f"encoder loaded: {resident():.0f} MB")
            both = TriageEngine(category_model=category, intent_model=intent, catalogue=known, encoder=encoder)
            joined = times(lambda text: both.triage(text, language="ru"), fresh(texts))
            print(f"triage, with encoder: {joined[0]:.3f} ms, p95 {joined[1]:.3f}")
            index, seconds = build(found, encoder)
            print(f"search build, with encoder: {seconds:.2f} s")
            first = times(lambda text: index.search(text, "ru"), fresh(texts))
            after = times(lambda text: index.search(text, "ru"), texts[:100])
            print(f"search, with encoder: {first[0]:.3f} ms, p95 {first[1]:.3f}")
            print(f"search after triage of the same text: {after[0]:.3f} ms, p95 {after[1]:.3f}")
        print(f"all loaded: {resident():.0f} MB")
        queries = [
            (text, language, label)
            for language, intents in spoken.items()
            for label, said in intents.items()
            if label in known
            for text in said
        ]
        covered = {a.category for a in found}
        right = [
            any(index.article_at(one.row).category == label for one in index.rank(text, language)[:3])
            for text, language, label in queries
            if label in covered
        ]
        print(f"article of the right category among the first three: {np.mean(right):.3f} of {len(right)} examples")
        baseline(sets["category"], texts[:200], alone[0])


def build(found: list[IndexedArticle], encoder: Encoder) -> tuple[ArticleIndex, float]:
    started = time.perf_counter()
    index = ArticleIndex.build(found, encoder)
    return index, time.perf_counter() - started


def baseline(rows: list[Any], texts: list[str], ours: float) -> None:
    """The same model as scikit-learn runs it, one message a call."""
    from models.lexical import pipeline

    trained = pipeline(rows=len(rows)).fit([row.text for row in rows], [row.label for row in rows])
    theirs, late = times(lambda text: trained.predict([text]), texts)
    print(f"baseline, scikit-learn pipeline (category alone): {theirs:.3f} ms, p95 {late:.3f}")
    print(f"ratio: both models and the rules take {ours / theirs:.2f} of that baseline")


if __name__ == "__main__":
    main()
