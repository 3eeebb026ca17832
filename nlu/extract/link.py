"""Links, as they were written but for the sentence around them."""

import re

from nlu.extract.found import Found

_LINK = re.compile(r"(?<![\w@])(?:https?://|www\.)[^\s<>\"'«»]{2,2000}", re.IGNORECASE)
_SENTENCE = ".,;:!?…"


def find(text: str) -> list[Found]:
    return [
        Found(link, match.start(), match.start() + len(link)) for match in _LINK.finditer(text) if "." in (link := _bare(match.group()))
    ]


def _bare(link: str) -> str:
    """Without the points of the sentence and a bracket that was opened before the link."""
    link = link.rstrip(_SENTENCE)
    while link.endswith(")") and link.count(")") > link.count("("):
        link = link[:-1].rstrip(_SENTENCE)
    return link
