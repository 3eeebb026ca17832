"""Where a message belongs: its conversation and its request, in order of trust. Never the subject alone."""

from dataclasses import dataclass

from sqlalchemy import select

from desk_core.conversations import letters
from desk_core.conversations import repository as conversations
from desk_core.conversations.entities import Conversation, Inbox, Message
from desk_core.conversations.ports import ChannelKind, InboundKind, InboundMessage
from desk_core.kit.db import ReadSession
from desk_core.people.entities import Contact
from desk_core.tickets import copies
from desk_core.tickets import reading as tickets
from desk_core.tickets.entities import Ticket

APART = frozenset({"sender_apart", "subject_apart"})
"""Verdicts of rules under which a letter is a request of its own, whatever other letters it refers to."""


@dataclass(frozen=True, slots=True)
class Found:
    """Where a message belongs. `joined_by`: how the conversation was found, see `Situation`.

    `pointed` is the request that the message itself names or answers; `active` is that, or the one its conversation is about.
    """

    conversation: Conversation | None
    joined_by: str
    pointed: Ticket | None
    active: Ticket | None
    beside: bool  # their own request was merged into one of somebody else, whose page they do not have


async def find(session: ReadSession, inbox: Inbox, message: InboundMessage, contact: Contact | None, *, chats: bool) -> Found:
    """With `chats` several requests share a conversation of this inbox, and nothing but the active one is taken for what it is about."""
    conversation, joined_by, by_number = await _conversation(session, inbox, message, contact)
    named = by_number or await _answered_ticket(session, inbox, conversation, message)
    pointed = await _goes_on_as(session, named, joined_by, inbox)
    active = pointed or await _goes_on_as(session, await _active_ticket(session, conversation, chats=chats), joined_by, inbox)
    beside = joined_by == "page" and named is not None and active is not None and named.contact_id != active.contact_id
    if conversation is not None:
        conversation = await _thread_of(session, conversation, active)
    return Found(conversation, joined_by, pointed, active, beside)


async def _conversation(
    session: ReadSession, inbox: Inbox, message: InboundMessage, contact: Contact | None
) -> tuple[Conversation | None, str, Ticket | None]:
    """The conversation of a message, how it was found, and the request where a number named it.

    In order of trust: the request's own page, the channel's own thread, our signed token, References, a number that the sender owns.
    Never the subject alone.
    """
    if message.card.get("released"):
        # Held until an operator took it up: it goes on where it was kept.
        kept = await session.get(Message, str(message.card["released"]))
        found = await conversations.conversation_by_id(session, kept.conversation_id) if kept else None
        loose = found is not None and found.active_ticket_id is None
        return found, "released", await _numbered(session, message, contact) if loose else None
    if message.card.get("apart"):
        return None, "apart", None  # an operator said so
    if message.card.get("ticket"):
        # From the status page: whoever holds its secret address writes on that request, whatever channel it came by.
        shown: Ticket | None = await tickets.ticket_by_id(session, str(message.card["ticket"]))
        if shown is not None and shown.conversation_id is not None:
            return await conversations.conversation_by_id(session, shown.conversation_id), "page", shown
    if message.reply_to and inbox.channel == "telegram" and message.kind is InboundKind.MESSAGE:
        # The copy of a message in the chat of somebody on the request.
        copied = await copies.answered(session, inbox.id, message.reply_to)
        if copied is not None and contact is not None and copied.contact_id == contact.id and message.thread_key is not None:
            return await conversations.conversation_by_thread(session, inbox.id, message.thread_key), "thread", copied
        if copied is not None and copied.conversation_id and await copies.is_on(session, copied.id, message.sender.address):
            return await conversations.conversation_by_id(session, copied.conversation_id), "copy", copied
    if message.thread_key is not None:
        found = await conversations.conversation_by_thread(session, inbox.id, message.thread_key)
        return found, "thread" if found else "new", None
    for token in message.tokens:
        found = await conversations.conversation_by_id(session, token)
        if found is not None:
            return found, "token", None
    if message.verdict in APART:
        return None, "new", None
    by_reference = await letters.conversation_by_references(session, inbox.id, message.references)
    if by_reference is not None:
        return await conversations.conversation_by_id(session, by_reference), "references", None
    if not message.card.get("number"):
        return None, "new", None
    if not message.acts:
        return None, "number_not_proven", None
    ticket = await _numbered(session, message, contact)
    if ticket is not None and ticket.conversation_id is not None:
        found = await conversations.conversation_by_id(session, ticket.conversation_id)
        if found is not None and found.channel == inbox.channel:
            return found, "number", ticket
    return None, "number_not_owned", None


async def _goes_on_as(session: ReadSession, ticket: Ticket | None, joined_by: str, inbox: Inbox) -> Ticket | None:
    """The request that this one goes on as. In a chat the bot speaks of it, so there it is never one of somebody else."""
    found = await tickets.heir(session, ticket)
    silent = inbox.channel == ChannelKind.EMAIL or joined_by == "page"
    return found if silent or found is None or ticket is None or found.contact_id == ticket.contact_id else ticket


async def _thread_of(session: ReadSession, found: Conversation, active: Ticket | None) -> Conversation:
    """The mail thread that was found, or the one where it goes on: its request may have been merged into one of another thread."""
    if found.channel != ChannelKind.EMAIL or active is None or active.conversation_id in (None, found.id):
        return found
    home = await conversations.conversation_by_id(session, str(active.conversation_id))
    return home if home is not None and home.channel == found.channel else found


async def _numbered(session: ReadSession, message: InboundMessage, contact: Contact | None) -> Ticket | None:
    """The request that the subject names, where the sender is one of its people."""
    number = message.card.get("number")
    found: Ticket | None = await session.scalar(select(Ticket).where(Ticket.number == int(number))) if number else None
    if found is None:
        return None
    if contact is not None and found.contact_id == contact.id:
        return found
    return found if await copies.is_on(session, found.id, message.sender.address) else None


async def _answered_ticket(session: ReadSession, inbox: Inbox, conversation: Conversation | None, message: InboundMessage) -> Ticket | None:
    """The request of the message that this one answers."""
    if conversation is None or not message.reply_to:
        return None
    answered = await conversations.message_by_external_id(session, inbox.id, message.reply_to)
    if answered is None or answered.ticket_id is None or not await _same_person(session, answered, conversation):
        return None
    return await tickets.ticket_by_id(session, answered.ticket_id)


async def _active_ticket(session: ReadSession, conversation: Conversation | None, *, chats: bool) -> Ticket | None:
    """The request that words in a conversation belong to: its active one, else (mail, page) its last."""
    if conversation is None:
        return None
    if conversation.active_ticket_id is not None:
        return await tickets.ticket_by_id(session, conversation.active_ticket_id)
    if not chats or conversation.topic is not None:
        return await tickets.last_in(session, conversation.id)
    return None


async def _same_person(session: ReadSession, answered: Message, conversation: Conversation) -> bool:
    """A request may have moved to a topic since; what its person answers is about it all the same."""
    if answered.conversation_id == conversation.id:
        return True
    there = await conversations.conversation_by_id(session, answered.conversation_id)
    return there is not None and there.contact_id == conversation.contact_id
