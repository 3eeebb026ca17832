"""Outgoing mail of an inbox in the console: relays of its own, tried at real servers; keys and their records; and no secret comes back."""

import re
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import select

from channels.email.intake import InboxAddress
from channels.email.smtp_in import MailListener
from desk_core.conversations.entities import Inbox
from desk_core.kit.db import Database
from desk_core.people.entities import AuditEntry
from desk_core.people.permissions import Role
from gateway import mail_inboxes, mail_signing
from gateway.settings import SmtpOut
from tests.factories.desk import DeskFactory
from tests.fakes.queries import QueryRecorder
from tests.fakes.reading import english, read
from tests.fakes.webdesk import FakeWebDesk
from tests.fakes.zone import Zone
from tests.integration.console.conftest import Browser, LogIn
from tests.services.process import free_port
from tests.unit.channels.email.mails import MemoryBlobs, Storing

PART = {"hx-request": "true"}
OWN = {
    "way": "own", "host_0": "smtp.firma.ru", "port_0": "465", "protection_0": "smtps", "user_0": "help@firma.ru",
    "password_0": "s3cret, one",
}  # fmt: skip
SECOND = {"host_1": "second.firma.ru", "port_1": "25", "protection_1": "smtp", "user_1": "", "password_1": ""}


@pytest.fixture
async def inbox(make: DeskFactory, database: Database) -> Inbox:
    made = await make.inbox("email", name="firma")
    async with database.unit() as uow:
        (await uow.session.get_one(Inbox, made.id)).address = "help@firma.ru"
    return made


@pytest.fixture
async def admin(log_in: LogIn, make: DeskFactory) -> Browser:
    browser = await log_in(await make.agent("Olga Belova", role=Role.ADMINISTRATOR))
    browser.headers["Origin"] = "http://testserver"
    return browser


@pytest.fixture
async def relay(desk: FakeWebDesk) -> AsyncIterator[MailListener]:
    listener = MailListener(
        "127.0.0.1", 0, inboxes=lambda address: InboxAddress("theirs", address), accept=Storing(), blobs=MemoryBlobs(), secret=b"theirs",
        clock=desk.clock,
    )  # fmt: skip
    await listener.start()
    yield listener
    await listener.stop()


def base(inbox: Inbox) -> str:
    return f"/console/settings/mail/{inbox.id}/out"


async def stored(database: Database, inbox: Inbox) -> Inbox:
    async with database.read() as session:
        return await session.get_one(Inbox, inbox.id)


async def relays(desk: FakeWebDesk, inbox: Inbox) -> list[str]:
    return [relay.url for relay in mail_inboxes.own_relays(desk.box.open((await stored(desk.database, inbox)).secrets))]


async def audited(database: Database) -> list[AuditEntry]:
    async with database.read() as session:
        return list((await session.scalars(select(AuditEntry).order_by(AuditEntry.at, AuditEntry.id))).all())


def states(page: str) -> list[tuple[str, str]]:
    return re.findall(r'data-step="(\w+)" data-state="(\w+)"', page)


class TestRelays:
    async def test_the_form_waits_with_a_guess_and_the_desk_is_chosen(self, admin: Browser, inbox: Inbox, desk: FakeWebDesk) -> None:
        page = (await admin.get(base(inbox))).text
        assert 'value="desk" checked' in page
        assert 'value="smtp.firma.ru"' in page
        assert "letters stay in the mail sandbox" in page
        out = SmtpOut(url="smtps://desk:hidden-one@mail.firma.ru, smtp://second.firma.ru:2525")
        desk.settings = desk.settings.model_copy(update={"smtp_out": out})
        page = (await admin.get(base(inbox))).text
        assert "mail.firma.ru:465, second.firma.ru:2525" in page
        assert "hidden-one" not in page

    async def test_are_stored_sealed_and_never_shown(self, admin: Browser, inbox: Inbox, desk: FakeWebDesk, database: Database) -> None:
        saved = await admin.post(base(inbox), data={**OWN, **SECOND, "version": "1"})
        assert saved.headers["location"] == f"{base(inbox)}?saved=change"
        assert await relays(desk, inbox) == ["smtps://help%40firma.ru:s3cret%2C%20one@smtp.firma.ru:465", "smtp://second.firma.ru:25"]
        there = await stored(database, inbox)
        assert ("s3cret" in str(there.config), there.version) == (False, 2)
        [noted] = await audited(database)
        assert (noted.action, noted.after["relays"]) == ("inbox.set", ["smtp.firma.ru:465", "second.firma.ru:25"])
        page = (await admin.get(base(inbox))).text
        assert "s3cret" not in page
        assert 'value="own" checked' in page
        assert 'placeholder="••••••••"' in page
        assert 'value="second.firma.ru"' in page

    async def test_a_password_stays_for_its_own_server_and_user_only(self, admin: Browser, inbox: Inbox, desk: FakeWebDesk) -> None:
        await admin.post(base(inbox), data=OWN)
        kept = {**OWN, "password_0": ""}
        swapped = {**SECOND, **{name.replace("_0", "_1"): value for name, value in kept.items() if name != "way"}, "way": "own"}
        moved = {**swapped, "host_0": "first.firma.ru", "port_0": "25", "protection_0": "smtp", "user_0": "", "password_0": ""}
        assert (await admin.post(base(inbox), data=moved)).status_code == 303
        assert "s3cret" in (await relays(desk, inbox))[1], "whichever place it has in the list"
        for elsewhere in ({"host_0": "evil.example"}, {"port_0": "587"}, {"user_0": "other@firma.ru"}, {"protection_0": "smtp"}):
            for page in (base(inbox), f"{base(inbox)}/check"):
                refused = await admin.post(page, data={**kept, **elsewhere})
                assert refused.status_code == 422
                assert "it was given for another server or user" in refused.text

    async def test_going_back_to_the_desks_forgets_them(self, admin: Browser, inbox: Inbox, database: Database) -> None:
        await admin.post(base(inbox), data=OWN)
        assert (await admin.post(base(inbox), data={**OWN, "way": "desk"})).status_code == 303
        assert (await stored(database, inbox)).secrets is None

    @pytest.mark.parametrize(
        ("typed", "field"),
        [
            ({"host_0": ""}, "host_0"),
            ({"host_0": "smtp://x"}, "host_0"),
            ({"host_0": "."}, "host_0"),
            ({"host_0": "smtp\u202e.ru"}, "host_0"),
            ({"host_0": "smtp.firma.ru:25"}, "host_0"),
            ({"host_0": "a%2fb"}, "host_0"),
            ({"port_0": "x"}, "port_0"),
            ({"port_0": "²"}, "port_0"),
            ({"user_0": ""}, "user_0"),
            ({"password_0": ""}, "password_0"),
            ({"host_1": "second.firma.ru", "port_1": "0", "protection_1": "smtps"}, "port_1"),
        ],
    )
    async def test_what_does_not_fit_is_told_at_its_field(self, admin: Browser, inbox: Inbox, typed: dict[str, str], field: str) -> None:
        refused = await admin.post(base(inbox), data={**OWN, **typed})
        assert refused.status_code == 422
        assert f'id="f-{field}-error"' in refused.text
        assert f'href="#f-{field}"' in refused.text
        assert "s3cret" not in refused.text

    @pytest.mark.parametrize("host", ["почта.рф", "::1", "10.0.0.7", "mail_relay", "smtp.firma.ru."])
    async def test_a_server_has_any_name_that_one_can_have(self, admin: Browser, inbox: Inbox, host: str) -> None:
        assert (await admin.post(base(inbox), data={**OWN, "host_0": host})).status_code == 303

    @pytest.mark.parametrize("typed", [{"way": "pigeon"}, {"protection_0": "ftp"}])
    async def test_made_up_choices_are_refused(self, admin: Browser, inbox: Inbox, typed: dict[str, str]) -> None:
        assert (await admin.post(base(inbox), data={**OWN, **typed})).status_code == 422

    async def test_two_at_once_do_not_overwrite_each_other(self, admin: Browser, inbox: Inbox) -> None:
        assert (await admin.post(base(inbox), data={**OWN, "version": "1"})).status_code == 303
        assert (await admin.post(base(inbox), data={**OWN, "version": "1"})).status_code == 409


class TestTrying:
    async def test_each_server_is_tried_and_nothing_stored(
        self, admin: Browser, inbox: Inbox, relay: MailListener, database: Database
    ) -> None:
        closed = free_port()
        typed = {"way": "own", "host_0": "127.0.0.1", "port_0": str(relay.port), "protection_0": "smtp", "host_1": "127.0.0.1",
                 "port_1": str(closed), "protection_1": "smtp"}  # fmt: skip
        part = await admin.post(f"{base(inbox)}/check", data=typed, headers=PART)
        assert states(part.text) == [("smtp", "ok"), ("smtp", "fail")]
        assert f"127.0.0.1:{closed}), and whether a firewall" in part.text
        assert "<html" not in part.text
        assert (await stored(database, inbox)).version == 1

    async def test_a_password_typed_once_lasts_without_javascript(self, admin: Browser, inbox: Inbox, desk: FakeWebDesk) -> None:
        typed = {**OWN, "host_0": "127.0.0.1", "port_0": str(free_port())}
        page = (await admin.post(f"{base(inbox)}/check", data=typed)).text
        kept = re.search(r'name="kept_0" value="([^"]+)"', page)
        assert kept is not None
        again = {**typed, "password_0": "", "kept_0": kept[1]}
        assert (await admin.post(base(inbox), data={**again, "host_0": "127.0.0.2"})).status_code == 422
        assert (await admin.post(base(inbox), data=again)).status_code == 303
        assert "s3cret" in (await relays(desk, inbox))[0]

    async def test_the_desks_own_way_is_tried_too(self, admin: Browser, inbox: Inbox, desk: FakeWebDesk, relay: MailListener) -> None:
        part = await admin.post(f"{base(inbox)}/check", data={"way": "desk"}, headers=PART)
        assert states(part.text) == [("smtp", "warn")]
        out = SmtpOut(url=f"smtp://127.0.0.1:{relay.port}")
        desk.settings = desk.settings.model_copy(update={"smtp_out": out})
        part = await admin.post(f"{base(inbox)}/check", data={"way": "desk"}, headers=PART)
        assert states(part.text) == [("smtp", "ok")]

    async def test_the_checkup_of_the_inbox_goes_by_its_own_server(self, admin: Browser, inbox: Inbox, relay: MailListener) -> None:
        typed = {"way": "own", "host_0": "127.0.0.1", "port_0": str(relay.port), "protection_0": "smtp"}
        await admin.post(base(inbox), data=typed)
        part = await admin.post(f"/console/settings/mail/{inbox.id}/check", data={"host": ""}, headers=PART)
        assert dict(states(part.text))["smtp"] == "ok"


class TestKeys:
    async def test_a_key_is_made_published_and_signs(self, admin: Browser, inbox: Inbox, desk: FakeWebDesk, database: Database) -> None:
        assert "There is no key yet" in (await admin.get(base(inbox))).text
        saved = await admin.post(f"{base(inbox)}/key", data={"algorithm": "ed25519"})
        page = (await admin.get(saved.headers["location"])).text
        async with database.read() as session:
            [key] = await mail_signing.keys_of(session, "firma.ru")
        shown = key.shown("firma.ru")
        assert shown["name"] in page
        assert shown["value"] in page
        assert page.count("data-copy=") == 3
        assert desk.box.open(key.sealed)["key"] not in page
        assert "Record not looked for yet" in page
        assert "No record was found." in (await admin.post(f"{base(inbox)}/key/check")).text
        desk.resolver = Zone(txt={shown["name"]: ["v=DKIM1; k=ed25519; p=AAAA"]})
        assert "it holds another key" in (await admin.post(f"{base(inbox)}/key/check")).text
        desk.resolver = Zone(txt={shown["name"]: [shown["value"]]})
        assert "The record is there." in (await admin.post(f"{base(inbox)}/key/check")).text
        assert "Record found" in (await admin.get(base(inbox))).text
        assert [entry.action for entry in await audited(database)] == ["dkim.add"]

    async def test_the_next_one_waits_until_it_is_published_and_the_old_one_goes(
        self, admin: Browser, inbox: Inbox, database: Database
    ) -> None:
        for _twice in range(2):
            await admin.post(f"{base(inbox)}/key", data={"algorithm": "ed25519"})
        async with database.read() as session:
            first, second = await mail_signing.keys_of(session, "firma.ru")
        page = (await admin.get(base(inbox))).text
        assert re.findall(r'<h3 class="row wrap">(\S+)', page) == [second.selector, first.selector], "the newest first"
        assert page.index("Signs") > page.index(first.selector)
        await admin.post(f"{base(inbox)}/key/remove", data={"selector": first.selector})
        assert first.selector + " " not in (await admin.get(base(inbox))).text
        assert (await admin.post(f"{base(inbox)}/key/remove", data={"selector": "other"})).status_code == 404

    async def test_signing_is_switched_for_one_inbox(self, admin: Browser, inbox: Inbox, database: Database) -> None:
        await admin.post(f"{base(inbox)}/key", data={"algorithm": "ed25519"})
        await admin.post(f"{base(inbox)}/sign")
        there = await stored(database, inbox)
        assert mail_inboxes.habits(there.config)["dkim"] is False
        await admin.post(f"/console/settings/mail/{inbox.id}/habits", data={"plus": "1"})
        assert mail_inboxes.habits((await stored(database, inbox)).config)["dkim"] is False, "other habits leave it alone"
        await admin.post(f"{base(inbox)}/sign", data={"dkim": "1"})
        assert mail_inboxes.habits((await stored(database, inbox)).config)["dkim"] is True

    async def test_silent_name_servers_are_told(self, admin: Browser, inbox: Inbox, desk: FakeWebDesk, database: Database) -> None:
        await admin.post(f"{base(inbox)}/key", data={"algorithm": "ed25519"})
        async with database.read() as session:
            [key] = await mail_signing.keys_of(session, "firma.ru")
        desk.resolver = Zone(silent=frozenset({key.shown("firma.ru")["name"]}))
        answer = await admin.post(f"{base(inbox)}/key/check")
        assert answer.status_code == 503
        assert "The name servers did not answer." in answer.text

    async def test_a_name_of_ones_own_network_has_none(self, admin: Browser, inbox: Inbox, database: Database) -> None:
        async with database.unit() as uow:
            (await uow.session.get_one(Inbox, inbox.id)).address = "help@localhost"
        assert "there is nothing to sign for" in (await admin.get(base(inbox))).text
        assert (await admin.post(f"{base(inbox)}/key")).status_code == 422


class TestReports:
    async def test_where_they_come_back_to(self, admin: Browser, inbox: Inbox) -> None:
        assert "help+…@firma.ru" in (await admin.get(base(inbox))).text
        await admin.post(f"/console/settings/mail/{inbox.id}/habits", data={})
        page = (await admin.get(base(inbox))).text
        assert "help+…@firma.ru" not in page
        assert "by what the report quotes of it" in page


async def test_only_administrators_come_here_and_only_for_mail(log_in: LogIn, make: DeskFactory, admin: Browser, inbox: Inbox) -> None:
    browser = await log_in(await make.agent("Somebody", role=Role.SUPERVISOR))
    browser.headers["Origin"] = "http://testserver"
    acts = ("", "/check", "/key", "/key/check", "/key/remove", "/sign")
    asked = [await browser.get(base(inbox)), *[await browser.post(f"{base(inbox)}{act}", data=OWN | {"selector": "x"}) for act in acts]]
    assert [answer.status_code for answer in asked] == [403] * 7
    assert (await admin.get(base(await make.inbox("telegram")))).status_code == 404
    assert base(inbox) in (await admin.get(f"/console/settings/mail/{inbox.id}")).text


async def test_a_lost_secret_is_told_and_everything_else_is_there(admin: Browser, inbox: Inbox, database: Database) -> None:
    async with database.unit() as uow:
        (await uow.session.get_one(Inbox, inbox.id)).secrets = "sealed with another key"
    page = await admin.get(base(inbox))
    assert (page.status_code, "PRIYOM_SECRET_KEY" in page.text) == (200, True)


async def test_the_page_takes_few_statements(admin: Browser, inbox: Inbox, database: Database, query_recorder: QueryRecorder) -> None:
    await admin.post(f"{base(inbox)}/key", data={"algorithm": "ed25519"})
    with query_recorder(database) as seen:
        await admin.get(base(inbox))
    assert len(seen) <= 4, seen


async def test_the_page_is_russian(log_in: LogIn, make: DeskFactory, inbox: Inbox, desk: FakeWebDesk) -> None:
    browser = await log_in(await make.agent("Ольга", role=Role.ADMINISTRATOR, language="ru"))
    browser.headers["Origin"] = "http://testserver"
    typed = {**OWN, "host_0": "127.0.0.1", "port_0": str(free_port())}
    pages = [
        await browser.get(base(inbox)),
        await browser.post(base(inbox), data={**OWN, "user_0": "", "port_0": "x", "host_0": "a b"}),
        await browser.post(f"{base(inbox)}/check", data={"way": "desk"}),
        await browser.post(f"{base(inbox)}/key", data={"algorithm": "rsa"}, follow_redirects=True),
        await browser.post(f"{base(inbox)}/key/check"),
        await browser.post(f"{base(inbox)}/check", data=typed),
    ]
    terms = "TLS STARTTLS DKIM DNS TXT IN Gmail Mail email firma help smtp example org s RSA Ed25519 rsa k p v priyom"
    names = frozenset(terms.split())
    told = [re.sub(r"<code.*?</code>", "", page.text, flags=re.DOTALL) for page in pages]
    assert [word for page in told for word in english(read(page), names=names)] == []
