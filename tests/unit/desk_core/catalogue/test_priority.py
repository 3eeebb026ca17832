"""Priority is impact x urgency."""

import itertools

import pytest

from desk_core.catalogue.priority import Impact, PriorityMatrix, Urgency
from desk_core.kit.errors import Invalid
from desk_core.tickets.lifecycle import Priority

MATRIX = PriorityMatrix.default()


def test_is_read_from_the_matrix() -> None:
    assert MATRIX.priority(Impact.INDIVIDUAL, Urgency.MEDIUM) is Priority.P3
    assert MATRIX.priority("organisation", "high") is Priority.P1


def test_more_impact_or_urgency_never_lowers_it() -> None:
    for impact, urgency in itertools.product(Impact, Urgency):
        for more_impact, more_urgency in itertools.product(list(Impact)[list(Impact).index(impact) :], [urgency]):
            assert MATRIX.priority(more_impact, more_urgency) <= MATRIX.priority(impact, urgency)
        for more_urgency in list(Urgency)[list(Urgency).index(urgency) :]:
            assert MATRIX.priority(impact, more_urgency) <= MATRIX.priority(impact, urgency)


def test_what_is_written_is_read_back() -> None:
    assert PriorityMatrix.from_mapping(MATRIX.to_mapping()) == MATRIX


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"group": {"low": "P3"}}, "no priority for group x medium, group x high"),
        ({"group": {"low": "P3", "medium": "P2", "high": "P9"}}, "P9"),
        ({"planet": {"low": "P3"}}, "planet"),
    ],
)
def test_a_matrix_with_holes_or_strange_words_is_refused(change: dict[str, dict[str, str]], reason: str) -> None:
    with pytest.raises(Invalid) as refusal:
        PriorityMatrix.from_mapping({**MATRIX.to_mapping(), **change})
    assert reason in str(refusal.value.fields["reason"])
