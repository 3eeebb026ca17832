"""Text as understanding sees it. The reading itself lives in `models.words`, so that training, scoring and search can never differ."""

from models.words import LIMIT, fold, mask, normalise, stem, stems, surface, tokens

__all__ = ["LIMIT", "fold", "has_words", "mask", "normalise", "stem", "stems", "surface", "tokens"]


def has_words(text: str) -> bool:
    """Whether there is anything to understand: at least one letter."""
    return any(character.isalpha() for character in text[:LIMIT])
