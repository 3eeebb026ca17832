"""Two models with texts in common say together what each said alone, and multiply once."""

from dataclasses import replace

import numpy as np
import pytest

from models.products import Bytes
from models.scoring import Mixture, TextModel
from models.sharing import shared
from tests.unit.models.test_products import unit

TEXTS = unit(120, 64)


def model(anchors: np.ndarray, *, classes: int) -> TextModel:
    chance = np.random.default_rng(classes)
    return TextModel(
        classes=tuple(map(str, range(classes))), words={}, chars={}, idf=np.zeros(0, dtype=np.float32),
        weights=np.zeros((0, classes), dtype=np.float32), bias=np.zeros(classes, dtype=np.float32), anchors=Bytes.of(anchors),
        anchor_weights=chance.normal(size=(len(anchors), classes)).astype(np.float32),
        mixture=Mixture(weight=1.0),
    )  # fmt: skip


@pytest.fixture
def apart() -> tuple[TextModel, TextModel]:
    """80 texts each, 39 of them of both; one text was taught to the first twice."""
    return model(np.concatenate([TEXTS[:79], TEXTS[50:51]]), classes=3), model(TEXTS[40:], classes=5)


def test_each_says_what_it_said_alone(apart: tuple[TextModel, TextModel]) -> None:
    together = shared(*apart)
    for vector in (*TEXTS[::7], *unit(5, 64)):
        for alone, joined in zip(apart, together, strict=True):
            expected, found = alone.score("text", vector, top=5), joined.score("text", vector, top=5)
            assert found.similarity == pytest.approx(expected.similarity, abs=1e-6)
            assert [label for label, _ in found.ranked] == [label for label, _ in expected.ranked]
            np.testing.assert_allclose([sure for _, sure in found.ranked], [sure for _, sure in expected.ranked], atol=1e-4)


def test_many_at_once_as_well(apart: tuple[TextModel, TextModel]) -> None:
    for alone, joined in zip(apart, shared(*apart), strict=True):
        vectors = unit(9, 64)
        expected = [scored.label for scored in alone.score_many(["text"] * 9, vectors)]
        assert [scored.label for scored in joined.score_many(["text"] * 9, vectors)] == expected


def test_what_both_ask_of_one_vector_is_multiplied_once(apart: tuple[TextModel, TextModel], monkeypatch: pytest.MonkeyPatch) -> None:
    one, other = shared(*apart)
    rows: list[int] = []
    multiply = Bytes.products

    def counted(self: Bytes, others: np.ndarray) -> np.ndarray:
        rows.append(len(self))
        return multiply(self, others)

    monkeypatch.setattr(Bytes, "products", counted)
    for vector in unit(2, 64):
        one.score("text", vector)
        other.score("text", vector)
    assert rows == [121, 121], "the texts of both are there once"


def test_the_rows_of_each_are_its_own(apart: tuple[TextModel, TextModel]) -> None:
    for alone, joined in zip(apart, shared(*apart), strict=True):
        assert alone.anchors is not None
        assert joined.anchors is not None
        assert sorted(map(bytes, joined.anchors.rows)) == sorted(map(bytes, alone.anchors.rows))
        assert sorted(joined.anchors.steps.tolist()) == sorted(alone.anchors.steps.tolist())


def test_without_the_encoder_there_is_nothing_to_share(apart: tuple[TextModel, TextModel]) -> None:
    one, other = apart
    wordy = replace(other, anchors=None, anchor_weights=None)
    assert shared(one, wordy) == (one, wordy)
