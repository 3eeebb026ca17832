"""Letters of one mailbox as the threads they are of. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from channels.email.sandbox.mailbox import Letter


@dataclass(frozen=True, slots=True)
class Thread:
    """Letters that answer one another, oldest first; never empty."""

    letters: tuple[Letter, ...]

    @property
    def newest(self) -> Letter:
        return self.letters[-1]


def threads(letters: Sequence[Letter]) -> list[Thread]:
    """What was given newest first, in threads: the one that moved last stands first."""
    named = {(letter.mailbox, letter.message_id): letter.thread for letter in letters if letter.message_id}
    found: dict[tuple[str, str], list[Letter]] = {}
    for letter in letters:
        found.setdefault((letter.mailbox, _root(letter, named)), []).append(letter)
    return [Thread(tuple(reversed(group))) for group in found.values()]


def _root(letter: Letter, named: dict[tuple[str, str], str]) -> str:
    """Who names only the letter that is answered is of the thread of that one."""
    at, seen = letter.thread or letter.message_id or letter.id, set[str]()
    while at not in seen:
        seen.add(at)
        at = named.get((letter.mailbox, at)) or at
    return at
