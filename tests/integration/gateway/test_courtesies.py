"""Reminders and questions for a rating can be stopped from the letter itself; answers go on."""

import re
from datetime import timedelta

import httpx2
import pytest

from channels.email.sandbox.mailbox import Opened
from desk_core.kit.clock import FakeClock
from gateway.app import create_app
from tests.integration.gateway.conftest import Post


def header(letter: Opened, name: str) -> str:
    return next((value for key, value in letter.headers if key.lower() == name.lower()), "")


def courtesies(letters: list[Opened]) -> list[Opened]:
    return [letter for letter in letters if header(letter, "List-Unsubscribe")]


async def days_pass(post: Post, clock: FakeClock, days: int = 14) -> None:
    for _day in range(days):
        clock.advance(timedelta(days=1))
        await post.desk.worker().drain()


@pytest.fixture
async def letters(post: Post, clock: FakeClock) -> list[Opened]:
    """Everything the desk sends about a request that was solved and of which nothing more is heard."""
    await post.vera_writes()
    await post.answers("Готово.", resolve=True)
    await days_pass(post, clock)
    assert (await post.ticket()).status == "closed"
    return await post.letters()


class TestTheLetters:
    async def test_a_reminder_can_be_stopped_and_what_must_arrive_cannot(self, letters: list[Opened]) -> None:
        stoppable = courtesies(letters)
        assert stoppable, "there was a reminder"
        acknowledgement, answer, *_rest = letters
        assert acknowledgement not in stoppable
        assert answer not in stoppable
        for letter in stoppable:
            address = header(letter, "List-Unsubscribe")
            assert re.fullmatch(r"<http://[^ >]+/quiet/[\w.-]+>", address)
            assert header(letter, "List-Unsubscribe-Post") == "List-Unsubscribe=One-Click"
            assert address.strip("<>") in letter.text

    async def test_the_address_gives_no_way_to_the_request(self, post: Post, letters: list[Opened]) -> None:
        ticket = await post.ticket()
        assert all(ticket.token not in header(letter, "List-Unsubscribe") for letter in letters)


class TestStopping:
    async def test_looking_stops_nothing_one_click_does_and_twice_is_once(self, post: Post, clock: FakeClock) -> None:
        await post.vera_writes()
        await post.answers("Готово.", resolve=True)
        await post.desk.worker().drain()
        path = f"/quiet/{await self.token(post)}"
        app = await create_app(post.desk)
        async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url="http://testserver") as client:
            looked = await client.get(path)
            assert (looked.status_code, "<form" in looked.text) == (200, True)
            assert "courtesies_stopped" not in await post.happened()
            for _twice in range(2):
                clicked = await client.post(
                    path, content=b"List-Unsubscribe=One-Click", headers={"content-type": "application/x-www-form-urlencoded"}
                )
                assert clicked.status_code == 200
            assert (await post.happened()).count("courtesies_stopped") == 1
            assert "<form" not in (await client.get(path)).text
            for wrong in ("x", path.rpartition("/")[2][:-2] + "zz", "%00"):
                assert (await client.get(f"/quiet/{wrong}")).status_code == 404
                assert (await client.post(f"/quiet/{wrong}")).status_code == 404
        await days_pass(post, clock)
        assert courtesies(await post.letters()) == []
        assert (await post.ticket()).status == "closed", "it closes all the same"

    async def test_answers_still_arrive(self, post: Post) -> None:
        from gateway.courtesies import CourtesyLinks, _stop

        await post.vera_writes()
        await _stop(post.desk, CourtesyLinks(post.desk.key).read(await self.token(post)))
        before = len(await post.letters())
        await post.answers("Мастер придёт в два.")
        await post.desk.worker().drain()
        assert len(await post.letters()) == before + 1

    @staticmethod
    async def token(post: Post) -> str:
        from gateway.courtesies import CourtesyLinks

        return CourtesyLinks(post.desk.key).url((await post.ticket()).id).rpartition("/")[2]
