"""What the desk has said of such mail: it goes before everything that the mail says of itself."""

from channels.email.filters.letter import Letter, held
from channels.email.verdicts import Verdict
from desk_core.conversations.ports import TakeAs


def of_the_desk(letter: Letter) -> Verdict | None:
    if what := letter.rules.about(letter.sender):
        return _told(what, "sender", address=letter.sender)
    if rule := letter.rules.in_subject(letter.subject):
        return _told(rule[1], "subject", words=rule[0])
    return None


def _told(what: TakeAs, by: str, **params: str) -> Verdict:
    return held(f"{by}_{what}", **params) if what is TakeAs.ROBOT else Verdict(f"{by}_{what}", params)
