"""Text as understanding sees it. The reading itself lives in `models.words`, so that training, scoring and search can never differ."""

import re
from functools import lru_cache

from models.words import LIMIT, fold, mask, normalise, stem, stems, surface, tokens, trace

__all__ = [
    "LIMIT",
    "SENTENCE_END",
    "alternatives",
    "bare_subject",
    "fold",
    "has_words",
    "lowered",
    "mask",
    "mention",
    "normalise",
    "stem",
    "stems",
    "surface",
    "tokens",
    "trace",
]


SENTENCE_END = re.compile(r"(?<=[.!?…])\s+|\n+")


_SUBJECT_MARKS = re.compile(r"^(?:\s*(?:(?:re|aw|sv|fwd?|ответ|отв|пересл)\.?\s*(?:\[\d+\])?\s*:|\[#\d+\]))+\s*|\[#\d+\]\s*", re.IGNORECASE)


def bare_subject(subject: str) -> str:
    """A subject without "Re:", "Fwd:" and our own tag."""
    return _SUBJECT_MARKS.sub("", subject).strip()


def has_words(text: str) -> bool:
    """Whether there is anything to understand: at least one letter."""
    return any(character.isalpha() for character in text[:LIMIT])


def lowered(text: str) -> str:
    """Lower case, character by character, so that places stay what they are ("İ" would become two)."""
    lower = text.lower()
    return lower if len(lower) == len(text) else "".join(low if len(low := one.lower()) == 1 else one for one in text)


def alternatives(lines: str) -> str:
    """A group of a regular expression out of alternatives that stand in several lines, for reading."""
    return "(?:" + "|".join(line.strip() for line in lines.strip().splitlines()) + ")"


def mention(phrase: str, text: str, *, ending: str) -> re.Match[str] | None:
    """Where a text has a phrase as words of its own; from four letters on its last word may have an `ending`, which is a pattern."""
    # Most phrases that are looked for are not there, and that is told without a pattern.
    return _pattern(phrase, ending).search(text) if phrase in text else None


@lru_cache(maxsize=8_192)
def _pattern(phrase: str, ending: str) -> re.Pattern[str]:
    return re.compile(rf"(?<!\w){re.escape(phrase)}{ending if len(phrase) >= 4 else ''}(?!\w)")
