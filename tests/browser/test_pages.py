"""Every page in both languages, wide and narrow, light and dark: nobody is hindered, nothing is cut off, the browser has no complaints."""

from pathlib import Path

import pytest
from playwright.async_api import Page, ViewportSize

from tests.browser.accessible import grave_findings
from tests.browser.people import DESKTOP, PHONE, Eyes, Scheme
from tests.browser.places import PLACES, Place

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]

LOOKS: tuple[tuple[ViewportSize, Scheme], ...] = ((DESKTOP, "light"), (DESKTOP, "dark"), (PHONE, "dark"), (PHONE, "light"))

WIDER_THAN_THE_WINDOW = """() => {
  const panes = [document.documentElement, ...document.querySelectorAll(".sheet, .talk, .context, .rows-scroll")];
  const wide = panes.filter((pane) => pane.scrollWidth > pane.clientWidth);
  return wide.flatMap((pane) => [...pane.querySelectorAll("*")])
    .filter((each) => each.getBoundingClientRect().right > window.innerWidth + 1)
    .map((each) => each.outerHTML.slice(0, 160)).slice(0, 8);
}"""
TWICE = """() => [...document.querySelectorAll("[id]")].map((each) => each.id).filter((id, at, all) => all.indexOf(id) !== at)"""


@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.name)
class TestAPage:
    async def test_hinders_nobody(self, eyes: Eyes, filled: dict[str, int], place: Place, pictures: Path) -> None:
        page = await place.seen_by(eyes, filled, language="en", size=DESKTOP)
        found: list[str] = []
        for size, scheme in LOOKS:
            await page.set_viewport_size(size)
            await page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
            # Colours differ by scheme, everything else by size.
            rules = () if scheme == "light" else ("color-contrast",)
            found += [f"{size['width']} px, {scheme}: {each}" for each in await grave_findings(page, rules=rules)]
            await _fits(page)
            await _picture(page, pictures / f"{place.name}-en-{size['width']}{'-dark' if scheme == 'dark' else ''}.png")
        assert not found, "\n".join(found)

    async def test_fits_in_russian(self, eyes: Eyes, filled: dict[str, int], place: Place, pictures: Path) -> None:
        page = await place.seen_by(eyes, filled, language="ru", size=DESKTOP)
        for size in (DESKTOP, PHONE):
            await page.set_viewport_size(size)
            await _fits(page)
            await _picture(page, pictures / f"{place.name}-ru-{size['width']}.png")


async def _fits(page: Page) -> None:
    assert await page.evaluate(TWICE) == [], "one id for two things: keys and links find the first"
    too_wide = await page.evaluate(WIDER_THAN_THE_WINDOW)
    assert too_wide == [], f"wider than the window: {too_wide}"


async def _picture(page: Page, path: Path) -> None:
    """What a person sees; public pages whole, the console and the chat are as high as the window."""
    await page.screenshot(path=path, full_page=True, animations="disabled", caret="hide")
