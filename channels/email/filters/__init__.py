"""What a mail is before anybody reads it: from a person, a robot, a list or ourselves, and why. One concern a file, all pure."""

from channels.email.filters import automatic, away, invitations, lists, own, reports, rules, spam
from channels.email.filters.letter import Filter, Letter
from channels.email.verdicts import Verdict

FILTERS: tuple[Filter, ...] = (
    own.came_back,
    rules.of_the_desk,
    reports.complaint_or_receipt,
    invitations.to_a_meeting,
    spam.marked,
    away.out_of_office,
    automatic.by_header,
    lists.from_a_list,
    reports.any_other,
    automatic.by_address,
    away.says_so,
    automatic.wants_no_answer,
)
"""Most certain first: the first that has a reason gives the verdict."""


def judge(letter: Letter) -> Verdict:
    """The first reason that applies; a mail that gives none is a person's."""
    return next((verdict for filter_ in FILTERS if (verdict := filter_(letter)) is not None), Verdict())


__all__ = ["FILTERS", "Letter", "judge"]
