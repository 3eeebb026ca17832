"""The page where operators link their account and administrators a group."""

import re

from desk_core.groups import repository, service
from desk_core.kit.clock import FakeClock
from desk_core.kit.db import Database
from desk_core.people.permissions import Role
from tests.factories.desk import DeskFactory
from tests.integration.console.conftest import LogIn

PAGE = "/console/settings/telegram"


class TestAccount:
    async def test_gets_a_code_that_links_it_once(self, log_in: LogIn, make: DeskFactory, database: Database, clock: FakeClock) -> None:
        await make.inbox("telegram")
        anna = await make.agent()
        browser = await log_in(anna)
        browser.headers["Origin"] = "http://testserver"
        assert "Not linked" in (await browser.get(PAGE)).text
        page = (await browser.post(f"{PAGE}/mine")).text
        found = re.search(r"/me ([\w-]+)", page)
        assert found is not None
        assert f"https://t.me/help_bot?start=me-{found[1]}" in page
        async with database.unit() as uow:
            code = await service.take_code(uow, found[1], purpose=service.FOR_AGENT, now=clock.now())
            await service.link_agent(uow, code.subject, channel="telegram", address="7", display="anna", now=clock.now())
        assert "Linked" in (await browser.get(PAGE)).text
        assert (await browser.post(f"{PAGE}/mine/unlink")).status_code == 303
        async with database.read() as session:
            assert await repository.agent_of(session, channel="telegram", address="7") is None


class TestGroups:
    async def test_are_an_administrators_matter(self, log_in: LogIn, make: DeskFactory) -> None:
        inbox = await make.inbox("telegram")
        browser = await log_in(await make.agent())
        browser.headers["Origin"] = "http://testserver"
        assert 'id="groups"' not in (await browser.get(PAGE)).text
        assert (await browser.post(f"{PAGE}/groups", data={"inbox": inbox.id})).status_code == 403

    async def test_are_linked_by_a_code_and_tell_their_trouble(
        self, log_in: LogIn, make: DeskFactory, database: Database, clock: FakeClock
    ) -> None:
        inbox = await make.inbox("telegram")
        browser = await log_in(await make.agent(role=Role.ADMINISTRATOR))
        browser.headers["Origin"] = "http://testserver"
        page = (await browser.post(f"{PAGE}/groups", data={"inbox": inbox.id})).text
        found = re.search(r"/link ([\w-]+)", page)
        assert found is not None
        async with database.unit() as uow:
            code = await service.take_code(uow, found[1], purpose=service.FOR_GROUP, now=clock.now())
            group = await service.link_group(
                uow, inbox_id=code.subject, chat="-1001", title="<Operators>", language="en", by=code.made_by, now=clock.now()
            )
            await uow.flush()
            await service.note_trouble(uow, group.id, "bot was kicked from the supergroup chat")
        page = (await browser.get(PAGE)).text
        assert "&lt;Operators&gt;" in page
        assert "bot was kicked from the supergroup chat" in page
        assert (await browser.post(f"{PAGE}/groups/{group.id}/unlink")).status_code == 303
        async with database.read() as session:
            assert await repository.groups(session) == []
