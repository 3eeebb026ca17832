"""The board of gaps: what stands on it, and that an answer said there is found by these very words the next time."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from desk_core.conversations.entities import Conversation
from desk_core.kit.clock import FakeClock
from desk_core.kit.db import Database
from desk_core.knowledge import questions
from desk_core.knowledge.entities import ArticleQuestion
from desk_core.knowledge.questions import EACH
from desk_core.people.permissions import Role
from desk_core.tickets.entities import Ticket
from models.relearn import LEAST
from models.retrieval import ArticleIndex
from nlu.turn import Looked
from tests.factories.desk import DeskFactory
from tests.fakes.queries import QueryRecorder
from tests.fakes.webdesk import FakeWebDesk
from tests.integration.console.conftest import Browser, LogIn

STRANGE = "where can I borrow a bicycle for the campus"
ALIKE = "borrow a bicycle for the campus please"


@pytest.fixture
async def editor(log_in: LogIn, make: DeskFactory) -> Browser:
    browser = await log_in(await make.agent("Olga Belova", role=Role.SUPERVISOR))
    browser.headers["Origin"] = "http://testserver"
    return browser


@pytest.fixture
async def asked(database: Database, make: DeskFactory, clock: FakeClock) -> Ticket:
    """Two people asked the same, one of them opened a request that was answered and solved."""
    ticket = await make.ticket(subject="A bicycle")
    other = await make.conversation(await make.contact("Vera Nowak"))
    async with database.unit() as uow:
        theirs = await uow.session.get_one(Conversation, ticket.conversation_id)
        for conversation, text, opened in ((theirs, STRANGE, ticket), (other, ALIKE, None), (other, ALIKE + "!", None)):
            await questions.keep(uow, conversation, Looked(text, None, ()), "en", ticket=opened, now=clock.now())
    return ticket


async def first_id(database: Database, desk: FakeWebDesk) -> str:
    return (await desk.understanding.board.clusters())[0].id


class TestBoard:
    async def test_is_empty_with_a_reason(self, console: Browser) -> None:
        page = (await console.get("/console/gaps")).text
        assert 'class="empty"' in page
        assert "Every question found an answer" in page

    async def test_puts_questions_of_one_meaning_together(self, editor: Browser, asked: Ticket) -> None:
        page = (await editor.get("/console/gaps")).text
        assert page.count('class="gap"') == 1
        for words in ("asked 3 times", "2 people", f"#{asked.number}", "more often: 3 in two weeks, 0 before", "Write an article"):
            assert words in page

    async def test_an_operator_reads_and_may_not_judge(
        self, console: Browser, asked: Ticket, database: Database, desk: FakeWebDesk
    ) -> None:
        assert "Write an article" not in (await console.get("/console/gaps")).text
        refused = await console.post(
            f"/console/gaps/{await first_id(database, desk)}", data={"act": "dismiss"}, headers={"Origin": "http://testserver"}
        )
        assert refused.status_code == 403

    async def test_costs_the_same_however_many_were_asked(
        self, editor: Browser, asked: Ticket, database: Database, make: DeskFactory, clock: FakeClock, query_recorder: QueryRecorder
    ) -> None:
        await editor.get("/console/gaps")
        with query_recorder(database) as few:
            await editor.get("/console/gaps")
        conversation = await make.conversation()
        async with database.unit() as uow:
            for number in range(60):
                await questions.keep(
                    uow, conversation, Looked(f"matter {number} of kind {number * 7}", None, ()), "en", ticket=None, now=clock.now()
                )
        clock.advance(timedelta(seconds=1))
        await editor.get("/console/gaps")
        with query_recorder(database) as many:
            assert "More" in (await editor.get("/console/gaps")).text
        assert len(few) == len(many) == 2  # the log-in, and whether anything is new

    async def test_the_answer_is_found_by_these_words_from_then_on(
        self, editor: Browser, asked: Ticket, database: Database, desk: FakeWebDesk, clock: FakeClock
    ) -> None:
        async def found() -> list[str]:
            clock.advance(timedelta(seconds=5))
            desk._config = None  # as in a desk that runs, where a change of articles is noticed
            index = await desk.understanding.shelf(await desk.config())
            return [hit.article_id for hit in index.search("could I borrow a bicycle for the campus", "en")]

        index = await desk.understanding.shelf(await desk.config())
        article = next(index.article_at(row) for row in range(len(index)) if index.article_at(row).language == "en")
        assert article.article_id not in await found()
        done = await editor.post(f"/console/gaps/{await first_id(database, desk)}", data={"act": "answer", "article": article.article_id})
        assert done.headers["location"] == "/console/gaps?done=answer"
        assert (await found())[0] == article.article_id
        assert 'class="empty"' in (await editor.get("/console/gaps?done=answer")).text
        await editor.post("/console/gaps")
        assert article.article_id not in await found()
        assert len((await desk.understanding.board.clusters())[0].questions) == 3

    async def test_what_is_no_gap_goes_and_comes_back(self, editor: Browser, asked: Ticket, database: Database, desk: FakeWebDesk) -> None:
        await editor.post(f"/console/gaps/{await first_id(database, desk)}", data={"act": "dismiss"})
        page = (await editor.get("/console/gaps?done=dismiss")).text
        assert "Undo" in page
        assert 'class="empty"' in page
        await editor.post("/console/gaps")
        assert 'class="gap"' in (await editor.get("/console/gaps")).text

    @pytest.mark.parametrize("typed", [{"act": "answer"}, {"act": "nonsense"}, {}])
    async def test_a_made_up_judgement_is_refused(
        self, editor: Browser, asked: Ticket, database: Database, desk: FakeWebDesk, typed: dict[str, str]
    ) -> None:
        assert (await editor.post(f"/console/gaps/{await first_id(database, desk)}", data=typed)).status_code in (400, 422)
        assert len(await desk.understanding.board.clusters()) == 1

    async def test_a_draft_waits_for_its_author(self, editor: Browser, asked: Ticket, database: Database, desk: FakeWebDesk) -> None:
        answer = "Ask Boris Petrov at the gate on +7 916 123-45-67. Show your badge there."
        await editor.post(f"/console/tickets/{asked.number}/reply", data={"text": answer, "resolve": "1"})
        page = (await editor.get(f"/console/articles/new?gap={await first_id(database, desk)}")).text
        assert "1. Ask […] at the gate on […]." in page
        assert "2. Show your badge there." in page
        assert "Petrov" not in page


class TestKept:
    async def test_what_the_person_said_of_it_is_noted(self, database: Database, make: DeskFactory, clock: FakeClock) -> None:
        conversation = await make.conversation()
        async with database.unit() as uow:
            await questions.keep(uow, conversation, Looked("how", None, ("a", "b")), "en", ticket=None, now=clock.now())
            await uow.flush()
            for verdict, kept in (("shown", "offered"), ("refused", "refused"), ("helped", "helped"), ("refused", "helped")):
                await questions.became(uow, conversation_id=conversation.id, article_id="a", verdict=verdict)
                await uow.flush()
                row = await uow.session.scalar(select(ArticleQuestion))
                assert row is not None
                assert row.became == kept
            await questions.became(uow, conversation_id=conversation.id, article_id="never shown", verdict="refused")
            assert row.opinions == {"a": "refused"}

    async def test_enough_of_them_teach_the_order_of_articles(
        self, console: Browser, database: Database, desk: FakeWebDesk, make: DeskFactory, clock: FakeClock
    ) -> None:
        async def opine(conversation: Conversation, number: int) -> None:
            async with database.unit() as uow:
                text, at = f"printer does not print {number}", clock.advance(timedelta(seconds=1))
                await questions.keep(uow, conversation, Looked(text, None, shown), "en", ticket=None, now=at)
                await uow.flush()
                await questions.became(uow, conversation_id=conversation.id, article_id=shown[0], verdict="helped")
                await questions.became(uow, conversation_id=conversation.id, article_id=shown[2], verdict="refused")

        async def rebuilt() -> ArticleIndex:
            desk._config = None
            desk.understanding._built_for = ()
            return await desk.understanding.shelf(await desk.config())

        async def told() -> str:
            return (await console.get("/console/articles/try", params={"q": "printer does not print"})).text

        index = await desk.understanding.shelf(await desk.config())
        shipped = index.blend
        ranks = index.rank("printer does not print", "en")[:3]
        shown = tuple(index.article_at(one.row).article_id for one in ranks)
        one = await make.conversation()
        for number in range(LEAST):
            await opine(one, number)
        assert (await rebuilt()).blend == shipped, "one person alone decides nothing"
        assert "The order is the shipped one" in await told()
        for person in range(LEAST // 2 // EACH):
            conversation = await make.conversation(await make.contact(f"Person {person}"))
            for number in range(EACH):
                await opine(conversation, number)
        index = await rebuilt()
        assert index.blend != shipped
        now = {index.article_at(each.row).article_id: each.chance for each in index.rank("printer does not print", "en")}
        assert now[shown[0]] - now.get(shown[2], 0.0) > ranks[0].chance - ranks[2].chance
        assert f"learned from {LEAST + 2 * EACH} opinions" in await told()
