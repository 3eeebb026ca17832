"""Telegram's text and its entities, as plain text that loses no link."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeAlias

Mark: TypeAlias = tuple[int, int, str, str]
"""Where formatting begins and ends (in characters of the plain text), its kind in Telegram's words, and its link or language."""

_MARKED: Final = frozenset((
    "bold", "italic", "underline", "strikethrough", "spoiler", "blockquote", "expandable_blockquote", "code", "pre", "text_link",
))  # fmt: skip
_MOST_MARKS: Final = 100


def clean(text: str) -> str:
    """`text` without what no store and no page can hold: null characters and halves of surrogate pairs."""
    if "\x00" in text:
        text = text.replace("\x00", "")
    try:
        text.encode()
    except UnicodeEncodeError:
        # JSON may carry halves of a pair as escapes; whole pairs written that way are joined, single halves replaced.
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text


def formatted_text(text: str, entities: Sequence[Any]) -> tuple[str, list[Mark]]:
    """`text` with every hidden link written out behind its label, and where its formatting lies; characters are never lost."""
    units = text.encode("utf-16-le", "surrogatepass")
    # Cleaning such a text moves its characters, so its formatting is given up; its links are not.
    odd = "\x00" in text or any("\ud800" <= letter <= "\udfff" for letter in text)
    marks: list[Mark] = []
    shown = clean(text)
    known = [one for one in entities if isinstance(one, Mapping) and isinstance(one.get("type"), str) and one["type"] in _MARKED]
    # Offsets count UTF-16 units; from the last to the first, so that earlier ones stay right.
    for entity in sorted(known, key=lambda one: (_end(one), -_start(one)), reverse=True)[:_MOST_MARKS]:
        begin, end = _start(entity) * 2, _end(entity) * 2
        if not begin < end <= len(units):
            continue
        label = units[begin:end].decode("utf-16-le", "ignore")
        first = len(units[:begin].decode("utf-16-le", "ignore"))
        data = clean(str(entity.get("url") or entity.get("language") or ""))[:2000]
        if odd:
            first, last = 0, len(clean(units[:end].decode("utf-16-le", "replace")))
        else:
            last = first + len(label)
        if entity["type"] == "text_link" and data and not _same_link(label, data):
            added = f" ({data})"
            shown = shown[:last] + added + shown[last:]
            marks = [(_moved(a, last, added, at_end=True), _moved(b, last, added, at_end=False), kind, more) for a, b, kind, more in marks]
        if not odd:
            marks.append((first, last, entity["type"], data))
    return shown, sorted(marks)


def _moved(place: int, at: int, added: str, *, at_end: bool) -> int:
    return place + len(added) if place > at or (at_end and place == at) else place


def _start(entity: Mapping[str, Any]) -> int:
    offset = entity.get("offset")
    return offset if isinstance(offset, int) and offset >= 0 else 0


def _end(entity: Mapping[str, Any]) -> int:
    length = entity.get("length")
    return _start(entity) + (length if isinstance(length, int) and length >= 0 else 0)


def _same_link(label: str, url: str) -> bool:
    def bare(link: str) -> str:
        return link.strip().removeprefix("https://").removeprefix("http://").rstrip("/").lower()

    return bare(label) == bare(url) or url.startswith("tg://user")
