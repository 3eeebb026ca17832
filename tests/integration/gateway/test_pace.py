"""The pace of mail to one domain: shared by all processes through Redis, kept by each alone while Redis is away."""

from gateway.limits import RateLimits
from gateway.mail import SharedPace
from tests.services.process import free_port


async def test_two_processes_keep_one_pace(redis_url: str) -> None:
    limits = [RateLimits(redis_url) for _process in range(2)]
    one, other = (SharedPace(each, 2) for each in limits)
    assert await one.wait("a@pace.example") == 0
    assert await other.wait("b@PACE.example") == 0
    assert 0 < await one.wait("c@pace.example") <= 60
    assert 0 < await other.wait("c@pace.example") <= 60
    assert await other.wait("a@elsewhere.example") == 0
    for each in limits:
        await each.close()


async def test_without_redis_each_keeps_its_own() -> None:
    limits = RateLimits(f"redis://127.0.0.1:{free_port()}")
    pace = SharedPace(limits, 1)
    assert await pace.wait("a@pace.example") == 0
    assert 0 < await pace.wait("a@pace.example") <= 60
    await limits.close()
