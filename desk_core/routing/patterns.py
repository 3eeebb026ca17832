"""Regular expressions that people write into rules, admitted only where they cannot run away. Pure.

The matcher of Python tries alternatives one after another, so a pattern such as `(a+)+b` may take for ever on a text that a
stranger sends. `ways` counts, from the parsed pattern, in how many ways a match can be attempted at one place of the text;
patterns above a limit are refused when the rule is written, not when the text arrives. Texts are searched with every run of
white space as one blank, so that the common `\\s+` costs nothing.
"""

import importlib
import re
from functools import lru_cache
from typing import Any

from desk_core.kit.i18n import Phrase
from desk_core.kit.i18n import gettext_noop as _

MAX_PATTERN = 300  # characters
MAX_TEXT = 2_000  # characters of a text that patterns look at
MAX_WAYS = 10_000

# The parser of `re` is the only reader of its syntax that is never wrong about it. It is stable in substance but has no public
# name, hence no type information either.
_parser: Any = importlib.import_module("re._parser")
_op: Any = importlib.import_module("re._constants")


class UnsafePattern(ValueError):
    """Why a pattern is refused, in words for its author."""

    def __init__(self, reason: Phrase) -> None:
        super().__init__(reason)
        self.reason = reason


@lru_cache(maxsize=512)
def compile_safely(pattern: str) -> re.Pattern[str]:
    """The pattern ready to search, ignoring case; raises `UnsafePattern`."""
    if len(pattern) > MAX_PATTERN:
        raise UnsafePattern(Phrase(_("it is longer than %(most)s characters"), most=MAX_PATTERN))
    try:
        compiled = re.compile(pattern, re.IGNORECASE)
        count = ways(_parser.parse(pattern, re.IGNORECASE))
    except (re.error, RecursionError, OverflowError) as error:
        raise UnsafePattern(Phrase(_("it is not written correctly (%(reason)s)"), reason=error)) from error
    if count > MAX_WAYS:
        raise UnsafePattern(Phrase(_("too many ways to match: bound the repeats, like \\w{0,20}, or list fewer alternatives")))
    return compiled


def search(pattern: str, text: str) -> str | None:
    """What the pattern finds in the beginning of a text; raises `UnsafePattern`."""
    match = compile_safely(pattern).search(" ".join(text[:MAX_TEXT].split()))
    return match.group() if match else None


def ways(parsed: Any) -> int:
    """An upper bound of the ways to match one parsed sequence at one place of a text of `MAX_TEXT` characters."""
    product = 1
    for op, argument in parsed:
        product = min(product * _ways_of(op, argument), MAX_WAYS + 1)
    return product


def _ways_of(op: Any, argument: Any) -> int:
    if op in (_op.MAX_REPEAT, _op.MIN_REPEAT, _op.POSSESSIVE_REPEAT):
        return _ways_of_repeat(*argument)
    if op is _op.BRANCH:
        return sum(ways(branch) for branch in argument[1])
    if op is _op.SUBPATTERN:
        return ways(argument[-1])
    if op is _op.ATOMIC_GROUP:
        return ways(argument)
    if op in (_op.GROUPREF, _op.GROUPREF_EXISTS, _op.ASSERT, _op.ASSERT_NOT):
        raise UnsafePattern(Phrase(_("references to groups and looking around are not supported")))
    return 1


def _ways_of_repeat(least: int, most: int, body: Any) -> int:
    inner, least, most = ways(body), int(least), min(int(most), MAX_TEXT)
    if _is_blank(body):
        most = min(most, 1)
    if inner == 1:
        return max(most - least, 0) + 1
    if most <= 1:
        return inner + (least == 0)
    if _repeats_inside(body):
        raise UnsafePattern(Phrase(_("a repeat inside a repeat")))
    # Two ways to the power of twenty are far above the limit already; larger powers would only be slow to write down.
    return int(min(inner ** min(most, 20), MAX_WAYS + 1))


def _is_blank(body: Any) -> bool:
    """Whether a body matches white space and nothing else."""
    if len(body) != 1:
        return False
    op, argument = body[0]
    return (op is _op.LITERAL and chr(argument).isspace()) or (op is _op.IN and list(argument) == [(_op.CATEGORY, _op.CATEGORY_SPACE)])


def _repeats_inside(parsed: Any) -> bool:
    """Whether a repeat of open length stands somewhere inside."""
    for op, argument in parsed:
        bodies: list[Any] = []
        if op in (_op.MAX_REPEAT, _op.MIN_REPEAT, _op.POSSESSIVE_REPEAT):
            least, most, body = argument
            if int(most) > 1 and least != most:
                return True
            bodies = [body]
        elif op is _op.SUBPATTERN:
            bodies = [argument[-1]]
        elif op is _op.BRANCH:
            bodies = argument[1]
        if any(_repeats_inside(body) for body in bodies):
            return True
    return False
