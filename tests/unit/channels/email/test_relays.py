"""Connections that are kept between mails, against a real server that counts them and dies when told."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP, Envelope, Session

from channels.email.relay_address import Relay
from channels.email.relays import OwnPace, RelayPool
from channels.email.smtp_out import SmtpSender
from desk_core.conversations.ports import Refused, RetryLater
from desk_core.kit.errors import Invalid

NOWHERE = "smtp://127.0.0.1:1"
MAIL = b"Subject: x\r\n\r\n.Hello\r\n"


@dataclass
class Relaying:
    """A relay. `dies_at` is the command at which it hangs up on whoever has sent a mail already; `gate` holds the answer to DATA back."""

    port: int = 0
    opened: int = 0
    open_now: int = 0
    most: int = 0
    mails: list[str] = field(default_factory=list)
    heard: list[str] = field(default_factory=list)
    dies_at: str = ""
    other_alphabets: bool = False
    declared: list[bool] = field(default_factory=list)
    gate: asyncio.Event | None = None
    begun: asyncio.Event = field(default_factory=asyncio.Event)
    connections: set["_Connection"] = field(default_factory=set)

    async def handle_MAIL(self, server: "_Connection", session: Session, envelope: Envelope, address: str, options: list[str]) -> str:  # noqa: N802
        if self.dies_at == "MAIL" and server.mails:
            server.abort()
        if self.dies_at == "421" and server.mails:
            return "421 4.4.2 Timeout exceeded"
        if address.startswith("stranger"):
            return "550 5.7.1 Go away"
        envelope.mail_from = address
        return "250 OK"

    async def handle_RCPT(self, server: "_Connection", session: Session, envelope: Envelope, address: str, options: list[str]) -> str:  # noqa: N802
        if (envelope.mail_from or "").startswith("other"):
            return "553 5.7.1 <other@desk.example>: Sender address rejected: not owned by user desk"
        if address.startswith("nobody"):
            return "550 5.1.1 No such user"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_RSET(self, server: "_Connection", session: Session, envelope: Envelope) -> str:  # noqa: N802
        self.heard.append("RSET")
        return "250 OK"

    async def handle_QUIT(self, server: "_Connection", session: Session, envelope: Envelope) -> str:  # noqa: N802
        self.heard.append("QUIT")
        return "221 Bye"

    async def handle_DATA(self, server: "_Connection", session: Session, envelope: Envelope) -> str:  # noqa: N802
        self.begun.set()
        if self.gate is not None:
            await self.gate.wait()
        if self.dies_at == "DATA" and server.mails:
            server.abort()
        self.mails.append(envelope.rcpt_tos[0])
        self.declared.append(envelope.smtp_utf8)
        server.mails += 1
        return "250 OK"


class _Connection(SMTP):
    def __init__(self, relay: Relaying, **options: Any) -> None:
        super().__init__(relay, hostname="relay.example", enable_SMTPUTF8=relay.other_alphabets, **options)
        self.relay, self.mails = relay, 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.relay.opened += 1
        self.relay.open_now += 1
        self.relay.most = max(self.relay.most, self.relay.open_now)
        self.relay.connections.add(self)
        super().connection_made(transport)

    def connection_lost(self, error: Exception | None) -> None:
        self.relay.open_now -= 1
        self.relay.connections.discard(self)
        super().connection_lost(error)

    def abort(self) -> None:
        if isinstance(self.transport, asyncio.WriteTransport):
            self.transport.abort()


@pytest.fixture
async def relay() -> AsyncIterator[Relaying]:
    made = Relaying()
    server = await asyncio.get_running_loop().create_server(lambda: _Connection(made), "127.0.0.1", 0)
    made.port = server.sockets[0].getsockname()[1]
    yield made
    server.close()
    for connection in list(made.connections):
        connection.abort()
    await until(lambda: made.open_now == 0)


@pytest.fixture
async def sender(relay: Relaying) -> AsyncIterator[SmtpSender]:
    made = SmtpSender(f"smtp://127.0.0.1:{relay.port}", timeout=5)
    yield made
    await made.close()


async def until(happened: Callable[[], bool]) -> None:
    for _ in range(400):
        if happened():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it did not happen in time")


async def send(sender: SmtpSender, to: str = "anna@example.com") -> None:
    await sender.deliver(MAIL, sender="support@desk.example", recipient=to)


async def test_mails_go_over_one_connection(relay: Relaying, sender: SmtpSender) -> None:
    for number in range(10):
        await send(sender, f"a{number}@example.com")
    assert (relay.opened, relay.mails, relay.heard) == (1, [f"a{number}@example.com" for number in range(10)], [])


@pytest.mark.parametrize("knows", [True, False])
async def test_a_letter_that_names_an_address_of_another_alphabet_says_so_where_the_relay_knows_it(
    relay: Relaying, sender: SmtpSender, knows: bool
) -> None:
    relay.other_alphabets = knows
    for _ in range(2):
        await sender.deliver("Cc: мария@почта.рф\r\n".encode() + MAIL, sender="support@desk.example", recipient="anna@example.com")
    await send(sender)
    assert relay.declared == [knows, knows, False]


async def test_at_most_four_are_open_at_once(relay: Relaying, sender: SmtpSender) -> None:
    await asyncio.gather(*(send(sender, f"a{number}@example.com") for number in range(40)))
    assert (relay.most, relay.opened, len(set(relay.mails))) == (4, 4, 40)


async def test_a_connection_carries_so_many_mails(relay: Relaying) -> None:
    pool = RelayPool(Relay.of(f"smtp://127.0.0.1:{relay.port}"), mails=3)
    for _ in range(7):
        async with pool.connection() as held:
            await held.send(MAIL, sender="a@desk.example", recipient="b@example.com")
    await pool.close()
    assert (relay.opened, len(relay.mails)) == (3, 7)
    await until(lambda: relay.heard == ["QUIT"] * 3)


async def test_one_that_rests_too_long_is_closed(relay: Relaying) -> None:
    sender = SmtpSender(f"smtp://127.0.0.1:{relay.port}", idle=0.05)
    await send(sender)
    assert relay.open_now == 1
    await until(lambda: relay.open_now == 0)
    assert relay.heard == ["QUIT"]
    await send(sender)
    await sender.close()
    assert relay.opened == 2


@pytest.mark.parametrize("dies_at", ["MAIL", "421"])
async def test_one_that_died_while_it_rested_is_replaced(relay: Relaying, sender: SmtpSender, dies_at: str) -> None:
    await send(sender)
    relay.dies_at = dies_at
    await send(sender)
    assert (relay.opened, len(relay.mails)) == (2, 2)


async def test_one_that_the_relay_closed_is_not_asked(relay: Relaying, sender: SmtpSender) -> None:
    await asyncio.gather(send(sender), send(sender))
    for connection in list(relay.connections):
        connection.abort()
    await until(lambda: relay.open_now == 0)
    await send(sender)
    assert (relay.opened, len(relay.mails)) == (3, 3)


async def test_a_mail_that_may_have_arrived_is_not_sent_again_at_once(relay: Relaying, sender: SmtpSender) -> None:
    await send(sender)
    relay.dies_at = "DATA"
    with pytest.raises(RetryLater) as later:
        await send(sender)
    assert later.value.uncertain
    assert relay.opened == 1


async def test_after_a_refusal_the_connection_begins_anew(relay: Relaying, sender: SmtpSender) -> None:
    with pytest.raises(Refused, match="550"):
        await send(sender, "nobody@example.com")
    await send(sender)
    assert (relay.opened, relay.heard, relay.mails) == (1, ["RSET"], ["anna@example.com"])


@pytest.mark.parametrize(
    ("sender_address", "to", "about_sender"),
    [
        ("stranger@desk.example", "a@x.example", True),
        ("other@desk.example", "a@x.example", True),
        ("me@desk.example", "nobody@x.example", False),
    ],
)
async def test_a_refusal_says_whether_it_is_about_the_sender(sender: SmtpSender, sender_address: str, to: str, about_sender: bool) -> None:
    with pytest.raises(Refused) as refused:
        await sender.deliver(MAIL, sender=sender_address, recipient=to)
    assert refused.value.sender is about_sender


async def test_given_up_in_the_middle_it_is_not_used_again(relay: Relaying, sender: SmtpSender) -> None:
    relay.gate = asyncio.Event()
    for _ in range(6):
        relay.begun.clear()
        task = asyncio.create_task(send(sender))
        await relay.begun.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    relay.gate.set()
    relay.gate = None
    relay.mails.clear()
    await asyncio.gather(*(send(sender, f"a{number}@example.com") for number in range(8)))
    assert len(set(relay.mails) - {"anna@example.com"}) == 8


async def test_the_next_relay_is_taken_where_one_is_away(relay: Relaying) -> None:
    sender = SmtpSender(f"{NOWHERE}, smtp://127.0.0.1:{relay.port}")
    await send(sender)
    await send(sender)
    assert [one.passed for one in await sender.test()] == [False, True]
    away, here = sender.pools
    assert (away.opened, here.opened, len(relay.mails)) == (0, 1, 2)
    assert away.down_until > 0, "it is asked last for a while"
    await sender.close()


async def test_where_all_are_away_it_is_tried_later() -> None:
    sender = SmtpSender(f"{NOWHERE},{NOWHERE}")
    with pytest.raises(RetryLater) as later:
        await send(sender)
    assert not (later.value.uncertain or later.value.free)


async def test_closed_it_keeps_no_connection(relay: Relaying, sender: SmtpSender) -> None:
    await asyncio.gather(*(send(sender) for _ in range(3)))
    await sender.close()
    await until(lambda: relay.open_now == 0)
    await send(sender)
    await until(lambda: relay.open_now == 0)


class TestPace:
    async def test_is_kept_for_each_domain(self) -> None:
        now = 100.0
        pace = OwnPace(2, clock=lambda: now)
        assert [await pace.wait(to) for to in ("a@x.example", "b@X.example", "c@x.example", "a@y.example")] == [0, 0, 60, 0]
        now += 45.5
        assert await pace.wait("d@x.example") == 15
        now += 15
        assert await pace.wait("d@x.example") == 0

    async def test_is_off_by_default(self) -> None:
        assert {await OwnPace(0).wait("a@x.example") for _ in range(1000)} == {0}

    async def test_a_mail_that_waits_was_not_tried(self, relay: Relaying) -> None:
        sender = SmtpSender(f"smtp://127.0.0.1:{relay.port}", pace=OwnPace(1))
        await send(sender)
        with pytest.raises(RetryLater) as later:
            await send(sender)
        assert (later.value.free, later.value.uncertain) == (True, False)
        assert later.value.after is not None
        assert 50 < later.value.after.total_seconds() <= 60
        await send(sender, "b@elsewhere.example")
        await sender.close()
        assert len(relay.mails) == 2


def test_relays_are_a_list_of_addresses() -> None:
    assert [str(one) for one in Relay.several("smtp://a, smtps://u:p%2Cq@b,")] == ["a:25", "b:465"]
    with pytest.raises(Invalid):
        SmtpSender(" , ")
