"""Where it is: office, room, floor, building, joined in the order they stand."""

import re

from nlu.extract.found import Found

_ORDINALS = r"перв\w+|втор\w+|треть\w+|четв[её]рт\w+|пят\w+|шест\w+|седьм\w+|first|second|third|fourth|fifth|sixth|ground"
_PLACE = re.compile(
    r"\b(?:"
    r"(?:каб(?:инет\w{0,2})?\.?|комнат\w|ауд(?:итори\w)?\.?|переговорк\w|оф(?:ис\w{0,2})?\.?|room|office|meeting room|desk)"
    r"\s*(?:#|no\.?)?\s*[\dа-яa-z]?\d{1,4}[а-яa-z]?"
    rf"|(?:этаж\w?|floor)\s*\d{{1,2}}|(?:\d{{1,2}}(?:-?(?:й|ый|ом|м|st|nd|rd|th))?|{_ORDINALS})\s*(?:этаж\w?|floor)"
    r"|(?:корпус\w?|строени\w|building|wing)\s*(?:\d{1,3}(?-i:[A-ZА-Яа-я]?)|(?-i:[A-ZА-Я]{1,2}))"
    r")(?!\w)",
    re.IGNORECASE,
)


def find(text: str) -> list[Found]:
    """All places of a text as one value."""
    matches = list(_PLACE.finditer(text))[:4]
    if not matches:
        return []
    joined = ", ".join(dict.fromkeys(" ".join(match.group().split()) for match in matches))
    return [Found(joined, matches[0].start(), matches[-1].end(), 0.9)]
