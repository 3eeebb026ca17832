"""A conversation without a desk: plays the part of the gateway's flow over `advance`, so that a dialogue can be rehearsed and tested."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from nlu.dialogue import advance
from nlu.turn import (
    Button,
    CancelTicket,
    ConfirmSolved,
    DialogueState,
    Heard,
    Manner,
    OpenRequest,
    OpenTicket,
    SetLanguage,
    Snapshot,
    Turn,
    UseRequest,
)
from nlu.understood import Tools

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
FIRST_NUMBER = 1042


@dataclass
class Rehearsal:
    """Builds snapshots, applies turns to the requests it holds, and keeps the state as JSON between them, as a desk does."""

    tools: Tools
    manner: Manner = Manner.CHAT
    language: str | None = None
    contact_language: str | None = "ru"
    known: Mapping[str, str] = field(default_factory=dict)
    requests: Sequence[OpenRequest] = ()
    active: OpenRequest | None = None
    resolved: OpenRequest | None = None
    working_now: bool = True
    state: DialogueState = field(default_factory=DialogueState)
    last: Turn | None = None
    turns: list[Turn] = field(default_factory=list)

    def hears(self, heard: Heard) -> Turn:
        """One turn, applied."""
        turn = advance(self.snapshot, heard, self.tools)
        self.state = DialogueState.from_json(json.loads(json.dumps(turn.state.to_json())))
        self.language = turn.language
        self.last = turn
        self.turns.append(turn)
        self._apply(turn)
        return turn

    @property
    def snapshot(self) -> Snapshot:
        """What the desk would know before the next turn."""
        return Snapshot(
            manner=self.manner,
            state=self.state,
            language=self.language,
            contact_language=self.contact_language,
            inbox_language="ru",
            languages=("ru", "en"),
            contact_name="Анна",
            known=self.known,
            active=self.active,
            requests=tuple(self.requests),
            resolved=self.resolved,
            working_now=self.working_now,
            next_open=None,
            now=NOON,
        )

    def _apply(self, turn: Turn) -> None:
        for action in turn.actions:
            match action:
                case OpenTicket():
                    number = FIRST_NUMBER + len(self.requests)
                    request = OpenRequest(f"t{number}", number, action.subject, "new", action.category, "14:30")
                    self.requests, self.active = (*self.requests, request), request
                case ConfirmSolved(solved=True) | CancelTicket():
                    gone = action.ticket_id
                    self.requests = tuple(one for one in self.requests if one.ticket_id != gone)
                    self.active = None if self.active and self.active.ticket_id == gone else self.active
                    self.resolved = None if self.resolved and self.resolved.ticket_id == gone else self.resolved
                case ConfirmSolved(solved=False) if self.resolved is not None:
                    self.active, self.resolved = replace(self.resolved, status="open"), None
                case UseRequest(ticket_id=ticket_id):
                    self.active = next((one for one in self.requests if one.ticket_id == ticket_id), None)
                case SetLanguage(language=language):
                    self.contact_language = language
                case _:
                    pass


def buttons(turn: Turn) -> list[Button]:
    """Every button on the screen after a turn."""
    return [button for say in turn.replies for row in say.buttons for button in row]
