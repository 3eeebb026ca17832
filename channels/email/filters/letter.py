"""What a filter looks at: a parsed mail and what the desk knows of itself."""

from collections.abc import Callable, Collection
from dataclasses import dataclass

from channels.email.mime import Part
from channels.email.rules import Rules
from channels.email.verdicts import Verdict


@dataclass(frozen=True, slots=True)
class Letter:
    """`rules` are those of the desk for such mail; `own` are all addresses of its inboxes, in lower case.

    `answers`: the mail says that it answers another. `passes_on`: what it tells are somebody else's words, at least in part.
    """

    root: Part
    sender: str
    subject: str
    text: str
    message_id: str | None
    envelope_from: str | None
    own: Collection[str]
    secret: bytes
    rules: Rules
    answers: bool = False
    passes_on: bool = False

    @property
    def nameless(self) -> bool:
        """Whether nobody is to be told of its fate: the empty return path of robots (RFC 3834, 5321)."""
        path = self.envelope_from if self.envelope_from is not None else self.root.get("return-path").replace(" ", "") or None
        return path is not None and path.strip("<> ") == ""


Filter = Callable[[Letter], Verdict | None]


def held(code: str, **params: str) -> Verdict:
    """Kept and shown; opens nothing, and nobody is answered."""
    return Verdict(code, params, automatic=True, held=True)
