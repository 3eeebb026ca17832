"""Articles in the console: who may read and who write, what is kept, and how the bot would answer."""

import re
from datetime import timedelta

import pytest
from sqlalchemy import select

from desk_core.kit.clock import FakeClock
from desk_core.kit.db import Database
from desk_core.kit.ids import new_id
from desk_core.knowledge import repository, service
from desk_core.knowledge.entities import Article, ArticleFeedback
from desk_core.knowledge.service import Sheet
from desk_core.people.entities import Agent, Contact
from desk_core.people.permissions import Role
from tests.factories.desk import DeskFactory
from tests.fakes.queries import QueryRecorder
from tests.fakes.reading import english, read
from tests.integration.console.conftest import Browser, LogIn

OURS = {"origin": "http://testserver"}
HOSTILE = "<script>alert(1)</script>[x](javascript:alert(2))<img src=x onerror=alert(3)>"
TYPED = {"title": "A new badge", "body": "1. Come to **room 1**.", "language": "en", "category": "network.vpn", "keywords": "badge\npass"}


@pytest.fixture
async def editor(log_in: LogIn, make: DeskFactory) -> Browser:
    return await log_in(await make.agent("Olga Belova", role=Role.SUPERVISOR))


@pytest.fixture
async def badge(database: Database, clock: FakeClock) -> Article:
    sheet = Sheet(key="badge", language="en", title="A new badge", body="Room 1", category="network.vpn", state="published")
    async with database.unit() as uow:
        return (await service.write(uow, sheet, by="Olga", now=clock.now()))[0]


async def stored(database: Database, key: str = "a-new-badge") -> Article:
    async with database.read() as session:
        return (await repository.articles(session, key=key))[0]


class TestList:
    async def test_costs_the_same_however_long_it_is(
        self, console: Browser, database: Database, query_recorder: QueryRecorder, badge: Article
    ) -> None:
        await console.get("/console/articles")
        with query_recorder(database) as one:
            assert "A new badge" in (await console.get("/console/articles?q=new+badge&written=en")).text
        with query_recorder(database) as many:
            assert (await console.get("/console/articles")).text.count('href="/console/articles/') > 50
        assert len(one) == len(many) == 5  # the log-in, the articles, shown and refused, helped, what came later

    async def test_finds_in_both_languages_and_says_when_nothing_fits(self, console: Browser) -> None:
        assert "заблокирована" in (await console.get("/console/articles", params={"q": "УЧЁТНАЯ"})).text
        for address in ("/console/articles?q=xyzzy", "/console/articles?state=review", "/console/articles?state=nonsense&q=xyzzy"):
            assert 'class="empty"' in (await console.get(address)).text

    async def test_counts_as_help_only_what_stayed_quiet(
        self, log_in: LogIn, anna: Agent, make: DeskFactory, database: Database, clock: FakeClock, badge: Article
    ) -> None:
        async def says_it_helped(contact: Contact) -> None:
            async with database.unit() as uow:
                uow.add(
                    ArticleFeedback(
                        id=new_id(), article_id=badge.id, conversation_id=new_id(), contact_id=contact.id, verdict="helped", at=clock.now()
                    )
                )

        quiet, back = await make.contact("Quiet"), await make.contact("Back")
        await says_it_helped(quiet)
        await says_it_helped(back)
        clock.advance(timedelta(hours=1))
        ticket = await make.ticket(await make.conversation(back))
        async with database.unit() as uow:
            (await uow.session.get_one(type(ticket), ticket.id)).category_key = "network.wifi"
        clock.advance(timedelta(hours=80))
        console = await log_in(anna)
        page = (await console.get("/console/articles?q=new+badge")).text
        assert re.search(r'data-label="Helped">1<', page)
        assert "came back 1" in (await console.get(f"/console/articles/{badge.id}")).text


class TestEditor:
    async def test_an_operator_reads_and_may_not_write(self, console: Browser, badge: Article) -> None:
        page = (await console.get(f"/console/articles/{badge.id}")).text
        assert "Room 1" in page
        assert "<textarea" not in page
        assert (await console.get("/console/articles/new")).status_code == 403
        for address in ("/console/articles", f"/console/articles/{badge.id}"):
            assert (await console.post(address, data=TYPED, headers=OURS)).status_code == 403

    async def test_an_article_is_written_published_changed_and_taken_back(self, editor: Browser, database: Database) -> None:
        made = await editor.post("/console/articles", data=TYPED, headers=OURS)
        assert made.status_code == 303
        article = await stored(database)
        assert (article.state, article.updated_by, article.keywords, article.version) == ("draft", "Olga Belova", ["badge", "pass"], 1)
        address = f"/console/articles/{article.id}"
        for act, state in (("publish", "published"), ("withdraw", "draft"), ("review", "review"), ("save", "review")):
            typed = {**TYPED, "body": f"text {act}", "version": str((await stored(database)).version), "act": act}
            assert (await editor.post(address, data=typed, headers=OURS)).status_code == 303
            assert (await stored(database)).state == state
        page = (await editor.get(address)).text
        assert "Version 1" in page
        assert "<strong>room 1</strong>" in page

    async def test_what_somebody_else_wrote_meanwhile_is_not_lost(self, editor: Browser, database: Database, badge: Article) -> None:
        late = await editor.post(f"/console/articles/{badge.id}", data={**TYPED, "version": "7"}, headers=OURS)
        assert late.status_code == 409
        assert (await stored(database, "badge")).body == "Room 1"

    async def test_the_same_article_is_not_made_twice(self, editor: Browser, badge: Article) -> None:
        again = await editor.post("/console/articles", data={**TYPED, "key": "badge"}, headers=OURS)
        assert again.status_code == 409
        assert "already an article with this key" in again.text

    async def test_the_preview_is_clean_and_stores_nothing(self, editor: Browser, database: Database) -> None:
        page = await editor.post("/console/articles", data={**TYPED, "body": f"**bold** {HOSTILE}", "act": "preview"}, headers=OURS)
        assert "<strong>bold</strong>" in page.text
        assert not re.search(r"<script>alert|<img src=x|href=\"javascript", page.text)
        async with database.read() as session:
            assert await session.scalar(select(Article.id).where(Article.key == "a-new-badge")) is None

    @pytest.mark.parametrize(
        ("wrong", "words"),
        [
            ({"title": " "}, "An article needs a title."),
            ({"body": " "}, "An article needs a text."),
            ({"expires": "soon"}, "A day is written as"),
            ({"category": "made.up"}, "This is none of the choices."),
        ],
    )
    async def test_what_does_not_fit_comes_back_with_its_words(self, editor: Browser, wrong: dict[str, str], words: str) -> None:
        answer = await editor.post("/console/articles", data={**TYPED, **wrong}, headers=OURS)
        assert answer.status_code == 422
        assert words in answer.text


class TestHowTheBotWouldAnswer:
    async def test_shows_ranks_with_their_numbers(self, console: Browser) -> None:
        page = (await console.get("/console/articles/try", params={"q": "VPN does not connect"})).text
        assert re.search(r'data-label="Chance">\d+ %', page)
        assert "Offered" in page

    async def test_says_when_it_would_abstain(self, console: Browser) -> None:
        assert "It would offer no article" in (await console.get("/console/articles/try", params={"q": "qwzx"})).text
        assert "Ask something" in (await console.get("/console/articles/try")).text

    async def test_an_expired_or_withdrawn_article_is_not_among_them(
        self, console: Browser, database: Database, clock: FakeClock, badge: Article
    ) -> None:
        async with database.unit() as uow:
            (await uow.session.get_one(Article, badge.id)).expires_on = clock.now().date() - timedelta(days=1)
        assert "A new badge" not in (await console.get("/console/articles/try", params={"q": "I need another badge"})).text


async def test_every_page_is_russian(log_in: LogIn, make: DeskFactory, badge: Article) -> None:
    olga = await log_in(await make.agent("Ольга Белова", role=Role.ADMINISTRATOR, language="ru"))
    for address in ("?q=ничего-такого", "?q=badge&written=en", "/try", "/new"):
        page = (await olga.get(f"/console/articles{address}")).text
        assert english(read(page), names=frozenset({"priyom", "article", "import"})) == [], address
