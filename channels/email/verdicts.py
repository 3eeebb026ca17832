"""What intake makes of a mail, and why."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Verdict:
    """`code` names the fact, `params` say where it was seen. `held` mail is kept and shown but opens nothing and is answered by nobody."""

    code: str = "received"
    params: dict[str, str] = field(default_factory=dict)
    automatic: bool = False
    held: bool = False
