"""Rules of a mail inbox on their page: made, tried before, removed; and by the command line."""

from html import unescape

import pytest

from desk_core.conversations import holding
from desk_core.conversations.entities import Inbox
from desk_core.conversations.ports import TakeAs
from desk_core.kit.db import Database
from desk_core.kit.errors import Invalid
from desk_core.people.permissions import Role
from gateway.mail_rules import SHOWN
from tests.factories.desk import DeskFactory
from tests.integration.console.conftest import Browser, LogIn


@pytest.fixture
async def admin(log_in: LogIn, make: DeskFactory) -> Browser:
    return await log_in(await make.agent("Olga", role=Role.ADMINISTRATOR))


@pytest.fixture
async def inbox(make: DeskFactory) -> Inbox:
    return await make.inbox("email")


class Page:
    def __init__(self, browser: Browser, inbox: Inbox, database: Database) -> None:
        self.browser, self.at, self.inbox, self.database = browser, f"/console/settings/mail/{inbox.id}/rules", inbox, database

    async def text(self) -> str:
        return unescape((await self.browser.get(self.at)).text)

    async def do(self, path: str = "", **fields: str) -> tuple[int, str]:
        response = await self.browser.post(self.at + path, data=fields)
        return response.status_code, unescape(response.text)

    async def rules(self) -> dict[str, dict[str, str]]:
        async with self.database.read() as session:
            config = (await session.get_one(Inbox, self.inbox.id)).config
        return {place: config.get(place, {}) for place in ("senders", "subjects")}


@pytest.fixture
def page(admin: Browser, inbox: Inbox, database: Database) -> Page:
    return Page(admin, inbox, database)


class TestRules:
    async def test_none_are_there_at_first_and_the_page_says_what_for(self, page: Page) -> None:
        assert "None yet." in await page.text()

    @pytest.mark.parametrize(
        ("about", "place", "key"),
        [
            (" Robot@A.example ", "senders", "robot@a.example"), ("@A.example", "senders", "@a.example"),
            ("[Zabbix]   OK", "subjects", "[zabbix] ok"), ("ОТЧЁТ за ночь", "subjects", "отчёт за ночь"),
        ],
    )  # fmt: skip
    async def test_one_is_made_shown_and_removed(self, page: Page, about: str, place: str, key: str) -> None:
        assert (await page.do(about=about, what="apart"))[0] == 303
        assert (await page.rules())[place] == {key: "apart"}
        text = await page.text()
        assert key in text
        assert "opens a request each time" in text
        assert (await page.do("/remove", about=key))[0] == 303
        assert await page.rules() == {"senders": {}, "subjects": {}}

    @pytest.mark.parametrize("about", ["", "re", "Re:", "...", "\u200b\u200b\u200b\u200b", "a@", "@", "vera@@a.example", "x" * 250])
    async def test_what_could_meet_anything_is_refused_in_words(self, page: Page, about: str) -> None:
        status, text = await page.do(about=about, what="robot")
        assert status == 422
        assert "at least three letters" in text or "This is no address" in text
        assert await page.rules() == {"senders": {}, "subjects": {}}

    async def test_one_is_tried_on_what_came_before_it_is_made(self, page: Page, make: DeskFactory) -> None:
        talk = await make.conversation(channel="email")
        for subject in ("[Zabbix] OK: disk", "[Zabbix] PROBLEM: disk", "The printer"):
            await make.says(talk, "words", subject=subject, meta={"address": "zabbix@a.example"})
        status, text = await page.do(about="[zabbix] ok", what="robot", preview="1")
        assert status == 200
        assert "Of 3 letters of the last 30 days it would have met 1." in text
        assert "The newest of them" not in text
        assert "[Zabbix] OK: disk" in text
        assert "PROBLEM" not in text
        assert await page.rules() == {"senders": {}, "subjects": {}}
        assert "it would have met none" in (await page.do(about="@b.example", what="robot", preview="1"))[1]

    async def test_of_many_letters_it_says_that_the_newest_are_shown(self, page: Page, make: DeskFactory) -> None:
        assert "Within the last 30 days no letter came here." in (await page.do(about="zabbix", what="robot", preview="1"))[1]
        talk = await make.conversation(channel="email")
        for number in range(SHOWN + 1):
            await make.says(talk, "words", subject=f"[Zabbix] {number}", meta={"address": "zabbix@a.example"})
        text = (await page.do(about="zabbix", what="robot", preview="1"))[1]
        assert f"it would have met {SHOWN + 1}. The newest of them:" in text

    async def test_are_for_administrators(self, console: Browser, inbox: Inbox, database: Database) -> None:
        page = Page(console, inbox, database)
        assert (await page.do(about="robot@a.example", what="robot"))[0] == 403

    async def test_there_are_so_many_at_most(self, inbox: Inbox, database: Database) -> None:
        async with database.unit() as uow:
            kept = await uow.session.get_one(Inbox, inbox.id)
            kept.config = {**kept.config, "senders": {f"r{n}@a.example": "robot" for n in range(holding.MOST_RULES)}}
            with pytest.raises(Invalid):
                holding.set_rule(kept, "one.more@a.example", TakeAs.ROBOT)
            assert holding.set_rule(kept, "r1@a.example", TakeAs.PERSON)
            assert not holding.set_rule(kept, "r1@a.example", TakeAs.PERSON)
