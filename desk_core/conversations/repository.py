"""SQL about conversations and messages."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any, cast

from sqlalchemy import Integer, Table, and_, bindparam, func, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm.attributes import set_committed_value

from desk_core.conversations.entities import (
    Attachment,
    ButtonToken,
    Conversation,
    Inbox,
    MailReference,
    Message,
    RawInbound,
)
from desk_core.conversations.growth import GROWS, SAME_WORDS, Heard
from desk_core.conversations.ports import FORGED_SENDER
from desk_core.kit.db import ReadSession, UnitOfWork
from desk_core.kit.errors import NotFound
from desk_core.kit.prepared import Prepared, PreparedEntities

ASIDE = (
    "abuse_report", "automatic", "bounce", "calendar", FORGED_SENDER, "list", "no_reply", "out_of_office", "own_loop", "read_receipt",
    "sender_robot", "spam", SAME_WORDS, GROWS,
)  # fmt: skip
"""Verdicts of mail that no person wrote to us, whatever thread it came into."""

# Tables, not classes, on the hot paths: a statement about classes goes through the ORM even where no object comes back.
_RAW = cast("Table", RawInbound.__table__)
_INBOX = cast("Table", Inbox.__table__)
_MESSAGES = cast("Table", Message.__table__)
_REFERENCES = cast("Table", MailReference.__table__)
_TALKS = cast("Table", Conversation.__table__)
_BUTTONS = cast("Table", ButtonToken.__table__)


def _insert_raw(dialect: str) -> Any:
    statement: Any = (postgresql if dialect == "postgresql" else sqlite).insert(_RAW)
    return statement.on_conflict_do_nothing(index_elements=["inbox_id", "external_id"])


_RAW_GIVEN = ("id", "inbox_id", "external_id", "lane", "body", "raw", "raw_blob", "request_id", "received_at", "state")
_INSERT_RAW = Prepared(_insert_raw("sqlite"), keys=_RAW_GIVEN)
_INSERT_RAW_FRESH = _insert_raw("postgresql").returning(_RAW.c.id)
_NOTE_DONE = Prepared(
    update(_RAW).where(_RAW.c.id == bindparam("of_raw")).values(state="done", message_id=bindparam("message"))
)  # fmt: skip
_NOTE_RECEIVED = Prepared(
    update(_INBOX).where(_INBOX.c.id == bindparam("inbox")).values(last_received_at=bindparam("now"), last_error=None)
)


# What every message asks for is built once: building a statement costs as much as running it.
_RAW_BY_ID: PreparedEntities[RawInbound] = PreparedEntities(select(RawInbound).where(RawInbound.id == bindparam("id")), RawInbound)
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
_CLOSE_CARD = Prepared(
    update(_BUTTONS).where(_BUTTONS.c.message_id == bindparam("card"), _BUTTONS.c.used_at.is_(None)).values(used_at=bindparam("now"))
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
_RAW_BY_IDS = select(RawInbound).where(RawInbound.id.in_(bindparam("ids", expanding=True)))
_BY_EXTERNAL_ID: PreparedEntities[Message] = PreparedEntities(
    select(Message)
    .where(Message.inbox_id == bindparam("inbox"), Message.external_id == bindparam("external"))
    .order_by(Message.at.desc())
    .limit(1),
    Message,
)
_REMEMBER = {
    name: Prepared(dialect.insert(_REFERENCES).on_conflict_do_nothing(), keys=("inbox_id", "message_id", "conversation_id"))
    for name, dialect in (("postgresql", postgresql), ("sqlite", sqlite))
}
_REFERENCES_OF = Prepared(
    select(_MESSAGES.c.external_id)
    .where(
        _MESSAGES.c.conversation_id == bindparam("conversation"),
        _MESSAGES.c.external_id.contains("@"),  # a Message-ID; what somebody on the request wrote in a chat has none
        _MESSAGES.c.direction.in_(("inbound", "outbound")),
    )
    .order_by(_MESSAGES.c.at.desc(), _MESSAGES.c.id.desc())
    .limit(bindparam("most", type_=Integer))
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
_SAID_LAST = Prepared(
    select(_MESSAGES.c.text)
    .where(_MESSAGES.c.conversation_id == bindparam("conversation"), _MESSAGES.c.direction == "outbound")
    .order_by(_MESSAGES.c.at.desc(), _MESSAGES.c.id.desc())
    .limit(3)
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


async def insert_raw(uow: UnitOfWork, rows: Sequence[Mapping[str, Any]]) -> set[str]:
    """Store raw inbound rows; the answer is the ids that were new. A row seen before changes nothing."""
    if uow.dialect == "sqlite":
        return {str(row["id"]) for row in rows if await _INSERT_RAW.run(uow.session, {"state": "pending", **row})}
    return set(await uow.scalars(_INSERT_RAW_FRESH, list(rows)))


async def note_received(uow: UnitOfWork, inbox_ids: Collection[str], *, now: datetime) -> None:
    await _NOTE_RECEIVED.many(uow.session, ({"inbox": inbox_id, "now": now} for inbox_id in sorted(inbox_ids)))


async def note_done(uow: UnitOfWork, raw_ids: Sequence[str], *, message_id: str | None) -> None:
    """These raw messages are filed, under that message."""
    await _NOTE_DONE.many(uow.session, ({"of_raw": raw_id, "message": message_id} for raw_id in raw_ids))


async def replace_body(uow: UnitOfWork, raw_id: str, body: Mapping[str, Any]) -> None:
    """Keep this of a raw message instead of what came: it held a secret."""
    await uow.execute(update(_RAW).where(_RAW.c.id == raw_id).values(body=dict(body)))


async def raw_inbound(session: ReadSession, ids: Collection[str]) -> list[RawInbound]:
    if len(ids) == 1:
        return await _RAW_BY_ID.all(session, {"id": next(iter(ids))})
    rows = (await session.scalars(_RAW_BY_IDS, {"ids": list(ids)})).all()
    return sorted(rows, key=lambda row: row.id)


async def raw_of(session: ReadSession, message: Message) -> RawInbound | None:
    """What a message was made from; None for what the desk wrote."""
    if message.direction != "inbound" or message.external_id is None:
        return None
    query = select(RawInbound).where(RawInbound.inbox_id == message.inbox_id, RawInbound.external_id == message.external_id[:500])
    found: RawInbound | None = await session.scalar(query)
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


async def message_by_external_id(session: ReadSession, inbox_id: str, external_id: str) -> Message | None:
    """The newest message that the channel knows by this id."""
    return await _BY_EXTERNAL_ID.first(session, {"inbox": inbox_id, "external": external_id})


async def twin(
    session: ReadSession, *, channel: str, contact_id: str, external_id: str, subject: str | None, text: str | None, since: datetime
) -> Message | None:
    """The same message of this person: by its id, as it came to another inbox, or said since then in the very same words, subject and all.

    The words (None: they tell nothing) were sent twice, or by a robot that says nothing else.
    """
    same = Message.external_id == external_id
    if text is not None:
        same |= and_(Message.at > since, Message.text == text, func.coalesce(Message.subject, "") == (subject or ""))
    query = (
        select(Message)
        .join(Conversation, Conversation.id == Message.conversation_id)
        .where(
            Conversation.contact_id == contact_id, Conversation.channel == channel, Message.direction == "inbound",
            Message.verdict_code.is_distinct_from(FORGED_SENDER), same,
        )
        .order_by(Message.at.desc())
        .limit(1)
    )  # fmt: skip
    found: Message | None = await session.scalar(query)
    return found


async def told_by_itself(session: ReadSession, *, channel: str, contact_id: str, since: datetime, limit: int) -> int:
    """How many messages the desk sent to this person by itself since then, counted up to `limit`."""
    sent = (
        select(Message.id)
        .join(Conversation, Conversation.id == Message.conversation_id)
        .where(
            Conversation.contact_id == contact_id, Conversation.channel == channel, Message.direction == "outbound",
            Message.author_kind == "bot", Message.at > since,
        )
        .limit(limit)
    )  # fmt: skip
    return int(await session.scalar(select(func.count()).select_from(sent.subquery())) or 0)


async def letters_of(session: ReadSession, *, channel: str, contact_id: str, address: str, since: datetime) -> list[Heard]:
    """The last letters of this address among its owner's conversations, oldest first, each with how long after the desk's own it came."""
    query = (
        select(
            _MESSAGES.c.at, _MESSAGES.c.direction, _MESSAGES.c.conversation_id, _MESSAGES.c.text, _MESSAGES.c.subject, _MESSAGES.c.meta,
            func.length(func.coalesce(_MESSAGES.c.original_text, "")).label("size"),
        )
        .join(_TALKS, _TALKS.c.id == _MESSAGES.c.conversation_id)
        .where(
            _TALKS.c.contact_id == contact_id, _TALKS.c.channel == channel, _MESSAGES.c.at > since,
            _MESSAGES.c.direction.in_(("inbound", "outbound")),
        )
        .order_by(_MESSAGES.c.at.desc(), _MESSAGES.c.id.desc())
        .limit(12)
    )  # fmt: skip
    found: list[Heard] = []
    said: datetime | None = None
    for row in reversed((await session.execute(query)).all()):
        if row.direction == "outbound":
            said = row.at
        elif row.meta.get("address") == address:
            found.append(Heard(row.at, row.text, row.size, row.subject or "", row.at - said if said is not None else None))
    return found


async def said_at(session: ReadSession, contact_id: str, *, channel: str, before: datetime) -> datetime | None:
    """When the desk last wrote to this person."""
    query = (
        select(func.max(_MESSAGES.c.at))
        .join(_TALKS, _TALKS.c.id == _MESSAGES.c.conversation_id)
        .where(
            _TALKS.c.contact_id == contact_id, _TALKS.c.channel == channel, _MESSAGES.c.direction == "outbound", _MESSAGES.c.at <= before
        )
    )
    found: datetime | None = await session.scalar(query)
    return found


async def conversation_by_references(session: ReadSession, inbox_id: str, message_ids: Sequence[str]) -> str | None:
    """The conversation that one of these Message-IDs belongs to; the last of them counts most."""
    if not message_ids:
        return None
    wanted = list(message_ids)[-50:]
    rows = await session.execute(
        select(MailReference.message_id, MailReference.conversation_id).where(
            MailReference.inbox_id == inbox_id, MailReference.message_id.in_(wanted)
        )
    )
    found: dict[str, str] = {row.message_id: row.conversation_id for row in rows}
    return next((found[message_id] for message_id in reversed(wanted) if message_id in found), None)


async def remember_reference(uow: UnitOfWork, inbox_id: str, message_id: str, conversation_id: str) -> None:
    row = {"inbox_id": inbox_id, "message_id": message_id[:500], "conversation_id": conversation_id}
    await _REMEMBER[uow.dialect].run(uow.session, row)


async def references_of(session: ReadSession, conversation_id: str, *, limit: int = 20) -> list[str]:
    """External ids of the conversation's mails, oldest first."""
    found = await _REFERENCES_OF.rows(session, {"conversation": conversation_id, "most": limit})
    return [value for (value,) in reversed(found) if value]


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


async def said_last(session: ReadSession, conversation_id: str) -> list[str]:
    """The texts of the desk's last letters in a conversation."""
    return [text for (text,) in await _SAID_LAST.rows(session, {"conversation": conversation_id})]


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


@cache
def _open_cards(actions: frozenset[str]) -> Prepared:
    query = select(_BUTTONS.c.message_id).where(
        _BUTTONS.c.conversation_id == bindparam("conversation"), _BUTTONS.c.used_at.is_(None), _BUTTONS.c.action.in_(sorted(actions))
    )
    return Prepared(query.distinct().order_by(_BUTTONS.c.message_id).limit(50))


async def open_cards(uow: UnitOfWork, conversation_id: str, *, actions: frozenset[str]) -> list[str]:
    """The messages of a conversation whose buttons of these kinds can still be pressed."""
    return [str(card) for (card,) in await _open_cards(actions).rows(uow.session, {"conversation": conversation_id})]


async def close_card(uow: UnitOfWork, message_id: str, *, now: datetime) -> None:
    """The buttons of a message count no more."""
    await _CLOSE_CARD.run(uow.session, {"card": message_id, "now": now})


async def touch(uow: UnitOfWork, conversation_id: str, *, version: int, now: datetime) -> bool:
    """Move a conversation on from this version; False where somebody did before."""
    return await _TOUCH.run(uow.session, {"talk": conversation_id, "seen": version, "now": now}) == 1


async def note_sent(uow: UnitOfWork, message_id: str, *, external_id: str, attempts: int) -> None:
    """A message has left, for certain and in one part."""
    await _SENT.run(uow.session, {"message": message_id, "shown": external_id, "attempts": attempts})


async def button(session: ReadSession, token: str) -> ButtonToken | None:
    found: ButtonToken | None = await session.get(ButtonToken, token)
    return found


async def buttons_of(session: ReadSession, message_id: str) -> list[ButtonToken]:
    return list((await session.scalars(select(ButtonToken).where(ButtonToken.message_id == message_id))).all())


async def article_of(uow: UnitOfWork, message_id: str) -> str | None:
    """The article that a message of the bot showed, by its button "Helped"."""
    query = select(ButtonToken.value).where(ButtonToken.message_id == message_id, ButtonToken.action == "helped").limit(1)
    value = await uow.scalar(query)
    return str(value["article"]) if value and value.get("article") else None


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
