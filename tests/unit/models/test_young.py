"""A young label is lifted over the old ones as far as that makes more answers right, and no label else is touched."""

import numpy as np

from models.young import lifts


def told(*, young: int, gap: float) -> tuple[np.ndarray, np.ndarray]:
    """Logits of two old labels of fifty texts each, always right by 2, and of a young one that falls short by `gap`."""
    truth = np.array([0] * 50 + [1] * 50 + [2] * young)
    logits = np.zeros((len(truth), 3))
    logits[np.arange(100), truth[:100]] = 2.0
    logits[100:, 0] = gap
    return logits, truth


def test_it_is_lifted_over_what_hid_it_and_stops_before_the_old_ones_lose() -> None:
    lifted = lifts(*told(young=5, gap=1.0))
    assert lifted[:2] == (0.0, 0.0)
    assert 1.0 < lifted[2] <= 2.0  # the old labels are right by 2


def test_a_lift_that_would_cost_the_old_labels_more_is_not_made() -> None:
    assert lifts(*told(young=5, gap=2.5))[2] <= 2.0


def test_where_no_label_is_young_nothing_is_lifted() -> None:
    assert lifts(*told(young=50, gap=1.0)) == ()
    few = np.array([0] * 5 + [1] * 5)
    assert lifts(np.eye(2)[few], few) == ()
