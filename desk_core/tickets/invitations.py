"""Invitations: a request is opened in a chat: by its requester to go on there or to rate it, by a colleague to be on it too.

A link is good once and for a short while; the store knows only the hash of its secret.
"""

import hashlib
from dataclasses import dataclass
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
from desk_core.tickets import history, participants
from desk_core.tickets.entities import Invitation, Ticket
from desk_core.tickets.lifecycle import Status

PREFIX = "go-"
"""Begins the payload of such a link, so that it is told from other payloads of /start."""
MASK = f"{PREFIX}…"
"""What is kept of a secret that somebody sent."""
INVITES = "invitation"
"""Key of a message that tells such a link: it is stored with the mask in the place of the secret."""
LIFE = timedelta(minutes=30)
JOIN_LIFE = timedelta(hours=24)
RATED = frozenset({Status.RESOLVED, Status.CLOSED})


class Purpose(StrEnum):
    CONTINUE = "continue"
    JOIN = "join"
    RATE = "rate"


@dataclass(frozen=True, slots=True)
class Accepted:
    """What a confirmed link led to. A `full` request took nobody in, and the link is still good."""

    ticket: Ticket
    purpose: Purpose
    full: bool = False


def mark_of(secret: str) -> str:
    """What the store keeps of a secret."""
    return hashlib.sha256(secret.encode()).hexdigest()


async def invite(
    uow: UnitOfWork, ctx: Context, ticket: Ticket, *, purpose: Purpose = Purpose.CONTINUE, by: Actor | None = None, secret: str = ""
) -> str:
    """A new secret by which this request can be opened in a chat; it is shown once and never again. `by` is who gives it away.

    `secret` is one that whoever calls can make again; without it nobody can.
    """
    secret = PREFIX + (secret or new_token(18))
    life = JOIN_LIFE if purpose is Purpose.JOIN else LIFE
    uow.add(
        Invitation(
            token_hash=mark_of(secret), purpose=purpose.value, ticket_id=ticket.id, created_at=ctx.now, expires_at=ctx.now + life,
            used_at=None, contact_id=None, left_conversation_id=None, invited_by=by.name if by else None,
        )
    )  # fmt: skip
    await uow.flush()
    if purpose is Purpose.JOIN and by is not None:
        history.note_event(uow, ctx, await history.get(uow, ticket.id), "participant_invited", actor=by)
    return secret


async def opened_by(session: ReadSession, secret: str, ctx: Context) -> tuple[Ticket, Purpose] | None:
    """The request that a secret opens now, and what for; None where it is wrong, was used, or has expired."""
    row = (
        await session.execute(
            select(Ticket, Invitation.purpose)
            .join(Invitation, Invitation.ticket_id == Ticket.id)
            .where(Invitation.token_hash == mark_of(secret), Invitation.used_at.is_(None), Invitation.expires_at > ctx.now)
        )
    ).first()
    if row is None or (row[1] == Purpose.RATE and row[0].status not in RATED):
        return None
    return row[0], Purpose(row[1])


async def accept(
    uow: UnitOfWork, ctx: Context, mark: str, *, contact: Contact, conversation: Conversation, address: str
) -> Accepted | None:
    """The person in this chat has confirmed; None where it is too late.

    Their own request goes on here, or is rated here, and its requester and they are one. To somebody else's they are a participant.
    """
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
    purpose = Purpose(invitation.purpose)
    if purpose is Purpose.JOIN:
        by = invitation.invited_by or ""
        joined = await participants.join(uow, ctx, ticket, contact=contact, conversation=conversation, address=address, invited_by=by)
        if not joined:
            invitation.used_at = invitation.contact_id = None
        return Accepted(ticket, purpose, full=not joined)
    await joining.join(uow, ctx, contact, into=ticket.contact_id, reason="invitation")
    conversation.contact_id = ticket.contact_id
    if purpose is Purpose.CONTINUE:
        await _go_on(uow, ctx, ticket, invitation, contact=contact, conversation=conversation)
    return Accepted(ticket, purpose)


async def _go_on(
    uow: UnitOfWork, ctx: Context, ticket: Ticket, invitation: Invitation, *, contact: Contact, conversation: Conversation
) -> None:
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
