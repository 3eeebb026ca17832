"""The known texts that a text is most like: what a person can hold a prediction against."""

from collections.abc import Sequence
from dataclasses import dataclass

from models.encoder import Encoder
from models.features import for_encoder
from models.rows import Row
from models.words import stems


@dataclass(frozen=True, slots=True)
class Near:
    """A known text, and how like it is, 0..1."""

    text: str
    language: str
    likeness: float


def nearest(text: str, rows: Sequence[Row], *, encoder: Encoder, limit: int = 3) -> list[Near]:
    """People's own words most like the text, best first: by the encoder where there is one, otherwise by the words they share.

    Models keep no texts, so the rows are encoded here: a second or two for a whole desk, a tenth of that for one category.
    """
    known = [row for row in rows if row.measured]
    if not known or not for_encoder(text):
        return []
    if encoder.dimension:
        vectors = encoder.encode([text, *(row.text for row in known)])
        alike = (vectors[1:] @ vectors[0]).tolist()
    else:
        ours = set(stems(text))
        alike = [len(ours & theirs) / max(1, len(ours | theirs)) for theirs in (set(stems(row.text)) for row in known)]
    best = sorted(zip(alike, known, strict=True), key=lambda pair: -pair[0])[:limit]
    return [Near(row.text, row.language, round(max(0.0, min(1.0, float(value))), 4)) for value, row in best if value > 0]
