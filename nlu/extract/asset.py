"""Inventory and serial numbers, where a word says that they are such."""

import re

from nlu.extract.found import Found

_NAMED = re.compile(
    r"\b(?:инв(?:ентарн\w+)?\.?|с/н|сер(?:ийн\w+)?\.?|inv(?:entory)?\.?|asset(?: tag)?|serial|s/n)"
    r"\s*(?:номер|no\.?|number|num\.?|№|#)?\s*[:№#-]?\s*(?P<number>[a-zа-я0-9][a-zа-я0-9/-]{1,28}[a-zа-я0-9])",
    re.IGNORECASE,
)


def find(text: str) -> list[Found]:
    return [
        Found(match["number"], *match.span("number"), 0.95)
        for match in _NAMED.finditer(text)
        if any(character.isdigit() for character in match["number"])
    ]
