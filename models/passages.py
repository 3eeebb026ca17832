"""The part of an article that answers, as short plain text with its steps."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from models.words import stems

PASSAGE_LIMIT = 700
PAGE_LIMIT = 1_000

_HEADING = re.compile(r"^#{1,6}\s+(.*?)\s*#*$")
_STEP = re.compile(r"^\s*(\d{1,2})[.)]\s+(.*)$")
_BULLET = re.compile(r"^\s*[-*+]\s+(.*)$")
_IMAGE = re.compile(r"!\[([^\]]{0,200})\]\([^)]{0,500}\)")
_LINK = re.compile(r"\[([^\]]{1,200})\]\(([^)\s]{1,500})[^)]{0,200}\)")
_MARKUP = re.compile(r"(\*\*|__|`{1,3}|~~)")
_EMPHASIS = re.compile(r"(?<![\w*])[*_](\S(?:[^*_\n]{0,200}\S)?)[*_](?![\w*])")


@dataclass(frozen=True, slots=True)
class Part:
    """A section as plain lines, with the stems it is chosen by."""

    lines: tuple[str, ...]
    words: tuple[str, ...]
    steps: int


def plain(markdown: str) -> str:
    """A line of Markdown without its marks; the address of a link stays readable."""
    text = _IMAGE.sub(r"\1", markdown)
    text = _LINK.sub(lambda m: m[1] if m[1] == m[2] or not m[2].startswith("http") else f"{m[1]} ({m[2]})", text)
    return _EMPHASIS.sub(r"\1", _MARKUP.sub("", text)).strip()


def parts_of(body: str) -> tuple[Part, ...]:
    """The sections of an article, split at headings; steps keep their numbers and bullets become dashes."""
    parts: list[Part] = []
    lines: list[str] = []
    steps = 0

    def close() -> None:
        nonlocal steps
        if any(lines):
            parts.append(Part(tuple(line for line in lines if line), tuple(stems("\n".join(lines))), steps))
        lines.clear()
        steps = 0

    for raw in body[:50_000].splitlines():
        if heading := _HEADING.match(raw):
            close()
            lines.append(plain(heading[1]))
        elif step := _STEP.match(raw):
            steps += 1
            lines.append(f"{step[1]}. {plain(step[2])}")
        elif bullet := _BULLET.match(raw):
            lines.append(f"– {plain(bullet[1])}")
        elif raw.strip():
            lines.append(plain(raw.lstrip("> ")))
    close()
    return tuple(parts)


def best_part(parts: Sequence[Part], relevance: Callable[[Sequence[str]], int]) -> str:
    """The section most to the point, steps preferred, at most `PASSAGE_LIMIT` characters and never cut within a line that fits."""
    if not parts:
        return ""
    chosen = max(parts, key=lambda part: (relevance(part.words) + (2 if part.steps else 0), -parts.index(part)))
    taken: list[str] = []
    room = PASSAGE_LIMIT
    for line in chosen.lines:
        if len(line) + 1 > room:
            if not taken:
                taken.append(line[: room - 1].rsplit(" ", 1)[0] + "…")
            elif room > 2:
                taken.append("…")
            break
        taken.append(line)
        room -= len(line) + 1
    return "\n".join(taken)


def pages_of(body: str) -> tuple[str, ...]:
    """The whole of an article in pages to be read one after another, turned between sections or, in a long one, between its lines."""
    pages: list[str] = []
    for part in parts_of(body):
        for place, line in enumerate(part.lines):
            gap = "\n\n" if place == 0 else "\n"
            if pages and len(pages[-1]) + len(gap) + len(line) <= PAGE_LIMIT:
                pages[-1] += gap + line
            else:
                pages.append(line)
    return tuple(pages)
