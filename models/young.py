"""A category of a few examples beside old ones of many: how much to lift it, so that it is recognised at all."""

import math

import numpy as np
from numpy.typing import NDArray

from models.scoring import Floats

YOUNG = 15  # examples; a label with more speaks for itself
_OF_THE_REST = 0.4  # of what the label in the middle has; where all are few, none is young
_TRIED: Floats = np.arange(0.0, 3.0, 0.05)  # lifts, in standard deviations of all logits
_FREQUENCY = 1.0  # of messages about a young label, for one about an old one


def lifts(logits: Floats, truth: NDArray[np.int64]) -> tuple[float, ...]:
    """What to add to the logits of each label, from those of held-back texts (texts, labels); empty where no label is young.

    A kernel that saw five texts says less of a sixth than one that saw fifty, and the old labels win by that alone. The lift is the one
    under which most answers are right if people write about the young label as often as about an old one, in words that lie around its
    few examples as widely as the texts of old labels lie around theirs.
    """
    sizes = np.bincount(truth, minlength=logits.shape[1])
    young = np.flatnonzero((sizes > 1) & (sizes <= YOUNG) & (sizes < _OF_THE_REST * np.median(sizes)))
    if not len(young):
        return ()
    lifted = np.zeros(logits.shape[1])
    right = logits.argmax(axis=1) == truth
    rows = np.arange(len(truth))
    rivals = logits.copy()
    rivals[rows, truth] = -np.inf
    spread = float((rivals.max(axis=1) - logits[rows, truth])[~np.isin(truth, young)].std()) or 1.0
    for label in young:
        gaps = np.delete(logits, label, axis=1).max(axis=1) - logits[:, label]  # the lift at which the label wins this text
        stolen = np.sort(gaps[(truth != label) & right])
        won = [np.mean([math.erf((lift - gap) / spread / math.sqrt(2)) for gap in gaps[truth == label]]) / 2 for lift in _TRIED]
        gain = _FREQUENCY * float(np.median(sizes)) * np.array(won) - np.searchsorted(stolen, _TRIED)
        lifted[label] = _TRIED[int(np.argmax(gain))]
    return tuple(float(round(lift, 4)) for lift in lifted)
