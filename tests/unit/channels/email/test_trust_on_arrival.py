"""What arrives is asked who it is from: over the listener with the client that brought it, from a mailbox without."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from channels.email.examining import Examiner
from channels.email.intake import InboxAddress, MailIntake
from channels.email.peers import Peers
from channels.email.threading import make_message_id
from channels.email.trust import Origin, Trusted
from desk_core.conversations.ports import FORGED_SENDER, InboundKind, InboundMessage
from desk_core.kit.clock import FakeClock
from tests.fakes.signing import OpenZone, signed
from tests.unit.channels.email.mails import INBOX, NOW, SECRET, SUPPORT, MemoryBlobs, Storing, mail
from tests.unit.channels.email.test_smtp_in import Desk
from tests.unit.channels.email.test_smtp_peers import LOOPBACK, talk

CLIENT = Origin("1.2.3.4", "mx.example.com")


def zone() -> OpenZone:
    found = OpenZone(txt={"example.com": ["v=spf1 ip4:1.2.3.5 -all"], "_dmarc.example.com": ["v=DMARC1; p=reject"]})
    found.publishes_key("example.com")
    return found


async def arrives(raw: bytes, *, names: OpenZone | None = None, trusted: Trusted = Trusted(), **options: Any) -> InboundMessage:  # noqa: B008
    accept = Storing()
    examiner = Examiner(names) if names is not None else None
    intake = MailIntake(blobs=MemoryBlobs(), secret=SECRET, clock=FakeClock(NOW), examiner=examiner)
    given = {"envelope_from": "anna@example.com", **options}
    await intake.take(raw, inbox=InboxAddress(INBOX, SUPPORT, trusted=trusted), accept=accept, **given)
    (message,) = accept.stored.values()
    return message


class TestAMail:
    async def test_that_nobody_asks_about_carries_nothing_and_acts(self) -> None:
        message = await arrives(b"Authentication-Results: mx.desk.example; dmarc=fail\r\n" + mail(), origin=CLIENT)
        assert (message.verdict, message.acts, "trust" in message.card) == ("received", True, False)

    async def test_that_is_proven_says_so(self) -> None:
        message = await arrives(signed(mail(), "example.com"), names=zone(), origin=CLIENT)
        assert (message.verdict, message.held, message.acts) == ("received", False, True)
        assert message.card["trust"] == {
            "verdict": "verified", "acts": True, "policy": "reject", "by": None,
            "methods": [["dkim", "pass", "example.com"], ["spf", "fail", "example.com"], ["dmarc", "pass", "example.com"]],
            "reasons": [["spf_fail", "example.com"], ["dkim_pass", "example.com"], ["dmarc_pass", "example.com"]],
        }  # fmt: skip
        assert InboundMessage.from_json(message.to_json()).acts

    async def test_that_is_forged_is_held_whatever_else_it_is(self) -> None:
        for headers in ({}, {"list_id": "<a.b>"}, {"auto_submitted": "auto-replied"}, {"message_id": ""}):
            message = await arrives(mail(**headers), names=zone(), origin=CLIENT)
            assert (message.verdict, message.held, message.automatic, message.acts) == (FORGED_SENDER, True, True, False)
            assert ("made_up" in message.verdict_params) == ("message_id" in headers)

    async def test_taken_up_by_an_operator_acts(self) -> None:
        message = await arrives(mail(), names=zone(), origin=CLIENT)
        body = {**message.to_json(), "card": {**message.card, "released": "m1"}}
        assert InboundMessage.from_json(body).acts

    async def test_from_a_mailbox_is_not_forged_for_want_of_a_signature(self) -> None:
        message = await arrives(mail(), names=zone())
        assert (message.verdict, message.card["trust"]["verdict"]) == ("received", "unknown")

    async def test_that_cannot_be_read_is_asked_about_too(self) -> None:
        message = await arrives(b"\xff\xfe no mail at all", names=zone(), origin=CLIENT)
        assert (message.verdict, message.acts) == ("unreadable", False)


class TestADeliveryReport:
    def report(self, returned: str) -> bytes:
        return mail(
            f"--r\nContent-Type: text/plain\n\n550 5.1.1 no such person\n--r\nContent-Type: message/delivery-status\n\n"
            f"Reporting-MTA: dns; example.com\n\nFinal-Recipient: rfc822; boris@example.com\nAction: failed\nStatus: 5.1.1\n\n"
            f"--r\nContent-Type: text/rfc822-headers\n\nMessage-ID: <{returned}>\n\n--r--\n",
            From="MAILER-DAEMON@example.com", content_type="multipart/report; report-type=delivery-status; boundary=r",
        )  # fmt: skip

    async def test_with_an_id_of_ours_is_believed(self) -> None:
        message = await arrives(self.report(make_message_id(INBOX, INBOX, "desk.example", SECRET)), names=zone(), origin=CLIENT)
        assert (message.kind, message.verdict) == (InboundKind.BOUNCE, "bounce")

    async def test_that_anybody_could_have_written_marks_no_address(self) -> None:
        message = await arrives(self.report("guessed@desk.example"), names=zone(), origin=CLIENT)
        assert (message.kind, message.verdict) == (InboundKind.MESSAGE, FORGED_SENDER)


class TestTheListener:
    @pytest.fixture
    async def start(self) -> AsyncIterator[Callable[..., Any]]:
        desks: list[Desk] = []

        async def begin(**options: Any) -> Desk:
            desk = Desk(examiner=Examiner(zone()), peers=Peers(trusted=LOOPBACK), **options)
            await desk.listener.start()
            desks.append(desk)
            return desk

        yield begin
        for desk in desks:
            await desk.listener.stop()

    async def verdict(self, desk: Desk, port: int, *lines: bytes) -> str:
        letter = [b"MAIL FROM:<anna@example.com>", f"RCPT TO:<{SUPPORT}>".encode(), b"DATA", mail().rstrip(), b".", b"QUIT"]
        answers = await talk(port, *lines, *letter)
        assert answers[-2].startswith("250"), answers
        (message,) = desk.accept.stored.values()
        return str(message.card["trust"]["verdict"])

    async def test_judges_the_client_that_a_server_of_ours_speaks_for(self, start: Callable[..., Any]) -> None:
        desk = await start()
        told = (b"EHLO proxy.example", b"XCLIENT ADDR=1.2.3.4 HELO=mx.example.com", b"EHLO mx.example.com")
        assert await self.verdict(desk, desk.listener.port, *told) == "forged"

    async def test_knows_a_client_that_may_send(self, start: Callable[..., Any]) -> None:
        desk = await start()
        told = (b"EHLO proxy.example", b"XCLIENT ADDR=1.2.3.5", b"EHLO mx.example.com")
        assert await self.verdict(desk, desk.listener.port, *told) == "verified"

    async def test_does_not_judge_a_server_of_ours(self, start: Callable[..., Any]) -> None:
        desk = await start(lmtp_port=0)
        assert await self.verdict(desk, desk.listener.port, b"EHLO relay.example") == "unknown"
        desk.accept.stored.clear()
        assert await self.verdict(desk, desk.listener.lmtp_port or 0, b"LHLO relay.example") == "unknown"
