"""One pace among several processes: against a real Redis-compatible server."""

import pytest
from redis.asyncio import Redis

from channels.telegram.pace import SharedPace
from tests.services import ValkeyServer


async def test_two_processes_share_the_pace_and_the_silence(redis_url: str) -> None:
    here, there = (SharedPace(Redis.from_url(redis_url), "shared-1", per_second=30) for _ in range(2))
    try:
        taken = [await (here, there)[number % 2].take(7) for number in range(5)]
        assert taken == [0.0] * 5
        assert 0 < await there.take(7) <= 1.0
        assert await there.take(8) < 0.1  # another chat waits for the pace over all at most
        await here.hold(30)
        assert 29 < await there.take(9) <= 30
        assert await there.left() == 0
    finally:
        await here.close()
        await there.close()


async def test_bots_do_not_slow_each_other(redis_url: str) -> None:
    one, other = (SharedPace(Redis.from_url(redis_url), bot, per_second=30) for bot in ("bot-1", "bot-2"))
    try:
        await one.hold(30)
        assert await other.take(7) == 0.0
    finally:
        await one.close()
        await other.close()


async def test_without_redis_each_keeps_to_its_own(own_valkey: ValkeyServer) -> None:
    pace = SharedPace(Redis.from_url(own_valkey.url()), "away", per_second=30)
    try:
        assert await pace.take(7) == 0.0
        own_valkey.stop()
        assert [await pace.take(7) for _ in range(5)] == [0.0] * 5
        assert await pace.take(7) == pytest.approx(1.0, abs=0.5)
        await pace.hold(30)
        own_valkey.start()
        # Redis has never heard of the hold, and does not lift it.
        assert await pace.take(8) > 25
    finally:
        await pace.close()
