"""An operator says where a letter belongs: to another request, to one of its own, or to the requester under an address of theirs.

What is said of a letter holds for what answers it: its Message-ID leads to its new place from then on.
"""

from typing import cast

from sqlalchemy import ColumnElement, and_, exists, or_, select

from desk_core.context import Actor, Context
from desk_core.conversations import holding, letters
from desk_core.conversations import service as conversations
from desk_core.conversations.entities import Conversation, Message
from desk_core.conversations.holding import SenderNotProven
from desk_core.conversations.ports import FORGED_SENDER, ChannelKind, TakeAs
from desk_core.conversations.repository import ASIDE
from desk_core.conversations.service import Baton
from desk_core.kit.db import ReadSession, UnitOfWork
from desk_core.kit.errors import DeskError, NotFound
from desk_core.kit.i18n import gettext_noop as _
from desk_core.people import joining
from desk_core.people import repository as known
from desk_core.people import service as people
from desk_core.people.entities import Agent, Contact
from desk_core.sla import service as sla
from desk_core.sla.clock import Metric
from desk_core.tickets import copies, participants, service
from desk_core.tickets.entities import Ticket, TicketLink
from desk_core.tickets.history import get, happen, note_event
from desk_core.tickets.lifecycle import Event, Status
from desk_core.tickets.reading import heir

OPERATOR = "operator"
"""The reason of a join that an operator's word is behind."""


class NotMovable(DeskError):
    code, status, text = "not_movable", 409, _("Only a letter that stands on a request can be moved, and only once at a time.")


class OnlyLetter(DeskError):
    code, status, text = "only_letter", 409, _("This request holds nothing but this letter, so it is one of its own already.")


class AlreadyThere(DeskError):
    code, status, text = "already_there", 409, _("The letter is on that request already.")


class NotByMail(DeskError):
    code, status, text = "not_by_mail", 409, _("That request did not come by mail, so a letter cannot be moved to it.")


class RequestOver(DeskError):
    code, status, text = "request_over", 409, _("That request is over. Make the letter a request of its own instead.")


def is_movable(message: Message) -> bool:
    """Whether it is a letter on a request, and not on its way to another already."""
    by_mail = message.direction == "inbound" and "@" in (message.external_id or "")
    return by_mail and message.ticket_id is not None and "moving" not in message.meta


async def make_apart(uow: UnitOfWork, ctx: Context, message_id: str, *, by: Agent, always: bool = False) -> Message:
    """A letter becomes a request of its own: the bot reads it as if it had just come, and its sender is answered.

    With `always`, so does every letter of this sender that answers none of ours.
    Raises `NotFound`, `NotMovable`, `OnlyLetter`, `SenderNotProven`.
    """
    message = await _letter(uow, message_id)
    source = await get(uow, str(message.ticket_id))
    if not await _keeps_words(uow, source, but=message):
        raise OnlyLetter(ticket=source.number)
    card = {"apart_from": source.id, "apart_by": by.id}
    told = {"by": by.name, "number": source.number}
    if not await holding.process_again(uow, ctx, [message], verdict="apart", params=told, card=card):
        raise NotFound(raw=message_id)
    message.meta = {**message.meta, "moving": by.name}
    if always:
        await holding.take_sender_as(uow, message, TakeAs.APART)
    return message


async def stands_apart(uow: UnitOfWork, ctx: Context, message: Message, ticket: Ticket, *, source_id: str, by: str) -> None:
    """The letter has become `ticket`: what it leaves behind is told there, and both know of each other."""
    agent = await uow.session.get_one(Agent, by)
    source = await get(uow, source_id)
    note_event(uow, ctx, source, "letter_apart", actor=Actor.of(agent), data={"to": ticket.number})
    await _left_behind(uow, ctx, source, message)
    if await _keeps_words(uow, source, but=message) or Status(source.status).is_final:
        uow.add(TicketLink(from_id=ticket.id, to_id=source.id, kind="related", at=ctx.now))
    else:  # all its letters were set apart at once
        await _merge(uow, ctx, source, ticket, by=agent)


async def move(uow: UnitOfWork, ctx: Context, message_id: str, *, number: int, by: Agent) -> Ticket:
    """A letter goes to another request, which it may reopen; answers that request. One that is left without a letter is merged into it.

    What no person wrote is only put elsewhere. Raises `NotFound`, `NotMovable`, `AlreadyThere`, `NotByMail`, `RequestOver`.
    """
    message = await _letter(uow, message_id)
    session = cast("ReadSession", uow.session)
    named = await heir(session, await uow.scalar(select(Ticket).where(Ticket.number == number)))
    if named is None:
        raise NotFound(ticket=number)
    target_id = named.id
    if target_id == message.ticket_id:
        raise AlreadyThere(ticket=number)
    locked = {one: await get(uow, one) for one in sorted((str(message.ticket_id), target_id))}  # always in this order
    for one in locked.values():
        await uow.session.refresh(one)  # it was read before it was locked; somebody may have acted in between
    source, target = locked[str(message.ticket_id)], locked[target_id]
    conversation = await uow.session.get(Conversation, target.conversation_id) if target.conversation_id else None
    if conversation is None or conversation.channel != ChannelKind.EMAIL:
        raise NotByMail(ticket=number)
    gone = target.status == Status.CLOSED and not (target.closed_at and ctx.config.ladder.may_reopen(target.closed_at, ctx.now))
    if gone or Status(target.status).is_final:
        raise RequestOver(ticket=number)
    contact = await uow.session.get_one(Contact, target.contact_id)
    # Whoever is not its requester is somebody else on it, wherever the letter lay before.
    writer = await known.contact_by_identity(uow, channel=ChannelKind.EMAIL, address=str(message.meta.get("address", "")).lower())
    foreign = writer is None or writer.id != target.contact_id
    meta = {name: value for name, value in message.meta.items() if name != "participant"}
    message.meta = {**meta, "participant": True} if foreign else meta
    message.conversation_id, message.ticket_id = conversation.id, target.id
    await letters.lead_to(uow, {message.inbox_id, conversation.inbox_id}, str(message.external_id), conversation.id)
    if message.verdict_code not in ASIDE:
        message.verdict_code, message.verdict = "moved", {"by": by.name, "number": source.number}
        await service.requester_wrote(
            uow, ctx, target, contact=contact, conversation=conversation, text=message.text, participant=message.author if foreign else ""
        )
    await conversations.touch(uow, ctx, conversation, version=conversation.version)
    note_event(uow, ctx, source, "letter_moved", actor=Actor.of(by), data={"to": target.number})
    await _left_behind(uow, ctx, source, message)
    if not Status(source.status).is_final and not await _keeps_words(uow, source, but=message, of_operators=False):
        await _merge(uow, ctx, source, target, by=by)
    ctx.hint(uow, "conversations", conversation.id)
    return target


async def take_as_own(uow: UnitOfWork, ctx: Context, message_id: str, *, by: Agent) -> Contact:
    """The address that a letter came from is the requester's: whoever the desk knew under it is joined with them, which can be undone.

    Raises `NotFound`, `NotMovable`, and `SenderNotProven` where nothing says that the letter is from that address.
    """
    message = await _letter(uow, message_id)
    source = await get(uow, str(message.ticket_id))
    address = str(message.meta.get("address", "")).lower()
    if message.verdict_code == FORGED_SENDER or "@" not in address or address.endswith("@invalid"):
        raise SenderNotProven(message=message.id)
    other = await people.identify(
        uow, channel=ChannelKind.EMAIL, address=address, name=message.author, language=None, verified=False, now=ctx.now
    )
    await joining.join(uow, ctx, other, into=source.contact_id, reason=OPERATOR, by=by.name)
    if await copies.is_on(cast("ReadSession", uow.session), source.id, address):
        await participants.remove(uow, ctx, source.id, by=by, address=address)
    message.meta = {name: value for name, value in message.meta.items() if name != "participant"}
    message.verdict_code, message.verdict = "own_address", {"by": by.name, "number": source.number}
    ctx.hint(uow, "tickets", source.id)
    return await uow.session.get_one(Contact, source.contact_id)


async def _letter(uow: UnitOfWork, message_id: str) -> Message:
    """The letter, locked before its request is, by whoever puts it elsewhere."""
    message = await uow.session.get(Message, message_id, with_for_update=True)
    if message is None:
        raise NotFound(message=message_id)
    if not is_movable(message):
        raise NotMovable(message=message_id)
    return message


async def _left_behind(uow: UnitOfWork, ctx: Context, source: Ticket, message: Message) -> None:
    """The request that a letter left shows who spoke last without it, and owes no answer to it."""
    await uow.flush()
    last: Message | None = await uow.scalar(
        select(Message)
        .where(
            Message.ticket_id == source.id, Message.id != message.id,
            or_(Message.direction == "inbound", and_(Message.direction == "outbound", Message.author_kind == "agent")),
        )
        .order_by(Message.at.desc(), Message.id.desc())
        .limit(1)
    )  # fmt: skip
    if last is None:
        return
    source.last_speaker, source.last_speaker_name, source.last_message_at = last.author_kind, last.author, last.at
    source.snippet = last.text[:160]
    if last.direction == "outbound":
        rows = await sla.clocks(uow, source.id)
        await sla.stop(uow, ctx, rows, metrics=(Metric.NEXT_RESPONSE,))
        sla.note_promise(source, rows)


async def _keeps_words(uow: UnitOfWork, source: Ticket, *, but: Message, of_operators: bool = True) -> bool:
    """Whether a request has words of a person without this letter; with `of_operators`, theirs count too."""
    said: list[ColumnElement[bool]] = [Message.direction == "inbound"]
    if of_operators:
        said.append(and_(Message.direction == "outbound", Message.author_kind == "agent"))
    return bool(await uow.scalar(select(exists().where(Message.ticket_id == source.id, Message.id != but.id, or_(*said)))))


async def _merge(uow: UnitOfWork, ctx: Context, source: Ticket, target: Ticket, *, by: Agent) -> None:
    """A request that keeps no word of a person goes on as another; so does what is answered in its thread."""
    await happen(uow, ctx, source, Event.MERGED, actor=Actor.of(by), data={"into": target.number})
    uow.add(TicketLink(from_id=source.id, to_id=target.id, kind="merged", at=ctx.now))
    thread = await uow.session.get(Conversation, source.conversation_id) if source.conversation_id else None
    if thread is not None and thread.active_ticket_id in (None, source.id):
        # In a chat the bot speaks of the request that is active there: never of somebody else's.
        goes_on = thread.channel == ChannelKind.EMAIL or thread.contact_id == target.contact_id
        thread.active_ticket_id = target.id if goes_on else None
        conversations.pass_baton(thread, to=Baton.QUEUE if goes_on else Baton.BOT)  # what is written is for the people of that request
        await conversations.touch(uow, ctx, thread, version=thread.version)
