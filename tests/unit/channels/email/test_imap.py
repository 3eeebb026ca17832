"""A real IMAP server (pymap): what is fetched, and that nothing is flagged before it is stored."""

import asyncio
import imaplib
import os
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from imap_tools.utils import encode_folder

from channels.email import imap_mailbox as wire
from channels.email.imap import IN_HAND, ImapFetcher, everything_since
from channels.email.imap_account import Account
from channels.email.imap_mailbox import CommandRefused, Fetched
from channels.email.intake import InboxAddress, MailIntake
from desk_core.conversations.ports import Accepted, InboundMessage
from desk_core.kit.clock import FakeClock
from desk_core.kit.errors import StoreUnavailable
from desk_core.kit.i18n import Phrase, translate
from tests.unit.channels.email.mails import INBOX, NOW, SECRET, SUPPORT, MemoryBlobs, Storing, mail
from tests.unit.channels.email.scripted import listening

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

    def put_into(self, folder: str, *mails: bytes) -> None:
        """The folder is made where it is missing."""
        self.client.create(encode_folder(folder))
        for raw in mails:
            assert self.client.append(encode_folder(folder), None, None, raw)[0] == "OK"

    def count(self, what: str) -> int:
        self.client.noop()
        return len(self.client.search(None, what)[1][0].split())

    def lies_in(self, folder: str) -> list[str]:
        """The Message-IDs of a folder."""
        assert self.client.select(encode_folder(folder), readonly=True)[0] == "OK"
        found = self.client.fetch("1:*", "(BODY.PEEK[HEADER.FIELDS (MESSAGE-ID)])")[1] if self.client.search(None, "ALL")[1][0] else []
        self.client.select("INBOX")
        return [item[1].decode().partition(":")[2].strip() for item in found if isinstance(item, tuple)]

    def remove(self, folder: str) -> None:
        self.client.delete(encode_folder(folder))

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
        Account.of(options.pop("url", f"imap://demouser:demopass@127.0.0.1:{postbox.port}/"), **options.pop("account", {})),
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


class TestAfterwards:
    @pytest.mark.parametrize("can", [None, frozenset({"UIDPLUS"}), frozenset[str]()])
    async def test_moves_into_a_folder_it_makes(
        self, postbox: Postbox, can: frozenset[str] | None, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        folder = f"Принятые & разобранные {len(can) if can is not None else 'все'}"
        await asyncio.to_thread(postbox.put, mail(message_id="<1@x>"), mail(message_id="<2@x>"), mail(message_id="<3@x>"))
        await asyncio.to_thread(postbox.client.store, "2", "+FLAGS", "(\\Deleted \\Seen)")
        accept = Storing()
        visit = fetcher(postbox, accept, account={"after": f"move:{folder}"})
        if can is not None:  # a server that cannot move, or cannot even remove one message alone
            monkeypatch.setattr(wire, "offers", lambda mailbox: can)
        assert await visit.fetch_once() == 2
        assert await asyncio.to_thread(postbox.lies_in, folder) == ["<1@x>", "<3@x>"]
        left = ["<2@x>"] if can is None or can else ["<1@x>", "<2@x>", "<3@x>"]
        assert await asyncio.to_thread(postbox.lies_in, "INBOX") == left
        assert await visit.fetch_once() == 0

    async def test_deletes_only_what_it_took(self, postbox: Postbox) -> None:
        await asyncio.to_thread(postbox.put, mail(message_id="<1@x>"), mail(message_id="<2@x>"))
        await asyncio.to_thread(postbox.client.store, "1", "+FLAGS", "(\\Deleted \\Seen)")
        assert await fetcher(postbox, Storing(), account={"after": "delete"}).fetch_once() == 1
        assert await asyncio.to_thread(postbox.lies_in, "INBOX") == ["<1@x>"]

    async def test_what_cannot_be_moved_is_tried_again_and_told(self, postbox: Postbox, monkeypatch: pytest.MonkeyPatch) -> None:
        def refuses(*_arguments: object) -> None:
            raise imaplib.IMAP4.error("MOVE: over quota")

        await asyncio.to_thread(postbox.put, mail())
        accept, said = Storing(), list[str | None]()
        visit = fetcher(postbox, accept, account={"after": "move:Kept"}, on_status=said.append)
        monkeypatch.setattr(wire, "_carry", refuses)
        assert await visit.fetch_once() == 0
        assert (len(accept.stored), await asyncio.to_thread(postbox.count, "UNSEEN")) == (1, 1)
        assert "over quota" in str(said[-1])
        monkeypatch.undo()
        assert [await visit.fetch_once() for _ in range(3)] == [0, 0, 1]
        assert said[-1] is None


class TestFolders:
    async def test_takes_from_every_folder_and_tells_of_a_missing_one(self, postbox: Postbox) -> None:
        await asyncio.to_thread(postbox.put, mail(message_id="<1@x>"))
        await asyncio.to_thread(postbox.put_into, "Заявки", mail(message_id="<2@x>"))
        accept, said = Storing(), list[str | None]()
        folders = ["Заявки", "inbox", "Нет такой"]
        visit = fetcher(postbox, accept, account={"folders": folders}, on_status=said.append)
        assert await visit.fetch_once() == 2
        assert {key: message.card["imap"]["folder"] for key, message in accept.stored.items()} == {"1@x": "INBOX", "2@x": "Заявки"}
        assert str(said[-1]).startswith("Нет такой: ")
        await asyncio.to_thread(postbox.put_into, "Нет такой")
        assert await visit.fetch_once() == 0
        assert said[-1] is None

    async def test_a_stuck_number_is_forgotten_when_the_folder_is_numbered_anew(self, postbox: Postbox) -> None:
        await asyncio.to_thread(postbox.put_into, "Anew", mail(subject="stuck", message_id="<1@x>"))
        accept = Storing()
        accept.refuses = {"stuck"}
        visit = fetcher(postbox, accept, account={"folders": ["Anew"]})
        assert await visit.fetch_once() == 0
        await asyncio.to_thread(postbox.remove, "Anew")
        await asyncio.to_thread(postbox.put_into, "Anew", mail(subject="fine", message_id="<2@x>"))
        assert await visit.fetch_once() == 1
        assert list(accept.stored) == ["2@x"]

    async def test_watches_the_inbox_and_looks_into_the_others(self, postbox: Postbox) -> None:
        accept = Storing()
        await asyncio.to_thread(postbox.put_into, "Прочее")
        running = asyncio.create_task(fetcher(postbox, accept, account={"folders": ["Прочее", "INBOX"]}, poll_seconds=3).run())
        await asyncio.sleep(0.5)
        await asyncio.to_thread(postbox.put_into, "Прочее", mail(message_id="<1@x>"))
        await until(lambda: "1@x" in accept.stored)
        await asyncio.to_thread(postbox.put, mail(message_id="<2@x>"))
        await until(lambda: "2@x" in accept.stored)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    async def test_gives_everything_since_a_day_seen_or_not_and_marks_nothing(self, postbox: Postbox) -> None:
        await asyncio.to_thread(postbox.put, mail(message_id="<1@x>"), mail(message_id="<2@x>"))
        await asyncio.to_thread(postbox.client.store, "1", "+FLAGS", "(\\Seen)")
        account = Account.of(f"imap://demouser:demopass@127.0.0.1:{postbox.port}/")
        today = datetime.now(UTC).date()  # lint-skip: clock - the server stamps arrivals by its own clock
        found = [one async for one in everything_since(account, today - timedelta(days=1))]
        assert [(where.partition("/")[0], total) for where, total, _one in found] == [("INBOX", 2), ("INBOX", 2)]
        assert [one.raw for _where, _total, one in found if isinstance(one, Fetched)] == [
            mail(message_id="<1@x>"), mail(message_id="<2@x>"),
        ]  # fmt: skip
        assert await asyncio.to_thread(postbox.count, "UNSEEN") == 1
        assert [one async for one in everything_since(account, today + timedelta(days=2))] == []
        with pytest.raises(CommandRefused):
            assert [one async for one in everything_since(account, today, folders=["Nowhere"])] == []


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
        assert translate("ru", said[0]).startswith("Почтовый сервер не пускает к себе службу. Проверьте")

    async def test_says_what_it_means_that_nothing_answers(self, postbox: Postbox) -> None:
        said: list[str | None] = []
        running = asyncio.create_task(fetcher(postbox, Storing(), url="imap://me:secret@127.0.0.1:1", on_status=said.append).run())
        await until(lambda: said)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        assert said[0]
        assert "Errno" not in said[0]
        assert said[0].startswith("The mail server cannot be reached. Check the server's name and port (127.0.0.1:1)")
        assert said[0].endswith("(Connection refused)")
        assert Phrase.of_json(said[0].to_json()) == said[0], "and can be kept"  # type: ignore[attr-defined]


def written(number: int, sender: str) -> bytes:
    return mail(f"{number}", **{"from": sender, "message_id": f"<{number}@x>"})


class TestSeveralAtATime:
    async def test_are_in_hand_together_but_no_more_than_four(self, postbox: Postbox) -> None:
        await asyncio.to_thread(postbox.put, *(written(one, f"p{one}@x.example") for one in range(9)))
        accept = Slow()
        assert await fetcher(postbox, accept).fetch_once() == 9
        assert 2 <= accept.most <= IN_HAND
        assert await asyncio.to_thread(postbox.count, "UNSEEN") == 0

    async def test_of_one_person_are_stored_in_the_order_they_came(self, postbox: Postbox) -> None:
        senders = ("a@x.example", "b@x.example", "a@x.example", "a@x.example", "b@x.example")
        mails = [written(place, sender) for place, sender in enumerate(senders)]
        await asyncio.to_thread(postbox.put, *mails)
        accept = Slow(first={"0@x": 0.5, "1@x": 0.2})
        await fetcher(postbox, accept).fetch_once()
        assert [one for one in accept.stored if one in ("0@x", "2@x", "3@x")] == ["0@x", "2@x", "3@x"]
        assert [one for one in accept.stored if one in ("1@x", "4@x")] == ["1@x", "4@x"]
        assert next(iter(accept.stored)) == "1@x", "nobody else waits for them"

    async def test_what_the_store_refuses_lets_no_later_one_of_that_person_pass(self, postbox: Postbox) -> None:
        await asyncio.to_thread(postbox.put, *(mail(f"{one}", message_id=f"<{one}@x>") for one in range(3)))
        accept = Slow(refused={"0@x"})
        with pytest.raises(StoreUnavailable):
            await fetcher(postbox, accept).fetch_once()
        assert not accept.stored
        assert await asyncio.to_thread(postbox.count, "UNSEEN") == 3
        accept.refused.clear()
        assert await fetcher(postbox, accept).fetch_once() == 3
        assert list(accept.stored) == ["0@x", "1@x", "2@x"]


class Slow(Storing):
    """Stores after a while, some messages later than others."""

    def __init__(self, *, first: dict[str, float] | None = None, refused: set[str] | None = None) -> None:
        super().__init__()
        self.first, self.refused = first or {}, refused or set()
        self.now = self.most = 0

    async def __call__(self, inbox_id: str, message: InboundMessage, *, raw: bytes | None = None) -> Accepted:
        self.now += 1
        self.most = max(self.most, self.now)
        try:
            await asyncio.sleep(self.first.get(message.external_id, 0.1))
            if message.external_id in self.refused:
                raise StoreUnavailable(reason="locked")
            return await super().__call__(inbox_id, message, raw=raw)
        finally:
            self.now -= 1


class TestALineInPieces:
    async def test_is_waited_for_on_the_same_connection(self) -> None:
        heard: list[str] = []

        async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            def say(line: str) -> None:
                writer.write(f"{line}\r\n".encode())

            say("* OK ready")
            while line := (await reader.readline()).decode().strip():
                tag, _space, command = line.partition(" ")
                heard.append(command.upper())
                match command.upper().split():
                    case ["CAPABILITY"]:
                        say("* CAPABILITY IMAP4rev1 IDLE")
                    case ["SELECT", _folder]:
                        say("* 0 EXISTS\r\n* OK [UIDVALIDITY 7] fine")
                    case ["UID", "SEARCH", *_what]:
                        say("* SEARCH")
                    case ["IDLE"]:
                        say("+ idling")
                        for piece in (b"* 1", b" EXI", b"STS", b"\r", b"\n"):
                            await asyncio.sleep(0.2)
                            writer.write(piece)
                            await writer.drain()
                        heard.append((await reader.readline()).decode().strip())
                say(f"{tag} OK done")

        async with listening(converse) as port:
            postbox = type("Nobody", (), {"port": port})()
            task = asyncio.create_task(fetcher(postbox, Storing()).run())
            await until(lambda: sum(command.startswith("UID SEARCH") for command in heard) >= 3)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        assert sum(command.startswith("LOGIN") for command in heard) == 1
        assert "DONE" in heard
