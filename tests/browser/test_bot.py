"""The page of a bot in a browser: saved as people save it, and what it says of a webhook that fails."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Page, expect
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from tests.acceptance.house import Served
from tests.browser.people import PHONE, Eyes

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]


@pytest.fixture
async def failing() -> AsyncIterator[str]:
    """The address of a web server that answers 500 to everything."""

    async def fail(_request: Request) -> Response:
        return PlainTextResponse("no", status_code=500)

    served = await Served(Starlette(routes=[Route("/{path:path}", fail, methods=["POST"])])).start()
    yield served.url
    await served.stop()


async def saves(page: Page, mode: str) -> None:
    await page.locator("[name=mode]").select_option(mode)
    async with page.expect_navigation(url="**saved=change"):
        await page.get_by_role("button", name="Save").click()


async def test_a_webhook_that_fails_is_told_with_its_cure(eyes: Eyes, filled: dict[str, int], failing: str, pictures: Path) -> None:
    page, chat = await eyes.operator(language="en"), await eyes.somebody(language="en")
    await chat.goto("/sandbox/telegram?lang=en")
    # Somebody new: to whom an operator speaks already, in whatever test came before, the bot says nothing.
    await chat.locator("#new-name").fill("Nora")
    await chat.locator("#new-name").press("Enter")
    await expect(chat.locator("[data-as-whom]")).to_have_text("Nora")
    await chat.locator("[data-start]").click()
    said = chat.locator("[data-log] .message.theirs")
    await expect(said.first).to_be_visible()
    await page.goto("/console/settings")
    await page.locator("a[href*='/console/settings/telegram/']").first.click()
    await page.locator("[name=webhook_url]").fill(failing)
    await saves(page, "webhook")
    before = await said.count()
    try:
        # What is written before Telegram has been told of the webhook is still asked for; the first that it calls for brings the error.
        for number in range(30):
            await chat.locator("[data-text]").fill(f"Are you there? {number}")
            await chat.locator("[data-text]").press("Enter")
            await page.get_by_role("button", name="Check").click()
            await expect(page.locator("#steps [data-step]").first).to_be_visible()
            if "500 Internal Server Error" in await page.locator("#steps").inner_text():
                break
            await page.wait_for_timeout(500)
        await expect(page.locator("#steps")).to_contain_text("500 Internal Server Error")
        await expect(page.locator("#steps")).to_contain_text("priyom doctor")
        await page.locator("#steps").evaluate("steps => steps.scrollIntoView()")
        await page.screenshot(path=pictures / "bot-failing-webhook-en.png")
        await page.set_viewport_size(PHONE)
        await page.locator("#steps").evaluate("steps => steps.scrollIntoView()")
        await page.screenshot(path=pictures / "bot-failing-webhook-en-phone.png")
    finally:
        await saves(page, "polling")
    await expect(said).not_to_have_count(before, timeout=60_000)
