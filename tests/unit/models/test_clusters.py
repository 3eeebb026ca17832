"""Questions that mean the same come together, the largest group first, the most central question first in it."""

import numpy as np

from models.clusters import clusters

TEXTS = ["как продлить пропуск", "где продлить пропуск в офис", "printer is jammed", "продлить пропуск", "the printer jammed again"]


def test_groups_by_spelling_without_an_encoder() -> None:
    found = clusters(TEXTS, None)
    assert [set(one.members) for one in found] == [{0, 1, 3}, {2, 4}]


def test_groups_by_meaning_across_languages() -> None:
    east, north = np.array([1.0, 0.0]), np.array([0.0, 1.0])
    vectors = np.stack([east, (east + 0.2 * north), north, east, (north + 0.3 * east)]).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    found = clusters(["а", "b", "c", "d", "e"], vectors)
    assert [set(one.members) for one in found] == [{0, 1, 3}, {2, 4}]
    assert found[0].members[0] in (0, 3)


def test_the_same_texts_give_the_same_clusters_and_odd_ones_break_nothing() -> None:
    odd = [*TEXTS, "", "😀", "ы" * 10_000]
    assert clusters(odd, None) == clusters(odd, None)
    assert sorted(place for one in clusters(odd, None) for place in one.members) == list(range(len(odd)))
    assert clusters([], None) == []
    assert clusters(["a"], None)[0].members == (0,)
