"""Phone numbers, in E.164."""

import re

from nlu.extract.found import Found

_REGION = "RU"
_MAYBE = re.compile(r"\d(?:\D{0,3}\d){9}")  # ten digits near each other: only then is the library worth its import


def find(text: str) -> list[Found]:
    if not _MAYBE.search(text):
        return []
    import phonenumbers

    return [
        Found(phonenumbers.format_number(match.number, phonenumbers.PhoneNumberFormat.E164), match.start, match.end)
        for match in phonenumbers.PhoneNumberMatcher(text, _REGION, leniency=phonenumbers.Leniency.VALID)
    ]
