"""Addresses that somebody has proven to be theirs; two people who prove the same one are the same."""

import re

from sqlalchemy import select

from desk_core.context import Context
from desk_core.kit.db import UnitOfWork
from desk_core.kit.ids import new_id
from desk_core.people import joining
from desk_core.people.entities import Contact, ContactIdentity

PHONE = "phone"
"""The channel of identities that are phone numbers; nothing is sent over it."""
_SHORTEST, _LONGEST = 5, 15


def plain_phone(told: str) -> str | None:
    """A number as the desk keeps it, `+` and digits; None for what is no phone."""
    digits = re.sub(r"[^0-9]", "", told)
    return f"+{digits}" if _SHORTEST <= len(digits) <= _LONGEST else None


async def prove(uow: UnitOfWork, ctx: Context, contact: Contact, *, channel: str, address: str) -> str:
    """The address is verified as this contact's. Where another has proven it, the two are joined; the id of whom it is now."""
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
        held.contact_id, held.verified_at = contact.id, ctx.now  # nobody has proven it before
        return contact.id
    owner = held.contact_id
    await joining.join(uow, ctx, contact, into=owner, reason=channel)
    return owner
