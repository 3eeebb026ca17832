"""Where a port cannot be had when the desk starts, it says so with what to do, for mail as for pages."""

import socket
from collections.abc import Iterator

import pytest

from gateway.listening import CannotListen, PortTaken, free_port
from gateway.mail import start_listener
from gateway.serving import Listening, Parts, run, settle_ports
from gateway.settings import Http, Settings, Smtp
from tests.integration.gateway.conftest import SmallDesk
from tests.services.process import free_port as some_port

SQLITE = pytest.mark.parametrize("store", ["sqlite"], indirect=True)


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        yield other.getsockname()[1]


def with_ports(desk: SmallDesk, **ports: int) -> None:
    desk.settings = desk.settings.model_copy(update={"smtp": Smtp(**{"port": some_port(), **ports})})


class TestBefore:
    def test_a_given_port_that_is_taken_is_refused(self, taken: int) -> None:
        with pytest.raises(PortTaken):
            free_port("127.0.0.1", taken, given=True)
        assert free_port("127.0.0.1", taken, given=False) > taken

    def test_an_address_of_another_machine_is_no_taken_port(self) -> None:
        with pytest.raises(CannotListen, match="192"):
            free_port("192.0.2.1", 2525, given=False)

    @pytest.mark.parametrize("part", ["http", "smtp", "lmtp"])
    def test_every_port_is_looked_at(self, taken: int, part: str) -> None:
        settings = Settings(
            http=Http(port=taken if part == "http" else some_port()),
            smtp=Smtp(port=taken if part == "smtp" else some_port(), lmtp_port=taken if part == "lmtp" else 0),
        )
        with pytest.raises(PortTaken) as refused:
            settle_ports(settings, Parts(web=True, receive=True), Listening())
        assert refused.value.fields["port"] == taken


@SQLITE
class TestAtTheLastMoment:
    """Another program may take the port while the store is being brought up to date."""

    @pytest.mark.parametrize("name", ["port", "lmtp_port"])
    async def test_the_listener_says_which_port(self, desk: SmallDesk, taken: int, name: str) -> None:
        with_ports(desk, **{name: taken})
        with pytest.raises(PortTaken) as refused:
            await start_listener(desk)
        assert refused.value.fields["port"] == taken
        with_ports(desk, lmtp_port=some_port())
        await (await start_listener(desk)).stop()

    async def test_so_does_the_web_server(self, desk: SmallDesk, taken: int) -> None:
        desk.settings = desk.settings.model_copy(update={"http": Http(port=taken)})
        told: list[str] = []

        async def ready() -> None:
            told.append("ready")

        with pytest.raises(PortTaken) as refused:
            await run(desk, Parts(web=True), ready=ready, listening=Listening())
        assert (refused.value.fields["port"], told) == (taken, [])
