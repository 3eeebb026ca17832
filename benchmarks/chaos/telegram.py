"""The Telegram modes: two thousand messages of fifty people while Telegram answers badly and receivers and workers are killed with -9."""

import asyncio
import contextlib
import random
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import httpx2

from benchmarks.chaos.desks import ON_SERVERS, Victim
from benchmarks.chaos.people import Sent, chatter
from benchmarks.chaos.tally import Count, tally


@dataclass(frozen=True, slots=True)
class TelegramPlan:
    """How many people write how many messages over how many seconds, and how roughly the desk is treated for how long at most."""

    people: int
    each: int
    seconds: float
    attack: float
    services_after: float
    rest: float

    @property
    def messages(self) -> int:
        return self.people * self.each


FULL = TelegramPlan(people=50, each=40, seconds=150.0, attack=240.0, services_after=60.0, rest=420.0)
QUICK = TelegramPlan(people=20, each=8, seconds=30.0, attack=45.0, services_after=10.0, rest=240.0)
PAUSE, AT_WORK = (0.2, 4.0), 0.5
FAULTS = (
    # For the bot's calls, `*`, and for its polls. A cut after the effect is what may double: the message is there, its receipt is not.
    ("*", {"kind": "too_many", "retry_after": 1}),
    ("*", {"kind": "too_many", "retry_after": 6}),
    ("*", {"kind": "error", "code": 502, "description": "Bad Gateway", "times": 2}),
    ("*", {"kind": "cut_before", "times": 2}),
    ("sendMessage", {"kind": "cut_after"}),
    ("sendMessage", {"kind": "cut_after"}),
    ("sendMessage", {"kind": "slow", "seconds": 2}),
    ("getUpdates", {"kind": "too_many", "retry_after": 1}),
    ("getUpdates", {"kind": "error", "code": 502, "description": "Bad Gateway"}),
    ("getUpdates", {"kind": "cut_before"}),
    ("getUpdates", {"kind": "cut_after"}),
)


async def one(mode: str, plan: TelegramPlan, *, seed: int, folder: Path, telegram_url: str, tell: Callable[[str], None]) -> list[Count]:
    """One desk, attacked while everybody writes."""
    rng, began, sent = random.Random(f"{seed}-{mode}"), time.monotonic(), Sent()
    planted = Counter[str]()
    victim = Victim(mode, folder, telegram_url=telegram_url)
    try:
        await victim.make()
        await victim.all_up(seconds=120)
        limits = httpx2.Limits(max_connections=400, keepalive_expiry=2.0)
        async with httpx2.AsyncClient(trust_env=False, timeout=40, limits=limits) as client:
            pause = plan.seconds / plan.each
            people = [
                chatter(victim, n, plan.each, sent, random.Random(rng.random()), pause=pause, client=client) for n in range(plan.people)
            ]
            trouble = asyncio.create_task(_trouble(victim, client, random.Random(rng.random()), planted))
            attack = asyncio.create_task(victim.attack(rng, pause=PAUSE, at_work=AT_WORK, seconds=plan.attack))
            services = asyncio.create_task(victim.restart_services_after(plan.services_after))
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(asyncio.gather(*people), plan.attack + plan.rest)
            await services
            victim.enough.set()
            await attack
            trouble.cancel()
            await asyncio.gather(trouble, return_exceptions=True)
            asked = {"method": "*", "kind": "slow", "times": 0}
            unmet = (await client.post(f"{telegram_url}/sandbox/telegram/api/faults", json=asked)).json()["pending"]
            # What nobody has met yet would meet the desk at rest; everything else stays as it was done.
            await client.delete(f"{telegram_url}/sandbox/telegram/api/faults")
        kills = dict(victim.hits.kills)
        tell(f"{mode}: {sent.count} messages, {sum(kills.values())} kills, {planted.total()} faults; waiting until it is quiet")
        quiet = await victim.quiet(seconds=plan.rest)
        counts = await tally(victim, sent)
        codes = await victim.end()
    finally:
        sent.over = True
        await victim.remove()
    servers = [
        Count("restarts of PostgreSQL", victim.hits.store_restarts, promise=False),
        Count("restarts of the Redis-compatible server", victim.hits.redis_restarts, promise=False),
    ]
    return [
        *counts,
        Count("did not come to rest", 0 if quiet else 1),
        Count("processes that ended by themselves", sum(part.own_ends for part in victim.parts)),
        Count("processes that did not end with 0 on SIGTERM", sum(code != 0 for code in codes)),
        Count("accepted less than planned", plan.messages - sent.count),
        *(Count(f"kills with -9 of {kind}", count, promise=False) for kind, count in sorted(kills.items())),
        *(Count(f"faults planted: {name}", count, promise=False) for name, count in sorted(planted.items())),
        Count("faults met", planted.total() - unmet, promise=False),
        *(servers if mode in ON_SERVERS else []),
        Count("time", time.monotonic() - began, promise=False, unit="s"),
    ]


async def _trouble(victim: Victim, client: httpx2.AsyncClient, rng: random.Random, planted: Counter[str]) -> None:
    """Telegram has a bad day: about one trouble a second."""
    while True:
        await asyncio.sleep(rng.uniform(0.3, 1.5))
        method, fault = rng.choice(FAULTS)
        answer = await client.post(f"{victim.telegram_url}/sandbox/telegram/api/faults", json={"method": method, **fault})
        answer.raise_for_status()
        times = fault.get("times", 1)
        planted[f"{fault['kind']} of {method}"] += times if isinstance(times, int) else 1
