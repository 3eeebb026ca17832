"""The Telegram modes: two thousand messages of fifty people through a Bot API that fails in every way it can, while the desk is killed."""

import asyncio
import contextlib
import random
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2

from benchmarks.chaos.desks import ON_SERVERS, TOKEN, Victim
from benchmarks.chaos.people import MORE, PERSON, STORIES, Sent, joined, listens, marked
from benchmarks.chaos.tally import Count, tally
from benchmarks.running import sandbox
from channels.telegram.sandbox.person import Person


@dataclass(frozen=True, slots=True)
class ChatPlan:
    """How many people say how much over how many seconds, and how roughly the desk is treated for how long at most."""

    people: int
    each: int
    seconds: float
    attack: float
    services_after: float
    rest: float

    @property
    def messages(self) -> int:
        return self.people * self.each


FULL = ChatPlan(people=50, each=40, seconds=180.0, attack=260.0, services_after=60.0, rest=420.0)
QUICK = ChatPlan(people=20, each=10, seconds=30.0, attack=60.0, services_after=10.0, rest=240.0)
PAUSE, AT_WORK = (0.2, 4.0), 0.5
"""Seconds that pass before a kill, and the part of the kills that also waits for work to go on."""
NEARLY = 0.05
FAULT_EVERY = (0.05, 0.6)
"""Seconds between two plans of something to go wrong."""
TWICE = 0.05
"""The part of the messages that Telegram hands out twice."""
NEW_STORY = 12
"""After so many messages a person calls for a human and begins anew."""

_SENDING = ("sendMessage", "answerCallbackQuery", "editMessageReplyMarkup", "sendChatAction", "*")
_FAULTS: tuple[tuple[str, tuple[str, ...], dict[str, Any]], ...] = (
    ("429", _SENDING, {"kind": "too_many", "retry_after": 1}),
    ("429 on getUpdates", ("getUpdates",), {"kind": "too_many", "retry_after": 1}),
    ("500", _SENDING, {"kind": "error", "code": 500}),
    ("502", (*_SENDING, "getUpdates"), {"kind": "error", "code": 502, "description": "Bad Gateway"}),
    ("connection cut before effect", (*_SENDING, "getUpdates"), {"kind": "cut_before"}),
    ("connection cut after effect", ("sendMessage", "getUpdates"), {"kind": "cut_after"}),
    ("slow answer", _SENDING, {"kind": "slow", "seconds": 1.5}),
)


async def one(mode: str, plan: ChatPlan, *, seed: int, folder: Path, tell: Callable[[str], None]) -> list[Count]:
    """One desk, attacked from both sides until everybody has said everything and nearly all of it is filed."""
    rng, began, sent, faults = random.Random(f"{seed}-{mode}"), time.monotonic(), Sent(), Counter[str]()
    with sandbox(folder) as telegram_url:
        victim = Victim(mode, folder, telegram_url=telegram_url)
        try:
            await victim.make()
            await victim.all_up(seconds=120)
            limits = httpx2.Limits(max_connections=400, keepalive_expiry=2.0)
            async with httpx2.AsyncClient(trust_env=False, timeout=40, limits=limits) as client:
                until = time.monotonic() + plan.attack
                attack = asyncio.create_task(victim.attack(rng, pause=PAUSE, at_work=AT_WORK, seconds=plan.attack))
                services = asyncio.create_task(victim.restart_services_after(plan.services_after))
                failing = asyncio.create_task(_fail(victim, random.Random(rng.random()), client, faults))
                talking = asyncio.gather(*(_talk(victim, n, plan, sent, random.Random(rng.random()), client) for n in range(plan.people)))
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(talking, plan.attack + plan.rest)
                await victim.nearly_done(at_most=plan.messages * NEARLY, seconds=until - time.monotonic())
                await services
                victim.enough.set()
                await attack
                failing.cancel()
                await asyncio.gather(failing, return_exceptions=True)
                await client.delete(f"{telegram_url}/sandbox/telegram/api/faults")
                fetched = await _all_fetched(telegram_url, client, seconds=plan.rest)
            tell(f"{mode}: {sent.count} messages, {victim.hits.kills.total()} kills, {faults.total()} faults; waiting until it is quiet")
            quiet = await victim.quiet(seconds=plan.rest)
            counts = await tally(victim, sent)
            codes = await victim.end()
        finally:
            sent.over = True
            await victim.remove()
    return [
        *counts,
        Count("did not come to rest", 0 if quiet and fetched else 1),
        Count("processes that ended by themselves", sum(part.own_ends for part in victim.parts)),
        Count("processes that did not end with 0 on SIGTERM", sum(code != 0 for code in codes)),
        Count("accepted less than planned", plan.messages - sent.count),
        *(Count(f"kills with -9 of {kind}", count, promise=False) for kind, count in sorted(victim.hits.kills.items())),
        *(Count(f"faults of Telegram: {kind}", count, promise=False) for kind, count in sorted(faults.items())),
        *(
            [
                Count("restarts of PostgreSQL", victim.hits.store_restarts, promise=False),
                Count("restarts of the Redis-compatible server", victim.hits.redis_restarts, promise=False),
            ]
            if mode in ON_SERVERS
            else []
        ),
        Count("time", time.monotonic() - began, promise=False, unit="s"),
    ]


async def _talk(victim: Victim, number: int, plan: ChatPlan, sent: Sent, rng: random.Random, client: httpx2.AsyncClient) -> None:
    """Somebody with several requests one after another, each ending with the call for a person."""
    name, gap = f"tg{number}", plan.seconds / plan.each
    person = await joined(victim, name, client)
    await asyncio.sleep(rng.uniform(0, gap))
    for place in range(plan.each):
        marker, step = f"{name}x{place}", place % NEW_STORY
        last = step == NEW_STORY - 1 or place == plan.each - 1
        words = marked(rng.choice(STORIES) if step == 0 else PERSON if last else rng.choice(MORE), marker)
        if rng.random() < TWICE:
            await _twice(person, words, place)
        else:
            await person.says(words)
        sent.note(name, marker)
        await listens(person, rng, seconds=rng.uniform(0, 2 * gap))


async def _twice(person: Person, words: str, place: int) -> None:
    """An update that Telegram hands out a second time, as it does where it never heard that the first had arrived."""
    card = {"id": person.id, "first_name": str(person.user["first_name"])}
    update = await person.sends_raw(
        {
            "message": {
                "message_id": 900_000_000 + place,
                "date": int(time.time()),
                "chat": {**card, "type": "private"},
                "from": {**card, "is_bot": False, "language_code": "ru"},
                "text": words,
            }
        }
    )
    await person.sends_raw(update)


async def _all_fetched(telegram_url: str, client: httpx2.AsyncClient, *, seconds: float) -> bool:
    """Whether in this time Telegram has handed out everything that it keeps for the bot."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        answer = await client.post(f"{telegram_url}/bot{TOKEN}/getWebhookInfo")
        if answer.json()["result"]["pending_update_count"] == 0:
            return True
        await asyncio.sleep(1)
    return False


async def _fail(victim: Victim, rng: random.Random, client: httpx2.AsyncClient, met: Counter[str]) -> None:
    """Plan fault after fault until cancelled, never many ahead: who is down most of the time gets nothing done, and so meets little."""
    while True:
        name, methods, fault = rng.choice(_FAULTS)
        answer = await client.post(f"{victim.telegram_url}/sandbox/telegram/api/faults", json={"method": rng.choice(methods), **fault})
        met[name] += 1
        await asyncio.sleep(rng.uniform(*FAULT_EVERY) * (1 + answer.json()["pending"]))
