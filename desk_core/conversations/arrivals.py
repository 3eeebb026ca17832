"""What came in, as it came: raw messages are stored once, and kept beside what was made of them."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, cast

from sqlalchemy import Table, bindparam, select, tuple_, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession

from desk_core.conversations.entities import Inbox, Message, RawInbound
from desk_core.kit.db import ReadSession, UnitOfWork
from desk_core.kit.prepared import Prepared, PreparedEntities

_RAW = cast("Table", RawInbound.__table__)
_INBOX = cast("Table", Inbox.__table__)


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
_RAW_BY_ID: PreparedEntities[RawInbound] = PreparedEntities(select(RawInbound).where(RawInbound.id == bindparam("id")), RawInbound)
_RAW_BY_IDS = select(RawInbound).where(RawInbound.id.in_(bindparam("ids", expanding=True)))


async def insert_raw(uow: UnitOfWork, rows: Sequence[Mapping[str, Any]]) -> set[str]:
    """Store raw inbound rows; the answer is the ids that were new. A row seen before changes nothing."""
    if uow.dialect == "sqlite":
        return {str(row["id"]) for row in rows if await _INSERT_RAW.run(uow.session, {"state": "pending", **row})}
    return set(await uow.scalars(_INSERT_RAW_FRESH, list(rows)))


async def body_of(uow: UnitOfWork, inbox_id: str, external_id: str) -> Mapping[str, Any] | None:
    """What is stored under this id, as it was read when it came."""
    query = select(RawInbound.body).where(RawInbound.inbox_id == inbox_id, RawInbound.external_id == external_id)
    found: Mapping[str, Any] | None = await uow.scalar(query)
    return found


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


async def raws_of(session: AsyncSession, messages: Collection[Message]) -> dict[str, RawInbound]:
    """What these messages were made from, by their ids; those that the desk wrote, or that are kept no more, are missing."""
    asked = {message.id: message for message in messages if message.direction == "inbound" and message.external_id is not None}
    keys = {(message.inbox_id, str(message.external_id)[:500]): ident for ident, message in asked.items()}
    if not keys:
        return {}
    rows = await session.scalars(select(RawInbound).where(tuple_(RawInbound.inbox_id, RawInbound.external_id).in_(keys)))
    by_key = {(raw.inbox_id, raw.external_id): raw for raw in rows}
    found = {ident: by_key[key] for key, ident in keys.items() if key in by_key}
    if missing := [ident for ident in asked if ident not in found]:
        # It came by another inbox than its conversation began on. By inbox too, so that the key of the table serves.
        there = RawInbound.inbox_id.in_(select(Inbox.id)), RawInbound.external_id.in_([key[1] for key in keys])
        rows = await session.scalars(select(RawInbound).where(*there, RawInbound.message_id.in_(missing)))
        found |= {str(raw.message_id): raw for raw in rows}
    return found


async def raw_of(session: AsyncSession, message: Message) -> RawInbound | None:
    """What a message was made from; None for what the desk wrote."""
    return (await raws_of(session, [message])).get(message.id)
