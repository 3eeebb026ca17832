"""The page at `/`: how to reach this desk, and in a demo three ways to try it."""

from typing import cast

from fastapi import FastAPI

from desk_core.conversations.ports import ChannelKind
from gateway import inboxes
from tests.integration.channels.webform.conftest import Site


async def test_it_names_every_way_that_is_open_and_no_sandbox(site: Site) -> None:
    async with site.desk.database.unit() as uow:
        for name, channel, address, config in (
            ("bot", ChannelKind.TELEGRAM, "@company_bot", {}),
            ("mail", ChannelKind.EMAIL, "help@company.example", {}),
            ("sandbox-mail", ChannelKind.EMAIL, "support@priyom.example", {"sandbox": True}),
        ):
            await inboxes.add(uow, name=name, channel=channel, address=address, language="en", config=config, sealed=None, clock=site.clock)
    page = await site.get("/")
    links = {node.attributes.get("href") for node in page.all("a")}
    assert {"/f/site", "https://t.me/company_bot", "mailto:help@company.example", "/console"} <= links
    assert "/sandbox/telegram" not in page.response.text
    assert "support@priyom.example" not in page.words


async def test_a_demo_offers_three_ways_to_try_it(site: Site) -> None:
    app = cast("FastAPI", site.client._transport.app)  # type: ignore[attr-defined]
    app.state.sandboxes = object()
    page = await site.get("/")
    assert [node.attributes["href"] for node in page.all("a.way")] == ["/sandbox/telegram", "/f/site", "/sandbox/mail"]


async def test_a_desk_without_a_channel_says_what_to_do(site: Site) -> None:
    from sqlalchemy import update

    from desk_core.conversations.entities import Inbox

    async with site.desk.database.unit() as uow:
        await uow.execute(update(Inbox).values(state="paused"))
    assert "priyom inbox add" in (await site.get("/")).words
