"""The console by keyboard alone: every act has a key, the focus can always be seen, and nothing holds it."""

import re

import pytest
from playwright.async_api import Page, expect

from tests.browser.people import DESKTOP, Eyes, listening, row

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]

SEEN = """() => {
  const at = document.activeElement;
  if (!at || at === document.body) return "nothing has the focus";
  const drawn = [at, ...document.querySelectorAll(`label[for="${at.id}"]`), at.closest("label, .search, .write")].filter(Boolean);
  const visible = drawn.some((each) => {
    const style = getComputedStyle(each), box = each.getBoundingClientRect();
    const ringed = (style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0) || style.boxShadow !== "none";
    return box.width > 1 && box.height > 1 && ringed;
  });
  return visible ? "" : at.outerHTML.slice(0, 200);
}"""
"""Empty when the focus can be seen: an outline or a ring at the focused thing, its label, or the field it stands in."""


class TestByKeyboardAlone:
    async def test_from_the_list_to_an_answer_a_note_and_a_handover(self, eyes: Eyes, filled: dict[str, int]) -> None:
        page = await eyes.operator(language="en")
        await listening(page, "/console?view=all")
        keys = page.keyboard

        await keys.press("j")
        await expect(page.locator("#rows [data-row]").first).to_be_focused()
        await keys.press("j")
        await expect(page.locator("#rows [data-row]").nth(1)).to_be_focused()
        assert await page.evaluate(SEEN) == ""
        await keys.press("k")
        await expect(page.locator("#rows [data-row]").first).to_be_focused()

        await self._moves_to(page, "Charlie Brown")
        await keys.press("Enter")
        await expect(page.locator("#ticket")).to_have_attribute("data-number", str(filled["charlie"]))

        await keys.press("t")
        await expect(page.locator(".baton button[value=agent]")).to_have_attribute("aria-pressed", "true")
        await keys.press("r")
        await expect(page.locator("#reply-text")).to_be_focused()
        assert await page.evaluate(SEEN) == ""
        await keys.type("Please restart the VPN program. j k n are letters here.")
        await keys.press("Control+Enter")
        await expect(page.locator(".entry.agent").last).to_contain_text("j k n are letters here.")
        await keys.press("Escape")

        await keys.press("n")
        await expect(page.locator("#note-text")).to_be_focused()
        await keys.type("Certificate expired, I think.")
        await keys.press("Control+Enter")
        await expect(page.locator(".entry.note").last).to_contain_text("Certificate expired, I think.")
        await keys.press("Escape")

        await keys.press("a")
        await expect(page.locator("details[data-menu=assign]")).to_have_attribute("open", "")
        assert await page.evaluate(SEEN) == ""
        await keys.press("Escape")
        await expect(page.locator("details[data-menu=assign]")).not_to_have_attribute("open", "")
        await expect(page.locator("details[data-menu=assign] > summary")).to_be_focused()

        await keys.press("e")
        await expect(page.locator("#escalate-to")).to_be_focused()
        await keys.press("Tab")
        await keys.type("The certificates are yours")
        await keys.press("Tab")
        await keys.press("Enter")
        await expect(page.locator("#timeline")).to_contain_text("The certificates are yours")

        await keys.press("Escape")
        await keys.press("s")
        await expect(page.locator("details[data-menu=status] .pop-item").first).to_be_focused()
        await page.locator("details[data-menu=status] .pop-item[value=on_hold]").focus()
        await keys.press("Enter")
        await expect(page.locator(".head-status")).to_have_text("On hold")

    async def _moves_to(self, page: Page, words: str) -> None:
        there = row(page, words)
        for _ in range(60):
            if await there.evaluate("(each) => each === document.activeElement"):
                return
            await page.keyboard.press("j")
        raise AssertionError(f"j never came to {words}")

    async def test_search_help_and_palette(self, eyes: Eyes, filled: dict[str, int]) -> None:
        page = await eyes.operator(language="en")
        await listening(page, "/console?view=all")
        keys = page.keyboard

        await keys.press("?")
        await expect(page.locator("#keys")).to_be_visible()
        assert await page.evaluate(SEEN) == ""
        await keys.press("Escape")
        await expect(page.locator("#keys")).to_be_hidden()

        await keys.press("/")
        await expect(page.locator("#search")).to_be_focused()
        assert await page.evaluate(SEEN) == ""
        await keys.type("LaserJet")
        await keys.press("Enter")
        await expect(page).to_have_url(re.compile("q=LaserJet"))

        await keys.press("Control+k")
        await expect(page.locator("#palette-input")).to_be_focused()
        await keys.type(str(filled["irina"]))
        await expect(page.locator("#palette-list [role=option]").first).to_have_attribute("aria-selected", "true")
        await keys.press("Enter")
        await expect(page.locator("#ticket")).to_have_attribute("data-number", str(filled["irina"]))
        await keys.press("Control+k")
        await keys.type("settings")
        await keys.press("Enter")
        await expect(page).to_have_url(re.compile("/console/settings"))

    async def test_the_keys_of_the_russian_layout_are_the_same_keys(self, eyes: Eyes, filled: dict[str, int]) -> None:
        page = await eyes.operator(language="ru")
        await listening(page, f"/console/tickets/{filled['irina']}?view=all")
        # What a browser tells when the key of N is pressed in the Russian layout.
        await page.evaluate("document.body.dispatchEvent(new KeyboardEvent('keydown', {key: 'т', code: 'KeyN', bubbles: true}))")
        await expect(page.locator("#note-text")).to_be_focused()

    async def test_a_mail_inbox_is_tried_and_added(self, eyes: Eyes) -> None:
        page = await eyes.operator(language="en")
        await page.goto("/console/settings/mail/new")
        keys = page.keyboard
        await page.locator("#f-address").focus()
        await keys.type("sales@desk.example")
        await keys.press("Enter")
        await expect(page.locator("#f-host")).to_have_value("imap.desk.example")
        await page.locator("#f-host").focus()
        await keys.press("Control+a")
        await keys.type("127.0.0.1")
        await keys.press("Tab")
        await keys.press("Control+a")
        await keys.type("1")
        for wanted in ("f-security", "f-user", "f-password"):
            await keys.press("Tab")
            await expect(page.locator(f"#{wanted}")).to_be_focused()
            assert await page.evaluate(SEEN) == ""
        await keys.type("a password")
        for _field in ("folders", "after", "move_to", "save"):
            await keys.press("Tab")
        await keys.press("Tab")
        assert await page.evaluate(SEEN) == ""
        await keys.press("Enter")
        await expect(page.locator("[data-step=imap_tcp]")).to_have_attribute("data-state", "fail")
        await expect(page.locator("#f-password")).to_have_value("a password")
        await keys.press("Shift+Tab")
        await keys.press("Enter")
        await expect(page.locator("h1")).to_have_text("sales")
        await expect(page.locator("#f-password")).to_have_value("")
        await page.locator("button[value=paused]").press("Enter")
        await expect(page.locator("button[value=active]")).to_be_visible()

    async def test_tab_goes_through_everything_and_comes_round(self, eyes: Eyes, filled: dict[str, int]) -> None:
        page = await eyes.operator(language="en", size=DESKTOP)
        await listening(page, f"/console/tickets/{filled['mark']}?view=all")
        unseen, visited, trapped = await self._tabs_round(page)
        assert not unseen, "focus that cannot be seen:\n" + "\n".join(unseen)
        assert not trapped, f"Tab does not leave {trapped}"
        for wanted in ("search", "reply-text", "talk"):
            assert wanted in visited, f"Tab never comes to #{wanted}"

    async def _tabs_round(self, page: Page) -> tuple[list[str], set[str], str]:
        """Press Tab until the focus has left the page; what could not be seen, the ids visited, what held the focus."""
        unseen: list[str] = []
        visited: set[str] = set()
        before = None
        for _ in range(150):
            await page.keyboard.press("Tab")
            here = await page.evaluate("""() => {
              const at = document.activeElement;
              if (!at || at === document.body) return null;
              window.tabbed ||= new Map();
              if (!window.tabbed.has(at)) window.tabbed.set(at, window.tabbed.size);
              return [window.tabbed.get(at), at.id];
            }""")
            if here is None:
                return unseen, visited, ""
            if before is not None and here[0] == before:
                return unseen, visited, str(here)
            if here[0] == 0 and before is not None:
                return unseen, visited, ""
            before = here[0]
            visited.add(here[1])
            if lost := await page.evaluate(SEEN):
                unseen.append(lost)
        return unseen, visited, "150 presses of Tab"
