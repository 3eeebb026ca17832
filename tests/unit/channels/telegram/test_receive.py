"""The offset moves after the commit and never before: the guard of "nothing is lost" on this channel."""

import json
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from channels.telegram.connection import CallFailed, read_json
from channels.telegram.receive import ALLOWED_UPDATES, LINGER, Poller
from channels.telegram.webhook import LARGEST_BODY, handle_webhook
from desk_core.conversations.ports import Accepted, InboundKind, InboundMessage
from desk_core.kit.clock import FakeClock
from desk_core.kit.errors import StoreUnavailable

CLOCK = FakeClock(datetime(2026, 3, 2, 9, 0, tzinfo=UTC))


def text(update_id: int, words: str = "hello", *, chat: int = 7) -> dict[str, Any]:
    person = {"id": chat, "is_bot": False, "first_name": "Anna"}
    body = {"message_id": update_id, "from": person, "chat": {"id": chat, "type": "private"}, "date": 1767225600, "text": words}
    return {"update_id": update_id, "message": body}


class FakeTelegram:
    """Keeps updates until a higher offset is asked for, as the real one does."""

    def __init__(self, *updates: Any) -> None:
        self.waiting: list[Any] = list(updates)
        self.offsets: list[int | None] = []
        self.failures: list[CallFailed] = []
        self.calls: list[str] = []
        self.params: dict[str, Any] = {}

    async def updates(self, *, offset: int | None, seconds: int, allowed: Iterable[str]) -> list[Any]:
        self.offsets.append(offset)
        if self.failures:
            raise self.failures.pop(0)
        if offset is not None:
            self.waiting = [update for update in self.waiting if not isinstance(update, dict) or update.get("update_id", 0) >= offset]
        return list(self.waiting)

    async def call(self, method: str, params: Mapping[str, Any] | None = None) -> Any:
        self.params = dict(params or {})
        self.calls.append(method)
        return True


class FakeStore:
    """An `Accept`: stores once per external id; `fails` decides which calls meet a broken store."""

    def __init__(self, fails: Callable[[InboundMessage], Exception | None] = lambda _: None) -> None:
        self.stored: dict[str, InboundMessage] = {}
        self.raw: dict[str, bytes] = {}
        self.seen: list[str] = []
        self.fails = fails

    async def __call__(self, inbox_id: str, message: InboundMessage, *, raw: bytes | None = None) -> Accepted:
        self.seen.append(message.external_id)
        if error := self.fails(message):
            raise error
        duplicate = message.external_id in self.stored
        if not duplicate:
            self.stored[message.external_id] = message
            self.raw[message.external_id] = raw or b""
        return Accepted(message.external_id, duplicate=duplicate)


class Naps:
    def __init__(self) -> None:
        self.taken: list[float] = []

    async def __call__(self, seconds: float) -> None:
        self.taken.append(seconds)


class Told:
    def __init__(self) -> None:
        self.words: list[str | None] = []

    async def __call__(self, words: str | None) -> None:
        self.words.append(words)


def poller(telegram: FakeTelegram, *, naps: Naps | None = None, told: Told | None = None) -> Poller:
    return Poller(telegram, inbox_id="box", burst_seconds=2.0, clock=CLOCK, on_status=told, sleep=naps or Naps())


class TestOffset:
    async def test_moves_behind_what_was_stored(self) -> None:
        telegram, store = FakeTelegram(text(10), text(11)), FakeStore()
        loop = poller(telegram)
        await loop.step(store)
        await loop.step(store)
        assert list(store.stored) == ["u10", "u11"]
        assert telegram.offsets == [None, 12]
        assert telegram.waiting == []

    async def test_stays_while_the_store_is_down_and_nothing_is_lost(self) -> None:
        # The store breaks on the second of three updates. Were the offset moved before `accept`, or with the page,
        # Telegram would be asked for a higher one and would forget what was never stored.
        broken = True
        store = FakeStore(lambda message: StoreUnavailable() if broken and message.external_id == "u11" else None)
        telegram, naps, told = FakeTelegram(text(10), text(11), text(12)), Naps(), Told()
        loop = poller(telegram, naps=naps, told=told)
        await loop.step(store)
        assert loop.offset == 11
        await loop.step(store)
        assert telegram.offsets == [None, 11]
        assert [update["update_id"] for update in telegram.waiting] == [11, 12]
        assert list(store.stored) == ["u10"]
        broken = False
        await loop.step(store)
        assert list(store.stored) == ["u10", "u11", "u12"]
        assert loop.offset == 13
        *waits, lingered = naps.taken
        assert len(waits) == 2
        assert all(wait > lingered for wait in waits)
        assert told.words[-1] is None

    async def test_waits_for_the_chat_that_could_not_be_stored_and_holds_up_no_other(self) -> None:
        broken = True
        store = FakeStore(lambda message: StoreUnavailable() if broken and message.external_id == "u11" else None)
        telegram = FakeTelegram(text(10), text(11, chat=8), text(12), text(13, chat=8), text(14, chat=9))
        loop = poller(telegram)
        await loop.step(store)
        assert loop.offset == 11
        assert sorted(store.stored) == ["u10", "u12", "u14"]
        broken = False
        await loop.step(store)
        assert loop.offset == 15
        assert sorted(store.stored) == ["u10", "u11", "u12", "u13", "u14"]
        assert [one for one in store.stored if one in ("u11", "u13")] == ["u11", "u13"]

    async def test_is_behind_the_commit_even_when_the_first_update_cannot_be_stored(self) -> None:
        telegram = FakeTelegram(text(10))
        loop = poller(telegram)
        await loop.step(FakeStore(lambda _: StoreUnavailable()))
        assert loop.offset is None

    async def test_is_confirmed_when_receiving_ends_so_that_a_webhook_is_not_sent_it_again(self) -> None:
        telegram, store = FakeTelegram(text(10), text(11)), FakeStore()
        loop = poller(telegram)
        await loop.step(store)
        assert len(telegram.waiting) == 2
        await loop.confirm()
        assert telegram.waiting == []

    async def test_is_not_confirmed_before_anything_was_stored(self) -> None:
        telegram = FakeTelegram(text(10))
        await poller(telegram).confirm()
        assert telegram.offsets == []

    async def test_is_kept_when_confirming_fails(self) -> None:
        telegram, store = FakeTelegram(text(10)), FakeStore()
        loop = poller(telegram)
        await loop.step(store)
        telegram.failures.append(CallFailed("no network"))
        await loop.confirm()
        assert loop.offset == 11

    async def test_of_a_webhook_that_is_taken_off_drops_nothing(self) -> None:
        telegram = FakeTelegram(text(10))
        await poller(telegram).leave_webhook()
        assert (telegram.calls, telegram.params) == (["deleteWebhook"], {"drop_pending_updates": False})

    async def test_keeps_the_order_of_each_chat(self) -> None:
        telegram, store = FakeTelegram(*[text(number, chat=number % 3) for number in range(50, 80)]), FakeStore()
        await poller(telegram).step(store)
        assert sorted(store.seen) == [f"u{number}" for number in range(50, 80)]
        for chat in range(3):
            own = [f"u{number}" for number in range(50, 80) if number % 3 == chat]
            assert [one for one in store.seen if one in own] == own

    async def test_lingers_after_updates_and_not_without(self) -> None:
        naps = Naps()
        loop = poller(FakeTelegram(text(10)), naps=naps)
        await loop.step(FakeStore())
        assert naps.taken == [LINGER]
        await loop.step(FakeStore())
        assert naps.taken == [LINGER]


class TestOddUpdates:
    async def test_are_stored_as_cards_and_do_not_stop_the_next(self) -> None:
        odd = [{"update_id": 1, "message": "no object"}, {"update_id": 2}, {"update_id": 3, "brand_new": {"x": 1}}, text(4)]
        store = FakeStore()
        loop = poller(FakeTelegram(*odd))
        await loop.step(store)
        kinds = [message.kind for message in store.stored.values()]
        assert kinds == [InboundKind.UNSUPPORTED] * 3 + [InboundKind.MESSAGE]
        assert json.loads(store.raw["u3"]) == odd[2]
        assert loop.offset == 5

    async def test_that_intake_cannot_digest_are_kept_as_a_card_of_the_same_person(self) -> None:
        store = FakeStore(lambda message: ValueError("boom") if message.text else None)
        loop = poller(FakeTelegram(text(1)))
        await loop.step(store)
        card = store.stored["u1"]
        assert (card.kind, card.thread_key, card.card["kind"]) == (InboundKind.UNSUPPORTED, "7", "unreadable")
        assert loop.offset == 2

    async def test_that_nothing_can_store_wait(self) -> None:
        loop = poller(FakeTelegram(text(1)))
        await loop.step(FakeStore(lambda _: ValueError("boom")))
        assert loop.offset is None

    def test_with_half_a_surrogate_pair_or_a_huge_number_are_read(self) -> None:
        assert read_json(b'{"a": "\\ud83d", "b": 123456789012345678901234567890}')["b"] > 2**63
        with pytest.raises(ValueError, match=r".+"):
            read_json(b"<html>")


class TestTroubles:
    @pytest.mark.parametrize(
        ("failure", "words", "pause"),
        [
            (CallFailed("Conflict: terminated by other getUpdates request", code=409), "Another program receives", 0.1),
            (CallFailed("Unauthorized", code=401), "does not know this token", 30),
            (CallFailed("Too Many Requests", code=429, retry_after=17), "slow down", 17),
            (CallFailed("Bad Gateway", code=502), "Bad Gateway", 0.1),
            (CallFailed("Telegram cannot be reached: no answer in time"), "cannot be reached", 0.1),
        ],
    )
    async def test_are_waited_out_and_told_in_words(self, failure: CallFailed, words: str, pause: float) -> None:
        telegram, naps, told, store = FakeTelegram(text(1)), Naps(), Told(), FakeStore()
        telegram.failures = [failure]
        loop = poller(telegram, naps=naps, told=told)
        await loop.step(store)
        assert told.words[-1] is not None
        assert words in told.words[-1]
        assert naps.taken[0] >= pause
        await loop.step(store)
        assert told.words[-1] is None
        assert list(store.stored) == ["u1"]

    async def test_of_a_webhook_set_elsewhere_take_it_off(self) -> None:
        telegram = FakeTelegram()
        telegram.failures = [CallFailed("Conflict: can't use getUpdates method while webhook is active", code=409)]
        await poller(telegram).step(FakeStore())
        assert telegram.calls == ["deleteWebhook"]

    async def test_that_last_are_told_once_and_pauses_grow_within_bounds(self) -> None:
        telegram, naps, told = FakeTelegram(), Naps(), Told()
        telegram.failures = [CallFailed("down") for _ in range(12)]
        loop = poller(telegram, naps=naps, told=told)
        for _ in range(12):
            await loop.step(FakeStore())
        assert told.words == ["down"]
        assert naps.taken[0] <= 0.5
        assert 30 <= naps.taken[-1] <= 60

    async def test_are_told_to_a_plain_function_too(self) -> None:
        words: list[str | None] = []
        loop = Poller(FakeTelegram(), inbox_id="box", burst_seconds=2.0, clock=CLOCK, on_status=words.append, sleep=Naps())
        await loop.step(FakeStore())
        assert words == [None]

    def test_every_kind_of_the_schema_is_asked_for(self) -> None:
        assert len(ALLOWED_UPDATES) == len(set(ALLOWED_UPDATES)) == 25
        assert {"message_reaction", "my_chat_member", "callback_query", "edited_message"} <= set(ALLOWED_UPDATES)


async def posted(secret: str | None, body: bytes, store: FakeStore, *, expected: str = "s3cret") -> int:
    return await handle_webhook(secret, body, secret=expected, inbox_id="box", accept=store, clock=CLOCK)


class TestWebhook:
    async def test_answers_200_once_the_update_is_stored(self) -> None:
        store = FakeStore()
        assert await posted("s3cret", json.dumps(text(5)).encode(), store) == 200
        assert store.stored["u5"].text == "hello"

    @pytest.mark.parametrize("secret", [None, "", "wrong", "s3cret ", "секрет"])
    async def test_refuses_a_stranger_and_stores_nothing(self, secret: str | None) -> None:
        store = FakeStore()
        assert await posted(secret, json.dumps(text(5)).encode(), store) == 403
        assert store.seen == []

    async def test_without_a_secret_lets_nobody_in(self) -> None:
        store = FakeStore()
        assert await posted("", b"{}", store, expected="") == 403
        assert store.seen == []

    async def test_answers_503_when_nothing_was_stored_so_that_telegram_tries_again(self) -> None:
        assert await posted("s3cret", json.dumps(text(5)).encode(), FakeStore(lambda _: StoreUnavailable())) == 503

    async def test_the_same_update_twice_is_stored_once(self) -> None:
        store = FakeStore()
        for _ in range(2):
            assert await posted("s3cret", json.dumps(text(5)).encode(), store) == 200
        assert len(store.stored) == 1

    @pytest.mark.parametrize("body", [b"", b"no json", b"[1, 2]", b"\xff\xfe", b"[" * 100_000])
    async def test_keeps_what_is_no_update_and_acknowledges_it(self, body: bytes) -> None:
        store = FakeStore()
        assert await posted("s3cret", body, store) == 200
        (kept,) = store.stored.values()
        assert kept.kind is InboundKind.UNSUPPORTED
        assert kept.held

    async def test_refuses_what_is_too_large(self) -> None:
        assert await posted("s3cret", b" " * (LARGEST_BODY + 1), FakeStore()) == 413
