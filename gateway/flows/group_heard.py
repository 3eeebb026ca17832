"""What was heard in a group, and how it is answered where it was said."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from desk_core.catalogue.desk import GroupInfo
from desk_core.context import Context
from desk_core.conversations.entities import ButtonToken
from desk_core.conversations.files import NewFile
from desk_core.conversations.ports import InboundMessage
from desk_core.groups.entities import GroupTopic
from desk_core.groups.following import GROUP_SAY, lane_of
from desk_core.groups.ports import Standing
from desk_core.kit.db import UnitOfWork
from desk_core.kit.errors import DeskError
from desk_core.kit.i18n import translate
from desk_core.kit.ids import new_id, new_token
from desk_core.lanes import queue
from desk_core.lanes.worker import Plan
from desk_core.people.entities import Agent
from desk_core.tickets import history
from gateway.flows.group_orders import Do, Order

CHOICE_LIFE = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Heard:
    """One thing that was said in a group, with all that is known of it; `also` handed to others as it is."""

    ctx: Context
    raws: tuple[str, ...]
    message: InboundMessage
    inbox_id: str
    language: str
    group: GroupInfo | None = None
    agent: Agent | None = None
    topic: GroupTopic | None = None
    order: Order | None = None
    files: tuple[NewFile, ...] = ()
    too_large: bool = False
    stranger: bool = False
    standing: Standing | None = None
    button: ButtonToken | None = None
    says: str = ""
    elsewhere: Plan | None = None
    value: Mapping[str, Any] = field(default_factory=dict)


def refusal(error: DeskError, language: str) -> str:
    """Why it was refused, in one sentence."""
    said = {name: translate(language, value) if isinstance(value, str) else value for name, value in error.fields.items()}
    try:
        return translate(language, error.text, **said)
    except (KeyError, TypeError, ValueError):
        return translate(language, error.text)


async def say(
    uow: UnitOfWork, heard: Heard, words: str, *, buttons: Sequence[Sequence[Mapping[str, str]]] = (), code_hash: str = ""
) -> None:
    """Answer where it was asked: in the topic, in the group, or in private. A code (its hash) is noted as answered once that is sent."""
    chat, _sep, thread = (heard.message.thread_key or "").partition(":")
    payload = {
        "group_id": heard.group.id if heard.group is not None else "", "inbox_id": heard.inbox_id, "chat": chat, "thread": thread,
        "language": heard.language, "text": words, "buttons": [list(row) for row in buttons], "request_id": heard.ctx.request_id,
        "reply_to": heard.message.shown_id or "", "code_hash": code_hash,
    }  # fmt: skip
    lane = lane_of(heard.topic.ticket_id if heard.topic is not None else f"said:{chat}")
    await queue.put(uow, lane=lane, kind=GROUP_SAY, payload=payload, run_at=heard.ctx.now)
    heard.ctx.wake(uow)


async def ask(
    uow: UnitOfWork,
    heard: Heard,
    ticket_id: str,
    words: str,
    rows: Sequence[Sequence[tuple[str, Do, str]]],
    *,
    more: Mapping[str, Any] | None = None,
) -> None:
    """A question with buttons, each for one use; once one of them is pressed the others are used up too."""
    ticket = await history.get(uow, ticket_id)
    question, drawn = new_id(), []
    for row in rows if ticket.conversation_id else ():
        line = []
        for label, do, arg in row:
            token = new_token(12)
            uow.add(
                ButtonToken(
                    token=token, conversation_id=ticket.conversation_id or "", message_id=question, action="group:set",
                    value={"ticket_id": ticket_id, "do": do.value, "words": arg, **(more or {})}, used_at=None,
                    expires_at=heard.ctx.now + CHOICE_LIFE,
                )
            )  # fmt: skip
            line.append({"label": label, "token": token})
        drawn.append(line)
    await say(uow, heard, words, buttons=drawn)
