"""Whether an answer fits a slot, one function a kind: the value to keep, or nothing. Pure; `today` is given for relative dates."""

import re
from collections.abc import Callable
from datetime import date, timedelta
from functools import lru_cache

import phonenumbers
from rapidfuzz import fuzz

from nlu import forms, lexicon
from nlu.extract import moment
from nlu.text import mention
from nlu.understood import Intent, SlotDef, Validated

# What a Rasa tracker holds for a question that a person could not answer: filled, so that Rasa's own form goes on.
SKIPPED = "unknown"
REGION = "RU"
ANSWER_LENGTH = 2_000
_CLOSE_ENOUGH = 84.0
_ANSWER_WORDS = 12

_EMAIL = re.compile(r"[\w.+'-]{1,64}@(?:[\w-]{1,63}\.){1,8}[^\W\d_]{2,24}")
_NUMBER = re.compile(r"(?<![\w.])-?\d{1,12}(?:[.,]\d{1,4})?(?![\w])")
_EXTENSION = re.compile(r"(?<!\d)\d{3,6}(?!\d)")
_NUMERIC_DATE = re.compile(r"(?<!\d)(?:(\d{4})-(\d{1,2})-(\d{1,2})|(\d{1,2})[./](\d{1,2})(?:[./](\d{4}|\d{2}))?)(?!\d)")
_ABOUT_TIME = re.compile(
    r"\d|недел|месяц|квартал|конц|начал|утр|вечер|обед|полдень|ночь|час|скоре|срочно|сейчас|немедленно|любой день|"
    r"week|month|end of|morning|evening|noon|hour|asap|soon|urgent|now|immediately|any day|" + "|".join((*moment.MONTHS, *moment.WEEKDAYS)),
    re.IGNORECASE,
)


def validate(slot: SlotDef, answer: str, *, language: str, today: date) -> Validated:
    """What an answer is worth for a slot; "I don't know" skips it unless that is one of the choices."""
    words = " ".join(answer[:ANSWER_LENGTH].replace("\x00", " ").split())
    if not any(character.isalnum() for character in words):
        return Validated(value=None)
    if slot.choices:
        value = choice(slot, words)
        if value is not None:
            return Validated(value=value, title=forms.choice_title(slot, value, language))
    if lexicon.intent_of(words) is Intent.SKIP:
        return Validated(value=None, skip=True)
    if slot.choices:
        return Validated(value=None)
    if slot.pattern is not None and slot.kind in {"text", "asset", "device", "location", "person", "choice"}:
        fitting = matching(slot.pattern, words[: slot.max_length])
        return Validated(value=fitting if fitting is None or slot.kind != "asset" else asset(fitting, today))
    found = _KINDS.get(slot.kind, _free)(words, today)
    return Validated(value=found[: max(slot.max_length, 1)] if found else None)


def choice(slot: SlotDef, answer: str) -> str | None:
    """The choice an answer means: by its value, its title in any language, its words, or nearly so."""
    said = lexicon.plain(answer)
    offered = {
        value: tuple(dict.fromkeys(map(_phrase, (value, *titles.values(), *slot.words.get(value, ()))))) for value, titles in slot.choices
    }
    for value, phrases in offered.items():
        if said in phrases:
            return value
    # A question or a story that merely mentions a word of a choice is no answer.
    if answer.rstrip().endswith("?") or len(said.split()) > _ANSWER_WORDS:
        return None
    # Longer words may be inflected at their end.
    mentioned = {
        value: max(lengths)
        for value, phrases in offered.items()
        if (lengths := [len(phrase) for phrase in phrases if phrase and mention(phrase, said, ending=r"\w*")])
    }
    if mentioned:
        best = max(mentioned.values())
        winners = [value for value, length in mentioned.items() if length == best]
        return winners[0] if len(winners) == 1 else None
    if len(said) < 4:
        return None
    near = sorted(((max(fuzz.ratio(said, phrase) for phrase in phrases), value) for value, phrases in offered.items()), reverse=True)
    sure = near[0][0] >= _CLOSE_ENOUGH and (len(near) == 1 or near[0][0] > near[1][0])
    return near[0][1] if sure else None


@lru_cache(maxsize=4_096)
def _phrase(text: str) -> str:
    """What a preset offers, for comparison; the same few hundred phrases again and again."""
    return lexicon.plain(text)


def matching(pattern: str, answer: str) -> str | None:
    """The answer, or the part of it, that a pattern of the preset takes."""
    try:
        found = re.fullmatch(pattern, answer) or re.search(pattern, answer)
    except re.error:
        return answer  # `preset check` reports the pattern; a person is not asked forever because of it
    return found[0].strip() or None if found else None


def phone(answer: str, _: date) -> str | None:
    """A number in E.164, or a short internal one as it is."""
    for found in phonenumbers.PhoneNumberMatcher(answer, REGION, leniency=phonenumbers.Leniency.POSSIBLE):
        return str(phonenumbers.format_number(found.number, phonenumbers.PhoneNumberFormat.E164))
    extension = _EXTENSION.search(answer)
    return extension[0] if extension and sum(map(str.isdigit, answer)) <= 6 else None


def email(answer: str, _: date) -> str | None:
    found = _EMAIL.search(answer)
    return found[0] if found else None


def number(answer: str, _: date) -> str | None:
    found = _NUMBER.search(answer)
    return found[0].replace(",", ".") if found else None


def day(answer: str, today: date) -> str | None:
    """A day as ISO date where it is certain, otherwise the person's own words where they speak of time at all."""
    said = answer.casefold()
    if found := _NUMERIC_DATE.search(said):
        year, month, first = (found[1], found[2], found[3]) if found[1] else (found[6], found[5], found[4])
        return _iso(year, int(month), int(first), today)
    if named := moment.first_day(answer, today=today):
        return named.isoformat()
    return answer if _ABOUT_TIME.search(said) else None


def _iso(year: str | None, month: int, day_of_month: int, today: date) -> str | None:
    """A real day; without a year the nearest such day that is not long past."""
    try:
        if year:
            return date(int(year) + (2000 if len(year) == 2 else 0), month, day_of_month).isoformat()
        this = date(today.year, month, day_of_month)
        return (this if this >= today - timedelta(days=90) else date(today.year + 1, month, day_of_month)).isoformat()
    except ValueError:
        return None


def person(answer: str, _: date) -> str | None:
    """A name, a login or an address: anything with letters."""
    return answer if any(character.isalpha() for character in answer) else None


def device(answer: str, _: date) -> str | None:
    return answer if sum(character.isalnum() for character in answer) >= 2 else None


def asset(answer: str, _: date) -> str | None:
    """A number on a label: no label is without a digit."""
    return answer if any(character.isdigit() for character in answer) else None


def _free(answer: str, _: date) -> str | None:
    return answer


_KINDS: dict[str, Callable[[str, date], str | None]] = {
    "phone": phone,
    "email": email,
    "number": number,
    "date": day,
    "person": person,
    "device": device,
    "asset": asset,
}
