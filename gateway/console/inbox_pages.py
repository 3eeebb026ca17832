"""What the pages of all inboxes share: who may open them, whose they are, pause and resume, and the record of changes."""

from typing import Annotated

from fastapi import Depends

from desk_core.conversations.entities import Inbox
from desk_core.conversations.ports import ChannelKind
from desk_core.kit.db import UnitOfWork
from desk_core.kit.errors import DeskError, Invalid, NotFound
from desk_core.kit.i18n import gettext_noop as _
from desk_core.people import service as people
from desk_core.people.permissions import Right
from gateway.auth.dependencies import require
from gateway.auth.pages import address_of
from gateway.auth.sessions import Signed
from gateway.console.frame import Frame

Administrator = Annotated[Signed, Depends(require(Right.MANAGE_DESK))]


_PAGES = {ChannelKind.EMAIL: "mail", ChannelKind.TELEGRAM: "telegram"}


def page_of(inbox: Inbox) -> str:
    """Where an inbox is set up; empty for a channel whose inboxes have no page."""
    folder = _PAGES.get(ChannelKind(inbox.channel))
    return f"/console/settings/{folder}/{inbox.id}" if folder else ""


async def inbox_of(frame: Frame, inbox_id: str, channel: ChannelKind) -> Inbox:
    """The inbox of a page; raises `NotFound` for one of another channel too."""
    async with frame.desk.database.read() as session:
        inbox = await session.get(Inbox, inbox_id)
    if inbox is None or inbox.channel != channel:
        raise NotFound(inbox=inbox_id)
    return inbox


async def switch(frame: Frame, inbox_id: str, channel: ChannelKind, state: str) -> None:
    """Pause an inbox or resume it; raises `Invalid` for any other state."""
    if state not in ("active", "paused"):
        raise Invalid(reason=_("This is none of the choices."))
    known = await inbox_of(frame, inbox_id, channel)
    async with frame.desk.database.unit() as uow:
        inbox = await uow.session.get_one(Inbox, known.id)
        if inbox.state != state:
            inbox.state = state
            inbox.version += 1
            note_change(uow, frame, "inbox.pause" if state == "paused" else "inbox.resume", inbox.name, {"state": state})


def note_change(uow: UnitOfWork, frame: Frame, action: str, subject: str, after: dict[str, object]) -> None:
    """Who changed what, for the audit."""
    people.audit(
        uow, actor=frame.signed.agent.email, action=action, subject=subject, before={}, after=after, now=frame.desk.clock.now(),
        ip=address_of(frame.request),
    )  # fmt: skip


def reason_of(error: DeskError) -> str:
    """What stands beside a field: the reason where there is one."""
    reason = error.fields.get("reason")
    return reason if isinstance(reason, str) else error.text
