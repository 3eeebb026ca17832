"""Signals become an order and a chance."""

import numpy as np

from models.ranking import Blend

BLEND = Blend(weights=(1.0, 0.0, 1.0, 0.0, 0.5), curve=(-2.0, 1.0, 0.0, 3.0, 0.0, 1.0))


def test_what_stands_out_counts_whatever_the_scale() -> None:
    signals = np.array([[0.9, 0, 0.1, 0, 0], [0.1, 0, 0.9, 0, 0], [0.8, 0, 0.8, 0, 0]])
    assert BLEND.order(signals).argmax() == 2
    assert np.allclose(BLEND.order(signals * [1, 1, 10, 1, 1]), BLEND.order(signals))


def test_a_category_decides_between_equals_and_a_lone_candidate_is_no_fault() -> None:
    same = np.array([[0.5, 0, 0.5, 0, 0], [0.5, 0, 0.5, 0, 1.0]])
    assert BLEND.order(same).argmax() == 1
    assert np.isfinite(BLEND.order(same[:1])).all()


def test_a_chance_grows_with_its_signals_and_stays_a_chance() -> None:
    low, high = (BLEND.chance(np.array([each, 0, each, 0, 0])) for each in (0.1, 0.9))
    assert 0 < low < high < 1
    assert BLEND.chance(np.full(5, 1e6)) <= 1
