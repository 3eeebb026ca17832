"""A chat in the Telegram sandbox: a person writes and presses, an operator answers from the console."""

import re

import pytest
from playwright.async_api import Locator, Page, expect

from tests.browser.people import Eyes, listening, row

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]

WAYS_ON = ("Send", "Not it", "Skip")


class TestTheChat:
    async def test_a_person_gets_a_number_and_an_answer(self, eyes: Eyes, filled: dict[str, int]) -> None:
        console = await eyes.operator(language="en")
        await listening(console, "/console?view=all")
        chat = await eyes.somebody(language="en")
        await chat.goto("/sandbox/telegram?lang=en")
        await chat.locator("[data-people] button", has_text="Emma Stone").click()
        await chat.locator("[data-start]").click()
        await expect(said(chat).last).to_contain_text("Hi")
        await chat.locator("[data-text]").fill("My monitor stays black after lunch, room 210")
        await chat.locator("[data-text]").press("Enter")

        number = await self._reaches_number(chat)

        await row(console, "Emma Stone").click()
        await expect(console.locator("#ticket")).to_have_attribute("data-number", number)
        await console.locator("button.take").click()
        await expect(chat.locator("[data-log]")).to_contain_text("Kate")
        await console.locator("#reply-text").fill("Please press the **menu** button of the monitor.")
        await console.locator("#reply-text").press("Control+Enter")
        await expect(chat.locator("[data-log]")).to_contain_text("Please press the menu button of the monitor.")
        await chat.locator("[data-text]").fill("It shows a picture again")
        await chat.locator("[data-send]").click()
        await expect(console.locator("#timeline")).to_contain_text("It shows a picture again")

    async def _reaches_number(self, chat: Page) -> str:
        """Leave the articles, skip the questions, send the card."""
        for _turn in range(8):
            number = said(chat).filter(has_text=re.compile(r"#\d{4}"))
            newest = chat.locator("[data-log] .key").filter(has_text=re.compile(f"^({'|'.join(WAYS_ON)})$")).last
            await expect(number.or_(newest).last).to_be_visible()
            if await number.count():
                found = re.search(r"#(\d{4,})", await number.last.inner_text())
                assert found is not None
                return found[1]
            pressed = await newest.element_handle()
            await pressed.click()
            # Words may come before the keyboard goes; only a key that is gone says that the next step is whole.
            await chat.wait_for_function("pressed => !pressed.isConnected", arg=pressed)
        raise AssertionError(f"no number after eight turns: {await chat.locator('[data-log]').inner_text()}")


def said(chat: Page) -> Locator:
    """What the bot said, oldest first."""
    return chat.locator("[data-log] .message.theirs")
