"""What follows from a transition: clocks, words to the requester, the close ladder. One place for every effect of the lifecycle."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, assert_never
from zoneinfo import ZoneInfo

from sqlalchemy import exists, select
from sqlalchemy.ext.asyncio import AsyncSession

from desk_core.context import BOT, Actor, Context
from desk_core.conversations import service as conversations
from desk_core.conversations.entities import Conversation, Message
from desk_core.conversations.files import NewFile
from desk_core.conversations.service import NewButton
from desk_core.kit.db import UnitOfWork
from desk_core.kit.i18n import gettext_noop as _
from desk_core.kit.i18n import translate
from desk_core.lanes import queue
from desk_core.people.entities import Contact
from desk_core.sla import service as sla
from desk_core.sla.clock import Calendar, Metric, add_business_days
from desk_core.sla.entities import AppliedSla
from desk_core.sla.words import humanise_date
from desk_core.tickets.entities import Ticket, TicketEvent
from desk_core.tickets.ladder import StepKind
from desk_core.tickets.lifecycle import Effect, Status

LADDER = "ladder"
"""Kind of the work item that reminds and closes."""


RATING = "rating"
"""Kind of the timer that asks once more for a rating."""

RATING_AGAIN_AFTER: Final = timedelta(days=2)

NO_COURTESIES = "courtesies_stopped"
"""Kind of the event by which a requester wants no reminders and no questions for a rating about a request."""


async def courtesies_stopped(session: AsyncSession, ticket_id: str) -> bool:
    query = select(exists().where(TicketEvent.ticket_id == ticket_id, TicketEvent.kind == NO_COURTESIES))
    return bool(await session.scalar(query))


def ladder_lane(ticket_id: str) -> str:
    return f"ladder:{ticket_id}"


def rating_lane(ticket_id: str) -> str:
    return f"rating:{ticket_id}"


def status_url(ctx: Context, ticket: Ticket) -> str:
    """The requester's own page of this request."""
    return f"{ctx.public_url}/s/{ticket.token}"


def calendar(ctx: Context, ticket: Ticket) -> Calendar:
    return ctx.config.calendar_for(ctx.config.team_by_id(ticket.team_id))


async def zone_of(uow: UnitOfWork, ctx: Context, ticket: Ticket) -> ZoneInfo:
    """The requester's zone, otherwise the desk's."""
    contact = await uow.session.get(Contact, ticket.contact_id)
    return ZoneInfo((contact.time_zone if contact else None) or ctx.config.time_zone)


async def carry_out(uow: UnitOfWork, ctx: Context, ticket: Ticket, effects: Sequence[Effect], *, actor: Actor, reason: str) -> None:
    """Carry out the effects of one transition, in order."""
    if not effects:
        return
    rows: list[AppliedSla] = []
    if Effect.START_SLA not in effects:  # what is being opened has none yet
        await uow.flush()
        rows = await sla.clocks(uow, ticket.id)
    for effect in effects:
        await _one(uow, ctx, ticket, effect, rows, actor=actor, reason=reason)
    sla.note_promise(ticket, rows)


async def _one(uow: UnitOfWork, ctx: Context, ticket: Ticket, effect: Effect, rows: list[AppliedSla], *, actor: Actor, reason: str) -> None:
    match effect:
        case Effect.START_SLA:
            await sla.start_first(uow, ctx, ticket, (Metric.FIRST_RESPONSE, Metric.RESOLUTION), rows=rows)
        case Effect.PAUSE_CLOCKS:
            await sla.pause(uow, ctx, rows, reason=reason, by=actor.name)
        case Effect.PAUSE_RESOLUTION:
            await sla.pause(uow, ctx, rows, reason=reason, by=actor.name, metrics=(Metric.RESOLUTION,))
        case Effect.RESUME_CLOCKS:
            await sla.resume(uow, ctx, rows)
        case Effect.STOP_CLOCKS:
            await sla.stop(uow, ctx, rows)
        case Effect.RESTART_RESOLUTION:
            ticket.resolved_at = ticket.closed_at = ticket.resolution = None
            await sla.start(uow, ctx, ticket, Metric.RESOLUTION, rows=rows)
        case Effect.MEET_FIRST_RESPONSE:
            await sla.meet(uow, ctx, rows, Metric.FIRST_RESPONSE)
        case Effect.MEET_NEXT_RESPONSE:
            await sla.meet(uow, ctx, rows, Metric.NEXT_RESPONSE)
        case Effect.START_NEXT_RESPONSE:
            if not any(row.state not in sla.OVER for row in rows if row.metric in (Metric.FIRST_RESPONSE, Metric.NEXT_RESPONSE)):
                await sla.start(uow, ctx, ticket, Metric.NEXT_RESPONSE, rows=rows)
        case Effect.MEET_RESOLUTION:
            ticket.resolved_at = ctx.now
            await sla.meet(uow, ctx, rows, Metric.RESOLUTION)
        case Effect.OWE_AGAIN:
            if ticket.resolved_at is not None:
                await sla.owe_again(uow, ctx, rows, met_at=ticket.resolved_at)
            ticket.resolved_at = ticket.resolution = None
        case Effect.ASK_SOLVED:
            ticket.resolved_at = ctx.now  # the words themselves went out with the solution (`ask_solved`)
        case Effect.START_LADDER:
            ticket.reminded_at = None
            await set_ladder(uow, ctx, ticket)
        case Effect.CANCEL_LADDER:
            await queue.cancel(uow, ladder_lane(ticket.id))
        case Effect.ASK_RATING:
            await _over(uow, ctx, ticket, "closed_at")
            await _ask_rating(uow, ctx, ticket, actor=actor)
        case Effect.TELL_CLOSED:
            await _over(uow, ctx, ticket, "closed_at")
            if actor.kind != "contact":
                await _tell(uow, ctx, ticket, "closed")
        case Effect.TELL_CANCELLED | Effect.TELL_MERGED:
            await _over(uow, ctx, ticket, "closed_at")
        case Effect.NOTIFY_TEAM | Effect.NOTIFY_ASSIGNEE:
            ticket.unread = True
        case Effect.OPEN_FOLLOW_UP:
            pass  # `tickets.requester_wrote` opens it: it has the words
        case _ as never:
            assert_never(never)


async def set_ladder(uow: UnitOfWork, ctx: Context, ticket: Ticket) -> None:
    """Set the timer of the next step: reminder or closing."""
    step = ctx.config.ladder.next_step(
        resolved_at=ticket.resolved_at or ctx.now,
        last_speaker="agent",
        reminded_at=ticket.reminded_at,
        now=ctx.now,
        calendar=calendar(ctx, ticket),
    )
    if step.kind is not StepKind.NONE:
        await queue.set_timer(uow, lane=ladder_lane(ticket.id), kind=LADDER, payload={"ticket_id": ticket.id}, run_at=step.at)


async def ask_solved(
    uow: UnitOfWork,
    ctx: Context,
    ticket: Ticket,
    conversation: Conversation,
    *,
    author: Actor,
    text: str = "",
    files: Sequence[NewFile] = (),
    key: str = "resolved",
    meta: Mapping[str, Any] | None = None,
    leaves_at: datetime | None = None,
) -> Message:
    """The solution and the question "is it solved?" as one message, so that nobody gets two mails at once."""
    language = ticket.language
    closes_at = add_business_days(ctx.now, ctx.config.ladder.close_after_business_days, calendar(ctx, ticket))
    closes = humanise_date(closes_at, ctx.now, await zone_of(uow, ctx, ticket), language)
    words = "\n\n".join(part for part in (text, ctx.config.reply(key, language, number=ticket.number, date=closes)) if part)
    buttons = [
        [
            NewButton(translate(language, _("Solved")), "solved", {"ticket": ticket.id}),
            NewButton(translate(language, _("Not solved")), "not_solved", {"ticket": ticket.id}),
        ]
    ]
    return await conversations.say(
        uow, ctx, conversation, text=words, author=author, ticket_id=ticket.id, buttons=buttons, files=files,
        meta={**(meta or {}), "key": key}, leaves_at=leaves_at,
    )  # fmt: skip


async def _ask_rating(uow: UnitOfWork, ctx: Context, ticket: Ticket, *, actor: Actor) -> None:
    if ticket.rating_score is not None or ticket.conversation_id is None or await courtesies_stopped(uow.session, ticket.id):
        return
    conversation = await uow.session.get_one(Conversation, ticket.conversation_id)
    by_themselves = actor.kind == "contact" and conversation.channel != "email"
    if not by_themselves or conversation.channel == "telegram":
        payload = {"ticket_id": ticket.id, "asked_at": ctx.now.isoformat()}
        await queue.set_timer(uow, lane=rating_lane(ticket.id), kind=RATING, payload=payload, run_at=ctx.now + RATING_AGAIN_AFTER)
    if not by_themselves:  # otherwise the page or the dialogue they are looking at asks
        await say_rate(uow, ctx, ticket, conversation, text=ctx.config.reply("rate", ticket.language, number=ticket.number), key="rate")


async def ask_rating_again(uow: UnitOfWork, ctx: Context, ticket: Ticket, *, asked_at: datetime) -> bool:
    """Remind of the stars once, where the request rests and nobody has said anything since they were asked for; says whether it did."""
    if ticket.status != Status.CLOSED or ticket.rating_score is not None or ticket.conversation_id is None:
        return False
    if await courtesies_stopped(uow.session, ticket.id) or await said_since(uow.session, ticket.conversation_id, asked_at):
        return False
    conversation = await uow.session.get_one(Conversation, ticket.conversation_id)
    if conversation.blocked_at is not None:
        return False
    words = {"number": ticket.number, "subject": ticket.subject}
    # A desk made before this reply existed asks again in the words of the first time.
    text = ctx.config.reply("rate_reminder", ticket.language, **words) or ctx.config.reply("rate", ticket.language, **words)
    await say_rate(uow, ctx, ticket, conversation, text=text, key="rate_reminder")
    return True


async def said_since(session: AsyncSession, conversation_id: str, at: datetime) -> bool:
    """Whether anybody, the desk included, has said something in a conversation after this moment."""
    later = exists().where(
        Message.conversation_id == conversation_id, Message.direction.in_(("inbound", "outbound")), Message.at > at
    )  # fmt: skip
    return bool(await session.scalar(select(later)))


async def say_rate(uow: UnitOfWork, ctx: Context, ticket: Ticket, conversation: Conversation, *, text: str, key: str) -> None:
    """Ask for the stars, without a sound."""
    stars = [NewButton(f"{score} {'★' * score}", "rate", {"ticket": ticket.id, "score": score}) for score in range(1, 6)]
    await conversations.say(
        uow,
        ctx,
        conversation,
        text=text,
        ticket_id=ticket.id,
        buttons=[[star] for star in stars] if conversation.channel != "telegram" else [stars[:3], stars[3:]],
        meta={"key": key, "silent": True},
    )


async def _tell(uow: UnitOfWork, ctx: Context, ticket: Ticket, key: str) -> None:
    if ticket.conversation_id is None:
        return
    conversation = await uow.session.get_one(Conversation, ticket.conversation_id)
    text = ctx.config.reply(key, ticket.language, number=ticket.number)
    await conversations.say(uow, ctx, conversation, text=text, author=BOT, ticket_id=ticket.id, meta={"key": key, "silent": True})


async def _over(uow: UnitOfWork, ctx: Context, ticket: Ticket, field: str) -> None:
    """The request is over: the conversation is free for the next one and the bot listens again."""
    setattr(ticket, field, ctx.now)
    if ticket.conversation_id is None:
        return
    conversation = await uow.session.get_one(Conversation, ticket.conversation_id)
    if conversation.active_ticket_id == ticket.id:
        conversation.active_ticket_id = None
        conversations.pass_baton(conversation, to=conversations.Baton.BOT)
