"""What is said at the end of a turn: the number and the promise, answers, cards in their place, lists of requests."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, cast

from sqlalchemy import func, select, true

from desk_core.context import Actor, Context
from desk_core.conversations import pressing
from desk_core.conversations import repository as conversation_repository
from desk_core.conversations import service as conversations
from desk_core.conversations.deep_links import deep_link
from desk_core.conversations.entities import Conversation, Message
from desk_core.conversations.service import COPY, Act, Close, NewButton
from desk_core.kit.db import ReadSession, UnitOfWork
from desk_core.kit.i18n import gettext_noop as _
from desk_core.kit.i18n import ntranslate, translate
from desk_core.knowledge import repository as knowledge
from desk_core.sla.words import moment
from desk_core.tickets import effects, topics
from desk_core.tickets import service as tickets
from desk_core.tickets.entities import Ticket
from desk_core.tickets.invitations import INVITES, JOIN_LIFE, MASK, Accepted, Purpose, invite
from desk_core.tickets.lifecycle import Status
from gateway.flows import proving
from gateway.flows.filed import Filed
from gateway.flows.filing import WITH_PEOPLE
from gateway.flows.reading import Situation
from nlu import labels
from nlu import turn as acts
from nlu.scene import SPLIT, shortened
from nlu.turn import Phase, Say, Turn

MARKED = _("From now on a %(mark)s on your message says that it has reached us.")

CALLED = frozenset({"human", "human_out_of_hours"})

CARD = frozenset({"slot", "category", "skip", "back", "edit", "edit_slot", "send", "together", "apart"})
"""Buttons of a step on the way to a request. The step is over once one is pressed or something is written."""

LAST_STEPS = frozenset({"send", "together", "apart"})

ONCE_A_DAY = frozenset({"encrypted"})
"""What is told of every such letter would be told to a machine that encrypts its answers without end."""

PAGE = 5


@dataclass(slots=True)
class Outcome:
    """What the actions of this turn led to, for the words that follow them."""

    opened: Ticket | None = None
    room: Conversation | None = None  # the topic where what was opened goes on, when that is not where it was told
    ask: acts.OpenTicket | None = None
    handed_over: bool = False
    joined: Accepted | None = None  # what a link led to that was confirmed
    address: str | None = None  # what was told as an address to prove; empty where it is to be asked for
    inviting: Ticket | None = None  # the request that a colleague is to join
    joined_to: Sequence[Ticket] = ()  # requests of others that they may leave
    left: Ticket | None = None  # the request of somebody else's that they are on no longer
    settled: bool = False  # the stars came too late to change anything
    lists: list[acts.ListRequests] = field(default_factory=list)
    shows: list[acts.ShowRequest] = field(default_factory=list)


def stands_over(now: Situation, turn: Turn) -> bool:
    """Whether this turn's words take the place of the card whose button was pressed, instead of following it."""
    if now.button is None or not now.on_top or not turn.replies or turn.actions:
        return False
    if now.button.action == "article":
        return "page" in now.button.value
    return now.button.action in CARD - LAST_STEPS and turn.state.phase in (Phase.FORM, Phase.SUMMARY)


async def _say_over(uow: UnitOfWork, ctx: Context, filed: Filed, turn: Turn) -> None:
    """One card: what is known so far, and the next question with its buttons."""
    button = filed.situation.button
    texts = [turn.known, *(_words(ctx, filed, say, filed.ticket) for say in turn.replies)]
    buttons = next((say.buttons for say in reversed(turn.replies) if say.buttons), ())
    await conversations.say(
        uow, ctx, filed.conversation, text="\n\n".join(text.strip() for text in texts if text.strip()) or "…",
        buttons=[[NewButton(one.label, one.action, one.value) for one in row] for row in buttons],
        ticket_id=filed.ticket.id if filed.ticket else None,
        meta={"key": turn.replies[-1].key, **({"over": button.message_id} if button else {})},
    )  # fmt: skip


async def _close_cards(uow: UnitOfWork, ctx: Context, filed: Filed) -> None:
    """The conversation has gone on below: the buttons of earlier steps go, so that nobody presses what no longer counts."""
    if filed.situation.conversation is None:
        return
    for message_id in await pressing.open_cards(uow, filed.conversation.id, actions=CARD):
        await pressing.close_card(uow, message_id, now=ctx.now)
        filed.courtesies.append(Close(message_id))


async def speak(uow: UnitOfWork, ctx: Context, filed: Filed, turn: Turn, outcome: Outcome) -> None:
    if outcome.settled:
        text = translate(filed.language, tickets.RatingSettled.text)
        await conversations.say(uow, ctx, filed.conversation, text=text, meta={"key": "rating_settled"})
        return
    if stands_over(filed.situation, turn):
        await _say_over(uow, ctx, filed, turn)
        return
    if filed.conversation.channel == "telegram" and (turn.replies or outcome.opened is not None):
        await _close_cards(uow, ctx, filed)
    if outcome.opened is not None:
        await _announce(uow, ctx, filed, outcome)
    if outcome.room is not None and outcome.opened is not None:
        name = f"#{outcome.opened.number} {outcome.opened.subject}"
        moved = translate(filed.language, labels.MOVED_TO_TOPIC, name=name)
        await conversations.say(
            uow, ctx, filed.conversation, text=moved, ticket_id=outcome.opened.id, meta={"key": "moved_to_topic", "silent": True}
        )
    asked = {type(action) for action in turn.actions}
    if acts.JoinRequest in asked:
        await _tell_joined(uow, ctx, filed, outcome.joined)
    if acts.LeaveRequest in asked:
        await _tell_left(uow, ctx, filed, outcome.left)
    for action in turn.actions:
        if isinstance(action, acts.LeaveNamed):
            await _tell_left_named(uow, ctx, filed, action.number, outcome)
    if outcome.inviting is not None:
        await _invite(uow, ctx, filed, outcome.inviting)
    for say in turn.replies:
        if not await _is_understood(uow, ctx, filed, say.key):
            await _say(uow, ctx, filed, say, outcome)
    for listing in outcome.lists:
        await _list(uow, ctx, filed, listing)
    if acts.ShowMe in asked:
        await proving.tell_me(uow, ctx, filed)
    if outcome.address is not None:
        await proving.ask_code(uow, ctx, filed, outcome.address)
    for shown in outcome.shows:
        await _show(uow, ctx, filed, shown.ticket_id)


async def _is_understood(uow: UnitOfWork, ctx: Context, filed: Filed, key: str) -> bool:
    """Whether a reply tells nothing new: it was said today, or the mark on a message says it and no other request could be meant."""
    if key in ONCE_A_DAY:
        return await conversation_repository.has_told(
            cast("ReadSession", uow.session), filed.conversation.id, key, since=ctx.now - timedelta(days=1)
        )
    if key != "added" or filed.conversation.channel != "telegram" or filed.ticket is None or len(filed.situation.requests) > 1:
        return False
    said = select(Message.id).where(Message.ticket_id == filed.ticket.id, Message.meta["key"].as_string() == "added")
    return await uow.scalar(said.limit(1)) is not None


async def _tell_joined(uow: UnitOfWork, ctx: Context, filed: Filed, accepted: Accepted | None) -> None:
    conversation, language = filed.conversation, filed.language
    if accepted is None:
        text = translate(language, labels.INVITATION_SPENT)
        await conversations.say(uow, ctx, conversation, text=text, meta={"key": "invitation_spent"})
        return
    ticket = accepted.ticket
    if accepted.purpose is Purpose.RATE:
        text = ctx.config.reply("rate", language, number=ticket.number)
        await effects.say_rate(uow, ctx, ticket, conversation, text=text, key="rate")
    elif accepted.purpose is Purpose.JOIN:
        # It is said in a chat that is not the requester's: nothing of it belongs to the request.
        words = labels.REQUEST_FULL if accepted.full else labels.JOINED_IN
        leave = () if accepted.full else [[NewButton(labels.label(language, "leave"), "leave", {"ticket": ticket.id})]]
        text = translate(language, words, number=ticket.number)
        await conversations.say(uow, ctx, conversation, text=text, buttons=leave, meta={"key": "joined_in"})
    else:
        text = translate(language, labels.JOINED, number=ticket.number)
        await conversations.say(uow, ctx, conversation, text=text, ticket_id=ticket.id, meta={"key": "joined"})


async def _tell_left(uow: UnitOfWork, ctx: Context, filed: Filed, ticket: Ticket | None) -> None:
    text = translate(filed.language, labels.LEFT, number=ticket.number) if ticket else translate(filed.language, labels.NOT_ON_IT)
    await conversations.say(uow, ctx, filed.conversation, text=text, meta={"key": "left"})


async def _tell_left_named(uow: UnitOfWork, ctx: Context, filed: Filed, number: int | None, outcome: Outcome) -> None:
    """What became of leaving by number: they have left, or it has to be said which, or there is nothing to leave."""
    language, found = filed.language, outcome.joined_to
    if outcome.left is not None:
        await _tell_left(uow, ctx, filed, outcome.left)
        return
    parts = [translate(language, labels.NOT_ON_NUMBER, number=number)] if number is not None else []
    if found:
        parts.append(translate(language, labels.LEAVE_WHICH))
    elif not parts:
        parts.append(translate(language, labels.NOT_ON_ANY))
    buttons = [[NewButton(_row(language, ticket), "leave", {"ticket": ticket.id})] for ticket in found]
    await conversations.say(uow, ctx, filed.conversation, text=" ".join(parts), buttons=buttons, meta={"key": "leave_which"})


async def _invite(uow: UnitOfWork, ctx: Context, filed: Filed, ticket: Ticket) -> None:
    """The link by which a colleague joins. Its secret is written into the message on its way out and is read nowhere else."""
    language, conversation = filed.language, filed.conversation
    bot = str(filed.situation.inbox.config.get("username") or "")
    if filed.situation.in_group or not bot or filed.one_time is None:
        words = labels.INVITE_IN_PRIVATE if filed.situation.in_group else labels.INVITE_NOT_NOW
        await conversations.say(uow, ctx, conversation, text=translate(language, words), meta={"key": "not_invited"})
        return
    hours = int(JOIN_LIFE.total_seconds() // 3600)
    text = translate(language, labels.INVITE, number=ticket.number, hours=hours, link=deep_link(bot, MASK))
    message = await conversations.say(uow, ctx, conversation, text=text, meta={"key": INVITES})
    secret = filed.one_time.invitation(message.id)
    await invite(uow, ctx, ticket, purpose=Purpose.JOIN, by=Actor.requester(filed.contact), secret=secret)


async def _announce(uow: UnitOfWork, ctx: Context, filed: Filed, outcome: Outcome) -> None:
    """Tell the requester the number and the promise, in the manner of the channel."""
    ticket, ask = outcome.opened, outcome.ask
    if ticket is None or ask is None:
        return
    params = promise(ctx, filed, ticket)
    if filed.situation.inbox.channel == "email":
        if filed.situation.first.automatic:
            return
        await conversations.say(
            uow, ctx, filed.conversation, text=await _acknowledgement(uow, ctx, filed, ask, params), ticket_id=ticket.id,
            subject=filed.situation.first.subject, meta={"key": "created", "automatic": True},
        )  # fmt: skip
        return
    if outcome.handed_over:
        return  # the turn says who was called and when they answer
    key = "created" if params["promise"] else "created_no_promise"
    buttons = [
        [NewButton(translate(filed.language, labels.COPY_NUMBER, number=ticket.number), COPY, {"text": f"#{ticket.number}"})],
        [NewButton(labels.label(filed.language, "add"), "add", {"ticket": ticket.id})],
        [
            NewButton(labels.label(filed.language, "status"), "status", {"ticket": ticket.id}),
            NewButton(labels.label(filed.language, "cancel_request"), "cancel_request", {"ticket": ticket.id}),
        ],
    ]
    await conversations.say(
        uow, ctx, outcome.room or filed.conversation, text=ctx.config.reply(key, filed.language, **params), ticket_id=ticket.id,
        buttons=buttons if filed.situation.inbox.channel == "telegram" else (), meta={"key": key},
    )  # fmt: skip


async def _acknowledgement(uow: UnitOfWork, ctx: Context, filed: Filed, ask: acts.OpenTicket, params: dict[str, Any]) -> str:
    """The one letter of a new request: number, promise, up to two articles, and the questions still open, numbered."""
    language = filed.language
    parts = [ctx.config.reply("created" if params["promise"] else "created_no_promise", language, **params)]
    if ask.notice:
        parts.append(ask.notice)
    if ask.articles:
        listed = [f"- **{title}**: {summary}" for title, summary in await knowledge.told_of(uow, ask.articles)]
        if listed:
            parts.append(ctx.config.reply("article_intro", language) + "\n\n" + "\n".join(listed))
    questions = [question for name in ask.questions if (question := _question(ctx, ask.category, name, language))]
    if questions:
        asking = translate(language, _("To help you faster, please answer in a reply to this letter:"))
        parts.append(asking + "\n\n" + "\n".join(f"{place}. {question}" for place, question in enumerate(questions, 1)))
    return "\n\n".join(part for part in parts if part)


def _question(ctx: Context, category: str | None, slot: str, language: str) -> str:
    if slot == SPLIT:
        return ctx.config.reply("ask_split_by_mail", language) or translate(language, labels.ASK_SPLIT_BY_MAIL)
    known = ctx.config.categories.get(category or "")
    form = known.form if known else None
    return ctx.config.reply(f"ask_{form}_{slot}", language) or ctx.config.reply(f"ask_{slot}", language)


def promise(ctx: Context, filed: Filed, ticket: Ticket) -> dict[str, Any]:
    """What words about a request may mention: number, team, when somebody answers."""
    due = moment(ticket.next_due_at, ctx.now, filed.zone, filed.language) if ticket.next_due_at else ""
    team = ctx.config.team_by_id(ticket.team_id)
    calendar = ctx.config.calendar_for(team)
    opens = "" if calendar.is_open(ctx.now) else moment(calendar.next_open(ctx.now), ctx.now, filed.zone, filed.language)
    return {
        "number": ticket.number,
        "subject": ticket.subject,
        "team": ctx.config.team_title(ticket.team_id, filed.language),
        "promise": due,
        "when": opens or due,
    }


async def _say(uow: UnitOfWork, ctx: Context, filed: Filed, say: Say, outcome: Outcome) -> None:
    ticket = outcome.opened or filed.ticket
    text = _words(ctx, filed, say, ticket)
    if ticket is not None and outcome.handed_over and filed.conversation.channel == "telegram" and say.key in CALLED:
        text = f"{text} {await _place(uow, filed, ticket)}".strip()
    buttons = [[NewButton(button.label, button.action, button.value) for button in row] for row in say.buttons]
    if text or buttons:
        await conversations.say(
            uow,
            ctx,
            outcome.room or filed.conversation,
            text=text.strip() or "…",
            buttons=buttons,
            ticket_id=ticket.id if ticket else None,
            meta={"key": say.key},
        )


async def _place(uow: UnitOfWork, filed: Filed, ticket: Ticket) -> str:
    """Where a request stands among those that wait for the same people; nothing once somebody has it."""
    if ticket.assignee_id is not None:
        return ""
    ahead = select(func.count()).where(
        Ticket.team_id == ticket.team_id, Ticket.assignee_id.is_(None), Ticket.status.in_((Status.NEW.value, Status.OPEN.value)),
        Ticket.opened_at < ticket.opened_at,
    )  # fmt: skip
    count = int(await uow.scalar(ahead) or 0)
    if not count:
        return translate(filed.language, _("You are next in line."))
    return ntranslate(filed.language, "%(n)s request waits before yours.", "%(n)s requests wait before yours.", count)


def _words(ctx: Context, filed: Filed, say: Say, ticket: Ticket | None) -> str:
    params: dict[str, Any] = {
        **(promise(ctx, filed, ticket) if ticket is not None else {}),
        **{k: v for k, v in say.params.items() if v != ""},
    }
    if say.key == "status":
        promised = say.params.get("promise")
        params["promise"] = ctx.config.reply("promise_first", filed.language, when=promised) if promised else ""
    text = say.text if say.text is not None else ctx.config.reply(say.key, filed.language, **params)
    if say.key == "added" and filed.conversation.channel == "telegram":
        text = f"{text} {translate(filed.language, MARKED, mark=WITH_PEOPLE)}"
    return text


async def _list(uow: UnitOfWork, ctx: Context, filed: Filed, listing: acts.ListRequests) -> None:
    """The person's own requests, newest first, a page at a time."""
    query = (
        select(Ticket)
        .where(
            Ticket.contact_id == filed.contact.id, Ticket.conversation_id == filed.conversation.id if filed.situation.in_group else true()
        )
        .order_by(Ticket.opened_at.desc(), Ticket.id)
        .offset(listing.offset)
        .limit(PAGE + 1)
    )
    found = await uow.scalars(query)
    if not found:
        text, buttons = ctx.config.reply("requests_none", filed.language), [[NewButton(labels.label(filed.language, "new"), "new")]]
    else:
        text = ctx.config.reply("requests_intro", filed.language)
        if (current := await _current(uow, filed)) is not None:
            text = "\n\n".join([text, translate(filed.language, labels.NOW_ABOUT, number=current.number)])
        buttons = [[NewButton(_row(filed.language, ticket), "show", {"ticket": ticket.id})] for ticket in found[:PAGE]]
        turning = [
            *([NewButton("←", "mine", {"offset": max(0, listing.offset - PAGE)})] if listing.offset else []),
            *([NewButton("→", "mine", {"offset": listing.offset + PAGE})] if len(found) > PAGE else []),
        ]
        buttons = [*buttons, *([turning] if turning else [])]
    if filed.conversation.channel != "telegram":
        text = "\n".join([text, *(f"- {_row(filed.language, ticket)}" for ticket in found[:PAGE])])
    if not await _turn_page(uow, ctx, filed, text, buttons):
        await conversations.say(uow, ctx, filed.conversation, text=text, buttons=buttons, meta={"key": "requests"})


async def _turn_page(uow: UnitOfWork, ctx: Context, filed: Filed, text: str, buttons: Sequence[Sequence[NewButton]]) -> bool:
    """Show another page in the very message whose arrow was pressed; False where it is another message, or was answered since."""
    pressed = filed.situation.button
    shown = await uow.session.get(Message, pressed.message_id) if pressed is not None and pressed.action == "mine" else None
    if shown is None or shown.meta.get("key") != "requests" or shown.external_id is None:
        return False
    if await conversation_repository.answered_since(uow, shown):
        return False
    conversations.put_buttons(uow, ctx, shown, buttons)
    await conversations.act(uow, ctx, shown.conversation_id, Act.EDIT, message_id=shown.id, text=text)
    return True


async def _current(uow: UnitOfWork, filed: Filed) -> Ticket | None:
    """The request that words in this chat go to by themselves."""
    conversation = filed.conversation
    if conversation.topic is not None or conversation.active_ticket_id is None:
        return None
    return await uow.session.get(Ticket, conversation.active_ticket_id)


def _row(language: str, ticket: Ticket) -> str:
    state = labels.STATES.get(ticket.status)
    return f"#{ticket.number} {shortened(ticket.subject, 34)} · {translate(language, state) if state else ticket.status}"


async def _show(uow: UnitOfWork, ctx: Context, filed: Filed, ticket_id: str) -> None:
    """One request of the person: state, promise, the last words, and what can be done."""
    ticket = await uow.session.get(Ticket, ticket_id)
    if ticket is None or ticket.contact_id != filed.contact.id:
        return
    if filed.situation.in_group and ticket.conversation_id != filed.conversation.id:
        return  # others read along
    language = filed.language
    params = promise(ctx, filed, ticket)
    state = labels.STATES.get(ticket.status)
    promised = ctx.config.reply("promise_first", language, when=params["promise"]) if params["promise"] else ""
    text = ctx.config.reply(
        "status", language, **{**params, "state": translate(language, state) if state else ticket.status, "promise": promised}
    )
    await uow.flush()  # what was just said is among the last words
    last = await uow.scalars(
        select(Message)
        .where(
            Message.ticket_id == ticket.id, Message.direction.in_(("inbound", "outbound")), Message.text != "", Message.deleted_at.is_(None)
        )
        .order_by(Message.at.desc(), Message.id.desc())
        .limit(3)
    )
    lines = [
        f"> {message.author if message.author_kind != 'bot' else '🤖'}: {' '.join(message.text.split())[:160]}"
        for message in reversed(last)
    ]
    buttons: list[Sequence[NewButton]] = []
    if Status(ticket.status).is_active:
        buttons.append([NewButton(labels.label(language, "add"), "add", {"ticket": ticket.id})])
        if filed.conversation.active_ticket_id != ticket.id and await topics.is_here(uow, filed.conversation, ticket.id):
            buttons.append([NewButton(labels.label(language, "use"), "use", {"ticket": ticket.id})])
        if ticket.status != Status.RESOLVED:
            buttons.append([NewButton(labels.label(language, "cancel_request"), "cancel_request", {"ticket": ticket.id})])
    await conversations.say(
        uow,
        ctx,
        filed.conversation,
        text="\n\n".join([text, "\n".join(lines)]).strip(),
        buttons=buttons,
        ticket_id=ticket.id,
        meta={"key": "status"},
    )
