"""The board of gaps: questions of one meaning with their numbers, and the draft of an article that would answer them. Pure."""

import re
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from desk_core.kit.i18n import gettext_noop as _
from desk_core.kit.i18n import translate
from desk_core.knowledge.questions import Gap
from desk_core.knowledge.service import Sheet, State, keywords_of
from models.clusters import Cluster
from models.words import mask

RECENT = timedelta(days=14)
_TITLE, _STEP, _STEPS, _KEYWORDS = 120, 300, 12, 8
_SOLVED = ("resolved", "closed")
_SENTENCE = re.compile(r"(?<=[.!?])\s+|\n+")
_GREETED = re.compile(
    r"^(?:(?:здравствуйте|здравствуй|добрый (?:день|вечер)|доброе утро|привет|hello|hi|hey|good (?:morning|afternoon))\b[\s,.!]*)+",
    re.IGNORECASE,
)
_COURTESY = re.compile(
    r"^(?:здравствуйте|добрый|доброе|привет|спасибо|пожалуйста|с уважением|всего доброго|рад|hello|hi|dear|thanks|thank you|best|kind|"
    r"regards|you are welcome|glad)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class GapCluster:
    """Questions that mean the same, the most central first."""

    questions: tuple[Gap, ...]
    recent: int  # asked in the last `RECENT`
    before: int  # in as long a time before that

    @property
    def id(self) -> str:
        return self.questions[0].id

    @property
    def name(self) -> str:
        return shortened(self.questions[0].text, _TITLE)

    @property
    def people(self) -> int:
        return len(self.contact_ids)

    @property
    def contact_ids(self) -> frozenset[str]:
        return frozenset(one.contact_id for one in self.questions)

    @property
    def ticket_ids(self) -> frozenset[str]:
        return frozenset(one.ticket_id for one in self.questions if one.ticket_id)

    @property
    def tickets(self) -> tuple[tuple[int, str], ...]:
        """Requests that came of it: number and status, the latest first."""
        found = {one.ticket_number: one.ticket_status or "" for one in self.questions if one.ticket_number is not None}
        return tuple(sorted(found.items(), reverse=True))

    @property
    def solved(self) -> int:
        return sum(status in _SOLVED for _number, status in self.tickets)

    @property
    def languages(self) -> dict[str, int]:
        return dict(Counter(one.language for one in self.questions).most_common())

    @property
    def category(self) -> str | None:
        known = Counter(one.category for one in self.questions if one.category)
        return known.most_common(1)[0][0] if known else None

    @property
    def refused(self) -> int:
        """How many were offered an article that did not help; the others found none."""
        return sum(one.became != "unanswered" for one in self.questions)


def grouped(asked: Sequence[Gap], found: Sequence[Cluster], *, now: datetime) -> list[GapCluster]:
    """The board, what is asked most first; of equals what was asked last."""
    board = []
    for cluster in found:
        members = tuple(asked[place] for place in cluster.members)
        recent = sum(one.at > now - RECENT for one in members)
        before = sum(now - 2 * RECENT < one.at <= now - RECENT for one in members)
        board.append(GapCluster(members, recent, before))
    return sorted(board, key=lambda one: (-len(one.questions), -max(each.at for each in one.questions).timestamp(), one.id))


def cluster_of(board: Sequence[GapCluster], question_id: str) -> GapCluster | None:
    """The cluster that a question belongs to; None when it was judged meanwhile."""
    return next((one for one in board if any(each.id == question_id for each in one.questions)), None)


STEPS_HEADING = _("What to do")
NOTHING_YET = _("Write here, step by step, what to do.")


def draft(cluster: GapCluster, answers: Sequence[str], names: Collection[str], *, key: str) -> Sheet:
    """An article that an author has still to review: titled as people ask, its steps from what operators answered, nobody named in it."""
    first = cluster.questions[0]
    language = next(iter(cluster.languages))
    steps: dict[str, None] = {}
    for answer in answers:
        for sentence in _SENTENCE.split(answer):
            step = anonymous(sentence.strip(" -*•–\t"), names)
            if len(step) > len("ok ok ok") and not _COURTESY.match(step):
                steps.setdefault(shortened(step, _STEP))
    listed = list(steps)[:_STEPS] or [translate(language, NOTHING_YET)]
    said = [anonymous(one.text, names) for one in cluster.questions]
    return Sheet(
        key=f"gap-{key}",
        language=language,
        title=shortened(anonymous(_GREETED.sub("", first.text) or first.text, names), _TITLE),
        body=f"## {translate(language, STEPS_HEADING)}\n\n" + "\n".join(f"{number}. {step}" for number, step in enumerate(listed, 1)),
        category=cluster.category,
        keywords=keywords_of(one for one in said if len(one) <= 100)[:_KEYWORDS],
        state=State.DRAFT.value,
    )


_MASKS = {"_email_": "[e-mail]", "_num_": "[…]", "_url_": "[link]"}


def anonymous(text: str, names: Collection[str]) -> str:
    """The text without names of these people, addresses and long numbers."""
    told = " ".join(mask(text).split())
    for mark, shown in _MASKS.items():
        told = told.replace(mark, shown)
    words = sorted({part for name in names for part in name.split() if len(part) > 2}, key=len, reverse=True)
    if words:
        # A Russian name changes its ending, so what follows its stem belongs to it.
        stems = "|".join(re.escape(word[:-1] if len(word) > 3 else word) for word in words)
        told = re.sub(rf"(?<!\w)(?:{stems})\w{{0,3}}(?!\w)", "[…]", told, flags=re.IGNORECASE)
    return re.sub(r"\s+(?=[,.;:!?])", "", re.sub(r"\[…\](?:\s+\[…\])+", "[…]", told))


def shortened(text: str, limit: int) -> str:
    told = " ".join(text.split())
    return told if len(told) <= limit else told[: limit - 1].rsplit(" ", 1)[0] + "…"
