"""Every update of the public sets, and generated ones of every kind, from receiving to the console: `make telegram-corpus`.

Each goes through the product's own receiving, intake, worker and templates over a real store. Promised: none raises, each is stored and
processed, and each is shown as what it is.
"""

import argparse
import asyncio
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from html import unescape
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import structlog
from fastapi import FastAPI
from sqlalchemy import func, select
from sqlalchemy.orm import selectinload
from starlette.requests import Request

from benchmarks import report
from benchmarks.report import ROOT, Row
from benchmarks.telegram_updates import DATA, Update, generate, samples, update_kinds
from channels.telegram.content import clean
from channels.telegram.mapping import to_inbound
from channels.telegram.receive import take
from desk_core.conversations.entities import INBOUND, Inbox, Message, RawInbound
from desk_core.conversations.files import safe_name
from desk_core.conversations.ports import (
    Ability,
    Accept,
    Channel,
    ChannelKind,
    InboundKind,
    InboundMessage,
    OutboundMessage,
    Receipt,
    Unalterable,
)
from desk_core.kit.clock import SystemClock
from desk_core.kit.ids import new_id
from desk_core.lanes.entities import DeadItem, WorkItem
from gateway.app import create_app
from gateway.bootstrap import Desk
from gateway.console.cards import title_of
from gateway.console.timeline import story
from gateway.settings import Limits, Settings
from gateway.setup import make_desk
from gateway.web.templating import Pages

PRESET = ROOT / "presets" / "it_service_desk"
GENERATED, QUICK = 10_000, 500
_BATCH = 100
_ZONE = ZoneInfo("Europe/Moscow")
LANGUAGES = ("ru", "en")


class Files(Unalterable):
    """A bot's adapter with a file behind every id, in place of Telegram's servers; what is sent is counted."""

    kind = ChannelKind.TELEGRAM
    abilities = frozenset({Ability.EDIT, Ability.REACT})

    def __init__(self) -> None:
        self.sent = 0

    async def run(self, accept: Accept) -> None:
        """Updates are handed in."""

    async def test(self) -> Sequence[tuple[str, bool, str]]:
        return ()

    async def send(self, message: OutboundMessage) -> Receipt:
        self.sent += 1
        return Receipt(f"{message.thread_key.partition(':')[0]}:{1000 + self.sent}")

    async def fetch(self, remote_id: str) -> AsyncIterator[bytes]:
        yield b"%PDF-1.7 " + remote_id.encode("utf-8", "replace")

    async def typing(self, thread_key: str) -> None:
        """Nobody watches."""

    async def answer_press(self, callback_id: str, text: str | None = None) -> None:
        """Nobody waits."""

    async def close_buttons(self, thread_key: str, external_id: str) -> None:
        """There is no client."""

    async def edit(self, message: OutboundMessage, shown: Receipt) -> Receipt:
        return shown

    async def react(self, thread_key: str, external_id: str, emoji: str | None) -> None:
        """There is no client."""

    async def close(self) -> None:
        """Holds nothing."""


class CorpusDesk(Desk):
    """A desk whose bot has no server; everything else is the product's own."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.telegram = Files()

    async def channel(self, inbox_id: str) -> Channel | None:
        return self.telegram


@dataclass
class Findings:
    """What was seen: problems by name, and how long it took."""

    kinds: Counter[str] = field(default_factory=Counter)
    stored: int = 0
    processed: int = 0
    shown: int = 0
    due: int = 0  # how many of them belong on a page
    raised: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    seconds: float = 0.0


class Corpus:
    """One desk that takes updates in and shows them."""

    def __init__(self, desk: CorpusDesk, app: FastAPI, inbox_id: str) -> None:
        self.desk, self.app, self.inbox_id = desk, app, inbox_id
        self.found = Findings()

    async def run(self, cases: Sequence[tuple[str, Update]]) -> None:
        """Receive, process and render every case."""
        began = time.perf_counter()
        worker = self.desk.worker()
        for at in range(0, len(cases), _BATCH):
            batch = cases[at : at + _BATCH]
            for name, update in batch:
                self.found.kinds[next((key for key in update if key != "update_id"), "empty")] += 1
                try:
                    await take(update, self.desk.accept, inbox_id=self.inbox_id, burst_seconds=0.0, clock=self.desk.clock)
                except Exception as error:  # noqa: BLE001 - what raises is what is looked for
                    self.found.raised.append(f"{name}: receiving: {error!r}")
            await worker.drain()
            await self._look(batch)
        self.found.seconds += time.perf_counter() - began

    async def _look(self, batch: Sequence[tuple[str, Update]]) -> None:
        heard = [(name, to_inbound(update, inbox_id=self.inbox_id, burst_seconds=0.0, now=self.desk.clock.now())) for name, update in batch]
        async with self.desk.database.read() as session:
            found = await session.scalars(
                select(RawInbound).where(
                    RawInbound.inbox_id == self.inbox_id, RawInbound.external_id.in_([one.external_id for _, one in heard])
                )
            )
            rows = {row.external_id: row for row in found}
            wanted = [row.message_id for row in rows.values() if row.message_id]
            related = selectinload(Message.attachments), selectinload(Message.versions)
            messages = {one.id: one for one in await session.scalars(select(Message).where(Message.id.in_(wanted)).options(*related))}
        # Of several that change one message, the page shows what the last of them made of it.
        last = {rows[one.external_id].message_id: one.external_id for _, one in heard if one.external_id in rows}
        for name, inbound in heard:
            row = rows.get(inbound.external_id)
            self.found.stored += row is not None
            self.found.processed += row is not None and row.state == "done"
            if row is None or row.state != "done":
                self.found.wrong.append(f"{name}: {'not stored' if row is None else 'not processed'}")
                continue
            if row.message_id is None or last[row.message_id] == inbound.external_id:
                self._judge(name, inbound, messages.get(row.message_id or ""))

    async def unfinished(self) -> list[str]:
        """Why work is still waiting."""
        async with self.desk.database.read() as session:
            found = await session.scalars(select(WorkItem.last_error).where(WorkItem.kind == INBOUND, WorkItem.last_error.is_not(None)))
            return [f"waits: {reason}" for reason in found]

    def _judge(self, name: str, inbound: InboundMessage, message: Message | None) -> None:
        if not belongs_on_a_page(inbound):
            return
        self.found.due += 1
        if message is None:
            self.found.wrong.append(f"{name}: no message was kept")
            return
        for language in LANGUAGES:
            try:
                page = self.render(message, language)
            except Exception as error:  # noqa: BLE001 - what raises is what is looked for
                self.found.raised.append(f"{name}: page in {language}: {error!r}")
                return
            if missing := not_shown(inbound, page, language):
                self.found.wrong.append(f"{name}: the page in {language} does not show {missing!r}")
                return
        self.found.shown += 1

    def render(self, message: Message, language: str) -> str:
        """The message as the console's page of a conversation shows it."""
        pages: Pages = self.app.state.pages
        scope = {
            "type": "http",
            "app": self.app,
            "headers": [(b"cookie", b"")],
            "query_string": b"",
            "path": "/",
            "state": {"language": language},
        }
        request = Request(scope)
        entries = story([message], [], zone=_ZONE, language=language, titles={})
        context = {**pages.context(request), "language": language}
        module = pages.for_language(language).get_template("console/parts/story.html").make_module(context)
        return str(module.story(entries, SimpleNamespace(name="Anna")))  # type: ignore[attr-defined]  # a macro of the template


def belongs_on_a_page(inbound: InboundMessage) -> bool:
    """A press of a button that is not ours files nothing, and of blocking in private the conversation itself tells."""
    if inbound.kind is InboundKind.PRESS:
        return False
    return inbound.kind is not InboundKind.MEMBERSHIP or bool(inbound.card.get("chat_type"))


def not_shown(inbound: InboundMessage, page: str, language: str) -> str:
    """What of a message its page lacks: its kind in words, its text, its files, its reactions; empty when all is there."""
    shown = "".join(unescape(page).split())
    kind = str(inbound.card.get("kind") or "")
    wanted: list[str] = [safe_name(file.name) for file in inbound.files]
    if inbound.kind is InboundKind.REACTION:
        wanted += [emoji for emoji in inbound.card.get("reactions", ()) if emoji not in ("paid", "custom_emoji")]
    elif kind not in ("", "text", "photo", "document", "rich_message", "checklist"):
        wanted.append(title_of("live_location" if "live_period" in inbound.card and kind == "location" else kind, language))
    if inbound.card.get("forwarded_from"):
        wanted.append(str(inbound.card["forwarded_from"]))
    wanted += [line for line in clean(inbound.text).splitlines() if line.strip() and not inbound.card.get("marks")]
    return next((one for one in wanted if "".join(one.split()) not in shown), "")


async def open_corpus(home: Path, *, config: dict[str, Any] | None = None) -> Corpus:
    """A desk of the shipped preset with one bot, in this folder."""
    desk = CorpusDesk(Settings(home=home, limits=Limits(telegram_per_minute=0)))
    await make_desk(desk, preset=PRESET, language="ru", admin_email="admin@desk.example", admin_password="not-a-secret", train=False)
    inbox = Inbox(
        id=new_id(), name="bot", channel="telegram", address="bot 1", language="ru", state="active", config=config or {}, secrets=None,
        last_received_at=None, last_success_at=None, last_error=None, created_at=desk.clock.now(), version=1,
    )  # fmt: skip
    async with desk.database.unit() as uow:
        uow.add(inbox)
    return Corpus(desk, await create_app(desk), inbox.id)


def _memory() -> str | None:
    """A folder in memory where there is one: what is measured here is no disk."""
    return "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108 - each run makes a folder of its own in it


async def dead(desk: Desk) -> int:
    async with desk.database.read() as session:
        return int(await session.scalar(select(func.count()).select_from(DeadItem)) or 0)


async def measure(count: int) -> tuple[list[Row], list[str]]:
    public = list(samples())
    began = time.perf_counter()
    generated = generate(count)
    took = time.perf_counter() - began
    print(f"{len(public)} public, {len(generated)} generated in {took:.0f} s", flush=True)
    rows: list[Row] = []
    problems: list[str] = []
    for what, cases in (("public", public), ("generated", generated)):
        with tempfile.TemporaryDirectory(prefix="priyom-telegram-", dir=_memory()) as home:
            corpus = await open_corpus(Path(home))
            try:
                await corpus.run(cases)
                found, buried = corpus.found, await dead(corpus.desk)
                problems += await corpus.unfinished()
            finally:
                await corpus.desk.close()
        kinds = set(update_kinds())
        rows += [
            Row.of(f"{what}: kinds of updates, of {len(kinds)}", len(kinds & set(found.kinds)), "kinds", at_least=len(kinds)),
            Row.of(f"{what}: stored", 100 * found.stored / len(cases), "%", at_least=100),
            Row.of(f"{what}: processed", 100 * found.processed / len(cases), "%", at_least=100),
            Row.of(f"{what}: shown as what they are ({found.due})", 100 * found.shown / max(found.due, 1), "%", at_least=100),
            Row.of(f"{what}: exceptions", len(found.raised), "updates", at_most=0),
            Row.of(f"{what}: buried", buried, "updates", at_most=0),
            Row.of(f"{what}: an update, received to shown twice", 1000 * found.seconds / len(cases), "ms"),
        ]
        problems += [f"{what}: {one}" for one in (*found.raised, *found.wrong)]
    return rows, problems


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit 1 where a promise is broken; 2 where the sets are not there."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.telegram_corpus", description=__doc__)
    parser.add_argument("--quick", action="store_true", help=f"{QUICK} generated updates instead of {GENERATED}")
    parser.add_argument("--count", type=int, help="so many generated updates")
    chosen = parser.parse_args(arguments)
    if not DATA.is_dir():
        print(f"no sets at {DATA}", file=sys.stderr)
        return 2
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    started_at = SystemClock().now()
    rows, problems = asyncio.run(measure(chosen.count or (QUICK if chosen.quick else GENERATED)))
    for problem in problems[:40]:
        print(problem)
    print(report.table(rows))
    path = report.write("telegram-corpus", rows, started_at=started_at)
    wrong = [row.name for row in rows if row.met is False]
    print(f"\n{len(wrong)} promises broken; {path.relative_to(ROOT)}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
