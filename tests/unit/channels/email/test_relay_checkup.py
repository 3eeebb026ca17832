"""A relay that is tried: what is wrong with it, at real servers, and that no password goes to one nobody knows."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta

import pytest
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from channels.email.relay_address import Relay, guessed
from channels.email.relay_checkup import Tried, try_relay
from tests.services.certificates import Authority
from tests.services.process import free_port

SECRET = "pass, w:rd"


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("certificates"))


@dataclass
class Submission:
    """A server that takes mail of whoever logs in. `heard` are the passwords it was told."""

    port: int = 0
    heard: list[str] = field(default_factory=list)

    def __call__(self, _server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, told: LoginPassword) -> AuthResult:
        self.heard.append(told.password.decode())
        right = told.password.decode() == SECRET
        return AuthResult(success=right, handled=False, message=None if right else f"535 5.7.8 {told.password.decode()} is wrong")

    def relay(self, scheme: str, password: str = SECRET) -> Relay:
        plain = scheme == "smtp"
        return Relay(
            "127.0.0.1", self.port, scheme == "smtps", scheme == "smtp+starttls", None if plain else "me@x", None if plain else password
        )


@asynccontextmanager
async def submission(tls: ssl.SSLContext | None = None, *, implicit: bool = False) -> AsyncIterator[Submission]:
    made = Submission()

    connections: list[SMTP] = []

    def connection() -> SMTP:
        connections.append(
            SMTP(object(), authenticator=made, auth_require_tls=False, tls_context=None if implicit else tls, hostname="relay.example")
        )
        return connections[-1]

    server = await asyncio.get_running_loop().create_server(connection, "127.0.0.1", 0, ssl=tls if implicit else None)
    made.port = server.sockets[0].getsockname()[1]
    yield made
    server.close()
    for one in connections:
        if one.transport is not None:
            one.transport.abort()
    await asyncio.sleep(0.01)


async def tried(relay: Relay, trust: ssl.SSLContext | None = None) -> Tried:
    return await try_relay(relay, timeout=1, trust=trust)


class TestWhoLetsTheDeskIn:
    @pytest.mark.parametrize("scheme", ["smtps", "smtp+starttls"])
    async def test_with_the_right_password(self, certificates: Authority, scheme: str) -> None:
        async with submission(certificates.signs("127.0.0.1").server(), implicit=scheme == "smtps") as server:
            found = await tried(server.relay(scheme), certificates.trust())
        assert (found.passed, found.advice, server.heard) == (True, None, [SECRET])

    @pytest.mark.parametrize("scheme", ["smtps", "smtp+starttls"])
    async def test_a_wrong_password_is_told_and_hidden(self, certificates: Authority, scheme: str) -> None:
        async with submission(certificates.signs("127.0.0.1").server(), implicit=scheme == "smtps") as server:
            found = await tried(server.relay(scheme, "wr0ng-one"), certificates.trust())
        assert (found.passed, found.advice) == (False, "smtp_login")
        assert found.words.startswith("535 ")
        assert "wr0ng-one" not in found.words


class TestCertificates:
    @pytest.mark.parametrize("scheme", ["smtps", "smtp+starttls"])
    @pytest.mark.parametrize(
        ("names", "until", "self_signed", "advice"),
        [
            (("127.0.0.1",), -1, False, "cert_expired"),
            (("127.0.0.1",), 29, True, "cert_self_signed"),
            (("mail.firma.ru",), 29, False, "cert_names"),
        ],
    )
    async def test_a_bad_one_is_told_and_gets_no_password(
        self, certificates: Authority, scheme: str, names: tuple[str, ...], until: int, self_signed: bool, advice: str
    ) -> None:
        shown = certificates.signs(*names, until=timedelta(days=until), self_signed=self_signed)
        async with submission(shown.server(), implicit=scheme == "smtps") as server:
            found = await tried(server.relay(scheme), certificates.trust())
        assert (found.passed, found.advice, server.heard) == (False, advice, [])
        if advice == "cert_names":
            assert found.params == {"names": "mail.firma.ru"}

    async def test_nobody_known_has_signed_it(self, certificates: Authority) -> None:
        async with submission(certificates.signs("127.0.0.1").server(), implicit=True) as server:
            assert (await tried(server.relay("smtps"))).advice == "cert_unknown"


class TestPorts:
    async def test_a_closed_one(self) -> None:
        port = free_port()
        found = await tried(Relay("127.0.0.1", port, starttls=True))
        assert (found.passed, found.advice, found.params) == (False, "unreachable", {"host": "127.0.0.1", "port": port})

    async def test_a_name_that_nobody_has(self) -> None:
        found = await tried(Relay("smtp.firma.invalid", 587, starttls=True))
        assert (found.advice, found.params["host"]) == ("no_such_host", "smtp.firma.invalid")

    @pytest.mark.parametrize("scheme", ["smtps", "smtp+starttls"])
    async def test_one_without_protection(self, scheme: str) -> None:
        async with submission() as server:
            assert (await tried(server.relay(scheme))).advice == "smtp_tls"

    async def test_one_for_tls_asked_without(self, certificates: Authority) -> None:
        async with submission(certificates.signs("127.0.0.1").server(), implicit=True) as server:
            assert (await tried(server.relay("smtp+starttls"))).advice == "smtp_tls"


@pytest.mark.parametrize(
    ("address", "url"),
    [
        ("help@yandex.ru", "smtps://help%40yandex.ru@smtp.yandex.ru:465"),
        ("help@outlook.com", "smtp+starttls://help%40outlook.com@smtp.office365.com:587"),
        ("help@firma.ru", "smtps://help%40firma.ru@smtp.firma.ru:465"),
    ],
)
def test_the_server_is_guessed_from_the_address(address: str, url: str) -> None:
    assert guessed(address).url == url
    assert Relay.of(url) == guessed(address)


def test_any_password_goes_through_an_address_and_is_never_shown() -> None:
    relay = Relay("::1", 587, starttls=True, user="a,b@x", password=SECRET)
    assert Relay.several(f"{relay.url}, {relay.url}") == (relay, relay)
    assert SECRET not in repr(relay)
