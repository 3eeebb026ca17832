"""A real IMAP server (pymap): what is fetched, and that nothing is flagged before it is stored."""

import asyncio
import imaplib
import os
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from channels.email.imap import Account, ImapFetcher
from channels.email.intake import InboxAddress, MailIntake
from desk_core.kit.clock import FakeClock
from desk_core.kit.errors import Invalid, StoreUnavailable
from tests.unit.channels.email.mails import INBOX, NOW, SECRET, SUPPORT, MemoryBlobs, Storing, mail

RUN = "from pymap.main import main; main()"


@pytest.fixture(scope="module")
def server() -> Iterator[int]:
    """The port of a pymap server that lives as long as this module's tests."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    command = [sys.executable, "-W", "ignore", "-c", RUN, "--host", "127.0.0.1", "--port", str(port), "--no-tls", "dict"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env={**os.environ, "PYTHONWARNINGS": ""})
    for _ in range(200):
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            break
        except OSError:
            assert process.poll() is None, "pymap did not start"
            time.sleep(0.1)
    yield port
    process.terminate()
    process.wait(10)


class Postbox:
    """The mailbox as its owner sees it, through a second connection."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.client = imaplib.IMAP4("127.0.0.1", port, timeout=10)
        self.client.login("demouser", "demopass")
        self.client.select("INBOX")

    def put(self, *mails: bytes) -> None:
        for raw in mails:
            assert self.client.append("INBOX", None, None, raw)[0] == "OK"

    def count(self, what: str) -> int:
        self.client.noop()
        return len(self.client.search(None, what)[1][0].split())

    def empty(self) -> None:
        self.client.noop()
        if self.client.search(None, "ALL")[1][0]:
            self.client.store("1:*", "+FLAGS", "(\\Deleted)")
            self.client.expunge()


@pytest.fixture
async def postbox(server: int) -> AsyncIterator[Postbox]:
    box = await asyncio.to_thread(Postbox, server)
    await asyncio.to_thread(box.empty)
    yield box
    await asyncio.to_thread(box.client.logout)


def fetcher(postbox: Postbox, accept: Storing, **options: Any) -> ImapFetcher:
    return ImapFetcher(
        InboxAddress(INBOX, SUPPORT),
        options.pop("url", f"imap://demouser:demopass@127.0.0.1:{postbox.port}/"),
        accept=accept,
        intake=MailIntake(blobs=MemoryBlobs(), secret=SECRET, clock=FakeClock(NOW)),
        **options,
    )


async def until(happened: Any, seconds: float = 10.0) -> None:
    for _ in range(int(seconds / 0.05)):
        if happened():
            return
        await asyncio.sleep(0.05)
    raise AssertionError("it did not happen in time")


class TestFetching:
    async def test_takes_everything_unseen_and_flags_it(self, postbox: Postbox) -> None:
        await asyncio.to_thread(postbox.put, mail("one", message_id="<1@x>"), mail("two", message_id="<2@x>"))
        accept = Storing()
        assert await fetcher(postbox, accept).fetch_once() == 2
        assert [message.text for message in accept.stored.values()] == ["one", "two"]
        assert accept.raw["1@x"] == mail("one", message_id="<1@x>")
        assert await asyncio.to_thread(postbox.count, "UNSEEN") == 0
        place = accept.stored["1@x"].card["imap"]
        assert (place["folder"], place["uid"] > 0, place["uidvalidity"] > 0) == ("INBOX", True, True)
        assert await fetcher(postbox, accept).fetch_once() == 0

    async def test_flags_only_after_the_commit(self, postbox: Postbox) -> None:
        await asyncio.to_thread(postbox.put, mail())
        accept = Storing()
        accept.gate = asyncio.Event()
        fetching = asyncio.create_task(fetcher(postbox, accept).fetch_once())
        await asyncio.wait_for(accept.asked.wait(), 10)
        await asyncio.sleep(0.2)
        assert await asyncio.to_thread(postbox.count, "UNSEEN") == 1
        accept.gate.set()
        assert await asyncio.wait_for(fetching, 10) == 1
        assert await asyncio.to_thread(postbox.count, "UNSEEN") == 0

    async def test_leaves_it_unseen_when_the_store_fails(self, postbox: Postbox) -> None:
        await asyncio.to_thread(postbox.put, mail())
        accept = Storing()
        accept.error = StoreUnavailable()
        with pytest.raises(StoreUnavailable):
            await fetcher(postbox, accept).fetch_once()
        assert await asyncio.to_thread(postbox.count, "UNSEEN") == 1
        accept.error = None
        assert await fetcher(postbox, accept).fetch_once() == 1

    async def test_one_stuck_message_stops_no_other(self, postbox: Postbox) -> None:
        await asyncio.to_thread(postbox.put, mail(subject="stuck", message_id="<1@x>"), mail(message_id="<2@x>"))
        accept = Storing()
        accept.refuses = {"stuck"}
        said: list[str | None] = []
        visits = fetcher(postbox, accept, on_status=said.append)
        assert await visits.fetch_once() == 1
        assert list(accept.stored) == ["2@x"]
        assert await asyncio.to_thread(postbox.count, "UNSEEN") == 1
        assert said
        assert said[-1] is not None
        accept.refuses = set()
        assert [await visits.fetch_once() for _ in range(3)] == [0, 0, 1]

    async def test_deletes_nothing_that_somebody_only_marked(self, postbox: Postbox) -> None:
        await asyncio.to_thread(postbox.put, mail(message_id="<1@x>"), mail(message_id="<2@x>"))
        await asyncio.to_thread(postbox.client.store, "1", "+FLAGS", "(\\Deleted)")
        assert await fetcher(postbox, Storing()).fetch_once() == 2
        assert await asyncio.to_thread(postbox.count, "ALL") == 2

    async def test_takes_only_the_beginning_of_a_monster_and_says_so(self, postbox: Postbox) -> None:
        await asyncio.to_thread(postbox.put, mail("x\n" * 500_000))
        accept = Storing()
        assert await fetcher(postbox, accept, max_size=1_200_000).fetch_once() == 1
        assert accept.stored["one@example.com"].card["too_large"][0]["size"] > 1_400_000


class TestRunning:
    async def test_hears_of_new_mail_while_it_waits(self, postbox: Postbox) -> None:
        accept = Storing()
        running = asyncio.create_task(fetcher(postbox, accept, poll_seconds=20).run())
        await asyncio.sleep(0.5)
        await asyncio.to_thread(postbox.put, mail())
        await until(lambda: accept.stored)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    async def test_comes_back_after_the_server_was_away(self, postbox: Postbox) -> None:
        accept, said = Storing(), list[str | None]()
        accept.error = StoreUnavailable()
        await asyncio.to_thread(postbox.put, mail())
        running = asyncio.create_task(fetcher(postbox, accept, poll_seconds=1, on_status=said.append).run())
        await asyncio.wait_for(accept.asked.wait(), 10)
        accept.error = None
        await until(lambda: accept.stored)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    async def test_says_what_the_server_said(self, postbox: Postbox) -> None:
        said: list[str | None] = []
        url = f"imap://demouser:wrong@127.0.0.1:{postbox.port}"
        running = asyncio.create_task(fetcher(postbox, Storing(), url=url, on_status=said.append).run())
        await until(lambda: said)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        assert said[0]
        assert "wrong" not in said[0]


class TestTheConnectionTest:
    async def test_passes_step_by_step(self, postbox: Postbox) -> None:
        steps = await fetcher(postbox, Storing()).test()
        assert [passed for _step, passed, _words in steps] == [True, True, True]

    @pytest.mark.parametrize(("path", "passed"), [("wrong@127.0.0.1:{port}/", [True, False]), ("x@127.0.0.1:1/", [False])])
    async def test_stops_where_it_fails(self, postbox: Postbox, path: str, passed: list[bool]) -> None:
        steps = await fetcher(postbox, Storing(), url=f"imap://demouser:{path.format(port=postbox.port)}").test()
        assert [ok for _step, ok, _words in steps] == passed
        assert steps[-1][2]


@pytest.mark.parametrize(
    ("url", "account"),
    [
        ("imaps://me%40x.ru:p%40ss@imap.x.ru", Account("imap.x.ru", 993, tls=True, user="me@x.ru", password="p@ss")),
        ("imap://me@x.ru:pw@h:1143/Заявки", Account("h", 1143, tls=False, user="me@x.ru", password="pw", folder="Заявки")),
    ],
)
def test_addresses_of_mailboxes(url: str, account: Account) -> None:
    assert Account.of(url) == account
    assert account.password not in repr(account)


@pytest.mark.parametrize("url", ["", "http://x", "imaps://host", "imap://me:pw@h:port"])
def test_anything_else_is_refused(url: str) -> None:
    with pytest.raises(Invalid):
        Account.of(url)
