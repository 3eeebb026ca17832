"""What people said of the articles they were shown, learned: the weights that order a search, and the chance that the first is right."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from models.ranking import Blend, Matrix, standing
from models.retrieval import ArticleIndex

LEAST = 200  # opinions, below which the shipped weights know more than they do
_CURVE, _WEIGHTS = 5.0, 20.0  # how many opinions' worth the shipped numbers count, for the curve and for the order
_STEPS = 25


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
    curve = _fitted(np.array(rows), np.array(truth), np.array(prior.curve), _CURVE)
    weights = _fitted(np.array(pairs), np.ones(len(pairs)), np.array(prior.weights), _WEIGHTS) if pairs else np.array(prior.weights)
    # Likeness never speaks against an article: opinions that say so are about something else, and would turn the shelf upside down.
    curve[1:] = np.maximum(curve[1:], 0.0)
    return Blend(weights=tuple(np.maximum(weights, 0.0).tolist()), curve=tuple(curve.tolist()), opinions=said)


def _fitted(rows: Matrix, truth: Matrix, start: Matrix, strength: float) -> Matrix:
    """Maximum a posteriori by Newton's method; as few numbers as these need no library."""
    found = start.copy()
    for _ in range(_STEPS):
        chance = 1 / (1 + np.exp(-np.clip(rows @ found, -30, 30)))
        slope = rows.T @ (chance - truth) + strength * (found - start)
        bend = (rows * (chance * (1 - chance))[:, None]).T @ rows + strength * np.eye(len(start))
        step = np.linalg.solve(bend, slope)
        found -= step
        if float(np.abs(step).max()) < 1e-6:
            break
    return found
