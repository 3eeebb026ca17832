"""What the desk and a person have written to each other by mail: by which letters a thread is known, and what was said twice."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import cast

from sqlalchemy import ColumnElement, Integer, Table, and_, bindparam, func, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from desk_core.conversations.entities import Conversation, Inbox, MailReference, Message
from desk_core.conversations.growth import Heard
from desk_core.conversations.ports import FORGED_SENDER
from desk_core.kit.db import ReadSession, UnitOfWork
from desk_core.kit.prepared import Prepared, PreparedEntities

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


def _twin(same: ColumnElement[bool]) -> PreparedEntities[Message]:
    """The newest message of a person that is the same in this sense, unless it only bore their address."""
    query = (
        select(Message)
        .join(Conversation, Conversation.id == Message.conversation_id)
        .where(
            Conversation.contact_id == bindparam("contact"), Conversation.channel == bindparam("channel"), Message.direction == "inbound",
            Message.verdict_code.is_distinct_from(FORGED_SENDER), same,
        )
        .order_by(Message.at.desc())
        .limit(1)
    )  # fmt: skip
    return PreparedEntities(query, Message)


_TOLD = Prepared(
    select(_MESSAGES.c.id)
    .join(_TALKS, _TALKS.c.id == _MESSAGES.c.conversation_id)
    .where(
        _TALKS.c.contact_id == bindparam("contact"), _TALKS.c.channel == bindparam("channel"), _MESSAGES.c.direction == "outbound",
        _MESSAGES.c.author_kind == "bot", _MESSAGES.c.at > bindparam("since"),
    )
    .limit(bindparam("most", type_=Integer))
)  # fmt: skip
_LETTERS = Prepared(
    select(_MESSAGES.c.at, _MESSAGES.c.direction, _MESSAGES.c.text, _MESSAGES.c.subject, _MESSAGES.c.meta)
    .join(_TALKS, _TALKS.c.id == _MESSAGES.c.conversation_id)
    .where(
        _TALKS.c.contact_id == bindparam("contact"), _TALKS.c.channel == bindparam("channel"), _MESSAGES.c.at > bindparam("since"),
        _MESSAGES.c.direction.in_(("inbound", "outbound")),
    )
    .order_by(_MESSAGES.c.at.desc(), _MESSAGES.c.id.desc())
    .limit(12)
)  # fmt: skip
_SAID_AT = Prepared(
    select(func.max(_MESSAGES.c.at))
    .join(_TALKS, _TALKS.c.id == _MESSAGES.c.conversation_id)
    .where(
        _TALKS.c.contact_id == bindparam("contact"), _TALKS.c.channel == bindparam("channel"), _MESSAGES.c.direction == "outbound",
        _MESSAGES.c.at <= bindparam("before"),
    )
)  # fmt: skip

_TWIN = _twin(Message.external_id == bindparam("external_id"))
_TWIN_IN_WORDS = _twin(
    or_(
        Message.external_id == bindparam("external_id"),
        and_(
            Message.at > bindparam("since"), Message.text == bindparam("text"),
            func.coalesce(Message.subject, "") == bindparam("subject"),
        ),
    )
)  # fmt: skip


async def twin(
    session: ReadSession, *, channel: str, contact_id: str, external_id: str, subject: str | None, text: str | None, since: datetime
) -> Message | None:
    """The same message of this person: by its id, as it came to another inbox, or said since then in the very same words, subject and all.

    The words (None: they tell nothing) were sent twice, or by a robot that says nothing else.
    """
    given = {"contact": contact_id, "channel": channel, "external_id": external_id}
    if text is None:
        return await _TWIN.first(session, given)
    return await _TWIN_IN_WORDS.first(session, {**given, "since": since, "text": text, "subject": subject or ""})


async def told_by_itself(session: ReadSession, *, channel: str, contact_id: str, since: datetime, limit: int) -> int:
    """How many messages the desk sent to this person by itself since then, counted up to `limit`."""
    return len(await _TOLD.rows(session, {"contact": contact_id, "channel": channel, "since": since, "most": limit}))


async def letters_of(session: ReadSession, *, channel: str, contact_id: str, address: str, since: datetime) -> list[Heard]:
    """The last letters of this address among its owner's conversations, oldest first, each with how long after the desk's own it came."""
    rows = await _LETTERS.rows(session, {"contact": contact_id, "channel": channel, "since": since})
    found: list[Heard] = []
    said: datetime | None = None
    for at, direction, text, subject, meta in reversed(rows):
        if direction == "outbound":
            said = at
        elif meta.get("address") == address:
            found.append(Heard(at, text, subject or "", at - said if said is not None else None))
    return found


async def said_at(session: ReadSession, contact_id: str, *, channel: str, before: datetime) -> datetime | None:
    """When the desk last wrote to this person."""
    found: datetime | None = await _SAID_AT.scalar(session, {"contact": contact_id, "channel": channel, "before": before})
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
    """What refers to this letter belongs to another conversation from now on: on these inboxes, and wherever else it is known."""
    for inbox_id in sorted(inbox_ids):
        await remember_reference(uow, inbox_id, message_id, conversation_id)
    # By inbox too, so that the key of the table serves.
    same = (MailReference.inbox_id.in_(select(Inbox.id)), MailReference.message_id == message_id[:500])
    leads = update(MailReference).where(*same).values(conversation_id=conversation_id)
    await uow.execute(leads.execution_options(synchronize_session=False))


async def references_of(session: ReadSession, conversation_id: str, *, limit: int = 20) -> list[str]:
    """External ids of the conversation's mails, oldest first."""
    found = await _REFERENCES_OF.rows(session, {"conversation": conversation_id, "most": limit})
    return [value for (value,) in reversed(found) if value]


async def said_last(session: ReadSession, conversation_id: str) -> list[str]:
    """The texts of the desk's last letters in a conversation."""
    return [text for (text,) in await _SAID_LAST.rows(session, {"conversation": conversation_id})]
