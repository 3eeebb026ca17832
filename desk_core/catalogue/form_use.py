"""Which questions of the forms matter: how often an answer changed the priority, and with it who gets a request and by when."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from desk_core.catalogue.desk import DeskConfig
from desk_core.kit.db import ReadSession
from desk_core.tickets.entities import Ticket

MOST = 5_000  # requests that are looked at, the latest
ENOUGH = 30  # answers to a question, below which what they changed is chance


@dataclass(frozen=True, slots=True)
class Use:
    """One question of a form: to how many requests it was answered, and in how many of these the answer changed the priority."""

    form: str
    slot: str
    answered: int
    moved: int
    tells: bool = True  # whether any answer could change the priority at all; one that cannot is asked for who solves the request

    @property
    def share(self) -> float:
        return self.moved / self.answered if self.answered else 0.0

    @property
    def idle(self) -> bool:
        """Whether it was answered often and never changed anything: an editor may drop it, if nobody needs it to solve the request."""
        return self.tells and self.answered >= ENOUGH and self.moved == 0


def uses(answers: Iterable[tuple[str | None, Mapping[str, Any]]], config: DeskConfig) -> list[Use]:
    """What each question of the desk's forms was good for, given (category, slots) of requests; in the order of the forms.

    An answer moves a request when its priority without the answer would be another one. Rules and promises look at the priority and never
    at an answer, so nothing else can change by it.
    """
    answered: Counter[tuple[str, str]] = Counter()
    moved: Counter[tuple[str, str]] = Counter()
    for key, slots in answers:
        category = config.categories.get(key or "")
        if category is None or category.form is None:
            continue
        names = config.forms.get(category.form, ())
        whole = _priority(config, category.impact, category.urgency, {name: slots.get(name) for name in names})
        for name in names:
            if not slots.get(name):
                continue
            answered[category.form, name] += 1
            without = {other: slots.get(other) for other in names if other != name}
            moved[category.form, name] += _priority(config, category.impact, category.urgency, without) != whole
    return [
        Use(form, name, answered[form, name], moved[form, name], tells=bool((config.slots.get(name) or {}).get("sets")))
        for form, names in config.forms.items()
        for name in names
    ]


def ordered(form: str, names: tuple[str, ...], found: Iterable[Use]) -> tuple[str, ...]:
    """The questions of a form, what changes most first. Until enough was answered the order stays as its author wrote it."""
    known = {use.slot: use for use in found if use.form == form}
    if any(use.tells and use.answered < ENOUGH for use in known.values()):
        return names
    return tuple(sorted(names, key=lambda name: -known[name].share if name in known else 0.0))


async def measured(session: ReadSession, config: DeskConfig) -> list[Use]:
    """`uses` of the desk's own latest requests that are over. One statement."""
    query = select(Ticket.category_key, Ticket.slots).where(Ticket.status.in_(("resolved", "closed")))
    rows = await session.execute(query.order_by(Ticket.opened_at.desc(), Ticket.id.desc()).limit(MOST))
    return uses(((row.category_key, row.slots) for row in rows), config)


def _priority(config: DeskConfig, impact: str, urgency: str, slots: Mapping[str, Any]) -> str:
    for name, value in slots.items():
        effect = (config.slots.get(name) or {}).get("sets", {}).get(value, {}) if value else {}
        impact, urgency = effect.get("impact", impact), effect.get("urgency", urgency)
    return config.matrix.priority(impact, urgency).value
