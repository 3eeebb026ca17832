"""Verbs about who else is on a request: kept from the requester's letters, added and removed by operators, come by a link or gone again."""

import re
from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.dialects import postgresql, sqlite

from desk_core.context import SYSTEM, Actor, Context
from desk_core.conversations import repository as conversations
from desk_core.conversations.entities import Conversation
from desk_core.kit.db import UnitOfWork
from desk_core.kit.errors import DeskError, NotFound
from desk_core.kit.i18n import gettext_noop as _
from desk_core.people.entities import Agent, Contact, ContactIdentity
from desk_core.tickets import copies
from desk_core.tickets.entities import Ticket, TicketParticipant
from desk_core.tickets.history import get, note_event

_ADDRESS = re.compile(r"[^\s<>()\[\],;:\"\\@]{1,64}@[^\s<>()\[\],;:\"\\@]+\.[^\s<>()\[\],;:\"\\@.]+")
_INSERT: dict[str, Any] = {"postgresql": postgresql.insert, "sqlite": sqlite.insert}


class NoAddress(DeskError):
    code, status, text = "no_address", 422, _("This is no e-mail address.")


class OwnAddress(DeskError):
    code, status = "own_address", 422
    text = _("This is an address of the desk itself: its mail comes here anyway.")


class NobodyReads(DeskError):
    code, status, text = "nobody_reads", 422, _("Nobody reads mail at this address: it only sends.")


class AlreadyThere(DeskError):
    code, status, text = "already_there", 409, _("This person is on the request already.")


class TooManyParticipants(DeskError):
    code, status, text = "too_many_participants", 422, _("A request holds at most twenty people. Remove somebody first.")


async def keep(uow: UnitOfWork, ticket: Ticket, people: Iterable[tuple[str, str]], *, now: datetime) -> None:
    """(name, address) of a letter of the requester: those who are new are on the request from now on."""
    taken = await uow.scalar(select(func.count()).where(TicketParticipant.ticket_id == ticket.id)) or 0
    rows = [
        {
            "ticket_id": ticket.id,
            "address": address.lower(),
            "name": name[:200],
            "added_by": None,
            "added_at": now,
            "removed_at": None,
            "conversation_id": None,
        }
        for name, address in people
    ][: max(0, copies.MOST - taken)]
    if rows:
        await uow.execute(_INSERT[uow.dialect](TicketParticipant).values(rows).on_conflict_do_nothing())


async def add(uow: UnitOfWork, ctx: Context, ticket_id: str, *, by: Agent, address: str, name: str = "", unread: bool = False) -> None:
    """An operator copies somebody in; with `unread` the channel knows that nobody reads mail there.

    Raises `NoAddress`, `OwnAddress`, `NobodyReads`, `AlreadyThere` and `TooManyParticipants`.
    """
    address = address.strip().lower()
    if not _ADDRESS.fullmatch(address) or len(address) > 254:
        raise NoAddress(address=address)
    if unread:
        raise NobodyReads(address=address)
    if await conversations.is_own_address(uow, address):
        raise OwnAddress(address=address)
    ticket = await get(uow, ticket_id)
    theirs = await uow.scalars(select(ContactIdentity).where(ContactIdentity.contact_id == ticket.contact_id))
    # The requester gets the letter anyway, unless it goes to an address of theirs that sends it back.
    own = any(one.address == address for one in theirs) and not any(one.failed_at for one in theirs if one.address != address)
    present = await copies.of(uow.session, ticket.id)
    known: TicketParticipant | None = await uow.session.get(TicketParticipant, (ticket.id, address))
    if own or any(one.address == address and one.added_by for one in present):
        raise AlreadyThere(address=address)
    if (known is None or known.removed_at is not None) and len(present) >= copies.MOST:
        raise TooManyParticipants
    if known is None:
        known = TicketParticipant(
            ticket_id=ticket.id,
            address=address,
            name=name.strip()[:200],
            added_by=by.name,
            added_at=ctx.now,
            removed_at=None,
            conversation_id=None,
        )
        uow.add(known)
    known.added_by, known.removed_at = by.name, None
    note_event(uow, ctx, ticket, "participant_added", actor=Actor.of(by), data={"address": address})


async def turn_out_ours(uow: UnitOfWork, ctx: Context, addresses: Collection[str]) -> None:
    """These are the desk's own from now on: who was on a request under one of them is on it no more, and a copy would come back."""
    there = select(TicketParticipant).where(TicketParticipant.address.in_(addresses), TicketParticipant.removed_at.is_(None))
    for known in await uow.scalars(there.order_by(TicketParticipant.ticket_id, TicketParticipant.address)):
        known.removed_at = ctx.now
        ticket = await get(uow, known.ticket_id)
        note_event(uow, ctx, ticket, "participant_removed", actor=SYSTEM, data={"address": known.address})


async def remove(uow: UnitOfWork, ctx: Context, ticket_id: str, *, by: Agent, address: str) -> None:
    """Nothing is copied to them any more, whatever later letters say. Raises `NotFound`."""
    ticket = await get(uow, ticket_id)
    known: TicketParticipant | None = await uow.session.get(TicketParticipant, (ticket.id, address.strip().lower()))
    if known is None or known.removed_at is not None:
        raise NotFound(address=address)
    known.removed_at, known.added_by = ctx.now, None
    shown = known.name if known.conversation_id else known.address
    note_event(uow, ctx, ticket, "participant_removed", actor=Actor.of(by), data={"address": shown})


async def join(
    uow: UnitOfWork, ctx: Context, ticket: Ticket, *, contact: Contact, conversation: Conversation, address: str, invited_by: str
) -> bool:
    """Somebody joins by a link from their chat, where copies go from now on; False where the request holds as many people as it may."""
    known: TicketParticipant | None = await uow.session.get(TicketParticipant, (ticket.id, address))
    if (known is None or known.removed_at is not None) and len(await copies.of(uow.session, ticket.id)) >= copies.MOST:
        return False
    if known is None:
        known = TicketParticipant(
            ticket_id=ticket.id, address=address, name="", added_by="", added_at=ctx.now, removed_at=None, conversation_id=None
        )
        uow.add(known)
    known.name, known.added_by, known.removed_at, known.conversation_id = contact.name[:200], invited_by, None, conversation.id
    note_event(uow, ctx, ticket, "participant_joined", actor=Actor.requester(contact), data={"by": invited_by})
    return True


async def leave(uow: UnitOfWork, ctx: Context, ticket_id: str, *, contact: Contact, address: str) -> Ticket | None:
    """They are on this request no longer; None where they were not."""
    known: TicketParticipant | None = await uow.session.get(TicketParticipant, (ticket_id, address))
    if known is None or known.removed_at is not None:
        return None
    ticket = await get(uow, ticket_id)
    known.removed_at, known.added_by = ctx.now, None
    note_event(uow, ctx, ticket, "participant_left", actor=Actor.requester(contact))
    return ticket
