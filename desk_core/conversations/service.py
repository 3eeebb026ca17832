"""Verbs about conversations: saying something, noting what was heard, passing the baton."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import delete
from sqlalchemy.orm import selectinload

from desk_core.context import BOT, Actor, Context
from desk_core.conversations import repository
from desk_core.conversations.entities import Attachment, ButtonToken, Conversation, Message
from desk_core.conversations.files import NewFile
from desk_core.groups.following import follow
from desk_core.kit.db import UnitOfWork
from desk_core.kit.errors import DeskError, NotFound, StaleWrite
from desk_core.kit.i18n import gettext_noop as _
from desk_core.kit.ids import new_id, new_token
from desk_core.lanes import queue

DELIVER = "deliver"
"""Kind of the work item that carries an outbound message to its channel."""

ACT = "act"
"""Kind of the work item that does something to what was sent, in order with the deliveries of its conversation."""

COPY = "copy"
"""Action of a button that puts its `text` on the person's clipboard, without asking the desk."""

COURTESY = "courtesy"
"""Kind of the work item that holds what is pleasant and promised to nobody: marks on messages, spent buttons taken off."""

BUTTON_LIFE = timedelta(days=60)


class Baton(StrEnum):
    """Who speaks now."""

    BOT = "bot"
    QUEUE = "queue"
    AGENT = "agent"


class Act(StrEnum):
    """What can be done to messages that are with the person already."""

    EDIT = "edit"
    DELETE = "delete"
    REACT = "react"


@dataclass(frozen=True, slots=True)
class Mark:
    """A courtesy: a reaction on what somebody wrote."""

    external_id: str
    emoji: str


@dataclass(frozen=True, slots=True)
class Close:
    """A courtesy: the buttons of a message of ours go."""

    message_id: str


Courtesy = Mark | Close


@dataclass(frozen=True, slots=True)
class NewButton:
    """A button to be made: the wire will carry a token, the store what it stands for."""

    label: str
    action: str
    value: Mapping[str, Any] = field(default_factory=dict)


class AlreadyLeft(DeskError):
    """Too late to take it back."""

    code, status, text = "already_left", 409, _("This answer is on its way already and cannot be taken back.")


@dataclass(frozen=True, slots=True)
class TakenBack:
    """A message as it was before it was removed: what had been typed, the names of its files, and what the request was before it."""

    text: str
    files: tuple[str, ...]
    ticket_id: str | None
    conversation_id: str
    at: datetime
    before: Mapping[str, Any]


def out_lane(conversation_id: str) -> str:
    """Deliveries of one conversation keep their order, and never hold up what comes in."""
    return f"out:{conversation_id}"


async def say(
    uow: UnitOfWork,
    ctx: Context,
    conversation: Conversation,
    *,
    text: str,
    author: Actor = BOT,
    ticket_id: str | None = None,
    buttons: Sequence[Sequence[NewButton]] = (),
    files: Sequence[NewFile] = (),
    reply_to: str | None = None,
    subject: str | None = None,
    meta: Mapping[str, Any] | None = None,
    leaves_at: datetime | None = None,
) -> Message:
    """Write an outbound message and queue its delivery, in the present transaction. Until `leaves_at` it can be taken back."""
    message = Message(
        id=new_id(), conversation_id=conversation.id, inbox_id=conversation.inbox_id, ticket_id=ticket_id, direction="outbound",
        author_kind=author.kind, agent_id=author.id if author.kind == "agent" else None, author=author.name, text=text, original_text=None,
        html=None, subject=subject, card={}, external_id=None, reply_to=reply_to, verdict_code=None, verdict={}, delivery_state="pending",
        delivery_reason=None, delivery_attempts=0, at=ctx.now, edited_at=None,
        meta={**(meta or {}), **({"leaves_at": leaves_at.isoformat()} if leaves_at else {})},
        buttons=[],
    )  # fmt: skip
    uow.add(message)
    put_buttons(uow, ctx, message, buttons)
    if files:
        await uow.flush()  # a file refers to its message
    attach(uow, message, files)
    lane = out_lane(conversation.id)
    payload = {"message_id": message.id, "request_id": ctx.request_id}
    await queue.put(uow, lane=lane, kind=DELIVER, payload=payload, run_at=leaves_at or ctx.now, at_once=leaves_at is None)
    if lane not in uow.held:
        ctx.wake(uow)
    ctx.hint(uow, "conversations", conversation.id)
    follow(uow, ctx, ticket_id)
    return message


def put_buttons(uow: UnitOfWork, ctx: Context, message: Message, buttons: Sequence[Sequence[NewButton]]) -> None:
    """Give a message these buttons in place of those it has; what was pressed already keeps its meaning until it expires."""
    message.buttons = [[_drawn(button) for button in row] for row in buttons]
    for row, drawn in zip(buttons, message.buttons, strict=True):
        for button, shown in zip(row, drawn, strict=True):
            if button.action == COPY:
                continue
            uow.add(
                ButtonToken(
                    token=shown["token"], conversation_id=message.conversation_id, message_id=message.id, action=button.action,
                    value=dict(button.value), used_at=None, expires_at=ctx.now + BUTTON_LIFE,
                )
            )  # fmt: skip


def _drawn(button: NewButton) -> dict[str, str]:
    if button.action == COPY:
        return {"label": button.label, "action": COPY, "copy": str(button.value["text"])}
    return {"label": button.label, "token": new_token(12), "action": button.action}


async def act(uow: UnitOfWork, ctx: Context, conversation_id: str, what: str, **payload: Any) -> None:
    """Queue an act on the conversation's messages behind its deliveries, in the present transaction."""
    lane = out_lane(conversation_id)
    work = {"what": what, "conversation_id": conversation_id, "request_id": ctx.request_id, **payload}
    await queue.put(uow, lane=lane, kind=ACT, payload=work, run_at=ctx.now, at_once=True)
    if lane not in uow.held:
        ctx.wake(uow)


async def be_courteous(uow: UnitOfWork, ctx: Context, conversation_id: str, courtesies: Sequence[Courtesy]) -> None:
    """Queue the courtesies of a turn, as one item, behind its words: nobody waits for an answer because of them."""
    if not courtesies:
        return
    lane = out_lane(conversation_id)
    payload = {
        "conversation_id": conversation_id,
        "marks": {one.external_id: one.emoji for one in courtesies if isinstance(one, Mark)},
        "closed": [one.message_id for one in courtesies if isinstance(one, Close)],
        "request_id": ctx.request_id,
    }
    await queue.put(uow, lane=lane, kind=COURTESY, payload=payload, run_at=ctx.now, at_once=True)
    if lane not in uow.held:
        ctx.wake(uow)


def waits(message: Message) -> bool:
    """Whether it has not left yet and may still be taken back: only the desk's own people see it until then."""
    return message.delivery_state == "pending" and not message.delivery_attempts and "leaves_at" in message.meta


async def take_back(uow: UnitOfWork, ctx: Context, message_id: str) -> TakenBack:
    """Remove an outbound message that has not left yet, with its delivery. Raises `NotFound`, and `AlreadyLeft` once a worker has it."""
    message = await uow.session.get(Message, message_id, options=[selectinload(Message.attachments)], populate_existing=True)
    if message is None or message.direction != "outbound":
        raise NotFound(message=message_id)
    lane = out_lane(message.conversation_id)
    if "leaves_at" not in message.meta or not await queue.withdraw(uow, lane=lane, kind=DELIVER, payload={"message_id": message.id}):
        raise AlreadyLeft(message=message_id)
    taken = TakenBack(
        text=str(message.meta.get("typed", message.text)),
        files=tuple(file.name for file in message.attachments),
        ticket_id=message.ticket_id,
        conversation_id=message.conversation_id,
        at=message.at,
        before=dict(message.meta.get("before", {})),
    )
    await uow.execute(delete(ButtonToken).where(ButtonToken.message_id == message.id))
    await uow.execute(delete(Attachment).where(Attachment.message_id == message.id))
    await uow.execute(delete(Message).where(Message.id == message.id).execution_options(synchronize_session=False))
    uow.session.expunge(message)
    ctx.wake(uow)
    ctx.hint(uow, "conversations", taken.conversation_id)
    return taken


def attach(uow: UnitOfWork, message: Message, files: Sequence[NewFile]) -> None:
    for file in files:
        uow.add(
            Attachment(
                id=new_id(), message_id=message.id, name=file.name, size=file.size, sha256=file.sha256, content_type=file.content_type,
                declared_type=file.declared_type, inline=file.inline,
            )
        )  # fmt: skip


async def send_copy(uow: UnitOfWork, ctx: Context, conversation_id: str, message_id: str, *, to: str) -> None:
    """Queue a copy of a message for somebody on its request, on the lane of that conversation."""
    lane = out_lane(conversation_id)
    payload = {"message_id": message_id, "request_id": ctx.request_id, "copy": to}
    await queue.put(uow, lane=lane, kind=DELIVER, payload=payload, run_at=ctx.now, at_once=True)


async def write_note(
    uow: UnitOfWork,
    ctx: Context,
    conversation: Conversation,
    *,
    text: str,
    author: Actor,
    ticket_id: str | None,
    files: Sequence[NewFile] = (),
) -> Message:
    """An internal note: it has no delivery and can never leave the desk."""
    message = Message(
        id=new_id(), conversation_id=conversation.id, inbox_id=conversation.inbox_id, ticket_id=ticket_id, direction="note",
        author_kind=author.kind, agent_id=author.id if author.kind == "agent" else None, author=author.name, text=text, original_text=None,
        html=None, subject=None, card={}, buttons=[], external_id=None, reply_to=None, verdict_code=None, verdict={}, delivery_state=None,
        delivery_reason=None, delivery_attempts=0, at=ctx.now, edited_at=None, meta={},
    )  # fmt: skip
    uow.add(message)
    await uow.flush()
    attach(uow, message, files)
    ctx.hint(uow, "conversations", conversation.id)
    return message


def pass_baton(conversation: Conversation, *, to: Baton, agent_id: str | None = None) -> bool:
    """Change who speaks; True when it changed. Only an agent's turn names an agent."""
    before = (conversation.baton, conversation.agent_id)
    conversation.baton = to.value
    conversation.agent_id = agent_id if to is Baton.AGENT else None
    return before != (conversation.baton, conversation.agent_id)


async def touch(uow: UnitOfWork, ctx: Context, conversation: Conversation, *, version: int) -> None:
    """Write the conversation under its version; raises `StaleWrite` when somebody was faster.

    Everything that decides on a conversation reads it, thinks, and ends here: of two that thought at once, one thinks again.
    """
    await uow.flush()
    if not await repository.touch(uow, conversation.id, version=version, now=ctx.now):
        raise StaleWrite(conversation=conversation.id)


async def requeue_delivery(uow: UnitOfWork, ctx: Context, message: Message) -> None:
    """ "Send again": a failed message goes back to its lane."""
    message.delivery_state, message.delivery_reason = "pending", None
    await queue.put(
        uow,
        lane=out_lane(message.conversation_id),
        kind=DELIVER,
        payload={"message_id": message.id, "request_id": ctx.request_id},
        run_at=ctx.now,
    )
    ctx.wake(uow)
