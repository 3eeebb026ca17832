"""Products with matrices that stay as they are: laid out once, the way the processor multiplies them fastest.

By NumKong, which comes with the sentence encoder: without that there is nothing to multiply.
"""

import importlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


class Weights:
    """A matrix of weights in half of single precision's bytes (bfloat16). Off by some thousandths of the largest product."""

    def __init__(self, matrix: Floats) -> None:
        self._numkong = _numkong()
        self._laid = self._numkong.dots_pack(self._numkong.astype(np.ascontiguousarray(matrix.T), "bf16"), dtype="bf16")

    def times(self, rows: Floats) -> Floats:
        """`rows @ matrix`."""
        found: Floats = np.asarray(self._numkong.dots_packed(self._numkong.astype(rows, "bf16"), self._laid))
        return found


class Bytes:
    """Rows in a byte a number, each with what one step of it is worth: a quarter of what has to be read from memory otherwise."""

    def __init__(self, rows: NDArray[np.int8], steps: Floats) -> None:
        self._numkong = _numkong()
        self._laid = self._numkong.dots_pack(np.ascontiguousarray(rows), dtype="int8")
        self._width = rows.shape[1]
        self.steps = steps

    @classmethod
    def of(cls, rows: Floats) -> "Bytes":
        """The rows in 127 steps to either side."""
        return cls(*_in_bytes(rows))

    def __len__(self) -> int:
        return len(self.steps)

    @property
    def rows(self) -> NDArray[np.int8]:
        """As they were given: whole numbers come back from a product with ones as they went in."""
        return self._products(np.eye(self._width, dtype=np.int8)).T.astype(np.int8)

    def products(self, others: Floats) -> Floats:
        """Of each of the others (a row) with each row (a column); of unit vectors these are cosines, off by less than .001."""
        given, steps = _in_bytes(others)
        found: Floats = self._products(given).astype(np.float32) * (steps[:, None] * self.steps)
        return found

    def _products(self, given: NDArray[np.int8]) -> NDArray[np.int32]:
        return np.asarray(self._numkong.dots_packed(given, self._laid))


def _in_bytes(rows: Floats) -> tuple[NDArray[np.int8], Floats]:
    steps = np.maximum(np.abs(rows).max(axis=1), np.float32(1e-12)) / np.float32(127)
    return np.rint(rows / steps[:, None]).astype(np.int8), steps.astype(np.float32)


def _numkong() -> Any:
    # By name, because the extra is optional.
    return importlib.import_module("numkong")
