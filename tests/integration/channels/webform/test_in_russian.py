"""The pages of a person who reads Russian have no English words in them."""

from typing import Any

import pytest

from tests.fakes.reading import english, read
from tests.integration.channels.webform.conftest import Page, Site

RUSSIAN = {"accept-language": "ru"}
OURS = frozenset({"http", "https", "site", "ivanova"})
PERSON = {"name": "Анна Орлова", "text": "Принтер на третьем этаже не печатает с утра."}


def untranslated(page: Page) -> list[str]:
    return english(read(page.response.text), names=OURS)


@pytest.fixture
def russian(site: Site) -> Site:
    site.client.headers.update(RUSSIAN)
    return site


async def test_the_form_and_its_refusals_are_russian(russian: Site) -> None:
    for topic in ("", "hardware.printer", "network.wifi", "access.password"):
        page = await russian.get("/f/site", params={"topic": topic})
        assert untranslated(page) == [], topic
    empty: dict[str, Any] = {"name": "", "text": "", "email": "нет"}
    refused = await russian.post("/f/site", await russian.filled(**empty))
    assert refused.status == 422
    assert untranslated(refused) == []


async def test_the_receipt_and_the_page_of_a_request_are_russian(russian: Site) -> None:
    done = await russian.send(**PERSON)
    assert untranslated(done) == []
    ticket = (await russian.tickets())[-1]
    for do in ("", "?do=solved", "?do=not_solved", "?do=rate"):
        assert untranslated(await russian.get(f"/s/{ticket.token}{do}")) == [], do


async def test_other_doors_are_russian(russian: Site) -> None:
    for address in ("/", "/f/nowhere", "/s/nowhere", "/login", "/sandbox/mail"):
        assert untranslated(await russian.get(address)) == [], address
