"""The one reading of a text that training, scoring and search share: normalised, masked, cut into tokens and stems."""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

import Stemmer

LIMIT = 20_000  # characters; nobody describes a problem in more, and every later step is linear in it
TOKEN_LIMIT = 400

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff\ufffe\uffff]")
# Nearly every message: nothing in it that normalising changes, but for blanks in a row.
_PLAIN = re.compile(r"[ -~А-яЁё«»–—]*")
_BLANKS = re.compile(r"[^\S\n]+")
_LINES = re.compile(r" ?\n[ \n]*")
_MARKS = re.compile(r"[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]")

_RETURN = re.compile(r"\r\n?")
_TAB = re.compile(r"\t")
# Nothing composes across a character of ASCII; within a chunk, marks and Korean vowels belong to the letter before them.
_CHUNK = re.compile(r"[\x00-\x7f]?[^\x00-\x7f]+")
_CLUSTER = re.compile(
    r".[\u0300-\u036f\u0483-\u0489\u1161-\u11ff\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\u3099\u309a\ufe20-\ufe2f]*", re.DOTALL
)

_EMAIL = re.compile(r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,5}")
_URL = re.compile(r"(?:https?://|www\.)[^\s<>\"']{1,2000}", re.IGNORECASE)
_DIGIT = re.compile(r"\d")
_NUMBER = re.compile(r"(?<![\w.])\+?\d(?:[\d\s().-]{2,20}\d|\d{3,})(?!\w)")

# Emoji and pictographs carry mood, so each is a token of its own; a run of one is cut by the token limit.
_TOKEN = re.compile(r"[^\W_]+(?:[-'’][^\W_]+)*|_[a-z]+_|[\U0001f300-\U0001faff\u2600-\u27bf]")
_CYRILLIC = re.compile(r"[а-яё]")
_LATIN = re.compile(r"[a-z]")
_TO_CYRILLIC = str.maketrans("aceopxykmtbhu", "асеорхукмтвни")
_TO_LATIN = str.maketrans("асеорхукмтвн", "aceopxykmtbh")


def normalise(text: str) -> str:
    """NFKC, no control, zero-width or stacked marks, single blanks, at most `LIMIT` characters; a normal text passes twice unchanged."""
    text = text[:LIMIT]
    if _PLAIN.fullmatch(text):
        return (_BLANKS.sub(" ", text) if "  " in text else text).strip()
    text = unicodedata.normalize("NFKC", _CONTROL.sub("", text.replace("\r\n", "\n").replace("\r", "\n")))
    text = _MARKS.sub("", text).replace("\t", " ")
    text = _LINES.sub("\n", _BLANKS.sub(" ", text))
    return text[:LIMIT].strip()


@dataclass(frozen=True, slots=True)
class Traced:
    """A normalised text that knows where in the original each of its characters came from."""

    text: str
    starts: tuple[int, ...]
    ends: tuple[int, ...]

    def span(self, start: int, end: int) -> tuple[int, int]:
        """The place in the original of the characters `start` to `end`, at least one."""
        return self.starts[start], self.ends[end - 1]


def trace(text: str) -> Traced:
    """What `normalise` makes of a text, with the way back to the original, so that a highlight there is exact."""
    trail = _Trail(text[:LIMIT])
    trail.replace(_RETURN.finditer(trail.text), "\n")
    trail.replace(_CONTROL.finditer(trail.text), "")
    trail.compose()
    trail.replace(_MARKS.finditer(trail.text), "")
    trail.replace(_TAB.finditer(trail.text), " ")
    trail.replace(_BLANKS.finditer(trail.text), " ")
    trail.replace(_LINES.finditer(trail.text), "\n")
    cut = trail.text[:LIMIT]
    first, last = len(cut) - len(cut.lstrip()), len(cut.rstrip())
    return Traced(cut.strip(), tuple(trail.starts[first:last]), tuple(trail.ends[first:last]))


class _Trail:
    """A text under way, with the place in the original of each of its characters."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.starts, self.ends = list(range(len(text))), list(range(1, len(text) + 1))

    def replace(self, matches: Iterable[re.Match[str]], by: str) -> None:
        """Put one character, or none, in place of each match."""
        self._rebuild((*match.span(), by) for match in matches)

    def compose(self) -> None:
        """NFKC, cluster by cluster."""
        if not unicodedata.is_normalized("NFKC", self.text):
            self._rebuild(cluster for chunk in _CHUNK.finditer(self.text) for cluster in _clusters(chunk))

    def _rebuild(self, changes: Iterable[tuple[int, int, str]]) -> None:
        parts: list[str] = []
        starts: list[int] = []
        ends: list[int] = []
        at = 0
        for start, end, by in changes:
            parts += (self.text[at:start], by)
            starts += self.starts[at:start]
            ends += self.ends[at:start]
            starts += [self.starts[start]] * len(by)
            ends += [self.ends[end - 1]] * len(by)
            at = end
        if at:
            self.text = "".join((*parts, self.text[at:]))
            self.starts, self.ends = [*starts, *self.starts[at:]], [*ends, *self.ends[at:]]


def _clusters(chunk: re.Match[str]) -> list[tuple[int, int, str]]:
    """What changes inside a chunk: letters with their marks where they compose alone, otherwise the chunk as one."""
    whole = unicodedata.normalize("NFKC", chunk.group())
    if whole == chunk.group():
        return []
    pieces = [(match.start(), match.end(), unicodedata.normalize("NFKC", match.group())) for match in _CLUSTER.finditer(chunk.group())]
    if "".join(by for _start, _end, by in pieces) != whole:
        return [(*chunk.span(), whole)]
    first = chunk.start()
    return [(first + start, first + end, by) for start, end, by in pieces if by != chunk.group()[start:end]]


def mask(text: str) -> str:
    """Replace addresses, links and long numbers by marks: a model should see that they are there, not what they are."""
    if "@" in text:
        text = _EMAIL.sub(" _email_ ", text)
    if "://" in text or "www." in text.lower():
        text = _URL.sub(" _url_ ", text)
    return _NUMBER.sub(" _num_ ", text) if _DIGIT.search(text) else text


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


# In C: a microsecond a word instead of twenty, and under one lock, where Snowball in Python lets threads spoil each other's word.
_STEMMERS = (Stemmer.Stemmer("russian", 0), Stemmer.Stemmer("english", 0))


@lru_cache(maxsize=32_768)
def stem(token: str) -> str:
    """The Snowball stem of a folded token, Russian or English by its letters."""
    if len(token) < 4 or len(token) > 40:
        return token
    stemmed: str = _STEMMERS[0 if _CYRILLIC.search(token) else 1].stemWord(token)
    return stemmed


def surface(text: str) -> list[str]:
    """The tokens as they stand in a masked text, at most `TOKEN_LIMIT`."""
    return _TOKEN.findall(text)[:TOKEN_LIMIT]


def tokens(text: str) -> list[str]:
    """Folded tokens of any text."""
    return [fold(token) for token in surface(mask(normalise(text)))]


def stems(text: str) -> list[str]:
    """Stems of any text, in order."""
    return [stem(token) for token in tokens(text)]
