"""How fast one bot may speak: per chat, per group, and over all its chats; and silence for all when Telegram asks for it.

Telegram names its limits (about one message a second in a chat, 20 a minute in a group, 30 a second over all) and punishes who goes
beyond them, so it is cheaper to wait here. Every limit is a theoretical arrival time (GCRA): one number a chat, and waits are exact.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol

import structlog

from desk_core.kit.redis_errors import redis_error

if TYPE_CHECKING:
    from redis.asyncio import Redis

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Limit:
    """One message every `interval` seconds, `burst` of them at once after a silence."""

    name: str
    interval: float
    burst: int


# The burst and what follows it within the minute stay within 20: 5 at once, then one in 4 seconds.
IN_CHAT: Final = Limit("chat", 1.0, 5)
IN_GROUP: Final = Limit("group", 4.0, 5)
_FORGET_ABOVE: Final = 10_000
_PAUSE_AFTER_TROUBLE: Final = 5.0


class Pace(Protocol):
    """The pace of one bot."""

    async def take(self, chat: int | str | None, *, messages: int = 1) -> float:
        """Seconds to wait before asking again; 0 when the messages may go now, which counts them. None: only whether all are silent."""
        ...

    async def hold(self, seconds: float) -> None:
        """Nobody of this bot sends for so long."""
        ...

    async def left(self) -> int:
        """How many messages could go at once over all chats."""
        ...

    async def close(self) -> None: ...


def limits_of(chat: int | str, *, over_all: Limit) -> tuple[Limit, ...]:
    """What holds in a chat; groups and channels have negative ids or names."""
    private = isinstance(chat, int) and chat > 0
    return (over_all, IN_CHAT if private else IN_GROUP)


def over_all(per_second: int) -> Limit:
    """The pace over all chats: a sixth of the second's number at once, so that burst and stream together stay within it."""
    burst = max(1, per_second // 6)
    return Limit("all", 1.0 / max(1, per_second - burst), burst)


class NoPace:
    """For a server without limits of its own: only a 429 makes anybody wait."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._until = clock, 0.0

    async def take(self, chat: int | str | None, *, messages: int = 1) -> float:
        return max(0.0, self._until - self._clock())

    async def hold(self, seconds: float) -> None:
        self._until = max(self._until, self._clock() + seconds)

    async def left(self) -> int:
        return 0 if self._until > self._clock() else 1_000_000

    async def close(self) -> None:
        """Nothing was opened."""


class LocalPace:
    """The pace where one process sends."""

    def __init__(self, *, per_second: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._all, self._clock, self._until = over_all(per_second), clock, 0.0
        self._due: dict[str, float] = {}

    async def take(self, chat: int | str | None, *, messages: int = 1) -> float:
        now = self._clock()
        if (silent := self._until - now) > 0:
            return silent
        if chat is None:
            return 0.0
        wanted = [(_key(limit, chat), limit) for limit in limits_of(chat, over_all=self._all)]
        wait = max(_wait(self._due.get(key, 0.0), now, limit) for key, limit in wanted)
        if wait > 0:
            return wait
        for key, limit in wanted:
            self._due[key] = max(self._due.get(key, 0.0), now) + limit.interval * messages
        if len(self._due) > _FORGET_ABOVE:
            self._due = {key: due for key, due in self._due.items() if due > now}
        return 0.0

    async def hold(self, seconds: float) -> None:
        self._until = max(self._until, self._clock() + seconds)

    async def left(self) -> int:
        now = self._clock()
        return 0 if self._until > now else _left(self._due.get("all", 0.0), now, self._all)

    async def close(self) -> None:
        """Nothing was opened."""


# Every key is looked at before any is moved, so that a message held up by its chat takes nothing from the others. The server's own clock
# counts, since the clocks of the processes differ.
_TAKE: Final = """
local t = redis.call('TIME')
local now = t[1] + t[2] / 1000000
local wait = tonumber(redis.call('GET', KEYS[1]) or '0') - now
for i = 2, #KEYS do
  local interval, burst = tonumber(ARGV[2 * i - 2]), tonumber(ARGV[2 * i - 1])
  local due = tonumber(redis.call('GET', KEYS[i]) or '0')
  wait = math.max(wait, due - now - interval * (burst - 1))
end
if wait > 0.0005 then return tostring(wait) end
for i = 2, #KEYS do
  local step = tonumber(ARGV[2 * i - 2]) * tonumber(ARGV[1])
  local due = math.max(tonumber(redis.call('GET', KEYS[i]) or '0'), now) + step
  redis.call('SET', KEYS[i], string.format('%.6f', due), 'PX', math.ceil((due - now) * 1000) + 1000)
end
return '0'
"""
_HOLD: Final = """
local t = redis.call('TIME')
local upto = t[1] + t[2] / 1000000 + tonumber(ARGV[1])
if upto > tonumber(redis.call('GET', KEYS[1]) or '0') then
  redis.call('SET', KEYS[1], string.format('%.6f', upto), 'PX', math.ceil(tonumber(ARGV[1]) * 1000))
end
return 1
"""


class SharedPace:
    """The pace of one bot among all processes; while Redis is away each process keeps to its own."""

    def __init__(self, redis: "Redis", bot: str, *, per_second: int) -> None:
        self._redis, self._prefix, self._all = redis, f"priyom:telegram:{bot}:", over_all(per_second)
        self._own = LocalPace(per_second=per_second)
        self._away_until = 0.0

    async def take(self, chat: int | str | None, *, messages: int = 1) -> float:
        limits = () if chat is None else limits_of(chat, over_all=self._all)
        keys = ["silent", *(_key(limit, chat) for limit in limits)]
        numbers = [messages, *(number for limit in limits for number in (limit.interval, limit.burst))]
        told = await self._ask(_TAKE, keys, numbers)
        # A hold that Redis never learned of, or has forgotten over a restart, still stands here.
        own = await self._own.take(chat if told is None else None, messages=messages)
        return max(own, float(told or 0))

    async def hold(self, seconds: float) -> None:
        await self._own.hold(seconds)
        await self._ask(_HOLD, ["silent"], [seconds])

    async def left(self) -> int:
        own = await self._own.left()
        try:
            due, silent, (whole, micro) = await asyncio.gather(
                self._redis.get(f"{self._prefix}all"), self._redis.get(f"{self._prefix}silent"), self._redis.time()
            )
        except (redis_error(), OSError, TimeoutError):
            return own
        now = whole + micro / 1_000_000
        return 0 if float(silent or 0) > now else min(own, _left(float(due or 0), now, self._all))

    async def close(self) -> None:
        await self._redis.aclose()

    async def _ask(self, script: str, keys: Sequence[str], numbers: Sequence[float]) -> Any:
        """The script's answer; None while Redis is away, which is believed for some seconds so that nobody waits for it each time."""
        if time.monotonic() < self._away_until:
            return None
        try:
            asking: Awaitable[Any] = self._redis.eval(
                script, len(keys), *(f"{self._prefix}{key}" for key in keys), *(str(number) for number in numbers)
            )
            return await asking
        except (redis_error(), OSError, TimeoutError) as error:
            self._away_until = time.monotonic() + _PAUSE_AFTER_TROUBLE
            log.warning("telegram.pace_redis_unavailable", error=type(error).__name__)
            return None


def _key(limit: Limit, chat: int | str | None) -> str:
    return limit.name if limit.name == "all" else f"{limit.name}:{chat}"


def _wait(due: float, now: float, limit: Limit) -> float:
    return due - now - limit.interval * (limit.burst - 1)


def _left(due: float, now: float, limit: Limit) -> int:
    return max(0, min(limit.burst, int(limit.burst - max(0.0, due - now) / limit.interval)))
