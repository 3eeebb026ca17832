"""Authentication-Results (RFC 8601) as mail servers write them, comments, quotes and untidiness included. Pure, never raises."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

_PAIR = re.compile(r"([A-Za-z][\w.-]*)(?:\s*/\s*\d+)?\s*=\s*(\"(?:[^\"\\]|\\.)*\"|[^\s\"]+)")
_MOST = 64 * 1024


@dataclass(frozen=True, slots=True)
class MethodResult:
    """`spf=fail (why) smtp.mailfrom=a.example`: names in lower case, values without quotes."""

    method: str
    result: str
    properties: Mapping[str, str]
    comment: str = ""


@dataclass(frozen=True, slots=True)
class Results:
    """One header. `authserv` is who writes, in lower case; empty where the header names nobody (Exchange Online does so)."""

    authserv: str
    methods: tuple[MethodResult, ...]


def read_results(value: bytes) -> Results:
    """The header behind these (unfolded) bytes. What stands in a quote or comment that is never closed is no result."""
    parts = _parts(value[:_MOST].decode("latin-1"))
    head, _comment = parts[0]
    named = not _PAIR.match(head.strip())
    methods = tuple(found for text, comment in parts[named:] if (found := _method(text, comment)) is not None)
    words = head.split()
    return Results(words[0].strip('"').lower() if named and words else "", methods)


def _method(text: str, comment: str) -> MethodResult | None:
    pairs = [(name.lower(), _plain(value)) for name, value in _PAIR.findall(text)]
    if not pairs or "." in pairs[0][0]:
        return None
    (method, result), *properties = pairs
    # The first of two equal names counts: what is appended may not replace what was said.
    return MethodResult(method, result.lower(), dict(reversed(properties)), comment)


def _plain(value: str) -> str:
    return re.sub(r"\\(.)", r"\1", value[1:-1]) if value.startswith('"') else value


def _parts(text: str) -> list[tuple[str, str]]:
    """What stands between semicolons: (words, comments)."""
    parts: list[tuple[str, str]] = []
    words: list[str] = []
    comments: list[str] = []
    depth, quoted, position = 0, False, 0
    while position < len(text):
        letter = text[position]
        if letter == "\\" and (quoted or depth):
            (comments if depth else words).append(text[position : position + 2])
            position += 2
            continue
        if letter == '"' and not depth:
            quoted = not quoted
        elif letter == "(" and not quoted:
            depth += 1
        elif letter == ")" and depth:
            depth -= 1
            letter = " "
            words.append(" ")
        elif letter == ";" and not quoted and not depth:
            parts.append(("".join(words), "".join(comments)))
            words, comments = [], []
            position += 1
            continue
        (comments if depth else words).append(letter)
        position += 1
    return [*parts, ("" if quoted else "".join(words), "".join(comments))]
