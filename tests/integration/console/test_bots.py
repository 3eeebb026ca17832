"""Telegram inboxes in the console: checked against a bot of the sandbox, switched, paused, and a token that never comes back."""

from collections.abc import AsyncIterator

import pytest
from sqlalchemy import select

from channels.telegram.channel import TelegramChannel
from channels.telegram.connection import Connection
from channels.telegram.sandbox import Sandbox
from desk_core.conversations.entities import Inbox
from desk_core.conversations.ports import ChannelKind
from desk_core.people.entities import AuditEntry
from desk_core.people.permissions import Role
from gateway import inboxes
from tests.contract.telegram.test_channel_over_sandbox import Served
from tests.factories.desk import DeskFactory
from tests.fakes.webdesk import FakeWebDesk
from tests.integration.console.conftest import Browser, LogIn

TOKEN = "7000000001:AAE" + "x" * 32
PART = {"hx-request": "true"}


@pytest.fixture
async def admin(log_in: LogIn, make: DeskFactory) -> Browser:
    browser = await log_in(await make.agent("Olga Belova", role=Role.ADMINISTRATOR))
    browser.headers["Origin"] = "http://testserver"
    return browser


@pytest.fixture
async def telegram() -> AsyncIterator[tuple[Sandbox, str]]:
    sandbox = Sandbox()
    sandbox.add_bot(TOKEN)
    async with Served(sandbox.app()) as served:
        yield sandbox, served.url


@pytest.fixture
async def inbox(desk: FakeWebDesk, make: DeskFactory, telegram: tuple[Sandbox, str]) -> AsyncIterator[Inbox]:
    config, sealed = inboxes.new_bot(desk.box, inboxes.BotOptions(token=TOKEN))
    async with desk.database.unit() as uow:
        made = await inboxes.add(
            uow, name="bot", channel=ChannelKind.TELEGRAM, address="@priyom_bot", language="en", config=config, sealed=sealed,
            clock=desk.clock,
        )  # fmt: skip
    channel = TelegramChannel(made.id, TOKEN, blobs=desk.blobs, clock=desk.clock, api_url=telegram[1])
    desk.channels[made.id] = channel
    yield made
    await channel.close()


async def stored(desk: FakeWebDesk, inbox: Inbox) -> Inbox:
    async with desk.database.read() as session:
        return await session.get_one(Inbox, inbox.id)


async def test_a_checkup_tells_every_step_and_never_the_token(admin: Browser, inbox: Inbox) -> None:
    answer = await admin.post(f"/console/settings/telegram/{inbox.id}/check", headers=PART)
    assert answer.status_code == 200
    for step in ("bot", "mode", "webhook", "receiving", "pace"):
        assert f'data-step="{step}"' in answer.text
    assert "@priyom_bot" in answer.text
    assert 'data-state="fail"' not in answer.text
    whole = await admin.get(f"/console/settings/telegram/{inbox.id}")
    assert TOKEN.partition(":")[2] not in answer.text + whole.text


async def test_a_webhook_of_others_is_told_with_what_to_do(admin: Browser, inbox: Inbox, telegram: tuple[Sandbox, str]) -> None:
    other = Connection(TOKEN, api_url=telegram[1])
    await other.call("setWebhook", {"url": "http://127.0.0.1:9/x"})
    await other.close()
    answer = await admin.post(f"/console/settings/telegram/{inbox.id}/check", headers=PART)
    assert 'data-state="fail"' in answer.text
    assert "takes the messages of this bot" in answer.text


async def test_what_the_desk_met_while_receiving_is_told_with_its_cure(admin: Browser, inbox: Inbox, desk: FakeWebDesk) -> None:
    async with desk.database.unit() as uow:
        (await uow.session.get_one(Inbox, inbox.id)).last_error = "Conflict: terminated by other getUpdates request"
    answer = await admin.post(f"/console/settings/telegram/{inbox.id}/check", headers=PART)
    assert "/revoke" in answer.text


async def test_polling_becomes_a_webhook_and_polling_again(admin: Browser, inbox: Inbox, desk: FakeWebDesk) -> None:
    url = f"/console/settings/telegram/{inbox.id}"
    form = {"mode": "webhook", "webhook_url": "https://desk.example.org", "max_connections": "12", "only_telegram": "1"}
    assert (await admin.post(url, data=form)).status_code == 303
    changed = await stored(desk, inbox)
    assert (changed.config["webhook_url"], changed.config["max_connections"], changed.config["only_telegram"]) == (
        "https://desk.example.org", 12, True,
    )  # fmt: skip
    hidden = desk.box.open(changed.secrets)
    assert len(hidden["hook_path"]) > 30
    assert hidden["hook_secret"] not in (await admin.get(url)).text
    assert hidden["hook_path"] not in (await admin.get(url)).text
    assert (await admin.post(url, data={"mode": "polling"})).status_code == 303
    back = await stored(desk, inbox)
    assert "webhook_url" not in back.config
    assert desk.box.open(back.secrets) == {"token": TOKEN}
    async with desk.database.read() as session:
        actions = list(await session.scalars(select(AuditEntry.action).where(AuditEntry.subject == "bot")))
    assert actions == ["inbox.set", "inbox.set"]


@pytest.mark.parametrize(
    "form",
    [
        {"mode": "webhook", "webhook_url": ""},
        {"mode": "webhook", "webhook_url": "desk.example.org"},
        {"mode": "webhook", "webhook_url": "https://desk.example.org", "max_connections": "101"},
        {"mode": "webhook", "webhook_url": "https://desk.example.org", "max_connections": "many"},
        {"mode": "pigeon"},
    ],
)
async def test_nonsense_changes_nothing(admin: Browser, inbox: Inbox, desk: FakeWebDesk, form: dict[str, str]) -> None:
    answer = await admin.post(f"/console/settings/telegram/{inbox.id}", data=form)
    assert answer.status_code == 422
    assert (await stored(desk, inbox)).version == inbox.version


async def test_a_pause_and_its_end(admin: Browser, inbox: Inbox, desk: FakeWebDesk) -> None:
    for state in ("paused", "active"):
        assert (await admin.post(f"/console/settings/telegram/{inbox.id}/state", data={"state": state})).status_code == 303
        assert (await stored(desk, inbox)).state == state


async def test_operators_do_not_get_there(log_in: LogIn, make: DeskFactory, inbox: Inbox) -> None:
    browser = await log_in(await make.agent("Boris Kim"))
    assert (await browser.get(f"/console/settings/telegram/{inbox.id}")).status_code == 403


async def test_a_bot_without_a_picture_has_none(admin: Browser, inbox: Inbox) -> None:
    assert (await admin.get(f"/console/settings/telegram/{inbox.id}/picture")).status_code == 404
