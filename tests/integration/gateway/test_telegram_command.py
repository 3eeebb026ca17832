"""Telegram inboxes from the shell: connected, changed one thing at a time, and secrets that are kept whole and told to nobody."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

import pytest
from sqlalchemy import select, update
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from typer.testing import CliRunner, Result

from channels.telegram.checkup import ADVICE
from channels.telegram.connection import Connection
from channels.telegram.sandbox import Sandbox
from channels.telegram.sandbox.person import Person
from desk_core.conversations.entities import Inbox
from desk_core.groups.entities import LinkCode
from desk_core.kit.clock import FakeClock
from desk_core.kit.db import Database, ReadSession
from desk_core.lanes.signal import LocalSignal
from desk_core.people.entities import AuditEntry
from gateway import inboxes
from gateway.cli.main import app
from gateway.secret_box import SecretBox
from tests.contract.telegram.wire import Served
from tests.integration.gateway.test_telegram_over_http import eventually

pytestmark = pytest.mark.parametrize("store", ["sqlite"], indirect=True)

T = TypeVar("T")
KEY = "k" * 40
TOKEN, OTHER = "7000000001:AAE" + "x" * 32, "7000000002:AAE" + "y" * 32
PROXY = "socks5://desk:p%40ss-word@proxy.example:1080"


@pytest.fixture
def preset_in() -> str:
    return "en"


class Shell:
    """`priyom` over one store."""

    def __init__(self, database: Database) -> None:
        self.database, self.box = database, SecretBox(KEY.encode())

    def __call__(self, *words: str, code: int = 0) -> Result:
        result = CliRunner().invoke(app, list(words))
        assert result.exit_code == code, result.output
        return result

    def set(self, *words: str, code: int = 0) -> str:
        return self("inbox", "set-telegram", "bot", *words, code=code).output

    def read(self, ask: Callable[[ReadSession], Awaitable[T]]) -> T:
        async def inside() -> T:
            async with self.database.read() as session:
                return await ask(session)

        return asyncio.run(inside())

    def inbox(self) -> Inbox:
        async def ask(session: ReadSession) -> Inbox:
            return (await session.scalars(select(Inbox).where(Inbox.name == "bot"))).one()

        return self.read(ask)

    @property
    def hidden(self) -> dict[str, str]:
        return self.box.open(self.inbox().secrets)

    def write(self, **values: Any) -> None:
        async def inside() -> None:
            async with self.database.unit() as uow:
                await uow.execute(update(Inbox).where(Inbox.name == "bot").values(**values))

        asyncio.run(inside())


@pytest.fixture
def shell(
    database_url: str, database: Database, clock: FakeClock, signal: LocalSignal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Shell:
    for name, value in {"HOME": str(tmp_path), "DATABASE__URL": database_url, "LOG__LEVEL": "error", "SECRET_KEY": KEY}.items():
        monkeypatch.setenv(f"PRIYOM_{name}", value)
    return Shell(database)


def add(shell: Shell, *options: str, code: int = 0) -> str:
    return shell("inbox", "add", "telegram", "--name", "bot", "--token", TOKEN, *options, code=code).output


def test_an_address_with_a_password_is_sealed_whole_from_the_start(shell: Shell) -> None:
    add(shell, "--proxy", PROXY, "--api-url", "https://key:s3cret@api.example")
    assert shell.inbox().config == {"bot": "7000000001"}
    assert shell.hidden == {"token": TOKEN, "proxy": PROXY, "api_url": "https://key:s3cret@api.example"}
    assert "s3cret" not in shell("inbox", "list", "--json").output


def test_an_address_without_one_stays_open_to_be_seen(shell: Shell) -> None:
    add(shell, "--proxy", "http://proxy.example:3128")
    assert shell.inbox().config["proxy"] == "http://proxy.example:3128"
    shell.set("--proxy", PROXY)
    assert "proxy" not in shell.inbox().config
    assert shell.hidden["proxy"] == PROXY
    shell.set("--proxy", "http://proxy.example:3128")
    assert "proxy" not in shell.hidden


def test_one_that_was_stored_openly_is_used_and_sealed_with_the_next_change(shell: Shell) -> None:
    add(shell)
    shell.write(config={"bot": "7000000001", "proxy": PROXY})
    inbox = shell.inbox()
    assert inboxes.bot_address(inbox, shell.hidden, "proxy") == PROXY
    assert "max_connections changed" in shell.set("--max-connections", "7")
    assert "proxy" not in shell.inbox().config
    assert shell.hidden["proxy"] == PROXY


def test_token_server_and_proxy_change_one_by_one(shell: Shell) -> None:
    add(shell)
    first = shell.inbox()
    assert "api_url changed" in shell.set("--api-url", "http://127.0.0.1:8081")
    assert "proxy changed" in shell.set("--proxy", PROXY)
    assert "as it was" in shell.set("--proxy", PROXY)
    assert "bot, token changed" in shell.set("--token", OTHER)
    last = shell.inbox()
    assert last.config == {"bot": "7000000002", "api_url": "http://127.0.0.1:8081"}
    assert last.address == "bot 7000000002"
    assert shell.hidden == {"token": OTHER, "proxy": PROXY}
    assert last.version == first.version + 3
    assert "api_url, proxy changed" in shell.set("--proxy", "", "--api-url", "")
    assert shell.inbox().config == {"bot": "7000000002"}
    assert shell.hidden == {"token": OTHER}

    async def ask(session: ReadSession) -> list[AuditEntry]:
        return list((await session.scalars(select(AuditEntry).where(AuditEntry.action == "inbox.set"))).all())

    assert not any("ss-word" in str(entry.after) or OTHER in str(entry.after) for entry in shell.read(ask))


@pytest.mark.parametrize(
    "options",
    [
        ("--token", "12:short"),
        ("--proxy", "ftp://desk:p4ssw0rd@proxy.example"),
        ("--proxy", "socks5://desk:p4ssw0rd@proxy.example:99999"),
        ("--proxy", "socks5://***@proxy.example:1080"),
        ("--webhook-url", "https://desk:p4ssw0rd@desk.example"),
        ("--polling", "--webhook-url", "https://desk.example"),
        ("--max-connections", "101"),
    ],
)
def test_nonsense_is_refused_without_quoting_it(shell: Shell, options: tuple[str, ...]) -> None:
    add(shell)
    said = shell.set(*options, code=1)
    assert "p4ssw0rd" not in said
    assert shell.inbox().version == 1


async def _served_test(shell: Shell, *words: str, code: int) -> Any:
    sandbox = Sandbox()
    sandbox.add_bot(TOKEN)
    async with Served(sandbox.app()) as served:
        await asyncio.to_thread(add, shell, "--api-url", served.url)
        return await asyncio.to_thread(lambda: shell("inbox", "test", "bot", "--json", *words, code=code))


async def _failing_webhook(shell: Shell) -> str:
    """What `priyom inbox test` says of a bot whose webhook answers 500, while two messages wait."""

    async def fail(_request: Request) -> Response:
        return Response("no", status_code=500)

    sandbox = Sandbox()
    bot = sandbox.add_bot(TOKEN)
    async with Served(sandbox.app()) as served, Served(Starlette(routes=[Route("/{path:path}", fail, methods=["POST"])])) as failing:
        await asyncio.to_thread(add, shell, "--api-url", served.url, "--webhook-url", failing.url)
        hidden = await asyncio.to_thread(lambda: shell.hidden)
        telegram = Connection(TOKEN, api_url=served.url)
        await telegram.call("setWebhook", {"url": f"{failing.url}/hooks/telegram/{hidden['hook_path']}"})
        await telegram.close()
        async with Person(f"{served.url}/sandbox/telegram", "anna") as anna:
            for text in ("hello", "my printer is broken"):
                await anna.says(text)
            await eventually(lambda: bot.webhook is not None and bot.webhook.last_error_message is not None)
        output = await asyncio.to_thread(lambda: shell("inbox", "test", "bot", code=1).output)
    assert hidden["hook_path"] not in output
    return output


def test_a_webhook_that_fails_is_told_with_how_much_waits_and_what_to_do(shell: Shell) -> None:
    said = asyncio.run(_failing_webhook(shell))
    assert "Waiting at Telegram: 2. Its last error: Wrong response from the webhook: 500 Internal Server Error" in said
    assert ADVICE["hook_failing"] % {"host": "127.0.0.1"} in said


def test_a_test_message_that_nobody_asks_for_is_told_with_what_to_do(shell: Shell) -> None:
    result = asyncio.run(_served_test(shell, "--to-me", "--wait", "0", code=1))
    step = json.loads(result.stdout)[-1]
    assert (step["key"], step["state"], step["advice"]) == ("to_me", "fail", "not_opened")
    assert step["todo"] == ADVICE["not_opened"]
    code = result.stderr.partition("https://t.me/priyom_bot?start=test-")[2].strip()
    assert len(code) > 10

    async def ask(session: ReadSession) -> list[LinkCode]:
        return list(await session.scalars(select(LinkCode)))

    [kept] = shell.read(ask)
    assert code not in (kept.code_hash, kept.subject)
