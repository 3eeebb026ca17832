"""Requests that open from what was written as it stands: where something failed in here, and where an operator says that it is one."""

from collections.abc import Sequence

from desk_core.context import Actor, Context
from desk_core.conversations import service as conversations
from desk_core.conversations.service import Baton
from desk_core.kit.db import UnitOfWork
from desk_core.tickets import history, moving
from desk_core.tickets import service as tickets
from desk_core.tickets.entities import Ticket
from gateway.flows.filed import Filed
from gateway.flows.filing import say_key


async def hand_to_people(uow: UnitOfWork, ctx: Context, filed: Filed, *, reason: str, dead_id: str) -> None:
    """Something in here failed for good: a person must look. An open request hears of it, otherwise one is opened."""
    conversations.pass_baton(filed.conversation, to=Baton.QUEUE)
    filed.conversation.dialogue = {}
    ticket = filed.ticket or await _open(uow, ctx, filed, tags=("failed",))
    history.note_event(
        uow, ctx, ticket, "processing_failed", actor=Actor("system", None, "system"), data={"reason": reason, "dead": dead_id}
    )
    await say_key(uow, ctx, filed, "handed_over", number=ticket.number)


async def keep_apart(uow: UnitOfWork, ctx: Context, filed: Filed) -> None:
    """A letter that an operator made a request of its own is one, whatever the bot thinks of its words; its old request is told."""
    ticket = filed.ticket
    if ticket is None:
        conversations.pass_baton(filed.conversation, to=Baton.QUEUE)
        ticket = await _open(uow, ctx, filed)
        await say_key(uow, ctx, filed, "handed_over", number=ticket.number)
    card = filed.situation.first.card
    await moving.stands_apart(uow, ctx, filed.messages[0], ticket, source_id=str(card["apart_from"]), by=str(card["apart_by"]))


async def _open(uow: UnitOfWork, ctx: Context, filed: Filed, *, tags: Sequence[str] = ()) -> Ticket:
    """A request of what was written, as it stands."""
    text = "\n".join(message.text for message in filed.messages) or "—"
    ticket = await tickets.open_ticket(
        uow, ctx, contact=filed.contact, conversation=filed.conversation, channel=filed.conversation.channel,
        inbox_id=filed.conversation.inbox_id, inbox_name=filed.situation.inbox.name, subject=text[:80], text=text,
        language=filed.language, category=filed.situation.first.category, tags=tags, actor=Actor.requester(filed.contact),
        token=filed.situation.first.card.get("token"), messages=filed.messages,
    )  # fmt: skip
    filed.ticket = ticket
    return ticket
