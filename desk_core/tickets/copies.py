"""Who else is on a request, and to whom an answer goes in copy: to nobody who was not on the letter that is answered, unless an operator
added them. Reads and rules; the verbs are in `participants`.
"""

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession

from desk_core.conversations.entities import Conversation, Message
from desk_core.kit.db import ReadSession, UnitOfWork
from desk_core.kit.errors import DeskError
from desk_core.kit.i18n import gettext_noop as _
from desk_core.tickets.entities import MessageCopy, Ticket, TicketParticipant
from desk_core.tickets.lifecycle import ACTIVE

_INSERT: dict[str, Any] = {"postgresql": postgresql.insert, "sqlite": sqlite.insert}

MOST = 20
"""So many people may be on one request: more is a list of addressees, not a talk."""

REQUESTER = "requester"
"""In the place of an address: the copy is the requester's own, of what somebody else on the request wrote."""


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


async def joined_by(session: AsyncSession, address: str) -> list[Ticket]:
    """The open requests of others that somebody is on from their chat, the latest first."""
    query = (
        select(Ticket)
        .join(TicketParticipant, TicketParticipant.ticket_id == Ticket.id)
        .where(
            TicketParticipant.address == address.lower(), TicketParticipant.removed_at.is_(None),
            TicketParticipant.conversation_id.is_not(None), Ticket.status.in_([status.value for status in ACTIVE]),
        )
        .order_by(Ticket.opened_at.desc(), Ticket.id)
        .limit(MOST)
    )  # fmt: skip
    return list((await session.scalars(query)).all())


async def is_on(session: ReadSession, ticket_id: str, address: str) -> bool:
    """Whether somebody with this address is on the request."""
    found = await session.get(TicketParticipant, (ticket_id, address.lower()))
    return found is not None and found.removed_at is None


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
        raise NotOnRequest(address=min(strange))
    return found


def has_mail(address: str) -> bool:
    """Whether copies reach them by letter; others sit in a chat."""
    return "@" in address


def by_letter(people: Sequence[Sequence[str]]) -> tuple[tuple[str, str], ...]:
    """(name, address) of those among the copied who have an address for letters."""
    return tuple((str(name), str(address)) for name, address in people if has_mail(str(address)))


async def seat(session: ReadSession, ticket: Ticket | None, address: str) -> Conversation | None:
    """The chat that a copy for this person goes to; None for who has mail, and for who is not on the request any more."""
    if ticket is None:
        return None
    if address == REQUESTER:
        return await session.get(Conversation, ticket.conversation_id) if ticket.conversation_id else None
    found = await session.get(TicketParticipant, (ticket.id, address))
    if found is None or found.removed_at is not None or found.conversation_id is None:
        return None
    return await session.get(Conversation, found.conversation_id)


async def answered(session: ReadSession, inbox_id: str, external_id: str) -> Ticket | None:
    """The request of the message whose copy a chat knows by this id."""
    found: Ticket | None = await session.scalar(
        select(Ticket)
        .join(Message, Message.ticket_id == Ticket.id)
        .join(MessageCopy, MessageCopy.message_id == Message.id)
        .where(MessageCopy.inbox_id == inbox_id, MessageCopy.external_id == external_id)
    )
    return found


async def remember(uow: UnitOfWork, inbox_id: str, external_ids: Sequence[str], message_id: str) -> None:
    """This is how a chat knows the copy of a message, part by part."""
    rows = [{"inbox_id": inbox_id, "external_id": one, "message_id": message_id} for one in external_ids]
    await uow.execute(_INSERT[uow.dialect](MessageCopy).values(rows).on_conflict_do_nothing())
