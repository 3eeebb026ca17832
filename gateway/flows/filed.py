"""What was filed of a burst of messages: the entities of one transaction, handed from hop to hop."""

from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from desk_core.context import Context
from desk_core.conversations.entities import Conversation, Message
from desk_core.conversations.service import Courtesy
from desk_core.people.entities import Contact
from desk_core.tickets import effects
from desk_core.tickets.entities import Ticket
from gateway.flows.reading import Situation
from gateway.one_time import OneTime


@dataclass(slots=True)
class Filed:
    """What was filed: the entities of this transaction, for the turn to act on."""

    situation: Situation
    contact: Contact
    conversation: Conversation
    version: int
    messages: list[Message]
    ticket: Ticket | None  # the request that the messages belong to so far
    language: str
    zone: ZoneInfo
    topics: bool = False  # requests have topics of their own in this chat
    one_time: OneTime | None = None  # what a link that is told is made of; None where a turn is not a person's
    courtesies: list[Courtesy] = field(default_factory=list)  # they follow the words of the turn

    def link(self, ctx: Context) -> str:
        """A page for this person to go on: the request's status page, otherwise the desk's start page."""
        return effects.status_url(ctx, self.ticket) if self.ticket is not None else f"{ctx.public_url}/"
