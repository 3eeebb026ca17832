"""Who else is on a request that came by mail: kept from the requester's letters, added and removed by operators, copied in on answers.

A copy goes to nobody who was not on the letter that is answered, unless an operator added them.
"""

import re
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession

from desk_core.context import Actor, Context
from desk_core.conversations.entities import Message
from desk_core.kit.db import ReadSession, UnitOfWork
from desk_core.kit.errors import DeskError, NotFound
from desk_core.kit.i18n import gettext_noop as _
from desk_core.people.entities import Agent, ContactIdentity
from desk_core.tickets.entities import Ticket, TicketParticipant
from desk_core.tickets.history import get, note_event

MOST = 20
"""So many people may be on one request: more is a list of addressees, not a talk."""

_ADDRESS = re.compile(r"[^\s<>()\[\],;:\"\\@]{1,64}@[^\s<>()\[\],;:\"\\@]+\.[^\s<>()\[\],;:\"\\@.]+")
_INSERT = {"postgresql": postgresql.insert, "sqlite": sqlite.insert}


class NoAddress(DeskError):
    code, status, text = "no_address", 422, _("This is no e-mail address.")


class AlreadyThere(DeskError):
    code, status, text = "already_there", 409, _("This person is on the request already.")


class TooManyParticipants(DeskError):
    code, status, text = "too_many_participants", 422, _("A request holds at most twenty people. Remove somebody first.")


class NotOnRequest(DeskError):
    """A copy goes only to people of the request."""

    code, status, text = "not_on_request", 422, _("This person is not on the request. Add them first.")


async def of(session: AsyncSession, ticket_id: str) -> list[TicketParticipant]:
    """Who is on it now, in the order they came."""
    query = (
        select(TicketParticipant)
        .where(TicketParticipant.ticket_id == ticket_id, TicketParticipant.removed_at.is_(None))
        .order_by(TicketParticipant.added_at, TicketParticipant.address)
        .limit(MOST)
    )
    return list((await session.scalars(query)).all())


async def is_on(session: ReadSession, ticket_id: str, address: str) -> bool:
    """Whether somebody with this address is on the request."""
    found = await session.get(TicketParticipant, (ticket_id, address.lower()))
    return found is not None and found.removed_at is None


async def keep(uow: UnitOfWork, ticket: Ticket, people: Iterable[tuple[str, str]], *, now: datetime) -> None:
    """(name, address) of a letter of the requester: those who are new are on the request from now on."""
    taken = await uow.scalar(select(func.count()).where(TicketParticipant.ticket_id == ticket.id)) or 0
    rows = [
        {"ticket_id": ticket.id, "address": address.lower(), "name": name[:200], "added_by": None, "added_at": now, "removed_at": None}
        for name, address in people
    ][: max(0, MOST - taken)]
    if rows:
        await uow.execute(_INSERT[uow.dialect](TicketParticipant).values(rows).on_conflict_do_nothing())


async def add(uow: UnitOfWork, ctx: Context, ticket_id: str, *, by: Agent, address: str, name: str = "") -> None:
    """An operator copies somebody in. Raises `NoAddress`, `AlreadyThere` and `TooManyParticipants`."""
    address = address.strip().lower()
    if not _ADDRESS.fullmatch(address) or len(address) > 254:
        raise NoAddress(address=address)
    ticket = await get(uow, ticket_id)
    own = await uow.scalar(select(func.count()).where(ContactIdentity.contact_id == ticket.contact_id, ContactIdentity.address == address))
    present = await of(uow.session, ticket.id)
    known: TicketParticipant | None = await uow.session.get(TicketParticipant, (ticket.id, address))
    if own or any(one.address == address and one.added_by for one in present):
        raise AlreadyThere(address=address)
    if known is None or known.removed_at is not None:
        if len(present) >= MOST:
            raise TooManyParticipants
    if known is None:
        known = TicketParticipant(
            ticket_id=ticket.id, address=address, name=name.strip()[:200], added_by=by.name, added_at=ctx.now, removed_at=None
        )
        uow.add(known)
    known.added_by, known.removed_at = by.name, None
    note_event(uow, ctx, ticket, "participant_added", actor=Actor.of(by), data={"address": address})


async def remove(uow: UnitOfWork, ctx: Context, ticket_id: str, *, by: Agent, address: str) -> None:
    """Nothing is copied to them any more, whatever later letters say. Raises `NotFound`."""
    ticket = await get(uow, ticket_id)
    known: TicketParticipant | None = await uow.session.get(TicketParticipant, (ticket.id, address.strip().lower()))
    if known is None or known.removed_at is not None:
        raise NotFound(address=address)
    known.removed_at, known.added_by = ctx.now, None
    note_event(uow, ctx, ticket, "participant_removed", actor=Actor.of(by), data={"address": known.address})


def on_letter(message: Message | None) -> frozenset[str]:
    """The addresses that a letter came from and went to; the desk's own are not among them."""
    if message is None:
        return frozenset()
    people = (message.card or {}).get("people", ())
    return frozenset({str(message.meta.get("address", "")).lower(), *(str(address) for _name, address in people)})


def copied(present: Sequence[TicketParticipant], answered: Message | None) -> list[TicketParticipant]:
    """To whom an answer to this letter goes in copy by itself."""
    there = on_letter(answered)
    return [one for one in present if one.added_by or one.address in there]


def chosen(present: Sequence[TicketParticipant], answered: Message | None, wanted: Collection[str] | None) -> list[TicketParticipant]:
    """To whom a copy goes: those an operator named, all of them people of the request, else whom it goes to by itself."""
    if wanted is None:
        return copied(present, answered)
    named = {address.strip().lower() for address in wanted} - {""}
    found = [one for one in present if one.address in named]
    if strange := named - {one.address for one in found}:
        raise NotOnRequest(address=sorted(strange)[0])
    return found
