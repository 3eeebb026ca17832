"""Champion against challenger: who read which text right, each asked about texts it was not trained on."""

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from models.encoder import Encoder
from models.gate import Ground, Tally, Trial, Verdict, judge
from models.held import Held, fingerprint
from models.registry import Loaded
from models.rows import Row

LATEST = 200
"""Corrections that are looked at by themselves: what the desk's people said last counts as much as all that was before."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """The gate's verdict and the tallies behind it."""

    verdict: Verdict
    held: Tally
    corrections: Tally
    against: str | None  # the champion's version

    def to_json(self) -> dict[str, Any]:
        return {
            "publish": self.verdict.publish,
            "grounds": [ground.value for ground in self.verdict.grounds],
            "labels": list(self.verdict.labels),
            "against": self.against,
            **{
                name: {**asdict(tally), "difference": round(tally.difference, 4), "interval": [round(end, 4) for end in tally.interval]}
                for name, tally in (("held", self.held), ("corrections", self.corrections))
            },
        }


def first() -> Comparison:
    """There is no champion to beat."""
    nothing = Tally.of(())
    return Comparison(Verdict(publish=True, grounds=(Ground.FIRST,)), nothing, nothing, None)


def unchanged(version: str) -> Comparison:
    """The same rows as the champion's: nothing could come of it."""
    nothing = Tally.of(())
    return Comparison(Verdict(publish=False, grounds=(Ground.NOTHING_NEW,)), nothing, nothing, version)


def compare(
    champion: Loaded, known: Held, challenger: Held, rows: Sequence[Row], *, encoder: Encoder, labels: Collection[str]
) -> Comparison:
    """What both said of each text while it was held back; where the champion never saw a text, what it says now.

    `known` and `challenger` are the two models' answers in cross-validation, `labels` those the desk has today.
    """
    answers, said = known.answers, challenger.answers
    asked = {fingerprint(row.text): row for row in rows if row.measured}
    latest = set([mark for mark, row in asked.items() if row.source == "correction"][-LATEST:])
    unasked = {mark: row.text for mark, row in asked.items() if mark in said and mark not in answers}
    vectors = encoder.encode([*unasked.values()]) if champion.model.uses_encoder else None
    scored = champion.model.score_many([*unasked.values()], vectors, top=1)
    answers |= {mark: one.label for mark, one in zip(unasked, scored, strict=True)}
    held: list[Trial] = []
    corrections: list[Trial] = []
    for mark, row in asked.items():
        if mark not in said:
            continue
        trial = Trial(row.label, champion=answers[mark] == row.label, challenger=said[mark] == row.label)
        (corrections if mark in latest else held).append(trial)
    old, fresh = set(champion.model.classes), set(challenger.classes)
    verdict = judge(held, corrections, lost=sorted((old - fresh) & set(labels)), new=sorted(fresh - old))
    return Comparison(verdict, Tally.of(held), Tally.of(corrections), champion.version)
