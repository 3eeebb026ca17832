"""Two machines that answer each other, told by what grows or comes again from letter to letter. Pure.

Caps bound how much the desk says by itself; this finds the talk itself, whatever headers its letters bear, and people see why it is held.
"""

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from difflib import SequenceMatcher

WITHIN = timedelta(hours=1)
TURNS = 3
"""So many letters make a pattern. People who write thrice within an hour say something else each time, or take longer than a machine."""
AT_ONCE = timedelta(minutes=1)
SAME, ALIKE = 0.93, 0.6
FEW_WORDS = 4
_COMPARED = 1500

SAME_WORDS, GROWS = "loop_words", "loop_growth"

_ANSWER = re.compile(r"(?:\b(?:re|aw|sv|fwd?|ответ|отв|на)\b(?:\[(\d+)\])?\s?:)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Heard:
    """A letter of somebody: what they said themselves, without what they quote, and how long after ours it came."""

    at: datetime
    text: str
    subject: str
    after: timedelta | None = None


def pattern(letters: Sequence[Heard]) -> str | None:
    """Why the last of these letters of one sender, oldest first, looks like a machine's; None where it does not."""
    if len(letters) < TURNS:
        return None
    last = letters[-TURNS:]
    if last[-1].at - last[0].at > WITHIN:
        return None
    pairs = list(itertools.pairwise(last))
    likeness = min(_alike(one.text, other.text) for one, other in pairs)
    if likeness >= SAME and all(len(_plain(one.text).split()) >= FEW_WORDS for one in last):
        return SAME_WORDS
    longer = all(len(other.text) > len(one.text) for one, other in pairs)  # the history under it grows with every answer of a person too
    answers = all(_answers(other.subject) > _answers(one.subject) for one, other in pairs)
    at_once = all(one.after is not None and one.after <= AT_ONCE for one in last)
    return GROWS if (longer or answers) and (likeness >= ALIKE or at_once) else None


def _plain(text: str) -> str:
    """Words without what machines count up: numbers and signs."""
    return " ".join(re.sub(r"[\W\d_]+", " ", text[:_COMPARED].lower()).split())


def _alike(one: str, other: str) -> float:
    one, other = _plain(one), _plain(other)
    if one == other:
        return 1.0
    return SequenceMatcher(None, one, other, autojunk=False).ratio()


def _answers(subject: str) -> int:
    """How often a subject says that it is an answer; `Re[4]:` says so four times."""
    return sum(int(match[1] or 1) for match in _ANSWER.finditer(subject[:500]))
