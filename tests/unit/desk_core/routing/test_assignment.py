"""Who gets the next request."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desk_core.routing.assignment import Candidate, Choice, Reason, choose_agent

MORNING, NOON = datetime(2026, 11, 23, 9, tzinfo=UTC), datetime(2026, 11, 23, 12, tzinfo=UTC)


def member(agent_id: str, *, online: bool = True, load: int = 0, cap: int = 10, **more: object) -> Candidate:
    return Candidate(agent_id, online=online, load=load, cap=cap, **more)  # type: ignore[arg-type]  # skills, last_assigned_at


def test_the_least_loaded_share_of_a_cap_wins() -> None:
    half_of_two, third_of_twelve = member("anna", load=1, cap=2), member("boris", load=4, cap=12)
    assert choose_agent([half_of_two, third_of_twelve], None) == Choice("boris", Reason.LEAST_LOADED)


def test_then_who_has_been_idle_longest_and_who_never_had_one_first() -> None:
    early, late = member("zoya", last_assigned_at=MORNING), member("anna", last_assigned_at=NOON)
    assert choose_agent([late, early], None).agent_id == "zoya"
    assert choose_agent([late, early, member("new")], None).agent_id == "new"


def test_a_skill_counts_where_it_is_asked_for() -> None:
    busy_expert = member("anna", load=9, skills=frozenset({"1c"}))
    assert choose_agent([member("boris"), busy_expert], "1c").agent_id == "anna"
    assert choose_agent([member("boris"), busy_expert], None).agent_id == "boris"


@pytest.mark.parametrize(
    ("candidates", "skill", "reason"),
    [
        ([], None, Reason.NO_MEMBERS),
        ([member("anna", online=False)], None, Reason.NOBODY_ONLINE),
        ([member("anna", load=10), member("boris", cap=0)], None, Reason.ALL_AT_CAP),
        ([member("anna")], "1c", Reason.NO_SKILL),
        ([member("anna"), member("boris", online=False, skills=frozenset({"1c"}))], "1c", Reason.NO_SKILL),
        ([member("anna"), member("boris", load=10, skills=frozenset({"1c"}))], "1c", Reason.ALL_AT_CAP),
    ],
)
def test_otherwise_nobody_and_the_reason(candidates: list[Candidate], skill: str | None, reason: Reason) -> None:
    assert choose_agent(candidates, skill) == Choice(None, reason)


candidates = st.lists(
    st.builds(
        Candidate,
        agent_id=st.uuids().map(str),
        online=st.booleans(),
        load=st.integers(0, 6),
        cap=st.integers(0, 5),
        skills=st.frozensets(st.sampled_from(["1c", "net"])),
        last_assigned_at=st.none() | st.sampled_from([MORNING, NOON]),
    ),
    max_size=8,
    unique_by=lambda one: one.agent_id,
)


@given(candidates, st.sampled_from([None, "1c"]), st.randoms(use_true_random=False))
def test_the_order_of_candidates_does_not_matter(team: list[Candidate], skill: str | None, random: object) -> None:
    shuffled = list(team)
    random.shuffle(shuffled)  # type: ignore[attr-defined]  # hypothesis gives a random.Random
    choice = choose_agent(team, skill)
    assert choose_agent(shuffled, skill) == choice
    able = [one for one in team if one.online and one.load < one.cap and (skill is None or skill in one.skills)]
    assert (choice.agent_id is not None) is bool(able)
    if choice.agent_id is not None:
        assert choice.agent_id in {one.agent_id for one in able}
