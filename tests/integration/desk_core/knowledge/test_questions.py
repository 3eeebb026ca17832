"""Questions put to the articles, as they are kept and read for learning and for the board of gaps; on both stores."""

from datetime import timedelta

from desk_core.conversations.entities import Conversation
from desk_core.kit.clock import FakeClock
from desk_core.kit.db import Database
from desk_core.knowledge import questions, service
from desk_core.knowledge.questions import EACH
from desk_core.knowledge.service import Sheet
from nlu.turn import Looked
from tests.factories.desk import DeskFactory


async def ask(database: Database, clock: FakeClock, conversation: Conversation, text: str, verdict: str | None = None) -> None:
    clock.advance(timedelta(seconds=1))
    async with database.unit() as uow:
        looked = Looked(text, None, ("a",) if verdict else ())
        await questions.keep(uow, conversation, looked, "en", ticket=None, now=clock.now())
        await uow.flush()
        if verdict:
            await questions.became(uow, conversation_id=conversation.id, article_id="a", verdict=verdict)


async def test_no_one_person_teaches_alone(database: Database, clock: FakeClock, make: DeskFactory) -> None:
    loud, quiet = await make.conversation(await make.contact("Loud")), await make.conversation(await make.contact("Quiet"))
    await ask(database, clock, quiet, "quiet", "helped")
    for number in range(EACH + 2):
        await ask(database, clock, loud, f"loud {number}", "refused")
    await ask(database, clock, quiet, "nothing said of it")
    async with database.read() as session:
        latest = [f"loud {number}" for number in reversed(range(2, EACH + 2))]
        assert [one.text for one in await questions.judged(session, limit=100)] == [*latest, "quiet"]
        assert [one.text for one in await questions.judged(session, limit=2)] == latest[:2]


async def test_a_judgement_takes_a_question_off_the_board_until_it_is_taken_back(
    database: Database, clock: FakeClock, make: DeskFactory
) -> None:
    conversation = await make.conversation()
    for text, verdict in (("where is the canteen", None), ("a badge please", "refused"), ("solved", "helped")):
        await ask(database, clock, conversation, text, verdict)

    async def board() -> tuple[list[str], tuple[object, ...], dict[str, tuple[str, ...]]]:
        async with database.read() as session:
            found = await questions.gaps(session, now=clock.now())
            return [one.text for one in found], await questions.newest(session), await questions.answered(session)

    async with database.unit() as uow:
        article = (
            await service.write(uow, Sheet(key="badge", language="en", title="A badge", body="Room 1."), by="Anna", now=clock.now())
        )[0]
    texts, before, taught = await board()
    assert (texts, taught) == (["a badge please", "where is the canteen"], {})
    async with database.read() as session:
        ids = [one.id for one in await questions.gaps(session, now=clock.now()) if one.text == "a badge please"]
    async with database.unit() as uow:
        assert await questions.judge(uow, ids, answer=article, by="Anna", now=clock.advance(timedelta(seconds=1))) == 1
    texts, after, taught = await board()
    assert (texts, taught) == (["where is the canteen"], {article.id: ("a badge please",)})
    assert after != before
    async with database.read() as session:
        assert await questions.judged_last(session, by="Anna") == ids
    async with database.unit() as uow:
        await questions.unjudge(uow, ids, now=clock.advance(timedelta(seconds=1)))
    assert (await board())[0] == ["a badge please", "where is the canteen"]
