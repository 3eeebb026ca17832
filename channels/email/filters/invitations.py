"""Invitations, and answers to them (RFC 5546): kept as a card with time and place."""

from channels.email.calendar import calendar_part, method_of
from channels.email.filters.letter import Letter, held
from channels.email.mime import Part
from channels.email.verdicts import Verdict

_TELLING = 4  # words


def to_a_meeting(letter: Letter) -> Verdict | None:
    part = calendar_part(letter.root)
    if part is None or _is_enclosed(part, letter):
        return None
    method = method_of(part)
    return held("calendar", method=method) if method not in ("", "publish") else None


def _is_enclosed(part: Part, letter: Letter) -> bool:
    """Whether somebody sends it along as a file: beside words of their own, and it names them nowhere."""
    told = len(letter.text.split()) >= _TELLING and letter.root.type == "multipart/mixed" and part in letter.root.parts
    return told and letter.sender.encode() not in part.content().lower()
