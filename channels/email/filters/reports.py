"""Reports of mail services other than delivery reports, which `channels.email.bounces` reads."""

from channels.email.filters.letter import Letter, held
from channels.email.verdicts import Verdict


def complaint_or_receipt(letter: Letter) -> Verdict | None:
    """A complaint about one of our mails (RFC 5965) or a receipt that it was read (RFC 8098)."""
    kinds = {part.type for part in letter.root.walk()}
    declared = letter.root.params.get("report-type", "").lower()
    if declared == "feedback-report" or "message/feedback-report" in kinds:
        return held("abuse_report", header="Content-Type")
    if declared == "disposition-notification" or "message/disposition-notification" in kinds:
        return held("read_receipt", header="Content-Type")
    return None


def any_other(letter: Letter) -> Verdict | None:
    return held("automatic", header="Content-Type") if letter.root.type == "multipart/report" else None
