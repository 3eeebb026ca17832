"""Phone numbers, in E.164; a number that the words call an order, an invoice or a tax number is none."""

import re

from nlu.extract.found import Found

_REGION = "RU"
_MAYBE = re.compile(r"\+?\(?\d(?:[ ().\u2010-\u2015-]{0,3}\d){9,14}(?!\d)")
_OTHER = re.compile(
    r"(?:заказ\w{0,3}|сч[её]т\w{0,3}|накладн\w{1,3}|договор\w{0,3}|заявк\w{1,2}|обращени\w{1,2}|трек\w{0,3}|посылк\w{1,2}|карт\w{1,2}|инн|снилс|"
    r"огрн|инв\w{0,9}|серийн\w{2,3}|с/н|артикул\w{0,2}|order|invoice|contract|ticket|request|tracking|parcel|card|serial|s/n|asset|sku|vin)"
    r"[\s.:№#-]{0,4}(?:(?:номер\w{0,2}|number|code|no|num|id)[\s.:№#-]{0,4})?$",
    re.IGNORECASE,
)
_EXTENSION = re.compile(
    r"(?<!\w)(?:внутренн\w{2,3}(?: номер\w{0,2})?|добавочн\w{2,3}(?: номер\w{0,2})?|доб\.?|вн\.|ext(?:ension)?\.?|internal(?: number)?)"
    r"(?: is| у меня|[:№#–—-])*\s*(?P<number>\d{2,3}-\d{2}|\d{3,6})(?![\w-])",
    re.IGNORECASE,
)
_BEFORE = 40  # characters in which a word says what the number is


def find(text: str) -> list[Found]:
    found: list[Found] = []
    for match in _MAYBE.finditer(text):
        before = text[max(0, match.start() - _BEFORE) : match.start()]
        if (match.start() and (before[-1].isalnum() or before[-1] in "_/")) or (match.group().isdigit() and _OTHER.search(before)):
            continue
        number = _read(match.group())
        if number:
            found.append(Found(number, *match.span()))
    return found


def extensions(text: str) -> list[Found]:
    """Short internal numbers, where a word says that they are."""
    return [Found(match["number"], *match.span("number"), 0.9, "phone") for match in _EXTENSION.finditer(text)]


def _read(written: str) -> str | None:
    import phonenumbers

    try:
        number = phonenumbers.parse(written, _REGION)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(number):
        return None
    return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))
