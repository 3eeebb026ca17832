"""What the desk sends is signed: by dkimpy, checked by our own checks as a receiver would."""

import base64
import time
from dataclasses import replace
from pathlib import Path

import pytest

from channels.email import checks
from channels.email.channel import EmailChannel
from channels.email.compose import Mailbox
from channels.email.mime import top_headers
from channels.email.sandbox.mailbox import MailSandbox
from channels.email.signing import Algorithm, Signer, make_key, record_name, record_value, same_key, strings
from channels.email.smtp_out import SandboxSender
from channels.email.trust import Origin, Result
from desk_core.conversations.ports import OutboundMessage, RetryLater
from desk_core.kit.clock import FakeClock
from tests.fakes.signing import OpenZone
from tests.unit.channels.email.mails import INBOX, NOW, SECRET, MemoryBlobs, mail

DOMAIN = "desk.example"


def signer_and_zone(algorithm: Algorithm) -> tuple[Signer, OpenZone]:
    pair = make_key(algorithm, bits=1024)
    value = record_value(pair.algorithm, pair.public)
    zone = OpenZone(txt={record_name("s1", DOMAIN): [value], DOMAIN: ["v=spf1 -all"], f"_dmarc.{DOMAIN}": ["v=DMARC1; p=reject"]})
    return Signer(DOMAIN, "s1", pair.algorithm, pair.secret), zone


def results(raw: bytes, zone: OpenZone) -> list[Result]:
    found = checks.examine(
        raw, author=DOMAIN, envelope_from=f"a@{DOMAIN}", origin=Origin("1.2.3.4"), resolver=zone, until=time.monotonic() + 5
    )
    return [one.result for one in found.findings if one.method == "dkim"]


class TestASignature:
    @pytest.mark.parametrize("algorithm", list(Algorithm))
    def test_holds_and_covers_what_people_read(self, algorithm: Algorithm) -> None:
        signer, zone = signer_and_zone(algorithm)
        raw = signer.sign(mail("Hello", From=f"desk@{DOMAIN}"))
        assert results(raw, zone) == [Result.PASS]
        for changed in (raw.replace(b"Subject: Printer", b"Subject: Money"), raw.replace(b"Hello", b"Pay me"), b"From: eve@x\r\n" + raw):
            assert results(changed, zone) == [Result.FAIL]
        # What servers do on the way: new trace headers, folding, white space at line ends.
        assert results(b"Received: by relay\r\n" + raw.replace(b"Subject: Printer", b"Subject:  Printer "), zone) == [Result.PASS]

    async def test_goes_out_with_every_letter(self, tmp_path: Path) -> None:
        signer, zone = signer_and_zone(Algorithm.RSA)
        clock = FakeClock(NOW)
        sandbox = MailSandbox(tmp_path, clock=clock)
        channel = EmailChannel(
            INBOX, mailbox=Mailbox(f"desk@{DOMAIN}", "Поддержка"), sender=SandboxSender(sandbox), blobs=MemoryBlobs(), secret=SECRET,
            clock=clock, signer=signer,
        )  # fmt: skip
        message = OutboundMessage(
            message_id=INBOX, conversation_id=INBOX, thread_key="x", to="anna@example.com", to_name="Анна", text="Готово. **Спасибо**",
            language="ru", at=NOW, subject="Принтер", references=("one@example.com",), ticket_number=7,
        )  # fmt: skip
        await channel.send(message)
        (letter,) = await sandbox.letters("anna@example.com")
        opened = await sandbox.open(letter.id)
        assert opened is not None
        assert results(opened.raw, zone) == [Result.PASS]
        signature = dict(top_headers(opened.raw))["dkim-signature"].decode()
        covered = "".join(signature.partition("h=")[2].partition(";")[0].split()).split(":")
        assert covered.count("from") == 2
        assert {"to", "subject", "date", "message-id", "in-reply-to", "references", "mime-version", "content-type", "auto-submitted"} < {
            *covered
        }
        assert "c=relaxed/relaxed" in signature

    async def test_that_cannot_be_made_keeps_the_letter_waiting(self) -> None:
        signer, _ = signer_and_zone(Algorithm.RSA)
        with pytest.raises(RetryLater, match=r"s1._domainkey.desk.example"):
            replace(signer, secret="-----BEGIN RSA PRIVATE KEY-----\nAAAA\n-----END RSA PRIVATE KEY-----").sign(mail())

    def test_keeps_its_secret_to_itself(self) -> None:
        signer, _ = signer_and_zone(Algorithm.ED25519)
        assert signer.secret not in repr(signer)
        assert "secret" not in repr(make_key(Algorithm.ED25519))


class TestARecord:
    def test_is_cut_where_the_domain_name_system_asks_for_it(self) -> None:
        value = record_value("rsa", make_key(Algorithm.RSA).public)
        assert [len(one) for one in strings(value)] == [255, len(value) - 255]
        assert "".join(strings(value)) == value

    def test_is_the_same_however_it_is_written(self) -> None:
        public = base64.b64encode(b"a key that is long enough").decode()
        for record in (f"v=DKIM1; k=rsa; p={public}", f"p={public[:9]} {public[9:]};t=s", f"v=DKIM1;K=RSA;\tp = {public} ; n=ours"):
            assert same_key(record.encode(), algorithm="rsa", public=public), record
        for record in (f"v=DKIM1; k=ed25519; p={public}", "v=DKIM1; p=", "", f"p={public[:-4]}"):
            assert not same_key(record.encode(), algorithm="rsa", public=public), record
