"""What chats cost: updates a second through one worker, and ten thousand chats in which nobody says anything.

A bot's turn as the person meets it is measured by `turn`. Replies are left queued here: Telegram itself takes no more than 30 a second.
"""

import asyncio
import itertools
import random
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
from sqlalchemy import create_engine, insert

from benchmarks import running
from benchmarks.mail import holding
from benchmarks.mail.watch import until, until_stored, until_taken
from benchmarks.report import Row
from benchmarks.running import RunningDesk
from benchmarks.turn import ANSWERS, PROBLEMS
from desk_core.conversations.entities import Conversation, Inbox, Message
from desk_core.kit.ids import new_id
from desk_core.people.entities import Contact, ContactIdentity

_Stored = dict[str, Any]

_EACH = 10
"""Messages of a person: a story, answers, small words, and again."""
_WARM = 20
_CHATS = 10_000
_WATCHED = 30.0
"""Seconds in which nobody says anything."""


def measure(*, quick: bool) -> list[Row]:
    count = 600 if quick else 3000
    with running.folder("telegram") as folder, running.sandbox(folder) as api_url:
        with _desk(folder / "turns", api_url, holding.LETTERS, number=1) as (desk, token):
            spent = _spent(desk, api_url, token, count, held=False)
        with _desk(folder / "accepted", api_url, holding.MAILS, number=2) as (desk, token):
            accepted = _spent(desk, api_url, token, count, held=True)
        with _desk(folder / "light", api_url, holding.LETTERS, number=3, encoder=False) as (desk, token):
            light = _spent(desk, api_url, token, count, held=False)
        echo_seconds, echo_cpu = _echo(folder, api_url, count)
        empty, full = _idle(folder / "empty", api_url, 4, chats=0), _idle(folder / "full", api_url, 5, chats=_CHATS)
    echo = count / echo_seconds
    return [
        Row.of(
            "updates a second on one worker, each thought about and its reply queued; baseline: aiogram echo bot, which keeps nothing",
            count / spent[0], "/s", baseline=echo, at_least=300,
        ),
        Row.of("updates a second, the same without the sentence encoder", count / light[0], "/s", baseline=echo),
        Row.of("updates a second accepted, the work left for later", count / accepted[0], "/s", baseline=echo),
        Row.of("CPU per update to its reply queued", spent[1] / count * 1000, "ms", baseline=echo_cpu / count * 1000),
        Row.of("CPU per update to its reply queued, without the sentence encoder", light[1] / count * 1000, "ms"),
        Row.of("CPU per update accepted", accepted[1] / count * 1000, "ms", baseline=echo_cpu / count * 1000),
        Row.of(f"CPU of {_WATCHED:g} idle seconds, {_CHATS:,} chats; baseline: none", full[0] * 1000, "ms", baseline=empty[0] * 1000),
        Row.of(f"memory with {_CHATS:,} chats; baseline: none", full[1], "MB", baseline=empty[1], ratio_at_most=1.05),
    ]  # fmt: skip


@contextmanager
def _desk(folder: Path, api_url: str, held: str, *, number: int, encoder: bool = True) -> Iterator[tuple[RunningDesk, str]]:
    """A warm desk with a bot of its own, and the bot's token."""
    folder.mkdir()
    token = f"71000{number:05d}:AAE" + "d" * 32
    env = {"PRIYOM_WORK__BURST_SECONDS": "0"}
    desk = RunningDesk(folder, program=holding.program(held, encoder=encoder), env=env).make()
    desk.priyom("inbox", "add", "telegram", "--name", "bench", "--token", token, "--api-url", api_url)
    desk.start()
    try:
        asyncio.run(_say(api_url, token, _WARM, person=1_000_000))
        until_taken(desk, _WARM)
        yield desk, token
    finally:
        desk.running.real.resume()
        desk.stop()


def _spent(desk: RunningDesk, api_url: str, token: str, count: int, *, held: bool) -> tuple[float, float]:
    """Seconds, and seconds of processor time, for updates that lay with Telegram while the desk slept."""
    holding.hold(desk)
    desk.running.real.suspend()
    asyncio.run(_say(api_url, token, count, person=2_000_000))
    began, spent = time.monotonic(), desk.running.cpu_seconds()
    desk.running.real.resume()
    (until_stored if held else until_taken)(desk, _WARM + count)
    return time.monotonic() - began, desk.running.cpu_seconds() - spent


def _echo(folder: Path, api_url: str, count: int) -> tuple[float, float]:
    token = "7100000009:AAE" + "e" * 32
    with running.echo_bot(folder, api_url, token) as process:
        asyncio.run(_say(api_url, token, _WARM, person=3_000_000))
        asyncio.run(_until_fetched(api_url, token))
        process.real.suspend()
        asyncio.run(_say(api_url, token, count, person=4_000_000))
        began, spent = time.monotonic(), process.cpu_seconds()
        process.real.resume()
        asyncio.run(_until_fetched(api_url, token))
        return time.monotonic() - began, process.cpu_seconds() - spent


async def _say(api_url: str, token: str, count: int, *, person: int) -> None:
    """Put so many messages before the bot, a few from each person, in the order of a busy hour."""
    chance, bot = random.Random(count), token.partition(":")[0]
    people = range(person, person + max(1, count // _EACH))
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=60)) as session:
        users = {key: await _known(session, api_url, bot, key) for key in people}
        for number, key in enumerate(itertools.islice(itertools.cycle(people), count)):
            place = number // len(people)
            text = chance.choice(PROBLEMS) if place % 4 == 0 else chance.choice(ANSWERS)
            update = {"message": _message(users[key], text, 1 + place)}
            async with session.post(f"{api_url}/sandbox/telegram/api/chats/{bot}/{users[key]}/updates", json=update) as response:
                response.raise_for_status()


async def _known(session: aiohttp.ClientSession, api_url: str, bot: str, key: int) -> int:
    """The id of a person who is known to the sandbox, in a chat with a bot that is known to it."""
    body = {"key": f"p{key}", "first_name": "Анна", "language_code": "ru"}
    while True:
        async with session.post(f"{api_url}/sandbox/telegram/api/users", json=body) as response:
            response.raise_for_status()
            user = int((await response.json())["id"])
        async with session.get(f"{api_url}/sandbox/telegram/api/chats/{bot}/{user}") as response:
            if response.status == 200:
                return user
        await asyncio.sleep(0.1)  # the bot has not called yet


def _message(user: int, text: str, number: int) -> dict[str, Any]:
    person = {"id": user, "first_name": "Анна"}
    return {
        "message_id": number,
        "date": int(time.time()),
        "chat": {**person, "type": "private"},
        "from": {**person, "is_bot": False, "language_code": "ru"},
        "text": text,
    }


async def _until_fetched(api_url: str, token: str) -> None:
    async with aiohttp.ClientSession() as session:
        while True:
            async with session.post(f"{api_url}/bot{token}/getWebhookInfo") as response:
                if (await response.json())["result"]["pending_update_count"] == 0:
                    return
            await asyncio.sleep(0.02)


def _idle(folder: Path, api_url: str, number: int, *, chats: int) -> tuple[float, float]:
    """(seconds of processor time in which nobody says anything, MB held) of a desk that was talked to once."""
    folder.mkdir()
    token = f"71000{number:05d}:AAE" + "d" * 32
    desk = RunningDesk(folder, env={"PRIYOM_WORK__BURST_SECONDS": "0"}).make()
    desk.priyom("inbox", "add", "telegram", "--name", "bench", "--token", token, "--api-url", api_url)
    _fill(desk.home / "desk.sqlite3", chats)
    desk.start()
    try:
        asyncio.run(_say(api_url, token, _WARM, person=5_000_000))
        until_taken(desk, _WARM)
        with closing(sqlite3.connect(desk.home / "desk.sqlite3")) as store:
            until(lambda: store.execute("SELECT count(*) FROM work_items WHERE kind = 'deliver'").fetchone()[0] == 0, seconds=120)
        time.sleep(5)
        spent = desk.running.cpu_seconds()
        time.sleep(_WATCHED)
        return desk.running.cpu_seconds() - spent, desk.running.resident_mb()
    finally:
        desk.stop()


def _fill(path: Path, chats: int) -> None:
    """Chats that were begun some time ago, each with a word of the person."""
    if not chats:
        return
    now = datetime(2026, 11, 1, 9, 0, tzinfo=UTC)
    engine = create_engine(f"sqlite:///{path}")
    contacts, identities, conversations, messages = list[_Stored](), list[_Stored](), list[_Stored](), list[_Stored]()
    with engine.begin() as connection:
        inbox = connection.execute(Inbox.__table__.select().where(Inbox.name == "bench")).one().id
        for number in range(chats):
            contact, conversation, address = new_id(), new_id(), str(8_000_000 + number)
            contacts.append({"id": contact, "name": f"Анна {number}", "language": "ru", "facts": {}, "created_at": now})
            identities.append({"id": new_id(), "contact_id": contact, "channel": "telegram", "address": address, "display": address})
            conversations.append(
                {
                    "id": conversation, "inbox_id": inbox, "channel": "telegram", "contact_id": contact, "thread_key": address,
                    "baton": "bot", "language": "ru", "dialogue": {}, "last_inbound_at": now, "created_at": now, "updated_at": now,
                    "version": 1,
                }
            )  # fmt: skip
            messages.append(
                {
                    "id": new_id(), "conversation_id": conversation, "inbox_id": inbox, "direction": "inbound", "author_kind": "contact",
                    "author": "Анна", "text": "Здравствуйте!", "card": {}, "buttons": [], "external_id": f"{address}:1", "verdict": {},
                    "delivery_attempts": 0, "at": now, "meta": {},
                }
            )  # fmt: skip
        filled: Sequence[tuple[Any, list[_Stored]]] = (
            (Contact, contacts), (ContactIdentity, identities), (Conversation, conversations), (Message, messages),
        )  # fmt: skip
        for entity, rows in filled:
            connection.execute(insert(entity.__table__), rows)
    engine.dispose()
