"""Figures of a model from probabilities it gave to texts it had not seen."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
ACT_PRECISION = 0.9
SUGGEST_PRECISION = 0.6
MIN_DECIDED = 20  # fewer answers than this above a threshold say nothing about precision


@dataclass(frozen=True, slots=True)
class Thresholds:
    """From `act` on the desk acts by itself, from `suggest` on it offers, below it asks."""

    act: float = 0.8
    suggest: float = 0.35
    familiar: float = 0.15  # less of a text's words known than this is strange
    similar: float = 0.0  # less cosine with the nearest class than this is strange

    def to_json(self) -> dict[str, float]:
        return asdict(self)


def negative_log_likelihood(probabilities: Floats, truth: NDArray[np.int64]) -> float:
    picked = probabilities[np.arange(len(truth)), truth]
    return float(-np.log(np.clip(picked, 1e-12, 1.0)).mean())


def calibration_error(confidence: Floats, right: NDArray[np.bool_], *, bins: int = 10) -> float:
    """Expected calibration error over equally wide bins."""
    slots = np.minimum((confidence * bins).astype(int), bins - 1)
    error = 0.0
    for slot in range(bins):
        chosen = slots == slot
        if chosen.any():
            error += float(chosen.mean()) * abs(float(right[chosen].mean()) - float(confidence[chosen].mean()))
    return error


def share_interval(right: int, count: int) -> tuple[float, float]:
    """Wilson's 95 % interval of a share; everything is possible of nothing."""
    if not count:
        return (0.0, 1.0)
    z, share = 1.96, right / count
    middle = (share + z * z / (2 * count)) / (1 + z * z / count)
    spread = z / (1 + z * z / count) * float(np.sqrt(share * (1 - share) / count + z * z / (4 * count * count)))
    return (max(0.0, middle - spread), min(1.0, middle + spread))


def threshold_for(confidence: Floats, right: NDArray[np.bool_], *, precision: float, fallback: float) -> float:
    """The lowest confidence from which answers are right at least `precision` of the time; `fallback` where the data cannot tell."""
    order = np.argsort(-confidence, kind="stable")
    share = np.cumsum(right[order]) / np.arange(1, len(order) + 1)
    good = np.flatnonzero((share >= precision) & (np.arange(1, len(order) + 1) >= MIN_DECIDED))
    return float(confidence[order[good[-1]]]) if len(good) else fallback


def metrics(probabilities: Floats, truth: NDArray[np.int64], *, classes: Sequence[str], languages: Sequence[str]) -> dict[str, Any]:
    """Accuracy (also per language and class), top three, calibration and the commonest mistakes."""
    best = probabilities.argmax(axis=1)
    right = best == truth
    confidence = probabilities.max(axis=1)
    third = np.argsort(-probabilities, axis=1)[:, :3]
    spoken = np.asarray(languages)
    mistakes: dict[tuple[str, str], int] = {}
    for true, said in zip(truth[~right].tolist(), best[~right].tolist(), strict=True):
        pair = (classes[true], classes[said])
        mistakes[pair] = mistakes.get(pair, 0) + 1
    return {
        "rows": len(truth),
        "accuracy": round(float(right.mean()), 4),
        "top3": round(float((third == truth[:, None]).any(axis=1).mean()), 4),
        "ece": round(calibration_error(confidence, right), 4),
        "nll": round(negative_log_likelihood(probabilities, truth), 4),
        "languages": {name: round(float(right[spoken == name].mean()), 4) for name in sorted(set(languages))},
        "classes": {
            name: {"rows": int((truth == i).sum()), "recall": round(float(right[truth == i].mean()), 4)}
            for i, name in enumerate(classes)
            if (truth == i).any()
        },
        "confusions": [
            {"truth": true, "said": said, "count": count}
            for (true, said), count in sorted(mistakes.items(), key=lambda item: -item[1])[:10]
        ],
    }


def decide_thresholds(
    probabilities: Floats, truth: NDArray[np.int64], *, familiarity: Floats, similarity: Floats | None
) -> tuple[Thresholds, dict[str, float]]:
    """Three bands from what precision allows, and how much of the traffic falls into each."""
    right = probabilities.argmax(axis=1) == truth
    confidence = probabilities.max(axis=1)
    act = float(np.clip(threshold_for(confidence, right, precision=ACT_PRECISION, fallback=0.85), 0.5, 0.97))
    within = (np.argsort(-probabilities, axis=1)[:, :3] == truth[:, None]).any(axis=1)
    near = threshold_for(confidence, within, precision=ACT_PRECISION, fallback=0.3)
    suggest = float(np.clip(near, 0.2, min(act, 0.5)))
    thresholds = Thresholds(
        act=round(act, 4),
        suggest=round(suggest, 4),
        familiar=round(float(np.quantile(familiarity, 0.01)), 4),
        similar=round(float(np.quantile(similarity, 0.01)), 4) if similarity is not None else 0.0,
    )
    return thresholds, {
        "act": round(float((confidence >= act).mean()), 4),
        "suggest": round(float(((confidence >= suggest) & (confidence < act)).mean()), 4),
        "ask": round(float((confidence < suggest).mean()), 4),
        "act_precision": round(float(right[confidence >= act].mean()), 4) if (confidence >= act).any() else 0.0,
    }
