"""The requester's own word that it is solved, while people still work on it: an operator closes the request with one press. Pure."""

from collections.abc import Sequence

from desk_core.conversations.entities import Message
from desk_core.conversations.repository import ASIDE
from desk_core.tickets.entities import Ticket, TicketEvent
from desk_core.tickets.lifecycle import Event, Status
from desk_core.tickets.repository import TicketRow
from nlu import lexicon
from nlu.policy_letters import COURTESIES, between_the_lines

WORKED_ON = frozenset({Status.NEW, Status.OPEN, Status.WAITING, Status.ON_HOLD})
_DECIDED = frozenset({Event.ASK_REQUESTER, Event.PUT_ON_HOLD, Event.RESUMED, Event.DENIED, Event.REOPENED})
"""Events after which a request is worked on all the same: somebody has seen the word and decided otherwise."""
_SNIPPET = 160  # of a longer text the list does not know the end


def told_solved(ticket: Ticket, messages: Sequence[Message], events: Sequence[TicketEvent]) -> Message | None:
    """The message that says so; None once they wrote something else, or the status was changed. Thanks and greetings take nothing back."""
    if ticket.status not in WORKED_ON:
        return None
    decided = max((event.id for event in events if event.kind in _DECIDED), default="")
    for message in reversed(messages):
        if message.ticket_id != ticket.id or not _is_requesters(message):
            continue
        if message.id < decided:
            return None
        if _says_so(message.text):
            return message
        if message.attachments or lexicon.intent_of(message.text) not in COURTESIES:
            return None
    return None


def row_says_solved(row: TicketRow) -> bool:
    """The same of a line in a list, which knows only how the last message begins."""
    theirs = row.last_speaker == "contact" and row.last_speaker_name == row.contact_name
    return theirs and row.status in WORKED_ON and len(row.snippet) < _SNIPPET and _says_so(row.snippet)


def _is_requesters(message: Message) -> bool:
    """Somebody else on the request closes nothing, and what no person wrote says nothing."""
    return message.direction == "inbound" and message.verdict_code not in ASIDE and not message.meta.get("participant")


def _says_so(text: str) -> bool:
    own, _under = between_the_lines(text)
    return lexicon.reports_success(own)
