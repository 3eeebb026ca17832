"""Who looks at the pages: somebody with a browser of a language and size, and operators who are logged in."""

import re
from pathlib import Path
from typing import Literal

from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Locator, Page, ViewportSize, expect

from tests.browser.running import OPERATORS, PASSWORD, RunningDesk

DESKTOP = ViewportSize(width=1440, height=900)
PHONE = ViewportSize(width=360, height=740)
Scheme = Literal["light", "dark"]
LOCALES = {"ru": "ru-RU", "en": "en-US"}
BY_LANGUAGE = {language: email for email, (_name, language) in OPERATORS.items()}


class Eyes:
    """Every page it opens is listened to: what a browser complains about fails the test."""

    def __init__(self, browser: Browser, desk: RunningDesk, *, patience_ms: int) -> None:
        self._browser, self.desk, self._patience = browser, desk, patience_ms
        self._contexts: list[BrowserContext] = []
        self.complaints: list[str] = []
        self._expected: list[re.Pattern[str]] = []

    async def somebody(
        self, *, language: str = "en", size: ViewportSize = DESKTOP, scheme: Scheme = "light", known: Path | None = None
    ) -> Page:
        """A page of a fresh browser, or of one whose cookies and storage are kept in a file."""
        context = await self._browser.new_context(
            base_url=self.desk.url, locale=LOCALES[language], viewport=size, color_scheme=scheme, reduced_motion="reduce",
            timezone_id="Europe/Moscow", storage_state=known,
        )  # fmt: skip
        context.set_default_timeout(self._patience)
        self._contexts.append(context)
        page = await context.new_page()
        page.on("console", self._heard)
        page.on("pageerror", lambda error: self.complaints.append(f"{page.url}: {error}"))
        return page

    async def operator(self, *, language: str = "en", size: ViewportSize = DESKTOP, scheme: Scheme = "light") -> Page:
        """A page of an operator's browser, logged in: the first time as they would do it, later with the session kept from then."""
        kept = self.desk.home / f"log-in-{language}.json"
        page = await self.somebody(language=language, size=size, scheme=scheme, known=kept if kept.exists() else None)
        if not kept.exists():
            await page.goto("/login")
            await page.locator("#f-email").fill(BY_LANGUAGE[language])
            await page.locator("#f-password").fill(PASSWORD)
            await page.locator("main form button").click()
            await page.wait_for_url("**/console*")
            await page.context.storage_state(path=kept)
        return page

    def expects(self, words: str) -> None:
        """Complaints that hold these words (a pattern) are part of what the test shows."""
        self._expected.append(re.compile(words))

    def _heard(self, said: ConsoleMessage) -> None:
        if said.type in ("error", "warning"):
            self.complaints.append(f"{said.type}: {said.text} ({said.location['url']})")

    def nothing_wrong(self) -> None:
        """No error, no refused style or script, no failed request so far, but for what the test said it expects."""
        wrong = [text for text in self.complaints if not any(pattern.search(text) for pattern in self._expected)]
        assert not wrong, "the browser complained:\n" + "\n".join(wrong)

    async def close(self) -> None:
        for context in self._contexts:
            await context.close()
        self.nothing_wrong()


def row(page: Page, words: str) -> Locator:
    """The line of the list that holds these words."""
    return page.locator("#rows [data-row]").filter(has_text=words)


async def open_ticket(page: Page, number: int) -> None:
    await page.goto(f"/console/tickets/{number}?view=all")
    await expect(page.locator("#ticket")).to_have_attribute("data-number", str(number))


async def listening(page: Page, address: str) -> None:
    """Open a page of the console and wait until its event stream is open: from now on it hears what happens."""
    await page.goto(address)
    await expect(page.locator("#live")).to_have_attribute("data-connected", "yes")
