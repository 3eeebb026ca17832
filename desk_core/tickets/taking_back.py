"""An operator takes an answer back before it leaves: nothing of it stays but one line in the history."""

from datetime import datetime

from desk_core.context import Actor, Context
from desk_core.conversations import service as conversations
from desk_core.conversations.entities import Message
from desk_core.conversations.service import Baton, TakenBack
from desk_core.kit.db import UnitOfWork
from desk_core.kit.errors import NotFound
from desk_core.people.entities import Agent
from desk_core.sla import service as sla
from desk_core.tickets.history import conversation_of, forget, get, happen, note_event
from desk_core.tickets.lifecycle import Event, Status


async def take_back(uow: UnitOfWork, ctx: Context, message_id: str, *, by: Agent | None = None) -> TakenBack:
    """Undo an answer that has not left yet: it is gone from the story, and what it fulfilled is owed again. Raises `AlreadyLeft`.

    Without `by` it is its author who takes it back.
    """
    by = by or await _author(uow, message_id)
    taken = await conversations.take_back(uow, ctx, message_id)
    if taken.ticket_id is None:
        return taken
    ticket = await get(uow, taken.ticket_id)
    await forget(uow, ticket, (Event.AGENT_REPLIED, Event.RESOLVED), at=taken.at)  # the line that it was taken back says it all
    if ticket.status == Status.RESOLVED and ticket.resolved_at == taken.at and taken.before.get("status") != Status.RESOLVED:
        conversation = await conversation_of(uow, ticket)
        if conversations.pass_baton(conversation, to=Baton.AGENT, agent_id=by.id):
            await conversations.touch(uow, ctx, conversation, version=conversation.version)
        await happen(uow, ctx, ticket, Event.TAKEN_BACK, actor=Actor.of(by))
    else:
        if Status(ticket.status).is_active and ticket.status != Status.RESOLVED:  # otherwise nothing is owed any more
            rows = await sla.clocks(uow, ticket.id)
            await sla.owe_again(uow, ctx, rows, met_at=taken.at)
            if ticket.status == Status.WAITING:
                await sla.pause(uow, ctx, rows, reason=Event.ASK_REQUESTER.value, by=by.name)
            sla.note_promise(ticket, rows)
        note_event(uow, ctx, ticket, Event.TAKEN_BACK.value, actor=Actor.of(by))
    if ticket.last_message_at == taken.at and taken.before:
        ticket.last_message_at = datetime.fromisoformat(taken.before["at"])
        ticket.last_speaker, ticket.last_speaker_name, ticket.snippet = (taken.before[name] for name in ("who", "name", "snippet"))
    return taken


async def _author(uow: UnitOfWork, message_id: str) -> Agent:
    message = await uow.session.get(Message, message_id)
    author = await uow.session.get(Agent, message.agent_id) if message is not None and message.agent_id else None
    if author is None:
        raise NotFound(message=message_id)
    return author
