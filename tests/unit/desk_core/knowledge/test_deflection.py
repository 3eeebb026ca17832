"""An article helped when the person said so and did not come back with the same topic within 72 hours."""

from datetime import UTC, datetime, timedelta

import pytest

from desk_core.knowledge.deflection import Outcome, outcome

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("later", "hours", "became"),
    [
        ([], 71, Outcome.WAITING),
        ([], 72, Outcome.HELPED),
        ([(72, "network.vpn")], 80, Outcome.CAME_BACK),
        ([(1, "network.wifi")], 2, Outcome.CAME_BACK),  # the same topic, told otherwise
        ([(1, None)], 80, Outcome.CAME_BACK),  # nobody knows what it is about: not counted as a success
        ([(1, "hardware.printer")], 80, Outcome.HELPED),
        ([(73, "network.vpn")], 80, Outcome.HELPED),
        ([(-1, "network.vpn")], 80, Outcome.HELPED),  # was there before
        ([(0, "network.vpn")], 80, Outcome.HELPED),
    ],
)
def test_what_became_of_it(later: list[tuple[int, str | None]], hours: int, became: Outcome) -> None:
    requests = [(NOON + after * HOUR, category) for after, category in later]
    assert outcome(NOON, "network", requests, now=NOON + hours * HOUR) is became
