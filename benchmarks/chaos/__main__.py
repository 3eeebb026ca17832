"""Sends messages on every channel while the desk's processes are killed with -9, waits until it is quiet, and counts.

Exit 0 when every promise was kept, 1 otherwise. The seed is printed; the same seed kills in the same order.
"""

import argparse
import asyncio
import contextlib
import logging
import os
import random
import shutil
import sys
import tempfile
import time
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import httpx2
import structlog

from benchmarks import report
from benchmarks.chaos import mail, telegram
from benchmarks.chaos.desks import (
    DISTRIBUTED,
    EMBEDDED,
    MAIL_DISTRIBUTED,
    MAIL_EMBEDDED,
    PARTS,
    TELEGRAM_DISTRIBUTED,
    TELEGRAM_EMBEDDED,
    Victim,
)
from benchmarks.chaos.people import Sent, chatter, visitor, writer
from benchmarks.chaos.tally import Count, tally
from benchmarks.running import sandbox
from desk_core.kit.clock import SystemClock

MAIL, TELEGRAM = (MAIL_EMBEDDED, MAIL_DISTRIBUTED), (TELEGRAM_EMBEDDED, TELEGRAM_DISTRIBUTED)
PAIRS = {"mail": MAIL, "telegram": TELEGRAM}


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is sent, and how roughly the desk is treated. Seconds."""

    chatters: int
    chats: int
    writers: int
    letters: int
    visitors: int
    pause: float
    kill_after: tuple[float, float]
    attack: float
    services_after: float
    rest: float

    @property
    def messages(self) -> int:
        return self.chatters * self.chats + self.writers * self.letters + self.visitors


FULL = Plan(
    chatters=30,
    chats=5,
    writers=30,
    letters=3,
    visitors=60,
    pause=12.0,
    kill_after=(0.5, 6.0),
    attack=240.0,
    services_after=40.0,
    rest=420.0,
)
QUICK = Plan(
    chatters=8, chats=4, writers=6, letters=3, visitors=10, pause=3.0, kill_after=(0.5, 4.0), attack=45.0, services_after=8.0, rest=240.0
)


async def one(mode: str, plan: Plan, *, seed: int, folder: Path, telegram_url: str) -> list[Count]:
    """One desk, attacked."""
    rng, began, sent = random.Random(f"{seed}-{mode}"), time.monotonic(), Sent()
    victim = Victim(mode, folder, telegram_url=telegram_url)
    try:
        await victim.make()
        await _listening(victim)
        # Shorter than the servers keep a connection, or a message would now and then meet one that is being closed.
        limits = httpx2.Limits(max_connections=400, keepalive_expiry=2.0)
        async with httpx2.AsyncClient(trust_env=False, timeout=40, limits=limits) as client:
            people = [
                *(
                    chatter(victim, n, plan.chats, sent, random.Random(rng.random()), pause=plan.pause, client=client)
                    for n in range(plan.chatters)
                ),
                *(writer(victim, n, plan.letters, sent, random.Random(rng.random()), pause=plan.pause) for n in range(plan.writers)),
                *(visitor(victim, n, sent, random.Random(rng.random()), pause=plan.pause * 4, client=client) for n in range(plan.visitors)),
            ]
            attack = asyncio.create_task(victim.attack(rng, pause=plan.kill_after, seconds=plan.attack))
            services = asyncio.create_task(victim.restart_services_after(plan.services_after))
            everybody = asyncio.gather(*people)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(everybody, plan.attack + plan.rest)
            await services
            victim.enough.set()
            await attack
        _tell(f"{mode}: {sent.count} messages accepted, {victim.hits.kills.total()} kills; waiting until it is quiet")
        quiet = await victim.quiet(seconds=plan.rest)
        counts = await tally(victim, sent)
        codes = await victim.end()
    finally:
        sent.over = True
        await victim.remove()
    hits = victim.hits
    return [
        *counts,
        Count("did not come to rest", 0 if quiet else 1),
        Count("processes that ended by themselves", sum(part.own_ends for part in victim.parts)),
        Count("processes that did not end with 0 on SIGTERM", sum(code != 0 for code in codes)),
        Count("accepted less than planned", plan.messages - sent.count),
        Count("kills with -9", hits.kills.total(), promise=False),
        Count("restarts of PostgreSQL", hits.store_restarts, promise=False),
        Count("restarts of the Redis-compatible server", hits.redis_restarts, promise=False),
        Count("time", time.monotonic() - began, promise=False, unit="s"),
    ]


async def _listening(victim: Victim) -> None:
    """Wait for the first start, so that a broken desk is told as such and not as one that was killed too often."""
    until = time.monotonic() + 120
    async with httpx2.AsyncClient(trust_env=False, timeout=5) as client:
        while time.monotonic() < until:
            try:
                if (await client.get(f"{victim.url}/readyz")).status_code == 200:
                    return
            except httpx2.HTTPError:
                await asyncio.sleep(0.3)
    raise RuntimeError(f"the desk did not start; its logs are in {victim.folder}")


def _tell(words: str) -> None:
    print(words, file=sys.stderr, flush=True)


async def _attacked(mode: str, *, quick: bool, seed: int, folder: Path) -> list[Count]:
    if mode in MAIL:
        letters = mail.QUICK if quick else mail.FULL
        _tell(f"{mode}: {letters.messages} mails, seed {seed}")
        return await mail.one(mode, letters, seed=seed, folder=folder, tell=_tell)
    if mode in TELEGRAM:
        chats = telegram.QUICK if quick else telegram.FULL
        _tell(f"{mode}: {chats.messages} messages, seed {seed}")
        with sandbox(folder) as telegram_url:
            return await telegram.one(mode, chats, seed=seed, folder=folder, telegram_url=telegram_url, tell=_tell)
    plan = QUICK if quick else FULL
    _tell(f"{mode}: {plan.messages} messages, seed {seed}")
    with sandbox(folder) as telegram_url:
        return await one(mode, plan, seed=seed, folder=folder, telegram_url=telegram_url)


async def run(modes: list[str], *, quick: bool, seed: int, started_at: datetime) -> int:
    rows, broken = list[report.Row](), list[str]()
    for mode in modes:
        folder = Path(tempfile.mkdtemp(prefix=f"priyom-chaos-{mode}-"))
        counts = await _attacked(mode, quick=quick, seed=seed, folder=folder)
        rows += [count.row(mode) for count in counts]
        bad = [count for count in counts if count.promise and count.value]
        broken += [f"{mode}: {count.name}: {count.value:g} {list(count.examples)}" for count in bad]
        if bad:
            _tell("\n".join(f"BROKEN {words}" for words in broken[-len(bad) :]))
            _tell(f"the logs of this desk are kept in {folder}")
        else:
            shutil.rmtree(folder, ignore_errors=True)
    print(report.table(rows))
    path = report.write("chaos", rows, started_at=started_at)
    print(f"\nseed {seed}; {path.relative_to(report.ROOT)}")
    return 1 if broken else 0


def main() -> int:
    """See the module."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.chaos", description=__doc__)
    parser.add_argument(
        "modes",
        nargs="*",
        metavar="mode",
        help=f"{', '.join(PARTS)}; mail or telegram for both of each; {EMBEDDED} and {DISTRIBUTED} by default",
    )
    parser.add_argument("--quick", action="store_true", help="two minutes for two modes (also: QUICK=1)")
    parser.add_argument(
        "--seed", type=int, default=int(os.environ.get("SEED", "0")), help="of the killing and of what people do; also SEED="
    )
    chosen = parser.parse_args()
    if unknown := {*chosen.modes} - {*PARTS, *PAIRS}:
        parser.error(f"no such mode: {', '.join(sorted(unknown))}")
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    quick = chosen.quick or os.environ.get("QUICK", "") not in ("", "0")
    seed = chosen.seed or random.SystemRandom().randrange(1, 100_000)
    modes = [mode for named in chosen.modes or (EMBEDDED, DISTRIBUTED) for mode in PAIRS.get(named, (named,))]
    return asyncio.run(run(modes, quick=quick, seed=seed, started_at=SystemClock().now()))


if __name__ == "__main__":
    sys.exit(main())
