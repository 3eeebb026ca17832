"""Understanding on public sets: our figure, its aim and a plain lexical baseline of the same run. One configuration, train split only."""

import argparse
import csv
import hashlib
import json
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")  # as in the product, before numpy is there

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import FeatureUnion, Pipeline
from sklearn.svm import LinearSVC

from benchmarks import report
from benchmarks.report import ROOT, Row
from desk_core.kit.clock import SystemClock
from models.encoder import Encoder, Vectors, load_encoder
from models.evaluate import calibration_error
from models.retrieval import ABSTAIN, ArticleIndex, IndexedArticle
from models.rows import Row as Example
from models.scoring import Scored, TextModel
from models.train import fit

_KEPT = ROOT / "build" / "nlu"
_FOLDS = 5
# scikit-learn has no annotations.
_Tfidf: Any = TfidfVectorizer
_Svc: Any = LinearSVC
_Union: Any = FeatureUnion
_Pipeline: Any = Pipeline


@dataclass(frozen=True, slots=True)
class Labelled:
    """Texts with their labels."""

    texts: list[str]
    labels: list[str]

    @classmethod
    def of(cls, pairs: Iterator[tuple[str, str]] | Sequence[tuple[str, str]]) -> "Labelled":
        known = list(pairs)
        return cls([text for text, _ in known], [label for _, label in known])

    def __len__(self) -> int:
        return len(self.texts)


@dataclass(frozen=True, slots=True)
class Wanted:
    """A question, the articles that answer it, and what it is taken to be about, where anything said so."""

    text: str
    right: set[str]
    category: str | None = None


class Kept:
    """Vectors of the sets, kept on disk between runs: encoding all of them takes minutes and never changes."""

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder
        self._known: dict[str, Vectors] = {}
        self.name, self.dimension = encoder.name, encoder.dimension

    def encode(self, texts: Sequence[str]) -> Vectors:
        missing = [text for text in dict.fromkeys(texts) if text not in self._known]
        if missing:
            self._known.update(zip(missing, self._stored(missing), strict=True))
        return np.vstack([self._known[text] for text in texts])

    def encode_one(self, text: str) -> Vectors | None:
        vector: Vectors = self.encode([text])[0]
        return vector

    def _stored(self, texts: list[str]) -> Vectors:
        digest = hashlib.sha256("\0".join([self.name, *texts]).encode()).hexdigest()[:24]
        path = _KEPT / f"{digest}.npy"
        if path.exists():
            known: Vectors = np.load(path)
            return known
        vectors = self._encoder.encode(texts)
        _KEPT.mkdir(parents=True, exist_ok=True)
        np.save(path, vectors)
        return vectors


def baseline(train: Labelled, test: Labelled) -> float:
    """Accuracy of what everybody tries first: TF-IDF of words 1-2 and characters 2-5 under a linear machine."""
    found = _lexical(train).predict(test.texts)
    return float(np.mean(np.asarray(found) == np.asarray(test.labels)))


def _lexical(train: Labelled) -> Any:
    features = _Union(
        [
            ("words", _Tfidf(sublinear_tf=True, ngram_range=(1, 2))),
            ("chars", _Tfidf(sublinear_tf=True, analyzer="char_wb", ngram_range=(2, 5), min_df=2)),
        ]
    )
    steps = _Pipeline([("features", features), ("linear", _Svc(random_state=0))])
    return steps.fit(train.texts, train.labels)


def _examples(data: Labelled, language: str, source: str = "example") -> list[Example]:
    return [Example(text, label, language, source) for text, label in zip(data.texts, data.labels, strict=True)]


def _scored(model: TextModel, texts: Sequence[str], encoder: Encoder) -> list[Scored]:
    return model.score_many(texts, encoder.encode(texts) if encoder.dimension else None)


def _classified(
    name: str, train: Labelled, test: Labelled, *, language: str, encoder: Encoder, at_least: float, outside: Sequence[str] = ()
) -> tuple[list[Row], TextModel]:
    began = time.process_time()
    rejected = [Example(text, "out_of_scope", language, "rejected") for text in outside]
    model = fit([*_examples(train, language), *rejected], encoder=encoder, name=name).model
    spent = time.process_time() - began
    scored = _scored(model, test.texts, encoder)
    right = np.array([one.label == label for one, label in zip(scored, test.labels, strict=True)])
    sure = np.array([one.confidence for one in scored])
    return [
        Row.of(f"{name}: right", float(right.mean()) * 100, "%", baseline=baseline(train, test) * 100, at_least=at_least),
        Row.of(f"{name}: expected calibration error", calibration_error(sure, right), "", at_most=0.03),
        Row.of(f"{name}: training of {len(train)} rows, CPU", spent, "s"),
    ], model


def banking77(data: Path, encoder: Encoder) -> list[Row]:
    train, test = (_csv(data / "banking77" / f"{split}.csv", "category") for split in ("train", "test"))
    return _classified("banking77", train, test, language="en", encoder=encoder, at_least=93.3)[0]


def banking77_10(data: Path, encoder: Encoder) -> list[Row]:
    train, test = _jsonl(data / "banking77" / "train_10.jsonl"), _csv(data / "banking77" / "test.csv", "category")
    # The few-shot files spell one label with a capital letter.
    train = Labelled(train.texts, _spelled(train.labels, set(test.labels)))
    return _classified("banking77, 10 examples a label", train, test, language="en", encoder=encoder, at_least=82)[0]


def clinc150(data: Path, encoder: Encoder) -> list[Row]:
    sets = json.loads((data / "clinc150" / "data_without_oos_test.json").read_text(encoding="utf-8"))
    train, test, within = (Labelled.of([(text, label) for text, label in sets[split]]) for split in ("train", "test", "val"))
    rejected, outside = ([text for text, _ in sets[split]] for split in ("oos_train", "oos_val"))
    rows, model = _classified("clinc150, in scope", train, test, language="en", encoder=encoder, at_least=95.3, outside=rejected)
    truth = [0] * len(within) + [1] * len(outside)
    both = [*within.texts, *outside]
    found = [one.outside or 0.0 for one in _scored(model, both, encoder)]
    plain = -_lexical(train).decision_function(both).max(axis=1)
    rows.append(
        Row.of(
            "clinc150, out of scope: AUROC on validation",
            float(roc_auc_score(truth, found)),
            "",
            baseline=float(roc_auc_score(truth, plain)),
            at_least=0.975,
        )
    )
    return rows


def hwu64(data: Path, encoder: Encoder) -> list[Row]:
    train, test = (_jsonl(data / "hwu64" / f"{split}.jsonl") for split in ("train", "test"))
    return _classified("hwu64", train, test, language="en", encoder=encoder, at_least=91.3)[0]


def ru_intents_hwu(data: Path, encoder: Encoder) -> list[Row]:
    train, test = (_csv(data / "ru_intents_hwu" / f"{split}.csv", "label") for split in ("train", "test"))
    return _classified("ru_intents_hwu", train, test, language="ru", encoder=encoder, at_least=80)[0]


def rutube(data: Path, encoder: Encoder) -> list[Row]:
    """Class by folds over the questions, each fold with all entries of the knowledge base; then the entries as articles.

    As in the product, an article is looked for with the class that the models said of the question: here those of its fold.
    """
    cases, entries = (_records(data / "ru_rutube_support" / f"{name}.jsonl") for name in ("cases_open", "kb"))
    asked = Labelled.of([(case["text"], case["class_1"]) for case in cases])
    titles = Labelled.of([(entry["question"], entry["class_1"]) for entry in entries])
    fold_of = np.random.default_rng(0).permutation(len(asked)) % _FOLDS
    right, theirs = np.zeros(len(asked), dtype=bool), np.zeros(len(asked), dtype=bool)
    sure, said = np.zeros(len(asked)), [""] * len(asked)
    for fold in range(_FOLDS):
        held, kept = (np.flatnonzero((fold_of == fold) == wanted).tolist() for wanted in (True, False))
        train, test = (Labelled([asked.texts[i] for i in some], [asked.labels[i] for i in some]) for some in (kept, held))
        rows = [*_examples(train, "ru"), *_examples(titles, "ru", "article")]
        model = fit(rows, encoder=encoder).model
        scored = _scored(model, test.texts, encoder)
        right[held] = [one.label == label for one, label in zip(scored, test.labels, strict=True)]
        sure[held] = [one.confidence for one in scored]
        for place, one in zip(held, scored, strict=True):
            said[place] = one.label
        both = Labelled(train.texts + titles.texts, train.labels + titles.labels)
        theirs[held] = _lexical(both).predict(test.texts) == np.asarray(test.labels)
    name, shelf, wanted = rutube_shelf(data, said)
    return [
        Row.of("ru_rutube_support: class, 5 folds", float(right.mean()) * 100, "%", baseline=float(theirs.mean()) * 100, at_least=81),
        Row.of("ru_rutube_support: expected calibration error", calibration_error(sure, right), "", at_most=0.03),
        *_retrieved(name, shelf, wanted, language="ru", encoder=encoder, first=0.55, third=0.75),
    ]


def rutube_shelf(data: Path, said: Sequence[str] = ()) -> tuple[str, list[IndexedArticle], list[Wanted]]:
    """Entries of the knowledge base as articles, and the cases that some of them answer; `said` is the class read of every case."""
    cases, entries = (_records(data / "ru_rutube_support" / f"{name}.jsonl") for name in ("cases_open", "kb"))
    shelf = [
        IndexedArticle(str(entry["kb_id"]), str(entry["kb_id"]), "ru", entry["question"], entry["answer"], category=entry["class_1"])
        for entry in entries
    ]
    wanted = [
        Wanted(case["text"], {str(key) for key in case["relevant_kb_ids"]}, said[place] if said else None)
        for place, case in enumerate(cases)
        if case["relevant_kb_ids"]
    ]
    return "ru_rutube_support", shelf, wanted


def stackfaq_shelf(data: Path) -> tuple[str, list[IndexedArticle], list[Wanted]]:
    faq, queries = (_records(data / "stackfaq" / f"{name}.jsonl") for name in ("faq", "queries_open"))
    shelf = [IndexedArticle(str(one["faq_id"]), str(one["faq_id"]), "en", one["question"], "\n\n".join(one["answers"])) for one in faq]
    return "stackfaq", shelf, [Wanted(one["query"], {str(one["faq_id"])}) for one in queries]


def stackfaq(data: Path, encoder: Encoder) -> list[Row]:
    name, shelf, wanted = stackfaq_shelf(data)
    return _retrieved(name, shelf, wanted, language="en", encoder=encoder, first=0.86, third=0.95)


def _retrieved(
    name: str,
    shelf: list[IndexedArticle],
    wanted: list[Wanted],
    *,
    language: str,
    encoder: Encoder,
    first: float,
    third: float,
) -> list[Row]:
    index = ArticleIndex.build(shelf, encoder)
    ranks = [index.rank(one.text, language, one.category) for one in wanted]
    ours = [[index.article_at(ranked.row).article_id for ranked in found] for found in ranks]
    shown = np.array([bool(found) and found[0].chance >= ABSTAIN for found in ranks])
    first_right = np.array([bool(keys) and keys[0] in one.right for keys, one in zip(ours, wanted, strict=True)])
    documents = [f"{article.title} {article.body}" for article in shelf]
    features: Any = _Tfidf(sublinear_tf=True, analyzer="char_wb", ngram_range=(2, 5))
    matrix = features.fit_transform(documents)
    close = (features.transform([one.text for one in wanted]) @ matrix.T).toarray()
    plain = [[shelf[place].article_id for place in line[:3]] for line in np.argsort(-close, axis=1, kind="stable")]

    def recall(found: list[list[str]], limit: int) -> float:
        return float(np.mean([bool(one.right & set(keys[:limit])) for keys, one in zip(found, wanted, strict=True)]))

    return [
        Row.of(f"{name}: right article first", recall(ours, 1), "", baseline=recall(plain, 1), at_least=first),
        Row.of(f"{name}: right article among three", recall(ours, 3), "", baseline=recall(plain, 3), at_least=third),
        Row.of(f"{name}: questions to which an article is offered", float(np.mean(shown)), ""),
        Row.of(f"{name}: of these, the first one right", float(np.mean(first_right[shown])), "", baseline=recall(ours, 1)),
    ]


def _records(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]


def _jsonl(path: Path) -> Labelled:
    return Labelled.of([(record["text"], record["label"]) for record in _records(path)])


def _csv(path: Path, label: str) -> Labelled:
    with path.open(encoding="utf-8", newline="") as lines:
        return Labelled.of([(line["text"], line[label]) for line in csv.DictReader(lines)])


def _spelled(labels: Sequence[str], known: set[str]) -> list[str]:
    spelled = {label.lower(): label for label in known}
    return [label if label in known else spelled[label.lower()] for label in labels]


_MEASURES: dict[str, Callable[[Path, Encoder], list[Row]]] = {
    "banking77": banking77,
    "banking77_10": banking77_10,
    "clinc150": clinc150,
    "hwu64": hwu64,
    "ru_intents_hwu": ru_intents_hwu,
    "rutube": rutube,
    "stackfaq": stackfaq,
}


def main() -> int:
    """Exit 0 when everything ran, also where an aim was missed; 2 where the sets are not there."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.nlu", description=__doc__)
    parser.add_argument("sets", nargs="*", metavar="set", help=f"of {', '.join(_MEASURES)}; all by default")
    chosen = parser.parse_args()
    if unknown := [name for name in chosen.sets if name not in _MEASURES]:
        parser.error(f"no such set: {', '.join(unknown)}")
    data = Path(os.environ.get("PRIYOM_DATA") or ROOT.parent / "shared" / "data")
    if not data.is_dir():
        print(f"no public sets at {data}: set PRIYOM_DATA to their folder", file=sys.stderr)
        return 2
    started_at, loaded, rows = SystemClock().now(), load_encoder(), list[Row]()
    encoder = Kept(loaded) if loaded.dimension else loaded
    for name in chosen.sets or _MEASURES:
        print(f"{name} ...", file=sys.stderr, flush=True)
        found = _MEASURES[name](data, encoder)
        print(report.table(found), file=sys.stderr, flush=True)
        rows += found
    print(report.table(rows))
    path = report.write("bench-nlu", rows, started_at=started_at)
    missed = [row.name for row in rows if row.met is False]
    print(f"\n{len(rows)} figures, {len(missed)} aims missed; {path.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
