"""A request's topic in a chat: what it is called, and keeping it so while the request goes on."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import structlog
from sqlalchemy import select

from desk_core.context import Context
from desk_core.conversations.entities import Conversation
from desk_core.conversations.ports import Channel, Refused, RetryLater, Topic
from desk_core.kit.db import Database, ReadSession, UnitOfWork
from desk_core.kit.i18n import translate
from desk_core.lanes.queue import Work
from desk_core.lanes.worker import Plan, Postpone
from desk_core.tickets import topics
from desk_core.tickets.entities import Ticket
from desk_core.tickets.lifecycle import ACTIVE, Status
from nlu import labels

log = structlog.get_logger()

TITLE = 80
# The emoji of a state, the best first; which of them Telegram offers as icons of topics is asked of it.
ICONS = {
    Status.NEW: ("🔎", "💬"),
    Status.OPEN: ("💬", "🔎"),
    Status.WAITING: ("❓", "❗"),
    Status.ON_HOLD: ("📆", "🧳"),
    Status.RESOLVED: ("✅", "🏁"),
    Status.CLOSED: ("🏁", "✅"),
    Status.CANCELLED: ("📁", "🏁"),
    Status.MERGED: ("📁", "🏁"),
}
_PLAIN = frozenset({Status.NEW, Status.OPEN})
"""States that need no word in the title: somebody works on it."""


def topic_of(ticket: Ticket, language: str) -> Topic:
    """How the topic of a request looks in its present state: "#1042 Printer on floor 3 · waiting for your answer"."""
    status = Status(ticket.status)
    subject = " ".join(ticket.subject.split())
    words = [f"#{ticket.number} {subject if len(subject) <= TITLE else subject[: TITLE - 1].rstrip() + '…'}"]
    if status not in _PLAIN:
        words.append(translate(language, labels.STATES[status.value]))
    return Topic(title=" · ".join(words), icons=ICONS[status], closed=status not in ACTIVE)


async def topic_ticket(session: ReadSession, conversation_id: str) -> Ticket | None:
    """The request whose topic this thread is: its newest."""
    query = select(Ticket).where(Ticket.conversation_id == conversation_id).order_by(Ticket.opened_at.desc(), Ticket.id.desc()).limit(1)
    found: Ticket | None = await session.scalar(query)
    return found


@dataclass(frozen=True, slots=True)
class _Shown:
    conversation_id: str
    topic: Topic


class Topics:
    """The handler that makes a topic look like its request. Several changes in a breath are one call; what is shown already is none."""

    max_attempts = 5

    def __init__(
        self,
        database: Database,
        *,
        context: Callable[[str], Awaitable[Context]],
        channel: Callable[[str], Awaitable[Channel | None]],
    ) -> None:
        self._database, self._context, self._channel = database, context, channel

    async def decide(self, work: Work) -> Plan:
        conversation_id = str(work.payload["conversation_id"])
        async with self._database.glance() as session:
            conversation = await session.get(Conversation, conversation_id)
            ticket = await topic_ticket(session, conversation_id)
        if conversation is None or ticket is None or conversation.topic is None or topics.is_awaited(conversation.thread_key):
            return Plan(None)
        wanted = topic_of(ticket, conversation.language or ticket.language)
        channel = await self._channel(conversation.inbox_id)
        if channel is None or wanted.to_json() == conversation.topic:
            return Plan(None)
        try:
            await channel.set_topic(conversation.thread_key, wanted, shown=conversation.topic)
        except RetryLater as later:
            raise Postpone(later.reason, after=later.after, free=later.free) from later
        except Refused as refusal:
            # Deleted by hand, or a person shut us out: the next message into it opens it again, with the right name.
            log.info("topic.not_shown", conversation=conversation_id, reason=refusal.reason)
            return Plan(None)
        return Plan(_Shown(conversation_id, wanted))

    async def apply(self, uow: UnitOfWork, work: Work, plan: Plan) -> None:
        shown: _Shown | None = plan.data
        if shown is not None:
            await topics.note_shown(uow, shown.conversation_id, shown.topic.to_json())

    async def buried(self, uow: UnitOfWork, work: Work, dead_id: str, reason: str) -> None:
        """A name that could not be shown is nothing that people must look after."""
