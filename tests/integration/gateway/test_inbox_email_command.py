"""Mail inboxes from the shell: added, changed, tested, and the past of a mailbox brought in."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import pytest
from sqlalchemy import select
from typer.testing import CliRunner, Result

from channels.email.checkup import STEPS
from channels.email.imap_account import Account, After, Fate
from desk_core.conversations.entities import Inbox, RawInbound
from desk_core.kit.clock import FakeClock
from desk_core.kit.db import Database, ReadSession
from desk_core.lanes.signal import LocalSignal
from desk_core.people.entities import AuditEntry
from gateway import inboxes, mail_inboxes
from gateway.cli.main import app
from gateway.secret_box import SecretBox
from tests.services.imap import ImapServer
from tests.services.process import free_port
from tests.unit.channels.email.mails import mail

pytestmark = pytest.mark.parametrize("store", ["sqlite"], indirect=True)

T = TypeVar("T")
KEY = "k" * 40
OAUTH = ("--imap-oauth-token-url", "https://a.example/token", "--imap-oauth-client-id", "desk", "--imap-oauth-refresh-token", "r3fresh")


@pytest.fixture
def preset_in() -> str:
    return "en"


@pytest.fixture(scope="module")
def server() -> Iterator[ImapServer]:
    made = ImapServer()
    yield made
    made.remove()


class Shell:
    """`priyom` over one store."""

    def __init__(self, database: Database) -> None:
        self.database, self.box = database, SecretBox(KEY.encode())

    def __call__(self, *words: str, code: int = 0) -> Result:
        result = CliRunner().invoke(app, list(words))
        assert result.exit_code == code, result.output
        return result

    def json(self, *words: str, code: int = 0) -> Any:
        return json.loads(self(*words, "--json", code=code).stdout)

    def read(self, ask: Callable[[ReadSession], Awaitable[T]]) -> T:
        async def inside() -> T:
            async with self.database.read() as session:
                return await ask(session)

        return asyncio.run(inside())

    def inbox(self) -> Inbox:
        async def ask(session: ReadSession) -> Inbox:
            return (await session.scalars(select(Inbox).where(Inbox.name == "help"))).one()

        return self.read(ask)

    def account(self) -> Account | None:
        inbox = self.inbox()
        return mail_inboxes.mail_account(inbox.config, self.box.open(inbox.secrets))


@pytest.fixture
def shell(
    database_url: str, database: Database, clock: FakeClock, signal: LocalSignal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Shell:
    values = {
        "HOME": str(tmp_path),
        "DATABASE__URL": database_url,
        "LOG__LEVEL": "error",
        "SECRET_KEY": KEY,
        "SMTP__PORT": str(free_port()),
    }
    for name, value in values.items():
        monkeypatch.setenv(f"PRIYOM_{name}", value)
    return Shell(database)


def add(shell: Shell, *options: str, code: int = 0) -> Result:
    return shell("inbox", "add", "email", "--name", "help", "--address", "Help@Desk.Example", *options, code=code)


class TestOptions:
    def test_are_kept_and_changed_one_by_one(self, shell: Shell) -> None:
        url = "imaps://help%40desk.example:p%40ss@imap.desk.example"
        add(shell, "--imap-url", url, "--imap-folder", "INBOX", "--imap-folder", "Заявки", "--imap-after", "move:Готово")
        account = shell.account()
        assert account is not None
        assert (account.folders, account.after, account.password) == (("INBOX", "Заявки"), After(Fate.MOVE, "Готово"), "p@ss")
        first = shell.inbox()
        assert "p@ss" not in str(first.config)
        assert "imap_after changed" in shell("inbox", "set-email", "help", "--imap-after", "delete").stdout
        account = shell.account()
        assert account is not None
        assert (account.folders, account.after) == (("INBOX", "Заявки"), After(Fate.DELETE))
        assert shell.inbox().version == first.version + 1
        assert "as it was" in shell("inbox", "set-email", "help", "--imap-after", "delete").stdout
        assert shell.inbox().version == first.version + 1

        async def ask(session: ReadSession) -> list[AuditEntry]:
            return list((await session.scalars(select(AuditEntry).where(AuditEntry.action == "inbox.set"))).all())

        [noted] = shell.read(ask)
        assert noted.after == {"changed": ["imap_after"]}

    def test_tokens_take_the_place_of_a_password_and_back(self, shell: Shell) -> None:
        add(shell, "--imap-url", "imaps://help@imap.desk.example", *OAUTH, "--imap-oauth-client-secret", "s3cret")
        account = shell.account()
        assert account is not None
        assert account.oauth is not None
        assert (account.oauth.client_secret, account.oauth.refresh_token) == ("s3cret", "r3fresh")
        config = str(shell.inbox().config)
        assert "https://a.example/token" in config
        assert not any(secret in config for secret in ("s3cret", "r3fresh"))
        shell("inbox", "set-email", "help", "--imap-url", "imaps://help:pw@imap.desk.example")
        account = shell.account()
        assert account is not None
        assert account.oauth is None

    @pytest.mark.parametrize(
        "options",
        [
            ("--imap-after", "delete"), OAUTH, ("--imap-url", "imaps://a:b@c", "--imap-after", "burn"), ("--imap-url", "https://a:b@c"),
            ("--imap-url", "imaps://a@c", *OAUTH[:4]), ("--imap-url", "imaps://a:b@c", "--imap-folder", "A", "--imap-after", "move:A"),
        ],
    )  # fmt: skip
    def test_that_make_no_mailbox_are_refused_and_nothing_is_kept(self, shell: Shell, options: tuple[str, ...]) -> None:
        add(shell, *options, code=1)
        assert shell.json("inbox", "list") == []

    def test_of_another_channel_are_none(self, shell: Shell) -> None:
        shell("inbox", "add", "webform", "--name", "site2")
        shell("inbox", "set-email", "site2", "--imap-after", "seen", code=1)
        shell("inbox", "set-email", "nobody", "--imap-after", "seen", code=3)

    def test_a_replaced_refresh_token_is_kept_and_restarts_nothing(self, shell: Shell) -> None:
        add(shell, "--imap-url", "imaps://help@imap.desk.example", *OAUTH)
        before = shell.inbox()
        asyncio.run(inboxes.keep_secret(shell.database, shell.box, before.id, "oauth_refresh_token", "newer"))
        account = shell.account()
        assert account is not None
        assert account.oauth is not None
        assert account.oauth.refresh_token == "newer"
        assert shell.inbox().version == before.version


class TestAliases:
    def test_are_given_replaced_and_taken_away(self, shell: Shell) -> None:
        add(shell, "--alias", "Info@Desk.Example", "--alias", "help@старая-фирма.рф")
        (listed,) = shell.json("inbox", "list")
        assert (listed["address"], listed["aliases"]) == ("help@desk.example", ["info@desk.example", "help@старая-фирма.рф"])
        assert "info@desk.example, help@старая-фирма.рф" in shell("inbox", "list").stdout
        assert "as it was" in shell("inbox", "set-email", "help", "--no-plus", "--plus").stdout
        changed = shell("inbox", "set-email", "help", "--alias", "it@desk.example", "--no-plus").stdout
        assert "aliases, plus changed" in changed
        assert shell.json("inbox", "list")[0]["aliases"] == ["it@desk.example"]
        shell("inbox", "set-email", "help", "--participants")
        assert shell.json("inbox", "list")[0]["aliases"] == ["it@desk.example"], "what is not given stays"
        assert "aliases changed" in shell("inbox", "set-email", "help", "--no-aliases").stdout
        assert shell.json("inbox", "list")[0]["aliases"] == []

    def test_are_refused_in_words_and_nothing_is_kept(self, shell: Shell) -> None:
        add(shell, "--alias", "help+x@desk.example", code=1)
        assert shell.json("inbox", "list") == []
        add(shell, "--alias", "info@desk.example")
        second = ("inbox", "add", "email", "--name", "it", "--address")
        assert "“help”" in shell(*second, "info@desk.example", code=1).stderr
        assert "“help”" in shell(*second, "it@desk.example", "--alias", "HELP@desk.example", code=1).stderr
        assert [one["name"] for one in shell.json("inbox", "list")] == ["help"]
        shell("inbox", "set-email", "help", "--alias", "nobody", code=1)
        shell("inbox", "set-email", "help", "--alias", "it@desk.example", "--no-aliases", code=1)
        assert shell.json("inbox", "list")[0]["aliases"] == ["info@desk.example"]


class TestBackfill:
    def test_brings_in_read_and_unread_mail_once_and_marks_nothing(self, shell: Shell, server: ImapServer) -> None:
        add(shell, "--imap-url", server.url)
        for number in (1, 2, 3):
            server.put(mail(message_id=f"<{number}@klient.ru>"))
        with server.open() as client:
            client.select("INBOX")
            client.store("1", "+FLAGS", "(\\Seen)")
        command = ("email", "backfill", "help", "--since", "2026-01-01")
        dry = shell.json(*command, "--dry-run")
        assert (dry["new"], dry["known"], dry["dry_run"]) == (3, 0, True)
        assert self.bodies(shell) == []
        assert shell.json(*command)["new"] == 3
        bodies = self.bodies(shell)
        assert all(body["card"]["imported"] and body["card"]["imap"]["folder"] == "INBOX" for body in bodies)
        again = shell.json(*command)
        assert (again["new"], again["known"]) == (0, 3)
        assert server.count("UNSEEN") == 2
        assert "3 there already" in shell(*command, "--folder", "INBOX").stdout

    def test_tells_what_stands_in_its_way(self, shell: Shell, server: ImapServer) -> None:
        add(shell)
        assert "--imap-url" in shell("email", "backfill", "help", "--since", "2026-01-01", code=1).stderr
        shell("inbox", "set-email", "help", "--imap-url", server.url)
        shell("email", "backfill", "help", "--since", "2026-01-01", "--folder", "Nowhere", code=1)
        shell("email", "backfill", "help", "--since", "soon", code=2)

    def bodies(self, shell: Shell) -> list[dict[str, Any]]:
        async def ask(session: ReadSession) -> list[dict[str, Any]]:
            return list((await session.scalars(select(RawInbound.body))).all())

        return shell.read(ask)


class TestTheTest:
    def test_tells_every_step_and_keeps_the_old_names(self, shell: Shell, server: ImapServer) -> None:
        add(shell, "--imap-url", server.url)
        steps = shell.json("inbox", "test", "help")
        assert all({"step", "passed", "words"} <= set(step) for step in steps)
        assert [step["state"] for step in steps] == ["skipped"] * 4 + ["ok"] * 5 + ["warn", "skipped"]
        assert [step["key"] for step in steps] == list(STEPS)
        assert steps[-1]["advice"] == "not_running"
        shell("inbox", "pause", "help")
        assert shell.json("inbox", "test", "help")[-1]["advice"] == "paused"

    def test_fails_when_a_step_does_and_hides_the_password(self, shell: Shell, server: ImapServer) -> None:
        add(shell, "--imap-url", server.url.replace("demopass", "wr0ng-pass"))
        told = shell("inbox", "test", "help", code=1).stdout
        assert "does not work  Log-in" in told
        assert "Check the user and the password" in told
        assert "wr0ng-pass" not in told


class TestRelays:
    def test_of_its_own_are_kept_sealed_and_given_up(self, shell: Shell) -> None:
        add(shell, "--smtp-url", "smtps://help%40desk.example:p%40ss@smtp.desk.example, smtp+starttls://second.desk.example")
        inbox = shell.inbox()
        first, second = mail_inboxes.own_relays(shell.box.open(inbox.secrets))
        assert (first.host, first.password, second.url) == ("smtp.desk.example", "p@ss", "smtp+starttls://second.desk.example:587")
        assert "p@ss" not in str(inbox.config)
        assert "as it was" in shell("inbox", "set-email", "help", "--plus").stdout
        assert "smtp_url changed" in shell("inbox", "set-email", "help", "--smtp-url", "").stdout
        assert shell.inbox().secrets is None
        assert "p@ss" not in shell("inbox", "set-email", "help", "--smtp-url", "http://u:p@ss@h", code=1).output


class TestHabits:
    def test_are_given_and_changed(self, shell: Shell) -> None:
        shell("inbox", "add", "email", "--name", "copies", "--address", "copies@firma.ru", "--participants")
        find = select(Inbox).where(Inbox.name == "copies")
        assert shell.read(lambda session: session.scalar(find)).config == {"imap": False, "participants": True}
        assert "participants, plus changed" in shell("inbox", "set-email", "copies", "--no-participants", "--no-plus").stdout
        assert "as it was" in shell("inbox", "set-email", "copies", "--no-plus").stdout
        assert mail_inboxes.habits(shell.read(lambda session: session.scalar(find)).config) == {
            "plus": False,
            "participants": False,
            "dkim": True,
        }
