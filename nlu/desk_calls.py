"""What a Rasa dialogue may ask of the desk; the desk itself answers in `gateway`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Told:
    """What a Rasa conversation has come to: who speaks, the story and its topic, the answers. `key` is the same for the same turn."""

    sender: str
    key: str
    text: str
    language: str
    topic: str | None = None
    answers: Mapping[str, str] = field(default_factory=dict)
    history: tuple[str, ...] = ()


class DeskCalls(Protocol):
    """Each call answers with what to say, in the person's language."""

    async def suggest(self, told: Told) -> list[str]: ...

    async def create(self, told: Told) -> list[str]: ...

    async def status(self, told: Told) -> list[str]: ...

    async def hand_over(self, told: Told) -> list[str]: ...
