"""Reports of mail services other than delivery reports, which `channels.email.bounces` reads."""

import re

from channels.email.filters.letter import Letter, held
from channels.email.verdicts import Verdict

# A receipt whose parts were lost on the way, or that never had any, is told by its subject and by saying when.
_SUBJECT = re.compile(
    r"^\s*(?:read|not read|прочитано|прочтено|не прочитано|gelesen|ungelesen|lu|leído|letto|przeczytane)\s*:", re.IGNORECASE
)
_READ = re.compile(
    r"(?:was read|was displayed|прочитано|прочтено|прочтен|gelesen|a été lu|fue leído|è stato letto|przeczytan\w)\b[^\n]{0,40}\d|"
    r"(?:was )?deleted without being read|удалено без прочтения",
    re.IGNORECASE,
)


def complaint_or_receipt(letter: Letter) -> Verdict | None:
    """A complaint about one of our mails (RFC 5965) or a receipt that it was read (RFC 8098)."""
    kinds = {part.type for part in letter.root.walk()}
    declared = letter.root.params.get("report-type", "").lower()
    if declared == "feedback-report" or "message/feedback-report" in kinds:
        return held("abuse_report", header="Content-Type")
    if declared == "disposition-notification" or "message/disposition-notification" in kinds:
        return held("read_receipt", header="Content-Type")
    if _SUBJECT.match(letter.subject) and _READ.search(letter.text):
        return held("read_receipt", subject=letter.subject[:200])
    return None


def any_other(letter: Letter) -> Verdict | None:
    return held("automatic", header="Content-Type") if letter.root.type == "multipart/report" else None
