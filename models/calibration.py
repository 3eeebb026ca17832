"""What held-back answers teach about confidence: how the halves are joined, what "90 %" means, and what is out of scope."""

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from models.evaluate import negative_log_likelihood
from models.scoring import Floats, Mixture, Outsider, softmax
from models.young import lifts

_Logistic: Any = LogisticRegression  # has no annotations
MIN_LEVELLED = 20  # right and wrong answers each, below which a line over them would follow chance
_BENDS: Floats = np.array([-1.0, 0.0, 1.0, 2.0, 3.0, 4.0, 5.5])  # log odds: 27, 50, 73, 88, 95, 98 and 99.6 %
_COUNTED = 1_000  # answers held back, from which right ones are counted to weigh the halves
_BENDING = 500  # answers held back, from which a curve over them may bend


def mixture_of(lexical: Floats, encoded: Floats | None, truth: NDArray[np.int64]) -> Mixture:
    """How the halves are joined and levelled, from logits (texts, classes) of texts that were held back."""
    joined = _joined(lexical, encoded, truth)
    joined = replace(joined, lifts=lifts(joined.logits(lexical, encoded) / joined.sharpness, truth))
    return _levelled(joined, lexical, encoded, truth)


def outsider_of(plain: Floats, kernel: Floats | None, rejected: NDArray[np.bool_]) -> Outsider:
    """The lines that tell what is out of scope, from the signals of held-back texts in the order `Outsider` names them."""
    full = _head(np.column_stack([plain, kernel]), rejected) if kernel is not None else ()
    return Outsider(lexical=_head(plain, rejected), full=full)


def _joined(lexical: Floats, encoded: Floats | None, truth: NDArray[np.int64]) -> Mixture:
    """Scales, the encoder's weight and the temperature, all from logits of texts that were held back."""

    def spread(logits: Floats) -> float:
        return float((logits - logits.mean(axis=1, keepdims=True)).std()) or 1.0

    scale = spread(lexical)
    alone, _ = _sharpness(lexical / scale, truth)
    if encoded is None:
        return Mixture(lexical_scale=scale, sharpness=alone, lexical_sharpness=alone)
    encoder_scale = spread(encoded)
    # How sure the answers are is levelled afterwards, so what counts is how often they are right; the log loss decides between equals, and
    # alone where there are so few answers that one more of them right is chance.
    found: list[tuple[float, float, Mixture]] = []
    for weight in (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.95, 0.98, 1.0):
        joined = (1 - weight) * lexical / scale + weight * encoded / encoder_scale
        sharpness, loss = _sharpness(joined, truth)
        right = float((joined.argmax(axis=1) == truth).mean()) if len(truth) >= _COUNTED else 0.0
        found.append((right, -loss, Mixture(weight, scale, encoder_scale, sharpness, alone)))
    return max(found, key=lambda each: each[:2])[2]


def _sharpness(logits: Floats, truth: NDArray[np.int64]) -> tuple[float, float]:
    """The factor on logits with the least negative log likelihood, and that likelihood (coarse to fine on a log scale)."""
    low, high, best, loss = -2.0, 4.0, 0.0, float("inf")
    for _ in range(3):
        for candidate in np.linspace(low, high, 13):
            found = negative_log_likelihood(softmax(float(np.exp(candidate)) * logits), truth)
            if found < loss:
                best, loss = float(candidate), found
        step = (high - low) / 12
        low, high = best - step, best + step
    return float(np.exp(best)), loss


def _levelled(mixture: Mixture, lexical: Floats, encoded: Floats | None, truth: NDArray[np.int64]) -> Mixture:
    """The mixture with a curve over the log odds of its best label, so that "90 %" is right nine times of ten.

    The curve is a logistic line that may bend at `_BENDS`: examples with a wrong label hold the surest answers below what softmax says
    of them while the unsure ones are right more often, and no straight line follows both.
    """
    given = softmax(mixture.logits(lexical, encoded))
    right = given.argmax(axis=1) == truth
    if not MIN_LEVELLED <= right.sum() <= len(right) - MIN_LEVELLED:
        return mixture
    best = np.clip(given.max(axis=1), 1e-9, 1 - 1e-9)
    odds = np.log(best / (1 - best))
    bends = _BENDS if len(right) >= _BENDING else _BENDS[:0]

    def bent(odds: Floats) -> Floats:
        found: Floats = np.column_stack([odds, *(np.maximum(odds - bend, 0.0) for bend in bends)])
        return found

    line = _Logistic(C=0.5, max_iter=1000).fit(bent(odds), right)
    knots = np.concatenate([[-4.0], _BENDS, [10.0]])
    meant = np.maximum.accumulate(line.decision_function(bent(knots)))
    return replace(mixture, given=tuple(knots.tolist()), meant=tuple(meant.tolist()))


def _head(signals: Floats, rejected: NDArray[np.bool_]) -> tuple[float, ...]:
    """A logistic line over the signals of texts that were held back: bias, then a factor a signal."""
    middle, width = signals.mean(axis=0), signals.std(axis=0) + 1e-9
    line = _Logistic(class_weight="balanced", max_iter=500).fit((signals - middle) / width, rejected)
    factors = line.coef_[0] / width
    return (float(line.intercept_[0] - factors @ middle), *(float(factor) for factor in factors))
