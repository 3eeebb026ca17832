"""What a desk has said of mail before it comes: by its sender, a whole domain, or words of its subject. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from desk_core.conversations.ports import TakeAs
from desk_core.conversations.subjects import alike, words_of


@dataclass(frozen=True, slots=True)
class Rules:
    """Each says what such mail is (`TakeAs`).

    `senders`: by address or "@domain", in lower case. `subjects`: by words that stand in the subject, whatever their case.
    """

    senders: Mapping[str, str] = field(default_factory=dict)
    subjects: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, config: Mapping[str, Any]) -> Self:
        """Those of an inbox."""
        return cls(config.get("senders", {}), config.get("subjects", {}))

    def about(self, address: str) -> TakeAs | None:
        """Of an address: its own rule goes before that of its domain."""
        what = self.senders.get(address) or self.senders.get("@" + address.rpartition("@")[2])
        return TakeAs(what) if what else None

    def in_subject(self, subject: str) -> tuple[str, TakeAs] | None:
        """(the words, what is said of them); the longest that the subject holds."""
        said = alike(words_of(subject)) if self.subjects else ""
        words = max((words for words in self.subjects if alike(words) in said), key=len, default="")
        return (words, TakeAs(self.subjects[words])) if words else None


NONE = Rules()
