"""Error codes and what the screen says: 0x80070005, "ошибка 691", quoted messages after the word error."""

import re

from nlu.extract.found import Found

_HEX = re.compile(r"\b0x[0-9a-f]{4,16}\b", re.IGNORECASE)
_SAID = re.compile(
    r"\b(?:ошибк\w*|пишет|выда[её]т|ругается|показывает|сообщени\w+|error|says?|shows?|reads?|displays?|message|code|код(?:а|у|ом|е|ы|ов)?)\b"
    r"[^«\"“\n]{0,30}[«\"“](?P<text>[^»\"”\n]{3,300})[»\"”]",
    re.IGNORECASE,
)
_CODE = re.compile(
    r"\b(?:(?:код(?:а|у|ом|е|ы|ов)?\s+)?ошибк\w*|error(?:\s+code)?|err|код(?:а|у|ом|е|ы|ов)?|code)\s*"
    r"(?:№|#|:|no\.?|number|номер)?\s*(?P<code>[a-z]{0,4}[-_]?\d{2,6}\b)",
    re.IGNORECASE,
)


def find(text: str) -> list[Found]:
    """The most telling first: a quoted message, a hexadecimal code, a number after the word."""
    found = [Found(match["text"].strip(), *match.span("text")) for match in _SAID.finditer(text)]
    found += [Found(match.group(), *match.span()) for match in _HEX.finditer(text)]
    found += [
        Found(" ".join(match.group().split()), *match.span(), 0.9) for match in _CODE.finditer(text) if not _HEX.search(match.group())
    ]
    return found
