"""A channel that remembers what it was given to send, and fails when told; passes the same contract as the real ones."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from desk_core.conversations.ports import Ability, Accept, ChannelKind, DeliveryError, OutboundMessage, Receipt, Refused, Topic, TopicGone


@dataclass
class FakeChannel:
    """Implements `Channel`. `trouble` is raised by the next sends, one each; with `topics` set a chat has them, by thread key."""

    kind: ChannelKind = ChannelKind.TELEGRAM
    sent: list[OutboundMessage] = field(default_factory=list)
    answered: list[tuple[str, str | None]] = field(default_factory=list)
    closed_buttons: list[tuple[str, str]] = field(default_factory=list)
    shown_typing: list[str] = field(default_factory=list)
    files: dict[str, bytes] = field(default_factory=dict)
    trouble: list[DeliveryError] = field(default_factory=list)
    topics: dict[str, Topic] | None = None
    opened_topics: int = 0
    abilities: frozenset[Ability] = frozenset(Ability)
    edited: list[tuple[OutboundMessage, Receipt]] = field(default_factory=list)
    deleted: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)
    reactions: list[tuple[str, str, str | None]] = field(default_factory=list)

    async def run(self, accept: Accept) -> None:
        await asyncio.Event().wait()

    async def send(self, message: OutboundMessage) -> Receipt:
        if self.trouble:
            raise self.trouble.pop(0)
        if self.topics is not None and ":" in message.thread_key and message.thread_key not in self.topics:
            raise TopicGone("message thread not found")
        self.sent.append(message)
        return Receipt(external_id=f"{message.thread_key}:{len(self.sent)}")

    async def typing(self, thread_key: str) -> None:
        self.shown_typing.append(thread_key)

    async def answer_press(self, callback_id: str, text: str | None = None) -> None:
        self.answered.append((callback_id, text))

    async def has_topics(self, thread_key: str) -> bool:
        return self.topics is not None

    async def open_topic(self, thread_key: str, topic: Topic) -> str:
        if self.topics is None:
            raise Refused("the chat is not a forum")
        self.opened_topics += 1
        key = f"{thread_key}:{100 + self.opened_topics}"
        self.topics[key] = topic
        return key

    async def set_topic(self, thread_key: str, topic: Topic, *, shown: Mapping[str, Any]) -> None:
        if self.topics is None or thread_key not in self.topics:
            raise TopicGone("message thread not found")
        self.topics[thread_key] = topic

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
