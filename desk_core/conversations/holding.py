"""Held messages: kept and shown, but nobody was answered. An operator takes one up as if a person had just written it, or leaves it."""

from enum import StrEnum
from typing import Any

from sqlalchemy import select, update

from desk_core.context import Context
from desk_core.conversations.entities import INBOUND, Inbox, Message, RawInbound
from desk_core.conversations.ports import FORGED_SENDER, InboundKind
from desk_core.kit.db import UnitOfWork
from desk_core.kit.errors import DeskError, NotFound
from desk_core.kit.i18n import gettext_noop as _
from desk_core.lanes import queue


class Hold(StrEnum):
    """What became of a message that opened nothing by itself."""

    HELD = "held"
    RELEASED = "released"
    LEFT = "left"


class TakeAs(StrEnum):
    """What mail of a sender is, by a rule of the desk."""

    PERSON = "person"
    ROBOT = "robot"


class NotHeld(DeskError):
    code, status, text = "not_held", 409, _("Somebody has dealt with this message already.")


class SenderNotProven(DeskError):
    """What is learned from a mail about an address has to come from that address."""

    code, status = "sender_not_proven", 409
    text = _("Nothing proves that this mail is from that address, so it makes no rule for it.")


async def release(uow: UnitOfWork, ctx: Context, message_id: str, *, by: str, always: bool = False) -> Message:
    """Process a held message as a person's own words: the bot reads it, a request opens, the sender is answered.

    With `always`, mail of this sender is a person's from now on. Raises `NotFound`, `NotHeld`, and `SenderNotProven` for such a rule.
    """
    message = await _held(uow, message_id)
    same = (RawInbound.inbox_id == message.inbox_id, RawInbound.external_id == message.external_id)
    raw: RawInbound | None = await uow.scalar(select(RawInbound).where(*same))
    if raw is None:
        raise NotFound(raw=message_id)
    card = {**raw.body.get("card", {}), "released": message.id, "released_by": by}
    released = {"kind": InboundKind.MESSAGE.value, "edits": None, "held": False, "automatic": False, "card": card}
    raw.body = {**raw.body, **released, "verdict": "released", "verdict_params": {"by": by}}
    raw.state = "pending"
    message.hold = Hold.RELEASED.value
    if always:
        await take_sender_as(uow, message, TakeAs.PERSON)
    await queue.put(uow, lane=raw.lane, kind=INBOUND, payload={"raw_id": raw.id, "request_id": ctx.request_id}, run_at=ctx.now)
    ctx.hint(uow, "conversations", message.conversation_id)
    ctx.wake(uow)
    return message


async def leave(uow: UnitOfWork, ctx: Context, message_id: str, *, by: str, always: bool = False) -> Message:
    """The message stays as it is and leaves the list. With `always`, mail of this sender is held from now on."""
    message = await _held(uow, message_id)
    message.hold = Hold.LEFT.value
    message.meta = {**message.meta, "left_by": by}
    if always:
        await take_sender_as(uow, message, TakeAs.ROBOT)
    ctx.hint(uow, "conversations", message.conversation_id)
    return message


async def take_sender_as(uow: UnitOfWork, message: Message, what: TakeAs) -> None:
    """A rule of the inbox for the sender of this message; adapters read it with the inbox. Raises `SenderNotProven`."""
    if message.verdict_code == FORGED_SENDER:
        raise SenderNotProven(message=message.id)
    address = str(message.meta.get("address", "")).lower()
    inbox = await uow.session.get(Inbox, message.inbox_id, with_for_update=True)
    if inbox is None or not address or address.endswith("@invalid"):  # whoever names no sender is nobody in particular
        return
    senders: dict[str, Any] = {**inbox.config.get("senders", {}), address: what.value}
    await uow.execute(
        update(Inbox).where(Inbox.id == inbox.id).values(config={**inbox.config, "senders": senders}, version=Inbox.version + 1)
    )


def forget_sender(inbox: Inbox, address: str) -> bool:
    """Take the rule for a sender away; `inbox` is locked. False where there is none."""
    senders = dict(inbox.config.get("senders", {}))
    if senders.pop(address, None) is None:
        return False
    inbox.config = {**inbox.config, "senders": senders}
    inbox.version += 1
    return True


async def _held(uow: UnitOfWork, message_id: str) -> Message:
    message = await uow.session.get(Message, message_id, with_for_update=True)
    if message is None:
        raise NotFound(message=message_id)
    if message.hold != Hold.HELD:
        raise NotHeld(message=message_id)
    return message
