"""Names out of a list, in any form of the words, with typos in the longer ones."""

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache

from rapidfuzz import fuzz, process

from nlu.extract.found import Found
from nlu.text import fold, stem

_WORD = re.compile(r"[^\W_]+(?:[-.][^\W_]+)*")
_FUZZY_FROM = 6  # letters; shorter words have too many neighbours ("север" is no server)
_FUZZY_SCORE = 88.0
_WORDS = 200  # of a text that are looked up
_LONGEST = 4  # words in a name
_ENDING = 3  # letters that inflection may add

Words = tuple[str, ...]


class Gazetteer:
    """A list of names, each with the words people use for it. Stems find a name; the words themselves must then be forms of one another."""

    def __init__(self, names: Mapping[str, Sequence[str]], *, plural: bool = True) -> None:
        """`plural`: whether the names are of things there are many of, so that "printers" are one with "printer"."""
        self._plural = plural
        self._known: dict[Words, list[tuple[str, Words]]] = {}
        for name, said in names.items():
            for words in map(_words, said):
                if words:
                    self._known.setdefault(tuple(map(stem, words)), []).append((name, words))
        self._first = {stems[0] for stems in self._known if len(stems) > 1}
        self._single = [stems[0] for stems in self._known if len(stems) == 1 and len(stems[0]) >= _FUZZY_FROM - 1]
        self._near = lru_cache(maxsize=8_192)(self._nearest)  # people use the same few thousand words

    def find(self, text: str) -> list[Found]:
        """Each name once, at the words that say it first; the longest name wins. The value is the name as the list shows it."""
        matches = list(_WORD.finditer(text))[:_WORDS]
        words = [fold(match.group()) for match in matches]
        found: dict[str, Found] = {}
        at = 0
        while at < len(words):
            name, length, confidence = self._named(words[at : at + _LONGEST])
            if name is not None and name not in found:
                source = "list" if confidence == 1.0 else "near"
                found[name] = Found(name, matches[at].start(), matches[at + length - 1].end(), confidence, source=source)
            at += length
        return list(found.values())

    def _named(self, words: Sequence[str]) -> tuple[str | None, int, float]:
        first = stem(words[0])
        for length in range(len(words) if first in self._first else 1, 0, -1):
            for name, known in self._known.get((first, *map(stem, words[1:length])), ()):
                if all(self._is_form(word, of) for word, of in zip(words, known, strict=False)):
                    return name, length, 1.0
        name_near, confidence = self._near(first)
        return name_near, 1, confidence

    def _is_form(self, word: str, known: str) -> bool:
        """Whether a word is an inflected form of a known one: "excellent" is none of "excel", nor "team" of "teams"."""
        if word == known:
            return True
        if word.isascii():
            return self._plural and word in {f"{known}s", f"{known}es"}
        return word.startswith(known[:-1]) and len(word) <= len(known) + _ENDING

    def _nearest(self, word: str) -> tuple[str | None, float]:
        near = process.extractOne(word, self._single, scorer=fuzz.ratio, score_cutoff=_FUZZY_SCORE) if len(word) >= _FUZZY_FROM else None
        # A typo hardly ever hits the first letter, and "спринтер" is no printer.
        if near is None or near[0] == word or near[0][0] != word[0]:
            return None, 0.0
        return self._known[near[0],][0][0], round(near[1] / 100, 2)


def _words(name: str) -> Words:
    return tuple(fold(word) for word in _WORD.findall(name))[:_LONGEST]
