"""Group mode: whoever speaks to the bot in a group has a thread of their own there and is answered in reply. Off until the inbox wants it.

A seat is one person's thread within a group. What others say in the group stays with the group, and nobody answers it.
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from desk_core.conversations import repository as conversations
from desk_core.conversations.entities import Inbox
from desk_core.conversations.ports import InboundKind, InboundMessage
from desk_core.kit.db import ReadSession
from desk_core.kit.i18n import gettext_noop as _

GROUPS: Final = frozenset({"group", "supergroup"})
_SEAT: Final = re.compile(r"-\d+(:\d+)?@-?\d+")
NOT_YOURS = _("This button is for the person I answered. Mention me, and you get an answer of your own.")


def is_on(inbox: Inbox) -> bool:
    return bool(inbox.config.get("groups"))


def seat_key(thread_key: str, address: str) -> str:
    """The thread of one person in a group, or in one topic of it."""
    return f"{thread_key}@{address}"


def is_seat(thread_key: str | None) -> bool:
    return thread_key is not None and _SEAT.fullmatch(thread_key) is not None


def speaks_to_bot(message: InboundMessage, config: Mapping[str, Any]) -> bool:
    """In a group: a command, an answer to what the bot said, or a mention where the inbox knows the bot's name."""
    if message.kind is not InboundKind.MESSAGE or message.held:
        return False
    name = str(config.get("username") or "").lower()
    if message.command:
        to = str(message.card.get("command_to") or "").lower()
        return not name or not to or to == name
    answered = message.card.get("answers")
    if isinstance(answered, Mapping) and answered.get("bot") and str(answered["bot"]) == str(config.get("bot")):
        return True
    return bool(name) and _mention(name).search(message.text) is not None


def words(message: InboundMessage, config: Mapping[str, Any], *, opens: bool) -> str:
    """What the dialogue hears of it: without the mention, and where it begins something with the words of others that it points at."""
    said = str(message.card.get("args", message.text)) if message.command else message.text
    if name := str(config.get("username") or ""):
        said = _mention(name).sub("", said).strip()
    answered = message.card.get("answers")
    if not opens or not isinstance(answered, Mapping) or answered.get("bot"):
        return said
    quoted = str(message.card.get("quote") or answered.get("text") or "")
    return "\n".join(filter(None, (said.strip(), quoted.strip())))


def joins(opening: InboundMessage, message: InboundMessage, config: Mapping[str, Any]) -> bool:
    """Whether a message of the same thread is of the same breath: by the same person, and in a group not the first that is for the bot."""
    if message.sender.address != opening.sender.address:
        return False
    in_group = message.card.get("chat_type") in GROUPS and config.get("groups")
    return not in_group or speaks_to_bot(opening, config) or not speaks_to_bot(message, config)


async def seated(session: ReadSession, inbox: Inbox, message: InboundMessage) -> InboundMessage:
    """The message in the seat of its person where it is for the bot; otherwise as it is."""
    if not is_on(inbox) or message.thread_key is None or message.card.get("chat_type") not in GROUPS:
        return message
    seat = seat_key(message.thread_key, message.sender.address)
    return replace(message, thread_key=seat) if await _is_for(session, inbox, message, seat) else message


async def _is_for(session: ReadSession, inbox: Inbox, message: InboundMessage, seat: str) -> bool:
    if speaks_to_bot(message, inbox.config):
        return True
    held = await conversations.conversation_by_thread(session, inbox.id, seat)
    if held is None:
        return False
    match message.kind:
        case InboundKind.MESSAGE if message.album and not message.held:
            return await conversations.album_message(session, held.id, message.album) is not None
        case InboundKind.PRESS:
            return True
        case InboundKind.EDIT | InboundKind.REACTION:
            about = message.edits or message.reply_to
            known = await conversations.message_by_external_id(session, inbox.id, about) if about else None
            return known is not None and known.conversation_id == held.id
        case _:
            return False


def _mention(name: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![\w@])@{re.escape(name)}(?!\w)[,:]?[ \t]*", re.IGNORECASE)
