"""Two contacts turn out to be one person; and where that was a mistake, they are taken apart again."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, select, update

from desk_core.context import Actor, Context
from desk_core.conversations.entities import Conversation
from desk_core.kit.db import ReadSession, UnitOfWork
from desk_core.kit.errors import DeskError, NotFound
from desk_core.kit.i18n import gettext_noop as _
from desk_core.kit.ids import new_id
from desk_core.people import service
from desk_core.people.entities import Contact, ContactIdentity, ContactJoin
from desk_core.tickets.entities import Invitation, Ticket

MOVED = (("identities", ContactIdentity), ("conversations", Conversation), ("tickets", Ticket))
"""What belongs to a contact, by the name under which a join keeps the ids."""
SHOWN = 20


class AlreadyUndone(DeskError):
    code, status, text = "join_already_undone", 409, _("This join was undone already.")


@dataclass(frozen=True, slots=True)
class Joined:
    """A join as a person reads of it; `number` is the request whose link led to it."""

    id: str
    name: str
    reason: str
    number: int | None
    by: str
    at: datetime
    undone_at: datetime | None
    undone_by: str | None


async def join(uow: UnitOfWork, ctx: Context, contact: Contact, *, into: str, reason: str, by: str = "") -> None:
    """Everything of one contact becomes another's; what came over is kept by ids, so that it can be taken apart again.

    `by` is the name of who brought it about, where that is not the contact.
    """
    if contact.id == into:
        return
    everything = {name: list(await uow.scalars(select(entity.id).where(entity.contact_id == contact.id))) for name, entity in MOVED}
    await carry(uow, ctx, everything, of=contact, into=into, reason=reason, by=by or contact.name)


async def carry(uow: UnitOfWork, ctx: Context, moved: Mapping[str, list[str]], *, of: Contact, into: str, reason: str, by: str) -> None:
    """These of a contact's identities, conversations and tickets become another's, and can be given back as after a join."""
    for name, entity in MOVED:
        if moved[name]:
            moving = update(entity).where(entity.id.in_(moved[name])).values(contact_id=into)
            await uow.execute(moving.execution_options(synchronize_session=False))
    if moved["tickets"]:
        # What stays with somebody must not go on talking about a request that is no longer theirs.
        await uow.execute(
            update(Conversation)
            .where(Conversation.contact_id == of.id, Conversation.active_ticket_id.in_(moved["tickets"]))
            .values(active_ticket_id=None)
            .execution_options(synchronize_session=False)
        )
    uow.add(
        ContactJoin(
            id=new_id(), contact_id=into, joined_id=of.id, reason=reason, by=by, at=ctx.now, moved=dict(moved), undone_at=None,
            undone_by=None,
        )
    )  # fmt: skip


async def undo_join(uow: UnitOfWork, ctx: Context, join_id: str, *, of: str, by: Actor) -> None:
    """Give back what a join moved to the contact `of`, as far as it is still theirs; what came later stays.

    Raises `NotFound` where that contact has no such join, and `AlreadyUndone` the second time.
    """
    taken = await uow.execute(
        update(ContactJoin)
        .where(ContactJoin.id == join_id, ContactJoin.contact_id == of, ContactJoin.undone_at.is_(None))
        .values(undone_at=ctx.now, undone_by=by.name)
        .execution_options(synchronize_session=False)
    )
    made = await uow.scalar(
        select(ContactJoin).where(ContactJoin.id == join_id, ContactJoin.contact_id == of).execution_options(populate_existing=True)
    )
    if made is None:
        raise NotFound(join=join_id)
    if taken.rowcount != 1:
        raise AlreadyUndone
    await uow.flush()
    given = {}
    for name, entity in MOVED:
        theirs = select(entity.id).where(entity.id.in_(made.moved.get(name, [])), entity.contact_id == of)
        given[name] = list(await uow.scalars(theirs))
        if given[name]:
            giving = update(entity).where(entity.id.in_(given[name])).values(contact_id=made.joined_id)
            await uow.execute(giving.execution_options(synchronize_session=False))
    await _leave_chats(uow, made, given["conversations"])
    service.audit(
        uow, actor=by.name, action="contact.join_undone", subject=of, before={"joined": made.joined_id, "reason": made.reason},
        after={name: len(ids) for name, ids in given.items()}, now=ctx.now,
    )  # fmt: skip


async def _leave_chats(uow: UnitOfWork, made: ContactJoin, conversations: list[str]) -> None:
    """What the other person had asked elsewhere goes on there: the answers to it must not reach this chat any more."""
    if not conversations:
        return
    carried = await uow.execute(
        select(Ticket.id, Invitation.left_conversation_id)
        .join(Invitation, Invitation.ticket_id == Ticket.id)
        .where(
            Invitation.contact_id == made.joined_id, Invitation.used_at == made.at,
            Ticket.contact_id == made.contact_id, Ticket.conversation_id.in_(conversations),
        )
    )  # fmt: skip
    for ticket_id, left in carried.all():
        await uow.execute(
            update(Ticket).where(Ticket.id == ticket_id).values(conversation_id=left).execution_options(synchronize_session=False)
        )
    foreign = select(Ticket.id).where(Ticket.contact_id == made.contact_id)
    await uow.execute(
        update(Conversation)
        .where(Conversation.id.in_(conversations), Conversation.active_ticket_id.in_(foreign))
        .values(active_ticket_id=None)
        .execution_options(synchronize_session=False)
    )


async def joins_of(session: ReadSession, contact_id: str) -> list[Joined]:
    """Who was joined with a contact, the latest first."""
    rows = await session.execute(
        select(ContactJoin, Contact.name, Ticket.number)
        .join(Contact, Contact.id == ContactJoin.joined_id)
        .outerjoin(Invitation, and_(Invitation.contact_id == ContactJoin.joined_id, Invitation.used_at == ContactJoin.at))
        .outerjoin(Ticket, Ticket.id == Invitation.ticket_id)
        .where(ContactJoin.contact_id == contact_id)
        .order_by(ContactJoin.at.desc(), ContactJoin.id.desc())
        .limit(SHOWN)
    )
    return [Joined(made.id, name, made.reason, number, made.by, made.at, made.undone_at, made.undone_by) for made, name, number in rows]
