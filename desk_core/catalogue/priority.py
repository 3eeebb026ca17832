"""Priority is impact x urgency, read from the desk's matrix; never a bare guess. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from desk_core.kit.errors import Invalid
from desk_core.kit.i18n import Phrase
from desk_core.kit.i18n import gettext_noop as _
from desk_core.tickets.lifecycle import Priority


class Impact(StrEnum):
    """How many people it touches."""

    INDIVIDUAL = "individual"
    GROUP = "group"
    ORGANISATION = "organisation"


class Urgency(StrEnum):
    """How badly work is stopped."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


@dataclass(frozen=True, slots=True)
class PriorityMatrix:
    """A priority for every pair of impact and urgency."""

    cells: Mapping[Impact, Mapping[Urgency, Priority]]

    @classmethod
    def from_mapping(cls, data: Mapping[str, Mapping[str, str]]) -> "PriorityMatrix":
        """Read `{impact: {urgency: P1..P4}}`; every pair must be there and nothing else."""
        try:
            cells = {
                Impact(impact): {Urgency(urgency): Priority(priority) for urgency, priority in row.items()} for impact, row in data.items()
            }
        except ValueError as error:
            raise Invalid(reason=str(error)) from error
        missing = [f"{impact} x {urgency}" for impact in Impact for urgency in Urgency if urgency not in cells.get(impact, {})]
        if missing:
            raise Invalid(reason=Phrase(_("no priority for %(pairs)s"), pairs=", ".join(missing)))
        return cls(cells)

    @classmethod
    def default(cls) -> "PriorityMatrix":
        """What a desk starts with."""
        return cls.from_mapping(
            {
                "individual": {"low": "P4", "medium": "P3", "high": "P2"},
                "group": {"low": "P3", "medium": "P2", "high": "P1"},
                "organisation": {"low": "P2", "medium": "P1", "high": "P1"},
            }
        )

    def priority(self, impact: Impact | str, urgency: Urgency | str) -> Priority:
        """The priority of a pair; stored words are welcome."""
        return self.cells[Impact(impact)][Urgency(urgency)]

    def to_mapping(self) -> dict[str, dict[str, str]]:
        """What `from_mapping` reads."""
        return {impact.value: {urgency.value: priority.value for urgency, priority in row.items()} for impact, row in self.cells.items()}
