"""How the weights and the curve of the article search were found: `python -m benchmarks.search_fit` (reads ../shared/data or PRIYOM_DATA).

Weights: the softmax over the candidates of a question that gives its right articles the greatest chance, on two public sets; each is also
judged by the weights of the other set alone. Curve: a logistic line over the signals of the first article, from these sets and the
examples of the shipped preset in equal parts, with questions that nothing on the shelf answers. `models/retrieval.py` holds both rounded.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from numpy.typing import NDArray
from scipy import optimize
from sklearn.linear_model import LogisticRegression

from benchmarks import shelf
from benchmarks.nlu import Kept, Wanted, rutube_shelf, stackfaq_shelf
from benchmarks.report import ROOT
from models.encoder import Encoder, NullEncoder, load_encoder
from models.ranking import NAMES, Blend
from models.retrieval import ABSTAIN, LEXICAL, WITH_ENCODER, ArticleIndex, IndexedArticle

Matrix = NDArray[np.float64]
_TELLING = len(NAMES) - 1  # the category is not known here; its weight comes from the folds of `benchmarks.nlu`
_optimize: Any = optimize  # these have no annotations
_Logistic: Any = LogisticRegression
_RIDGE = 0.02


@dataclass(frozen=True, slots=True)
class Asked:
    """A set of questions on a shelf: of each its ten first candidates with their signals and which of them are right."""

    name: str
    signals: list[Matrix]
    right: list[NDArray[np.bool_]]
    outside: list[Matrix]  # the first candidate of questions that nothing answers

    @classmethod
    def of(cls, name: str, index: ArticleIndex, wanted: Sequence[Wanted], outside: Sequence[str], language: str) -> "Asked":
        found = [(index.rank(one.text, language), one) for one in wanted]
        found = [(ranked, one) for ranked, one in found if ranked]
        strange = [index.rank(text, language)[:1] for text in outside]
        return cls(
            name,
            [np.array([each.signals for each in ranked]) for ranked, _ in found],
            [np.array([_fits(index.article_at(each.row), one) for each in ranked]) for ranked, one in found],
            [np.array([ranked[0].signals]) for ranked in strange if ranked],
        )

    def first(self, blend: Blend) -> float:
        """The share of questions whose first candidate by these weights is right."""
        return float(np.mean([right[int(blend.order(signals).argmax())] for signals, right in zip(self.signals, self.right, strict=True)]))


def _fits(article: IndexedArticle, one: Wanted) -> bool:
    return article.article_id in one.right or (not one.right and article.category == one.category)


def weights_of(sets: Sequence[Asked]) -> tuple[float, ...]:
    """The weights of the signals, in sum 1."""
    questions = [
        (_standing(signals), right, 1 / len(one.signals))
        for one in sets
        for signals, right in zip(one.signals, one.right, strict=True)
        if right.any()
    ]

    def loss(weights: Matrix) -> tuple[float, Matrix]:
        total, slope = _RIDGE * float(weights @ weights), 2 * _RIDGE * weights
        for standing, right, share in questions:
            said = standing @ weights
            chance = np.exp(said - said.max())
            chance /= chance.sum()
            total -= share * float(np.log(chance[right].sum() + 1e-12))
            slope = slope - share * ((chance * right) @ standing / (chance[right].sum() + 1e-12) - chance @ standing)
        return total, slope

    found = _optimize.minimize(loss, np.full(_TELLING, 0.3), jac=True, method="L-BFGS-B").x
    return (*(found / found.sum()).tolist(), 0.0)


def _standing(signals: Matrix) -> Matrix:
    telling = signals[:, :_TELLING]
    spread = telling.std(axis=0)
    scaled: Matrix = (telling - telling.mean(axis=0)) / np.where(spread < 1e-9, 1.0, spread)
    return scaled


def curve_of(sets: Sequence[Asked]) -> tuple[float, ...]:
    """Bias and a factor a signal, every set counting alike."""
    first = [np.vstack([*(signals[:1] for signals in one.signals), *one.outside])[:, :_TELLING] for one in sets]
    truth = [np.array([*(right[0] for right in one.right), *(False for _ in one.outside)]) for one in sets]
    importance = np.concatenate([np.full(len(each), 1_000 / len(each)) for each in truth])
    line = _Logistic().fit(np.vstack(first), np.concatenate(truth), sample_weight=importance)
    return (float(line.intercept_[0]), *(float(factor) for factor in line.coef_[0]))


def precision(one: Asked, curve: Sequence[float]) -> tuple[float, float]:
    """Of all questions the share to which something is offered, and how much of that is right."""
    chances = [1 / (1 + np.exp(-(curve[0] + each[0, :_TELLING] @ curve[1 : _TELLING + 1]))) for each in (*one.signals, *one.outside)]
    shown = np.array(chances) >= ABSTAIN
    right = np.array([*(each[0] for each in one.right), *(False for _ in one.outside)])
    return float(shown.mean()), float(right[shown].mean())


def main() -> int:
    argparse.ArgumentParser(prog="python -m benchmarks.search_fit", description=__doc__).parse_args()
    data = Path(os.environ.get("PRIYOM_DATA") or ROOT.parent / "shared" / "data")
    if not data.is_dir():
        print(f"no public sets at {data}: set PRIYOM_DATA to their folder", file=sys.stderr)
        return 2
    loaded = load_encoder()
    desk = shelf.preset()
    known = {category.key for category in desk.categories if category.parent}
    said: dict[str, list[Wanted]] = {"ru": [], "en": []}
    strange: dict[str, list[str]] = {"ru": [], "en": []}
    for (label, language), texts in desk.examples.items():
        if label in known:
            said[language] += [Wanted(text, set(), label) for text in texts]
        elif label in ("out_of_scope", "smalltalk"):
            strange[language] += texts
    for name, encoder, shipped in (("with the encoder", Kept(loaded), WITH_ENCODER), ("by words alone", NullEncoder(), LEXICAL)):
        if encoder.dimension == 0 and name.startswith("with "):
            continue
        public, preset = _sets(data, encoder, said, strange)
        print(name)
        for one, other in zip(public, reversed(public), strict=True):
            weights = weights_of([other])
            alone = Blend(weights, shipped.curve)
            print(f"  {one.name}: first right {one.first(alone):.3f} by the weights of {other.name}, {one.first(shipped):.3f} as shipped")
        print(f"  weights of both: {_rounded(weights_of(public))}, shipped: {shipped.weights}")
        curve = curve_of([*public, preset])
        print(f"  curve: {_rounded(curve)}, shipped: {shipped.curve}")
        for one in (*public, preset):
            shown, right = precision(one, shipped.curve)
            print(
                f"  {one.name}: offered to {shown:.2f} of {len(one.signals)} questions and {len(one.outside)} strangers, {right:.3f} right"
            )
    return 0


def _sets(data: Path, encoder: Encoder, said: dict[str, list[Wanted]], strange: dict[str, list[str]]) -> tuple[list[Asked], Asked]:
    public = []
    for language, (name, articles, wanted) in (("ru", rutube_shelf(data)), ("en", stackfaq_shelf(data))):
        outside = [*strange[language], *(one.text for one in said[language][::9])]
        public.append(Asked.of(name, ArticleIndex.build(articles, encoder), wanted, outside, language))
    index = ArticleIndex.build(shelf.shipped(shelf.preset()), encoder)
    both = [Asked.of("preset", index, said[language], strange[language], language) for language in sorted(said)]
    preset = Asked("preset", *([each for one in both for each in getattr(one, part)] for part in ("signals", "right", "outside")))
    return public, preset


def _rounded(numbers: Sequence[float]) -> tuple[float, ...]:
    return tuple(round(number, 2) for number in numbers)


if __name__ == "__main__":
    sys.exit(main())
