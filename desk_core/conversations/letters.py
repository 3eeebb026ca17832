"""What the desk and a person have written to each other by mail: by which letters a thread is known, and what was said twice."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import cast

from sqlalchemy import Integer, Table, and_, bindparam, func, select, update
from sqlalchemy.dialects import postgresql, sqlite

from desk_core.conversations.entities import Conversation, MailReference, Message
from desk_core.conversations.growth import Heard
from desk_core.conversations.ports import FORGED_SENDER
from desk_core.kit.db import ReadSession, UnitOfWork
from desk_core.kit.prepared import Prepared

_MESSAGES = cast("Table", Message.__table__)
_REFERENCES = cast("Table", MailReference.__table__)
_TALKS = cast("Table", Conversation.__table__)

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
_SAID_LAST = Prepared(
    select(_MESSAGES.c.text)
    .where(_MESSAGES.c.conversation_id == bindparam("conversation"), _MESSAGES.c.direction == "outbound")
    .order_by(_MESSAGES.c.at.desc(), _MESSAGES.c.id.desc())
    .limit(3)
)


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
            found.append(Heard(row.at, row.text, row.subject or "", row.at - said if said is not None else None))
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


async def lead_to(uow: UnitOfWork, inbox_ids: Collection[str], message_id: str, conversation_id: str) -> None:
    """What refers to this letter on one of these inboxes belongs to another conversation from now on."""
    same = (MailReference.inbox_id.in_(inbox_ids), MailReference.message_id == message_id[:500])
    await uow.execute(update(MailReference).where(*same).values(conversation_id=conversation_id))


async def references_of(session: ReadSession, conversation_id: str, *, limit: int = 20) -> list[str]:
    """External ids of the conversation's mails, oldest first."""
    found = await _REFERENCES_OF.rows(session, {"conversation": conversation_id, "most": limit})
    return [value for (value,) in reversed(found) if value]


async def said_last(session: ReadSession, conversation_id: str) -> list[str]:
    """The texts of the desk's last letters in a conversation."""
    return [text for (text,) in await _SAID_LAST.rows(session, {"conversation": conversation_id})]
