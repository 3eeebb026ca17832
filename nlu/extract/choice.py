"""Choices of a slot that a story already made: more careful than reading an answer, because nobody asked yet."""

import re

from nlu.text import mention
from nlu.understood import SlotDef

_LONG_WORD = 5  # letters; shorter single words ("да", "нет", "me") mean something only as an answer
_ORDINARY = frozenset({"individual", "medium"})  # what a request has before anybody says more
_NOT = re.compile(r"(?:\bне|\bнет|\bни|\bnot|\bno|n't|\bwithout|\bбез)\s*$")


def find(text: str, slot: SlotDef) -> str | None:
    """The one value that the words of a text name; None where none or several do."""
    said = " ".join(text.lower().replace("ё", "е").replace("’", "'").split())
    longest: dict[str, int] = {}
    for value, words in slot.words.items():
        if value == "other":
            continue
        for word in words:
            phrase = word.lower().replace("ё", "е").replace("’", "'")
            # What moves the priority is taken only from a clear phrase: "стоит" is also where a printer stands.
            moves = not _ORDINARY.issuperset(slot.sets.get(value, {}).values())
            if " " not in phrase and (len(phrase) < _LONG_WORD or moves):
                continue
            match = mention(phrase, said, ending=r"\w{0,3}")
            if match and not _NOT.search(said[max(0, match.start() - 12) : match.start()]):
                longest[value] = max(longest.get(value, 0), len(phrase))
    if not longest:
        return None
    best = max(longest.values())
    winners = [value for value, length in longest.items() if length == best]
    return winners[0] if len(winners) == 1 else None
