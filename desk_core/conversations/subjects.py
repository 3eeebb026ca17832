"""Words of a subject, as a rule holds them and as it compares them. Pure."""

import unicodedata


def words_of(text: str) -> str:
    """Lower case, single spaces, letters composed, without what nobody sees: soft hyphens, joiners, marks of direction."""
    seen = "".join(sign for sign in text if unicodedata.category(sign) != "Cf") if not text.isascii() else text
    return " ".join(unicodedata.normalize("NFC", seen).split()).casefold()


def alike(words: str) -> str:
    """Two of these are the same words: people write ё or е as they like."""
    return words.replace("ё", "е")
