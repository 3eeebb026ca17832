"""Real SMTP over loopback: what the listener answers, and above all when."""

import asyncio
import smtplib
import socket
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from channels.email.intake import InboxAddress
from channels.email.smtp_in import MailListener
from desk_core.kit.clock import FakeClock
from desk_core.kit.errors import StoreUnavailable, TooMany
from tests.unit.channels.email.mails import INBOX, NOW, SECRET, SUPPORT, MemoryBlobs, Storing, mail

ACCOUNTS = "accounts@desk.example"


class Desk:
    """A listener with two inboxes and everything a test wants to look at."""

    def __init__(self, **options: Any) -> None:
        self.accept, self.blobs = Storing(), MemoryBlobs()
        self.lookup_error: Exception | None = None
        self.paused = False
        self.listener = MailListener(
            "127.0.0.1", 0, inboxes=self._inbox, accept=self.accept, blobs=self.blobs, secret=SECRET, clock=FakeClock(NOW), **options
        )

    async def _inbox(self, address: str) -> InboxAddress | None:
        if self.lookup_error is not None:
            raise self.lookup_error
        known = {SUPPORT: INBOX, ACCOUNTS: "other", "help@xn--80apmps.xn--p1ai": INBOX}
        return InboxAddress(known[address], address, tuple(known), paused=self.paused) if address in known else None

    async def says(self, talk: Callable[[smtplib.SMTP], Any]) -> Any:
        """What smtplib, a client of other people's making, gets to hear."""

        def client() -> Any:
            with smtplib.SMTP("127.0.0.1", self.listener.port, timeout=10) as smtp:
                return talk(smtp)

        return await asyncio.to_thread(client)

    async def sends(self, raw: bytes, *, to: list[str] | None = None, sender: str = "anna@example.com") -> tuple[int, str]:
        """The code and words after DATA, or of the step that refused."""

        def talk(smtp: smtplib.SMTP) -> tuple[int, str]:
            try:
                smtp.sendmail(sender, to or [SUPPORT], raw)
            except smtplib.SMTPRecipientsRefused as error:
                return next((code, words.decode()) for code, words in error.recipients.values())
            except smtplib.SMTPResponseException as error:
                words = error.smtp_error
                return error.smtp_code, words.decode() if isinstance(words, bytes) else words
            return 250, ""

        answer: tuple[int, str] = await self.says(talk)
        return answer


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    desk = Desk(max_size=200_000, max_recipients=3, file_limit=1000)
    await desk.listener.start()
    yield desk
    await desk.listener.stop()


class TestAcknowledgement:
    async def test_comes_only_after_the_commit(self, desk: Desk) -> None:
        desk.accept.gate = asyncio.Event()
        sending = asyncio.create_task(desk.sends(mail()))
        await asyncio.wait_for(desk.accept.asked.wait(), 5)
        # The commit is held back: whoever answers 250 now has promised what is not stored.
        await asyncio.sleep(0.3)
        assert not sending.done()
        assert not desk.accept.stored
        desk.accept.gate.set()
        assert (await asyncio.wait_for(sending, 5))[0] == 250
        assert list(desk.accept.stored) == ["one@example.com"]

    async def test_is_451_when_the_store_cannot_take_it(self, desk: Desk) -> None:
        desk.accept.error = StoreUnavailable()
        code, words = await desk.sends(mail())
        assert (code, "try again" in words) == (451, True)
        desk.accept.error = None
        assert (await desk.sends(mail()))[0] == 250

    async def test_is_451_when_the_disk_is_full(self, desk: Desk) -> None:
        desk.blobs.error = OSError(28, "No space left on device")
        body = b"--b\r\nContent-Type: image/png; name=a.png\r\n\r\nx\r\n--b--"
        assert (await desk.sends(mail(body, content_type="multipart/mixed; boundary=b")))[0] == 451
        assert not desk.accept.stored

    async def test_is_451_when_anything_else_goes_wrong(self, desk: Desk) -> None:
        desk.accept.error = ZeroDivisionError()
        assert (await desk.sends(mail()))[0] == 451

    async def test_is_451_when_the_inboxes_cannot_be_looked_up(self, desk: Desk) -> None:
        desk.lookup_error = StoreUnavailable()
        assert (await desk.sends(mail()))[0] == 451

    async def test_is_450_for_too_many(self, desk: Desk) -> None:
        desk.accept.error = TooMany()
        assert (await desk.sends(mail()))[0] == 450

    async def test_is_the_same_for_a_duplicate(self, desk: Desk) -> None:
        assert [(await desk.sends(mail()))[0] for _ in range(2)] == [250, 250]
        assert len(desk.accept.stored) == 1


class TestRecipients:
    async def test_unknown_ones_are_refused(self, desk: Desk) -> None:
        assert (await desk.sends(mail(), to=["nobody@desk.example"]))[0] == 550

    @pytest.mark.parametrize("domain", ["фирма.рф", "ФИРМА.РФ", "xn--80apmps.xn--p1ai", "XN--80APMPS.XN--P1AI"])
    async def test_a_domain_in_other_letters_is_known_in_both_its_spellings(self, desk: Desk, domain: str) -> None:
        def talk(smtp: smtplib.SMTP) -> list[int]:
            smtp.ehlo()
            smtp.mail("anna@example.com", ["SMTPUTF8"])
            smtp.command_encoding = "utf-8"
            return [smtp.docmd(f"RCPT TO:<{name}@{domain}>")[0] for name in ("help", "help+anything", "nobody")]

        assert await desk.says(talk) == [250, 250, 550]

    async def test_plus_addresses_belong_to_the_inbox(self, desk: Desk) -> None:
        assert (await desk.sends(mail(), to=["Support+anything@Desk.Example"]))[0] == 250

    async def test_one_mail_to_two_inboxes_is_taken_once(self, desk: Desk) -> None:
        assert (await desk.sends(mail(), to=[SUPPORT, ACCOUNTS]))[0] == 250
        assert [message.recipients for message in desk.accept.stored.values()] == [(SUPPORT, ACCOUNTS)]

    async def test_a_paused_inbox_asks_to_come_again(self, desk: Desk) -> None:
        desk.paused = True
        assert (await desk.sends(mail()))[0] == 450

    async def test_there_is_a_limit(self, desk: Desk) -> None:
        def talk(smtp: smtplib.SMTP) -> list[int]:
            smtp.ehlo()
            smtp.mail("anna@example.com")
            return [smtp.rcpt(f"support+{number}@desk.example")[0] for number in range(5)]

        assert await desk.says(talk) == [250, 250, 250, 452, 452]


class TestSenders:
    async def test_the_null_sender_is_taken_and_held(self, desk: Desk) -> None:
        assert (await desk.sends(mail(), sender=""))[0] == 250
        (stored,) = desk.accept.stored.values()
        assert (stored.verdict, stored.held) == ("automatic", True)

    @pytest.mark.parametrize(
        ("command", "code"),
        [
            ("MAIL FROM:<anna@example.com> SIZE=10", 250),
            ("MAIL FROM: <anna@example.com>", 250),
            ('MAIL FROM:<"anna maria"@example.com>', 250),
            ("MAIL FROM:<anna@@example.com>", 553),
            ("MAIL FROM:<anna@example.com> NONSENSE=1", 555),
            ("MAIL FROM:", 501),
        ],
    )
    async def test_commands_are_read_as_the_standard_says(self, desk: Desk, command: str, code: int) -> None:
        assert await desk.says(lambda smtp: (smtp.ehlo(), smtp.docmd(command))[1][0]) == code


class TestContent:
    async def test_arrives_byte_by_byte(self, desk: Desk) -> None:
        body = "Точка в начале:\n.одна\n..две\n\n" + "я" * 5000 + "\nконец"
        assert (await desk.sends(mail(body)))[0] == 250
        stored = desk.accept.stored["one@example.com"]
        assert stored.text == body
        assert desk.accept.raw["one@example.com"] == mail(body) + b"\r\n"

    async def test_may_be_empty_or_only_a_dot(self, desk: Desk) -> None:
        assert (await desk.sends(b""))[0] == 250
        assert (await desk.sends(b".\r\n"))[0] == 250

    async def test_over_the_size_is_552_and_the_connection_lives(self, desk: Desk) -> None:
        def talk(smtp: smtplib.SMTP) -> list[int]:
            codes = []
            for size in (300_000, 10):
                smtp.ehlo()
                smtp.mail("anna@example.com")
                smtp.rcpt(SUPPORT)
                codes.append(smtp.data(mail("x" * size))[0])
            return codes

        assert await desk.says(talk) == [552, 250]

    async def test_declared_over_the_size_is_refused_at_once(self, desk: Desk) -> None:
        assert await desk.says(lambda smtp: (smtp.ehlo(), smtp.mail("a@example.com", ["SIZE=9999999"]))[1][0]) == 552

    async def test_a_file_over_the_limit_is_named_not_lost(self, desk: Desk) -> None:
        parts = b"".join(
            b"--b\r\nContent-Type: image/png; name=%s\r\n\r\n%s\r\n" % (name, content)
            for name, content in ((b"small.png", b"s" * 10), (b"big.png", b"b" * 2000))
        )
        await desk.sends(mail(parts + b"--b--", content_type="multipart/mixed; boundary=b"))
        (stored,) = desk.accept.stored.values()
        assert [(file.name, file.sha256 is not None) for file in stored.files] == [("small.png", True), ("big.png", False)]
        assert stored.card["too_large"] == [{"name": "big.png", "size": 2000}]

    async def test_cyrillic_addresses_are_taken(self, desk: Desk) -> None:
        def talk(smtp: smtplib.SMTP) -> int:
            smtp.ehlo()
            smtp.command_encoding = "utf-8"
            smtp.mail("анна@пример.рф", ["SMTPUTF8", "BODY=8BITMIME"])
            smtp.rcpt(SUPPORT)
            return smtp.data(mail(**{"from": "Анна <анна@пример.рф>"}))[0]

        assert await desk.says(talk) == 250
        assert desk.accept.stored["one@example.com"].sender.address == "анна@пример.рф"

    async def test_pipelined_commands_are_answered_in_order(self, desk: Desk) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", desk.listener.port)
        letter = f"MAIL FROM:<a@b.example>\r\nRCPT TO:<{SUPPORT}>\r\nDATA\r\n".encode()
        writer.write(b"EHLO me\r\n" + letter + mail("one", message_id="<1@x>") + b"\r\n.\r\n" + letter + mail("two", message_id="<2@x>"))
        writer.write(b"\r\n.\r\nQUIT\r\n")
        answers = (await asyncio.wait_for(reader.read(-1), 10)).decode().splitlines()
        writer.close()
        assert [line[:3] for line in answers if line[3] == " "][2:] == ["250", "250", "354", "250"] * 2 + ["221"]
        assert [message.text for message in desk.accept.stored.values()] == ["one", "two"]


class TestLimits:
    def test_connections_over_the_cap_are_told_to_come_later_on_the_loop_that_desks_run_on(self) -> None:
        uvloop = pytest.importorskip("uvloop")  # its transports are of no class of asyncio's
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(self.test_connections_over_the_cap_are_told_to_come_later())

    async def test_connections_over_the_cap_are_told_to_come_later(self) -> None:
        desk = Desk(max_connections=1)
        await desk.listener.start()
        _reader, writer = await asyncio.open_connection("127.0.0.1", desk.listener.port)
        await _reader.readline()
        refused, other = await asyncio.open_connection("127.0.0.1", desk.listener.port)
        assert (await refused.readline()).startswith(b"421")
        writer.close()
        other.close()
        await desk.listener.stop()

    async def test_a_silent_client_is_hung_up_on(self) -> None:
        desk = Desk(timeout=0.2)
        await desk.listener.start()
        reader, writer = await asyncio.open_connection("127.0.0.1", desk.listener.port)
        await reader.readline()
        assert await asyncio.wait_for(reader.read(), 5) == b""
        writer.close()
        await desk.listener.stop()

    async def test_stopping_finishes_the_mail_in_hand(self) -> None:
        desk = Desk()
        await desk.listener.start()
        desk.accept.gate = asyncio.Event()
        sending = asyncio.create_task(desk.sends(mail()))
        await asyncio.wait_for(desk.accept.asked.wait(), 5)
        stopping = asyncio.create_task(desk.listener.stop())
        await asyncio.sleep(0.05)
        desk.accept.gate.set()
        await asyncio.wait_for(stopping, 5)
        assert len(desk.accept.stored) == 1
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)

    async def test_a_taken_port_is_an_error(self) -> None:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            desk = Desk()
            desk.listener.port = taken.getsockname()[1]
            with pytest.raises(OSError):
                await desk.listener.start()
