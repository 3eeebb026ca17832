"""How a request is read, locked and changed: every verb about requests starts with `get` and ends in `happen` or `note_event`."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, delete, exists, or_, select

from desk_core.context import Actor, Context
from desk_core.conversations.entities import Conversation
from desk_core.groups.following import alert, follow
from desk_core.kit.db import UnitOfWork
from desk_core.kit.errors import NotFound, StaleWrite
from desk_core.kit.ids import new_id
from desk_core.kit.prepared import PreparedEntities
from desk_core.people.entities import Agent
from desk_core.tickets import effects, topics
from desk_core.tickets.entities import Ticket, TicketEvent
from desk_core.tickets.lifecycle import Event, Status, transition

_LOCKED: PreparedEntities[Ticket] = PreparedEntities(select(Ticket).where(Ticket.id == bindparam("id")).with_for_update(), Ticket)
_SPOKEN = (Event.AGENT_REPLIED.value, Event.RESOLVED.value)


async def get(uow: UnitOfWork, ticket_id: str, *, seen: int | None = None, by: Agent | None = None) -> Ticket:
    """The ticket, locked for this transaction; raises `NotFound`, or `StaleWrite` when a person changed it after version `seen`.

    What the desk did on its own (a reminder, a deadline) does not count, nor what `by` did themself, unless they spoke: an answer that is
    sent by two clicks goes out once.
    """
    ticket = await _LOCKED.first(uow.session, {"id": ticket_id})
    if ticket is None:
        raise NotFound(ticket=ticket_id)
    if seen is not None and ticket.version != seen and await _people_acted(uow, ticket, seen, but=by):
        raise StaleWrite(ticket=ticket.number)
    return ticket


async def _people_acted(uow: UnitOfWork, ticket: Ticket, seen: int, *, but: Agent | None) -> bool:
    event = TicketEvent
    since = exists().where(event.ticket_id == ticket.id, event.version > seen, event.actor_kind.in_(("agent", "contact")))
    if but is not None:
        since = since.where(or_(event.actor_id != but.id, event.kind.in_(_SPOKEN)))
    return bool(await uow.session.scalar(select(since)))


async def conversation_of(uow: UnitOfWork, ticket: Ticket) -> Conversation:
    found: Conversation | None = await uow.session.get(Conversation, ticket.conversation_id) if ticket.conversation_id else None
    if found is None:
        raise NotFound(conversation=ticket.conversation_id)
    return found


def note_event(uow: UnitOfWork, ctx: Context, ticket: Ticket, kind: str, *, actor: Actor, data: Mapping[str, Any] | None = None) -> None:
    """Write one fact into the history of a request, and tell the open pages."""
    ticket.updated_at = ctx.now
    ticket.version += 1
    uow.add(
        TicketEvent(
            id=new_id(),
            ticket_id=ticket.id,
            at=ctx.now,
            kind=kind,
            actor_kind=actor.kind,
            actor_id=actor.id,
            actor=actor.name,
            version=ticket.version,
            data=dict(data or {}),
        )
    )
    ctx.hint(uow, "tickets", ticket.id)
    follow(uow, ctx, ticket.id)
    alert(uow, ctx, ticket.id, kind, data or {})


async def forget(uow: UnitOfWork, ticket: Ticket, events: Collection[Event], *, at: datetime) -> None:
    """Take facts of one moment out of the history: what they tell of was taken back before anybody could know of it."""
    kinds = [event.value for event in events]
    which = (TicketEvent.ticket_id == ticket.id, TicketEvent.kind.in_(kinds), TicketEvent.at == at, TicketEvent.actor_kind == "agent")
    await uow.execute(delete(TicketEvent).where(*which).execution_options(synchronize_session=False))


async def happen(
    uow: UnitOfWork, ctx: Context, ticket: Ticket, event: Event, *, actor: Actor, data: Mapping[str, Any] | None = None, reason: str = ""
) -> None:
    """Let `event` happen: status, history and every effect of the lifecycle, in this transaction."""
    before = Status(ticket.status)
    outcome = transition(before, event)
    ticket.status = outcome.status.value
    told = {**(data or {}), **({"from": before.value, "to": outcome.status.value} if before is not outcome.status else {})}
    note_event(uow, ctx, ticket, event.value, actor=actor, data=told)
    await effects.carry_out(uow, ctx, ticket, outcome.effects, actor=actor, reason=reason or event.value)
    if before is not outcome.status and ticket.conversation_id is not None:
        await topics.refresh(uow, ctx, await uow.session.get(Conversation, ticket.conversation_id))
