"""Everything that time brings: promises at risk or broken, the close ladder, dialogues left in the middle."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

import structlog

from desk_core.context import BOT, SYSTEM, Context
from desk_core.conversations import service as conversations
from desk_core.conversations.entities import Conversation, Inbox
from desk_core.conversations.ports import InboundKind, InboundMessage, Sender
from desk_core.conversations.service import NewButton
from desk_core.kit.db import Database, UnitOfWork
from desk_core.kit.i18n import known_language
from desk_core.lanes import queue
from desk_core.lanes.queue import Work
from desk_core.lanes.worker import Plan
from desk_core.people.entities import Contact
from desk_core.sla import service as sla
from desk_core.tickets import effects, history
from desk_core.tickets.entities import Ticket
from desk_core.tickets.ladder import StepKind
from desk_core.tickets.lifecycle import Event, Status
from gateway.flows.filed import Filed
from gateway.flows.reading import Situation
from gateway.flows.turning import FILE_AFTER, REMIND_AFTER, UNFINISHED, file_unfinished, unfinished_lane
from nlu import labels
from nlu.turn import DialogueState, Phase

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Timed:
    """What a timer's `apply` needs."""

    ctx: Context


class _Timer:
    """A timer reads nothing before its transaction: what it decides on is small and locked there."""

    max_attempts = 8

    def __init__(self, database: Database, *, context: Callable[[str], Awaitable[Context]]) -> None:
        self._database, self._context = database, context

    async def decide(self, work: Work) -> Plan:
        return Plan(Timed(await self._context(str(work.payload.get("request_id", "")))))

    async def buried(self, uow: UnitOfWork, work: Work, dead_id: str, reason: str) -> None:
        """A timer that died is told on its request, so that a person keeps the promise instead."""
        ctx = await self._context("")
        ticket = await uow.session.get(Ticket, str(work.payload.get("ticket_id", "")))
        if ticket is not None:
            data = {"reason": reason, "dead": dead_id, "kind": work.kind}
            history.note_event(uow, ctx, ticket, "processing_failed", actor=SYSTEM, data=data)


class SlaTimer(_Timer):
    """Due times: at risk, then breached. Each is told once, on the request and to the open pages."""

    async def apply(self, uow: UnitOfWork, work: Work, plan: Plan) -> None:
        ctx: Context = plan.data.ctx
        metric = str(work.payload["metric"])
        ticket = await uow.session.get(Ticket, str(work.payload["ticket_id"]))
        if ticket is None:
            return
        rang = await sla.ring(uow, ctx, ticket, metric)
        if rang is None:
            return
        history.note_event(uow, ctx, ticket, f"sla_{rang}", actor=SYSTEM, data={"metric": metric})
        if rang == "at_risk":
            rows = await sla.clocks(uow, ticket.id)
            due_at = next((row.due_at for row in rows if row.metric == metric), None)
            if due_at is not None:
                await queue.put(uow, lane=work.lane, kind=sla.TIMER, payload=work.payload, run_at=due_at)
        else:
            ticket.unread = True


class LadderTimer(_Timer):
    """Resolved, and silence: one reminder, then closing. Never over the requester's last word."""

    async def apply(self, uow: UnitOfWork, work: Work, plan: Plan) -> None:
        ctx: Context = plan.data.ctx
        ticket = await uow.session.get(Ticket, str(work.payload["ticket_id"]), with_for_update=True)
        if ticket is None or ticket.status != Status.RESOLVED or ticket.resolved_at is None:
            return
        step = ctx.config.ladder.next_step(
            resolved_at=ticket.resolved_at,
            last_speaker=ticket.last_speaker if ticket.last_message_at > ticket.resolved_at else "agent",
            reminded_at=ticket.reminded_at,
            now=ctx.now,
            calendar=effects.calendar(ctx, ticket),
        )
        if step.kind is StepKind.NONE:
            return
        if not step.is_due(ctx.now):
            await queue.put(uow, lane=work.lane, kind=effects.LADDER, payload=work.payload, run_at=step.at)
            return
        if step.kind is StepKind.CLOSE:
            # `happen` cancels this very lane; the settle that follows finds its items gone, which is what it wants.
            ticket.resolution = "auto"
            await history.happen(uow, ctx, ticket, Event.CLOSED_BY_TIMER, actor=SYSTEM)
            return
        conversation = await uow.session.get_one(Conversation, ticket.conversation_id)
        ticket.reminded_at = ctx.now
        if not await effects.courtesies_stopped(uow.session, ticket.id):
            await effects.ask_solved(uow, ctx, ticket, conversation, author=BOT, key="resolved_reminder")
            history.note_event(uow, ctx, ticket, "reminded", actor=SYSTEM)
        following = ctx.config.ladder.next_step(
            resolved_at=ticket.resolved_at,
            last_speaker="agent",
            reminded_at=ctx.now,
            now=ctx.now,
            calendar=effects.calendar(ctx, ticket),
        )
        await queue.put(uow, lane=work.lane, kind=effects.LADDER, payload=work.payload, run_at=following.at)


class RatingTimer(_Timer):
    """Stars that were asked for and not given: one silent reminder, and only into silence."""

    async def apply(self, uow: UnitOfWork, work: Work, plan: Plan) -> None:
        ctx: Context = plan.data.ctx
        ticket = await uow.session.get(Ticket, str(work.payload["ticket_id"]), with_for_update=True)
        if ticket is not None:
            await effects.ask_rating_again(uow, ctx, ticket, asked_at=datetime.fromisoformat(str(work.payload["asked_at"])))


class UnfinishedTimer(_Timer):
    """A dialogue left in the middle: one reminder, later it is filed as it is, so that nothing told is lost."""

    async def apply(self, uow: UnitOfWork, work: Work, plan: Plan) -> None:
        ctx: Context = plan.data.ctx
        conversation = await uow.session.get(Conversation, str(work.payload["conversation_id"]), with_for_update=True)
        if conversation is None or conversation.baton == "agent":
            return
        state = DialogueState.from_json(conversation.dialogue)
        if state.phase not in (Phase.FORM, Phase.SUMMARY, Phase.ARTICLES) or not state.text:
            return
        version = conversation.version
        contact = await uow.session.get_one(Contact, conversation.contact_id)
        inbox = await uow.session.get_one(Inbox, conversation.inbox_id)
        language = known_language(conversation.language or inbox.language)
        if work.payload.get("stage") == "remind":
            buttons = [[NewButton(labels.label(language, "send"), "send"), NewButton(labels.label(language, "cancel"), "cancel")]]
            await conversations.say(
                uow,
                ctx,
                conversation,
                text=ctx.config.reply("unfinished_reminder", language),
                buttons=buttons if state.phase is Phase.SUMMARY else (),
                meta={"key": "unfinished_reminder", "silent": True},
            )
            payload = {"conversation_id": conversation.id, "stage": "file"}
            lane = unfinished_lane(conversation.id)
            await queue.put(uow, lane=lane, kind=UNFINISHED, payload=payload, run_at=ctx.now + (FILE_AFTER - REMIND_AFTER))
        else:
            empty = Situation(
                inbox=inbox, raws=(), messages=(_silence(conversation, ctx),), contact=contact, conversation=conversation,
                joined_by="thread", active=None, requests=(),
            )  # fmt: skip
            filed = Filed(
                situation=empty, contact=contact, conversation=conversation, version=version, messages=[], ticket=None,
                language=language, zone=ZoneInfo(contact.time_zone or ctx.config.time_zone),
            )  # fmt: skip
            await file_unfinished(uow, ctx, filed)
        await conversations.touch(uow, ctx, conversation, version=version)


def _silence(conversation: Conversation, ctx: Context) -> InboundMessage:
    """Nobody said anything: the words that open the request are those of the dialogue so far."""
    return InboundMessage(
        kind=InboundKind.MESSAGE, external_id="", lane="", sender=Sender(address=""), at=ctx.now, thread_key=conversation.thread_key
    )
