"""The gate between training and publishing: a challenger takes the champion's place only where it is better beyond noise."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import comb, sqrt

NOISE = 0.05
"""As often as this chance alone may look like a difference (one-sided sign test)."""
ENOUGH = 10
"""Texts of a class from which on its recall says something."""
COLLAPSE = 0.15
LEARNED = 0.2


class Ground(StrEnum):
    """Why the gate opens or stays shut."""

    FIRST = "first"
    BETTER = "better"
    BETTER_ON_CORRECTIONS = "better_on_corrections"
    NOTHING_NEW = "nothing_new"
    NOT_BETTER = "not_better"
    WORSE = "worse"
    WORSE_ON_CORRECTIONS = "worse_on_corrections"
    COLLAPSED = "collapsed"
    NOT_LEARNED = "not_learned"
    LOST = "lost"


@dataclass(frozen=True, slots=True)
class Trial:
    """One text that neither model was trained on: its label, and who read it right."""

    label: str
    champion: bool
    challenger: bool


@dataclass(frozen=True, slots=True)
class Tally:
    """Two models on the same texts."""

    texts: int
    champion: int  # right answers
    challenger: int
    lost: int  # right before, wrong now
    won: int  # wrong before, right now

    @classmethod
    def of(cls, trials: Sequence[Trial]) -> "Tally":
        return cls(
            texts=len(trials),
            champion=sum(one.champion for one in trials),
            challenger=sum(one.challenger for one in trials),
            lost=sum(one.champion and not one.challenger for one in trials),
            won=sum(one.challenger and not one.champion for one in trials),
        )

    @property
    def difference(self) -> float:
        """Of the shares of right answers; above zero the challenger leads."""
        return (self.won - self.lost) / self.texts if self.texts else 0.0

    @property
    def interval(self) -> tuple[float, float]:
        """The difference with 95 % certainty, from the texts on which the two disagree."""
        if not self.texts:
            return (0.0, 0.0)
        spread = 1.96 * sqrt(max(0.0, self.won + self.lost - (self.won - self.lost) ** 2 / self.texts)) / self.texts
        return (max(-1.0, self.difference - spread), min(1.0, self.difference + spread))

    @property
    def better(self) -> bool:
        return chance(self.won, self.lost) < NOISE

    @property
    def worse(self) -> bool:
        return chance(self.lost, self.won) < NOISE


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether to publish, and every ground for it; `labels` are the classes that speak against it."""

    publish: bool
    grounds: tuple[Ground, ...]
    labels: tuple[str, ...] = ()


def chance(more: int, less: int) -> float:
    """How likely `more` or even more of `more + less` coin throws would be."""
    throws = more + less
    return sum(comb(throws, heads) for heads in range(more, throws + 1)) / 2**throws if throws else 1.0


def judge(held: Sequence[Trial], corrections: Sequence[Trial], *, lost: Sequence[str] = (), new: Sequence[str] = ()) -> Verdict:
    """Champion against challenger on held-back texts and on the desk's latest corrections.

    `lost` are labels that only the champion knows and the desk still has; `new` are labels that only the challenger knows.
    Anything that speaks against it shuts the gate, whatever speaks for it.
    """
    by_label: dict[str, list[Trial]] = {}
    for trial in (*held, *corrections):
        by_label.setdefault(trial.label, []).append(trial)
    tallies = {label: Tally.of(trials) for label, trials in sorted(by_label.items()) if len(trials) >= ENOUGH}
    collapsed = tuple(label for label, tally in tallies.items() if tally.difference <= -COLLAPSE and tally.worse)
    unlearned = tuple(label for label in new if label in tallies and tallies[label].challenger < LEARNED * tallies[label].texts)
    whole, latest = Tally.of([*held, *corrections]), Tally.of(corrections)
    against = [
        ground
        for ground, holds in (
            (Ground.LOST, bool(lost)),
            (Ground.COLLAPSED, bool(collapsed)),
            (Ground.NOT_LEARNED, bool(unlearned)),
            (Ground.WORSE, Tally.of(held).worse),
            (Ground.WORSE_ON_CORRECTIONS, latest.worse),
        )
        if holds
    ]
    if against:
        return Verdict(publish=False, grounds=tuple(against), labels=(*lost, *collapsed, *unlearned))
    gains = [ground for ground, holds in ((Ground.BETTER, whole.better), (Ground.BETTER_ON_CORRECTIONS, latest.better)) if holds]
    return Verdict(publish=bool(gains), grounds=tuple(gains) or (Ground.NOT_BETTER,))
