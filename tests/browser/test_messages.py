"""What is done at a message itself: its menu, where a letter belongs, and the line of the list that is open."""

import pytest
from playwright.async_api import Locator, expect

from tests.browser.people import PHONE, Eyes, listening, open_ticket

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]


class TestAtAMessage:
    async def test_ones_own_delivered_answer_can_be_changed(self, eyes: Eyes, filled: dict[str, int]) -> None:
        page = await eyes.operator(language="ru")
        await open_ticket(page, filled["anna"])
        await page.locator(".baton button[value=agent]").click()
        await page.locator("#reply-text").fill("Сейчас посмотрю.\n\n" * 4)
        await page.locator(".write-reply button.primary").click()
        answer = page.locator(".entry.agent").last
        await expect(answer.locator(".delivery.sent")).to_be_visible(timeout=40_000)
        await answer.locator(".message-acts summary").click()
        await _in_sight(answer.locator(".pop button").last)

        phone = await eyes.operator(language="ru", size=PHONE)
        await open_ticket(phone, filled["anna"])
        answer = phone.locator(".entry.agent").last
        await answer.locator(".message-acts summary").click()
        await _in_sight(answer.locator(".pop button").first)
        await _in_sight(answer.locator(".pop button").last)

    async def test_what_opens_under_the_last_letter_is_in_sight(self, eyes: Eyes, filled: dict[str, int]) -> None:
        page = await eyes.operator(language="ru", size=PHONE)
        await open_ticket(page, filled["irina"])
        talk = page.locator("#talk")
        letter = page.locator(".entry.contact").last
        await letter.evaluate("(entry) => entry.closest('.timeline').append(entry)")
        await talk.evaluate("(talk) => { talk.scrollTop = talk.scrollHeight }")
        await letter.locator(".elsewhere summary").click()
        await _in_sight(letter.locator(".elsewhere button").first)
        await _in_sight(letter.locator(".elsewhere summary"))


class TestTheList:
    async def test_the_held_letter_that_is_open_is_marked(self, eyes: Eyes) -> None:
        robot = eyes.desk.correspondent("marked@monitor.example", "Monitor")
        await robot.writes("Night report", "The backup is done.", headers={"Auto-Submitted": "auto-generated"})
        page = await eyes.operator(language="en")
        await listening(page, "/console?view=held")
        line = page.locator("#rows [data-row]").filter(has_text="Night report").first
        await line.click()
        await expect(page.locator("#ticket .held-acts").first).to_be_visible()
        await expect(line).to_have_attribute("aria-current", "true")
        await page.locator("#ticket .held-acts button").last.click()
        await expect(page.locator("#ticket .held-acts")).to_have_count(0)


async def _in_sight(what: Locator) -> None:
    """Whole, and with nothing above it."""
    handle = await what.element_handle()
    await what.page.wait_for_function(_UNCOVERED, arg=handle)


_UNCOVERED = """(one) => {
  const box = one.getBoundingClientRect();
  return [box.top + 3, box.bottom - 3].every((y) => one.contains(document.elementFromPoint(box.left + box.width / 2, y)));
}"""


TABLE = (
    "<p>Отчёт:</p><table border=1><tr><th>Наименование</th><th>Количество</th><th>Комментарий</th></tr>"
    "<tr><td>Картридж</td><td>12</td><td>в выгрузке</td></tr></table>"
)
LINES_OF_HEADS = "[...document.querySelectorAll('th')].map((head) => Math.round(head.getBoundingClientRect().height / 22))"


class TestALetter:
    async def test_keeps_the_words_of_its_tables_whole(self, eyes: Eyes) -> None:
        sergey = eyes.desk.correspondent("sergey@customer.example", "Сергей")
        sent = await sergey.writes("Отчёт", "Отчёт во вложенной таблице", html=TABLE)
        page = await eyes.somebody(size=PHONE)
        eyes.expects(r"favicon\.ico")
        letters = await (await page.request.get("/sandbox/mail/api/messages?mailbox=sergey@customer.example")).json()
        await page.goto(f"/sandbox/mail/{next(one['id'] for one in letters if one['message_id'] == sent)}/html")
        assert await page.evaluate(LINES_OF_HEADS) == [1, 1, 1]

    async def test_fits_a_phone_however_long_its_addresses_are(self, eyes: Eyes, filled: dict[str, int]) -> None:
        page = await eyes.somebody(size=PHONE)
        # A browser asks every host for a picture of it, and a letter alone names none.
        eyes.expects(r"favicon\.ico")
        letters = (await (await page.request.get("/sandbox/mail/api/messages?mailbox=irina@customer.example")).json())[::-1]
        await page.goto(f"/sandbox/mail/{next(one['id'] for one in letters if one['direction'] == 'sent')}/html")
        assert await page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
