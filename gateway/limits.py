"""Rate limits: in-process, or shared through Redis; when Redis is gone everyone is let through, and that is logged."""

import math
import time
from typing import TYPE_CHECKING, Any, cast

import structlog
from limits import RateLimitItemPerSecond
from limits.aio.storage import MemoryStorage, RedisStorage, Storage
from limits.aio.strategies import MovingWindowRateLimiter
from limits.errors import StorageError

from desk_core.kit.redis_errors import redis_error

if TYPE_CHECKING:
    from redis.asyncio import ConnectionPool

log = structlog.get_logger()


class RateLimits:
    """Implements `desk_core.conversations.ports.Limits` with moving windows."""

    def __init__(self, redis_url: str = "") -> None:
        self._pool = _pool(redis_url) if redis_url else None
        storage: Storage = MemoryStorage()
        if self._pool is not None:
            # The library's types leave out what it documents: it goes on with a pool that we can close.
            storage = RedisStorage(f"async+{redis_url}", implementation="redispy", connection_pool=cast("Any", self._pool))
        self._limiter = MovingWindowRateLimiter(storage)

    async def hit(self, name: str, key: str, *, limit: int, seconds: int) -> bool:
        """Count one; False when that was one too many. A limit of 0 is switched off."""
        if limit <= 0:
            return True
        try:
            return await self._limiter.hit(RateLimitItemPerSecond(limit, seconds, namespace=name), key)
        except (redis_error(), StorageError, OSError) as error:
            log.warning("limits.redis_unavailable", error=type(error).__name__)
            return True

    async def wait(self, name: str, key: str, *, limit: int, seconds: int) -> float | None:
        """Count one; where that is one too many, how many seconds until there is room. None where Redis cannot be asked."""
        if limit <= 0:
            return 0.0
        window = RateLimitItemPerSecond(limit, seconds, namespace=name)
        try:
            if await self._limiter.hit(window, key):
                return 0.0
            told = await self._limiter.get_window_stats(window, key)
        except (redis_error(), StorageError, OSError) as error:
            log.warning("limits.redis_unavailable", error=type(error).__name__)
            return None
        # lint-skip: clock - the windows of the library end by the machine's time
        return float(max(1, math.ceil(told.reset_time - time.time())))

    async def left(self, name: str, key: str, *, limit: int, seconds: int) -> bool:
        """Whether one more would be let through; counts nothing."""
        if limit <= 0:
            return True
        try:
            return await self._limiter.test(RateLimitItemPerSecond(limit, seconds, namespace=name), key)
        except (redis_error(), StorageError, OSError) as error:
            log.warning("limits.redis_unavailable", error=type(error).__name__)
            return True

    async def close(self) -> None:
        if self._pool is not None:
            await self._pool.disconnect()


def _pool(redis_url: str) -> "ConnectionPool":
    from redis.asyncio import ConnectionPool

    return ConnectionPool.from_url(redis_url)
