"""Mail inboxes in the console: added, checked with a real IMAP server, paused, and a secret that never comes back."""

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from selectolax.lexbor import LexborHTMLParser
from sqlalchemy import select

from channels.email.imap_account import After, Fate
from channels.email.smtp_in import MailListener
from desk_core.conversations.entities import Inbox, RawInbound
from desk_core.conversations.ports import ChannelKind
from desk_core.kit.db import Database
from desk_core.people.entities import AuditEntry
from desk_core.people.permissions import Role
from desk_core.routing.rules import Actions, Condition, Rule
from gateway import inboxes, mail_inboxes
from gateway.console.mail_arrival import Arrival
from gateway.mail_inboxes import MailOptions
from gateway.settings import Http, Settings, Smtp
from tests.factories.desk import DeskFactory
from tests.fakes.reading import english, read
from tests.fakes.webdesk import FakeWebDesk
from tests.fakes.zone import Zone
from tests.integration.console.conftest import Browser, LogIn
from tests.services.imap import ImapServer
from tests.services.process import free_port

BASE = "/console/settings/mail"
URL = "imaps://help%40firma.ru:old-s3cret@imap.firma.ru:993"
PART = {"hx-request": "true"}


@pytest.fixture(scope="module")
def server() -> Iterator[ImapServer]:
    made = ImapServer()
    yield made
    made.remove()


@pytest.fixture
async def admin(log_in: LogIn, make: DeskFactory, desk: FakeWebDesk) -> Browser:
    # Nobody listens for mail at the port of these tests unless they say so.
    desk.settings = Settings(home=desk.settings.home, http=Http(public_url="http://testserver"), smtp=Smtp(port=free_port()))
    browser = await log_in(await make.agent("Olga Belova", role=Role.ADMINISTRATOR))
    browser.headers["Origin"] = "http://testserver"
    return browser


@pytest.fixture
async def inbox(desk: FakeWebDesk, make: DeskFactory) -> Inbox:
    config, hidden = MailOptions(imap_url=URL, imap_folders=("INBOX", "Заявки"), imap_after="move:Готово").over({}, {})
    return await add(desk, "firma", "help@firma.ru", config, hidden)


async def add(desk: FakeWebDesk, name: str, address: str, config: dict[str, Any], hidden: dict[str, str]) -> Inbox:
    async with desk.database.unit() as uow:
        return await inboxes.add(
            uow, name=name, channel=ChannelKind.EMAIL, address=address, language="en", config=config,
            sealed=desk.box.seal(hidden) if hidden else None, clock=desk.clock,
        )  # fmt: skip


def form(server: ImapServer, **typed: str) -> dict[str, str]:
    return {
        "name": "pymap", "address": "help@desk.example", "host": "127.0.0.1", "port": str(server.port), "security": "imap",
        "user": "demouser", "password": "demopass", "folders": "INBOX", "after": "seen", **typed,
    }  # fmt: skip


def stored_form(inbox: Inbox, **typed: str) -> dict[str, str]:
    return {
        "host": "imap.firma.ru", "port": "993", "security": "imaps", "user": "help@firma.ru", "folders": "INBOX\r\nЗаявки", "after": "move",
        "move_to": "Готово", "version": str(inbox.version), **typed,
    }  # fmt: skip


def states(page: str) -> dict[str, str]:
    return dict(re.findall(r'data-step="(\w+)" data-state="(\w+)"', page))


async def stored(database: Database, name: str) -> Inbox | None:
    async with database.read() as session:
        found: Inbox | None = await session.scalar(select(Inbox).where(Inbox.name == name))
        return found


async def audited(database: Database) -> list[AuditEntry]:
    async with database.read() as session:
        return list((await session.scalars(select(AuditEntry).order_by(AuditEntry.at, AuditEntry.id))).all())


class TestWhoMay:
    @pytest.mark.parametrize("role", [Role.AGENT, Role.SUPERVISOR])
    async def test_only_administrators_open_and_change(self, log_in: LogIn, make: DeskFactory, inbox: Inbox, role: Role) -> None:
        browser = await log_in(await make.agent("Somebody", role=role))
        browser.headers["Origin"] = "http://testserver"
        here = f"{BASE}/{inbox.id}"
        assert [(await browser.get(page)).status_code for page in (f"{BASE}/new", here)] == [403, 403]
        asked = [
            await browser.post(page, data={"state": "paused"})
            for page in (BASE, f"{BASE}/check", here, f"{here}/check", f"{here}/state", f"{here}/aliases")
        ]
        assert [answer.status_code for answer in asked] == [403] * 6
        settings = (await browser.get("/console/settings")).text
        assert "help@firma.ru" in settings
        assert BASE not in settings

    async def test_no_other_site_does(self, admin: Browser, inbox: Inbox, database: Database) -> None:
        refused = await admin.post(f"{BASE}/{inbox.id}/state", data={"state": "paused"}, headers={"Origin": "https://evil.example"})
        assert refused.status_code == 403
        kept = await stored(database, "firma")
        assert kept is not None
        assert kept.state == "active"


class TestAdding:
    async def test_begins_with_the_address_and_guesses_the_rest(self, admin: Browser) -> None:
        first = (await admin.get(f"{BASE}/new")).text
        assert 'name="address"' in first
        assert 'name="password"' not in first
        page = (await admin.get(f"{BASE}/new", params={"address": "Support@Yandex.ru"})).text
        for filled in ('name="host" type="text" value="imap.yandex.ru"', 'value="993"', 'value="support@yandex.ru"', 'value="support"'):
            assert filled in page
        assert (await admin.get(f"{BASE}/new", params={"address": "nobody"})).status_code == 422

    async def test_a_checked_mailbox_is_stored_and_works(
        self, admin: Browser, server: ImapServer, database: Database, desk: FakeWebDesk
    ) -> None:
        checked = await admin.post(f"{BASE}/check", data=form(server))
        assert checked.status_code == 200
        assert {key: state for key, state in states(checked.text).items() if key.startswith("imap")} == dict.fromkeys(
            ("imap_tcp", "imap_tls", "imap_login", "imap_folder", "imap_fetch"), "ok"
        )
        assert "demopass" not in checked.text
        assert await stored(database, "pymap") is None
        saved = await admin.post(BASE, data=form(server, folders="INBOX\r\nЗаявки", after="move", move_to="Готово"))
        assert saved.status_code == 303
        inbox = await stored(database, "pymap")
        assert inbox is not None
        account = mail_inboxes.mail_account(inbox.config, desk.box.open(inbox.secrets))
        assert account is not None
        assert (account.password, account.folders, account.after) == ("demopass", ("INBOX", "Заявки"), After(Fate.MOVE, "Готово"))
        assert "demopass" not in str(inbox.config)
        page = (await admin.get(saved.headers["location"])).text
        assert "begins to receive within seconds" in page
        assert "demopass" not in page
        [noted] = await audited(database)
        assert (noted.action, noted.subject, noted.ip) == ("inbox.add", "pymap", "10.1.2.3")
        assert "demopass" not in str(noted.after)

    async def test_a_password_typed_once_lasts_without_javascript_for_its_own_server_only(
        self, admin: Browser, server: ImapServer, database: Database
    ) -> None:
        checked = (await admin.post(f"{BASE}/check", data=form(server))).text
        kept = re.search(r'name="kept" value="([^"]+)"', checked)
        assert kept is not None
        again = form(server, password="", kept=kept[1])
        elsewhere = await admin.post(f"{BASE}/check", data={**again, "host": "127.0.0.2"})
        assert elsewhere.status_code == 422
        assert "A password is needed." in elsewhere.text
        assert (await admin.post(BASE, data={**again, "kept": "made-up"})).status_code == 422
        assert (await admin.post(BASE, data=again)).status_code == 303
        assert await stored(database, "pymap") is not None

    async def test_a_failing_step_says_what_to_do(self, admin: Browser, server: ImapServer) -> None:
        part = await admin.post(f"{BASE}/check", data=form(server, password="wr0ng"), headers=PART)
        assert "<html" not in part.text
        assert states(part.text)["imap_login"] == "fail"
        assert states(part.text)["imap_folder"] == "skipped"
        assert "Check the user and the password" in part.text
        assert "wr0ng" not in part.text

    async def test_mail_that_only_comes_to_the_listener_needs_no_mailbox(
        self, admin: Browser, server: ImapServer, database: Database
    ) -> None:
        typed = form(server, host="", user="", password="", port="")
        assert states((await admin.post(f"{BASE}/check", data=typed)).text)["imap_tcp"] == "skipped"
        assert (await admin.post(BASE, data=typed)).status_code == 303
        inbox = await stored(database, "pymap")
        assert inbox is not None
        assert (inbox.secrets, inbox.config["imap"]) == (None, False)

    @pytest.mark.parametrize(
        ("typed", "field"),
        [
            ({"name": "a b"}, "name"),
            ({"name": "firma"}, "name"),
            ({"address": "x"}, "address"),
            ({"address": "help@firma.ru"}, "address"),
            ({"port": "x"}, "port"),
            ({"port": "²"}, "port"),
            ({"host": "."}, "host"),
            ({"port": "70000"}, "port"),
            ({"host": "imap://x/"}, "host"),
            ({"user": " "}, "user"),
            ({"password": ""}, "password"),
            ({"after": "move"}, "move_to"),
            ({"after": "move", "move_to": "INBOX"}, "move_to"),
        ],
    )
    async def test_what_does_not_fit_is_told_at_its_field(
        self, admin: Browser, server: ImapServer, inbox: Inbox, typed: dict[str, str], field: str
    ) -> None:
        refused = await admin.post(BASE, data=form(server, **typed))
        assert refused.status_code in (409, 422)
        assert f'id="f-{field}-error"' in refused.text
        assert f'href="#f-{field}"' in refused.text

    @pytest.mark.parametrize("typed", [{"after": "burn"}, {"security": "ftp"}])
    async def test_made_up_choices_are_refused(self, admin: Browser, server: ImapServer, typed: dict[str, str]) -> None:
        assert (await admin.post(BASE, data=form(server, **typed))).status_code == 422


class TestChanging:
    async def test_the_secret_is_dots_and_stays_when_left_empty(
        self, admin: Browser, inbox: Inbox, database: Database, desk: FakeWebDesk
    ) -> None:
        page = (await admin.get(f"{BASE}/{inbox.id}")).text
        assert "old-s3cret" not in page
        assert 'placeholder="••••••••"' in page
        assert "Заявки" in page
        assert (await admin.post(f"{BASE}/{inbox.id}", data=stored_form(inbox, after="delete", move_to=""))).status_code == 303
        kept = await stored(database, "firma")
        assert kept is not None
        account = mail_inboxes.mail_account(kept.config, desk.box.open(kept.secrets))
        assert account is not None
        assert (account.password, account.after) == ("old-s3cret", After(Fate.DELETE))
        assert kept.version == inbox.version + 1
        assert (await audited(database))[-1].after == {"changed": ["imap_after"]}

    async def test_the_stored_secret_goes_to_no_other_server(self, admin: Browser, inbox: Inbox, server: ImapServer) -> None:
        elsewhere = stored_form(inbox, host="127.0.0.1", port=str(server.port), security="imap")
        for page in (f"{BASE}/{inbox.id}/check", f"{BASE}/{inbox.id}"):
            refused = await admin.post(page, data=elsewhere)
            assert refused.status_code == 422
            assert "it was given for another server or user" in refused.text

    async def test_a_new_secret_takes_its_place(self, admin: Browser, inbox: Inbox, database: Database, desk: FakeWebDesk) -> None:
        assert (await admin.post(f"{BASE}/{inbox.id}", data=stored_form(inbox, password="n3w"))).status_code == 303
        kept = await stored(database, "firma")
        assert kept is not None
        assert "n3w" in desk.box.open(kept.secrets)["imap_url"]

    async def test_two_at_once_do_not_overwrite_each_other(self, admin: Browser, inbox: Inbox) -> None:
        assert (await admin.post(f"{BASE}/{inbox.id}", data=stored_form(inbox, after="seen", move_to=""))).status_code == 303
        assert (await admin.post(f"{BASE}/{inbox.id}", data=stored_form(inbox))).status_code == 409

    async def test_tokens_stay_until_a_password_is_typed(
        self, admin: Browser, desk: FakeWebDesk, make: DeskFactory, database: Database
    ) -> None:
        options = MailOptions(
            "imaps://help%40firma.ru@imap.firma.ru", oauth_token_url="https://a.example", oauth_client_id="c", oauth_refresh_token="r3fresh"
        )
        inbox = await add(desk, "token", "help@firma.ru", *options.over({}, {}))
        assert "XOAUTH2" in (await admin.get(f"{BASE}/{inbox.id}")).text
        assert (await admin.post(f"{BASE}/{inbox.id}", data=stored_form(inbox))).status_code == 303
        kept = await stored(database, "token")
        assert kept is not None
        account = mail_inboxes.mail_account(kept.config, desk.box.open(kept.secrets))
        assert account is not None
        assert account.oauth is not None
        assert account.after == After(Fate.MOVE, "Готово")
        assert (await admin.post(f"{BASE}/{inbox.id}", data=stored_form(kept, password="pw"))).status_code == 303
        kept = await stored(database, "token")
        assert kept is not None
        assert list(desk.box.open(kept.secrets)) == ["imap_url"]

    async def test_without_a_server_nothing_is_fetched_any_more(self, admin: Browser, inbox: Inbox, database: Database) -> None:
        assert (await admin.post(f"{BASE}/{inbox.id}", data=stored_form(inbox, host="", after="seen"))).status_code == 303
        kept = await stored(database, "firma")
        assert kept is not None
        assert (kept.secrets, kept.config) == (None, {"imap": False})

    async def test_a_secret_that_cannot_be_opened_is_typed_anew(self, admin: Browser, inbox: Inbox, database: Database) -> None:
        async with database.unit() as uow:
            (await uow.session.get_one(Inbox, inbox.id)).secrets = "sealed with another key"
        page = await admin.get(f"{BASE}/{inbox.id}")
        assert page.status_code == 200
        assert "PRIYOM_SECRET_KEY" in page.text

    async def test_other_addresses_are_given_and_taken_away(self, admin: Browser, inbox: Inbox, database: Database) -> None:
        here = f"{BASE}/{inbox.id}"
        assert "Answers always go out from help@firma.ru" in (await admin.get(here)).text
        saved = await admin.post(f"{here}/aliases", data={"aliases": "Info@Firma.ru\r\n\r\n it@old.ru \r\n"})
        page = (await admin.get(saved.headers["location"])).text
        assert "info@firma.ru\nit@old.ru</textarea>" in page
        assert "help@firma.ru, info@firma.ru, it@old.ru" in page
        assert "Saved" in page
        await admin.post(f"{here}/aliases", data={"aliases": ""})
        kept = await stored(database, "firma")
        assert kept is not None
        assert (kept.addresses, kept.version) == (("help@firma.ru",), inbox.version + 2)
        await admin.post(f"{here}/aliases", data={"aliases": " "})
        assert [noted.after for noted in await audited(database)] == [{"aliases": ["info@firma.ru", "it@old.ru"]}, {"aliases": []}]

    @pytest.mark.parametrize(
        ("wrong", "status", "words"),
        [
            ("nobody", 422, "nobody is not a mail address"),
            ("Help+x@firma.ru", 422, "help+x@firma.ru comes here already"),
            ("it+vip@firma.ru", 409, "“it” already"),
            ("\r\n".join(f"a{number}@firma.ru" for number in range(51)), 422, "at most 50"),
        ],
    )
    async def test_an_address_that_does_not_fit_is_told_beside_what_was_typed(
        self, admin: Browser, inbox: Inbox, desk: FakeWebDesk, database: Database, wrong: str, status: int, words: str
    ) -> None:
        await add(desk, "it", "it@firma.ru", {"imap": False}, {})
        refused = await admin.post(f"{BASE}/{inbox.id}/aliases", data={"aliases": f"info@firma.ru\r\n{wrong}"})
        assert refused.status_code == status
        page = LexborHTMLParser(refused.text)
        assert words in page.css_first("#f-aliases-error").text()
        assert page.css_first("#f-aliases").text().split() == ["info@firma.ru", *wrong.split()]
        kept = await stored(database, "firma")
        assert kept is not None
        assert kept.addresses == ("help@firma.ru",)

    async def test_pausing_and_resuming(self, admin: Browser, inbox: Inbox, database: Database) -> None:
        paused = await admin.post(f"{BASE}/{inbox.id}/state", data={"state": "paused"})
        assert "Nothing is lost" in (await admin.get(paused.headers["location"])).text
        assert "Paused" in (await admin.get("/console/settings")).text
        await admin.post(f"{BASE}/{inbox.id}/state", data={"state": "active"})
        kept = await stored(database, "firma")
        assert kept is not None
        assert (kept.state, kept.version) == ("active", inbox.version + 2)
        assert [noted.action for noted in await audited(database)] == ["inbox.pause", "inbox.resume"]
        assert (await admin.post(f"{BASE}/{inbox.id}/state", data={"state": "burnt"})).status_code == 422

    async def test_what_is_no_mail_inbox_has_no_page(self, admin: Browser, desk: FakeWebDesk, make: DeskFactory) -> None:
        async with desk.database.unit() as uow:
            form_inbox = await inboxes.add(
                uow, name="form", channel=ChannelKind.WEBFORM, address="/f/form", language="en", config={}, sealed=None, clock=desk.clock
            )
        assert (await admin.get(f"{BASE}/{form_inbox.id}")).status_code == 404
        assert (await admin.get(f"{BASE}/0191f3e0-0000-7000-8000-000000000009")).status_code == 404


class TestManner:
    async def test_language_and_names_are_changed(self, admin: Browser, inbox: Inbox, database: Database) -> None:
        assert 'value="operator" selected' in (await admin.get(f"{BASE}/{inbox.id}")).text
        typed = {"language": "ru", "signed_by": "team"}
        for _again in range(2):
            assert (await admin.post(f"{BASE}/{inbox.id}/manner", data=typed)).status_code == 303
        kept = await stored(database, "firma")
        assert kept is not None
        assert (kept.language, kept.signs_as_team, kept.version) == ("ru", True, inbox.version + 1)
        assert [entry.after for entry in await audited(database)] == [typed]

    @pytest.mark.parametrize("typed", [{"language": "xx", "signed_by": "team"}, {"language": "ru", "signed_by": "pirate"}])
    async def test_made_up_choices_are_refused(self, admin: Browser, inbox: Inbox, database: Database, typed: dict[str, str]) -> None:
        assert (await admin.post(f"{BASE}/{inbox.id}/manner", data=typed)).status_code == 422
        kept = await stored(database, "firma")
        assert kept is not None
        assert (kept.language, kept.signs_as_team) == ("en", False)

    async def test_the_team_is_told_by_the_rules_that_look_at_the_inbox(self, admin: Browser, inbox: Inbox, desk: FakeWebDesk) -> None:
        assert "No routing rule looks at this inbox." in (await admin.get(f"{BASE}/{inbox.id}")).text
        config = await desk.config()
        key, team = next(iter(config.teams.items()))
        rule = Rule(0, {"en": "All of firma"}, (Condition("inbox", "in", ("other", "firma")),), Actions(team=key))
        desk._config = replace(config, rules=(rule, *config.rules))
        page = (await admin.get(f"{BASE}/{inbox.id}")).text
        assert "by the rule “All of firma”" in page
        assert team.titles["en"] in page

    async def test_operators_change_nothing(self, log_in: LogIn, make: DeskFactory, inbox: Inbox) -> None:
        browser = await log_in(await make.agent("Somebody", role=Role.SUPERVISOR))
        browser.headers["Origin"] = "http://testserver"
        assert (await browser.post(f"{BASE}/{inbox.id}/manner", data={"language": "ru", "signed_by": "team"})).status_code == 403


class TestListener:
    async def test_a_local_one_says_who_reaches_it_and_how_to_point_mail_to_it(
        self, admin: Browser, inbox: Inbox, desk: FakeWebDesk
    ) -> None:
        page = (await admin.get(f"{BASE}/{inbox.id}")).text
        port = desk.settings.smtp.port
        for words in (
            f"127.0.0.1:{port}",
            "Only programs on this machine",
            f"help@firma.ru smtp:[127.0.0.1]:{port}",
            "come to port 25 only",
        ):
            assert words in page

    def test_a_public_one_is_named_by_the_desks_address(self) -> None:
        smtp = Smtp(host="::", port=25, lmtp_port=24, tls_cert=Path("/x.pem"))
        arrival = Arrival.of(
            Settings(smtp=smtp, http=Http(public_url="https://desk.firma.ru")), "help@firma.ru", "it@firma.ru", "a@почта.рф"
        )
        assert (arrival.listens, arrival.tls, arrival.takes_mx) == ("[::]:25", True, True)
        way = "lmtp:inet:desk.firma.ru:24"
        assert arrival.transport == [f"help@firma.ru {way}", f"it@firma.ru {way}", f"a@почта.рф {way}"]
        assert arrival.mx == ["firma.ru. IN MX 10 desk.firma.ru.", "xn--80a1acny.xn--p1ai. IN MX 10 desk.firma.ru."]


class TestMailToItself:
    @pytest.fixture
    async def listener(self, desk: FakeWebDesk, admin: Browser) -> AsyncIterator[MailListener]:
        from gateway.flows.intake import Intake
        from gateway.mail import Addresses

        listener = MailListener(
            "127.0.0.1", 0, inboxes=Addresses(desk).find, blobs=desk.blobs, secret=desk.key, clock=desk.clock,  # type: ignore[arg-type]  # only its database is asked
            accept=Intake(desk.database, clock=desk.clock, signal=desk.signal, blobs=desk.blobs),
        )  # fmt: skip
        await listener.start()
        desk.settings = Settings(home=desk.settings.home, http=Http(public_url="http://testserver"), smtp=Smtp(port=listener.port))
        yield listener
        await listener.stop()

    async def test_arrives_and_is_known_as_our_own(
        self, admin: Browser, desk: FakeWebDesk, make: DeskFactory, listener: MailListener, database: Database
    ) -> None:
        inbox = await add(desk, "listens", "help@desk.example", {"imap": False}, {})
        await asyncio.sleep(0)
        typed = {"host": "", "version": "1"}
        offered = await admin.post(f"{BASE}/{inbox.id}/check", data=typed, headers=PART)
        assert "loop" not in states(offered.text)
        assert f'formaction="{BASE}/{inbox.id}/check?itself=1"' in offered.text
        seen = await admin.post(f"{BASE}/{inbox.id}/check?itself=1", data=typed, headers=PART)
        assert states(seen.text)["loop"] == "ok"
        async with database.read() as session:
            [body] = (await session.scalars(select(RawInbound.body))).all()
        assert (body["verdict"], body["held"]) == ("own_check", True)

    async def test_is_not_sent_while_nobody_would_take_it(self, admin: Browser, server: ImapServer, inbox: Inbox) -> None:
        unsaved = await admin.post(f"{BASE}/check?itself=1", data=form(server), headers=PART)
        assert "Tried once the inbox is saved." in unsaved.text


class TestWords:
    async def test_the_settings_lead_here_and_tell_how_each_is(
        self, admin: Browser, inbox: Inbox, database: Database, desk: FakeWebDesk
    ) -> None:
        async with database.unit() as uow:
            there = await uow.session.get_one(Inbox, inbox.id)
            there.last_error, there.last_success_at = "Заявки: no such mailbox", desk.clock.now()
        page = (await admin.get("/console/settings")).text
        for words in (f"{BASE}/new", f"{BASE}/{inbox.id}", "Заявки: no such mailbox", "Last visit without trouble"):
            assert words in page

    async def test_every_page_is_russian(
        self, log_in: LogIn, make: DeskFactory, inbox: Inbox, server: ImapServer, desk: FakeWebDesk
    ) -> None:
        desk.resolver = Zone(silent=frozenset({"firma.ru"}))
        browser = await log_in(await make.agent("Ольга", role=Role.ADMINISTRATOR, language="ru"))
        browser.headers["Origin"] = "http://testserver"
        typed = form(server, address="help@firma.ru", folders="INBOX\r\nНет такой")
        pages = [
            await browser.get(f"{BASE}/new"),
            await browser.get(f"{BASE}/new?address=help@mail.ru"),
            await browser.post(f"{BASE}/check", data=typed),
            await browser.post(f"{BASE}/check?itself=1", data=typed),
            await browser.post(f"{BASE}/check", data={**typed, "password": "", "port": "x"}),
            await browser.get(f"{BASE}/{inbox.id}"),
            await browser.post(f"{BASE}/{inbox.id}/aliases", data={"aliases": "help+x@firma.ru"}),
            await browser.get("/console/settings"),
        ]
        terms = "MX SPF DKIM DMARC TLS STARTTLS TXT none XOAUTH2 INBOX Gmail Mail in desk example email firma support"
        names = frozenset((*terms.split(), "Postfix", "SMTP", "STARTTLS", "English", "IN", "MX", "ru", "smtp", "help", "testserver"))
        assert [word for page in pages for word in english(read(page.text), names=names)] == []
