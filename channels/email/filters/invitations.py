"""Invitations, and answers to them (RFC 5546): kept as a card with time and place."""

from channels.email.calendar import calendar_part, method_of
from channels.email.filters.letter import Letter, held
from channels.email.verdicts import Verdict


def to_a_meeting(letter: Letter) -> Verdict | None:
    part = calendar_part(letter.root)
    method = method_of(part) if part is not None else ""
    return held("calendar", method=method) if method not in ("", "publish") else None
