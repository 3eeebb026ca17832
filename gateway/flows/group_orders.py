"""What an operator writes in a topic, as an order: a reply, a note, or a command. Pure."""

from dataclasses import dataclass
from enum import StrEnum

from desk_core.conversations.ports import InboundMessage


class Do(StrEnum):
    """What is to be done."""

    REPLY = "reply"
    NOTE = "note"
    TAKE = "take"
    BOT = "bot"
    QUEUE = "queue"
    RESOLVE = "resolve"
    REOPEN = "reopen"
    STATUS = "status"
    ESCALATE = "escalate"
    ASSIGN = "assign"
    PRIORITY = "priority"
    CATEGORY = "category"
    DRAFT = "draft"
    ALERTS = "alerts"
    UNLINK = "unlink"
    HELP = "help"
    UNKNOWN = "unknown"
    # Of buttons alone:
    SEND = "send"
    EDIT = "edit"
    DROP = "drop"


_SAME = {"solve": Do.RESOLVE, "solved": Do.RESOLVE, "done": Do.RESOLVE, "release": Do.BOT, "pass": Do.ESCALATE, "suggest": Do.DRAFT}
_BY_HAND = frozenset(Do) - {Do.REPLY, Do.UNKNOWN, Do.SEND, Do.EDIT, Do.DROP}
OF_GROUP = frozenset({Do.ALERTS, Do.UNLINK, Do.HELP})
"""Orders about the group itself, understood in any of its topics."""
NOTE_PREFIX = "//"


@dataclass(frozen=True, slots=True)
class Order:
    do: Do
    words: str = ""


def read(message: InboundMessage) -> Order:
    """The order in a message. What looks like a command and is none is asked about, and never sent to the requester."""
    if message.command is not None:
        words = str(message.card.get("args", ""))
        if message.command in {f"p{number}" for number in range(1, 5)}:
            return Order(Do.PRIORITY, message.command.upper())
        do = Do(message.command) if message.command in {one.value for one in _BY_HAND} else _SAME.get(message.command, Do.UNKNOWN)
        return Order(do, message.command if do is Do.UNKNOWN else words)
    text = message.text.strip()
    if text.startswith(NOTE_PREFIX):
        return Order(Do.NOTE, text.removeprefix(NOTE_PREFIX).strip())
    return Order(Do.REPLY, text)


def target(words: str) -> tuple[int | None, str | None, str]:
    """Of "2 needs new hardware" or "network needs new hardware": line, team and reason."""
    where, _sep, reason = words.strip().partition(" ")
    if where.isdecimal() and len(where) < 3:
        return int(where), None, reason.strip()
    return None, where.lower() or None, reason.strip()
