"""Log-in, log-out, and what a stranger sees."""

from datetime import timedelta

from sqlalchemy import select

from desk_core.kit.clock import FakeClock
from desk_core.kit.db import Database
from desk_core.people.entities import AgentSession
from gateway.auth import sessions
from gateway.auth.passwords import hash_password
from tests.factories.desk import DeskFactory
from tests.integration.console.conftest import Browser, LogIn

RIGHT = "correct horse"


async def enter(console: Browser, password: str = RIGHT) -> int:
    response = await console.post("/login", data={"email": " Anna@Desk.example", "password": password})
    return response.status_code


class TestLogIn:
    async def test_leads_to_the_console_and_keeps_only_a_hash(self, stranger: Browser, make: DeskFactory, database: Database) -> None:
        await make.agent(email="anna@desk.example", password_hash=hash_password("correct horse"))
        response = await stranger.post(
            "/login", data={"email": "anna@desk.example", "password": "correct horse", "next": "/console/settings"}
        )
        assert (response.status_code, response.headers["location"]) == (303, "/console/settings")
        cookie = response.headers["set-cookie"]
        assert "HttpOnly" in cookie and "SameSite=lax" in cookie
        secret = stranger.cookies[sessions.COOKIE]
        async with database.read() as session:
            row = (await session.scalars(select(AgentSession))).one()
        assert secret not in (row.token_hash, row.user_agent)
        assert (await stranger.get("/console")).status_code == 200

    async def test_a_wrong_password_says_so_and_keeps_the_address(self, stranger: Browser, make: DeskFactory) -> None:
        await make.agent(email="anna@desk.example", password_hash=hash_password("correct horse"))
        response = await stranger.post("/login", data={"email": "anna@desk.example", "password": "x"})
        assert response.status_code == 401
        assert "does not fit" in response.text
        assert 'value="anna@desk.example"' in response.text

    async def test_an_unknown_person_hears_the_same(self, stranger: Browser, make: DeskFactory) -> None:
        response = await stranger.post("/login", data={"email": "nobody@desk.example", "password": "x"})
        assert response.status_code == 401
        assert "does not fit" in response.text

    async def test_five_wrong_tries_close_the_door_even_to_the_right_password(self, stranger: Browser, make: DeskFactory) -> None:
        await make.agent(email="anna@desk.example", password_hash=hash_password("correct horse"))
        assert [await enter(stranger, "wrong") for _ in range(5)] == [401] * 5
        assert await enter(stranger) == 429

    async def test_right_ones_are_not_counted(self, stranger: Browser, make: DeskFactory) -> None:
        await make.agent(email="anna@desk.example", password_hash=hash_password("correct horse"))
        assert [await enter(stranger) for _ in range(6)] == [303] * 6

    async def test_a_post_from_another_site_is_refused(self, stranger: Browser) -> None:
        response = await stranger.post("/login", data={}, headers={"origin": "https://evil.example", "sec-fetch-site": "cross-site"})
        assert response.status_code == 403
        assert "foreign_request" in response.text

    async def test_an_agent_who_was_disabled_is_out_at_once(self, console: Browser, database: Database, clock: FakeClock) -> None:
        from sqlalchemy import update

        from desk_core.people.entities import Agent

        async with database.unit() as uow:
            await uow.execute(update(Agent).values(disabled_at=clock.now()))
        assert (await console.get("/console")).status_code == 303


class TestSessions:
    async def test_a_stranger_is_led_to_the_log_in_and_back(self, stranger: Browser) -> None:
        response = await stranger.get("/console/tickets/1042")
        assert (response.status_code, response.headers["location"]) == (303, "/login?next=/console/tickets/1042")

    async def test_htmx_is_told_to_go_there_itself(self, stranger: Browser) -> None:
        response = await stranger.get("/console", headers={"HX-Request": "true"})
        assert (response.status_code, response.headers["hx-redirect"]) == (401, "/login?next=/console")

    async def test_log_out_revokes_the_session(self, console: Browser, database: Database) -> None:
        secret = console.cookies[sessions.COOKIE]
        assert (await console.post("/logout")).status_code == 303
        console.cookies.set(sessions.COOKIE, secret)
        assert (await console.get("/console")).status_code == 303

    async def test_a_session_ends_when_nobody_used_it(self, console: Browser, clock: FakeClock) -> None:
        clock.advance(timedelta(days=2))
        assert (await console.get("/console")).status_code == 200
        clock.advance(timedelta(days=2))
        assert (await console.get("/console")).status_code == 200
        clock.advance(timedelta(days=4))
        assert (await console.get("/console")).status_code == 303

    async def test_a_visit_notes_presence_once_a_minute(
        self, log_in: LogIn, make: DeskFactory, clock: FakeClock, database: Database
    ) -> None:
        agent = await make.agent("Ivan")
        console = await log_in(agent)
        clock.advance(timedelta(minutes=5))
        await console.get("/console")
        async with database.read() as session:
            from desk_core.people.entities import Agent

            assert (await session.get_one(Agent, agent.id)).seen_at == clock.now()
