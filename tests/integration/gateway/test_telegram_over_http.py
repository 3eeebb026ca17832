"""A bot on its whole way by real HTTP: a test message by polling and by webhook, and who may call the webhook behind a proxy."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest
from sqlalchemy import func, select

from channels.telegram.sandbox import Sandbox
from channels.telegram.sandbox.person import Person
from channels.telegram.webhook import SECRET_HEADER
from desk_core.conversations.checkups import State
from desk_core.conversations.entities import Inbox, RawInbound
from desk_core.conversations.ports import ChannelKind
from desk_core.kit.clock import FakeClock
from gateway import inboxes
from gateway.bootstrap import Desk
from gateway.checkups import NewTest, awaited_test, last_test, new_test
from gateway.receiving import Receivers
from gateway.serving import web_server
from gateway.settings import Settings
from gateway.understanding import Understanding
from models.encoder import NullEncoder
from tests.contract.telegram.wire import Served
from tests.fakes.shelf import shelved_once
from tests.services.process import free_port

pytestmark = [pytest.mark.timeout(120), pytest.mark.parametrize("store", ["sqlite"], indirect=True)]

TOKEN = "7000000001:AAE" + "x" * 32
POLLING, WEBHOOK = "polling", "webhook"


@dataclass
class Running:
    """A desk that receives and works, its bot, and a Telegram beside it."""

    desk: Desk
    sandbox: Sandbox
    inbox: Inbox
    telegram_url: str
    url: str

    def person(self, name: str, *, language: str = "en") -> Person:
        return Person(f"{self.telegram_url}/sandbox/telegram", name, language=language)

    async def reads(self) -> Inbox:
        async with self.desk.database.read() as session:
            return await session.get_one(Inbox, self.inbox.id)

    async def stored(self) -> int:
        async with self.desk.database.read() as session:
            return await session.scalar(select(func.count()).select_from(RawInbound)) or 0

    @property
    def bot(self) -> Any:
        return next(iter(self.sandbox.world.bots.values()))


Open = Callable[..., Awaitable[Running]]


async def eventually(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while True:
            if is_so():
                return
            await asyncio.sleep(0.05)


@pytest.fixture
def preset_in() -> str:
    return "en"


@pytest.fixture
async def opened(database_url: str, tmp_path: Path, clock: FakeClock) -> AsyncIterator[Open]:
    async with contextlib.AsyncExitStack() as stack:

        async def opening(way: str, *, only_telegram: bool = False) -> Running:
            port, sandbox = free_port(), Sandbox(clock=clock)
            sandbox.add_bot(TOKEN)
            served = await stack.enter_async_context(Served(sandbox.app()))
            settings = Settings(
                home=tmp_path, secret_key="k" * 40, database={"url": database_url}, work={"burst_seconds": 0},
                limits={"telegram_per_minute": 0}, http={"port": port, "trusted_proxies": "127.0.0.1"}, smtp={"port": 0},
            )  # fmt: skip
            desk = Desk(settings, clock=clock)
            stack.push_async_callback(desk.close)
            desk.understanding = Understanding(desk.database, desk.registry, clock=clock, encoder=NullEncoder(), shelved=shelved_once)
            url = f"http://127.0.0.1:{port}"
            options = inboxes.BotOptions(
                token=TOKEN, api_url=served.url, webhook_url=url if way == WEBHOOK else None, only_telegram=only_telegram
            )
            config, sealed = inboxes.new_bot(desk.box, options)
            async with desk.database.unit() as uow:
                inbox = await inboxes.add(
                    uow, name="bot", channel=ChannelKind.TELEGRAM, address="bot", language="en", config=config, sealed=sealed, clock=clock
                )
            server, _sandboxes = await web_server(desk, sandbox=False)
            tasks = [asyncio.create_task(work) for work in (server.serve(), Receivers(desk).run(), desk.worker().run())]

            async def end() -> None:
                server.should_exit = True
                await tasks[0]
                for task in tasks[1:]:
                    task.cancel()
                await asyncio.gather(*tasks[1:], return_exceptions=True)

            stack.push_async_callback(end)
            running = Running(desk, sandbox, inbox, served.url, url)
            await eventually(lambda: server.started)
            await eventually(lambda: running.bot.webhook is not None if way == WEBHOOK else bool(running.bot.updates.allowed))
            return running

        yield opening


@pytest.mark.parametrize("way", [POLLING, WEBHOOK])
async def test_whoever_opens_the_link_gets_a_test_message_and_the_desk_knows_who(opened: Open, way: str) -> None:
    running = await opened(way)
    desk = running.desk
    test = await new_test(desk, running.inbox, by="olga@desk.test")
    token = test.link.partition("?start=")[2]
    assert test.words == f"/start {token}"
    async with running.person("anna", language="ru") as anna:
        await anna.opens(token)
        assert "проверочное сообщение" in (await anna.hears(timeout=30))["text"]
        step = await awaited_test(desk, test, seconds=20)
        assert step.state is State.OK
        used = await last_test(desk, running.inbox)
        assert used is not None
        assert (step.words, used.answered_at) == (used.used_by, desk.clock.now())
        known = running.sandbox.world.find_user("anna")
        assert known is not None
        assert known.first_name in step.words
        # A second time it is no longer good, and the first stands.
        async with running.person("boris") as boris:
            await boris.opens(token)
            assert "not valid" in (await boris.hears(timeout=30))["text"]
        again = await last_test(desk, running.inbox)
        assert again is not None
        assert again.used_by == used.used_by


async def test_a_link_that_is_too_old_or_of_another_bot_gets_nothing(opened: Open, clock: FakeClock) -> None:
    running = await opened(POLLING)
    desk = running.desk
    old = await new_test(desk, running.inbox, by="olga@desk.test")
    clock.advance(timedelta(minutes=16))
    async with running.desk.database.unit() as uow:
        config, sealed = inboxes.new_bot(desk.box, inboxes.BotOptions(token="7000000009:AAE" + "z" * 32, api_url=running.telegram_url))
        other = await inboxes.add(
            uow, name="other", channel=ChannelKind.TELEGRAM, address="bot", language="en", config=config, sealed=sealed, clock=clock
        )
    running.sandbox.add_bot("7000000009:AAE" + "z" * 32, "other_bot", "Other")
    foreign = await new_test(desk, other, by="olga@desk.test")
    assert foreign.link.startswith("https://t.me/other_bot?")
    async with running.person("anna") as anna:
        for test in (old, foreign):
            await anna.opens(test.link.partition("?start=")[2])
            assert "not valid" in (await anna.hears(timeout=30))["text"]
    assert [await _outcome(desk, test) for test in (old, foreign)] == ["not_opened", "not_opened"]


async def _outcome(desk: Desk, test: NewTest) -> str | None:
    return (await awaited_test(desk, test, seconds=0)).advice


async def test_behind_a_trusted_proxy_only_telegrams_networks_reach_the_webhook(opened: Open) -> None:
    running = await opened(WEBHOOK, only_telegram=True)
    hidden = running.desk.box.open((await running.reads()).secrets)
    url, update = f"{running.url}/hooks/telegram/{hidden['hook_path']}", {"update_id": 5, "poll": {"id": "1"}}
    async with httpx2.AsyncClient(trust_env=False) as client:

        async def calls(forwarded: str | None, secret: str = hidden["hook_secret"]) -> int:
            headers = {SECRET_HEADER: secret, **({"X-Forwarded-For": forwarded} if forwarded else {})}
            return (await client.post(url, json=update, headers=headers)).status_code

        assert await calls(None) == 403
        assert await calls("203.0.113.9") == 403
        # What the caller wrote itself stands before what the proxy saw.
        assert await calls("149.154.167.220, 203.0.113.9") == 403
        assert await calls("149.154.167.220", secret="wrong") == 403
        assert await running.stored() == 0
        assert await calls("203.0.113.9, 149.154.167.220") == 200
        assert await calls("91.108.4.17") == 200
        assert await running.stored() == 1


async def test_whoever_has_seen_a_change_gets_the_bot_of_after_it(opened: Open) -> None:
    running = await opened(POLLING)
    desk = running.desk
    before = await desk.channel(running.inbox.id)
    async with desk.database.unit() as uow:
        changed = await uow.session.get_one(Inbox, running.inbox.id)
        await inboxes.set_bot(uow, changed, inboxes.BotOptions(webhook_url=running.url), box=desk.box)
        version = changed.version
    after = await desk.channel(running.inbox.id, version=version)
    assert after is not before
    assert await desk.channel(running.inbox.id) is after
    await eventually(lambda: running.bot.webhook is not None)
