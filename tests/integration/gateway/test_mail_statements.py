"""What a letter costs: prepared statements alone, since one that goes through the session costs ten of them."""

from collections.abc import Sequence

import pytest

from desk_core.kit.db import Database
from desk_core.kit.kept import driver_of
from tests.fakes.queries import QueryRecorder
from tests.integration.gateway.conftest import Post

pytestmark = [pytest.mark.timeout(60), pytest.mark.parametrize("store", ["sqlite"], indirect=True)]

IVAN = "ivan@example.com"


def besides_claims(seen: Sequence[str]) -> list[str]:
    """Without the worker's own question for lanes; what has just come in is handed to it."""
    return [statement for statement in seen if not statement.startswith("WITH chosen")]


async def written_to(database: Database) -> list[str]:
    """Every statement that writes from here on, as SQLite carries it out."""
    seen: list[str] = []
    async with database.unit() as unit:
        driver = driver_of(unit.session)
        assert driver is not None
        driver.driver_connection.raw.set_trace_callback(seen.append)
    return seen


class TestALetterIsFiledByPreparedStatementsAlone:
    async def test_where_it_opens_a_request_and_articles_are_told_of(self, post: Post) -> None:
        await post.vera_writes()  # from here on the desk knows itself
        story = "Не печатает принтер в приёмной, помогите, пожалуйста."
        with QueryRecorder()(post.desk.database) as seen:
            await post.comes(f"From: Иван <{IVAN}>\nSubject: Принтер\nMessage-ID: <1@example.com>", story, envelope_from=IVAN)
        letter = (await post.letters())[-1]
        assert (letter.letter.recipient, "принтер" in letter.text.lower()) == (IVAN, True)
        assert besides_claims(seen) == []

    async def test_where_it_answers(self, post: Post) -> None:
        await post.vera_writes()
        sent = (await post.letters())[-1].letter.message_id
        with QueryRecorder()(post.desk.database) as seen:
            await post.vera_writes("Кабинет 305.", headers=f"\nIn-Reply-To: <{sent}>\nReferences: <{sent}>")
        assert besides_claims(seen) == []

    async def test_where_somebody_known_writes_anew(self, post: Post) -> None:
        await post.vera_writes()
        with QueryRecorder()(post.desk.database) as seen:
            await post.vera_writes("Нужен доступ в Jira.")
        assert besides_claims(seen) == []


async def test_what_opens_a_request_is_written_with_it(post: Post) -> None:
    await post.vera_writes()
    seen = await written_to(post.desk.database)
    await post.comes(f"From: Иван <{IVAN}>\nSubject: Принтер\nMessage-ID: <1@example.com>", "Не печатает принтер.", envelope_from=IVAN)
    messages = [statement for statement in seen if statement.startswith(("INSERT INTO messages", "UPDATE messages"))]
    assert messages[0].startswith("INSERT")
    assert not any(statement.startswith("UPDATE messages SET ticket_id") for statement in messages)
