"""What people said of the articles they were shown, learned: the weights that order a search, and the chance that the first is right."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from models.ranking import Blend, Matrix, standing
from models.retrieval import ArticleIndex

LEAST = 200  # opinions, below which the shipped weights know more than they do
_CURVE, _WEIGHTS = 5.0, 20.0  # how many opinions' worth the shipped numbers count, for the curve and for the order


@dataclass(frozen=True, slots=True)
class Click:
    """A search that was judged: the signals of its candidates (candidates, `ranking.NAMES`) and the places of those that were shown.

    Of these some helped, some were refused, and of the others nothing was said.
    """

    signals: Matrix
    shown: tuple[int, ...]
    helped: tuple[int, ...]
    refused: tuple[int, ...]


def click(
    index: ArticleIndex,
    text: str,
    language: str,
    category: str | None,
    *,
    shown: Sequence[str],
    helped: Sequence[str],
    refused: Sequence[str],
) -> Click | None:
    """A judged search as the index compares it today; None where none of the articles of then is among the candidates any more."""
    compared = index.compare(text, language, category)
    if compared is None:
        return None
    rows, signals = compared
    place = {index.article_at(row).article_id: number for number, row in enumerate(rows.tolist())}
    told = [tuple(place[one] for one in ids if one in place) for ids in (shown, helped, refused)]
    return Click(signals, *told) if told[1] or told[2] else None


def opinions(clicks: Sequence[Click]) -> int:
    """How many opinions there are."""
    return sum(len(click.helped) + len(click.refused) for click in clicks)


def learned(clicks: Sequence[Click], prior: Blend) -> Blend:
    """The blend that fits the opinions and stays as near to the shipped one as they allow; the shipped one itself while they are few.

    Two logistic regressions with a Gaussian prior around the shipped numbers: of "helped" on the signals, which gives the chance, and of
    "stood above what did not help" on the differences, which gives the order (Bradley and Terry's comparison of pairs).
    """
    said = opinions(clicks)
    if said < LEAST:
        return prior
    rows, truth, pairs = [], [], []
    for click in clicks:
        out = standing(click.signals)
        for place in (*click.helped, *click.refused):
            rows.append(np.concatenate([[1.0], click.signals[place]]))
            truth.append(float(place in click.helped))
        pairs += [out[best] - out[other] for best in click.helped for other in click.shown if other not in click.helped]
    # Likeness never speaks against an article: opinions that say so are about something else, and would turn the shelf upside down.
    curve = _fitted(np.array(rows), np.array(truth), np.array(prior.curve), _CURVE, least=[None, *[0.0] * len(prior.weights)])
    weights = prior.weights
    if pairs:
        weights = _fitted(np.array(pairs), np.ones(len(pairs)), np.array(weights), _WEIGHTS, least=[0.0] * len(weights))
    return Blend(weights=weights, curve=curve, opinions=said)


def _fitted(rows: Matrix, truth: Matrix, start: Matrix, strength: float, *, least: Sequence[float | None]) -> tuple[float, ...]:
    """Maximum a posteriori, no number below its `least`. Newton's bare steps overshoot where the shipped numbers are far off."""
    # 13 MB that a desk with few opinions does without.
    from scipy.optimize import minimize
    from scipy.special import expit

    def loss(found: Matrix) -> tuple[float, Matrix]:
        told = rows @ found
        off = found - start
        value = float(np.sum(np.logaddexp(0, told) - truth * told) + strength / 2 * off @ off)
        return value, rows.T @ (expit(told) - truth) + strength * off

    found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=[(floor, None) for floor in least])  # type: ignore[no-untyped-call]  # SciPy has no types
    return tuple(found.x.tolist())
