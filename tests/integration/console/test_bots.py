"""Telegram inboxes in the console: checked against a bot of the sandbox, switched, paused, and a token that never comes back."""

import base64
import html
import re
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import select

from channels.telegram.channel import TelegramChannel
from channels.telegram.connection import Connection
from channels.telegram.receive import CONFLICT
from channels.telegram.sandbox import Sandbox
from desk_core.conversations.entities import Inbox
from desk_core.conversations.ports import ChannelKind
from desk_core.groups import service as groups
from desk_core.kit.i18n import Phrase, translate
from desk_core.people.entities import AuditEntry
from desk_core.people.permissions import Role
from gateway import inboxes
from tests.contract.telegram.wire import Served
from tests.factories.desk import DeskFactory
from tests.fakes.webdesk import FakeWebDesk
from tests.integration.console.conftest import Browser, LogIn

TOKEN = "7000000001:AAE" + "x" * 32
PNG = base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==")
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


async def test_group_mode_and_a_local_server_are_switched_on_the_page(admin: Browser, inbox: Inbox, desk: FakeWebDesk) -> None:
    url = f"/console/settings/telegram/{inbox.id}"
    assert 'name="groups"' in (await admin.get(url)).text
    assert 'name="local"' not in (await admin.get(url)).text
    assert (await admin.post(url, data={"mode": "polling", "groups": "1", "local": "1"})).status_code == 422
    async with desk.database.unit() as uow:
        kept = await uow.session.get_one(Inbox, inbox.id)
        kept.config = {**kept.config, "api_url": "http://127.0.0.1:8081"}
    assert 'name="local"' in (await admin.get(url)).text
    own = {"mode": "polling", "api_url": "http://127.0.0.1:8081"}
    assert (await admin.post(url, data={**own, "groups": "1", "local": "1"})).status_code == 303
    changed = (await stored(desk, inbox)).config
    assert (changed["groups"], changed["local"]) == (True, True)
    assert (await admin.post(url, data={**own, "groups": "", "local": "0"})).status_code == 303
    changed = (await stored(desk, inbox)).config
    assert (changed["groups"], changed["local"]) == (False, False)


async def test_a_picture_is_handed_on_by_the_desk(admin: Browser, inbox: Inbox, telegram: tuple[Sandbox, str]) -> None:
    world = telegram[0].world
    bot = next(iter(world.bots.values()))
    bot.picture = world.files.put(PNG, kind="photo", name="bot.png")
    answer = await admin.get(f"/console/settings/telegram/{inbox.id}/picture")
    assert answer.status_code == 200
    assert (answer.headers["content-type"], answer.content) == ("image/png", PNG)
    checked = await admin.post(f"/console/settings/telegram/{inbox.id}/check", headers=PART)
    assert "Priyom (@priyom_bot)" in checked.text


async def test_a_picture_that_is_none_is_not_handed_on(admin: Browser, inbox: Inbox, telegram: tuple[Sandbox, str]) -> None:
    world = telegram[0].world
    next(iter(world.bots.values())).picture = world.files.put(b"<svg onload=alert(1)>", kind="photo", name="bot.svg")
    assert (await admin.get(f"/console/settings/telegram/{inbox.id}/picture")).status_code == 404


async def test_token_server_and_proxy_are_changed_and_their_secrets_not_shown(admin: Browser, inbox: Inbox, desk: FakeWebDesk) -> None:
    url = f"/console/settings/telegram/{inbox.id}"
    proxy, other = "socks5://desk:p4ssw0rd@proxy.example:1080", "7000000002:AAE" + "y" * 32
    form = {"mode": "polling", "token": other, "api_url": "https://api.example", "proxy": proxy}
    assert (await admin.post(url, data=form)).status_code == 303
    changed = await stored(desk, inbox)
    assert (changed.config, changed.address) == ({"bot": "7000000002", "api_url": "https://api.example"}, "bot 7000000002")
    assert desk.box.open(changed.secrets) == {"token": other, "proxy": proxy}
    page = await admin.get(url)
    assert 'value="socks5://***@proxy.example:1080"' in page.text
    assert 'value="https://api.example"' in page.text
    assert "p4ssw0rd" not in page.text
    assert other.partition(":")[2] not in page.text
    # The stars come back as they were shown, and nothing changes.
    form = {"mode": "polling", "api_url": "https://api.example", "proxy": "socks5://***@proxy.example:1080"}
    assert (await admin.post(url, data=form)).status_code == 303
    same = await stored(desk, inbox)
    assert (same.version, desk.box.open(same.secrets)["proxy"]) == (changed.version, proxy)
    # A password is not sent to another server than it was given for.
    elsewhere = await admin.post(url, data={**form, "proxy": "socks5://***@elsewhere.example:1080"})
    assert elsewhere.status_code == 422
    assert "whole address" in elsewhere.text
    wrong = await admin.post(url, data={**form, "proxy": "gopher://desk:0therSecret@proxy.example", "token": "12:short-and-secret"})
    assert wrong.status_code == 422
    assert "0therSecret" not in wrong.text
    assert "short-and-secret" not in wrong.text
    assert (await admin.post(url, data={"mode": "polling"})).status_code == 303
    last = await stored(desk, inbox)
    assert (last.config, desk.box.open(last.secrets)) == ({"bot": "7000000002"}, {"token": other})


async def test_trouble_is_told_in_the_language_of_the_reader(
    admin: Browser, log_in: LogIn, make: DeskFactory, inbox: Inbox, desk: FakeWebDesk
) -> None:
    words = Phrase(CONFLICT, words="Conflict: terminated by other getUpdates request")
    async with desk.database.unit() as uow:
        row = await uow.session.get_one(Inbox, inbox.id)
        row.last_error, row.last_error_phrase = str(words), words.to_json()
    russian = await log_in(await make.agent("Ольга Белова", role=Role.ADMINISTRATOR, language="ru"))
    russian.headers["Origin"] = "http://testserver"
    for browser, frame in ((admin, "Another program receives"), (russian, translate("ru", CONFLICT).partition("%")[0])):
        for page in (
            await browser.get(f"/console/settings/telegram/{inbox.id}"),
            await browser.get("/console/settings"),
            await browser.post(f"/console/settings/telegram/{inbox.id}/check", headers=PART),
        ):
            assert html.escape(frame, quote=True).replace("&#x27;", "&#39;") in page.text
            assert "Conflict: terminated by other getUpdates request" in page.text
    assert translate("ru", CONFLICT) != CONFLICT


async def test_a_test_message_is_linked_and_its_fate_told(admin: Browser, inbox: Inbox, desk: FakeWebDesk) -> None:
    url = f"/console/settings/telegram/{inbox.id}"
    page = await admin.post(f"{url}/test")
    assert page.status_code == 200
    code = re.search(r"https://t\.me/priyom_bot\?start=test-([\w-]+)", page.text)
    assert code is not None
    assert "got the test message" not in page.text
    async with desk.database.unit() as uow:
        used = await groups.take_code(uow, code[1], purpose=groups.FOR_TEST, now=desk.clock.now())
        used.used_by = "Anna <b> (@anna)"
    waiting = await admin.get(f"{url}/test", headers=PART)
    assert "Anna &lt;b&gt; (@anna) has opened the bot" in waiting.text
    async with desk.database.unit() as uow:
        await groups.note_answered(uow, groups.hashed(code[1]), now=desk.clock.now())
    for told in (await admin.get(f"{url}/test", headers=PART), await admin.get(url)):
        assert "Anna &lt;b&gt; (@anna) got the test message" in told.text
        assert f'datetime="{desk.clock.now():%Y-%m-%dT%H:%M}' in told.text
    async with desk.database.unit() as uow:
        with pytest.raises(groups.WrongCode):
            await groups.take_code(uow, code[1], purpose=groups.FOR_TEST, now=desk.clock.now())


async def test_a_bot_that_telegram_does_not_know_gets_no_link(admin: Browser, inbox: Inbox, telegram: tuple[Sandbox, str]) -> None:
    telegram[0].world.bots.clear()
    page = await admin.post(f"/console/settings/telegram/{inbox.id}/test")
    assert page.status_code == 422
    assert "t.me/" not in page.text
