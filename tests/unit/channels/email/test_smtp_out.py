"""Sending through a real server: what is tried again, what is final, and the channel around it."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from channels.email.channel import EmailChannel
from channels.email.compose import Mailbox
from channels.email.intake import InboxAddress
from channels.email.relay_address import Relay
from channels.email.relay_checkup import Tried
from channels.email.sandbox.mailbox import MailSandbox
from channels.email.smtp_in import MailListener
from channels.email.smtp_out import SandboxSender, Sender, SmtpSender, sender_for
from channels.email.threading import read_token
from desk_core.conversations.ports import Channel, OutboundFile, Refused, RetryLater
from desk_core.kit.clock import FakeClock
from desk_core.kit.errors import Invalid, NotFound, StoreUnavailable
from tests.unit.channels.email.mails import NOW, SECRET, MemoryBlobs, Storing
from tests.unit.channels.email.test_compose import CONVERSATION, MESSAGE


class Relaying:
    """Somebody else's mail server: takes mail for example.com."""

    def __init__(self) -> None:
        self.accept = Storing()
        self.listener = MailListener(
            "127.0.0.1",
            0,
            inboxes=self._known,
            accept=self.accept,
            blobs=MemoryBlobs(),
            secret=b"theirs",
            clock=FakeClock(NOW),
            max_size=50_000,
        )

    def _known(self, address: str) -> InboxAddress | None:
        return InboxAddress("theirs", address) if address.endswith("@example.com") else None


@pytest.fixture
async def relay() -> AsyncIterator[Relaying]:
    relay = Relaying()
    await relay.listener.start()
    yield relay
    await relay.listener.stop()


def channel(sender: Sender, blobs: MemoryBlobs | None = None) -> EmailChannel:
    return EmailChannel(
        "inbox",
        mailbox=Mailbox("support@desk.example", "Support"),
        sender=sender,
        blobs=blobs or MemoryBlobs(),
        secret=SECRET,
        clock=FakeClock(NOW),
    )


def through(relay: Relaying) -> SmtpSender:
    return SmtpSender(f"smtp://127.0.0.1:{relay.listener.port}", timeout=5)


async def test_a_letter_arrives_under_the_id_of_its_receipt(relay: Relaying) -> None:
    blobs = MemoryBlobs()
    sha256, size = await blobs.put(b"%PDF")
    adapter: Channel = channel(through(relay), blobs)
    receipt = await adapter.send(replace(MESSAGE, files=(OutboundFile("Отчёт.pdf", "application/pdf", size, sha256),)))
    arrived = relay.accept.stored[receipt.external_id]
    assert read_token(receipt.external_id, SECRET) == CONVERSATION
    assert arrived.text.startswith("Обращение #1042 принято.")
    assert [file.name for file in arrived.files] == ["Отчёт.pdf"]
    assert arrived.verdict == "automatic"
    assert await adapter.send(replace(MESSAGE, attempt=2)) == receipt


async def test_a_refusal_keeps_the_servers_words(relay: Relaying) -> None:
    with pytest.raises(Refused) as refused:
        await channel(through(relay)).send(replace(MESSAGE, to="nobody@elsewhere.example"))
    assert refused.value.reason.startswith("550 5.1.1 No such inbox")


async def test_a_letter_too_large_is_refused(relay: Relaying) -> None:
    with pytest.raises(Refused, match="552"):
        await channel(through(relay)).send(replace(MESSAGE, text="x" * 100_000))


async def test_a_temporary_error_is_tried_again(relay: Relaying) -> None:
    relay.accept.error = StoreUnavailable()
    with pytest.raises(RetryLater) as later:
        await channel(through(relay)).send(MESSAGE)
    assert later.value.reason.startswith("451")
    assert not later.value.uncertain


async def test_a_relay_that_is_away_is_tried_again() -> None:
    with pytest.raises(RetryLater) as later:
        await channel(SmtpSender("smtp://127.0.0.1:1")).send(MESSAGE)
    assert not later.value.uncertain


async def test_a_connection_lost_after_the_data_is_uncertain(relay: Relaying) -> None:
    relay.accept.error = ConnectionResetError()  # the protocol closes without an answer
    with pytest.raises(RetryLater) as later:
        await channel(through(relay)).send(MESSAGE)
    assert later.value.uncertain


async def test_a_lost_attachment_is_said_not_sent(tmp_path: Path) -> None:
    class Empty(MemoryBlobs):
        async def read(self, sha256: str) -> bytes:
            raise NotFound(blob=sha256)

    with pytest.raises(Refused, match="attachment"):
        await channel(SandboxSender(MailSandbox(tmp_path)), Empty()).send(
            replace(MESSAGE, files=(OutboundFile("a.pdf", "application/pdf", 1, "0" * 64),))
        )


class Strict:
    """A relay that takes mail only from the address that logged in."""

    def __init__(self, words: str = "553 5.7.1 <x>: Sender address rejected: not owned by user") -> None:
        self.words, self.heard = words, list[str]()

    async def deliver(self, raw: bytes, *, sender: str, recipient: str) -> None:
        self.heard.append(sender)
        if "+" in sender:
            raise Refused(self.words, sender="ender" in self.words)

    async def test(self) -> list[Tried]:
        return []

    async def close(self) -> None:
        """Holds nothing."""


async def test_a_relay_that_takes_only_the_plain_sender_gets_it() -> None:
    strict = Strict()
    adapter = channel(strict)
    await adapter.send(MESSAGE)
    await adapter.send(MESSAGE)
    assert ["+" in sender for sender in strict.heard] == [True, False, False]
    with pytest.raises(Refused):
        await channel(Strict("550 5.1.1 no such user")).send(MESSAGE)


async def test_the_connection_test_tells_the_servers_words(relay: Relaying) -> None:
    assert [(passed, "250" in words) for _step, passed, words in await channel(through(relay)).test()] == [(True, True)]
    assert [one.passed for one in await SmtpSender("smtp://127.0.0.1:1").test()] == [False]


async def test_without_a_relay_the_sandbox_keeps_it(tmp_path: Path) -> None:
    sandbox = MailSandbox(tmp_path)
    receipt = await channel(sender_for("", sandbox)).send(MESSAGE)
    assert [letter.message_id for letter in await sandbox.letters("Anna@example.com")] == [receipt.external_id]


@pytest.mark.parametrize(
    ("url", "relay"),
    [
        ("smtp://h", Relay("h", 25, tls=False, starttls=False, user=None, password=None)),
        ("smtps://me%40x:p%3A@h", Relay("h", 465, tls=True, starttls=False, user="me@x", password="p:")),
        ("smtp+starttls://u:p@h:25", Relay("h", 25, tls=False, starttls=True, user="u", password="p")),
    ],
)
def test_relay_addresses(url: str, relay: Relay) -> None:
    assert Relay.of(url) == relay


@pytest.mark.parametrize("url", ["http://h", "smtp://", "smtp://h:port"])
def test_other_addresses_are_refused(url: str) -> None:
    with pytest.raises(Invalid):
        Relay.of(url)
