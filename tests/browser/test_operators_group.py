"""An operators' group made on the sandbox's page and linked by hand: a request comes into its topic, and is answered there."""

import re
from pathlib import Path

import pytest
from playwright.async_api import Locator, Page, expect

from tests.browser.people import Eyes

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

SCREEN = "/sandbox/telegram?lang=en"


async def becomes(page: Page, name: str) -> None:
    await page.goto(SCREEN)
    await page.locator("[data-people] > li > button", has_text=name).click()
    start = page.locator("[data-start]")
    # Either is shown once the chat is read, which on a busy machine is later than this line.
    await expect(start.or_(page.locator("[data-text]")).filter(visible=True)).to_be_visible()
    if await start.is_visible():
        await start.click()
        await expect(page.locator("[data-log] .message.theirs").first).to_be_visible()


async def writes(page: Page, text: str) -> None:
    await page.locator("[data-text]").fill(text)
    await page.locator("[data-text]").press("Enter")


def topic(page: Page, name: str | re.Pattern[str]) -> Locator:
    return page.locator("[data-topics] button", has_text=name)


class TestAGroupOfOperators:
    async def test_is_founded_linked_and_worked_in(self, eyes: Eyes, filled: dict[str, int], pictures: Path) -> None:
        number = filled["charlie"]
        settings = await eyes.operator(language="en")
        team = await eyes.somebody(language="en")

        await becomes(team, "Emma Stone")
        await team.locator("[data-chat-menu]").click()
        await team.get_by_role("menuitem", name="New group").click()
        await expect(team.locator("[data-bot-name]")).to_have_text("Operators 1")
        await settings.goto("/console/settings/telegram")
        await settings.locator("#groups form button").first.click()
        link = await settings.locator("#groups code").first.inner_text()
        await settings.context.grant_permissions(["clipboard-read", "clipboard-write"])
        await settings.locator("#groups [data-copy]").click()
        await expect(settings.locator("#toasts")).to_have_text("Copied")
        assert await settings.evaluate("navigator.clipboard.readText()") == link
        await writes(team, link)
        await expect(team.locator("[data-log]")).to_contain_text("Привязана", timeout=60_000)

        await settings.goto("/console/settings/telegram")
        await settings.locator("#mine form button").first.click()
        mine = await settings.locator("#mine code").first.inner_text()
        await team.locator("[data-people] > li > button", has_text="Emma Stone").click()
        await writes(team, mine)
        await expect(team.locator("[data-log]")).to_contain_text("this account is yours now", timeout=60_000)

        await team.locator("[data-people] .groups button", has_text="Operators 1").click()
        await topic(team, f"#{number}").click(timeout=60_000)
        await expect(team.locator("[data-log]")).to_contain_text("VPN")
        await writes(team, "Hello, I am looking at it")
        chat = await eyes.somebody(language="en")
        await becomes(chat, "Charlie")
        await expect(chat.locator("[data-log]")).to_contain_text("I am looking at it", timeout=60_000)
        await writes(chat, "Thank you, I wait")
        await expect(team.locator("[data-log]")).to_contain_text("Thank you, I wait", timeout=60_000)
        await team.screenshot(path=pictures / "operators-group-en.png")
        await expect(team.locator("[data-log] .author").first).to_be_visible()


class TestTopicsOfAPerson:
    async def test_each_request_has_its_own(self, eyes: Eyes, filled: dict[str, int], pictures: Path) -> None:
        chat = await eyes.somebody(language="ru")
        await chat.goto("/sandbox/telegram?lang=ru")
        await chat.locator("#new-name").fill("Полина")
        await chat.locator("#new-name").press("Enter")
        await expect(chat.locator("[data-as-whom]")).to_have_text("Полина")
        await chat.locator("[data-chat-menu]").click()
        await chat.get_by_role("menuitem", name="Темы в личных чатах: включить").click()
        if await chat.locator("[data-start]").is_visible():
            await chat.locator("[data-start]").click()
        for trouble in ("Не печатает принтер в кабинете 214", "Не работает интернет в переговорной"):
            await topic(chat, "Вне тем").click() if await topic(chat, "Вне тем").is_visible() else None
            await writes(chat, trouble)
            await expect(chat.locator("[data-log]")).to_contain_text(trouble)
            await writes(chat, "/human")
            await expect(topic(chat, trouble[:20])).to_be_visible(timeout=60_000)
        await topic(chat, "принтер").click()
        await expect(chat.locator("[data-log]")).to_contain_text(re.compile(r"#\d{4}"))
        await chat.screenshot(path=pictures / "topics-ru.png")
        await chat.set_viewport_size({"width": 360, "height": 740})
        await chat.screenshot(path=pictures / "topics-ru-phone.png")
        await chat.locator("[data-chat-menu]").click()
        await chat.get_by_role("menuitem", name="Темы в личных чатах: выключить").click()
