"""Rate limits: in-process, or shared through Redis; when Redis is gone everyone is let through, and that is logged."""

import structlog
from limits import RateLimitItemPerSecond
from limits.aio.storage import MemoryStorage, RedisStorage, Storage
from limits.aio.strategies import MovingWindowRateLimiter
from limits.errors import StorageError
from redis.exceptions import RedisError

log = structlog.get_logger()


class RateLimits:
    """Implements `desk_core.conversations.ports.Limits` with moving windows."""

    def __init__(self, redis_url: str = "") -> None:
        storage: Storage = RedisStorage(f"async+{redis_url}", implementation="redispy") if redis_url else MemoryStorage()
        self._limiter = MovingWindowRateLimiter(storage)

    async def hit(self, name: str, key: str, *, limit: int, seconds: int) -> bool:
        """Count one; False when that was one too many. A limit of 0 is switched off."""
        if limit <= 0:
            return True
        try:
            return await self._limiter.hit(RateLimitItemPerSecond(limit, seconds, namespace=name), key)
        except (RedisError, StorageError, OSError) as error:
            log.warning("limits.redis_unavailable", error=type(error).__name__)
            return True

    async def left(self, name: str, key: str, *, limit: int, seconds: int) -> bool:
        """Whether one more would be let through; counts nothing."""
        if limit <= 0:
            return True
        try:
            return await self._limiter.test(RateLimitItemPerSecond(limit, seconds, namespace=name), key)
        except (RedisError, StorageError, OSError) as error:
            log.warning("limits.redis_unavailable", error=type(error).__name__)
            return True
