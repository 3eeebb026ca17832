"""Telegram: a turn beside a bare echo bot, updates a second on one worker, and what ten thousand silent chats cost.

Sandbox, desk and echo bot are processes of their own. The pace that Telegram asks of bots is switched off, since it is what would be
measured otherwise: 30 messages a second.
"""

import asyncio
import sqlite3
import time
from pathlib import Path

import aiohttp

from benchmarks import running, turn
from benchmarks.report import Row
from benchmarks.running import Phone, RunningDesk

NO_PACE = {"PRIYOM_LIMITS__TELEGRAM_OUT_PER_SECOND": "0"}
IDLE = 10_000
REST_SECONDS = 20


def measure(*, quick: bool) -> list[Row]:
    with running.folder("telegram") as folder:
        with running.sandbox(folder) as api_url, running.echo_bot(folder, api_url, turn.ECHO_TOKEN):
            turns = _turns(folder / "turn", api_url, turns=60 if quick else 300)
        with running.sandbox(folder) as api_url:
            flood = _flood(folder / "flood", api_url, updates=600 if quick else 6_000)
        with running.sandbox(folder) as api_url:
            idle = _idle(folder / "idle", api_url, chats=1_000 if quick else IDLE)
    return [*turns, *flood, *idle]


def _desk(folder: Path, api_url: str, token: str, *, burst: str) -> RunningDesk:
    folder.mkdir()
    desk = RunningDesk(folder, env={**NO_PACE, "PRIYOM_WORK__BURST_SECONDS": burst}).make()
    desk.priyom("inbox", "add", "telegram", "--name", "bench", "--token", token, "--api-url", api_url)
    return desk.start()


def _turns(folder: Path, api_url: str, *, turns: int) -> list[Row]:
    token = "7000000061:AAE" + "d" * 32
    desk = _desk(folder, api_url, token, burst="0")
    try:
        ours, theirs = asyncio.run(turn.talk(api_url, token, turns=turns, measured=turn.texts))
    finally:
        desk.stop()
    return turn.rows("telegram: update to reply on the wire (burst_seconds=0)", ours, theirs, ratio_at_most=3)


def _flood(folder: Path, api_url: str, *, updates: int) -> list[Row]:
    """Everything waits at Telegram when the desk starts to receive; one worker takes it in, thinks and answers."""
    token = "7000000062:AAE" + "e" * 32
    desk = _desk(folder, api_url, token, burst="0")
    people = 200
    try:
        asyncio.run(_greet(api_url, token, people=1, words="/help"))
        asyncio.run(_until_idle(desk))
        desk.priyom("inbox", "pause", "bench")
        time.sleep(5)
        asyncio.run(_write(api_url, token, people=people, each=updates // people))
        spent = desk.running.cpu_seconds()
        desk.priyom("inbox", "resume", "bench")
        stored = asyncio.run(_stored(desk, updates))
        began = time.perf_counter()
        asyncio.run(_until_idle(desk))
        worked = stored + time.perf_counter() - began
        busy = (desk.running.cpu_seconds() - spent) / worked
    finally:
        desk.stop()
    name = "telegram: updates on one worker"
    return [
        Row.of(f"{name}, stored by polling", updates / stored, "/s"),
        Row.of(f"{name}, stored, understood and answered", updates / worked, "/s", at_least=300),
        # What limits it: near one core, it is the processor of the one process.
        Row.of(f"{name}, processor used while working", busy * 100, "% of a core"),
    ]


def _idle(folder: Path, api_url: str, *, chats: int) -> list[Row]:
    """The same desk with no chat and with many silent ones, started anew each time."""
    token = "7000000063:AAE" + "f" * 32
    desk = _desk(folder, api_url, token, burst="0")
    try:
        asyncio.run(_greet(api_url, token, people=1, words="/help"))
        without = _at_rest(desk)
        asyncio.run(_write(api_url, token, people=chats, each=1, words="/help"))
        asyncio.run(_until_idle(desk, seconds=900))
        with_them = _at_rest(desk)
    finally:
        desk.stop()
    return [
        Row.of(f"telegram: {chats} idle chats, processor", with_them[0] * 100, "% of a core", baseline=without[0] * 100),
        Row.of(f"telegram: {chats} idle chats, memory", with_them[1], "MB", baseline=without[1], ratio_at_most=1.1),
    ]


def _at_rest(desk: RunningDesk) -> tuple[float, float]:
    """(cores, megabytes) of a desk that was started anew and has nothing to do."""
    desk.stop()
    desk.start()
    time.sleep(REST_SECONDS)
    began, spent = time.perf_counter(), desk.running.cpu_seconds()
    time.sleep(REST_SECONDS)
    return (desk.running.cpu_seconds() - spent) / (time.perf_counter() - began), desk.running.resident_mb()


async def _greet(api_url: str, token: str, *, people: int, words: str) -> None:
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=60)) as session:
        for number in range(people):
            phone = Phone(session, api_url, bot=token.partition(":")[0], user=f"warm{number}")
            await phone.join()
            await phone.says(words)
            await phone.settle()


async def _write(api_url: str, token: str, *, people: int, each: int, words: str = "") -> None:
    """So many people write so many messages; nobody waits for answers."""
    bot, gate = token.partition(":")[0], asyncio.Semaphore(32)
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=60)) as session:

        async def one(number: int) -> None:
            user, api = f"load{number}", f"{api_url}/sandbox/telegram/api"
            async with gate:
                card = {"key": user, "first_name": user, "language_code": "ru"}
                async with session.post(f"{api}/users", json=card) as answer:
                    answer.raise_for_status()
                for place in range(each):
                    text = words or turn.PROBLEMS[(number + place) % len(turn.PROBLEMS)]
                    async with session.post(f"{api}/chats/{bot}/{user}/messages", json={"text": text}) as answer:
                        answer.raise_for_status()

        await asyncio.gather(*(one(number) for number in range(people)))


async def _stored(desk: RunningDesk, updates: int, *, seconds: float = 600) -> float:
    """Seconds until so many updates more than before the pause are in the store."""
    began = time.perf_counter()
    while time.perf_counter() - began < seconds:
        with sqlite3.connect(f"file:{desk.home / 'desk.sqlite3'}?mode=ro", uri=True) as store:
            found = store.execute("SELECT count(*) FROM raw_inbound").fetchone()[0]
        if found >= updates:
            return time.perf_counter() - began
        await asyncio.sleep(0.05)
    raise RuntimeError(f"only {found} of {updates} updates were stored")


async def _until_idle(desk: RunningDesk, *, seconds: float = 900) -> None:
    """Until no lane is ready or in hand, three looks in a row."""
    until, still = time.monotonic() + seconds, 0
    while still < 3:
        if time.monotonic() > until:
            raise RuntimeError("the desk did not come to rest")
        still = still + 1 if desk.backlog() == 0 else 0
        await asyncio.sleep(0.2)
