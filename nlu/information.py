"""Which question tells most: how much of a request's priority, team and category hangs on its answer. Pure."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence

from nlu.turn import FormDef, SlotDef


def gain(slot: SlotDef, *, answers: Mapping[str, int] | None = None, routed: Sequence[str] = ()) -> float:
    """Bits that the answer is expected to tell about what becomes of the request (Shannon's information of the outcomes).

    Each choice leads to an outcome: what it sets of impact and urgency, and itself where a routing rule looks at the slot (`routed` names
    such slots). `answers` counts what people said; without it every choice is as likely as another. A slot without choices tells a person,
    but moves nothing.
    """
    if not slot.choices:
        return 0.0
    outcomes: Counter[tuple[object, ...]] = Counter()
    for value, _titles in slot.choices:
        effect = tuple(sorted(slot.sets.get(value, {}).items()))
        outcomes[(effect, value if slot.name in routed else "")] += 1 + (answers or {}).get(value, 0)
    whole = sum(outcomes.values())
    return -sum(count / whole * math.log2(count / whole) for count in outcomes.values())


def ordered(form: FormDef, *, answers: Mapping[str, Mapping[str, int]] | None = None, routed: Sequence[str] = ()) -> FormDef:
    """The form with what tells most asked first; of equals the order in which they were written."""
    counts = answers or {}
    return FormDef(form.key, tuple(sorted(form.slots, key=lambda slot: -gain(slot, answers=counts.get(slot.name), routed=routed))))
