"""Hop 6: a turn of the dialogue becomes requests, words and timers, all in the transaction that settles the message."""

from datetime import timedelta
from typing import assert_never

from sqlalchemy import update

from desk_core.context import BOT, Actor, Context
from desk_core.conversations import service as conversations
from desk_core.conversations.entities import Conversation, Message
from desk_core.conversations.service import Baton
from desk_core.kit.db import UnitOfWork
from desk_core.kit.i18n import known_language
from desk_core.knowledge import questions as asked
from desk_core.lanes import queue
from desk_core.tickets import belonging, copies, history, invitations, participants, topics
from desk_core.tickets import service as tickets
from desk_core.tickets.entities import Ticket
from desk_core.tickets.lifecycle import Status
from gateway.flows.filed import Filed
from gateway.flows.filing import belongs
from gateway.flows.speaking import Outcome, promise, speak
from nlu import sentiment
from nlu import turn as acts
from nlu.tried import tried
from nlu.turn import Phase, Turn
from nlu.understood import Intent

UNFINISHED = "unfinished"
"""Kind of the timer behind a dialogue that somebody left in the middle."""


COURTESIES = frozenset({Intent.THANKS, Intent.GREET, Intent.CONFIRM, Intent.SMALLTALK})
REMIND_AFTER = timedelta(minutes=15)
FILE_AFTER = timedelta(hours=2)
DIALOGUE_SPAN = timedelta(hours=24)
STORY_LINES = 12


def unfinished_lane(conversation_id: str) -> str:
    return f"form:{conversation_id}"


async def apply_turn(uow: UnitOfWork, ctx: Context, filed: Filed, turn: Turn) -> None:
    """Carry out a turn: actions first, then the words about them, then where the dialogue stands."""
    conversation = filed.conversation
    filed.language = known_language(turn.language)
    outcome = Outcome()
    for action in turn.actions:
        await _act(uow, ctx, filed, turn, action, outcome)
    if not filed.situation.unanswered:
        await speak(uow, ctx, filed, turn, outcome)
    if turn.looked is not None:
        await asked.keep(uow, filed.conversation, turn.looked, filed.language, ticket=outcome.opened, now=ctx.now)
    before = acts.DialogueState.from_json(conversation.dialogue)
    # Last, so that the row is written once, with its version.
    state = before if outcome.settled else turn.state
    conversation.language, conversation.dialogue = filed.language, state.to_json()
    await _watch(uow, ctx, filed, turn, before=before)


async def _act(uow: UnitOfWork, ctx: Context, filed: Filed, turn: Turn, action: acts.Action, outcome: Outcome) -> None:
    requester = Actor.requester(filed.contact)
    conversation = filed.conversation
    match action:
        case acts.OpenTicket():
            outcome.opened, outcome.ask = await _open(uow, ctx, filed, action), action
            outcome.room = await _room(uow, ctx, filed, outcome.opened)
        case acts.HandOver(reason=reason):
            outcome.handed_over = True
            ticket = outcome.opened or filed.ticket
            conversations.pass_baton(outcome.room or await _home(uow, filed, ticket), to=Baton.QUEUE)
            if ticket is not None:
                ticket.hand_over = {**ticket.hand_over, "reason": reason}
                history.note_event(uow, ctx, ticket, "handed_over", actor=BOT, data={"reason": reason})
        case acts.AddToTicket(ticket_id=ticket_id, text=earlier):
            await _add(uow, ctx, filed, ticket_id, courteous=turn.intent in COURTESIES, earlier=bool(earlier))
        case acts.FillSlots(ticket_id=ticket_id, slots=slots):
            await belonging.fill_slots(uow, ctx, await history.get(uow, ticket_id), slots, by=requester)
        case acts.ArticleFeedback(article_id=article_id, verdict=verdict):
            await asked.note_verdict(
                uow, conversation_id=conversation.id, contact_id=filed.contact.id, article_id=article_id, verdict=verdict, now=ctx.now
            )
        case acts.ConfirmSolved(ticket_id=ticket_id, solved=solved):
            filed.ticket = await tickets.confirm(uow, ctx, ticket_id, by=requester, solved=solved)
            for message in filed.messages:
                message.ticket_id = ticket_id
        case acts.CancelTicket(ticket_id=ticket_id):
            await tickets.cancel(uow, ctx, ticket_id, by=requester)
        case acts.RateTicket(ticket_id=ticket_id, score=score, comment=comment):
            if score is not None and tickets.rating_is_settled(await history.get(uow, ticket_id), ctx.now):
                outcome.settled = True
            else:
                await tickets.rate(uow, ctx, ticket_id, score=score, comment=comment, by=requester)
        case acts.ListRequests():
            outcome.lists.append(action)
        case acts.ShowRequest():
            outcome.shows.append(action)
        case acts.UseRequest(ticket_id=ticket_id):
            if ticket_id is None or await topics.is_here(uow, conversation, ticket_id):
                conversation.active_ticket_id = ticket_id
            if conversation.baton == Baton.QUEUE and ticket_id is None:
                # "Another request": the bot takes the new one in, the old one keeps its place with the people.
                conversations.pass_baton(conversation, to=Baton.BOT)
        case acts.JoinRequest(invitation=mark):
            address = filed.situation.first.sender.address
            outcome.joined = await invitations.accept(uow, ctx, mark, contact=filed.contact, conversation=conversation, address=address)
            if outcome.joined is not None and outcome.joined.purpose is not invitations.Purpose.JOIN:
                filed.ticket = outcome.joined.ticket
        case acts.LeaveRequest(ticket_id=ticket_id):
            address = filed.situation.first.sender.address
            outcome.left = await participants.leave(uow, ctx, ticket_id, contact=filed.contact, address=address)
        case acts.LeaveNamed(number=number):
            address = filed.situation.first.sender.address
            outcome.joined_to = await copies.joined_by(uow.session, address)
            named = [one for one in outcome.joined_to if number in (None, one.number)]
            if len(named) == 1:
                outcome.left = await participants.leave(uow, ctx, named[0].id, contact=filed.contact, address=address)
        case acts.InviteColleague(ticket_id=ticket_id):
            outcome.inviting = await history.get(uow, ticket_id)
        case acts.ShowMe():
            pass  # words alone
        case acts.ProveEmail(told=told):
            outcome.address = told
        case acts.SetLanguage(language=language):
            conversation.language = filed.contact.language = filed.language = known_language(language)
        case _ as never:
            assert_never(never)


async def _open(uow: UnitOfWork, ctx: Context, filed: Filed, ask: acts.OpenTicket) -> Ticket:
    """Open a request with everything that the dialogue collected, and gather its messages under it."""
    now, conversation = filed.situation, filed.conversation
    if filed.topics:
        conversation = await topics.room_for_request(uow, ctx, conversation)
    address = now.first.sender.address
    ticket = await tickets.open_ticket(
        uow,
        ctx,
        contact=filed.contact,
        conversation=conversation,
        channel=now.inbox.channel,
        inbox_id=now.inbox.id,
        inbox_name=now.inbox.name,
        subject=ask.subject,
        text=ask.text,
        language=filed.language,
        category=ask.category,
        kind=ask.kind,
        impact=ask.impact,
        urgency=ask.urgency,
        slots=ask.slots,
        tags=ask.tags,
        confidence=ask.confidence,
        triage={"reasons": list(ask.reasons), "alternatives": list(ask.alternatives), "model": ask.model},
        contact_domain=address.rpartition("@")[2].lower() if "@" in address else "",
        actor=Actor.requester(filed.contact),
        token=now.first.card.get("token"),
        hand_over={
            "text": ask.text[:4000], "shown": list(ask.shown), "read": list(ask.read), "refused": list(ask.refused),
            "tried": list(ask.tried), "mood": ask.mood, "questions": list(ask.questions),
        },
        messages=filed.messages,
    )  # fmt: skip
    await _gather(uow, ctx, filed, ticket)
    if now.conversation is not None:
        await asked.belongs(uow, conversation.id, ticket.id, since=ctx.now - DIALOGUE_SPAN)
    filed.ticket = ticket
    if now.inbox.channel != "telegram" and conversation.baton == Baton.BOT:
        # By mail and by form the bot has nothing more to ask aloud; the request waits for a person.
        conversations.pass_baton(conversation, to=Baton.QUEUE)
    return ticket


async def _room(uow: UnitOfWork, ctx: Context, filed: Filed, ticket: Ticket) -> Conversation | None:
    """The topic that was made for a new request. What it was told in is free again; a topic of another request stays with that one."""
    conversation = filed.conversation
    if ticket.conversation_id is None or ticket.conversation_id == conversation.id:
        return None
    room = await uow.session.get_one(Conversation, ticket.conversation_id)
    room.language = filed.language
    own = await topics.own_request(uow, conversation)
    conversation.active_ticket_id = own.id if own is not None else None
    story = "\n".join(f"> {line}" for line in ticket.hand_over.get("text", "").splitlines()[:STORY_LINES])
    card = "\n\n".join(part for part in (f"**#{ticket.number} {ticket.subject}**", story) if part)
    await conversations.say(uow, ctx, room, text=card, ticket_id=ticket.id, meta={"key": "topic", "silent": True})
    return room


async def _home(uow: UnitOfWork, filed: Filed, ticket: Ticket | None) -> Conversation:
    """Where a request goes on: its topic, otherwise right here."""
    if ticket is None or ticket.conversation_id in (None, filed.conversation.id):
        return filed.conversation
    home = await uow.session.get_one(Conversation, ticket.conversation_id)
    return home if home.topic is not None else filed.conversation


async def _gather(uow: UnitOfWork, ctx: Context, filed: Filed, ticket: Ticket) -> None:
    """The dialogue that led to the request belongs to it, as the messages of this turn do."""
    if filed.situation.conversation is None:
        return  # it began with these messages
    await uow.flush()
    await uow.execute(
        update(Message)
        .where(Message.conversation_id == filed.conversation.id, Message.ticket_id.is_(None), Message.at > ctx.now - DIALOGUE_SPAN)
        .values(ticket_id=ticket.id)
        .execution_options(synchronize_session=False)
    )


async def _add(uow: UnitOfWork, ctx: Context, filed: Filed, ticket_id: str, *, courteous: bool, earlier: bool) -> None:
    ticket = await history.get(uow, ticket_id)
    over = not Status(ticket.status).is_active or (filed.situation.participant and ticket.status == Status.RESOLVED)
    if earlier:
        await _gather(uow, ctx, filed, ticket)
    if over and courteous:
        # A late "thank you" must not wake what is closed; it is kept where it belongs.
        for message in filed.messages:
            message.ticket_id = ticket.id
        filed.ticket = ticket
        return
    await belongs(uow, ctx, filed, ticket)


async def _watch(uow: UnitOfWork, ctx: Context, filed: Filed, turn: Turn, *, before: acts.DialogueState) -> None:
    """An unfinished request is reminded of once and then filed as it is; a finished one is not watched."""
    lane = unfinished_lane(filed.conversation.id)
    if filed.situation.inbox.channel == "telegram" and _unfinished(turn.state):
        payload = {"conversation_id": filed.conversation.id, "stage": "remind"}
        await queue.set_timer(uow, lane=lane, kind=UNFINISHED, payload=payload, run_at=ctx.now + REMIND_AFTER)
    elif _unfinished(before):
        await queue.cancel(uow, lane)


def _unfinished(state: acts.DialogueState) -> bool:
    return state.phase in (Phase.FORM, Phase.SUMMARY, Phase.ARTICLES) and bool(state.text)


async def file_unfinished(uow: UnitOfWork, ctx: Context, filed: Filed) -> Ticket:
    """Open a request from a dialogue that was left in the middle, with what there is."""
    state = acts.DialogueState.from_json(filed.conversation.dialogue)
    ask = acts.OpenTicket(
        subject=state.subject or state.text[:80], text=state.text, category=state.category, kind=state.kind, impact=state.impact,
        urgency=state.urgency, slots=state.slots, confidence=state.confidence, reasons=state.reasons, alternatives=state.alternatives,
        model=state.model, tags=("unfinished",), shown=state.shown, read=state.read, refused=state.refused, tried=tried(state.text),
        mood=sentiment.read(state.text).mood,
    )  # fmt: skip
    ticket = await _open(uow, ctx, filed, ask)
    filed.conversation.dialogue = {}
    text = ctx.config.reply("unfinished_filed", filed.language, **promise(ctx, filed, ticket))
    await conversations.say(uow, ctx, filed.conversation, text=text, ticket_id=ticket.id, meta={"key": "unfinished_filed"})
    return ticket
