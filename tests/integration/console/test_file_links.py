"""Files that were too large for a letter: fetched by whoever holds the link, for two weeks."""

from datetime import timedelta

import pytest

from desk_core.conversations.entities import Attachment
from desk_core.conversations.files import store_file
from desk_core.kit.clock import FakeClock
from gateway.file_links import FileLinks
from tests.factories.desk import DeskFactory
from tests.fakes.webdesk import FakeWebDesk
from tests.integration.console.conftest import Browser


@pytest.fixture
async def file(make: DeskFactory, desk: FakeWebDesk) -> Attachment:
    message = await make.says(await make.conversation(), "see")
    content = b"<script>alert(1)</script>"
    return await make.attach(message, await store_file(desk.blobs, name="отчёт.html", content=content, limit=1000, declared="text/html"))


async def test_a_stranger_with_the_link_fetches_it(stranger: Browser, desk: FakeWebDesk, file: Attachment, clock: FakeClock) -> None:
    links = FileLinks(desk.key)
    url = links.url(file.id, until=links.until(clock.now(), clock.now()))
    found = await stranger.get(url)
    assert (found.status_code, found.content) == (200, b"<script>alert(1)</script>")
    assert found.headers["content-type"] == "application/octet-stream"
    assert found.headers["content-disposition"].startswith("attachment;")
    assert found.headers["content-security-policy"] == "default-src 'none'; sandbox"
    assert found.headers["x-content-type-options"] == "nosniff"
    assert found.headers["cache-control"] == "private, no-store"


@pytest.mark.parametrize(("language", "words"), [("en", "This link to a file has expired"), ("ru", "Срок действия ссылки на файл истёк")])
async def test_an_expired_one_says_so(
    stranger: Browser, desk: FakeWebDesk, file: Attachment, clock: FakeClock, language: str, words: str
) -> None:
    links = FileLinks(desk.key)
    url = links.url(file.id, until=links.until(clock.now(), clock.now()))
    clock.advance(timedelta(days=14))
    gone = await stranger.get(url, headers={"accept-language": language})
    assert gone.status_code == 410
    assert words in gone.text


@pytest.mark.parametrize("token", ["nonsense", "WyJ4Iiw5OTk5OTk5OTk5XQ.forged", "x" * 200])
async def test_a_forged_one_opens_nothing(stranger: Browser, token: str) -> None:
    refused = await stranger.get(f"/files/{token}", headers={"accept-language": "ru"})
    assert refused.status_code == 404
    assert "Эта ссылка на файл недействительна" in refused.text


async def test_one_signed_with_another_key_or_of_a_file_that_is_gone_opens_nothing(
    stranger: Browser, desk: FakeWebDesk, file: Attachment, clock: FakeClock
) -> None:
    until = clock.now() + timedelta(days=1)
    for url in (FileLinks(b"other").url(file.id, until=until), FileLinks(desk.key).url(file.id[:-1] + "x", until=until)):
        assert (await stranger.get(url)).status_code == 404


def test_a_letter_that_is_sent_again_late_has_links_that_work(clock: FakeClock) -> None:
    links, sent_at = FileLinks(b"key"), clock.now()
    assert links.until(sent_at, sent_at + timedelta(hours=1)) == sent_at + timedelta(days=14)
    assert links.until(sent_at, sent_at + timedelta(days=30)) == sent_at + timedelta(days=44)
