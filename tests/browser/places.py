"""The pages of a desk: how to get to each, and when it is there."""

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from playwright.async_api import Page, ViewportSize, expect

from tests.browser.people import Eyes

Numbers = dict[str, int]


@dataclass(frozen=True, slots=True)
class Place:
    """`goes` opens it in a page and returns when it is whole; `inside` are pages of operators; `refused`
    ones are answers with an error status, of which a browser complains."""

    name: str
    goes: Callable[[Page, Numbers], Awaitable[None]]
    inside: bool = False
    refused: bool = False

    async def seen_by(self, eyes: Eyes, numbers: Numbers, *, language: str, size: ViewportSize) -> Page:
        """A page of a fresh browser that shows this place."""
        if self.refused:
            eyes.expects(r"status of 422")
        look = eyes.operator if self.inside else eyes.somebody
        page = await look(language=language, size=size)
        await self.goes(page, numbers)
        return page


def _at(address: str, shows: str) -> Callable[[Page, Numbers], Awaitable[None]]:
    async def goes(page: Page, numbers: Numbers) -> None:
        await page.goto(address)
        await expect(page.locator(shows).first).to_be_visible()

    return goes


async def _ticket(page: Page, numbers: Numbers) -> None:
    await page.goto(f"/console/tickets/{numbers['anna']}?view=all")
    await expect(page.locator("#ticket .entry").first).to_be_visible()


async def _mail_ticket(page: Page, numbers: Numbers) -> None:
    await page.goto(f"/console/tickets/{numbers['irina']}?view=all")
    await expect(page.locator("#ticket .entry").first).to_be_visible()


async def _talk(page: Page, _numbers: Numbers) -> None:
    await page.goto("/console?view=bot")
    await page.locator("#rows [data-row]").filter(has_text=re.compile("Борис")).click()
    await expect(page.locator("#ticket .entry").first).to_be_visible()


async def _chat(page: Page, _numbers: Numbers) -> None:
    await page.goto("/sandbox/telegram")
    await page.locator("[data-people] button").filter(has_text=re.compile("Анна")).click()
    await expect(page.locator("[data-log] .message.theirs").last).to_be_visible()


async def _form(page: Page, _numbers: Numbers) -> None:
    """With a topic chosen, a text typed and articles offered."""
    await page.goto("/f/site")
    await page.locator("#f-topic").select_option("hardware.printer")
    await expect(page.locator("#fields select, #fields input").first).to_be_visible()
    russian = await page.locator("html").get_attribute("lang") == "ru"
    await page.locator("#f-text").fill(
        "не печатает принтер, бумага есть" if russian else "the printer does not print, there is paper in it"
    )
    await expect(page.locator("#suggestions details").first).to_be_visible()


async def _form_with_errors(page: Page, _numbers: Numbers) -> None:
    """Sent with nothing filled in."""
    await page.goto("/f/site")
    await _as_slowly_as_a_person(page)
    await page.locator("main form button.primary").click()
    await expect(page.locator("#errors")).to_be_visible()


async def _done(page: Page, _numbers: Numbers) -> None:
    """A form just sent."""
    await page.goto("/f/site")
    russian = await page.locator("html").get_attribute("lang") == "ru"
    await page.locator("#f-topic").select_option("network.wifi")
    await page.locator("#f-text").fill(
        "Wi-Fi в переговорной пропадает каждые пять минут" if russian else "The Wi-Fi in the meeting room drops every five minutes"
    )
    await page.locator("#f-name").fill("Фёдор Ильин" if russian else "Fred Miles")
    await page.locator("#f-email").fill("fred@customer.example")
    await page.locator("#f-consent").check()
    await _as_slowly_as_a_person(page)
    await page.locator("main form button.primary").click()
    await page.wait_for_url("**/done/**")
    await expect(page.locator("h1")).to_contain_text("#", timeout=40_000)


async def _status(page: Page, numbers: Numbers) -> None:
    await _done(page, numbers)
    await page.locator("a.button.primary").click()
    await expect(page.locator("#story li").first).to_be_visible()


async def _letter(page: Page, _numbers: Numbers) -> None:
    await page.goto("/sandbox/mail?box=irina@customer.example")
    await page.locator(".letters a").first.click()
    await expect(page.locator(".letter-text")).to_be_visible()


async def _article(page: Page, _numbers: Numbers) -> None:
    await page.goto("/console/articles?q=VPN")
    await page.locator("table a").first.click()
    await expect(page.locator("textarea[name=body]")).to_be_visible()


async def _asked(page: Page, _numbers: Numbers) -> None:
    """How the bot would answer."""
    await page.goto("/console/articles/try")
    russian = await page.locator("html").get_attribute("lang") == "ru"
    await page.locator("#search").fill("не подключается впн из дома" if russian else "the vpn does not connect from home")
    await page.locator("main form button.primary").click()
    await expect(page.locator("main table")).to_be_visible()


async def _telegram(page: Page, _numbers: Numbers) -> None:
    """Codes that were just made: for a group, and the steps around it."""
    await page.goto("/console/settings/telegram")
    await page.locator("#groups form button.button:not(.quiet)").last.click()
    await expect(page.locator("#groups [role=status] code")).to_be_visible()


async def _elsewhere(page: Page, numbers: Numbers) -> None:
    """Where a letter belongs is being said."""
    await _mail_ticket(page, numbers)
    letter = page.locator("#ticket .elsewhere").last
    await letter.locator("summary").click()
    await expect(letter.locator("button").first).to_be_visible()


def _of_inbox(page_of_it: str, shows: str) -> Callable[[Page, Numbers], Awaitable[None]]:
    async def goes(page: Page, _numbers: Numbers) -> None:
        await page.goto("/console/settings")
        inbox = await page.locator("a[href*='/settings/mail/']:not([href$=new])").first.get_attribute("href")
        await page.goto(f"{inbox}{page_of_it}")
        await expect(page.locator(shows).first).to_be_visible()

    return goes


async def _mail_rules(page: Page, numbers: Numbers) -> None:
    """A rule for a long address that is there, and one that is tried first."""
    await _of_inbox("/rules", "#f-about")(page, numbers)
    await page.locator("#f-about").fill("night.reports.of.all.printers@monitoring.of.a.long.name.example")
    await page.locator("main form button.primary").click()
    await page.locator("#f-about").fill("не открывается")
    await page.locator("button[name=preview]").click()
    await expect(page.locator(".would-meet")).to_be_visible()


async def _mailbox(page: Page, _numbers: Numbers) -> None:
    """A mail inbox that is being added, checked with a server that is not there."""
    await page.goto("/console/settings/mail/new?address=support@desk.example")
    await page.locator("#f-host").fill("127.0.0.1")
    await page.locator("#f-port").fill("1")
    await page.locator("#f-password").fill("never shown")
    await page.locator("main form button[hx-post]").first.click()
    await expect(page.locator("[data-step=imap_tcp][data-state=fail]")).to_be_visible()


async def _as_slowly_as_a_person(page: Page) -> None:
    """The desk refuses forms that come back sooner than anybody can fill them in."""
    await page.evaluate("new Promise((done) => setTimeout(done, Math.max(0, 3200 - performance.now())))")


PLACES = (
    Place("start", _at("/", "main h1")),
    Place("login", _at("/login", "#f-email")),
    Place("form", _form),
    Place("form-errors", _form_with_errors, refused=True),
    Place("done", _done),
    Place("status", _status),
    Place("sandbox-chat", _chat),
    Place("sandbox-mail", _at("/sandbox/mail", ".letters")),
    Place("sandbox-letter", _letter),
    Place("inbox", _at("/console?view=all", "#rows [data-row]"), inside=True),
    Place("ticket", _ticket, inside=True),
    Place("ticket-mail", _mail_ticket, inside=True),
    Place("letter-elsewhere", _elsewhere, inside=True),
    Place("held", _at("/console?view=held", "#rows-scroll"), inside=True),
    Place("talk", _talk, inside=True),
    Place("articles", _at("/console/articles", "table"), inside=True),
    Place("article", _article, inside=True),
    Place("article-try", _asked, inside=True),
    Place("gaps", _at("/console/gaps", ".gap, .empty"), inside=True),
    Place("settings", _at("/console/settings", "#f-language"), inside=True),
    Place("telegram", _telegram, inside=True),
    Place("mailbox-new", _at("/console/settings/mail/new", "#f-address"), inside=True),
    Place("mailbox", _mailbox, inside=True),
    Place("mailbox-known", _of_inbox("", "#manner"), inside=True),
    Place("mail-out", _of_inbox("/out", "#signature"), inside=True),
    Place("mail-letters", _of_inbox("/letter", ".as-sent iframe"), inside=True),
    Place("mail-rules", _mail_rules, inside=True),
    Place("model", _at("/console/model", "svg.matrix"), inside=True),
    Place("dead-items", _at("/console/dead", "table"), inside=True),
)
