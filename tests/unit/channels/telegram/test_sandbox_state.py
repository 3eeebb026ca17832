"""The sandbox's memory: update queues, bounds, ids that never go back, faults on order."""

from datetime import UTC, datetime, timedelta

from channels.telegram.sandbox import Sandbox
from channels.telegram.sandbox.acts import Acts
from channels.telegram.sandbox.chats import MESSAGES_KEPT_PER_CHAT, Seat, User
from channels.telegram.sandbox.faults import FaultKind, Faults
from channels.telegram.sandbox.files import FileStore, picture_size
from channels.telegram.sandbox.reactions import ALLOWED_REACTIONS, is_allowed
from channels.telegram.sandbox.state import UpdateQueue, World
from channels.telegram.sandbox.webhooks import is_loopback
from desk_core.kit.clock import FakeClock

MORNING = datetime(2026, 11, 23, 9, tzinfo=UTC)
TOKEN = "7000000001:AAE" + "x" * 32


class TestUpdateQueue:
    def test_ids_rise_and_are_never_given_twice(self) -> None:
        queue = UpdateQueue(10)
        queue.put("message", {"text": "a"})
        queue.confirm(11)
        queue.put("message", {"text": "b"})
        assert [update["update_id"] for update in queue.page(10)] == [11]

    def test_reactions_come_only_where_asked_for(self) -> None:
        queue = UpdateQueue(1)
        assert queue.put("message_reaction", {}) is None
        queue.allowed = frozenset({"message_reaction"})
        assert queue.put("message_reaction", {}) is not None
        assert queue.put("message", {}) is None

    def test_a_raw_update_comes_whatever_was_asked_for(self) -> None:
        queue = UpdateQueue(1)
        queue.allowed = frozenset({"message"})
        assert queue.put_raw({"telepathy": {}}) == {"update_id": 1, "telepathy": {}}
        assert queue.put_raw({"update_id": 50, "telepathy": {}})["update_id"] == 50
        assert queue.next_id == 51


class TestWorld:
    def world(self, clock: FakeClock) -> World:
        return Sandbox(clock=clock).world

    def test_ids_after_a_restart_are_higher_than_before(self) -> None:
        clock = FakeClock(MORNING)
        before = self.world(clock).add_bot(TOKEN, username="b", name="B")
        clock.advance(timedelta(minutes=1))
        after = self.world(clock).add_bot(TOKEN, username="b", name="B")
        assert after.updates.next_id > before.updates.next_id
        assert after.next_message_id > before.next_message_id

    def test_after_a_restart_nobody_is_taken_for_another(self) -> None:
        before, after = self.world(FakeClock(MORNING)), self.world(FakeClock(MORNING))
        assert before.new_user_id("ivan") == after.new_user_id("ivan")
        assert after.new_user_id("maria") != before.new_user_id("ivan")
        assert before.new_user_id("ivan") not in before.users

    def test_two_keys_of_one_number_are_two_people(self) -> None:
        world = self.world(FakeClock(MORNING))
        first = world.add_user(User(id=world.new_user_id("ivan"), key="ivan", first_name="Ivan"))
        assert world.new_user_id("ivan") == first.id + 1

    def test_a_chat_forgets_its_oldest_messages(self) -> None:
        world = self.world(FakeClock(MORNING))
        anna = world.find_user("anna")
        assert anna is not None
        chat = world.chat(world.add_bot(TOKEN, username="b", name="B"), anna)
        for number in range(MESSAGES_KEPT_PER_CHAT + 5):
            Acts(world).writes(Seat(chat, anna), str(number))
        assert len(chat.messages) == MESSAGES_KEPT_PER_CHAT
        assert next(iter(chat.messages.values())).body["text"] == "5"

    def test_a_press_can_be_answered_for_a_minute(self) -> None:
        clock = FakeClock(MORNING)
        world = self.world(clock)
        bot = world.add_bot(TOKEN, username="b", name="B")
        anna = world.find_user("anna_petrova")
        assert anna is not None
        callback = world.begin_callback(Seat(world.chat(bot, anna), anna), 1)
        assert world.callback(bot, callback.id) is callback
        clock.advance(timedelta(minutes=2))
        assert world.callback(bot, callback.id) is None

    def test_a_new_token_replaces_the_old_one_and_keeps_the_chats(self) -> None:
        world = self.world(FakeClock(MORNING))
        bot = world.add_bot(TOKEN, username="b", name="B")
        renewed = world.add_bot("7000000001:new", username="b", name="B")
        assert renewed is bot
        assert list(world.bots) == ["7000000001:new"]

    def test_nobody_is_found_by_an_empty_name(self) -> None:
        assert self.world(FakeClock(MORNING)).find_user("") is None


class TestFiles:
    def test_the_oldest_files_give_way(self) -> None:
        store = FileStore(limit=100)
        first = store.put(b"x" * 60, kind="document", name="a.txt")
        second = store.put(b"y" * 60, kind="document", name="b.txt")
        assert store.get(first.file_id) is None
        assert store.at(second.path) is second

    def test_a_path_in_a_name_is_only_a_name(self) -> None:
        stored = FileStore(limit=100).put(b"x", kind="document", name="../../etc/pass wd.tx/t")
        assert (stored.name, stored.path) == ("t", "documents/file_0.bin")

    def test_a_zip_is_no_picture(self) -> None:
        assert picture_size(b"PK\x03\x04" + b"\0" * 200) is None
        assert picture_size(b"GIF89a" + (30).to_bytes(2, "little") + (20).to_bytes(2, "little")) == (30, 20)


class TestFaults:
    def test_are_met_in_order_and_then_over(self) -> None:
        faults = Faults()
        faults.too_many("sendMessage", times=2)
        faults.cut_after("*")
        met = [faults.take(method) for method in ("getMe", "SendMessage", "sendMessage", "sendMessage")]
        assert [fault and fault.kind for fault in met] == [FaultKind.CUT_AFTER, FaultKind.TOO_MANY, FaultKind.TOO_MANY, None]
        assert faults.pending() == 0

    def test_a_fault_for_all_spares_the_long_poll(self) -> None:
        faults = Faults()
        faults.error("*")
        assert faults.take("getUpdates") is None


def test_the_list_of_reactions_is_telegrams() -> None:
    assert len(ALLOWED_REACTIONS) == 73
    assert is_allowed("👌")
    assert is_allowed("❤️")
    assert not is_allowed("✅")


def test_webhooks_stay_on_this_machine() -> None:
    assert is_loopback("http://127.0.0.1:8080/x")
    assert is_loopback("http://[::1]/x")
    assert not is_loopback("http://127.0.0.1.example.org/x")
    assert not is_loopback("ftp://localhost/x")
