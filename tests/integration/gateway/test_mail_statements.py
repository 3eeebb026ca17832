"""What a letter costs: prepared statements alone, since one that goes through the session costs ten of them."""

from collections.abc import Sequence

import pytest

from tests.fakes.queries import QueryRecorder
from tests.integration.gateway.conftest import Post

pytestmark = [pytest.mark.timeout(60), pytest.mark.parametrize("store", ["sqlite"], indirect=True)]

IVAN = "ivan@example.com"


def besides_claims(seen: Sequence[str]) -> list[str]:
    """Without the worker's own question for lanes; what has just come in is handed to it."""
    return [statement for statement in seen if not statement.startswith("WITH chosen")]


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
