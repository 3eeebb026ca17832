"""How much words and meaning count is learned from what was held back."""

import numpy as np
import pytest

from models.calibration import mixture_of
from models.scoring import Floats


def halves(count: int) -> tuple[Floats, Floats, np.ndarray]:
    """A lexical half that is right four times of five and mild, and a meaning that is right nine times of ten and far off otherwise."""
    chance = np.random.default_rng(3)
    truth = chance.integers(0, 4, count)
    lexical, encoded = chance.normal(size=(2, count, 4)) * 0.3
    for half, right, height in ((lexical, 0.8, 1.0), (encoded, 0.9, 1.0)):
        said = np.where(chance.random(count) < right, truth, (truth + 1) % 4)
        half[np.arange(count), said] += height
        half[np.flatnonzero(said != truth), truth[said != truth]] -= 3.0 if right == 0.9 else 0.0
    return lexical, encoded, truth


def test_many_answers_choose_what_is_right_most_often() -> None:
    lexical, encoded, truth = halves(4_000)
    chosen = mixture_of(lexical, encoded, truth).weight
    right = {
        weight: ((1 - weight) * lexical / (lexical - lexical.mean(axis=1, keepdims=True)).std()
                 + weight * encoded / (encoded - encoded.mean(axis=1, keepdims=True)).std()).argmax(axis=1) == truth
        for weight in (0.1, 0.3, 0.5, 0.7, 0.9, 1.0, chosen)
    }  # fmt: skip
    assert right[chosen].mean() == max(each.mean() for each in right.values())


def test_few_answers_leave_it_to_the_log_loss() -> None:
    lexical, encoded, truth = halves(300)
    many, few = mixture_of(*halves(4_000)).weight, mixture_of(lexical, encoded, truth).weight
    assert few < many


@pytest.mark.parametrize("count", [2, 30])
def test_a_handful_is_joined_too(count: int) -> None:
    assert 0 < mixture_of(*halves(count)).weight <= 1
