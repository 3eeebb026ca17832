"""Letters that only their sender can read: filed, and said so, not acknowledged as if somebody had read them."""

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from desk_core.conversations.entities import Message
from desk_core.tickets import service as tickets
from gateway.console.timeline import story
from tests.integration.gateway.conftest import VERA, Post

SMIME = (
    "\nMIME-Version: 1.0\nContent-Transfer-Encoding: base64"
    '\nContent-Type: application/pkcs7-mime; smime-type=enveloped-data; name="smime.p7m"'
)


async def encrypted(post: Post, *, subject: str = "Принтер", more: str = "") -> None:
    post.written += 1
    await post.comes(
        f"From: Вера <{VERA}>\nSubject: {subject}\nMessage-ID: <v{post.written}@example.com>{more}{SMIME}", "MIAGCSqGSIb3DQEHA6CAMIACAQA="
    )


async def test_the_acknowledgement_says_that_nobody_can_read_it(post: Post) -> None:
    await encrypted(post)
    (letter,) = await post.letters()
    assert "Ваше письмо зашифровано (S/MIME), и прочитать его здесь никто не может." in letter.text
    assert f"#{(await post.ticket()).number}" in letter.text
    assert "\n1. " not in letter.text, "no questions about what nobody has read"


async def test_the_operator_sees_why(post: Post) -> None:
    await encrypted(post)
    async with post.desk.database.read() as session:
        came = (await session.scalars(select(Message).where(Message.direction == "inbound"))).one()
        await session.refresh(came, ["attachments", "versions"])
    (entry,) = [one for one in story([came], [], zone=ZoneInfo("UTC"), language="en", titles={}) if one.message]
    assert ("Protection", "encrypted with S/MIME: nobody here can read it") in entry.facts


async def test_in_answer_to_the_bot_it_is_told_and_while_an_operator_speaks_it_is_not(post: Post) -> None:
    await post.vera_writes()
    before = len(await post.letters())
    answers = "\nIn-Reply-To: <v1@example.com>"
    await encrypted(post, subject="Re: Принтер", more=answers)
    assert len(await post.letters()) == before + 1
    assert "зашифровано" in (await post.letters())[-1].text
    ctx = await post.desk.context()
    async with post.desk.database.unit() as uow:
        await tickets.take_over(uow, ctx, (await post.ticket()).id, by=post.agent)
    await encrypted(post, subject="Re: Принтер", more=answers)
    assert len(await post.letters()) == before + 1, "one voice at a time"


@pytest.mark.parametrize(("threaded", "pause"), [(True, timedelta(minutes=6)), (False, timedelta(seconds=1))])
async def test_a_robot_that_encrypts_its_answers_hears_it_once_more_and_no_oftener(post: Post, threaded: bool, pause: timedelta) -> None:
    await encrypted(post)
    for turn in range(8):
        last = (await post.letters())[-1].letter.message_id
        post.desk.clock.advance(pause)
        await encrypted(post, subject=f"Re: Принтер {turn}", more=f"\nIn-Reply-To: <{last}>" if threaded else "")
    assert len(await post.letters()) == 2
