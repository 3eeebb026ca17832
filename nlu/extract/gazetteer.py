"""Names out of a list, in any form of the words, with typos in the longer ones."""

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache

from rapidfuzz import fuzz, process

from nlu.extract.found import Found
from nlu.text import fold, stem

_WORD = re.compile(r"[^\W_]+(?:[-.][^\W_]+)*")
_FUZZY_FROM = 5  # letters; shorter words have too many neighbours
_FUZZY_SCORE = 88.0
_WORDS = 200  # of a text that are looked up
_LONGEST = 4  # words in a name


class Gazetteer:
    """A list of names, each with the words people use for it. Stems are compared, so one form of a word is enough."""

    def __init__(self, names: Mapping[str, Sequence[str]]) -> None:
        self._known = {_stems(word): name for name, words in names.items() for word in words if _stems(word)}
        self._first = {stems[0] for stems in self._known if len(stems) > 1}
        self._near = lru_cache(maxsize=8_192)(self._nearest)  # people use the same few thousand words
        self._single = [stems[0] for stems in self._known if len(stems) == 1 and len(stems[0]) >= _FUZZY_FROM]

    def find(self, text: str) -> list[Found]:
        """Each name once, at the words that say it first; the longest name wins. The value is the name as the list shows it."""
        words = list(_WORD.finditer(text))[:_WORDS]
        stems = [stem(fold(word.group())) for word in words]
        found: dict[str, Found] = {}
        at = 0
        while at < len(words):
            name, length, confidence = self._named(stems[at : at + _LONGEST])
            if name is not None and name not in found:
                source = "list" if confidence == 1.0 else "near"
                found[name] = Found(name, words[at].start(), words[at + length - 1].end(), confidence, source=source)
            at += length
        return list(found.values())

    def _named(self, stems: Sequence[str]) -> tuple[str | None, int, float]:
        for length in range(len(stems) if stems[0] in self._first else 1, 0, -1):
            if (name := self._known.get(tuple(stems[:length]))) is not None:
                return name, length, 1.0
        name, confidence = self._near(stems[0])
        return name, 1, confidence

    def _nearest(self, word: str) -> tuple[str | None, float]:
        near = process.extractOne(word, self._single, scorer=fuzz.ratio, score_cutoff=_FUZZY_SCORE) if len(word) >= _FUZZY_FROM else None
        # A typo hardly ever hits the first letter, and "спринтер" is no printer.
        return (self._known[near[0],], round(near[1] / 100, 2)) if near is not None and near[0][0] == word[0] else (None, 0.0)


def _stems(name: str) -> tuple[str, ...]:
    return tuple(stem(fold(word)) for word in _WORD.findall(name))[:_LONGEST]
