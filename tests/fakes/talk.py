"""A conversation for tests: what a person says and presses, what comes back, and what became of it."""

from dataclasses import dataclass, field
from typing import Any, TypeVar

from nlu.rehearsal import NOON, Rehearsal, buttons
from nlu.turn import Heard, OpenRequest, OpenTicket, Press, Turn
from nlu.understood import Tools
from tests.fakes.tools import FakeTools

__all__ = ["NOON", "Talk", "buttons", "request"]

A = TypeVar("A")


@dataclass
class Talk(Rehearsal):
    """A rehearsal over keyword tools, with words for what a test says and looks at."""

    tools: Tools = field(default_factory=FakeTools)

    def hears(self, heard: Heard) -> Turn:
        turn = super().hears(heard)
        assert self.state == turn.state, "a state survives being stored"
        return turn

    def says(self, text: str, *, attachments: int = 0, subject: str | None = None, sealed: str = "") -> Turn:
        return self.hears(Heard(text=text, attachments=attachments, subject=subject, sealed=sealed))

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


def request(number: int = 1042, *, category: str | None = "network.vpn", status: str = "open", subject: str = "VPN рвётся") -> OpenRequest:
    return OpenRequest(f"t{number}", number, subject, status, category, "14:30")
