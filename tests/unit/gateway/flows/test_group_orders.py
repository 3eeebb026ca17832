"""What an operator writes in a topic, read as an order."""

from datetime import UTC, datetime

import pytest

from desk_core.conversations.ports import InboundKind, InboundMessage, Sender
from gateway.flows.group_orders import Do, Order, read, target


def written(text: str) -> InboundMessage:
    """As the channel maps it: a command with its words apart."""
    command, args = None, ""
    if text.startswith("/") and not text.startswith("//"):
        command, _sep, args = text.removeprefix("/").partition(" ")
    return InboundMessage(
        kind=InboundKind.MESSAGE, external_id="u1", lane="in", sender=Sender("1"), at=datetime(2026, 11, 23, tzinfo=UTC), text=text,
        command=command, card={"args": args},
    )  # fmt: skip


@pytest.mark.parametrize(
    ("text", "order"),
    [
        ("Иду к вам", Order(Do.REPLY, "Иду к вам")),
        ("// он звонил", Order(Do.NOTE, "он звонил")),
        ("/note он звонил", Order(Do.NOTE, "он звонил")),
        ("/take", Order(Do.TAKE)),
        ("/release", Order(Do.BOT)),
        ("/done готово", Order(Do.RESOLVE, "готово")),
        ("/p2", Order(Do.PRIORITY, "P2")),
        ("/priority P3", Order(Do.PRIORITY, "P3")),
        ("/escalate 2 плата", Order(Do.ESCALATE, "2 плата")),
    ],
)
def test_is_read(text: str, order: Order) -> None:
    assert read(written(text)) == order


@pytest.mark.parametrize("name", ["solveit", "send", "reply", "drop", "unknown"])
@pytest.mark.parametrize("words", ["", " now"])
def test_what_looks_like_a_command_is_never_a_reply(name: str, words: str) -> None:
    assert read(written(f"/{name}{words}")) == Order(Do.UNKNOWN, name)


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("2 нет платы", (2, None, "нет платы")),
        ("Network линия рвётся", (None, "network", "линия рвётся")),
        ("", (None, None, "")),
        ("2", (2, None, "")),
    ],
)
def test_where_a_request_is_passed_to(words: str, found: tuple[int | None, str | None, str]) -> None:
    assert target(words) == found
