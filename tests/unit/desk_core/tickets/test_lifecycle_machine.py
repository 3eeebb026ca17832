"""Whatever happens to a request in whatever order, its clocks, its ladder and its questions stay right."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from desk_core.tickets.lifecycle import TABLE, Effect, Event, IllegalTransition, Status, transition

RUNNING, PAUSED, OVER = "running", "paused", "over"
ENDS = frozenset({Event.OPENED, Event.CANCELLED, Event.MERGED, Event.CLOSED_BY_AGENT, Event.CLOSED_BY_REQUESTER, Event.RESOLVED})


class LifeOfARequest(RuleBasedStateMachine):
    """Carries out the effects as the desk does, on three clocks, a ladder and a mailbox."""

    def __init__(self) -> None:
        super().__init__()
        self.status = Status.NEW
        self.clocks = {"first_response": OVER, "next_response": OVER, "resolution": OVER}
        self.ladder = False
        self.requester_spoke_last = True
        self.asked_solved = 0
        self.before_solved = (dict(self.clocks), True)

    @initialize()
    def is_opened(self) -> None:
        self.happens(Event.OPENED)

    # Most steps keep the request alive: an end chosen as often as a reply would leave only short lives to look at.
    @precondition(lambda self: not self.status.is_final)
    @rule(choice=st.integers(0, 2**16))
    def life_goes_on(self, choice: int) -> None:
        events = [event for event in TABLE[self.status] if event not in ENDS]
        self.happens(events[choice % len(events)])

    @rule(event=st.sampled_from([event for event in Event if event is not Event.OPENED]))
    def anything_is_tried(self, event: Event) -> None:
        before = self.status
        try:
            self.happens(event)
        except IllegalTransition:
            assert event not in TABLE[before]
            assert self.status is before

    @precondition(lambda self: not self.status.is_final)
    @rule()
    def somebody_can_still_close_it(self) -> None:
        """From every status that is not final some way leads to an end."""
        reached, edge = {self.status}, {self.status}
        while edge:
            edge = {then.status for status in edge for then in TABLE[status].values()} - reached
            reached |= edge
        assert {Status.CLOSED, Status.MERGED} <= reached

    def happens(self, event: Event) -> None:
        before, asked_before = self.status, self.asked_solved
        if event is Event.RESOLVED and before is not Status.RESOLVED:
            self.before_solved = (dict(self.clocks), self.requester_spoke_last)
        result = transition(self.status, event)
        if event in {Event.REQUESTER_REPLIED, Event.DENIED}:
            self.requester_spoke_last = True
        if event in {Event.AGENT_REPLIED, Event.RESOLVED, Event.ASK_REQUESTER}:
            self.requester_spoke_last = False
        self.status = result.status
        for effect in result.effects:
            self.carry_out(effect)
        if event is Event.RESOLVED:
            assert self.asked_solved == asked_before + 1, "resolved always asks whether it is solved"
        if before.is_final:
            assert self.status is before, "what is final stays"
            assert result.effects == (Effect.OPEN_FOLLOW_UP,), "and what is said then starts a new request"
        if self.status is Status.CLOSED and before.is_active:
            assert Effect.ASK_RATING in result.effects, "whoever sees it closed may rate it"

    def carry_out(self, effect: Effect) -> None:
        clocks = self.clocks
        match effect:
            case Effect.START_SLA:
                clocks["first_response"] = clocks["resolution"] = RUNNING
            case Effect.PAUSE_CLOCKS:
                self.clocks = {metric: PAUSED if state == RUNNING else state for metric, state in clocks.items()}
            case Effect.PAUSE_RESOLUTION:
                clocks["resolution"] = PAUSED if clocks["resolution"] == RUNNING else clocks["resolution"]
            case Effect.RESUME_CLOCKS:
                self.clocks = {metric: RUNNING if state == PAUSED else state for metric, state in clocks.items()}
            case Effect.STOP_CLOCKS:
                self.clocks = dict.fromkeys(clocks, OVER)
            case Effect.RESTART_RESOLUTION:
                clocks["resolution"] = RUNNING
            case Effect.MEET_FIRST_RESPONSE:
                clocks["first_response"] = OVER
            case Effect.MEET_NEXT_RESPONSE:
                clocks["next_response"] = OVER
            case Effect.MEET_RESOLUTION:
                clocks["resolution"] = OVER
            case Effect.START_NEXT_RESPONSE:
                if self.requester_spoke_last and clocks["first_response"] == clocks["next_response"] == OVER:
                    clocks["next_response"] = RUNNING
            case Effect.OWE_AGAIN:
                self.clocks, self.requester_spoke_last = dict(self.before_solved[0]), self.before_solved[1]
            case Effect.ASK_SOLVED:
                self.asked_solved += 1
            case Effect.START_LADDER:
                assert not self.ladder, "one ladder at a time"
                self.ladder = True
            case Effect.CANCEL_LADDER:
                self.ladder = False
            case _:
                assert effect.value.startswith(("tell_", "notify_", "ask_rating", "open_follow_up"))

    @invariant()
    def no_clock_runs_while_the_requester_is_awaited(self) -> None:
        if self.status is Status.WAITING:
            assert RUNNING not in self.clocks.values()

    @invariant()
    def resolution_stands_still_on_hold(self) -> None:
        if self.status is Status.ON_HOLD:
            assert self.clocks["resolution"] == PAUSED
            assert self.clocks["first_response"] != PAUSED, "an answer is owed all the same"

    @invariant()
    def resolution_runs_while_it_is_ours_to_act(self) -> None:
        if self.status in {Status.NEW, Status.OPEN}:
            assert self.clocks["resolution"] == RUNNING
            assert PAUSED not in self.clocks.values()

    @invariant()
    def nothing_is_owed_once_it_is_solved(self) -> None:
        if self.status in {Status.RESOLVED, Status.CLOSED, Status.CANCELLED, Status.MERGED}:
            assert set(self.clocks.values()) == {OVER}

    @invariant()
    def the_ladder_stands_exactly_while_solved_awaits_its_confirmation(self) -> None:
        assert self.ladder is (self.status is Status.RESOLVED)

    @invariant()
    def a_requester_never_waits_without_a_clock(self) -> None:
        if self.status is Status.OPEN and self.requester_spoke_last:
            assert RUNNING in {self.clocks["first_response"], self.clocks["next_response"]}


LifeOfARequest.TestCase.settings = settings(max_examples=200, stateful_step_count=40)
TestLifeOfARequest = LifeOfARequest.TestCase
