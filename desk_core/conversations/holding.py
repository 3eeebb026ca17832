"""Held messages: kept and shown, but nobody was answered. An operator takes them up as if a person had just written, or leaves them."""

import re
from collections.abc import Collection, Mapping
from enum import StrEnum
from typing import Any

from sqlalchemy import select

from desk_core.context import Context
from desk_core.conversations import arrivals
from desk_core.conversations.entities import INBOUND, Inbox, Message
from desk_core.conversations.ports import FORGED_SENDER, InboundKind, TakeAs
from desk_core.conversations.subjects import words_of
from desk_core.kit.db import UnitOfWork
from desk_core.kit.errors import DeskError, Invalid, NotFound
from desk_core.kit.i18n import Phrase
from desk_core.kit.i18n import gettext_noop as _
from desk_core.lanes import queue

MOST_RULES = 500
SHORTEST_WORDS, LONGEST_WORDS = 3, 200
SAID_BEFORE = frozenset({"released", "released_by", "apart", "apart_from", "apart_by", "imported"})
"""What the card of a message may hold of an earlier time that it was processed: the last word of an operator is the one that counts."""


class Hold(StrEnum):
    """What became of a message that opened nothing by itself."""

    HELD = "held"
    RELEASED = "released"
    LEFT = "left"


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
    if not await _take_up(uow, ctx, [message], by=by):
        raise NotFound(raw=message_id)
    if always:
        await take_sender_as(uow, message, TakeAs.PERSON)
    return message


async def release_all(uow: UnitOfWork, ctx: Context, message_ids: Collection[str], *, by: str) -> list[Message]:
    """Likewise for many; what somebody has dealt with meanwhile is passed over. The answer is what was taken up."""
    return await _take_up(uow, ctx, await _among(uow, message_ids, Hold.HELD), by=by)


async def leave(uow: UnitOfWork, ctx: Context, message_id: str, *, by: str, always: bool = False) -> Message:
    """The message stays as it is and leaves the list. With `always`, mail of this sender is held from now on."""
    message = await _held(uow, message_id)
    _leave(uow, ctx, message, by=by)
    if always:
        await take_sender_as(uow, message, TakeAs.ROBOT)
    return message


async def leave_all(uow: UnitOfWork, ctx: Context, message_ids: Collection[str], *, by: str) -> list[Message]:
    """Likewise for many; what somebody has dealt with meanwhile is passed over. The answer is what was left."""
    messages = await _among(uow, message_ids, Hold.HELD)
    for message in messages:
        _leave(uow, ctx, message, by=by)
    return messages


async def hold_again(uow: UnitOfWork, ctx: Context, message_ids: Collection[str], *, by: str) -> list[Message]:
    """What was left by mistake waits in the list again, if it is whoever left it that asks."""
    messages = [message for message in await _among(uow, message_ids, Hold.LEFT) if message.meta.get("left_by") == by]
    for message in messages:
        message.hold = Hold.HELD.value
        message.meta = {name: value for name, value in message.meta.items() if name != "left_by"}
        ctx.hint(uow, "conversations", message.conversation_id)
    return messages


async def _take_up(uow: UnitOfWork, ctx: Context, messages: Collection[Message], *, by: str) -> list[Message]:
    """Those of these messages that are still there as they came, on their way to the bot."""
    taken = await process_again(uow, ctx, messages, verdict="released", params={"by": by}, card={"released_by": by})
    for message in taken:
        message.hold = Hold.RELEASED.value
    return taken


async def process_again(
    uow: UnitOfWork, ctx: Context, messages: Collection[Message], *, verdict: str, params: Mapping[str, Any], card: Mapping[str, Any]
) -> list[Message]:
    """Queue messages as people's own words, under a verdict whose name in the card leads to the message that is there.

    The answer is those that are still kept as they came.
    """
    raws = await arrivals.raws_of(uow.session, messages)
    taken = []
    for message in messages:
        raw = raws.get(message.id)
        if raw is None:
            continue
        came = {name: value for name, value in raw.body.get("card", {}).items() if name not in SAID_BEFORE}
        told = {**came, **card, verdict: message.id}
        said = {"kind": InboundKind.MESSAGE.value, "edits": None, "held": False, "automatic": False, "card": told}
        raw.body = {**raw.body, **said, "verdict": verdict, "verdict_params": dict(params)}
        raw.state = "pending"
        await queue.put(uow, lane=raw.lane, kind=INBOUND, payload={"raw_id": raw.id, "request_id": ctx.request_id}, run_at=ctx.now)
        ctx.hint(uow, "conversations", message.conversation_id)
        taken.append(message)
    if taken:
        ctx.wake(uow)
    return taken


def _leave(uow: UnitOfWork, ctx: Context, message: Message, *, by: str) -> None:
    message.hold = Hold.LEFT.value
    message.meta = {**message.meta, "left_by": by}
    ctx.hint(uow, "conversations", message.conversation_id)


async def take_sender_as(uow: UnitOfWork, message: Message, what: TakeAs) -> None:
    """A rule of the inbox for the sender of this message; adapters read it with the inbox. Raises `SenderNotProven`."""
    if message.verdict_code == FORGED_SENDER:
        raise SenderNotProven(message=message.id)
    address = str(message.meta.get("address", "")).lower()
    inbox = await uow.session.get(Inbox, message.inbox_id, with_for_update=True)
    if inbox is None or not address or address.endswith("@invalid"):  # whoever names no sender is nobody in particular
        return
    _put(inbox, "senders", address, what)


def set_rule(inbox: Inbox, about: str, what: TakeAs) -> bool:
    """A rule for mail as `rule_of` reads it; `inbox` is locked. False where it was there. Raises `Invalid`."""
    return _put(inbox, *rule_of(about), what)


def _put(inbox: Inbox, place: str, key: str, what: TakeAs) -> bool:
    kept = dict(inbox.config.get(place, {}))
    if key not in kept and len(kept) >= MOST_RULES:
        raise Invalid(reason=Phrase(_("An inbox holds %(n)s such rules. Remove one first."), n=MOST_RULES))
    if kept.get(key) == what.value:
        return False
    inbox.config = {**inbox.config, place: {**kept, key: what.value}}
    inbox.version += 1
    return True


def forget_rule(inbox: Inbox, about: str) -> bool:
    """Take a rule away; `inbox` is locked. False where there is none."""
    for place in ("senders", "subjects"):
        kept = dict(inbox.config.get(place, {}))
        keys = {about, about.strip().lower() if place == "senders" else words_of(about)}
        if [key for key in keys if kept.pop(key, None) is not None]:
            inbox.config = {**inbox.config, place: kept}
            inbox.version += 1
            return True
    return False


def rule_of(about: str) -> tuple[str, str]:
    """Where in the inbox, under which key, a rule stands for an address, a domain ("@example.com") or words of a subject; or `Invalid`."""
    words = words_of(about)
    if "@" in words and " " not in words:
        if not re.fullmatch(r"[^@]*@[^@\s]+\.[^@\s.]+", words):
            raise Invalid(reason=_("This is no address. A whole domain is written @example.com."))
        return "senders", about.strip().lower()
    if sum(map(str.isalnum, words)) < SHORTEST_WORDS or len(words) > LONGEST_WORDS:  # "re:" or "..." would meet everybody's
        raise Invalid(reason=_("Give an address, a domain like @example.com, or at least three letters of the subject."))
    return "subjects", words


async def _held(uow: UnitOfWork, message_id: str) -> Message:
    message = await uow.session.get(Message, message_id, with_for_update=True)
    if message is None:
        raise NotFound(message=message_id)
    if message.hold != Hold.HELD:
        raise NotHeld(message=message_id)
    return message


async def _among(uow: UnitOfWork, message_ids: Collection[str], hold: Hold) -> list[Message]:
    """Oldest first, so that the bot reads them as they came; locked in one order whoever asks."""
    asked = select(Message).where(Message.id.in_(message_ids), Message.hold == hold.value).order_by(Message.id).with_for_update()
    return sorted(await uow.session.scalars(asked), key=lambda message: (message.at, message.id))
