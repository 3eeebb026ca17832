"""Opinions move the search once there are enough of them, and a handful of wrong ones does not."""

import numpy as np
import pytest

from models.ranking import Blend
from models.relearn import LEAST, Click, learned, opinions

PRIOR = Blend(weights=(0.2, 0.3, 0.4, 0.15, 0.5), curve=(-4.6, 2.3, 1.9, 5.3, 2.8, 0.9))


def clicks(count: int, *, signal: int, against: bool = False, seed: int = 0) -> list[Click]:
    """Searches of three candidates in which the one with the greatest (least) value of one signal helped, and another was refused."""
    chance = np.random.default_rng(seed)
    made = []
    for _ in range(count):
        signals = chance.random((3, 5))
        signals[:, 4] = 0
        order = np.argsort(signals[:, signal] * (1 if against else -1))
        made.append(Click(signals, (0, 1, 2), (int(order[0]),), (int(order[1]),)))
    return made


def test_few_opinions_leave_the_shipped_numbers() -> None:
    few = clicks(LEAST // 2 - 1, signal=0)
    assert opinions(few) < LEAST
    assert learned(few, PRIOR) is PRIOR


def test_many_opinions_reorder() -> None:
    found = learned(clicks(300, signal=0), PRIOR)
    assert found.opinions == 600
    assert found.weights[0] > max(found.weights[1:4])
    unseen = clicks(100, signal=0, seed=5)
    right = np.mean([int(found.order(one.signals).argmax()) == one.helped[0] for one in unseen])
    before = np.mean([int(PRIOR.order(one.signals).argmax()) == one.helped[0] for one in unseen])
    assert right > before + 0.15


def test_the_chance_follows_what_helped() -> None:
    found = learned(clicks(300, signal=0), PRIOR)
    high, low = (found.chance(np.array([value, 0.5, 0.5, 0.5, 0])) for value in (0.9, 0.1))
    assert high - low > PRIOR.chance(np.array([0.9, 0.5, 0.5, 0.5, 0])) - PRIOR.chance(np.array([0.1, 0.5, 0.5, 0.5, 0]))


def test_a_handful_of_wrong_opinions_does_not_turn_the_order() -> None:
    good = clicks(300, signal=2)
    poisoned = learned([*good, *clicks(12, signal=2, against=True, seed=9)], PRIOR)
    assert int(np.argmax(poisoned.weights[:4])) == 2


def test_the_same_opinions_give_the_same_numbers() -> None:
    assert learned(clicks(300, signal=1), PRIOR) == learned(clicks(300, signal=1), PRIOR)


def test_likeness_never_speaks_against_an_article() -> None:
    found = learned(clicks(400, signal=2, against=True), PRIOR)
    assert min(found.weights) >= 0
    assert min(found.curve[1:]) >= 0


@pytest.mark.parametrize("helpful", [0.1, 0.5, 0.9])
@pytest.mark.parametrize("level", [0.05, 0.5, 1.0])
def test_however_far_off_the_shipped_numbers_are_the_chance_becomes_that_of_the_opinions(level: float, helpful: float) -> None:
    chance = np.random.default_rng(1)
    made = []
    for number in range(500):
        signals = np.clip(level + chance.normal(scale=0.02, size=(3, 5)), 0, 1)
        made.append(Click(signals, (0, 1, 2), (0,), ()) if number < 500 * helpful else Click(signals, (0, 1, 2), (), (0,)))
    assert learned(made, PRIOR).chance(np.full(5, level)) == pytest.approx(helpful, abs=0.08)
