"""What a model said of texts it had not seen, kept beside it: the raw material of comparisons, matrices and diagrams."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from models.words import normalise


@dataclass(frozen=True, slots=True)
class Held:
    """One entry a text, from cross-validation: its label, the label the model gave, and how sure. Texts stand as fingerprints only."""

    classes: tuple[str, ...]
    texts: tuple[str, ...]
    truth: tuple[int, ...]
    said: tuple[int, ...]
    confidence: tuple[float, ...]

    @classmethod
    def of(cls, classes: Sequence[str], texts: Sequence[str], truth: Sequence[int], probabilities: Any) -> "Held":
        """From the probabilities (texts, classes) of models that were trained without the text."""
        return cls(
            classes=tuple(classes),
            texts=tuple(fingerprint(text) for text in texts),
            truth=tuple(int(one) for one in truth),
            said=tuple(int(one) for one in probabilities.argmax(axis=1)),
            confidence=tuple(round(float(one), 4) for one in probabilities.max(axis=1)),
        )

    @classmethod
    def read(cls, data: bytes) -> "Held":
        """From `write`."""
        found: Mapping[str, Any] = json.loads(data)
        return cls(**{name: tuple(values) for name, values in found.items()})

    def write(self) -> bytes:
        return json.dumps(asdict(self), ensure_ascii=False, separators=(",", ":")).encode()

    @property
    def answers(self) -> dict[str, str]:
        """Fingerprint -> the label the model gave."""
        return {text: self.classes[said] for text, said in zip(self.texts, self.said, strict=True)}


def fingerprint(text: str) -> str:
    """The same for the same words, whatever the case and the blanks; nobody reads a message out of it."""
    return hashlib.sha256(normalise(text).casefold().encode()).hexdigest()[:16]
