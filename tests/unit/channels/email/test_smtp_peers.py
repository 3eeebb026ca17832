"""Who talks to the listener: LMTP, TLS, peers that speak for others, and how much each may ask for."""

import asyncio
import datetime
import smtplib
import ssl
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from channels.email.peers import Peers, networks
from tests.unit.channels.email.mails import SUPPORT, mail
from tests.unit.channels.email.test_smtp_in import ACCOUNTS, Desk

LOOPBACK = networks("127.0.0.1")


@pytest.fixture
async def start() -> AsyncIterator[Callable[..., Any]]:
    """Starts listeners, and stops them in the end."""
    desks: list[Desk] = []

    async def begin(**options: Any) -> Desk:
        desk = Desk(**options)
        await desk.listener.start()
        desks.append(desk)
        return desk

    yield begin
    for desk in desks:
        await desk.listener.stop()


def certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate for localhost, signed by itself."""
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(1)
        .not_valid_before(now).not_valid_after(now + datetime.timedelta(days=3650))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    pem = serialization.Encoding.PEM
    (folder / "cert.pem").write_bytes(made.public_bytes(pem))
    (folder / "key.pem").write_bytes(key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
    return folder / "cert.pem", folder / "key.pem"


async def talk(port: int, *lines: bytes) -> list[str]:
    """Say these lines at once and give every line of the answers."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"".join(line + b"\r\n" for line in lines))
    answers = (await asyncio.wait_for(reader.read(), 10)).decode().splitlines()
    writer.close()
    return answers


class TestLmtp:
    async def test_a_client_of_other_peoples_making_delivers(self, start: Callable[..., Any]) -> None:
        desk = await start(lmtp_port=0)

        def send() -> dict[str, Any]:
            with smtplib.LMTP("127.0.0.1", desk.listener.lmtp_port) as lmtp:
                return lmtp.sendmail("anna@example.com", [SUPPORT, "nobody@desk.example"], mail("Printer"))

        assert set(await asyncio.to_thread(send)) == {"nobody@desk.example"}
        assert len(desk.accept.stored) == 1

    async def test_every_recipient_gets_an_answer_for_one_mail(self, start: Callable[..., Any]) -> None:
        desk = await start(lmtp_port=0)
        recipients = [f"RCPT TO:<{address}>".encode() for address in (SUPPORT, ACCOUNTS)]
        letter = [b"DATA", b"Message-ID: <one@example.com>", b"", b"hello", b".", b"QUIT"]
        answers = await talk(desk.listener.lmtp_port, b"LHLO mx.example", b"MAIL FROM:<a@example.com>", *recipients, *letter)
        assert [line[:3] for line in answers][-4:] == ["354", "250", "250", "221"]
        assert len(desk.accept.stored) == 1

    async def test_ehlo_is_refused(self, start: Callable[..., Any]) -> None:
        desk = await start(lmtp_port=0)
        assert (await talk(desk.listener.lmtp_port, b"EHLO mx.example", b"QUIT"))[1].startswith("500")


class TestTls:
    async def test_mail_comes_in_encrypted(self, start: Callable[..., Any], tmp_path: Path) -> None:
        cert, key = certificate(tmp_path)
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(cert, key)
        desk = await start(tls=context)

        def send() -> str:
            with smtplib.SMTP("127.0.0.1", desk.listener.port, local_hostname="mx.example") as smtp:
                smtp._host = "localhost"
                smtp.starttls(context=ssl.create_default_context(cafile=str(cert)))
                smtp.sendmail("anna@example.com", [SUPPORT], mail("Printer"))
                return str(smtp.sock.version())  # type: ignore[union-attr]

        assert (await asyncio.to_thread(send)).startswith("TLS")
        assert len(desk.accept.stored) == 1


class TestSpeakingForOthers:
    async def test_a_trusted_peer_tells_by_xclient(self, start: Callable[..., Any]) -> None:
        desk = await start(peers=Peers(trusted=LOOPBACK, mails_per_minute=1))
        once = [b"XCLIENT ADDR=192.0.2.7 HELO=mx.example", b"EHLO mx.example", b"MAIL FROM:<a@example.com>"]
        answers = await talk(desk.listener.port, b"EHLO proxy.example", *once, b"RSET", b"MAIL FROM:<a@example.com>", b"QUIT")
        assert "250-XCLIENT ADDR NAME HELO" in answers
        assert answers[-4:-1] == ["250 OK", "250 OK", "450 4.7.1 Too many mails from your address within a minute, please try again later"]

    async def test_a_stranger_may_not(self, start: Callable[..., Any]) -> None:
        desk = await start()
        answers = await talk(desk.listener.port, b"EHLO mx.example", b"XCLIENT ADDR=192.0.2.7", b"QUIT")
        assert not any("XCLIENT" in line for line in answers)
        assert answers[-2].startswith("550 5.7.1")

    @pytest.mark.parametrize("told", [b"XCLIENT", b"XCLIENT ADDR=over-there", b"XCLIENT nonsense"])
    async def test_what_cannot_be_read_is_refused(self, start: Callable[..., Any], told: bytes) -> None:
        desk = await start(peers=Peers(trusted=LOOPBACK))
        assert (await talk(desk.listener.port, b"EHLO mx.example", told, b"QUIT"))[-2].startswith("501")

    async def test_a_trusted_peer_begins_with_a_proxy_header(self, start: Callable[..., Any]) -> None:
        desk = await start(peers=Peers(trusted=LOOPBACK, mails_per_minute=1), proxied=True)
        for expected in ("250", "450"):  # the limit is the far peer's, and holds over connections
            answers = await talk(
                desk.listener.port, b"PROXY TCP4 192.0.2.9 198.51.100.1 40000 25", b"EHLO mx.example", b"MAIL FROM:<a@example.com>", b"QUIT"
            )
            assert answers[-2].startswith(expected)

    async def test_without_the_header_a_trusted_peer_is_turned_away(self, start: Callable[..., Any]) -> None:
        desk = await start(peers=Peers(trusted=LOOPBACK), proxied=True)
        assert await talk(desk.listener.port, b"EHLO mx.example", b"QUIT") == []

    async def test_a_strangers_header_means_nothing(self, start: Callable[..., Any]) -> None:
        desk = await start(peers=Peers(trusted=networks("10.0.0.0/8")), proxied=True)
        answers = await talk(desk.listener.port, b"PROXY TCP4 10.0.0.1 198.51.100.1 40000 25", b"EHLO mx.example", b"QUIT")
        assert answers[0].startswith("220")
        assert answers[1].startswith("500")


class TestPeerLimits:
    async def test_connections_of_one_address(self, start: Callable[..., Any]) -> None:
        desk = await start(peers=Peers(connections=1))
        reader, writer = await asyncio.open_connection("127.0.0.1", desk.listener.port)
        assert (await reader.readline()).startswith(b"220")
        assert (await talk(desk.listener.port))[0].startswith("421")
        writer.close()
        await asyncio.sleep(0.05)
        assert (await talk(desk.listener.port, b"QUIT"))[0].startswith("220")

    def test_mails_of_one_address_within_a_minute(self) -> None:
        now = [0.0]
        peers = Peers(mails_per_minute=2, clock=lambda: now[0])
        assert [peers.may_send("192.0.2.1") for _ in range(3)] == [True, True, False]
        assert peers.may_send("192.0.2.2")
        now[0] = 61.0
        assert peers.may_send("192.0.2.1")

    def test_who_is_forgotten_leaves_nothing_behind(self) -> None:
        now = [0.0]
        peers = Peers(mails_per_minute=1, clock=lambda: now[0])
        for number in range(10_002):
            peers.may_send(f"peer{number}")
        now[0] = 100.0
        peers.may_send("192.0.2.1")
        assert len(peers._mails) == 1

    @pytest.mark.parametrize("text", ["nonsense", "10.0.0.0/99", "1.2.3"])
    def test_networks_that_are_none(self, text: str) -> None:
        with pytest.raises(ValueError, match="does not appear"):
            networks(text)
