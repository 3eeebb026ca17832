"""The pace of mail to one domain: shared by all processes through Redis, kept by each alone while Redis is away."""

from gateway.limits import RateLimits
from gateway.mail import SharedPace
from tests.services.process import free_port


async def test_two_processes_keep_one_pace(redis_url: str) -> None:
    one, other = (SharedPace(RateLimits(redis_url), 2) for _process in range(2))
    assert await one.wait("a@pace.example") == 0
    assert await other.wait("b@PACE.example") == 0
    assert 0 < await one.wait("c@pace.example") <= 60
    assert 0 < await other.wait("c@pace.example") <= 60
    assert await other.wait("a@elsewhere.example") == 0


async def test_without_redis_each_keeps_its_own() -> None:
    pace = SharedPace(RateLimits(f"redis://127.0.0.1:{free_port()}"), 1)
    assert await pace.wait("a@pace.example") == 0
    assert 0 < await pace.wait("a@pace.example") <= 60
