"""Verbs about requests. Each runs in the caller's unit of work, asks the pure lifecycle what follows, and carries it out.

`seen` is the version the operator looked at: when somebody else has acted since, nothing is written and `StaleWrite` tells so.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any, cast

from sqlalchemy import Table, insert

from desk_core.context import Actor, Context
from desk_core.conversations import repository as said
from desk_core.conversations import service as conversations
from desk_core.conversations.entities import Conversation, Inbox, Message
from desk_core.conversations.files import NewFile
from desk_core.conversations.ports import ChannelKind
from desk_core.conversations.service import Baton
from desk_core.kit.db import ReadSession, UnitOfWork
from desk_core.kit.errors import DeskError, Invalid
from desk_core.kit.i18n import Phrase
from desk_core.kit.i18n import gettext_noop as _
from desk_core.kit.ids import new_id, new_token
from desk_core.kit.prepared import Prepared
from desk_core.lanes import queue
from desk_core.people.entities import Agent, Contact
from desk_core.routing.rules import Facts, route
from desk_core.tickets import belonging, copies, effects
from desk_core.tickets.entities import Ticket, TicketLink, TicketNumber
from desk_core.tickets.history import conversation_of, get, happen, note_event
from desk_core.tickets.lifecycle import Event, Kind, Priority, Status

RATING_CHANGEABLE = timedelta(days=7)


class RatingSettled(DeskError):
    code, status, text = "rating_settled", 409, _("Your rating was given more than a week ago and stands. Thank you.")


class TextNeeded(DeskError):
    code, status, text = "text_needed", 422, _("Please write something first.")


_NUMBERS = cast("Table", TicketNumber.__table__)
_TAKE_NUMBER = Prepared(insert(_NUMBERS).returning(_NUMBERS.c.number), keys=("taken_at",))


# --- a request begins -----------------------------------------------------------------------------------------------


async def next_number(uow: UnitOfWork, ctx: Context) -> int:
    """The next human number. Never the same twice, and nobody waits for anybody (see `TicketNumber`)."""
    return int(await _TAKE_NUMBER.scalar(uow.session, {"taken_at": ctx.now}))


async def open_ticket(
    uow: UnitOfWork,
    ctx: Context,
    *,
    contact: Contact,
    conversation: Conversation | None,
    channel: str,
    inbox_id: str | None,
    inbox_name: str,
    subject: str,
    text: str,
    language: str,
    category: str | None,
    kind: str = Kind.INCIDENT.value,
    impact: str = "individual",
    urgency: str = "medium",
    slots: Mapping[str, str] | None = None,
    tags: Sequence[str] = (),
    triage: Mapping[str, Any] | None = None,
    confidence: float | None = None,
    contact_domain: str = "",
    actor: Actor,
    follow_up_of: Ticket | None = None,
    token: str | None = None,
    hand_over: Mapping[str, Any] | None = None,
    messages: Sequence[Message] = (),
) -> Ticket:
    """Register a request: number, priority from the matrix, route with its explanation, assignment, promises.

    `hand_over` is what the bot tells its operator, `messages` are those that it is made of.
    """
    if category is not None and category not in ctx.config.categories:
        category = None
    priority = ctx.config.priority(impact, urgency)
    facts = Facts(
        category=category, kind=kind, priority=Priority(priority), channel=channel, language=language, text=text, tags=tuple(tags),
        inbox=inbox_name, contact_domain=contact_domain,
    )  # fmt: skip
    way = route(facts, ctx.config.rules)
    team = ctx.config.teams.get(way.team or "") or next(iter(ctx.config.teams.values()), None)
    ticket = Ticket(
        id=new_id(), number=await next_number(uow, ctx), status=Status.NEW.value, kind=kind, category_key=category,
        category_confidence=confidence, category_source="model", triage=dict(triage or {}), impact=impact, urgency=urgency,
        priority=(way.priority or Priority(priority)).value, team_id=team.id if team else None, line=way.line, assignee_id=None,
        contact_id=contact.id, conversation_id=conversation.id if conversation else None, inbox_id=inbox_id, channel=channel,
        language=language, subject=subject[:200] or "—", slots=dict(slots or {}), tags=sorted({*tags, *way.tags}),
        why_here=way.explanation.to_json(), hand_over=dict(hand_over or {}), last_speaker="contact", last_speaker_name=contact.name,
        last_message_at=ctx.now, snippet=text[:160], unread=True, next_due_at=None, next_due_metric=None, reminded_at=None,
        opened_at=ctx.now, updated_at=ctx.now, resolved_at=None, closed_at=None, resolution=None, rating_score=None,
        rating_comment=None, rated_at=None, token=token or new_token(18), version=1,
    )  # fmt: skip
    for message in messages:
        message.ticket_id = ticket.id
    uow.add(ticket)
    await uow.flush()
    await happen(uow, ctx, ticket, Event.OPENED, actor=actor, data={"category": category, "priority": ticket.priority, "line": ticket.line})
    if follow_up_of is not None:
        uow.add(TicketLink(from_id=ticket.id, to_id=follow_up_of.id, kind="follow_up", at=ctx.now))
    await belonging.auto_assign(uow, ctx, ticket)
    if conversation is not None:
        conversation.active_ticket_id = ticket.id
    return ticket


# --- the baton ------------------------------------------------------------------------------------------------------


async def take_over(uow: UnitOfWork, ctx: Context, ticket_id: str, *, by: Agent, seen: int | None = None) -> Ticket:
    """The agent speaks from now on; the bot is silent at once and the requester is told who is there."""
    ticket = await get(uow, ticket_id, seen=seen, by=by)
    await _speak(uow, ctx, ticket, by=by, tell=True)
    return ticket


async def _speak(uow: UnitOfWork, ctx: Context, ticket: Ticket, *, by: Agent, tell: bool) -> Conversation:
    conversation = await conversation_of(uow, ticket)
    if ticket.assignee_id != by.id:
        ticket.assignee_id = by.id
    if Status(ticket.status).is_final or ticket.status == Status.CLOSED:
        return conversation
    if conversations.pass_baton(conversation, to=Baton.AGENT, agent_id=by.id):
        conversation.active_ticket_id = ticket.id
        # An unfinished form is the bot's; it must not wake up in the middle of a person's words.
        conversation.dialogue = {}
        await happen(uow, ctx, ticket, Event.TAKEN, actor=Actor.of(by))
        if tell and ticket.channel != "email":
            inbox = await uow.session.get_one(Inbox, conversation.inbox_id)
            team = ctx.config.team_title(ticket.team_id, ticket.language) if inbox.signs_as_team and ticket.team_id else ""
            text = ctx.config.reply("taken_over", ticket.language, name=team or by.name, number=ticket.number)
            await conversations.say(uow, ctx, conversation, text=text, ticket_id=ticket.id, meta={"key": "taken_over", "silent": True})
        await conversations.touch(uow, ctx, conversation, version=conversation.version)
    return conversation


async def release(
    uow: UnitOfWork, ctx: Context, ticket_id: str, *, by: Agent, to: str = Baton.BOT.value, seen: int | None = None
) -> Ticket:
    """Give the word back to the bot or to the queue."""
    ticket = await get(uow, ticket_id, seen=seen, by=by)
    conversation = await conversation_of(uow, ticket)
    if conversations.pass_baton(conversation, to=Baton(to)):
        note_event(uow, ctx, ticket, "released", actor=Actor.of(by), data={"to": to})
        if to == Baton.QUEUE:
            ticket.assignee_id = None
        elif ticket.channel != "email":
            text = ctx.config.reply("released", ticket.language, number=ticket.number)
            await conversations.say(uow, ctx, conversation, text=text, ticket_id=ticket.id, meta={"key": "released", "silent": True})
        await conversations.touch(uow, ctx, conversation, version=conversation.version)
    return ticket


# --- words ----------------------------------------------------------------------------------------------------------


async def reply(
    uow: UnitOfWork,
    ctx: Context,
    ticket_id: str,
    *,
    by: Agent,
    text: str,
    files: Sequence[NewFile] = (),
    seen: int | None = None,
    resolve: bool = False,
    window: Mapping[str, timedelta] = MappingProxyType({}),
    copies: Collection[str] | None = None,
) -> Message:
    """Answer the requester on the channel they wrote on; whoever answers holds the baton.

    `window` says for how long an answer waits, by channel, in case it is taken back. `copies` are addresses of people of the request who
    get a letter too; None: those who were on the letter that is answered, and those whom an operator added.
    """
    ticket = await get(uow, ticket_id, seen=seen, by=by)
    text = text.strip()
    if not text and not files:
        raise TextNeeded
    wait = window.get(ticket.channel)
    leaves_at = ctx.now + wait if wait else None
    before: dict[str, Any] = {"typed": text, "before": _said_so_far(ticket)} if leaves_at else {}
    if copied := await _copied(uow, ticket, copies):
        before["cc"] = copied
    if resolve:
        message = await _resolve(uow, ctx, ticket, by=by, text=text, files=files, meta=before, leaves_at=leaves_at)
    else:
        conversation = await _speak(uow, ctx, ticket, by=by, tell=False)
        message = await conversations.say(
            uow, ctx, conversation, text=text, author=Actor.of(by), ticket_id=ticket.id, files=files,
            meta={**before, "key": "answer"}, leaves_at=leaves_at,
        )  # fmt: skip
        await happen(uow, ctx, ticket, Event.AGENT_REPLIED, actor=Actor.of(by))
    _spoke(ctx, ticket, "agent", by.name, text)
    return message


async def _copied(uow: UnitOfWork, ticket: Ticket, wanted: Collection[str] | None) -> list[list[str]]:
    """[name, address] of those who get a copy: in their chat, and of a letter by mail too."""
    conversation = await conversation_of(uow, ticket)
    by_mail = conversation.channel == ChannelKind.EMAIL
    present = [one for one in await copies.of(uow.session, ticket.id) if by_mail or one.conversation_id]
    if not present and not wanted:
        return []
    answered = await said.last_inbound(cast("ReadSession", uow.session), conversation.id)
    return [[one.name, one.address] for one in copies.chosen(present, answered, wanted)]


def _said_so_far(ticket: Ticket) -> dict[str, str]:
    """What the lists show of a request, to be shown again if the answer is taken back."""
    return {
        "status": ticket.status, "at": ticket.last_message_at.isoformat(), "who": ticket.last_speaker, "name": ticket.last_speaker_name,
        "snippet": ticket.snippet,
    }  # fmt: skip


async def note(uow: UnitOfWork, ctx: Context, ticket_id: str, *, by: Agent, text: str, files: Sequence[NewFile] = ()) -> Message:
    """Write for colleagues only."""
    ticket = await get(uow, ticket_id)
    text = text.strip()
    if not text and not files:
        raise TextNeeded
    conversation = await conversation_of(uow, ticket)
    message = await conversations.write_note(uow, ctx, conversation, text=text, author=Actor.of(by), ticket_id=ticket.id, files=files)
    note_event(uow, ctx, ticket, "noted", actor=Actor.of(by))
    return message


def _spoke(ctx: Context, ticket: Ticket, who: str, name: str, text: str) -> None:
    ticket.last_speaker, ticket.last_speaker_name, ticket.last_message_at = who, name, ctx.now
    ticket.snippet = text[:160] or ticket.snippet
    ticket.unread = who == "contact"


async def requester_wrote(
    uow: UnitOfWork, ctx: Context, ticket: Ticket, *, contact: Contact, conversation: Conversation, text: str, participant: str = ""
) -> Ticket:
    """The requester said something on this request. Answers the ticket it now belongs to: this one, reopened, or a follow-up of it.

    `participant` is who said it in their stead: somebody else who is on the request.
    """
    status = Status(ticket.status)
    actor = Actor("contact", None, participant) if participant else Actor.requester(contact)
    if status is Status.CLOSED and ticket.closed_at is not None and ctx.config.ladder.may_reopen(ticket.closed_at, ctx.now):
        await happen(uow, ctx, ticket, Event.REOPENED, actor=actor)
    elif status in (Status.CLOSED, Status.CANCELLED, Status.MERGED):
        old = ticket
        await happen(uow, ctx, old, Event.REQUESTER_REPLIED, actor=actor)
        ticket = await open_ticket(
            uow, ctx, contact=contact, conversation=conversation, channel=conversation.channel, inbox_id=conversation.inbox_id,
            inbox_name="",
            subject=old.subject, text=text, language=old.language, category=old.category_key, kind=old.kind, impact=old.impact,
            urgency=old.urgency, slots=old.slots, tags=(*old.tags, "follow_up"), actor=actor, follow_up_of=old,
        )  # fmt: skip
    else:
        await happen(uow, ctx, ticket, Event.REQUESTER_REPLIED, actor=actor)
    if status in (Status.CLOSED, Status.RESOLVED) and ticket.assignee_id and conversation.baton == Baton.BOT:
        # Reopened: the person who solved it hears of it, and until they speak the request waits in the queue.
        conversations.pass_baton(conversation, to=Baton.QUEUE)
    _spoke(ctx, ticket, "contact", participant or contact.name, text)
    conversation.active_ticket_id = ticket.id
    return ticket


# --- status ---------------------------------------------------------------------------------------------------------


_BY_STATUS = {
    Status.OPEN: Event.RESUMED,
    Status.WAITING: Event.ASK_REQUESTER,
    Status.ON_HOLD: Event.PUT_ON_HOLD,
    Status.RESOLVED: Event.RESOLVED,
    Status.CLOSED: Event.CLOSED_BY_AGENT,
    Status.CANCELLED: Event.CANCELLED,
}


async def set_status(
    uow: UnitOfWork, ctx: Context, ticket_id: str, *, by: Agent, status: str, reason: str = "", seen: int | None = None
) -> Ticket:
    """What an operator may choose: open, waiting, on_hold, resolved, closed, cancelled."""
    ticket = await get(uow, ticket_id, seen=seen, by=by)
    try:
        wanted = Status(status)
        event = _BY_STATUS[wanted]
    except (ValueError, KeyError) as error:
        raise Invalid(reason=Phrase(_("%(status)s cannot be set by hand"), status=status)) from error
    if ticket.status == wanted:
        return ticket
    if wanted is Status.RESOLVED:
        await _resolve(uow, ctx, ticket, by=by, text="", files=())
    else:
        if wanted is Status.OPEN and ticket.status in (Status.RESOLVED, Status.CLOSED):
            event = Event.REOPENED
        await happen(uow, ctx, ticket, event, actor=Actor.of(by), reason=reason)
    return ticket


async def resolve(uow: UnitOfWork, ctx: Context, ticket_id: str, *, by: Agent, text: str = "") -> Ticket:
    """Say it is solved and ask the requester; the close ladder starts."""
    ticket = await get(uow, ticket_id)
    await _resolve(uow, ctx, ticket, by=by, text=text.strip(), files=())
    if text.strip():
        _spoke(ctx, ticket, "agent", by.name, text)
    return ticket


async def _resolve(
    uow: UnitOfWork,
    ctx: Context,
    ticket: Ticket,
    *,
    by: Agent,
    text: str,
    files: Sequence[NewFile],
    meta: Mapping[str, Any] | None = None,
    leaves_at: datetime | None = None,
) -> Message:
    conversation = await conversation_of(uow, ticket)
    if ticket.assignee_id is None:
        ticket.assignee_id = by.id
    ticket.resolution = "agent"
    # The bot listens again: it is the one who hears "yes, solved" or "no".
    conversations.pass_baton(conversation, to=Baton.BOT)
    conversation.active_ticket_id = ticket.id
    message = await effects.ask_solved(
        uow, ctx, ticket, conversation, author=Actor.of(by), text=text, files=files, meta=meta, leaves_at=leaves_at
    )
    await happen(uow, ctx, ticket, Event.RESOLVED, actor=Actor.of(by))
    await conversations.touch(uow, ctx, conversation, version=conversation.version)
    return message


async def close(uow: UnitOfWork, ctx: Context, ticket_id: str, *, by: Actor) -> Ticket:
    """Close without asking (agent), or because the requester says so."""
    ticket = await get(uow, ticket_id)
    event = Event.CLOSED_BY_REQUESTER if by.kind == "contact" else Event.CLOSED_BY_AGENT
    ticket.resolution = ticket.resolution or ("self" if by.kind == "contact" else "agent")
    await happen(uow, ctx, ticket, event, actor=by)
    return ticket


async def take_word(uow: UnitOfWork, ctx: Context, ticket_id: str, *, by: Agent, seen: int | None = None) -> Ticket:
    """Close on the requester's own word that it is solved; nobody asks them what they have just said."""
    ticket = await get(uow, ticket_id, seen=seen, by=by)
    contact = await uow.session.get_one(Contact, ticket.contact_id)
    ticket.assignee_id = ticket.assignee_id or by.id
    ticket.resolution = "agent"
    await happen(uow, ctx, ticket, Event.CLOSED_BY_AGENT, actor=Actor.of(by), data={"word_of": contact.name})
    return ticket


async def cancel(uow: UnitOfWork, ctx: Context, ticket_id: str, *, by: Actor) -> Ticket:
    """No longer needed."""
    ticket = await get(uow, ticket_id)
    await happen(uow, ctx, ticket, Event.CANCELLED, actor=by)
    return ticket


async def reopen(uow: UnitOfWork, ctx: Context, ticket_id: str, *, by: Actor) -> Ticket:
    ticket = await get(uow, ticket_id)
    await happen(uow, ctx, ticket, Event.REOPENED, actor=by)
    return ticket


async def confirm(uow: UnitOfWork, ctx: Context, ticket_id: str, *, by: Actor, solved: bool) -> Ticket:
    """The requester answers "is it solved?", or says by themselves that it is."""
    ticket = await get(uow, ticket_id)
    if solved and ticket.status not in (Status.RESOLVED, Status.CLOSED):
        ticket.resolution = "self"
        await happen(uow, ctx, ticket, Event.CLOSED_BY_REQUESTER, actor=by)
        return ticket
    if solved:
        await happen(uow, ctx, ticket, Event.CONFIRMED, actor=by)
        return ticket
    reopenable = ticket.closed_at is not None and ctx.config.ladder.may_reopen(ticket.closed_at, ctx.now)
    await happen(uow, ctx, ticket, Event.REOPENED if ticket.status == Status.CLOSED and reopenable else Event.DENIED, actor=by)
    conversation = await conversation_of(uow, ticket)
    if conversation.baton == Baton.BOT:
        conversations.pass_baton(conversation, to=Baton.QUEUE)
    return ticket


def rating_is_settled(ticket: Ticket, now: datetime) -> bool:
    """Whether the rating was given so long ago that it stands."""
    return ticket.rated_at is not None and now - ticket.rated_at > RATING_CHANGEABLE


async def rate(uow: UnitOfWork, ctx: Context, ticket_id: str, *, score: int | None, comment: str | None, by: Actor) -> Ticket:
    """1 to 5 and words; may be changed for a while. Raises `Invalid` for another number, and `RatingSettled` once it stands."""
    ticket = await get(uow, ticket_id)
    if score is not None and rating_is_settled(ticket, ctx.now):
        raise RatingSettled
    if score is not None:
        if not 1 <= score <= 5:
            raise Invalid(reason=_("a rating is a number from 1 to 5"))
        ticket.rating_score, ticket.rated_at = score, ticket.rated_at or ctx.now
    if comment is not None:
        ticket.rating_comment = comment.strip()[:2000] or None
    if score is not None:
        await queue.cancel(uow, effects.rating_lane(ticket.id))
    note_event(uow, ctx, ticket, "rated", actor=by, data={"score": ticket.rating_score})
    return ticket
