"""The letters of a mail inbox in the console: typed, looked at, and used by what goes out."""

from html import unescape
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from channels.email.channel import EmailChannel
from channels.email.letter import Letter, letters_of
from channels.email.sandbox.mailbox import MailSandbox
from channels.email.smtp_out import SandboxSender
from channels.telegram.pace import NoPace
from desk_core.conversations.entities import Inbox
from desk_core.kit.db import Database
from desk_core.people.entities import AuditEntry
from desk_core.people.permissions import Role
from gateway import inboxes
from tests.factories.desk import DeskFactory
from tests.fakes.reading import english, read
from tests.fakes.webdesk import FakeWebDesk
from tests.integration.console.conftest import Browser, LogIn


@pytest.fixture
async def inbox(make: DeskFactory) -> Inbox:
    return await make.inbox("email", name="firma")


@pytest.fixture
async def admin(log_in: LogIn, make: DeskFactory) -> Browser:
    browser = await log_in(await make.agent("Olga Belova", role=Role.ADMINISTRATOR))
    browser.headers["Origin"] = "http://testserver"
    return browser


def base(inbox: Inbox) -> str:
    return f"/console/settings/mail/{inbox.id}/letter"


TYPED = {
    "version": "1", "greeting_ru": "Здравствуйте, %(name)s!", "signature_ru": "С уважением,\r\n**%(name)s**, %(team)s", "footer_ru": "1",
    "history_ru": "1", "greeting_en": "Hello %(name)s,", "signature_en": "",
}  # fmt: skip


async def stored(database: Database, inbox: Inbox) -> Inbox:
    async with database.read() as session:
        return await session.get_one(Inbox, inbox.id)


async def test_what_is_typed_is_kept_and_used(admin: Browser, inbox: Inbox, database: Database, desk: FakeWebDesk) -> None:
    assert (await admin.post(base(inbox), data=TYPED)).headers["location"] == f"{base(inbox)}?saved=1"
    there = await stored(database, inbox)
    assert letters_of(there.config) == {
        "ru": Letter("Здравствуйте, %(name)s!", "С уважением,\n**%(name)s**, %(team)s", footer=True, history=True),
        "en": Letter("Hello %(name)s,", "", footer=False, history=False),
    }
    assert there.version == 2, "a running desk builds its adapter anew"
    async with database.read() as session:
        entry = (await session.scalars(select(AuditEntry))).one()
    assert (entry.action, entry.subject) == ("inbox.letter", "firma")
    adapter = inboxes.build(
        there, desk.settings, box=desk.box, key=desk.key, config=await desk.config(), blobs=desk.blobs, clock=desk.clock,
        on_status=lambda _words: None, mail_sender=lambda _relays: SandboxSender(MailSandbox(desk.settings.home)),
        telegram_pace=lambda _inbox_id: NoPace(),
    )  # fmt: skip
    assert isinstance(adapter, EmailChannel)
    assert adapter.mailbox.letters["en"].greeting == "Hello %(name)s,"


async def test_a_preview_shows_both_letters_and_stores_nothing(admin: Browser, inbox: Inbox, database: Database) -> None:
    page = (await admin.post(base(inbox), data={**TYPED, "preview": "1"})).text
    shown = unescape(page)
    assert shown.count("<iframe sandbox ") == 4
    assert "<p>Hello Vera Ivanova,</p>" in shown
    assert "<strong>Olga Belova</strong>" in shown
    assert "Здравствуйте, Вера Иванова!" in shown
    assert "The printer works again" in shown
    assert "[script" not in page
    assert (await stored(database, inbox)).config == {}


async def test_the_quoted_letter_has_the_hour_of_the_desk(admin: Browser, inbox: Inbox, desk: FakeWebDesk) -> None:
    here = desk.clock.now().astimezone(ZoneInfo((await desk.config()).time_zone))
    assert here.utcoffset()
    assert f"{here:%H:%M}" in unescape((await admin.get(base(inbox))).text)


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ({"signature_ru": "%(phone)s"}, "%(phone)s is not known here. Known are %(name)s, %(number)s and %(team)s."),
        ({"greeting_en": "x" * 301}, "At most 300 characters, please."),
    ],
)
async def test_what_does_not_fit_is_said_and_not_stored(
    admin: Browser, inbox: Inbox, database: Database, typed: dict[str, str], words: str
) -> None:
    refused = await admin.post(base(inbox), data={**TYPED, **typed})
    assert refused.status_code == 422
    assert words in unescape(refused.text)
    assert next(iter(typed.values())) in unescape(refused.text), "nothing typed is lost"
    assert (await stored(database, inbox)).config == {}


async def test_of_two_who_change_it_at_once_the_second_is_told(admin: Browser, inbox: Inbox) -> None:
    assert (await admin.post(base(inbox), data=TYPED)).status_code == 303
    assert (await admin.post(base(inbox), data={**TYPED, "greeting_en": "Hi"})).status_code == 409


async def test_only_administrators_come_here_and_only_for_mail(log_in: LogIn, make: DeskFactory, admin: Browser, inbox: Inbox) -> None:
    browser = await log_in(await make.agent("Somebody"))
    browser.headers["Origin"] = "http://testserver"
    assert [(await browser.get(base(inbox))).status_code, (await browser.post(base(inbox), data=TYPED)).status_code] == [403, 403]
    assert (await admin.get(base(await make.inbox("telegram")))).status_code == 404
    assert base(inbox) in (await admin.get(f"/console/settings/mail/{inbox.id}")).text


async def test_the_page_is_russian(log_in: LogIn, make: DeskFactory, inbox: Inbox) -> None:
    browser = await log_in(await make.agent("Ольга", role=Role.ADMINISTRATOR, language="ru"))
    browser.headers["Origin"] = "http://testserver"
    pages = [await browser.get(base(inbox)), await browser.post(base(inbox), data={**TYPED, "signature_ru": "%(phone)s"})]
    names = frozenset(["English", "firma", "Markdown", "name", "number", "team", "phone", "Hello", "s", "email"])
    wrong = {word for page in pages for word in english(read(page.text), names=names)}
    sample = set(english(read((await browser.get(base(inbox))).text.partition("English")[2]), names=names))
    assert wrong - sample == set()
