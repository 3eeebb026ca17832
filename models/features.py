"""Features of a short text: words and word pairs (as stems), and characters within words. One definition for training and scoring."""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import pairwise

from models.words import fold, mask, normalise, stem, surface

WORDS_LIMIT = 20_000
CHARS_LIMIT = 40_000
ENCODER_LIMIT = 600  # characters the sentence encoder reads; its cost is linear and the gist stands at the beginning
_LONGEST = 24  # longer tokens are codes or noise: their head says enough


@lru_cache(maxsize=8)  # both models and the search read the same text
def read(text: str) -> tuple[str, ...]:
    """The surface tokens of a raw text, ready for `word_features` and `char_features`."""
    return tuple(surface(mask(normalise(text))))


def for_encoder(text: str) -> str:
    """What the sentence encoder is given of a text."""
    return " ".join(normalise(text)[:ENCODER_LIMIT].split())


@lru_cache(maxsize=4_096)  # each holds some 2 kB; what is scored remembers the columns instead
def token_chars(token: str) -> tuple[str, ...]:
    """Character 2- to 5-grams of one folded token with its borders. They never cross a blank, so a token always gives the same ones."""
    padded = f" {token[:_LONGEST]} "
    size = len(padded)
    grams = [padded[i : i + 2] for i in range(size - 1)]
    grams += [padded[i : i + 3] for i in range(size - 2)]
    grams += [padded[i : i + 4] for i in range(size - 3)]
    grams += [padded[i : i + 5] for i in range(size - 4)]
    return tuple(grams)


def pairs(stemmed: Sequence[str]) -> list[str]:
    """Neighbours, two by two."""
    return [f"{left} {right}" for left, right in pairwise(stemmed)]


def word_features(stemmed: Sequence[str]) -> list[str]:
    """Stems, then pairs of neighbours."""
    return [*stemmed, *pairs(stemmed)]


def char_features(folded: Iterable[str]) -> list[str]:
    return [gram for token in folded for gram in token_chars(token)]


def word_analyzer(text: str) -> list[str]:
    """Raw text to word features, in the shape a scikit-learn vectoriser takes."""
    return word_features([stem(fold(token)) for token in read(text)])


def char_analyzer(text: str) -> list[str]:
    """Raw text to character features, in the shape a scikit-learn vectoriser takes."""
    return char_features(fold(token) for token in read(text))
