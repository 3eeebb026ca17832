"""A model on disk: plain arrays and a manifest in JSON. Nothing in it can run."""

import hashlib
import io
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np

from models.evaluate import Thresholds
from models.held import Held
from models.products import Bytes
from models.scoring import Mixture, Outsider, TextModel

ARRAYS = "arrays.npz"
MANIFEST = "manifest.json"
HELD = "held.json"
FORMAT = 3


class ArtefactRefused(Exception):
    """A model file is altered, incomplete or of another format, and was not loaded."""

    def __init__(self, name: str, reason: str) -> None:
        self.name, self.reason = name, reason
        super().__init__(f"model {name} refused: {reason}")


@dataclass(frozen=True, slots=True)
class Draft:
    """A trained model with its figures, not yet published."""

    name: str
    model: TextModel
    thresholds: Thresholds
    metrics: Mapping[str, Any]
    data_hash: str
    rows: int
    languages: tuple[str, ...]
    encoder: str = "none"
    held: Held | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)


def code_version() -> str:
    """The version of Priyom that trained a model."""
    try:
        return version("priyom")
    except PackageNotFoundError:
        return "0"


def _packed(vocabulary: Mapping[str, int]) -> np.ndarray[Any, np.dtype[np.uint8]]:
    return np.frombuffer("\n".join(sorted(vocabulary, key=vocabulary.__getitem__)).encode(), dtype=np.uint8)


def _unpacked(packed: np.ndarray[Any, np.dtype[np.uint8]], *, start: int) -> dict[str, int]:
    text = packed.tobytes().decode()
    return {feature: column for column, feature in enumerate(text.split("\n"), start)} if text else {}


def pack(model: TextModel) -> bytes:
    """The arrays of a model as one npz file."""
    arrays: dict[str, Any] = {
        "words": _packed(model.words),
        "chars": _packed(model.chars),
        "idf": model.idf,
        "weights": model.weights,
        "bias": model.bias,
    }
    if model.anchors is not None:
        arrays |= {"anchors": model.anchors.rows, "anchor_scales": model.anchors.steps}
    for name in ("anchor_weights", "shared_weights"):
        value = getattr(model, name)
        if value is not None:
            arrays[name] = value
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    return buffer.getvalue()


def unpack(name: str, data: bytes, manifest: Mapping[str, Any], *, encoder: bool = True) -> TextModel:
    """A model from its arrays, without those that only an `encoder` can use; shapes are checked, pickles are never read."""
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
            words = _unpacked(arrays["words"], start=0)
            chars = _unpacked(arrays["chars"], start=len(words))
            model = TextModel(
                classes=tuple(manifest["classes"]),
                words=words,
                chars=chars,
                idf=arrays["idf"],
                weights=arrays["weights"],
                bias=arrays["bias"],
                anchors=Bytes(arrays["anchors"], arrays["anchor_scales"]) if encoder and "anchors" in arrays else None,
                anchor_weights=arrays.get("anchor_weights") if encoder else None,
                shared_weights=arrays.get("shared_weights") if encoder else None,
                gamma=float(manifest["gamma"]),
                mixture=Mixture.from_json(manifest["mixture"]),
                outsider=Outsider(**{name: tuple(map(float, line)) for name, line in manifest.get("outsider", {}).items()}),
            )
    except (OSError, ValueError, KeyError, TypeError) as broken:
        raise ArtefactRefused(name, f"its arrays cannot be read ({broken})") from broken
    if model.weights.shape != (len(words) + len(chars), len(model.classes)) or model.idf.shape[0] != model.weights.shape[0]:
        raise ArtefactRefused(name, "its arrays do not fit together")
    return model


def describe(draft: Draft, files: Mapping[str, bytes]) -> dict[str, Any]:
    """The manifest of a draft, without the facts that publishing adds."""
    return {
        "format": FORMAT,
        "name": draft.name,
        "classes": list(draft.model.classes),
        "mixture": asdict(draft.model.mixture),
        "gamma": draft.model.gamma,
        "outsider": asdict(draft.model.outsider),
        "thresholds": draft.thresholds.to_json(),
        "metrics": dict(draft.metrics),
        "data_hash": draft.data_hash,
        "rows": draft.rows,
        "languages": list(draft.languages),
        "encoder": draft.encoder,
        "features": {"words": len(draft.model.words), "chars": len(draft.model.chars)},
        "code_version": code_version(),
        "files": {name: hashlib.sha256(data).hexdigest() for name, data in files.items()},
        "extra": dict(draft.extra),
    }


def write_draft(folder: Path, draft: Draft) -> None:
    """Write a draft; the registry signs and publishes it."""
    folder.mkdir(parents=True, exist_ok=True)
    files = {ARRAYS: pack(draft.model)} | ({HELD: draft.held.write()} if draft.held is not None else {})
    for name, data in files.items():
        (folder / name).write_bytes(data)
    (folder / MANIFEST).write_text(json.dumps(describe(draft, files), ensure_ascii=False, indent=1, sort_keys=True), encoding="utf-8")
