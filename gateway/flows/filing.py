"""Filing: a message finds its contact, conversation and request, and is kept whatever it is."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import and_, or_, update

from desk_core.context import Actor, Context
from desk_core.conversations import arrivals, letters
from desk_core.conversations import repository as conversation_repository
from desk_core.conversations import service as conversations
from desk_core.conversations.entities import ButtonToken, Conversation, Message
from desk_core.conversations.files import NewFile
from desk_core.conversations.holding import Hold
from desk_core.conversations.ports import FORGED_SENDER, InboundKind, InboundMessage
from desk_core.conversations.service import Baton, Mark, NewButton
from desk_core.groups.following import follow
from desk_core.kit.db import UnitOfWork
from desk_core.kit.errors import StaleWrite
from desk_core.kit.i18n import known_language
from desk_core.kit.ids import new_id
from desk_core.kit.prepared import at_hand
from desk_core.people import repository as people_repository
from desk_core.people import service as people
from desk_core.people.entities import Contact
from desk_core.tickets import copies, history, participants
from desk_core.tickets import service as tickets
from desk_core.tickets.entities import Ticket
from gateway.flows import amending, in_groups
from gateway.flows.codes import tell_not_sent
from gateway.flows.filed import Filed
from gateway.flows.reading import Situation
from gateway.mail_inboxes import habits
from nlu.turn import AddToTicket, DialogueState, Turn

REUSABLE = frozenset({"rate", "article", "mine", "show", "use", "status", "faq", "new", "leave", "prove_email"})
"""Buttons that may be pressed again: looking is harmless, and a rating may be changed."""


TAKEN_IN, WITH_PEOPLE = "👀", "👌"
"""The receipts of a chat: stored, and filed under a request that people handle. The first time it is also said in words."""


def wants_turn(now: Situation) -> bool:
    """Whether the bot thinks about this at all: a person's words to it, while no operator speaks."""
    first = now.first
    if first.held or now.baton == Baton.AGENT or now.joined_by in {"page", "duplicate"}:
        return False
    if first.kind is not InboundKind.MESSAGE or now.album_of is not None:
        return False
    return in_private(now) or now.in_group


def may_amend(now: Situation) -> bool:
    """Whether changed words are still being talked over: they belong to no request yet, and the bot speaks."""
    known, first = now.known_message, now.first
    if known is None or first.kind is not InboundKind.EDIT or first.held or now.baton == Baton.AGENT or now.conversation is None:
        return False
    theirs = known.direction == "inbound" and known.conversation_id == now.conversation.id and not now.from_another
    return theirs and known.ticket_id is None and (in_private(now) or now.in_group) and now.inbox.channel == "telegram"


def of_participant(now: Situation, turn: Turn) -> Turn:
    """What a turn comes to where somebody else on the request wrote: their words join it. They close, rate and change nothing."""
    if now.active is None or now.conversation is None:
        return turn
    before = DialogueState.from_json(now.conversation.dialogue)
    language = now.conversation.language or turn.language
    return replace(turn, language=language, state=before, replies=(), actions=(AddToTicket(now.active.id),), looked=None)


def polite_words(now: Situation) -> tuple[str, ...]:
    """What is due where the bot does not think: an unknown kind of message, or a command in a group."""
    first = now.first
    if first.held or now.baton == Baton.AGENT:
        return ()
    if not in_private(now):
        refers = not in_groups.is_on(now.inbox) and in_groups.speaks_to_bot(first, now.inbox.config) and not now.told_private
        return ("group_private",) if refers else ()
    return ("unsupported",) if first.kind is InboundKind.UNSUPPORTED else ()


async def file(uow: UnitOfWork, ctx: Context, now: Situation, files: Sequence[Sequence[NewFile]], *, too_large: Sequence[str]) -> Filed:
    """Store the messages of a situation under their contact and conversation."""
    contact, conversation = await _people(uow, ctx, now)
    zone = ZoneInfo(contact.time_zone or ctx.config.time_zone)
    ticket = await history.get(uow, now.active.id) if now.active is not None else None
    filed = Filed(
        situation=now,
        contact=contact,
        conversation=conversation,
        version=conversation.version,
        messages=[],
        ticket=ticket,
        language=known_language(conversation.language or contact.language or now.inbox.language or ctx.config.language),
        zone=zone,
    )
    conversation.last_inbound_at = ctx.now
    if now.first.kind is not InboundKind.MEMBERSHIP and not now.participant and conversation.blocked_at is not None and not now.forged:
        conversation.blocked_at = conversation.blocked_reason = None  # who writes has not shut us out
    if now.inbox.channel == "email" and now.contact is not None and not now.first.held:
        await people.works_again(uow, channel="email", address=now.first.sender.address)
    match now.first.kind:
        case InboundKind.EDIT if now.known_message is not None:
            await amending.edit(uow, ctx, filed, files[0], too_large=too_large)
        case InboundKind.REACTION if now.known_message is not None:
            await amending.react(uow, ctx, filed)
        case InboundKind.MEMBERSHIP:
            await _membership(uow, ctx, filed)
        case InboundKind.BOUNCE:
            await _bounce(uow, ctx, filed)
        case InboundKind.PRESS:
            await _press(uow, ctx, filed)
        case _:
            for message, kept in zip(now.messages, files, strict=True):
                await _keep(uow, ctx, filed, message, kept, too_large=too_large)
            if (now.baton == Baton.AGENT or now.joined_by == "page") and ticket is not None and not now.first.held:
                filed.ticket = await belongs(uow, ctx, filed, ticket)
    return filed


async def belongs(uow: UnitOfWork, ctx: Context, filed: Filed, ticket: Ticket) -> Ticket:
    """The messages of this turn are about `ticket`; answers the ticket they ended up with (itself, or a follow-up)."""
    text = "\n".join(message.text for message in filed.messages if message.text)
    participant = filed.messages[0].author if filed.situation.participant and filed.messages else ""
    ticket = await tickets.requester_wrote(
        uow, ctx, ticket, contact=filed.contact, conversation=filed.conversation, text=text, participant=participant
    )
    for message in filed.messages:
        message.ticket_id = ticket.id
    filed.ticket = ticket
    if filed.situation.joined_by != "copy":
        _receipts(filed)
    elif filed.conversation.channel == "telegram":
        # It was written in a chat of somebody else's: the requester reads it in theirs.
        await uow.flush()
        for message in filed.messages:
            await conversations.send_copy(uow, ctx, filed.conversation.id, message.id, to=copies.REQUESTER)
    return ticket


def _receipts(filed: Filed) -> None:
    """A mark on each message in a chat that has reached the people of its request; where the channel has none, nothing happens."""
    if filed.conversation.channel != "telegram" or not (in_private(filed.situation) or filed.situation.in_group):
        return
    for message in filed.messages:
        if message.direction == "inbound" and message.external_id:
            filed.courtesies.append(Mark(message.external_id, WITH_PEOPLE))


def in_private(now: Situation) -> bool:
    return bool(now.first.card.get("chat_type", "private") == "private")


async def keep_participants(uow: UnitOfWork, ctx: Context, filed: Filed) -> None:
    """Whom the requester copied in is on the request, where the inbox wants that. Letters of others, and passed on ones, draw nobody in."""
    now = filed.situation
    if filed.ticket is None or now.from_another or not habits(now.inbox.config)["participants"] or now.first.card.get("passed_on_by"):
        return
    people = [(str(name), str(address)) for message in now.messages for name, address in message.card.get("people", ())]
    if people and now.first.acts and any(message.ticket_id == filed.ticket.id for message in filed.messages):
        await participants.keep(uow, filed.ticket, people, now=ctx.now)


def hold(filed: Filed, *, verdict: str) -> None:
    """The messages of this turn open nothing, for a reason that is not their own; people see them among the held ones."""
    for message in filed.messages:
        if message.ticket_id is None:
            message.hold, message.verdict_code, message.verdict = Hold.HELD.value, verdict, {}


async def finish(uow: UnitOfWork, ctx: Context, filed: Filed) -> None:
    """Write the conversation under the version that was read, and mark the raw messages as done. Courtesies are queued last."""
    await conversations.be_courteous(uow, ctx, filed.conversation.id, filed.courtesies)
    filed.conversation.last_inbound_at = ctx.now  # here, so that the row is written once
    if filed.situation.conversation is not None:
        await conversations.touch(uow, ctx, filed.conversation, version=filed.version)
    else:
        await uow.flush()  # it begins here: nobody else has seen it
    message_id = filed.messages[0].id if filed.messages else None
    await arrivals.note_done(uow, [raw.id for raw in filed.situation.raws], message_id=message_id)
    for raw_id, body in filed.situation.masked.items():
        await arrivals.replace_body(uow, raw_id, body)
    ctx.hint(uow, "conversations", filed.conversation.id)
    follow(uow, ctx, filed.ticket.id if filed.ticket is not None else None)


async def say_key(
    uow: UnitOfWork,
    ctx: Context,
    filed: Filed,
    key: str,
    *,
    buttons: Sequence[Sequence[NewButton]] = (),
    ticket: Ticket | None = None,
    language: str | None = None,
    **params: Any,
) -> Message | None:
    """Say one of the desk's replies; a reply that the desk left empty is not sent."""
    text = ctx.config.reply(key, language or filed.language, **params)
    if not text and not buttons:
        return None
    about = ticket or filed.ticket
    return await conversations.say(
        uow, ctx, filed.conversation, text=text, buttons=buttons, ticket_id=about.id if about else None, meta={"key": key}
    )


async def answer_stale(uow: UnitOfWork, ctx: Context, filed: Filed) -> None:
    """A button from another time: say so politely."""
    if filed.conversation.channel == "telegram":
        return  # the client has shown the words already, in answer to the press
    await say_key(uow, ctx, filed, "stale_button")


async def _people(uow: UnitOfWork, ctx: Context, now: Situation) -> tuple[Contact, Conversation]:
    first = now.first
    if now.conversation is not None:
        seen = now.conversation
        if await conversation_repository.state_of(uow, seen.id) != (seen.version, seen.contact_id):
            raise StaleWrite(conversation=seen.id)
        if now.contact is None or now.contact.id != seen.contact_id:
            return await uow.session.get_one(Contact, seen.contact_id), at_hand(uow.session, seen)
        return at_hand(uow.session, now.contact), at_hand(uow.session, seen)
    language = known_language(first.sender.language, default="") or None
    contact = await people.identify(
        uow, channel=now.inbox.channel, address=first.sender.address, name="" if now.forged else first.sender.name, language=language,
        verified=first.sender.verified, now=ctx.now,
    )  # fmt: skip
    if contact.time_zone is None and first.card.get("time_zone"):
        contact.time_zone = str(first.card["time_zone"])  # the browser's, checked by the page
    conversation = Conversation(
        id=new_id(), inbox_id=now.inbox.id, channel=now.inbox.channel, contact_id=contact.id,
        thread_key=first.thread_key or (new_id() if first.card.get("apart") else first.external_id),
        subject=first.subject, baton=Baton.BOT.value, agent_id=None, language=None, dialogue={}, active_ticket_id=None, blocked_at=None,
        blocked_reason=None, last_inbound_at=ctx.now, created_at=ctx.now, updated_at=ctx.now, version=1,
    )  # fmt: skip
    uow.add(conversation)
    await uow.flush()
    return contact, conversation


async def _keep(
    uow: UnitOfWork, ctx: Context, filed: Filed, inbound: InboundMessage, files: Sequence[NewFile], *, too_large: Sequence[str]
) -> None:
    """One inbound message into the timeline. Later parts of an album join the message of the first."""
    earlier = filed.situation.album_of if inbound.album else None
    same = next((message for message in filed.messages if inbound.album and message.meta.get("album") == inbound.album), None)
    if same is None and earlier is not None:
        same = await uow.session.get_one(Message, earlier.id)
    if same is not None:
        amending.join(uow, same, inbound, files, too_large=too_large)
        if same not in filed.messages:
            filed.messages.append(same)
        return
    verdict, params = _verdict(filed, inbound)
    if inbound.card.get("released"):
        message = await uow.session.get_one(Message, str(inbound.card["released"]))
        if message.verdict_code == FORGED_SENDER:  # now it may be answered to like any other
            await letters.remember_reference(uow, filed.conversation.inbox_id, inbound.external_id, filed.conversation.id)
        message.verdict_code, message.verdict = verdict, params
        filed.messages.append(message)
        return
    if inbound.card.get("apart"):
        message = await uow.session.get_one(Message, str(inbound.card["apart"]))
        message.conversation_id, message.ticket_id = filed.conversation.id, None
        message.verdict_code, message.verdict = verdict, params
        message.meta = {name: value for name, value in message.meta.items() if name not in ("moving", "participant")}
        ways = {message.inbox_id, filed.situation.inbox.id}
        await letters.lead_to(uow, ways, inbound.external_id, filed.conversation.id)
        filed.messages.append(message)
        return
    aside = inbound.held or filed.situation.joined_by == "duplicate"
    # A forged one belongs to no request, so that it shows neither on the requester's own page nor as something that they said.
    ticket = filed.ticket if not filed.situation.forged else None
    held = aside and ticket is None and inbound.kind is not InboundKind.REACTION
    message = Message(
        id=new_id(), conversation_id=filed.conversation.id, inbox_id=filed.conversation.inbox_id,
        ticket_id=ticket.id if ticket is not None and aside else None,
        direction="activity" if inbound.kind is InboundKind.REACTION else "inbound", author_kind="contact", agent_id=None,
        author=inbound.sender.name or inbound.sender.address, text=inbound.text, original_text=inbound.original_text, html=inbound.html,
        subject=inbound.subject, card=dict(inbound.card), buttons=[], external_id=inbound.shown_id or inbound.external_id,
        reply_to=inbound.reply_to, verdict_code=verdict, verdict=params, delivery_state=None, delivery_reason=None, delivery_attempts=0,
        at=inbound.at, edited_at=None,
        meta={
            "kind": inbound.kind.value, "address": inbound.sender.address, **({"participant": True} if filed.situation.participant else {}),
            **({"too_large": list(too_large)} if too_large else {}), **amending.origin(inbound, files),
        },
        # The check of an inbox looks for its letter by itself; nobody has to decide on it.
        hold=(Hold.LEFT if inbound.verdict == "own_check" else Hold.HELD).value if held else None,
    )  # fmt: skip
    uow.add(message)
    if files:
        await uow.flush()  # a file refers to its message
    conversations.attach(uow, message, files)
    filed.messages.append(message)
    if filed.conversation.channel == "email" and filed.situation.joined_by != "page" and not filed.situation.forged:
        # An answer may come by the inbox that this copy came by, whichever the conversation began on.
        for inbox_id in {filed.conversation.inbox_id, filed.situation.inbox.id}:
            await letters.remember_reference(uow, inbox_id, inbound.external_id, filed.conversation.id)


def _verdict(filed: Filed, inbound: InboundMessage) -> tuple[str, dict[str, Any]]:
    """What intake made of a message, in a code that the pages put into words."""
    if inbound.verdict != "received":
        return inbound.verdict, dict(inbound.verdict_params)
    joined = filed.situation.joined_by
    number = filed.ticket.number if filed.ticket is not None else None
    if filed.situation.participant and number is not None:
        return "participant" if filed.situation.on_it else "another_address", {**inbound.verdict_params, "number": number}
    if filed.situation.unanswered and joined != "duplicate":
        return ("imported" if inbound.card.get("imported") else "unanswered"), dict(inbound.verdict_params)
    code = {"token": "joined_token", "references": "joined_references", "number": "joined_number"}.get(joined, joined)
    return ("received" if code in ("page", "thread", "new") else code), {**inbound.verdict_params, **({"number": number} if number else {})}


async def _membership(uow: UnitOfWork, ctx: Context, filed: Filed) -> None:
    """Blocked or unblocked: shown on the conversation and on the request."""
    inbound = filed.situation.first
    blocked = bool(inbound.card.get("blocked"))
    if inbound.card.get("chat_type"):  # in a group it is worth a line of its own: who let the bot in or out, and as what
        await _keep(uow, ctx, filed, replace(inbound, held=True), (), too_large=())
    conversation = filed.conversation
    conversation.blocked_at = ctx.now if blocked else None
    conversation.blocked_reason = "blocked" if blocked else None
    # The chat is shut with all its topics, and opens with all of them; so is a group, and not the private chat of who put us out of it.
    within = (
        or_(*(Conversation.thread_key.startswith(f"{inbound.thread_key}{sign}", autoescape=True) for sign in ":@"))
        if inbound.card.get("chat_type")
        else and_(Conversation.contact_id == conversation.contact_id, Conversation.thread_key.not_like("-%"))
    )
    await uow.execute(
        update(Conversation)
        .where(Conversation.inbox_id == conversation.inbox_id, within, Conversation.id != conversation.id)
        .values(blocked_at=conversation.blocked_at, blocked_reason=conversation.blocked_reason)
        .execution_options(synchronize_session=False)
    )
    if not blocked and not inbound.card.get("chat_type"):
        for message in await conversation_repository.kept_back(uow, conversation.inbox_id, conversation.contact_id):
            message.meta = {name: value for name, value in message.meta.items() if name != "blocked"}
            await conversations.requeue_delivery(uow, ctx, message)
    if filed.ticket is not None:
        kind = "contact_blocked" if blocked else "contact_unblocked"
        history.note_event(uow, ctx, filed.ticket, kind, actor=Actor.requester(filed.contact))


async def _bounce(uow: UnitOfWork, ctx: Context, filed: Filed) -> None:
    """A delivery report: shown at the mail it is about, and on the address when it is permanent."""
    inbound, known = filed.situation.first, filed.situation.known_message
    reason = str(inbound.card.get("reason", ""))[:300]
    address = inbound.card.get("address")
    if known is not None and inbound.card.get("permanent") and address and str(address).lower() in await _sent_to(uow, known):
        # Of a letter that did not go there anybody may say anything.
        await people.mark_address(uow, channel="email", address=str(address).lower(), reason=reason or "refused", now=ctx.now)
    if known is None and inbound.card.get("permanent"):
        for token in inbound.tokens:
            await tell_not_sent(uow, ctx, token)  # a letter with a code is of no conversation; its own id comes back
    if known is not None and inbound.card.get("permanent"):
        message = await uow.session.get_one(Message, known.id)
        copy = str(address).lower() in {str(copied) for _name, copied in message.meta.get("cc", ())}
        if not copy:
            message.delivery_state, message.delivery_reason = "failed", reason
        ticket = await uow.session.get(Ticket, message.ticket_id) if message.ticket_id else None
        if ticket is not None:
            data = {"address": address, "reason": reason}
            kind = "copy_failed" if copy else "delivery_failed"
            history.note_event(uow, ctx, ticket, kind, actor=Actor("system", None, "mail"), data=data)
            ticket.unread = True
    await _keep(uow, ctx, filed, inbound, (), too_large=())


async def _sent_to(uow: UnitOfWork, message: Message) -> set[str]:
    """The addresses that a letter of ours may have gone to: the requester's, and those in copy."""
    conversation = await uow.session.get_one(Conversation, message.conversation_id)
    identities = await people_repository.identities(uow, [conversation.contact_id])
    return {one.address for one in identities if one.channel == "email"} | {str(copied) for _name, copied in message.meta.get("cc", ())}


async def _press(uow: UnitOfWork, ctx: Context, filed: Filed) -> None:
    """A fresh button goes into the transcript in its own words and, with its neighbours, is used up; a stale one files nothing."""
    button = filed.situation.button
    conversation = filed.conversation
    if button is None or button.conversation_id != conversation.id or button.used_at is not None or button.expires_at <= ctx.now:
        return
    shown = await uow.session.get(Message, button.message_id)
    label = next((drawn["label"] for row in (shown.buttons if shown else []) for drawn in row if drawn.get("token") == button.token), "")
    if button.action not in REUSABLE:
        await uow.execute(
            update(ButtonToken)
            .where(ButtonToken.message_id == button.message_id, ButtonToken.action.not_in(REUSABLE))
            .values(used_at=ctx.now)
            .execution_options(synchronize_session=False)
        )
    message = Message(
        id=new_id(), conversation_id=conversation.id, inbox_id=conversation.inbox_id,
        ticket_id=shown.ticket_id if shown else None, direction="activity", author_kind="contact", agent_id=None,
        author=filed.situation.first.sender.name or filed.contact.name, text=label, original_text=None, html=None, subject=None,
        card={"press": button.action}, buttons=[], external_id=None, reply_to=None, verdict_code=None, verdict={}, delivery_state=None,
        delivery_reason=None, delivery_attempts=0, at=ctx.now, edited_at=None, meta={"kind": "press"},
    )  # fmt: skip
    uow.add(message)
    await uow.flush()
    filed.messages.append(message)
