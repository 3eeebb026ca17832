"""What operators do to messages that are with the person: correct one, take one away, react to one."""

from datetime import timedelta
from typing import Final

from sqlalchemy import select

from desk_core.context import Actor, Context
from desk_core.conversations import service as conversations
from desk_core.conversations.entities import Attachment, Message
from desk_core.conversations.service import Act
from desk_core.kit.db import UnitOfWork
from desk_core.kit.errors import DeskError, NotFound
from desk_core.kit.i18n import gettext_noop as _
from desk_core.people.entities import Agent
from desk_core.tickets import history
from desk_core.tickets.service import TextNeeded

CHANGEABLE: Final = timedelta(hours=48)
"""Telegram takes no deletion later than this; an edit that comes later would surprise more than it helps."""

REACTIONS: Final = {
    "👍": _("Agreed"),
    "👌": _("All right"),
    "🙏": _("Thank you"),
    "❤": _("With warmth"),
    "🎉": _("Hooray"),
    "🤔": _("Thinking"),
    "😢": _("Sorry to hear it"),
}
"""What an operator may put on a person's message, each with its meaning in words."""


class Unchangeable(DeskError):
    """Not one's own, not there any more, or too old."""

    code, status, text = "unchangeable", 409, _("This message can no longer be changed.")


def is_changeable(message: Message, *, by: Agent, age: timedelta) -> bool:
    """Whether this operator may still correct or take away the message: their own, delivered, and not older than two days."""
    delivered = message.delivery_state in ("sent", "uncertain") and message.external_id is not None
    mine = message.direction == "outbound" and message.agent_id == by.id
    return mine and delivered and message.deleted_at is None and age < CHANGEABLE


async def edit(uow: UnitOfWork, ctx: Context, ticket_id: str, message_id: str, *, by: Agent, text: str) -> None:
    """Correct an own message; where the person answered it already, the correction follows as a new one."""
    message = await _own(uow, ctx, ticket_id, message_id, by=by)
    text = text.strip()
    if not text and not await uow.scalar(select(Attachment.id).where(Attachment.message_id == message.id).limit(1)):
        raise TextNeeded
    if text == message.text:
        return
    await _ask(uow, ctx, message, Act.EDIT, by=by, text=text)


async def delete(uow: UnitOfWork, ctx: Context, ticket_id: str, message_id: str, *, by: Agent) -> None:
    """Take an own message away from the person's chat; the desk keeps it, and who took it away."""
    await _ask(uow, ctx, await _own(uow, ctx, ticket_id, message_id, by=by), Act.DELETE, by=by)


async def react(uow: UnitOfWork, ctx: Context, ticket_id: str, message_id: str, *, by: Agent, emoji: str | None) -> None:
    """Put a reaction on the person's message, or take it off."""
    message = await _of(uow, ticket_id, message_id)
    if message.direction != "inbound" or message.external_id is None or (emoji is not None and emoji not in REACTIONS):
        raise Unchangeable(message=message_id)
    await _ask(uow, ctx, message, Act.REACT, by=by, external_id=message.external_id, emoji=emoji)


async def _ask(uow: UnitOfWork, ctx: Context, message: Message, what: Act, *, by: Agent, **asked: str | None) -> None:
    message.meta = {**message.meta, "asked": what.value}
    actor = Actor.of(by)
    await conversations.act(
        uow, ctx, message.conversation_id, what, message_id=message.id, by={"id": actor.id, "name": actor.name}, **asked
    )
    ctx.hint(uow, "conversations", message.conversation_id)


async def _own(uow: UnitOfWork, ctx: Context, ticket_id: str, message_id: str, *, by: Agent) -> Message:
    message = await _of(uow, ticket_id, message_id)
    if not is_changeable(message, by=by, age=ctx.now - message.at):
        raise Unchangeable(message=message_id)
    return message


async def _of(uow: UnitOfWork, ticket_id: str, message_id: str) -> Message:
    await history.get(uow, ticket_id)
    message = await uow.session.get(Message, message_id, with_for_update=True)
    if message is None or message.ticket_id != ticket_id:
        raise NotFound(message=message_id)
    return message
