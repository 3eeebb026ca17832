"""Numbers of the kinds that a desk declares: orders, invoices, inventory. The source of each names its kind."""

import re
from collections.abc import Iterable

from desk_core.routing.patterns import UnsafePattern, compile_safely
from nlu.extract.found import Found
from nlu.extract.vocabulary import Numbering

# Where a number may begin. A pattern looks at a short window from there, so that no pattern and no text is slow.
# Normalisation writes "№" as "No", also where the number follows without a blank.
_BEGIN = re.compile(r"(?:(?<![\w#])|(?<=\b[Nn]o))\w")
_NO = re.compile(r"no\.?\s?\d", re.IGNORECASE)
_WINDOW = 64
_BEGINNINGS = 400
_BEFORE = 40
_BETWEEN = r"(?:[\s.,:#]|(?<=\s)[-–—]){0,4}(?:(?:под\s)?(?:номер\w{0,2}|number|code|no|num|id)[\s.:#-]{0,4})?$"


class Declared:
    """The numbers of a desk, ready to look for; a pattern that could run away is left out (`preset check` reports it)."""

    def __init__(self, numbers: Iterable[Numbering]) -> None:
        self._numbers: list[tuple[Numbering, re.Pattern[str], re.Pattern[str] | None]] = []
        for one in numbers:
            try:
                pattern = compile_safely(rf"(?:{one.pattern})\b")
            except UnsafePattern:
                continue
            words = "|".join(rf"{re.escape(word)}\w{{0,3}}" for word in sorted(one.said, key=len, reverse=True))
            self._numbers.append((one, pattern, re.compile(rf"(?<!\w)(?:{words}){_BETWEEN}", re.IGNORECASE) if words else None))

    def find(self, text: str) -> list[Found]:
        if not self._numbers:
            return []
        found: list[Found] = []
        taken = 0
        for number, begin in enumerate(_BEGIN.finditer(text)):
            if number == _BEGINNINGS:
                break
            if begin.start() >= taken and not _NO.match(text, begin.start()) and (one := self._at(text, begin.start())) is not None:
                found.append(one)
                taken = one.end
        return found

    def _at(self, text: str, start: int) -> Found | None:
        """The number that begins here: one that its word announces before one that its form alone gives away."""
        before, window = text[max(0, start - _BEFORE) : start], text[start : start + _WINDOW]
        guessed: Found | None = None
        for one, pattern, said in self._numbers:
            match = pattern.match(window)
            if match is None or not any(map(str.isdigit, match.group())):
                continue
            announced = bool(said and said.search(before))
            if announced:
                return Found(match.group(), start, start + match.end(), 0.95, "number", one.key)
            if one.alone and guessed is None:
                guessed = Found(match.group(), start, start + match.end(), 0.8, "number", one.key)
        return guessed
