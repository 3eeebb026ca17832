"""How fast a bot may speak: the limits that Telegram names, and silence for all after a 429."""

import pytest

from channels.telegram.pace import IN_CHAT, IN_GROUP, LocalPace, NoPace, over_all


class Hands:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


async def sent_within(pace: LocalPace, clock: Hands, chats: list[int], *, seconds: float) -> int:
    """How many messages go out to these chats in turn by one who never waits longer than needed."""
    until, sent = clock.now + seconds, 0
    while clock.now < until:
        waits = [await pace.take(chat) for chat in chats]
        sent += waits.count(0.0)
        if 0.0 not in waits:
            clock.now += min(waits)
    return sent


class TestLocalPace:
    async def test_lets_a_burst_go_at_once_and_then_one_a_second(self) -> None:
        clock = Hands()
        pace = LocalPace(per_second=30, clock=clock)
        assert [await pace.take(7) for _ in range(5)] == [0.0] * 5
        assert await pace.take(7) == pytest.approx(1.0)
        clock.now += 1.0
        assert await pace.take(7) == 0.0

    async def test_does_not_count_who_was_told_to_wait(self) -> None:
        clock = Hands()
        pace = LocalPace(per_second=30, clock=clock)
        for _ in range(50):
            await pace.take(7)
        clock.now += 1.0
        assert await pace.take(7) == 0.0
        assert await pace.take(8) == 0.0

    @pytest.mark.parametrize("group", [-100123, "@channel"])
    async def test_keeps_a_group_within_twenty_a_minute(self, group: int | str) -> None:
        clock = Hands()
        pace = LocalPace(per_second=30, clock=clock)
        sent = 0
        while clock.now < 1059.999:
            wait = await pace.take(group)
            sent += wait == 0.0
            clock.now += wait
        assert sent <= 20

    async def test_keeps_all_chats_together_within_the_second(self) -> None:
        clock = Hands()
        sent = await sent_within(LocalPace(per_second=30, clock=clock), clock, list(range(1, 100)), seconds=1.0)
        assert 25 <= sent <= 30

    async def test_counts_every_file_of_an_album(self) -> None:
        clock = Hands()
        pace = LocalPace(per_second=30, clock=clock)
        assert await pace.take(7, messages=10) == 0.0
        assert await pace.take(7) == pytest.approx(6.0)

    async def test_silences_every_chat_after_a_429(self) -> None:
        clock = Hands()
        pace = LocalPace(per_second=30, clock=clock)
        await pace.hold(3)
        await pace.hold(1)
        assert await pace.take(8) == pytest.approx(3.0)
        assert await pace.take(None) == pytest.approx(3.0)
        assert await pace.left() == 0
        clock.now += 3
        assert await pace.take(8) == 0.0

    async def test_forgets_chats_that_have_long_been_silent(self) -> None:
        clock = Hands()
        pace = LocalPace(per_second=1_000_000, clock=clock)
        for chat in range(1, 30_000):
            await pace.take(chat)
            clock.now += 0.01
        assert len(pace._due) < 15_000


async def test_no_pace_still_obeys_a_429() -> None:
    clock = Hands()
    pace = NoPace(clock)
    assert await pace.take(7) == 0.0
    await pace.hold(2)
    assert await pace.take(7) == pytest.approx(2.0)


def test_the_limits_leave_room_for_their_bursts() -> None:
    assert IN_GROUP.burst + 60 / IN_GROUP.interval <= 20
    assert IN_CHAT.interval == 1.0
    every = over_all(30)
    assert every.burst + 1 / every.interval <= 30
