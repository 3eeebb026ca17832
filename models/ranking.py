"""How the signals of an article search are joined: into an order, and into the chance that the first one is right."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]
POOL = 30  # of each signal's best that are compared with each other
NAMES = ("stems", "chars", "titles", "texts", "category")


@dataclass(frozen=True, slots=True)
class Blend:
    """Weights that join the signals (in the order of `NAMES`) for ranking, and the logistic curve that turns the best into a chance."""

    weights: tuple[float, ...]
    curve: tuple[float, ...]  # bias, then a factor a signal
    opinions: int = 0  # that it was learned from; none for a shipped one

    def order(self, signals: Matrix) -> Matrix:
        """A score a candidate from its signals (candidates, signals); of each signal, how far it stands out among the candidates counts."""
        joined: Matrix = standing(signals) @ np.array(self.weights)
        return joined

    def chance(self, signals: Matrix) -> float:
        """The chance that an article with these signals answers the question."""
        logit = self.curve[0] + float(np.dot(self.curve[1:], signals))
        return 1 / (1 + math.exp(-max(-30.0, min(30.0, logit))))


def standing(signals: Matrix) -> Matrix:
    """How far each signal of a candidate stands out among the candidates, which does not depend on the size of the shelf."""
    spread = signals.std(axis=0)
    out: Matrix = (signals - signals.mean(axis=0)) / np.where(spread < 1e-9, 1.0, spread)
    out[:, -1] = signals[:, -1]  # an article is of the category or not, however many others are
    return out
