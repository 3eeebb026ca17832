"""What changes at a message that is there already: its words and files, the parts of its album that come later, reactions to it."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy.orm import selectinload

from desk_core.context import Actor, Context
from desk_core.conversations import pressing
from desk_core.conversations import service as conversations
from desk_core.conversations.entities import Message, MessageVersion
from desk_core.conversations.files import NewFile
from desk_core.conversations.ports import InboundMessage
from desk_core.kit.db import UnitOfWork
from desk_core.kit.ids import new_id
from desk_core.knowledge import questions
from desk_core.tickets import history
from desk_core.tickets.entities import Ticket
from gateway.flows.filed import Filed

_OPINIONS = {"👍": "helped", "👎": "refused"}


def kept_files(message: Message | None) -> dict[str, dict[str, Any]]:
    """By the hash of its bytes: what the channel calls a file of this message, and which part of an album brought it."""
    return dict((message.meta or {}).get("files", {})) if message is not None else {}


def origin(inbound: InboundMessage, files: Sequence[NewFile]) -> dict[str, Any]:
    """What a message keeps of where it came from: its files as the channel calls them, its album and its part of that."""
    kept = _files(inbound, files)
    album = {"album": inbound.album, "album_parts": {str(inbound.shown_id): _part(inbound)}} if inbound.album else {}
    return {**({"files": kept} if kept else {}), **album}


def join(uow: UnitOfWork, message: Message, inbound: InboundMessage, files: Sequence[NewFile], *, too_large: Sequence[str]) -> None:
    """A later part of an album joins the message of the first."""
    conversations.attach(uow, message, files)
    _lay_out(message, {**_parts(message), str(inbound.shown_id): _part(inbound)})
    message.meta = {**message.meta, "files": {**kept_files(message), **_files(inbound, files)}}
    if too_large:
        message.meta = {**message.meta, "too_large": [*message.meta.get("too_large", ()), *too_large]}


def _files(inbound: InboundMessage, files: Sequence[NewFile]) -> dict[str, dict[str, Any]]:
    return {
        file.sha256: {"file_id": file.remote_id, "unique_id": file.unique_id, "part": inbound.shown_id} for file in files if file.remote_id
    }


def _part(inbound: InboundMessage) -> dict[str, Any]:
    return {"text": inbound.text, "marks": inbound.card.get("marks", [])}


def _parts(message: Message) -> dict[str, dict[str, Any]]:
    return dict(message.meta.get("album_parts", {}))


def _part_order(shown_id: str) -> int:
    """Parts of an album stand in the order in which they were sent, however late one arrives."""
    number = shown_id.rpartition(":")[2]
    return int(number) if number.isdecimal() else 0


def _lay_out(message: Message, parts: dict[str, dict[str, Any]]) -> None:
    """The text of an album: the captions of its parts, in order, each with its formatting."""
    text, marks = "", []
    for shown_id in sorted(parts, key=_part_order):
        words = str(parts[shown_id]["text"])
        if not words:
            continue
        text = f"{text}\n{words}" if text else words
        begin = len(text) - len(words)
        marks += [[begin + first, begin + last, kind, data] for first, last, kind, data in parts[shown_id]["marks"]]
    message.text = text
    message.card = {**{name: value for name, value in message.card.items() if name != "marks"}, **({"marks": marks} if marks else {})}
    message.meta = {**message.meta, "album_parts": parts}


async def edit(uow: UnitOfWork, ctx: Context, filed: Filed, files: Sequence[NewFile], *, too_large: Sequence[str]) -> None:
    """The person changed what they wrote or sent: old and new both stay. A place that moves moves on its card."""
    known, inbound = filed.situation.known_message, filed.situation.first
    if known is None:
        return
    message = await uow.session.get_one(Message, known.id, options=[selectinload(Message.attachments)])
    filed.messages.append(message)
    before, moves = message.text, inbound.card.get("kind") == message.card.get("kind") == "location"
    fresh = [file for file in files if file.sha256 not in {one.sha256 for one in message.attachments}]
    if _parts(message):
        _lay_out(message, {**_parts(message), str(inbound.edits): _part(inbound)})
    else:
        message.text, message.card = inbound.text, _edited_card(message, inbound)
    if moves:
        message.edited_at = ctx.now
        return
    if before != message.text:
        uow.add(MessageVersion(id=new_id(), message_id=message.id, text=before, at=message.edited_at or message.at))
    if fresh:
        _replace_files(uow, message, inbound, fresh)
    if too_large:
        message.meta = {**message.meta, "too_large": [*message.meta.get("too_large", ()), *too_large]}
    if before == message.text and not fresh and not too_large:
        return  # Telegram also tells of changes that nobody made: a preview that was found, a button that went
    message.edited_at = ctx.now
    ticket = await uow.session.get(Ticket, message.ticket_id) if message.ticket_id else None
    if ticket is not None:
        history.note_event(uow, ctx, ticket, "edited", actor=Actor.requester(filed.contact))
        ticket.unread = True


def _edited_card(message: Message, inbound: InboundMessage) -> dict[str, Any]:
    """What is known now replaces what was: formatting belongs to the new text alone, and what a poll had is nothing of a picture."""
    before = message.card if message.card.get("kind") == inbound.card.get("kind") else {}
    return {**{name: value for name, value in before.items() if name != "marks"}, **inbound.card}


def _replace_files(uow: UnitOfWork, message: Message, inbound: InboundMessage, fresh: Sequence[NewFile]) -> None:
    """New files stand in the place of those that this part had; the earlier ones are kept behind them."""
    kept = kept_files(message)
    part = inbound.edits
    gone = [sha256 for sha256, known in kept.items() if known.get("part") == part] if kept else [one.sha256 for one in message.attachments]
    conversations.attach(uow, message, fresh)
    replaced = [*message.meta.get("replaced", ()), *(sha256 for sha256 in gone if sha256 not in message.meta.get("replaced", ()))]
    message.meta = {**message.meta, "files": {**kept, **_files(inbound, fresh)}, "replaced": replaced}


async def react(uow: UnitOfWork, ctx: Context, filed: Filed) -> None:
    """Reactions stand at the message that they are to, and go when they are withdrawn."""
    known, inbound = filed.situation.known_message, filed.situation.first
    if known is None:
        return
    message = await uow.session.get_one(Message, known.id)
    filed.messages.append(message)
    if "counts" in inbound.card:
        message.meta = {**message.meta, "reaction_counts": inbound.card["counts"]}
        return
    if not filed.situation.from_another and known.conversation_id == filed.conversation.id and known.author_kind == "bot":
        await _opinion(uow, ctx, filed, message)
    reactions = {who: what for who, what in message.meta.get("reactions", {}).items() if who != inbound.sender.address}
    if emoji := inbound.card.get("reactions"):
        reactions[inbound.sender.address] = {"name": inbound.sender.name, "emoji": emoji}
    message.meta = {**message.meta, "reactions": reactions}
    if message.ticket_id and emoji:
        told = {"emoji": " ".join(str(one) for one in emoji) if isinstance(emoji, list | tuple) else str(emoji)}
        history.note_event(uow, ctx, await history.get(uow, message.ticket_id), "reacted", actor=Actor.requester(filed.contact), data=told)


async def _opinion(uow: UnitOfWork, ctx: Context, filed: Filed, message: Message) -> None:
    """A thumb on an article is what its buttons ask for, said quietly: nothing is opened or closed by it."""
    added = [_OPINIONS[one] for one in filed.situation.first.card.get("added", ()) if one in _OPINIONS]
    article = await pressing.article_of(uow, message.id) if added else None
    if article is not None:
        await questions.note_verdict(
            uow, conversation_id=filed.conversation.id, contact_id=filed.contact.id, article_id=article, verdict=added[-1], now=ctx.now
        )
