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
    # A room with a name; only the name tells capitals apart.
    r"|(?:переговорн\w{2,3}|переговорк\w{1,2}|meeting room|conference room|room)\s"
    r"(?:«[^»\n]{2,30}»|\"[^\"\n]{2,30}\"|(?-i:[A-ZА-ЯЁ][a-zа-яё]{2,20}))"
    r"|(?<!\w)(?-i:[A-Z][a-z]{2,20})\s(?:meeting |conference )?room"
    r")(?!\w)",
    re.IGNORECASE,
)
_NO_NAME = re.compile(r"(?:the|my|our|this|that|in|every|each|which|no|meeting|conference|what)\s", re.IGNORECASE)


def find(text: str) -> list[Found]:
    """All places of a text as one value."""
    matches = [match for match in _PLACE.finditer(text) if not _NO_NAME.match(match.group())][:4]
    if not matches:
        return []
    joined = ", ".join(dict.fromkeys(" ".join(match.group().split()) for match in matches))
    return [Found(joined, matches[0].start(), matches[-1].end(), 0.9)]
