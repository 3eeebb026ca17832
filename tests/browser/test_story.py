"""The whole story of a request as people see it: they write, the desk answers before their eyes."""

import asyncio
import re

import pytest
from playwright.async_api import Page, Route, expect

from gateway.demo import play
from tests.browser.people import Eyes, listening, row
from tests.browser.running import RunningDesk

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]


class TestTheForm:
    async def test_from_topic_to_rating(self, eyes: Eyes, filled: dict[str, int]) -> None:
        console = await eyes.operator(language="en")
        await listening(console, "/console?view=all")

        person = await eyes.somebody(language="en")
        await person.goto("/f/site")
        await person.locator("#f-topic").select_option("hardware.printer")
        printer_field = person.locator("#fields [name^='slot.printer']").first
        await expect(printer_field).to_be_visible()
        await person.locator("#f-topic").select_option("network.wifi")
        await expect(printer_field).to_be_hidden()
        await expect(person.locator("#fields [name^='slot.']").first).to_be_visible()

        await person.locator("#f-text").press_sequentially("I cannot connect to Wi-Fi in meeting room 12", delay=5)
        await expect(person.locator("#suggestions details").first).to_contain_text("Wi-Fi")
        await person.locator("#suggestions summary").first.click()
        await expect(person.locator("#suggestions .suggestion-text").first).to_be_visible()

        await person.locator("#f-name").fill("Nina Form")
        await person.locator("#f-email").fill("nina@customer.example")
        await person.locator("#f-consent").check()
        # Nobody fills a form in less, and the desk knows it.
        await person.evaluate("new Promise((done) => setTimeout(done, Math.max(0, 3200 - performance.now())))")
        await person.locator("main form button.primary").click()
        await expect(person.locator("h1")).to_have_text(re.compile(r"Request #\d+ is in"), timeout=40_000)
        number = re.sub(r"\D", "", await person.locator("h1").inner_text())

        # It stands in the list of the operator, who did nothing but look.
        await row(console, "Nina Form").click()
        await expect(console.locator("#ticket")).to_have_attribute("data-number", number)

        await person.locator("a.button.primary").click()
        await expect(person).to_have_url(re.compile(r"/s/"))
        await self._is_answered(console, person)
        await self._is_solved_and_rated(console, person)

    async def _is_answered(self, console: Page, person: Page) -> None:
        await console.locator("button.take").click()
        await expect(console.locator(".baton button[value=agent]")).to_have_attribute("aria-pressed", "true")
        answer = console.locator("#reply-text")
        await answer.fill("We are on our way to room 12." + "\n\nPlease keep it free." * 6)
        await answer.press("Control+Enter")
        await expect(console.locator(".entry.agent")).to_contain_text("We are on our way to room 12.")
        await expect(answer).to_have_value("")
        talk = "(talk) => talk.scrollHeight - talk.scrollTop - talk.clientHeight"
        assert await console.locator("#talk").evaluate(talk) < 4, "what one has sent is in sight to its end"
        await person.reload()
        await expect(person.locator("#story")).to_contain_text("We are on our way to room 12.")

        await person.locator("#f-text").fill("Thank you, I wait at the door.")
        await person.locator("#reply button.primary").click()
        await expect(person.locator("#story")).to_contain_text("I wait at the door")
        # The open page of the operator shows it by itself.
        await expect(console.locator("#timeline")).to_contain_text("I wait at the door")

        await console.locator("label[for=tab-note]").click()
        note = console.locator("#note-text")
        await note.fill("The access point in room 12 is new.")
        await note.press("Control+Enter")
        await expect(console.locator(".entry.note")).to_contain_text("The access point in room 12 is new.")

        await console.locator("details[data-menu=escalate] > summary").click()
        await console.locator("#escalate-reason").fill("Restarted twice, needs the network people")
        await console.locator("details[data-menu=escalate] button.primary").click()
        await expect(console.locator("#timeline")).to_contain_text("needs the network people")
        await expect(console.locator("details[data-menu=escalate]")).not_to_have_attribute("open", "")
        await person.reload()
        for secret in ("The access point in room 12 is new", "needs the network people"):
            await expect(person.locator("body")).not_to_contain_text(secret)

    async def _is_solved_and_rated(self, console: Page, person: Page) -> None:
        await console.locator("label[for=tab-reply]").click()
        if await console.locator("button.take").count():
            await console.locator("button.take").click()
            await expect(console.locator("button.take")).to_have_count(0)
        await console.locator("#reply-text").fill("The access point is replaced.")
        await console.get_by_role("button", name="Send and solve").click()
        await expect(console.locator(".head-status")).to_have_text("Solved")
        await person.reload()
        await person.get_by_role("button", name="Yes, solved").click()
        await expect(person.locator("#rate")).to_be_visible()
        await person.locator("label[for=star-5]").click()
        await person.locator("#f-comment").fill("Quick and kind")
        await person.locator("#rate button").click()
        await expect(person.get_by_role("status").first).to_contain_text("Thank you")
        await expect(console.locator(".head-status")).to_have_text("Closed")
        await expect(console.locator("#context")).to_contain_text("Quick and kind")


class TestTheStream:
    async def test_a_page_that_could_not_listen_at_first_tries_again(self, eyes: Eyes) -> None:
        console = await eyes.operator(language="en")
        eyes.expects("ERR_CONNECTION_REFUSED|Failed to fetch")
        await console.route("**/console/live", lambda route: route.abort("connectionrefused"), times=1)
        await listening(console, "/console?view=all")

    async def test_a_page_listens_however_late_its_scripts_arrive(self, eyes: Eyes) -> None:
        console = await eyes.operator(language="en")

        async def late(route: Route) -> None:
            await asyncio.sleep(1)
            await route.continue_()

        await console.route("**/hx-sse.js*", late)
        await listening(console, "/console?view=all")


class TestTheDemo:
    async def test_plays_a_story_on_each_channel(self, desk: RunningDesk, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PRIYOM_HOME", str(desk.home))
        told = await play(desk.url, waiting=lambda: None)
        assert [(one["channel"], one["passed"]) for one in told] == [("telegram", True), ("email", True), ("webform", True)], told
