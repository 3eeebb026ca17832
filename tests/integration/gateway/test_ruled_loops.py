"""A rule for words of a subject says nothing of who writes: a machine that bears them is still told by what it says."""

from datetime import timedelta

from sqlalchemy import select

from channels.email.rules import Rules
from desk_core.conversations.entities import Message
from desk_core.conversations.growth import SAME_WORDS
from tests.integration.gateway.conftest import VERA, Post


async def test_a_robot_with_the_words_of_a_rule_is_held_once_it_repeats_itself(post: Post) -> None:
    post.rules = Rules({}, {"заявка": "person"})
    for turn in range(6):
        head = f"From: Вера <{VERA}>\nSubject: Заявка {turn} принята\nMessage-ID: <r{turn}@example.com>\nX-Autoreply: yes"
        await post.comes(head, f"Ваше обращение {turn} принято, мы ответим на него в рабочее время.")
        post.desk.clock.advance(timedelta(minutes=11))
    async with post.desk.database.read() as session:
        codes = list(await session.scalars(select(Message.verdict_code).where(Message.direction == "inbound").order_by(Message.id)))
    assert codes[:2] == ["subject_person", "subject_person"]
    assert set(codes[2:]) == {SAME_WORDS}
    assert len(await post.letters()) == 2
