"""The work behind a code that proves an address: its letter goes out, and after an hour nothing of it is left."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta

import structlog

from desk_core.context import Context
from desk_core.conversations import service as conversations
from desk_core.conversations.entities import Conversation
from desk_core.conversations.ports import Channel, OutboundMessage, Refused, RetryLater
from desk_core.conversations.service import Baton
from desk_core.kit.db import Database, UnitOfWork
from desk_core.kit.i18n import translate
from desk_core.lanes.queue import Work
from desk_core.lanes.worker import Plan, Postpone
from desk_core.people import codes
from desk_core.people.codes import Stage
from desk_core.people.entities import AddressCode
from gateway.one_time import OneTime
from nlu import labels

log = structlog.get_logger()

PAUSED = timedelta(seconds=15)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of the letter; `failed` where it did not go out."""

    ctx: Context
    code_id: str
    failed: bool = False


class AddressCodes:
    """The handler of both. A letter that cannot be sent is told in the chat where it was asked for."""

    max_attempts = 6

    def __init__(
        self,
        database: Database,
        *,
        context: Callable[[str], Awaitable[Context]],
        channel: Callable[[str], Awaitable[Channel | None]],
        one_time: OneTime,
    ) -> None:
        self._database, self._context, self._channel, self._one_time = database, context, channel, one_time

    async def decide(self, work: Work) -> Plan:
        ctx = await self._context(str(work.payload.get("request_id", "")))
        outcome = Outcome(ctx, str(work.payload["code"]))
        if work.payload["stage"] != Stage.SEND:
            return Plan(outcome)
        async with self._database.glance() as session:
            code = await session.get(AddressCode, outcome.code_id)
        if code is None or code.used_at is not None or code.void_at is not None:
            return Plan(outcome)
        if code.expires_at <= ctx.now:
            return Plan(Outcome(ctx, code.id, failed=True))
        channel = await self._channel(code.inbox_id)
        if channel is None:
            raise Postpone("the inbox is paused or not connected", after=PAUSED, free=True)
        try:
            await channel.send(letter(code, self._one_time.code(code.id)))
        except Refused as error:
            log.warning("code.refused", code=code.id, sender=error.sender)
            return Plan(Outcome(ctx, code.id, failed=True))
        except RetryLater as error:
            raise Postpone(error.reason, after=error.after, free=error.free) from error
        return Plan(outcome)

    async def apply(self, uow: UnitOfWork, work: Work, plan: Plan) -> None:
        outcome: Outcome = plan.data
        if outcome.failed:
            await tell_not_sent(uow, outcome.ctx, outcome.code_id)
        elif work.payload["stage"] == Stage.FORGET:
            code = await uow.session.get(AddressCode, outcome.code_id)
            if code is not None:
                await uow.session.delete(code)

    async def buried(self, uow: UnitOfWork, work: Work, dead_id: str, reason: str) -> None:
        if work.payload["stage"] == Stage.SEND:
            await tell_not_sent(uow, await self._context(""), str(work.payload["code"]))


async def tell_not_sent(uow: UnitOfWork, ctx: Context, code_id: str) -> None:
    """The letter with this code has not arrived: the code is void, and whoever waits for it hears so, unless an operator speaks."""
    code = await uow.session.get(AddressCode, code_id)
    if code is None or code.used_at is not None or code.void_at is not None:
        return
    code.void_at = ctx.now
    conversation = await uow.session.get_one(Conversation, code.conversation_id)
    if conversation.baton != Baton.AGENT:
        text = translate(code.language, labels.CODE_NOT_SENT, address=code.address)
        await conversations.say(uow, ctx, conversation, text=text, meta={"key": "code_not_sent"})


def letter(code: AddressCode, digits: str) -> OutboundMessage:
    """The letter with a code: the same for every try, in no thread, and silent about who asked for it."""
    text = translate(code.language, labels.CODE_LETTER, code=digits, minutes=int(codes.LIFE.total_seconds() // 60))
    return OutboundMessage(
        message_id=code.id, conversation_id=code.id, thread_key="", to=code.address, to_name="", text=text, language=code.language,
        at=code.created_at, subject=translate(code.language, labels.CODE_SUBJECT),
    )  # fmt: skip
