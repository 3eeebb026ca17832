"""Products in fewer bytes: close to those in single precision, and exact where they say so."""

import numpy as np
import pytest
from numpy.typing import NDArray

from models.products import Bytes, Weights

RANDOM = np.random.default_rng(1)


def unit(*shape: int) -> NDArray[np.float32]:
    vectors = RANDOM.normal(size=shape).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


@pytest.mark.parametrize("rows", [1, 7, 40])
def test_weights_multiply_as_numpy_does(rows: int) -> None:
    matrix, given = RANDOM.normal(size=(1_280, 256)).astype(np.float32), RANDOM.normal(size=(rows, 1_280)).astype(np.float32)
    expected = given @ matrix
    np.testing.assert_allclose(Weights(matrix).times(given), expected, atol=0.01 * float(np.abs(expected).max()))


def test_cosines_in_bytes_are_those_of_the_vectors() -> None:
    vectors = unit(1_300, 512)
    asked = vectors[::100] + RANDOM.normal(scale=0.02, size=(13, 512)).astype(np.float32)
    found = Bytes.of(vectors).products(asked)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, asked @ vectors.T, atol=4e-3)


def test_rows_come_back_as_they_went_in() -> None:
    rows = RANDOM.integers(-127, 128, size=(1_001, 512)).astype(np.int8)
    kept = Bytes(rows, np.ones(1_001, dtype=np.float32))
    assert len(kept) == 1_001
    np.testing.assert_array_equal(kept.rows, rows)


def test_nothing_to_compare_with_is_no_error() -> None:
    assert Bytes.of(np.zeros((0, 512), dtype=np.float32)).products(unit(2, 512)).shape == (2, 0)
