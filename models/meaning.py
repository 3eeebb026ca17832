"""What articles mean, as the sentence encoder reads their titles, keywords and sentences."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.encoder import Encoder, Vectors
from models.features import for_encoder

Floats = NDArray[np.float32]
_VOICES = 40  # title, keywords and questions that are read of an article, at most
_SENTENCES = 12
_SENTENCE = 300  # characters of a sentence
_SHORT = 15  # characters; a shorter line is a label or a mark
_LARGE = 10_000  # articles; from here on titles alone are read, and in fewer numbers, so that memory and time stay bounded
_NUMBERS, _FEWER_NUMBERS = 256, 128
_SPREAD = 0.1  # of the widest direction: how far the narrow ones are stretched to it
_FAMILIAR = 50  # articles' worth of doubt in what a small shelf tells of its own spread
_END = re.compile(r"(?<=[.!?])\s+|\n+")


@dataclass(frozen=True, slots=True)
class Closeness:
    """Cosines of a question with every article in the shelf's own space: with the best of its title and keywords, and with its text."""

    titles: Floats
    texts: Floats


class Meaning:
    """Vectors of a shelf in a space of its own.

    All titles of one shelf look alike to a general encoder, which sees first that they are all about support. So the directions that they
    share are shortened and those that tell them apart stretched: whitening by the shelf's own spread, softened for small shelves
    (Su et al. 2021, "Whitening sentence representations", keep the leading directions likewise).
    """

    def __init__(self, voices: Sequence[Sequence[str]], sentences: Sequence[Sequence[str]], known: Mapping[str, Vectors]) -> None:
        self.known = known
        lengths = [len(spoken) for spoken in voices]
        self._starts = np.cumsum([0, *lengths[:-1]])
        raw = np.stack([known[voice] for spoken in voices for voice in spoken]).astype(np.float32)
        self._middle: Floats = raw.mean(axis=0)
        self._axes = _axes(raw - self._middle, articles=len(voices))
        self._voices = self._placed(raw)
        self._texts: Floats | None = None
        if any(sentences):
            whole = [
                np.mean([known[sentence] for sentence in spoken], axis=0, dtype=np.float32) if spoken else raw[start]
                for spoken, start in zip(sentences, self._starts, strict=True)
            ]
            self._texts = self._placed(np.stack(whole))

    @classmethod
    def of(
        cls, titles: Sequence[Sequence[str]], bodies: Sequence[str], encoder: Encoder, *, previous: "Meaning | None" = None
    ) -> "Meaning | None":
        """Read a shelf, `titles` holding title and keywords of each article; what `previous` knows is not read again.

        None where there is nothing to read or to read it with.
        """
        if not encoder.dimension or not titles:
            return None
        large = len(titles) >= _LARGE
        voices = [list(dict.fromkeys(spoken))[: 1 if large else _VOICES] for spoken in titles]
        sentences = [[] if large else sentences_of(body) for body in bodies]
        wanted = list(dict.fromkeys(text for spoken in (*voices, *sentences) for text in spoken))
        known = {text: previous.known[text] for text in wanted if text in previous.known} if previous is not None else {}
        missing = [text for text in wanted if text not in known]
        if missing:
            known.update(zip(missing, encoder.encode(missing).astype(np.float16), strict=True))
        return cls(voices, sentences, known)

    def close(self, vector: Vectors) -> Closeness:
        """How close the vector of a question is to every article."""
        placed = self._placed(vector.astype(np.float32)[None])[0]
        titles: Floats = np.maximum.reduceat(self._voices @ placed, self._starts)
        return Closeness(titles, self._texts @ placed if self._texts is not None else titles)

    def _placed(self, raw: Floats) -> Floats:
        placed = (raw - self._middle) @ self._axes
        unit: Floats = placed / np.maximum(np.linalg.norm(placed, axis=1, keepdims=True), 1e-6)
        return np.ascontiguousarray(unit)


def sentences_of(body: str) -> list[str]:
    """The first sentences of an article, without lines that are only labels."""
    found = (for_encoder(part)[:_SENTENCE] for part in _END.split(body[:8_000]))
    return list(dict.fromkeys(part for part in found if len(part) > _SHORT))[:_SENTENCES]


def _axes(centred: Floats, *, articles: int) -> Floats:
    """The shelf's leading directions, the narrow ones stretched."""
    spread, directions = np.linalg.eigh((centred.T @ centred / len(centred)).astype(np.float64))
    kept = _FEWER_NUMBERS if articles >= _LARGE else _NUMBERS
    spread, directions = np.maximum(spread[::-1][:kept], 0.0), directions[:, ::-1][:, :kept]
    soft = _SPREAD * (1 + _FAMILIAR / articles) * max(float(spread[0]), 1e-9)
    axes: Floats = (directions / np.sqrt(spread + soft)).astype(np.float32)
    return axes
