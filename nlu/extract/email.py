"""E-mail addresses, in lower case."""

import re

from nlu.extract.found import Found

_ADDRESS = re.compile(r"(?<![\w.+-])[\w.+'-]{1,64}@(?:[\w-]{1,63}\.){1,8}[^\W\d_]{2,24}")


def find(text: str) -> list[Found]:
    return [Found(match.group().lower(), *match.span()) for match in _ADDRESS.finditer(text)] if "@" in text else []
