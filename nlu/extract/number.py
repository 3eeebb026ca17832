"""Plain numbers that are part of no word, code or date."""

import re

from nlu.extract.found import Found

_NUMBER = re.compile(r"(?<![\w.,/:№#-])\d{1,9}(?:[.,]\d{1,4})?(?![\w/:-]|[.,]\d)")


def find(text: str) -> list[Found]:
    return [Found(match.group().replace(",", "."), *match.span(), 0.6) for match in _NUMBER.finditer(text)]
