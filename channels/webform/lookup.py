"""What the pages read: inboxes by name, requests by their secret token, and whether something accepted has been processed."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from sqlalchemy import select

from channels.webform.protection import thread_of
from desk_core.conversations.entities import Attachment, Conversation, Inbox, Message, RawInbound
from desk_core.conversations.ports import ChannelKind
from desk_core.kit.db import Database, ReadSession
from desk_core.people.entities import Contact, ContactIdentity
from desk_core.tickets.entities import Ticket

T = TypeVar("T")

SHOWN = ("inbound", "outbound")
"""Directions that a requester may see: never notes, never the desk's own activity."""


def form_id(token: str) -> str:
    """The external id of a form that was sent: says nothing of the secret it is made of."""
    return f"form:{thread_of(token)}"


async def form_inbox(session: ReadSession, name: str) -> Inbox | None:
    found: Inbox | None = await session.scalar(select(Inbox).where(Inbox.name == name, Inbox.channel == ChannelKind.WEBFORM.value))
    return found


async def ticket_by_token(session: ReadSession, token: str) -> Ticket | None:
    found: Ticket | None = await session.scalar(select(Ticket).where(Ticket.token == token[:100]))
    return found


async def raw_by_external_id(session: ReadSession, external_id: str, *, inbox_id: str | None = None) -> RawInbound | None:
    """What was accepted under an id of ours, in one inbox or in any form's."""
    forms = select(Inbox.id).where(Inbox.channel == ChannelKind.WEBFORM.value)
    where = RawInbound.inbox_id == inbox_id if inbox_id else RawInbound.inbox_id.in_(forms)
    found: RawInbound | None = await session.scalar(select(RawInbound).where(where, RawInbound.external_id == external_id))
    return found


async def attachment_of(session: ReadSession, ticket: Ticket, attachment_id: str) -> Attachment | None:
    """A file of this very request, from a message that its requester may see."""
    found: Attachment | None = await session.scalar(
        select(Attachment)
        .join(Message, Message.id == Attachment.message_id)
        .where(Attachment.id == attachment_id, Message.ticket_id == ticket.id, Message.direction.in_(SHOWN))
    )
    return found


@dataclass(frozen=True, slots=True)
class Way:
    """Where an addition to a request goes in: the conversation of its own channel, in the requester's own name."""

    inbox_id: str
    channel: str
    thread_key: str
    address: str
    name: str

    @property
    def lane(self) -> str:
        """The lane of that channel's own messages, so that both keep their order."""
        if self.channel == ChannelKind.EMAIL:
            return f"in:email:{self.address}"
        # A chat is one lane, whatever topics it has.
        chat = self.thread_key.partition(":")[0] if self.channel == ChannelKind.TELEGRAM else self.thread_key
        return f"in:{self.inbox_id}:{chat}"


async def telegram_bot(session: ReadSession) -> str:
    """The user name of the desk's bot, where one works whose name is known; empty otherwise."""
    inboxes = await session.scalars(
        select(Inbox).where(Inbox.channel == ChannelKind.TELEGRAM.value, Inbox.state == "active").order_by(Inbox.name).limit(20)
    )
    return next((name for one in inboxes if (name := str(one.config.get("username") or ""))), "")


async def way_into(session: ReadSession, ticket: Ticket) -> Way | None:
    conversation = await session.get(Conversation, ticket.conversation_id) if ticket.conversation_id else None
    return await way_of(session, conversation, ticket.contact_id) if conversation is not None else None


async def way_of(session: ReadSession, conversation: Conversation, contact_id: str) -> Way:
    """Where something that this person adds to a conversation goes in."""
    contact = await session.get_one(Contact, contact_id)
    address: str | None = await session.scalar(
        select(ContactIdentity.address)
        .where(ContactIdentity.contact_id == contact.id, ContactIdentity.channel == conversation.channel)
        .order_by(ContactIdentity.id)
        .limit(1)
    )
    return Way(
        inbox_id=conversation.inbox_id,
        channel=conversation.channel,
        thread_key=conversation.thread_key,
        address=address or f"web:{conversation.thread_key}",
        name=contact.name,
    )


async def until(ask: Callable[[], Awaitable[T | None]], *, seconds: float) -> T | None:
    """Ask again until there is an answer, at most `seconds` long; None when there was none."""
    loop = asyncio.get_running_loop()
    end, pause = loop.time() + seconds, 0.02
    while True:
        found = await ask()
        if found is not None or loop.time() >= end:
            return found
        await asyncio.sleep(pause)
        pause = min(pause * 1.5, 0.25)


async def processed_ticket(database: Database, token: str, *, seconds: float) -> Ticket | None:
    """The request with this token, once it is processed."""

    async def ask() -> Ticket | None:
        async with database.read() as session:
            return await ticket_by_token(session, token)

    return await until(ask, seconds=seconds)


async def processed_id(database: Database, inbox_id: str, external_id: str, *, seconds: float) -> str | None:
    """The message that something accepted became, once it is processed."""

    async def ask() -> str | None:
        async with database.read() as session:
            raw = await raw_by_external_id(session, external_id, inbox_id=inbox_id)
            return raw.message_id if raw is not None else None

    return await until(ask, seconds=seconds)


async def processed_message(database: Database, inbox_id: str, external_id: str, *, seconds: float) -> Ticket | None:
    """The request that an accepted message ended up with, once it is processed."""
    message_id = await processed_id(database, inbox_id, external_id, seconds=seconds)
    if message_id is None:
        return None
    async with database.read() as session:
        found: Ticket | None = await session.scalar(
            select(Ticket).join(Message, Message.ticket_id == Ticket.id).where(Message.id == message_id)
        )
        return found
