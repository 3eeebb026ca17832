"""Topics: where a chat has them, each request is a thread of its own in it. The store decides, the channel follows.

A conversation is a thread, so a request's topic is a conversation. It begins as one that is awaited (it has no thread key of the channel's
yet); the first delivery into it opens the topic. Who deletes a topic by hand loses nothing: the next delivery opens it again.
"""

from datetime import timedelta

from sqlalchemy import exists, select, update

from desk_core.context import Context
from desk_core.conversations.entities import Conversation
from desk_core.conversations.service import Baton
from desk_core.kit.db import UnitOfWork
from desk_core.kit.ids import new_id
from desk_core.lanes import queue
from desk_core.tickets.entities import Ticket
from desk_core.tickets.lifecycle import ACTIVE

TOPIC = "topic"
"""Kind of the work item that makes a topic look like its request."""

SETTLES = timedelta(seconds=1)
"""A request that changes twice in a breath (reopened, assigned) is shown once."""


def topic_lane(conversation_id: str) -> str:
    return f"topic:{conversation_id}"


def chat_of(thread_key: str) -> str:
    """The chat around a thread."""
    return thread_key.partition(":")[0]


def in_topic(thread_key: str) -> bool:
    return ":" in thread_key


def is_awaited(thread_key: str) -> bool:
    """Whether the topic of this thread is yet to be opened."""
    return thread_key.partition(":")[2].startswith("+")


def awaited_key(thread_key: str) -> str:
    """A thread key for a topic that is yet to be opened in the same chat."""
    return f"{chat_of(thread_key)}:+{new_id()}"


async def room_for_request(uow: UnitOfWork, ctx: Context, conversation: Conversation) -> Conversation:
    """Where a request that is opened from this conversation goes on: the topic that its person made for it, else a new one."""
    if in_topic(conversation.thread_key) and not await _has_request(uow, conversation):
        conversation.topic = {}
        await refresh(uow, ctx, conversation)
        return conversation
    room = Conversation(
        id=new_id(), inbox_id=conversation.inbox_id, channel=conversation.channel, contact_id=conversation.contact_id,
        thread_key=awaited_key(conversation.thread_key), subject=None, baton=Baton.BOT.value, agent_id=None, language=conversation.language,
        dialogue={}, active_ticket_id=None, topic={}, blocked_at=None, blocked_reason=None, last_inbound_at=ctx.now, created_at=ctx.now,
        updated_at=ctx.now, version=1,
    )  # fmt: skip
    uow.add(room)
    await uow.flush()
    return room


async def _has_request(uow: UnitOfWork, conversation: Conversation) -> bool:
    return bool(await uow.scalar(select(exists().where(Ticket.conversation_id == conversation.id))))


async def own_request(uow: UnitOfWork, conversation: Conversation) -> Ticket | None:
    """The open request whose topic this is; None for the chat itself and for a topic that is free."""
    if conversation.topic is None:
        return None
    query = (
        select(Ticket)
        .where(Ticket.conversation_id == conversation.id, Ticket.status.in_([status.value for status in ACTIVE]))
        .order_by(Ticket.opened_at.desc())
        .limit(1)
    )
    found: Ticket | None = await uow.scalar(query)
    return found


async def refresh(uow: UnitOfWork, ctx: Context, conversation: Conversation | None) -> None:
    """Have the topic of a request show how it stands; nothing to do for a thread that is no request's topic."""
    if conversation is None or conversation.topic is None:
        return
    payload = {"conversation_id": conversation.id, "request_id": ctx.request_id}
    await queue.set_timer(uow, lane=topic_lane(conversation.id), kind=TOPIC, payload=payload, run_at=ctx.now + SETTLES)
    ctx.wake(uow)


async def keep_key(uow: UnitOfWork, conversation_id: str, thread_key: str, shown: dict[str, object]) -> None:
    """The topic is open under this key and looks like this."""
    await uow.execute(
        update(Conversation)
        .where(Conversation.id == conversation_id)
        .values(thread_key=thread_key, topic=shown)
        .execution_options(synchronize_session=False)
    )


async def note_shown(uow: UnitOfWork, conversation_id: str, shown: dict[str, object]) -> None:
    """The topic looks like this now, if it is one still."""
    await uow.execute(
        update(Conversation)
        .where(Conversation.id == conversation_id, Conversation.topic.is_not(None))
        .values(topic=shown)
        .execution_options(synchronize_session=False)
    )


async def give_up(uow: UnitOfWork, conversation_id: str) -> None:
    """No topic can be had: the request goes on in the chat itself, and whoever was speaking goes on speaking there."""
    room = await uow.session.get_one(Conversation, conversation_id)
    chat: Conversation | None = await uow.scalar(
        select(Conversation).where(Conversation.inbox_id == room.inbox_id, Conversation.thread_key == chat_of(room.thread_key))
    )
    room.topic = None
    if chat is None:
        room.thread_key = chat_of(room.thread_key)
        return
    ticket: Ticket | None = await uow.scalar(
        select(Ticket).where(Ticket.conversation_id == room.id).order_by(Ticket.opened_at.desc()).limit(1)
    )
    await uow.flush()
    await uow.execute(
        update(Ticket).where(Ticket.conversation_id == room.id).values(conversation_id=chat.id).execution_options(synchronize_session=False)
    )
    news: dict[str, object] = {"version": Conversation.version + 1}  # who is thinking about the chat just now thinks again
    if ticket is not None and chat.active_ticket_id is None and not chat.dialogue:
        news["active_ticket_id"] = ticket.id
        if chat.baton == Baton.BOT:
            news |= {"baton": room.baton, "agent_id": room.agent_id}
    await uow.execute(update(Conversation).where(Conversation.id == chat.id).values(**news).execution_options(synchronize_session=False))


async def is_here(uow: UnitOfWork, conversation: Conversation, ticket_id: str) -> bool:
    """Whether a request may become the active one of this thread: one that has a topic goes on there, and a topic keeps its own."""
    ticket = await uow.session.get(Ticket, ticket_id)
    if ticket is None or conversation.topic is not None or ticket.conversation_id is None:
        return ticket is not None and ticket.conversation_id == conversation.id
    home = await uow.session.get(Conversation, ticket.conversation_id)
    return home is None or home.topic is None
