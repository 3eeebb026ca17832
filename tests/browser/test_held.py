"""Held messages in a browser: selected by keyboard, dealt with at once, and gone from every open list."""

import pytest
from playwright.async_api import expect

from tests.browser.people import PHONE, Eyes, listening, row

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]


class TestHeld:
    async def test_by_keyboard_and_live(self, eyes: Eyes, filled: dict[str, int]) -> None:
        for number in range(4):
            robot = eyes.desk.correspondent(f"robot{number}@monitor.example", f"Monitor {number}")
            await robot.writes(f"Night report {number}", "The backup is done.", headers={"Auto-Submitted": "auto-generated"})
        page = await eyes.operator(language="en")
        await listening(page, "/console?view=held")
        boxes = page.locator("#rows [data-pick]")
        await expect(boxes).to_have_count(4)
        colleague = await eyes.operator(language="ru", size=PHONE)
        await listening(colleague, "/console?view=held")
        await colleague.locator("#rows [data-pick]").nth(2).check()

        await page.keyboard.press("j")
        await page.keyboard.press("x")
        await page.keyboard.press("j")
        await page.keyboard.press("x")
        await expect(page.locator("#pick-count")).to_have_text("Selected: 2")
        await page.locator("#pick-leave").focus()
        await page.keyboard.press("Enter")
        await expect(page.locator(".act-notice")).to_contain_text("2 messages left without an answer.")
        await expect(boxes).to_have_count(2)
        await expect(page.locator("#pick-count")).to_have_text("Select messages")

        await expect(colleague.locator("#rows [data-pick]")).to_have_count(2)
        await expect(colleague.locator("#pick-count")).to_have_text("Выбрано: 1")

        await expect(page.locator(".act-notice button")).to_be_focused()
        await page.keyboard.press("Enter")
        await expect(boxes).to_have_count(4)

        await page.locator("#pick-all").focus()
        await page.keyboard.press("Space")
        await expect(page.locator("#pick-count")).to_have_text("Selected: 4")
        await page.locator("[data-menu=take-up] summary").press("Enter")
        await expect(page.locator("#pick-release")).to_have_text("Take up: 4")
        await page.locator("#pick-release").press("Enter")
        await expect(page.locator("#rows-scroll")).to_contain_text("Nothing is held")
        await expect(colleague.locator("#rows-scroll")).to_contain_text("Ничего не придержано")
        await page.goto("/console?view=all")
        for number in range(4):
            await expect(row(page, f"Monitor {number}")).to_have_count(1, timeout=40_000)
        # An operators' group gets a topic for every open request, twenty messages a minute: these are nobody's any more.
        opened = await page.locator("#rows [data-row]", has_text="Monitor").evaluate_all("rows => rows.map(row => row.href.split('?')[0])")
        for at in opened:
            done = await page.evaluate(
                "at => fetch(`${at}/status`, {method: 'POST', body: new URLSearchParams({status: 'cancelled'})}).then(answer => answer.ok)",
                at,
            )
            assert done
