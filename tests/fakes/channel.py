"""A channel that remembers what it was given to send, and fails when told; passes the same contract as the real ones."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field

from desk_core.conversations.ports import Ability, Accept, ChannelKind, DeliveryError, OutboundMessage, Receipt, Refused


@dataclass
class FakeChannel:
    """Implements `Channel`. `trouble` is raised by the next sends, one each."""

    kind: ChannelKind = ChannelKind.TELEGRAM
    sent: list[OutboundMessage] = field(default_factory=list)
    answered: list[tuple[str, str | None]] = field(default_factory=list)
    closed_buttons: list[tuple[str, str]] = field(default_factory=list)
    shown_typing: list[str] = field(default_factory=list)
    files: dict[str, bytes] = field(default_factory=dict)
    trouble: list[DeliveryError] = field(default_factory=list)
    abilities: frozenset[Ability] = frozenset(Ability)
    edited: list[tuple[OutboundMessage, Receipt]] = field(default_factory=list)
    deleted: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)
    reactions: list[tuple[str, str, str | None]] = field(default_factory=list)

    async def run(self, accept: Accept) -> None:
        await asyncio.Event().wait()

    async def send(self, message: OutboundMessage) -> Receipt:
        if self.trouble:
            raise self.trouble.pop(0)
        self.sent.append(message)
        return Receipt(external_id=f"{message.thread_key}:{len(self.sent)}")

    async def typing(self, thread_key: str) -> None:
        self.shown_typing.append(thread_key)

    async def answer_press(self, callback_id: str, text: str | None = None) -> None:
        self.answered.append((callback_id, text))

    async def close_buttons(self, thread_key: str, external_id: str) -> None:
        self.closed_buttons.append((thread_key, external_id))

    async def edit(self, message: OutboundMessage, shown: Receipt) -> Receipt:
        if self.trouble:
            raise self.trouble.pop(0)
        self.edited.append((message, shown))
        return shown

    async def delete(self, thread_key: str, external_ids: Sequence[str]) -> None:
        if self.trouble:
            raise self.trouble.pop(0)
        self.deleted.append((thread_key, tuple(external_ids)))

    async def react(self, thread_key: str, external_id: str, emoji: str | None) -> None:
        if self.trouble:
            raise self.trouble.pop(0)
        self.reactions.append((thread_key, external_id, emoji))

    async def fetch(self, remote_id: str) -> AsyncIterator[bytes]:
        if remote_id not in self.files:
            raise Refused("file not found")
        yield self.files[remote_id]

    async def test(self) -> Sequence[tuple[str, bool, str]]:
        return [("fake", True, "it is here")]

    async def close(self) -> None:
        """Holds nothing."""
