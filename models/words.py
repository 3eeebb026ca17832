"""The one reading of a text that training, scoring and search share: normalised, masked, cut into tokens and stems."""

import re
import unicodedata
from functools import lru_cache

import snowballstemmer

LIMIT = 20_000  # characters; nobody describes a problem in more, and every later step is linear in it
TOKEN_LIMIT = 400

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff\ufffe\uffff]")
_BLANKS = re.compile(r"[^\S\n]+")
_LINES = re.compile(r" ?\n[ \n]*")
_MARKS = re.compile(r"[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]")

_EMAIL = re.compile(r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,5}")
_URL = re.compile(r"(?:https?://|www\.)[^\s<>\"']{1,2000}", re.IGNORECASE)
_NUMBER = re.compile(r"(?<![\w.])\+?\d(?:[\d\s().-]{2,20}\d|\d{3,})(?!\w)")

# Emoji and pictographs carry mood, so each is a token of its own; a run of one is cut by the token limit.
_TOKEN = re.compile(r"[^\W_]+(?:[-'’][^\W_]+)*|_[a-z]+_|[\U0001f300-\U0001faff\u2600-\u27bf]")
_CYRILLIC = re.compile(r"[а-яё]")
_LATIN = re.compile(r"[a-z]")
_TO_CYRILLIC = str.maketrans("aceopxykmtbhu", "асеорхукмтвни")
_TO_LATIN = str.maketrans("асеорхукмтвн", "aceopxykmtbh")


def normalise(text: str) -> str:
    """NFKC, no control, zero-width or stacked marks, single blanks, at most `LIMIT` characters; a normal text passes twice unchanged."""
    text = unicodedata.normalize("NFKC", _CONTROL.sub("", text[:LIMIT].replace("\r\n", "\n").replace("\r", "\n")))
    text = _MARKS.sub("", text).replace("\t", " ")
    text = _LINES.sub("\n", _BLANKS.sub(" ", text))
    return text[:LIMIT].strip()


def mask(text: str) -> str:
    """Replace addresses, links and long numbers by marks: a model should see that they are there, not what they are."""
    if "@" in text:
        text = _EMAIL.sub(" _email_ ", text)
    if "://" in text or "www." in text.lower():
        text = _URL.sub(" _url_ ", text)
    return _NUMBER.sub(" _num_ ", text)


@lru_cache(maxsize=32_768)
def fold(word: str) -> str:
    """A token as features see it: lower case, ё as е, and letters of the other alphabet that only look alike turned back."""
    word = word.lower().replace("ё", "е").replace("’", "'")
    if word == "1c":  # the accounting program is written with either letter
        return "1с"
    cyrillic = len(_CYRILLIC.findall(word))
    if cyrillic and (latin := len(_LATIN.findall(word))):
        return word.translate(_TO_CYRILLIC) if cyrillic >= latin else word.translate(_TO_LATIN)
    return word


_STEMMERS = (snowballstemmer.stemmer("russian"), snowballstemmer.stemmer("english"))


@lru_cache(maxsize=32_768)
def stem(token: str) -> str:
    """The Snowball stem of a folded token, Russian or English by its letters; cached, because the stemmer costs 40 microseconds a word."""
    if len(token) < 4 or len(token) > 40:
        return token
    stemmed: str = _STEMMERS[0 if _CYRILLIC.search(token) else 1].stemWord(token)
    return stemmed


def surface(text: str) -> list[str]:
    """The tokens as they stand in a masked text, at most `TOKEN_LIMIT`."""
    found: list[str] = []
    for match in _TOKEN.finditer(text):
        found.append(match.group())
        if len(found) == TOKEN_LIMIT:
            break
    return found


def tokens(text: str) -> list[str]:
    """Folded tokens of any text."""
    return [fold(token) for token in surface(mask(normalise(text)))]


def stems(text: str) -> list[str]:
    """Stems of any text, in order."""
    return [stem(token) for token in tokens(text)]
