"""Two stories in one text: where it may be cut, likeliest first, and the cut whose halves the models take for a story each."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import islice

from nlu import lexicon
from nlu.text import SENTENCE_END, alternatives
from nlu.understood import Band, CategoryDef, Guess, Triage

_SAMPLE = 1_000
_MOST = 3  # cuts of one kind; each may cost two looks of the models
_CERTAIN = 0.85  # of both halves, where no word announces the second or both are of one area
# The words of a half alone must speak so clearly before the models are asked what it means. Of 1,088 pairs of stories that they part, made
# of the examples of tests/data, one has a half below; of what people write beside a story ("please call me back") most are.
_GLANCED = 0.5
_WIDE = frozenset({"people", "general"})
_CLOSING = 400  # characters at the end of a text, where its last sentences are looked at
_WORDS = 2  # in a half
_TELLING = 3  # in a half that no word announces
_SHORT = 25  # words; a longer text that does not say itself that it tells of two things tells one at length


# Words that announce another thing.
_ANOTHER = alternatives(
    r"""
    (?:и|а|да) (?:ещё|еще)(?: (?:и|один момент|вопрос|одно|такой вопрос|такое дело|просьба|прошу))?|(?:и|а) (?:также|заодно|плюс)|также
    заодно|плюс(?: к этому)?|кроме того|помимо (?:этого|того)|вдобавок|к тому же|попутно|во-вторых|вторая (?:проблема|просьба)
    второй (?:вопрос|момент)|и отдельно|другой вопрос|and also|also|and (?:another|one more) thing
    (?:another|one more|second|other) (?:thing|problem|issue|request|question)(?: is)?|secondly|(?:and )?besides(?: that)?|plus
    on top of (?:that|this|it)|in addition|additionally|apart from that|(?:and )?by the way|(?:and )?btw|oh and
    while (?:you're|you are|i'm|we're) at it|and separately|separately
    """
)
# These announce it only where a clause begins: "ещё пять лицензий" is one order.
_CLAUSE = r"(?:ещё|еще|отдельно|второе|we also|i also)"
_MARKED = re.compile(rf"(?:(?:[,.;!?\n]\s*|\s+){_ANOTHER}|[.;!?\n]\s*{_CLAUSE})(?=[\s,:–—-])[\s,:–—-]*", re.IGNORECASE)
_LEAD = re.compile(r"^[^\n:.]{0,60}\b(?:two|couple of|several|few|две|два|пара|несколько) [^\n:.]{0,40}[:.]\s*", re.IGNORECASE)
_FIRST = re.compile(r"^(?:во-первых|first(?:ly)?|первое|1(?=\s?[.)-]))[\s,.):–—-]+", re.IGNORECASE)
_LISTED = re.compile(r"[\n;.,\s]\s*(?:2\s?[.)]\s|во-вторых|secondly|second:|второе:),?\s*", re.IGNORECASE)
_BULLETS = re.compile(r"\n\s*[-–—•*]\s*")
_JOINED = re.compile(r",?\s+(?:и|а|and|but|но)\s+|;\s+", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Cut:
    """Two halves of a text. `marked` where words or figures say themselves that another thing begins."""

    first: str
    second: str
    marked: bool


@dataclass(frozen=True, slots=True)
class _Topic:
    category: str
    area: str
    certain: bool


def cuts(text: str) -> Iterator[Cut]:
    """Every way to cut a text that leaves two halves of some words, the likeliest first."""
    text = text.strip()
    short = len(text.split()) <= _SHORT
    seen: set[int] = set()
    for pattern, marked in ((_LISTED, True), (_BULLETS, True), (_MARKED, True), (SENTENCE_END, False), (_JOINED, False)):
        if not marked and not short:
            return
        for match in islice(pattern.finditer(text, 0, _SAMPLE), _MOST):
            if match.end() in seen:
                continue
            seen.add(match.end())
            first = _FIRST.sub("", _LEAD.sub("", text[: match.start()])).strip(" \n,;-–—•*")
            second = text[match.end() :].strip()
            if min(len(first.split()), len(second.split())) >= (_WORDS if marked else _TELLING):
                yield Cut(first, second, marked)


def two_stories(
    text: str,
    *,
    judge: Callable[[str], Triage],
    glance: Callable[[str], Guess | None],
    category: Callable[[str | None], CategoryDef | None],
) -> Cut | None:
    """The first cut that leaves two things which are surely different; None where there is none, or where a person has to look at once.

    `glance` guesses a topic by words alone: a tenth of what it costs to judge a text.
    """
    told = _told(text)
    for cut in cuts(told):
        if not cut.marked and not _may_differ(cut, glance):
            continue
        topics = []
        # The shorter half first: it costs the models less, and is the likelier to be no story of its own.
        for half in sorted((cut.first, cut.second), key=len):
            triage = judge(half)
            found = category(triage.category)
            if triage.band is not Band.ACT or found is None or triage.human_now or found.human_now:
                break
            topic = _Topic(found.key, found.key.partition(".")[0], triage.confidence >= _CERTAIN)
            # Who comes or goes needs many things, and a question about a fault is no second one.
            if not cut.marked and (not topic.certain or topic.area in _WIDE):
                break
            topics.append(topic)
        else:
            one, other = topics
            if one.area != other.area or (cut.marked and one.certain and other.certain and one.category != other.category):
                return replace(cut, second=f"{cut.second}{text[len(told) :].rstrip()}")
    return None


def _told(text: str) -> str:
    """A text without the sentences that close it: they are no story, though their words may look like one."""
    end = len(text := text.rstrip())
    for match in reversed(list(SENTENCE_END.finditer(text, max(0, end - _CLOSING)))):
        if not lexicon.closes(text[match.end() : end]):
            break
        end = match.start()
    return text[:end]


def _may_differ(cut: Cut, glance: Callable[[str], Guess | None]) -> bool:
    """Whether it is worth asking what the halves mean: their words name two areas."""
    areas = set()
    for half in sorted((cut.first, cut.second), key=len):
        guess = glance(half)
        if guess is None:
            return True  # nothing is known of words
        if guess.confidence < _GLANCED:
            return False
        areas.add(guess.label.partition(".")[0])
    return len(areas) > 1
