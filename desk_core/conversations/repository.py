"""SQL about conversations and messages."""

from datetime import datetime
from typing import cast

from sqlalchemy import Table, bindparam, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm.attributes import set_committed_value

from desk_core.conversations.addresses import one_spelling, spellings, without_plus
from desk_core.conversations.entities import (
    Attachment,
    Conversation,
    Inbox,
    Message,
)
from desk_core.conversations.growth import GROWS, SAME_WORDS
from desk_core.conversations.ports import FORGED_SENDER, ChannelKind
from desk_core.kit.db import ReadSession, UnitOfWork
from desk_core.kit.errors import NotFound
from desk_core.kit.prepared import Prepared, PreparedEntities

ASIDE = (
    "abuse_report", "automatic", "bounce", "calendar", FORGED_SENDER, "list", "no_reply", "out_of_office", "own_check", "own_loop",
    "read_receipt", "sender_robot", "spam", "subject_robot", SAME_WORDS, GROWS,
)  # fmt: skip
"""Verdicts of mail that no person wrote to us, whatever thread it came into."""

# Tables, not classes, on the hot paths: a statement about classes goes through the ORM even where no object comes back.
_MESSAGES = cast("Table", Message.__table__)
_TALKS = cast("Table", Conversation.__table__)


# What every message asks for is built once: building a statement costs as much as running it.
_INBOX_BY_ID: PreparedEntities[Inbox] = PreparedEntities(select(Inbox).where(Inbox.id == bindparam("id")), Inbox)
_TALK_BY_ID: PreparedEntities[Conversation] = PreparedEntities(select(Conversation).where(Conversation.id == bindparam("id")), Conversation)
_TALK_BY_THREAD: PreparedEntities[Conversation] = PreparedEntities(
    select(Conversation).where(Conversation.inbox_id == bindparam("inbox"), Conversation.thread_key == bindparam("thread")), Conversation
)
_STATE = Prepared(select(_TALKS.c.version, _TALKS.c.contact_id).where(_TALKS.c.id == bindparam("id")))
_TOUCH = Prepared(
    update(_TALKS)
    .where(_TALKS.c.id == bindparam("talk"), _TALKS.c.version == bindparam("seen"))
    .values(version=_TALKS.c.version + 1, updated_at=bindparam("now"))
)
_SENT = Prepared(
    update(_MESSAGES)
    .where(_MESSAGES.c.id == bindparam("message"))
    .values(external_id=bindparam("shown"), delivery_state="sent", delivery_reason=None, delivery_attempts=bindparam("attempts"))
)
_SHOWN_ID = Prepared(select(_MESSAGES.c.external_id).where(_MESSAGES.c.id == bindparam("message"), _MESSAGES.c.deleted_at.is_(None)))
_FILES_OF: PreparedEntities[Attachment] = PreparedEntities(
    select(Attachment).where(Attachment.message_id == bindparam("message")).order_by(Attachment.id), Attachment
)
_BY_EXTERNAL_ID: PreparedEntities[Message] = PreparedEntities(
    select(Message)
    .where(Message.inbox_id == bindparam("inbox"), Message.external_id == bindparam("external"))
    .order_by(Message.at.desc())
    .limit(1),
    Message,
)
_OUTBOUND: PreparedEntities[Message] = PreparedEntities(
    select(Message, Conversation, Inbox)
    .join(Conversation, Conversation.id == Message.conversation_id)
    .join(Inbox, Inbox.id == Conversation.inbox_id)
    .where(Message.id == bindparam("message")),
    Message,
    Conversation,
    Inbox,
)
_LAST_INBOUND: PreparedEntities[Message] = PreparedEntities(
    select(Message)
    .where(
        Message.conversation_id == bindparam("conversation"),
        Message.direction == "inbound",
        or_(Message.verdict_code.is_(None), Message.verdict_code.not_in(ASIDE)),
    )
    .order_by(Message.at.desc(), Message.id.desc())
    .limit(1),
    Message,
)
_MESSAGE: PreparedEntities[Message] = PreparedEntities(select(Message).where(Message.id == bindparam("id")), Message)


async def message(uow: UnitOfWork, message_id: str) -> Message:
    """The message, to be changed; raises `NotFound`."""
    found = await _MESSAGE.first(uow.session, {"id": message_id})
    if found is None:
        raise NotFound(message=message_id)
    return found


async def inboxes(session: ReadSession) -> list[Inbox]:
    return list((await session.scalars(select(Inbox).order_by(Inbox.name).limit(1000))).all())


async def inbox_by_id(session: ReadSession, inbox_id: str) -> Inbox:
    """Raises `NotFound`."""
    found = await _INBOX_BY_ID.first(session, {"id": inbox_id})
    if found is None:
        raise NotFound(inbox=inbox_id)
    return found


async def conversation_by_id(session: ReadSession, conversation_id: str) -> Conversation | None:
    return await _TALK_BY_ID.first(session, {"id": conversation_id})


async def conversation_by_thread(session: ReadSession, inbox_id: str, thread_key: str) -> Conversation | None:
    return await _TALK_BY_THREAD.first(session, {"inbox": inbox_id, "thread": thread_key})


async def state_of(uow: UnitOfWork, conversation_id: str) -> tuple[int, str] | None:
    """At which version a conversation stands, and whose it is."""
    rows = await _STATE.rows(uow.session, {"id": conversation_id})
    return (int(rows[0][0]), str(rows[0][1])) if rows else None


async def own_addresses(session: AsyncSession) -> tuple[str, ...]:
    """Every mail address of the desk, aliases too, in every spelling: letters to them come here, and those from them came from here."""
    inboxes = await session.scalars(select(Inbox).where(Inbox.channel == ChannelKind.EMAIL.value).order_by(Inbox.name))
    return spellings(address for inbox in inboxes for address in inbox.addresses)


async def is_own_address(uow: UnitOfWork, address: str) -> bool:
    """Whether a letter to it would come back to the desk."""
    return without_plus(one_spelling(address)) in {without_plus(one) for one in await own_addresses(uow.session)}


async def message_by_external_id(session: ReadSession, inbox_id: str, external_id: str) -> Message | None:
    """The newest message that the channel knows by this id."""
    return await _BY_EXTERNAL_ID.first(session, {"inbox": inbox_id, "external": external_id})


async def outbound(session: ReadSession, message_id: str) -> tuple[Message, Conversation, Inbox] | None:
    """A message with its files, and where it goes."""
    rows = await _OUTBOUND.rows(session, {"message": message_id})
    if not rows:
        return None
    message, conversation, inbox = rows[0]
    set_committed_value(message, "attachments", await _FILES_OF.all(session, {"message": message_id}))
    return message, conversation, inbox


async def shown_id(session: ReadSession, message_id: str) -> str | None:
    """Under what id a message stands in its channel; None where it does not."""
    found: str | None = await _SHOWN_ID.scalar(session, {"message": message_id})
    return found


async def kept_back(uow: UnitOfWork, inbox_id: str, contact_id: str, *, limit: int = 50) -> list[Message]:
    """What could not be delivered because the person had shut us out, oldest first."""
    query = (
        select(Message)
        .join(Conversation, Conversation.id == Message.conversation_id)
        .where(
            Conversation.inbox_id == inbox_id, Conversation.contact_id == contact_id, Message.direction == "outbound",
            Message.delivery_state == "failed",
        )
        .order_by(Message.at.desc(), Message.id.desc())
        .limit(limit)
    )  # fmt: skip
    return [message for message in reversed(list(await uow.scalars(query))) if message.meta.get("blocked")]


async def last_inbound(session: ReadSession, conversation_id: str) -> Message | None:
    """What a person said last; an answer goes to whoever that was, never to a robot that wrote since, nor to a forged address."""
    return await _LAST_INBOUND.first(session, {"conversation": conversation_id})


async def last_sent(session: ReadSession, conversation_id: str) -> Message | None:
    """The newest message of a conversation that has left the desk."""
    query = (
        select(Message)
        .where(Message.conversation_id == conversation_id, Message.direction == "outbound", Message.external_id.is_not(None))
        .order_by(Message.at.desc(), Message.id.desc())
        .limit(1)
    )
    found: Message | None = await session.scalar(query)
    return found


async def answered_since(session: ReadSession | UnitOfWork, message: Message) -> bool:
    """Whether the person has written in the conversation since this message of ours."""
    later = select(Message.id).where(
        Message.conversation_id == message.conversation_id, Message.direction == "inbound", Message.id > message.id
    )
    return await session.scalar(later.limit(1)) is not None


async def newest_said(session: ReadSession, conversation_id: str) -> str | None:
    """The newest message of either side."""
    query = select(Message.id).where(Message.conversation_id == conversation_id, Message.direction.in_(("inbound", "outbound")))
    found: str | None = await session.scalar(query.order_by(Message.id.desc()).limit(1))
    return found


async def touch(uow: UnitOfWork, conversation_id: str, *, version: int, now: datetime) -> bool:
    """Move a conversation on from this version; False where somebody did before."""
    return await _TOUCH.run(uow.session, {"talk": conversation_id, "seen": version, "now": now}) == 1


async def note_sent(uow: UnitOfWork, message_id: str, *, external_id: str, attempts: int) -> None:
    """A message has left, for certain and in one part."""
    await _SENT.run(uow.session, {"message": message_id, "shown": external_id, "attempts": attempts})


async def album_message(session: ReadSession, conversation_id: str, album: str) -> Message | None:
    """The message that already holds earlier parts of an album."""
    query = (
        select(Message)
        .where(Message.conversation_id == conversation_id, Message.direction == "inbound")
        .order_by(Message.at.desc(), Message.id.desc())
        .limit(20)
    )
    return next((row for row in await session.scalars(query) if row.meta.get("album") == album), None)


async def bytes_since(session: ReadSession, contact_id: str, since: datetime) -> int:
    """How much this person has sent in files since then."""
    query = (
        select(func.coalesce(func.sum(Attachment.size), 0))
        .join(Message, Message.id == Attachment.message_id)
        .join(Conversation, Conversation.id == Message.conversation_id)
        .where(Conversation.contact_id == contact_id, Message.direction == "inbound", Message.at > since)
    )
    return int(await session.scalar(query) or 0)


async def has_told(session: ReadSession, conversation_id: str, key: str, *, since: datetime | None = None) -> bool:
    """Whether the desk has said this reply in a conversation (since then)."""
    query = select(Message.id).where(
        Message.conversation_id == conversation_id, Message.direction == "outbound", Message.meta["key"].as_string() == key
    )
    if since is not None:
        query = query.where(Message.at > since)
    return await session.scalar(query.limit(1)) is not None


async def last_told(session: ReadSession, conversation_id: str, key: str, *, since: datetime) -> Message | None:
    """When the desk last said this reply in a conversation since then, as the message it was."""
    query = select(Message).where(
        Message.conversation_id == conversation_id, Message.direction == "outbound", Message.meta["key"].as_string() == key,
        Message.at > since,
    )  # fmt: skip
    found: Message | None = await session.scalar(query.order_by(Message.at.desc(), Message.id.desc()).limit(1))
    return found


async def attachment_count(session: ReadSession, conversation_id: str) -> int:
    query = select(func.count()).select_from(Attachment).join(Message).where(Message.conversation_id == conversation_id)
    return (await session.scalar(query)) or 0
