"""Invitations: a request goes on in a chat. A link is good once and for a short while; the store knows only the hash of its secret."""

import hashlib
from datetime import timedelta
from enum import StrEnum

from sqlalchemy import select, update

from desk_core.context import Actor, Context
from desk_core.conversations import service as conversations
from desk_core.conversations.entities import Conversation
from desk_core.conversations.service import Baton
from desk_core.kit.db import ReadSession, UnitOfWork
from desk_core.kit.ids import new_token
from desk_core.people import joining
from desk_core.people.entities import Contact
from desk_core.tickets import history
from desk_core.tickets.entities import Invitation, Ticket

PREFIX = "go-"
"""Begins the payload of such a link, so that it is told from other payloads of /start."""
LIFE = timedelta(minutes=30)


class Purpose(StrEnum):
    CONTINUE = "continue"


def mark_of(secret: str) -> str:
    """What the store keeps of a secret."""
    return hashlib.sha256(secret.encode()).hexdigest()


async def invite(uow: UnitOfWork, ctx: Context, ticket: Ticket) -> str:
    """A new secret by which this request can be continued in a chat; it is shown once and never again."""
    secret = PREFIX + new_token(18)
    uow.add(
        Invitation(
            token_hash=mark_of(secret), purpose=Purpose.CONTINUE.value, ticket_id=ticket.id, created_at=ctx.now, expires_at=ctx.now + LIFE,
            used_at=None, contact_id=None, left_conversation_id=None,
        )
    )  # fmt: skip
    await uow.flush()
    return secret


async def ticket_of(session: ReadSession, secret: str, ctx: Context) -> Ticket | None:
    """The request that a secret opens now; None where it is wrong, was used, or has expired."""
    found: Ticket | None = await session.scalar(
        select(Ticket)
        .join(Invitation, Invitation.ticket_id == Ticket.id)
        .where(Invitation.token_hash == mark_of(secret), Invitation.used_at.is_(None), Invitation.expires_at > ctx.now)
    )
    return found


async def accept(uow: UnitOfWork, ctx: Context, mark: str, *, contact: Contact, conversation: Conversation) -> Ticket | None:
    """The person in this chat has confirmed: the request goes on here, and its requester and they are one. None where it is too late."""
    taken = await uow.execute(
        update(Invitation)
        .where(Invitation.token_hash == mark, Invitation.used_at.is_(None), Invitation.expires_at > ctx.now)
        .values(used_at=ctx.now, contact_id=contact.id)
        .execution_options(synchronize_session=False)
    )
    if taken.rowcount != 1:
        return None
    invitation = await uow.session.get_one(Invitation, mark, populate_existing=True)
    ticket = await history.get(uow, invitation.ticket_id)
    await joining.join(uow, ctx, contact, into=ticket.contact_id, reason="invitation")
    conversation.contact_id = ticket.contact_id
    left = await uow.session.get(Conversation, ticket.conversation_id) if ticket.conversation_id else None
    if left is not None and left.id != conversation.id:
        invitation.left_conversation_id = left.id
        # Whoever speaks goes on speaking, here.
        conversations.pass_baton(conversation, to=Baton(left.baton), agent_id=left.agent_id)
        conversations.pass_baton(left, to=Baton.BOT)
        if left.active_ticket_id == ticket.id:
            left.active_ticket_id = None
    ticket.conversation_id, conversation.active_ticket_id = conversation.id, ticket.id
    ticket.unread = True
    history.note_event(uow, ctx, ticket, "continued_in_chat", actor=Actor.requester(contact))
    return ticket
