"""Verbs about where a request belongs: whose it is, on which line and team, under which category, priority and tags."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select

from desk_core.context import Actor, Context
from desk_core.conversations import service as conversations
from desk_core.conversations.service import Baton
from desk_core.kit.db import UnitOfWork
from desk_core.kit.errors import DeskError, Invalid, NotFound
from desk_core.kit.i18n import Phrase
from desk_core.kit.i18n import gettext_noop as _
from desk_core.knowledge import questions
from desk_core.learning import service as learning
from desk_core.people import repository as people
from desk_core.people.entities import Agent
from desk_core.routing.assignment import Candidate, choose_agent
from desk_core.sla import service as sla
from desk_core.tickets.entities import Ticket, TicketEvent
from desk_core.tickets.history import conversation_of, get, happen, note_event
from desk_core.tickets.lifecycle import Event, Priority

ONLINE_WINDOW_SECONDS = 120


class ReasonNeeded(DeskError):
    """Another line must know why the request comes to it."""

    code, status, text = "reason_needed", 422, _("Please say why: the next line reads it first.")


async def auto_assign(uow: UnitOfWork, ctx: Context, ticket: Ticket) -> None:
    """Give it to a free member of its team: online, under the cap, least loaded; otherwise it stays in the queue."""
    if ticket.team_id is None:
        return
    candidates = [
        Candidate(
            agent_id=member.agent_id, load=member.load, cap=max(1, member.cap), skills=frozenset(member.skills),
            last_assigned_at=member.last_assigned_at,
            online=member.availability == "online" and member.seen_at is not None
            and (ctx.now - member.seen_at).total_seconds() < ONLINE_WINDOW_SECONDS,
        )
        for member in await people.members(uow, ticket.team_id)
    ]  # fmt: skip
    choice = choose_agent(candidates, None)
    if choice.agent_id is not None:
        agent = await uow.session.get_one(Agent, choice.agent_id)
        ticket.assignee_id = agent.id
        agent.last_assigned_at = ctx.now
        await happen(uow, ctx, ticket, Event.ASSIGNED, actor=SYSTEM_ROUTER, data={"to": agent.name, "reason": choice.reason.value})


SYSTEM_ROUTER = Actor("system", None, "routing")


async def assign(uow: UnitOfWork, ctx: Context, ticket_id: str, *, by: Actor, agent_id: str | None) -> Ticket:
    """Give it to a colleague, or back to the queue."""
    ticket = await get(uow, ticket_id)
    agent = await uow.session.get(Agent, agent_id) if agent_id else None
    if agent_id and (agent is None or agent.disabled_at is not None):
        raise NotFound(agent=agent_id)
    if ticket.assignee_id == agent_id:
        return ticket
    ticket.assignee_id = agent_id
    if agent is None:
        note_event(uow, ctx, ticket, "unassigned", actor=by)
    else:
        agent.last_assigned_at = ctx.now
        await happen(uow, ctx, ticket, Event.ASSIGNED, actor=by, data={"to": agent.name})
    conversation = await conversation_of(uow, ticket)
    if conversation.baton == Baton.AGENT and conversation.agent_id != agent_id:
        # Whoever spoke no longer owns it; until the new one takes over, nobody pretends to be there.
        conversations.pass_baton(conversation, to=Baton.QUEUE)
        await conversations.touch(uow, ctx, conversation, version=conversation.version)
    return ticket


async def escalate(
    uow: UnitOfWork, ctx: Context, ticket_id: str, *, by: Actor, reason: str, line: int | None = None, team_key: str | None = None
) -> Ticket:
    """Hand it to another line (or team) with the reason; it waits in that team's queue."""
    if not reason.strip():
        raise ReasonNeeded
    ticket = await get(uow, ticket_id)
    target = _target_team(ctx, ticket, line=line, team_key=team_key)
    way_back = {"team_id": ticket.team_id, "line": ticket.line, "assignee_id": ticket.assignee_id}
    await _move(uow, ctx, ticket, team_id=target.id, line=line or target.line)
    data = {"line": ticket.line, "team": target.key, "reason": reason.strip(), "back": way_back}
    await happen(uow, ctx, ticket, Event.ESCALATED, actor=by, data=data)
    await auto_assign(uow, ctx, ticket)
    return ticket


async def give_back(uow: UnitOfWork, ctx: Context, ticket_id: str, *, by: Actor, reason: str) -> Ticket:
    """Return an escalated request to where it came from, with the reason."""
    if not reason.strip():
        raise ReasonNeeded
    ticket = await get(uow, ticket_id)
    last = await uow.scalar(
        select(TicketEvent.data)
        .where(TicketEvent.ticket_id == ticket.id, TicketEvent.kind == Event.ESCALATED.value)
        .order_by(TicketEvent.at.desc(), TicketEvent.id.desc())
        .limit(1)
    )
    if not last:
        raise Invalid(reason=_("it was never passed on"))
    back = last["back"]
    await _move(uow, ctx, ticket, team_id=back["team_id"], line=back["line"])
    ticket.assignee_id = back["assignee_id"]
    await happen(uow, ctx, ticket, Event.RETURNED, actor=by, data={"line": ticket.line, "reason": reason.strip()})
    return ticket


def _target_team(ctx: Context, ticket: Ticket, *, line: int | None, team_key: str | None) -> Any:
    if team_key is not None:
        if team_key not in ctx.config.teams:
            raise NotFound(team=team_key)
        return ctx.config.teams[team_key]
    if line is None or line not in ctx.config.lines:
        raise NotFound(line=line)
    own = ctx.config.categories.get(ticket.category_key or "")
    usual = ctx.config.teams.get(own.team or "") if own else None
    if usual is not None and usual.line == line:
        return usual
    found = next((team for team in ctx.config.teams.values() if team.line == line), None)
    if found is None:
        raise NotFound(line=line)
    return found


async def _move(uow: UnitOfWork, ctx: Context, ticket: Ticket, *, team_id: str | None, line: int) -> None:
    ticket.team_id, ticket.line, ticket.assignee_id = team_id, line, None
    rows = await sla.clocks(uow, ticket.id)
    await sla.retarget(uow, ctx, ticket, rows)
    sla.note_promise(ticket, rows)
    conversation = await conversation_of(uow, ticket)
    if conversation.baton == Baton.AGENT:
        conversations.pass_baton(conversation, to=Baton.QUEUE)
        await conversations.touch(uow, ctx, conversation, version=conversation.version)


async def categorise(uow: UnitOfWork, ctx: Context, ticket_id: str, *, by: Actor, category: str) -> Ticket:
    """Correct the category. An operator's correction is also an example to learn from."""
    ticket = await get(uow, ticket_id)
    known = ctx.config.categories.get(category)
    if known is None:
        raise NotFound(category=category)
    if ticket.category_key != category:
        before = ticket.category_key
        ticket.category_key, ticket.category_source, ticket.category_confidence = category, by.kind, None
        ticket.kind = known.kind
        note_event(uow, ctx, ticket, "categorised", actor=by, data={"from": before, "to": category})
        await learning.correct(uow, ctx, ticket, kind="category", before=before, after=category, by=by)
    return ticket


async def prioritise(uow: UnitOfWork, ctx: Context, ticket_id: str, *, by: Actor, priority: str) -> Ticket:
    """Change the priority; promises are measured anew from what they have used."""
    ticket = await get(uow, ticket_id)
    try:
        wanted = Priority(priority).value
    except ValueError as error:
        raise Invalid(reason=Phrase(_("%(priority)s is not one of P1, P2, P3, P4"), priority=priority)) from error
    if ticket.priority != wanted:
        before = ticket.priority
        ticket.priority = wanted
        rows = await sla.clocks(uow, ticket.id)
        await sla.retarget(uow, ctx, ticket, rows)
        sla.note_promise(ticket, rows)
        note_event(uow, ctx, ticket, "prioritised", actor=by, data={"from": before, "to": wanted})
        await learning.correct(uow, ctx, ticket, kind="priority", before=before, after=wanted, by=by)
    return ticket


async def refuse_article(uow: UnitOfWork, ctx: Context, ticket_id: str, *, by: Actor, article_id: str) -> Ticket:
    """Say of an article that the bot offered that it does not answer this; an example to learn from, and an opinion for the search."""
    ticket = await get(uow, ticket_id)
    told = ticket.hand_over or {}
    if article_id not in told.get("shown", ()):
        raise NotFound(article=article_id)
    if article_id not in told.get("wrong", ()):
        ticket.hand_over = {**told, "wrong": [*told.get("wrong", ()), article_id]}
        await questions.misled(uow, ticket_id=ticket.id, article_id=article_id)
        await learning.correct(uow, ctx, ticket, kind="article", before=article_id, after="none", by=by)
    return ticket


async def tag(uow: UnitOfWork, ctx: Context, ticket_id: str, *, by: Actor, add: Sequence[str] = (), remove: Sequence[str] = ()) -> Ticket:
    ticket = await get(uow, ticket_id)
    tags = sorted(({*ticket.tags} | {name.strip()[:40] for name in add if name.strip()}) - {*remove})
    if tags != ticket.tags:
        ticket.tags = tags
        note_event(uow, ctx, ticket, "tagged", actor=by, data={"tags": tags})
    return ticket


async def fill_slots(uow: UnitOfWork, ctx: Context, ticket: Ticket, slots: Mapping[str, str], *, by: Actor) -> None:
    """Keep answers that came after the request was opened."""
    if slots:
        ticket.slots = {**ticket.slots, **slots}
        note_event(uow, ctx, ticket, "slots_filled", actor=by, data={"slots": sorted(slots)})
