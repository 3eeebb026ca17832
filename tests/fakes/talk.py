"""A conversation for tests: what a person says and presses, what comes back, and what became of it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, TypeVar

from nlu.dialogue import advance
from nlu.turn import (
    CancelTicket,
    ConfirmSolved,
    DialogueState,
    HandOver,
    Heard,
    Manner,
    OpenRequest,
    OpenTicket,
    Press,
    SetLanguage,
    Snapshot,
    Tools,
    Turn,
    UseRequest,
)
from tests.fakes.tools import FakeTools

A = TypeVar("A")
NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


@dataclass
class Talk:
    """Plays the part of the gateway flow: builds snapshots, applies turns, keeps the state as JSON between them."""

    tools: Tools = field(default_factory=FakeTools)
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

    def says(self, text: str, *, attachments: int = 0, subject: str | None = None) -> Turn:
        return self.hears(Heard(text=text, attachments=attachments, subject=subject))

    def sends_files(self, count: int = 1) -> Turn:
        return self.hears(Heard(attachments=count))

    def commands(self, command: str, text: str = "") -> Turn:
        return self.hears(Heard(command=command, text=text))

    def presses(self, action: str, **value: Any) -> Turn:
        """Press a button; without values the first such button on the screen."""
        if not value and self.last is not None:
            shown = [button for button in buttons(self.last) if button.action == action]
            value = dict(shown[0].value) if shown else {}
        return self.hears(Heard(press=Press(action=action, value=value)))

    def hears(self, heard: Heard) -> Turn:
        snapshot = Snapshot(
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
        turn = advance(snapshot, heard, self.tools)
        self.state = DialogueState.from_json(json.loads(json.dumps(turn.state.to_json())))
        assert self.state == turn.state
        self.language = turn.language
        self.last = turn
        self.turns.append(turn)
        self._apply(turn)
        return turn

    def _apply(self, turn: Turn) -> None:
        for action in turn.actions:
            match action:
                case OpenTicket():
                    number = 1042 + len(self.requests)
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
                case HandOver():
                    pass

    # --- what a test looks at ---

    def did(self, kind: type[A]) -> list[A]:
        """Actions of one kind in the last turn."""
        assert self.last is not None
        return [action for action in self.last.actions if isinstance(action, kind)]

    def ticket(self) -> OpenTicket:
        """The request the last turn opened; exactly one."""
        (opened,) = self.did(OpenTicket)
        return opened

    def replied(self) -> tuple[str, ...]:
        """Keys of the last replies in order."""
        assert self.last is not None
        return tuple(say.key for say in self.last.replies)

    def offered(self) -> list[str]:
        """Actions of the buttons on the screen."""
        assert self.last is not None
        return [button.action for button in buttons(self.last)]


def buttons(turn: Turn) -> list[Any]:
    return [button for say in turn.replies for row in say.buttons for button in row]


def request(number: int = 1042, *, category: str | None = "network.vpn", status: str = "open", subject: str = "VPN рвётся") -> OpenRequest:
    return OpenRequest(f"t{number}", number, subject, status, category, "14:30")
