"""Acts on what is with the person already: correct it, take it away, react to it. They keep their order with the deliveries.

Courtesies are apart: nobody asked for them, so they have one try, and those that wait on one lane are one piece of work.
"""

import itertools
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import structlog

from desk_core.context import SYSTEM, Actor, Context
from desk_core.conversations import repository
from desk_core.conversations import service as conversations
from desk_core.conversations.entities import Conversation, Message, MessageVersion
from desk_core.conversations.ports import Ability, Channel, DeliveryError, Receipt, Refused, RetryLater
from desk_core.conversations.service import Act
from desk_core.groups.following import follow
from desk_core.kit.db import Database, UnitOfWork
from desk_core.kit.ids import new_id
from desk_core.lanes import queue
from desk_core.lanes.queue import Work
from desk_core.lanes.worker import Plan, Postpone
from desk_core.tickets import history
from desk_core.tickets.entities import Ticket
from gateway.flows.drawing import Draw

log = structlog.get_logger()

NEEDS: Final[Mapping[Act, Ability]] = {
    Act.EDIT: Ability.EDIT,
    Act.DELETE: Ability.DELETE,
    Act.REACT: Ability.REACT,
}
"""What a channel must be able to do; where it is not, the act is settled without a word."""

AT_ONCE: Final = 50
"""Courtesies of one chat that are done as one piece of work."""


@dataclass(frozen=True, slots=True)
class Done:
    """What became of an act. `refused` are the reasons in words; `receipt` is what now stands for an edited message."""

    ctx: Context
    what: Act | None = None  # None: there is nothing to write
    refused: str = ""
    receipt: Receipt | None = None


class Acts:
    """The handler of acts. What an operator asked for is tried again, and in the end told."""

    max_attempts = 6

    def __init__(
        self,
        database: Database,
        *,
        context: Callable[[str], Awaitable[Context]],
        channel: Callable[[str], Awaitable[Channel | None]],
        draw: Draw,
    ) -> None:
        self._database, self._context, self._channel, self._draw = database, context, channel, draw

    async def decide(self, work: Work) -> Plan:
        ctx, what = await self._context(str(work.payload.get("request_id", ""))), Act(work.payload["what"])
        async with self._database.glance() as session:
            conversation = await repository.conversation_by_id(session, str(work.payload["conversation_id"]))
        nothing = Plan(Done(ctx))
        if conversation is None:
            return nothing
        channel = await self._channel(conversation.inbox_id)
        if channel is None:
            raise Postpone("the inbox is paused or not connected", free=True)
        if NEEDS[what] not in channel.abilities:
            return nothing
        try:
            return Plan(await self._do(Done(ctx, what), channel, conversation, work.payload))
        except Refused as error:
            log.info("act.refused", what=what)
            return Plan(Done(ctx, what, refused=error.reason))
        except RetryLater as error:
            raise Postpone(error.reason, after=error.after, free=error.free) from error

    async def _do(self, done: Done, channel: Channel, conversation: Conversation, asked: Mapping[str, Any]) -> Done:
        match done.what:
            case Act.EDIT:
                return await self._edit(done, channel, conversation, asked)
            case Act.DELETE:
                message = await self._shown(asked)
                if message is not None and message.external_id:
                    await channel.delete(conversation.thread_key, _parts(message))
                return done
            case Act.REACT:
                await channel.react(conversation.thread_key, str(asked["external_id"]), asked.get("emoji"))
                return done
            case None:
                return done

    async def _edit(self, done: Done, channel: Channel, conversation: Conversation, asked: Mapping[str, Any]) -> Done:
        async with self._database.glance() as session:
            found = await repository.outbound(session, str(asked["message_id"]))
            if found is None or found[0].deleted_at is not None or not found[0].external_id:
                return replace(done, what=None)
            message, _, inbox = found
            if await repository.answered_since(session, message):
                return replace(done, refused="the person has answered it already")
            outbound = replace(await self._draw(session, done.ctx, message, conversation, inbox), text=str(asked["text"]))
        main, *others = _parts(message)
        return replace(done, receipt=await channel.edit(outbound, Receipt(main, extra=tuple(others))))

    async def _shown(self, asked: Mapping[str, Any]) -> Message | None:
        async with self._database.glance() as session:
            return await session.get(Message, str(asked["message_id"]))

    async def apply(self, uow: UnitOfWork, work: Work, plan: Plan) -> None:
        done: Done = plan.data
        match done.what:
            case Act.EDIT:
                await self._edited(uow, done, work.payload)
            case Act.DELETE:
                await self._deleted(uow, done, work.payload)
            case Act.REACT:
                await self._reacted(uow, done, work.payload)
            case None:
                return
        done.ctx.hint(uow, "conversations", str(work.payload["conversation_id"]))
        message = await _of(uow, work.payload)
        follow(uow, done.ctx, message.ticket_id if message is not None else None)

    async def buried(self, uow: UnitOfWork, work: Work, dead_id: str, reason: str) -> None:
        """Whoever asked for it sees on the request that it did not happen."""
        what = Act(work.payload["what"])
        done = Done(await self._context(str(work.payload.get("request_id", ""))), what, refused=reason)
        if what is Act.EDIT:
            message = await _of(uow, work.payload)
            if message is not None:
                await _not_done(uow, done, message, what, dead=dead_id)
        else:
            await self.apply(uow, work, Plan(done))

    async def _edited(self, uow: UnitOfWork, done: Done, asked: Mapping[str, Any]) -> None:
        message = await _of(uow, asked)
        if message is None:
            return
        text, by = str(asked["text"]), _actor(asked)
        if done.receipt is not None:
            if message.text != text:
                uow.add(MessageVersion(id=new_id(), message_id=message.id, text=message.text, at=message.edited_at or message.at))
                message.text, message.edited_at = text, done.ctx.now
            message.external_id = done.receipt.external_id
            message.meta = {**_settled(message), "parts": list(done.receipt.extra), "edited_by": by.name}
            return
        # What was sent stays as the person saw it; the correction follows as a message of its own, in answer to the first one.
        message.meta = _settled(message)
        conversation = await uow.session.get_one(Conversation, message.conversation_id)
        await conversations.say(
            uow, done.ctx, conversation, text=text, author=by, ticket_id=message.ticket_id, reply_to=message.external_id,
            meta={"corrects": message.id},
        )  # fmt: skip

    async def _deleted(self, uow: UnitOfWork, done: Done, asked: Mapping[str, Any]) -> None:
        message = await _of(uow, asked)
        if message is None:
            return
        if done.refused:
            await _not_done(uow, done, message, Act.DELETE)
            return
        message.deleted_at = done.ctx.now
        message.meta = {**_settled(message), "deleted_by": _actor(asked).name}
        if message.ticket_id:
            ticket = await history.get(uow, message.ticket_id)
            history.note_event(uow, done.ctx, ticket, "message_deleted", actor=_actor(asked), data={"message": message.id})

    async def _reacted(self, uow: UnitOfWork, done: Done, asked: Mapping[str, Any]) -> None:
        message = await _of(uow, asked)
        if message is None:
            return
        if done.refused:
            await _not_done(uow, done, message, Act.REACT)
            return
        emoji = asked.get("emoji")
        kept = {name: value for name, value in _settled(message).items() if name != "reaction"}
        message.meta = {**kept, "reaction": {"emoji": emoji, "by": _actor(asked).name}} if emoji else kept


class Courtesies:
    """The handler of courtesies: whatever waits of them at the head of a lane at once, each tried once."""

    max_attempts = 1

    def __init__(self, database: Database, *, channel: Callable[[str], Awaitable[Channel | None]]) -> None:
        self._database, self._channel = database, channel

    async def decide(self, work: Work) -> Plan:
        async with self._database.glance() as session:
            conversation = await repository.conversation_by_id(session, str(work.payload["conversation_id"]))
            heads = await queue.head(session, work.lane, limit=AT_ONCE)
            due = list(itertools.takewhile(lambda item: item.kind == work.kind, heads)) or [work]
            closed = [message_id for item in due for message_id in item.payload["closed"]]
            cards = [await repository.shown_id(session, message_id) for message_id in closed]
        plan = Plan(also=tuple(item.id for item in due if item.id != work.id))
        channel = await self._channel(conversation.inbox_id) if conversation is not None else None
        if conversation is None or channel is None:
            return plan
        if Ability.EDIT in channel.abilities:
            for external_id in filter(None, cards):
                await channel.close_buttons(conversation.thread_key, external_id)
        if Ability.REACT in channel.abilities:
            marks = {external_id: emoji for item in due for external_id, emoji in item.payload["marks"].items()}
            for external_id, emoji in marks.items():
                try:
                    await channel.react(conversation.thread_key, external_id, emoji)
                except DeliveryError as error:
                    log.info("courtesy.not_done", error=error.code)
        return plan

    async def apply(self, uow: UnitOfWork, work: Work, plan: Plan) -> None:
        """Nothing is kept of a courtesy."""

    async def buried(self, uow: UnitOfWork, work: Work, dead_id: str, reason: str) -> None:
        """Nobody misses one."""


def _parts(message: Message) -> list[str]:
    """Every id the channel knows the message by, the main one first."""
    return [one for one in (message.external_id, *message.meta.get("parts", ())) if one]


def _actor(asked: Mapping[str, Any]) -> Actor:
    by = asked.get("by") or {}
    return Actor("agent", by.get("id"), str(by.get("name", ""))) if by else SYSTEM


def _settled(message: Message) -> dict[str, Any]:
    return {name: value for name, value in message.meta.items() if name != "asked"}


async def _of(uow: UnitOfWork, asked: Mapping[str, Any]) -> Message | None:
    return await uow.session.get(Message, str(asked["message_id"]))


async def _not_done(uow: UnitOfWork, done: Done, message: Message, what: Act, *, dead: str | None = None) -> None:
    message.meta = _settled(message)
    ticket = await uow.session.get(Ticket, message.ticket_id) if message.ticket_id else None
    if ticket is not None:
        data = {"what": what.value, "reason": done.refused[:300], "message": message.id, **({"dead": dead} if dead else {})}
        history.note_event(uow, done.ctx, ticket, "act_failed", actor=SYSTEM, data=data)
        ticket.unread = True
