"""What a colleague says and attaches to a letter that they pass on is for colleagues; the letter itself is its author's request."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select

from desk_core.context import Actor, Context
from desk_core.conversations import service as conversations
from desk_core.conversations.files import NewFile
from desk_core.conversations.ports import InboundFile, InboundMessage
from desk_core.kit.db import UnitOfWork
from desk_core.people.entities import Agent
from desk_core.tickets import history
from gateway.flows.filed import Filed
from gateway.flows.reading import Situation


def files_beside(now: Situation) -> tuple[InboundFile, ...]:
    """The files of whoever passes the letter on."""
    if not _passed_on(now):
        return ()
    raw = now.raws[0].body
    files = InboundMessage.from_json(raw).files
    return tuple(files[at] for at in _places(raw["card"]["passed_on"], "covering") if at < len(files))


async def keep_covering(uow: UnitOfWork, ctx: Context, filed: Filed, *, files: Sequence[NewFile]) -> None:
    """A note of the colleague's: the requester never reads it."""
    if not _passed_on(filed.situation):
        return
    raw = filed.situation.raws[0].body
    words = str(raw["card"]["passed_on"].get("covering", ""))
    agent: Agent | None = await uow.scalar(select(Agent).where(Agent.email == str(raw["sender"]["address"]).lower()))
    if not (words or files) or agent is None:
        return
    ticket, author = filed.ticket, Actor.of(agent)
    await conversations.write_note(
        uow, ctx, filed.conversation, text=words, author=author, ticket_id=ticket.id if ticket else None, files=files
    )
    if ticket is not None:
        history.note_event(uow, ctx, ticket, "noted", actor=author)


def _passed_on(now: Situation) -> bool:
    return bool(now.first.card.get("passed_on_by")) and now.joined_by != "duplicate"


def _places(passed_on: Mapping[str, Any], whose: str) -> list[int]:
    return list(passed_on.get("files", {}).get(whose, ()))
