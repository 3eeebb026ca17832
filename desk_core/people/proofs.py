"""Addresses that somebody has proven to be theirs; two people who prove the same one are the same."""

import re

from sqlalchemy import func, select

from desk_core.context import Context
from desk_core.conversations.entities import Conversation, Message
from desk_core.kit.db import UnitOfWork
from desk_core.kit.ids import new_id
from desk_core.people import joining
from desk_core.people.entities import Contact, ContactIdentity
from desk_core.tickets.entities import Ticket

EMAIL = "email"
PHONE = "phone"
"""The channel of identities that are phone numbers; nothing is sent over it."""
_SHORTEST, _LONGEST = 5, 15


def plain_phone(told: str) -> str | None:
    """A number as the desk keeps it, `+` and digits; None for what is no phone."""
    digits = re.sub(r"[^0-9]", "", told)
    return f"+{digits}" if _SHORTEST <= len(digits) <= _LONGEST else None


async def prove(uow: UnitOfWork, ctx: Context, contact: Contact, *, channel: str, address: str) -> str:
    """The address is verified as this contact's. Where another has proven it, the two are joined; the id of whom it is now.

    Where another has it without a proof, it goes to whoever proves it, with what was asked from it.
    """
    query = select(ContactIdentity).where(ContactIdentity.channel == channel, ContactIdentity.address == address)
    held: ContactIdentity | None = await uow.scalar(query)
    if held is None:
        uow.add(
            ContactIdentity(
                id=new_id(), contact_id=contact.id, channel=channel, address=address, display=None, verified_at=ctx.now, failed_at=None,
                failed_reason=None,
            )
        )  # fmt: skip
        await uow.flush()
        return contact.id
    if held.verified_at is None:
        await _hand_over(uow, ctx, held, to=contact)
        held.contact_id, held.verified_at = contact.id, ctx.now
        return contact.id
    owner = held.contact_id
    await joining.join(uow, ctx, contact, into=owner, reason=channel)
    return owner


async def _hand_over(uow: UnitOfWork, ctx: Context, held: ContactIdentity, *, to: Contact) -> None:
    """What hangs on an address goes with it. Somebody known by nothing else is the one who proves it, whole.

    Whoever is known by more may be another person who only bore this address: they keep what is not from it.
    """
    if held.contact_id == to.id:
        return
    holder = await uow.session.get_one(Contact, held.contact_id)
    others = select(func.count()).select_from(ContactIdentity).where(ContactIdentity.contact_id == holder.id, ContactIdentity.id != held.id)
    if not await uow.scalar(others):
        await joining.join(uow, ctx, holder, into=to.id, reason=held.channel, by=to.name)
        return
    begun_by = (
        select(Message.meta["address"].as_string())
        .where(Message.conversation_id == Conversation.id, Message.direction == "inbound")
        .order_by(Message.at, Message.id)
        .limit(1)
        .correlate(Conversation)
        .scalar_subquery()
    )
    talks = list(
        await uow.scalars(
            select(Conversation.id).where(
                Conversation.contact_id == holder.id, Conversation.channel == held.channel, begun_by == held.address
            )
        )
    )
    asked = select(Ticket.id).where(Ticket.contact_id == holder.id, Ticket.conversation_id.in_(talks))
    moved = {"identities": [held.id], "conversations": talks, "tickets": list(await uow.scalars(asked))}
    await joining.carry(uow, ctx, moved, of=holder, into=to.id, reason=held.channel, by=to.name)
