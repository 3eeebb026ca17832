"""Requests as the intake path looks them up: by key, a few at a time, with statements prepared once."""

from datetime import datetime
from typing import NamedTuple, cast

from sqlalchemy import Table, bindparam, select

from desk_core.kit.db import ReadSession
from desk_core.kit.prepared import Prepared, PreparedEntities
from desk_core.tickets.entities import Ticket, TicketLink
from desk_core.tickets.lifecycle import ACTIVE, Status


class ActiveTicket(NamedTuple):
    """A request that is not over, as far as a dialogue asks about it: a person may have twenty, and they are read with every message."""

    id: str
    number: int
    subject: str
    status: str
    category_key: str | None
    next_due_at: datetime | None
    next_due_metric: str | None
    conversation_id: str | None


_TICKETS = cast("Table", Ticket.__table__)
_BY_ID: PreparedEntities[Ticket] = PreparedEntities(select(Ticket).where(Ticket.id == bindparam("id")), Ticket)
_OPEN_OF = Prepared(
    select(*(_TICKETS.c[name] for name in ActiveTicket._fields))
    .where(_TICKETS.c.contact_id == bindparam("contact"), _TICKETS.c.status.in_([status.value for status in ACTIVE]))
    .order_by(_TICKETS.c.opened_at.desc())
    .limit(20)
)
_LAST_IN: PreparedEntities[Ticket] = PreparedEntities(
    select(Ticket).where(Ticket.conversation_id == bindparam("conversation")).order_by(Ticket.opened_at.desc()).limit(1), Ticket
)

_MERGED_INTO = select(TicketLink.to_id).where(TicketLink.from_id == bindparam("id"), TicketLink.kind == "merged").limit(1)
_TAKEN_UP_BY = (
    select(TicketLink.from_id)
    .where(TicketLink.to_id == bindparam("id"), TicketLink.kind == "follow_up")
    .order_by(TicketLink.at.desc(), TicketLink.from_id.desc())
    .limit(1)
)
_GOES_ON = {Status.MERGED.value: _MERGED_INTO, Status.CLOSED.value: _TAKEN_UP_BY, Status.CANCELLED.value: _TAKEN_UP_BY}
"""By its status, where the next request stands among the links; one that is open goes on as itself."""


async def ticket_by_id(session: ReadSession, ticket_id: str) -> Ticket | None:
    return await _BY_ID.first(session, {"id": ticket_id})


async def open_of(session: ReadSession, contact_id: str) -> tuple[ActiveTicket, ...]:
    """The newest requests of a contact that are not over, twenty at most."""
    return tuple(ActiveTicket(*row) for row in await _OPEN_OF.rows(session, {"contact": contact_id}))


async def heir(session: ReadSession, ticket: Ticket | None) -> Ticket | None:
    """The request that this one goes on as, where it was merged into another or a new one took it up after it was over; else itself."""
    passed: set[str] = set()
    while ticket is not None and ticket.id not in passed and (way := _GOES_ON.get(ticket.status)) is not None:
        passed.add(ticket.id)
        onward = await session.scalar(way, {"id": ticket.id})
        if onward is None:
            break
        ticket = await ticket_by_id(session, onward)
    return ticket


async def last_in(session: ReadSession, conversation_id: str) -> Ticket | None:
    """The newest request that was told in a conversation."""
    return await _LAST_IN.first(session, {"conversation": conversation_id})
