"""The gate opens for a model that is better beyond chance, and for nothing else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.gate import Ground, Tally, Trial, chance, judge


def trials(label: str, *, both: int = 0, lost: int = 0, won: int = 0, neither: int = 0) -> list[Trial]:
    kinds = ((both, True, True), (lost, True, False), (won, False, True), (neither, False, False))
    return [Trial(label, champion, challenger) for count, champion, challenger in kinds for _ in range(count)]


class TestOpens:
    def test_for_a_clear_gain(self) -> None:
        verdict = judge(trials("vpn", both=80, won=8, lost=1), [])
        assert verdict.publish
        assert verdict.grounds == (Ground.BETTER,)

    def test_for_a_new_class_that_corrections_taught(self) -> None:
        verdict = judge(trials("vpn", both=100), trials("lift", won=36, neither=4), new=["lift"])
        assert verdict.publish
        assert Ground.BETTER_ON_CORRECTIONS in verdict.grounds

    def test_for_five_corrections_that_all_go_right_now(self) -> None:
        assert judge(trials("vpn", both=100), trials("lift", won=5)).publish


class TestStaysShut:
    def test_when_nothing_changed(self) -> None:
        assert judge(trials("vpn", both=100), []).grounds == (Ground.NOT_BETTER,)

    def test_when_the_gain_may_be_chance(self) -> None:
        assert judge(trials("vpn", both=90, won=6, lost=4), []).grounds == (Ground.NOT_BETTER,)

    def test_without_anything_to_judge_by(self) -> None:
        assert not judge([], []).publish

    def test_when_it_is_worse_although_it_follows_the_corrections(self) -> None:
        verdict = judge(trials("vpn", both=80, lost=9), trials("mail", won=20))
        assert not verdict.publish
        assert Ground.WORSE in verdict.grounds

    def test_when_one_class_collapses_although_the_whole_gains(self) -> None:
        verdict = judge([*trials("vpn", both=5, lost=15), *trials("mail", both=200, won=90)], [])
        assert verdict.grounds == (Ground.COLLAPSED,)
        assert verdict.labels == ("vpn",)

    def test_when_the_examples_of_a_new_class_teach_nothing(self) -> None:
        verdict = judge(trials("vpn", both=90, won=20), trials("lift", won=1, neither=30), new=["lift"])
        assert verdict.grounds == (Ground.NOT_LEARNED,)
        assert verdict.labels == ("lift",)

    def test_when_it_has_forgotten_a_class_of_the_desk(self) -> None:
        verdict = judge(trials("vpn", both=50, won=20), [], lost=["mail"])
        assert verdict.grounds == (Ground.LOST,)
        assert verdict.labels == ("mail",)

    def test_when_it_goes_against_the_corrections(self) -> None:
        assert Ground.WORSE_ON_CORRECTIONS in judge(trials("vpn", both=90, won=30), trials("vpn", lost=8)).grounds

    def test_a_small_class_may_wobble(self) -> None:
        assert judge([*trials("lift", lost=2, both=3), *trials("vpn", both=90, won=20)], []).publish


@given(st.lists(st.tuples(st.sampled_from("abc"), st.booleans(), st.booleans()), max_size=60))
def test_two_models_never_both_beat_each_other(answers: list[tuple[str, bool, bool]]) -> None:
    there = judge([Trial(*one) for one in answers], [])
    back = judge([Trial(label, challenger, champion) for label, champion, challenger in answers], [])
    assert not (there.publish and back.publish)


@pytest.mark.parametrize(("more", "less", "expected"), [(0, 0, 1.0), (5, 0, 1 / 32), (1, 1, 0.75)])
def test_chance_is_that_of_a_coin(more: int, less: int, expected: float) -> None:
    assert chance(more, less) == pytest.approx(expected)


def test_the_interval_of_a_difference_holds_it() -> None:
    tally = Tally.of(trials("vpn", both=80, won=12, lost=2, neither=6))
    low, high = tally.interval
    assert tally.difference == pytest.approx(0.1)
    assert 0 < low < 0.1 < high
