"""The mail modes: two thousand mails by SMTP and IMAP while listener, fetcher and workers are killed with -9."""

import asyncio
import contextlib
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks.chaos.desks import ON_SERVERS, Victim
from benchmarks.chaos.letters import letters
from benchmarks.chaos.mail_tally import judge, load
from benchmarks.chaos.post import Post, Tray, Watcher, all_seen, mailbox
from benchmarks.chaos.tally import Count
from gateway.mail import sandbox_of
from tests.services.imap import ImapServer


@dataclass(frozen=True, slots=True)
class MailPlan:
    """How many mails come in over how many seconds, and how roughly the desk is treated for how long at most."""

    messages: int
    seconds: float
    attack: float
    services_after: float
    rest: float


FULL = MailPlan(messages=2000, seconds=150.0, attack=240.0, services_after=60.0, rest=420.0)
QUICK = MailPlan(messages=200, seconds=30.0, attack=90.0, services_after=10.0, rest=240.0)
PAUSE, AT_WORK = (0.2, 4.0), 0.5
"""Seconds that pass before a kill, and the part of the kills that also waits for work to go on: the others hit those who accept."""
NEARLY = 0.05
"""The attack ends when no more than this part of the mails waits to be filed; afterwards the desk may come to rest."""


async def one(mode: str, plan: MailPlan, *, seed: int, folder: Path, tell: Callable[[str], None]) -> list[Count]:
    """One desk, attacked until the last mail is accepted."""
    rng, began, tray = random.Random(f"{seed}-{mode}"), time.monotonic(), Tray()
    written = letters(plan.messages, rng)
    imap = await asyncio.to_thread(ImapServer)
    victim = Victim(mode, folder, imap_url=imap.url)
    watcher = Watcher(sandbox_of(victim.desk.settings, victim.desk.clock).root, tray)
    watching = asyncio.create_task(watcher.run())
    try:
        await victim.make()
        await victim.all_up(seconds=120)
        until = time.monotonic() + plan.attack
        attack = asyncio.create_task(victim.attack(rng, pause=PAUSE, at_work=AT_WORK, seconds=plan.attack))
        services = asyncio.create_task(victim.restart_services_after(plan.services_after))
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(Post(victim, imap, tray, watcher, seconds=plan.seconds).bring(written), plan.attack + plan.rest)
        accepted = time.monotonic() - began
        # Still under attack: what lies in the mailbox has to get through as well, and workers are to be killed at work.
        await all_seen(imap, seconds=plan.rest)
        await victim.nearly_done(at_most=plan.messages * NEARLY, seconds=until - time.monotonic())
        await services
        victim.enough.set()
        await attack
        kills = dict(victim.hits.kills)
        tell(f"{mode}: {sum(tray.handed_over.values())} mails handed over, {sum(kills.values())} kills; waiting until it is quiet")
        quiet = await victim.quiet(seconds=plan.rest)
        await watcher.look()
        counts = judge(written, tray, await load(victim), await asyncio.to_thread(mailbox, imap))
        codes = await victim.end()
    finally:
        tray.over = True
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
        await victim.remove()
        await asyncio.to_thread(imap.remove)
    return [
        *counts,
        Count("did not come to rest", 0 if quiet else 1),
        Count("processes that ended by themselves", sum(part.own_ends for part in victim.parts)),
        Count("processes that did not end with 0 on SIGTERM", sum(code != 0 for code in codes)),
        Count("accepted less than planned", plan.messages - len(tray.handed_over)),
        *(Count(f"kills with -9 of {kind}", count, promise=False) for kind, count in sorted(kills.items())),
        *(
            [
                Count("restarts of PostgreSQL", victim.hits.store_restarts, promise=False),
                Count("restarts of the Redis-compatible server", victim.hits.redis_restarts, promise=False),
            ]
            if mode in ON_SERVERS
            else []
        ),
        Count("time until the last 250", accepted, promise=False, unit="s"),
        Count("time", time.monotonic() - began, promise=False, unit="s"),
    ]
