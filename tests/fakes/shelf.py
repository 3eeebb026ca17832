"""Articles indexed once: most desks of the tests hold those of the shipped preset, and reading these takes longer than most tests."""

from collections.abc import Sequence
from copy import copy

from models.encoder import Encoder, load_encoder
from models.retrieval import ArticleIndex, IndexedArticle

ENCODER = load_encoder()
"""The real one, of all desks of this process that want it: its weights load at first use, and once."""
_KNOWN: dict[tuple[object, ...], ArticleIndex] = {}


def shelved_once(articles: Sequence[IndexedArticle], encoder: Encoder, *, previous: ArticleIndex | None = None) -> ArticleIndex:
    """As `ArticleIndex.build`; what a test of this process has indexed is not read again."""
    key = (*articles, encoder.dimension)
    if key not in _KNOWN:
        read = [index for (*_, dimension), index in _KNOWN.items() if dimension == encoder.dimension]
        _KNOWN[key] = ArticleIndex.build(articles, encoder, previous=previous or next(reversed(read), None))
    return copy(_KNOWN[key])
