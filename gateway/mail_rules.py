"""Which letters of an inbox a rule would have met, before it is made."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select

from channels.email.rules import Rules
from desk_core.conversations.entities import Inbox, Message
from desk_core.kit.db import ReadSession

LOOKED_AT, LOOKED_BACK, SHOWN = 5_000, timedelta(days=30), 10


@dataclass(frozen=True, slots=True)
class Met:
    """How many of the letters of the last 30 days (`of`, the newest 5,000 at most) a rule meets, and the newest of them."""

    count: int
    of: int
    letters: tuple[tuple[str, str], ...]  # sender, subject


async def met_by(session: ReadSession, inbox: Inbox, rules: Rules, *, now: datetime) -> Met:
    query = (
        select(Message.subject, Message.meta)
        .where(Message.inbox_id == inbox.id, Message.direction == "inbound", Message.at > now - LOOKED_BACK)
        .order_by(Message.at.desc(), Message.id.desc())
        .limit(LOOKED_AT)
    )
    rows = [(str(row.meta.get("address", "")), row.subject or "") for row in await session.execute(query)]
    met = [(address, subject) for address, subject in rows if rules.about(address) or rules.in_subject(subject)]
    return Met(len(met), len(rows), tuple(met[:SHOWN]))
