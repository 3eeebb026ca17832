"""The page of one request, and of a conversation that has none yet."""

from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import APIRouter, Request
from sqlalchemy import update
from starlette.responses import RedirectResponse, Response

from desk_core.context import Actor, Context
from desk_core.conversations.entities import Conversation, Inbox, Message
from desk_core.conversations.ports import Ability, ChannelKind
from desk_core.conversations.repository import ASIDE
from desk_core.kit.db import UnitOfWork
from desk_core.kit.errors import NotFound
from desk_core.kit.i18n import gettext_noop as _
from desk_core.knowledge import repository as knowledge
from desk_core.people import joining
from desk_core.people import repository as people
from desk_core.people.entities import Agent, Contact
from desk_core.people.permissions import Right, allowed, require
from desk_core.tickets import copies, sent, service
from desk_core.tickets.detail import ConversationDetail, TicketDetail, conversation_detail, ticket_detail
from desk_core.tickets.entities import Ticket
from desk_core.tickets.lifecycle import Priority
from gateway import inboxes
from gateway.auth.dependencies import CurrentAgent
from gateway.console import facts
from gateway.console.frame import Chosen, Frame, chosen, remember
from gateway.console.inbox_pages import page_of
from gateway.console.own_word import told_solved
from gateway.console.packet import article_ids, packet
from gateway.console.reaching import unreached
from gateway.console.timeline import story
from gateway.web.paths import Ident, Number
from gateway.web.templating import pages_of, wants_part

router = APIRouter(include_in_schema=False)


@router.get("/console/tickets/{number}")
async def ticket_page(request: Request, signed: CurrentAgent, number: Number) -> Response:
    """The request with its list beside it, or alone where htmx asks for the pane."""
    frame = await Frame.of(request, signed)
    return await show(frame, number)


async def show(frame: Frame, number: int, *, status: int = 200, typed: dict[str, str] | None = None, notice: str = "") -> Response:
    """Render a request; `typed` and `notice` bring back what an operator wrote when it could not be carried out."""
    list_ = chosen(frame.request)
    part = wants_part(frame.request)
    async with frame.desk.database.read() as session:
        detail = await ticket_detail(session, number)
        if detail is None:
            raise NotFound(ticket=number)
        offered = await knowledge.titles(session, article_ids(detail.ticket))
        joins = await joining.joins_of(session, detail.contact.id) if detail.joined else []
        colleagues = [agent for agent in await people.agents(session) if agent.disabled_at is None]
        around = {} if part else await frame.around(session, list_)
    if detail.ticket.unread and frame.request.method == "GET" and detail.ticket.assignee_id in (None, frame.signed.agent.id):
        await _mark_read(frame, detail.ticket)
    able = _able(frame, detail)
    context = {
        **around,
        **_context(frame, detail, offered),
        "paused": paused(frame, detail.inbox),
        "may": able,
        "joins": joins,
        "undo_at": f"/console/tickets/{number}/joins?{list_.query}" if allowed(frame.signed.role, Right.MANAGE_PEOPLE) else "",
        "reactions": sent.REACTIONS,
        "colleagues": colleagues,
        "typed": typed or {},
        "notice": notice,
    }
    response = frame.render("ticket.html", context, status=status, block="pane" if part else None)
    return remember(response, list_)


def _able(frame: Frame, detail: TicketDetail) -> dict[str, frozenset[Ability]]:
    """What this operator may do to each message in the person's chat, by message; nothing where the channel cannot."""
    can = inboxes.abilities(detail.conversation.channel) if detail.conversation is not None else frozenset()
    if not can:
        return {}
    agent, now = frame.signed.agent, frame.desk.clock.now()
    may: dict[str, frozenset[Ability]] = {}
    for message in detail.messages:
        if message.direction == "inbound" and message.external_id:
            may[message.id] = can & {Ability.REACT}
        elif sent.is_changeable(message, by=agent, age=now - message.at):
            may[message.id] = can & {Ability.EDIT, Ability.DELETE}
    return may


def paused(frame: Frame, inbox: Inbox | None) -> dict[str, str] | None:
    """The inbox whose pause keeps answers waiting, and where this operator may resume it."""
    if inbox is None or inbox.state == "active":
        return None
    return {"id": inbox.id, "name": inbox.name, "page": page_of(inbox) if allowed(frame.signed.role, Right.MANAGE_DESK) else ""}


async def _mark_read(frame: Frame, ticket: Ticket) -> None:
    async with frame.desk.database.unit() as uow:
        await uow.execute(update(Ticket).where(Ticket.id == ticket.id, Ticket.version == ticket.version).values(unread=False))


def _context(frame: Frame, detail: TicketDetail, offered: Mapping[str, str]) -> dict[str, Any]:
    viewer = pages_of(frame.request).context(frame.request)["viewer"]
    ticket, language = detail.ticket, frame.language
    entries = story(
        detail.messages, detail.events, zone=viewer.zone, language=language, titles=facts.titles(frame.config, language),
        now=frame.desk.clock.now(),
    )  # fmt: skip
    told = next(
        (message for message in reversed(detail.messages) if message.direction == "outbound" and message.meta.get("key") in TELLS_BATON),
        None,
    )
    answerable = detail.conversation is not None and ticket.status not in ("cancelled", "merged")
    answers = _answered(detail.messages)
    return {
        "by_mail": detail.conversation is not None and detail.conversation.channel == ChannelKind.EMAIL,
        "copied": {one.address for one in copies.copied(detail.participants, answers)},
        "unreached": unreached(detail, answers),
        "detail": detail,
        "ticket": ticket,
        "conversation": detail.conversation,
        "contact": detail.contact,
        "story": entries,
        "clocks": facts.clocks(detail.clocks, detail.pauses, viewer),
        "slots": facts.slots(frame.config, ticket, language),
        "why": facts.why(frame.config, ticket, language),
        "why_here": facts.why_here(frame.config, ticket, language),
        "packet": packet(frame.config, ticket, detail.messages, offered, language),
        "statuses": facts.next_statuses(ticket),
        "priorities": [one.value for one in Priority],
        "categories": grouped_categories(frame, language),
        "lines": sorted(frame.config.lines),
        "team_title": frame.config.team_title(ticket.team_id, language),
        "category_title": frame.config.title(ticket.category_key, language),
        "baton": detail.conversation.baton if detail.conversation else "queue",
        "told": told,
        "told_solved": told_solved(ticket, detail.messages, detail.events),
        "answerable": answerable,
        "escalated": any(event.kind == "escalated" for event in detail.events),
    }


def _answered(messages: Sequence[Message]) -> Message | None:
    """The letter that an answer written now would answer."""
    return next((one for one in reversed(messages) if one.direction == "inbound" and one.verdict_code not in ASIDE), None)


TELLS_BATON = frozenset({"taken_over", "released"})


def grouped_categories(frame: Frame, language: str) -> list[tuple[str, list[tuple[str, str]]]]:
    """Second-level categories under their first-level titles."""
    groups: dict[str, list[tuple[str, str]]] = {}
    for category in frame.config.categories.values():
        if category.parent:
            groups.setdefault(category.parent, []).append((category.key, frame.config.title(category.key, language)))
    return [(frame.config.title(parent, language), members) for parent, members in groups.items()]


TAKEN_UP = {
    "released": _("Taken up. The bot reads it now, and the sender is answered."),
    "released_always": _("Taken up. Mail of this sender is a person's from now on."),
}


@router.get("/console/conversations/{conversation_id}")
async def conversation_page(request: Request, signed: CurrentAgent, conversation_id: Ident) -> Response:
    """Read along while the bot talks. Where a request is open, its page shows the same and more."""
    frame, list_ = await Frame.of(request, signed), chosen(request)
    part = wants_part(request)
    async with frame.desk.database.read() as session:
        detail = await conversation_detail(session, conversation_id)
        if detail is None:
            raise NotFound(conversation=conversation_id)
        joins = await joining.joins_of(session, detail.contact.id)
        around = {} if part else await frame.around(session, list_)
    viewer = pages_of(request).context(request)["viewer"]
    dialogue = detail.conversation.dialogue or {}
    done = request.query_params.get("done", "")
    known = dialogue.get("slots") or {}
    context = {
        **around,
        "detail": detail,
        "conversation": detail.conversation,
        "filed": next((one for one in detail.others if one.id in {message.ticket_id for message in detail.messages}), None),
        "contact": detail.contact,
        "paused": paused(frame, detail.inbox),
        "joins": joins,
        "done": done if done in TAKEN_UP else "",
        "notice": TAKEN_UP.get(done, ""),
        "story": story(detail.messages, (), zone=viewer.zone, language=frame.language, titles={}),
        "category_title": frame.config.title(dialogue["category"], frame.language) if dialogue.get("category") else "",
        "slots": [facts.Filled(name, facts.slot_title(frame.config, name, frame.language), str(value)) for name, value in known.items()],
    }
    return remember(frame.render("conversation.html", context, block="pane" if part else None), list_)


@router.post("/console/conversations/{conversation_id}/take")
async def take_conversation(request: Request, signed: CurrentAgent, conversation_id: Ident) -> Response:
    """Speak in a conversation that has no request yet: one is opened from what was said, and taken over."""
    require(signed.role, Right.WORK_TICKETS)
    frame = await Frame.of(request, signed)
    ctx = await frame.desk.context(getattr(request.state, "request_id", ""))
    async with frame.desk.database.read() as session:
        seen = await conversation_detail(session, conversation_id)
    if seen is None:
        raise NotFound(conversation=conversation_id)
    async with frame.desk.database.unit() as uow:
        conversation = await uow.session.get_one(Conversation, conversation_id, with_for_update=True)
        ticket = await uow.session.get(Ticket, conversation.active_ticket_id) if conversation.active_ticket_id else None
        if ticket is None:
            ticket = await _open_from(uow, ctx, conversation, seen, by=signed.agent)
        await service.take_over(uow, ctx, ticket.id, by=signed.agent)
        number = ticket.number
    return RedirectResponse(f"/console/tickets/{number}?{Chosen(chosen(request).view).query}", 303)


async def _open_from(uow: UnitOfWork, ctx: Context, conversation: Conversation, seen: ConversationDetail, *, by: Agent) -> Ticket:
    dialogue = conversation.dialogue or {}
    contact = await uow.session.get_one(Contact, conversation.contact_id)
    loose = [message for message in seen.messages if message.ticket_id is None]
    text = str(dialogue.get("text") or "") or "\n".join(message.text for message in loose if message.direction == "inbound")[-2000:]
    ticket = await service.open_ticket(
        uow, ctx, contact=contact, conversation=conversation, channel=conversation.channel, inbox_id=conversation.inbox_id,
        inbox_name=seen.inbox.name, subject=str(dialogue.get("subject") or text or conversation.subject or "—")[:120], text=text,
        language=conversation.language or ctx.config.language, category=dialogue.get("category"),
        slots={str(name): str(value) for name, value in (dialogue.get("slots") or {}).items()}, actor=Actor.of(by),
    )  # fmt: skip
    await uow.execute(update(Message).where(Message.id.in_([message.id for message in loose])).values(ticket_id=ticket.id))
    return ticket
