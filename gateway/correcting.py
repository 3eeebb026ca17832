"""Correcting and taking away what was sent, for programs and the shell, by the rules of the console."""

from desk_core.conversations.entities import Message
from desk_core.conversations.ports import Ability
from desk_core.kit.errors import NotFound
from desk_core.people.entities import Agent
from desk_core.tickets import sent
from gateway import inboxes
from gateway.bootstrap import Desk
from gateway.web.paths import canonical


async def correct(desk: Desk, ident: str, *, by: Agent, text: str | None, ticket_id: str | None = None) -> str:
    """Ask for an own answer to read like this in the person's chat, or with None to go; its id.

    It happens in order with what else goes there. Raises `NotFound`, also where it is not of `ticket_id`, and `Unchangeable`.
    """
    try:
        message_id = canonical(ident)
    except ValueError as error:
        raise NotFound(message=ident) from error
    ctx = await desk.context()
    async with desk.database.unit() as uow:
        message = await uow.session.get(Message, message_id)
        if message is None or message.ticket_id is None or ticket_id not in (None, message.ticket_id):
            raise NotFound(message=ident)
        if (Ability.DELETE if text is None else Ability.EDIT) not in await inboxes.abilities_of(uow.session, message.inbox_id):
            raise sent.Unchangeable(message=message_id)
        if text is None:
            await sent.delete(uow, ctx, message.ticket_id, message_id, by=by)
        else:
            await sent.edit(uow, ctx, message.ticket_id, message_id, by=by, text=text)
    return message_id
