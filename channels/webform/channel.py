"""The web form as a channel: what the desk says stands on the request's status page the moment it is stored."""

import asyncio
from collections.abc import AsyncIterator, Sequence

from desk_core.conversations.ports import Accept, ChannelKind, OutboundMessage, Receipt, Refused, Unalterable


class WebformChannel(Unalterable):
    """Implements `Channel`. Receiving is the page's own request; sending is being there when the page is opened."""

    kind = ChannelKind.WEBFORM

    def __init__(self, inbox_id: str) -> None:
        self.inbox_id = inbox_id

    async def run(self, accept: Accept) -> None:
        """Nothing to fetch: the pages call `accept` themselves."""
        await asyncio.Event().wait()

    async def send(self, message: OutboundMessage) -> Receipt:
        """Delivered by being stored; the id is ours, so sending twice is the same message."""
        return Receipt(external_id=message.message_id)

    async def typing(self, thread_key: str) -> None:
        """A page shows no typing."""

    async def answer_press(self, callback_id: str, text: str | None = None) -> None:
        """A page's buttons are requests that are answered by their page."""

    async def close_buttons(self, thread_key: str, external_id: str) -> None:
        """A page draws its buttons anew each time."""

    async def fetch(self, remote_id: str) -> AsyncIterator[bytes]:
        """Files of a form arrive with it."""
        raise Refused("a form keeps no files elsewhere")
        yield b""  # makes this an async iterator, as the protocol asks

    async def test(self) -> Sequence[tuple[str, bool, str]]:
        return [("form", True, "the page is served by this desk")]

    async def close(self) -> None:
        """Holds nothing."""
