"""Every update becomes an inbound message; the samples of a public corpus are used too where they are present."""

import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from channels.telegram.mapping import to_inbound
from desk_core.conversations.ports import InboundKind, InboundMessage

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
ANNA = {"id": 7100000001, "is_bot": False, "first_name": "Анна", "last_name": "Петрова", "username": "anna_p", "language_code": "ru"}
CHAT = {"id": 7100000001, "type": "private", "first_name": "Анна"}
ROOT = Path(__file__).resolve().parents[4]


def read(update: dict[str, Any]) -> InboundMessage:
    return to_inbound(update, inbox_id="box", burst_seconds=2.0, now=NOW)


def message(update_kind: str = "message", /, **content: Any) -> InboundMessage:
    body = {"message_id": 5, "from": ANNA, "chat": CHAT, "date": 1767225600, **content}
    return read({"update_id": 42, update_kind: body})


class TestText:
    def test_says_who_wrote_what_and_where(self) -> None:
        heard = message(text="Принтер не печатает")
        assert heard.kind is InboundKind.MESSAGE
        assert (heard.external_id, heard.shown_id) == ("u42", "7100000001:5")
        assert (heard.thread_key, heard.lane) == ("7100000001", "in:box:7100000001")
        assert heard.text == "Принтер не печатает"
        assert heard.at == datetime(2026, 1, 1, tzinfo=UTC)
        assert heard.sender.address == "7100000001"
        assert (heard.sender.name, heard.sender.username, heard.sender.language) == ("Анна Петрова", "anna_p", "ru")
        assert heard.delay == 2.0

    def test_keeps_hidden_links_behind_their_labels(self) -> None:
        entities = [
            {"type": "text_link", "offset": 3, "length": 4, "url": "https://example.com/a"},
            {"type": "bold", "offset": 0, "length": 2},
            {"type": "text_link", "offset": 8, "length": 11, "url": "https://example.org/"},
        ]
        assert message(text="🖨 here example.org", entities=entities).text == "🖨 here (https://example.com/a) example.org"

    def test_survives_entities_that_point_nowhere(self) -> None:
        entities = [{"type": "text_link", "offset": 900, "length": -1, "url": "https://x.example"}, "nonsense", {"type": 7}]
        assert message(text="ok", entities=entities).text == "ok"

    def test_drops_null_characters_and_halves_of_pairs(self) -> None:
        assert message(text="a\x00b\ud83dc").text == "ab\ufffdc"

    def test_in_a_topic_is_a_thread_of_its_own_on_the_lane_of_the_chat(self) -> None:
        heard = message(text="x", message_thread_id=33, is_topic_message=True)
        assert (heard.thread_key, heard.lane) == ("7100000001:33", "in:box:7100000001")

    def test_a_reply_names_the_message_it_answers(self) -> None:
        answered = {"message_id": 3, "chat": CHAT, "date": 1}
        assert message(text="x", reply_to_message=answered).reply_to == "7100000001:3"
        assert message(text="x", reply_to_message={**answered, "forum_topic_created": {"name": "t"}}).reply_to is None

    def test_of_a_group_says_so(self) -> None:
        heard = message(text="x", chat={"id": -100200, "type": "supergroup", "title": "Office"})
        assert heard.card == {"chat_type": "supergroup", "chat_title": "Office"}
        assert heard.thread_key == "-100200"

    def test_of_a_forward_names_its_source(self) -> None:
        origin = {"type": "hidden_user", "sender_user_name": "Boris", "date": 1}
        assert message(text="x", forward_origin=origin).card["forwarded_from"] == "Boris"

    def test_of_another_bot_is_held(self) -> None:
        assert message(text="x", **{"from": {**ANNA, "is_bot": True}}).held


class TestFormatting:
    def test_is_kept_as_places_in_the_text_that_people_read(self) -> None:
        entities = [{"type": "bold", "offset": 3, "length": 4}, {"type": "mention", "offset": 0, "length": 2}]
        assert message(text="🖨 bold", entities=entities).card["marks"] == [[2, 6, "bold", ""]]

    def test_moves_behind_a_link_that_is_written_out(self) -> None:
        entities = [
            {"type": "italic", "offset": 0, "length": 9},
            {"type": "text_link", "offset": 0, "length": 4, "url": "https://x.example"},
            {"type": "code", "offset": 5, "length": 4},
        ]
        heard = message(text="here code", entities=entities)
        assert heard.text == "here (https://x.example) code"
        assert [(heard.text[a:b], kind) for a, b, kind, _ in heard.card["marks"]] == [
            ("here", "text_link"),
            (heard.text, "italic"),
            ("code", "code"),
        ]

    def test_of_a_caption_too(self) -> None:
        heard = message(**media("voice"), caption="ab", caption_entities=[{"type": "pre", "offset": 0, "length": 1, "language": "sh"}])
        assert heard.card["marks"] == [[0, 1, "pre", "sh"]]


class TestCommand:
    @pytest.mark.parametrize(
        ("text", "command", "args"),
        [
            ("/new", "new", ""),
            ("/New@priyom_bot printer on fire", "new", "printer on fire"),
            ("/start abc_DEF-1", "start", "abc_DEF-1"),
        ],
    )
    def test_is_told_from_its_arguments_and_waits_for_nothing(self, text: str, command: str, args: str) -> None:
        heard = message(text=text)
        assert (heard.command, heard.card["args"], heard.delay, heard.text) == (command, args, 0.0, text)

    def test_start_carries_the_token_of_a_deep_link(self) -> None:
        assert message(text="/start abc_DEF-1").tokens == ("abc_DEF-1",)
        assert message(text="/start not a token").tokens == ()

    @pytest.mark.parametrize("text", ["see /new", "/", "/дом", "//new", "C:/new"])
    def test_is_not_seen_where_there_is_none(self, text: str) -> None:
        assert message(text=text).command is None


def media(kind: str, **more: Any) -> dict[str, Any]:
    return {kind: {"file_id": f"{kind}-id", "file_unique_id": "u", "file_size": 10, **more}}


class TestFiles:
    @pytest.mark.parametrize(
        ("content", "name", "declared"),
        [
            (media("document", file_name="отчёт.pdf", mime_type="application/pdf"), "отчёт.pdf", "application/pdf"),
            (media("document"), "document_5.bin", None),
            (media("voice"), "voice_5.ogg", "audio/ogg"),
            (media("video_note"), "video_note_5.mp4", "video/mp4"),
            (media("video", mime_type="video/quicktime"), "video_5.mp4", "video/quicktime"),
            (media("audio", file_name="a.mp3"), "a.mp3", "audio/mpeg"),
            (media("animation") | media("document"), "animation_5.mp4", "video/mp4"),
            (media("sticker", emoji="🤣"), "sticker_5.webp", "image/webp"),
            (media("sticker", is_animated=True), "sticker_5.tgs", "application/x-tgsticker"),
        ],
    )
    def test_are_named_and_left_with_telegram(self, content: dict[str, Any], name: str, declared: str | None) -> None:
        heard = message(**content)
        assert heard.kind is InboundKind.MESSAGE
        (file,) = heard.files
        assert (file.name, file.declared_type, file.size) == (name, declared, 10)
        assert file.remote_id
        assert file.remote_id.endswith("-id")

    def test_of_a_photo_are_its_largest_size_with_the_caption_as_text(self) -> None:
        sizes = [{"file_id": "big", "width": 800, "height": 600, "file_size": 9}, {"file_id": "small", "width": 90, "height": 60}]
        heard = message(photo=sizes, caption="экран")
        assert heard.files[0].remote_id == "big"
        assert (heard.text, heard.delay) == ("экран", 2.0)

    def test_of_an_album_say_which(self) -> None:
        assert message(**media("document"), media_group_id="77").album == "77"

    @pytest.mark.parametrize(
        ("given", "kept"),
        [
            ("../../etc/passwd", "passwd"),
            ("C:\\temp\\a.exe", "a.exe"),
            ("a\r\nb\x00.txt", "a b.txt"),
            ("..", "document_5.bin"),
            ("/", "document_5.bin"),
        ],
    )
    def test_have_names_without_folders_and_control_characters(self, given: str, kept: str) -> None:
        assert message(**media("document", file_name=given)).files[0].name == kept

    def test_have_names_of_bounded_length_that_keep_their_ending(self) -> None:
        name = message(**media("document", file_name="я" * 500 + ".docx")).files[0].name
        assert len(name) <= 150
        assert name.endswith(".docx")

    def test_a_sticker_says_its_emoji(self) -> None:
        assert message(**media("sticker", emoji="👍")).text == "👍"


class TestCards:
    def test_an_own_contact_proves_the_number(self) -> None:
        contact = {"phone_number": "79001234567", "first_name": "Анна", "user_id": ANNA["id"]}
        heard = message(contact=contact)
        assert heard.text == "Анна, +79001234567"
        assert heard.card["own"] is True
        assert message(contact={**contact, "user_id": 8}).card["own"] is False

    def test_a_location_and_a_venue_are_readable(self) -> None:
        point = {"latitude": 55.75, "longitude": 37.61}
        assert message(location=point).text == "55.75, 37.61"
        assert message(venue={"location": point, "title": "Офис", "address": "Тверская, 1"}, location=point).text == "Офис, Тверская, 1"

    def test_a_kind_nobody_knows_is_shown_as_a_card(self) -> None:
        heard = message(hologram={"title": "Hi", "size": 3, "deep": {"x": 1}})
        assert heard.kind is InboundKind.UNSUPPORTED
        assert heard.card["kind"] == "hologram"
        assert heard.card["details"] == {"title": "Hi", "size": 3}
        assert not heard.held

    def test_a_checklist_is_words(self) -> None:
        tasks = [{"id": 1, "text": "бумага"}, {"id": 2, "text": "тонер", "completion_date": 1}]
        heard = message(checklist={"title": "Принтер", "tasks": tasks})
        assert (heard.kind, heard.text) == (InboundKind.MESSAGE, "Принтер\n☐ бумага\n☑ тонер")

    def test_a_poll_shows_its_options(self) -> None:
        assert message(poll={"question": "Обед?", "options": [{"text": "да"}, {"text": "нет"}]}).text == "Обед?\n– да\n– нет"

    def test_paid_media_brings_its_files(self) -> None:
        paid = [{"type": "photo", "photo": [{"file_id": "p", "file_unique_id": "up"}]}, {"type": "preview"}]
        heard = message(paid_media={"star_count": 5, "paid_media": paid})
        assert [(file.remote_id, file.unique_id) for file in heard.files] == [("p", "up")]

    def test_a_payment_says_how_much(self) -> None:
        paid = {"currency": "RUB", "total_amount": 129050, "invoice_payload": "x"}
        assert message(successful_payment=paid).card["details"]["total_amount"] == "1290.50 RUB"
        assert message(successful_payment={**paid, "currency": "XTR"}).card["details"]["total_amount"] == "129050 XTR"

    def test_people_of_a_service_message_are_named(self) -> None:
        assert message(new_chat_members=[ANNA, {"id": 2, "first_name": "Boris"}]).card["details"] == {"value": "Анна Петрова, Boris"}

    def test_what_is_answered_elsewhere_is_told(self) -> None:
        origin = {"type": "channel", "chat": {"id": -1, "title": "News"}, "message_id": 7}
        heard = message(text="x", external_reply={"origin": origin, "dice": {"emoji": "🎲"}}, quote={"text": "q", "position": 0})
        assert heard.card["answers_elsewhere"] == {"from": "News", "kind": "dice", "text": "🎲"}
        assert heard.card["quote"] == "q"

    def test_a_service_message_asks_for_no_answer(self) -> None:
        assert message(pinned_message={"message_id": 1}).held

    def test_an_unknown_kind_of_update_is_kept_with_its_person(self) -> None:
        heard = read({"update_id": 9, "telepathy": {"from": ANNA, "text": "…"}})
        assert (heard.kind, heard.card["kind"], heard.thread_key) == (InboundKind.UNSUPPORTED, "telepathy", "7100000001")
        assert heard.held


class TestOtherUpdates:
    def test_an_edit_names_what_changed(self) -> None:
        heard = message("edited_message", text="новый", edit_date=1767225700)
        assert heard.kind is InboundKind.EDIT
        assert (heard.edits, heard.external_id, heard.delay) == ("7100000001:5", "u42", 0.0)
        assert heard.at == datetime(2026, 1, 1, 0, 1, 40, tzinfo=UTC)

    def test_a_press_carries_its_token_and_the_message_it_was_on(self) -> None:
        query = {"id": "q1", "from": ANNA, "message": {"message_id": 8, "chat": CHAT, "date": 0}, "chat_instance": "1", "data": "tok"}
        heard = read({"update_id": 1, "callback_query": query})
        assert heard.kind is InboundKind.PRESS
        assert (heard.button, heard.callback_id, heard.reply_to, heard.at) == ("tok", "q1", "7100000001:8", NOW)
        assert (heard.shown_id, heard.delay) == (None, 0.0)

    @pytest.mark.parametrize(("status", "blocked"), [("kicked", True), ("left", True), ("member", False)])
    def test_blocking_and_coming_back_are_told(self, status: str, blocked: bool) -> None:
        heard = read({"update_id": 1, "my_chat_member": {"chat": CHAT, "from": ANNA, "date": 1, "new_chat_member": {"status": status}}})
        assert (heard.kind, heard.card["blocked"]) == (InboundKind.MEMBERSHIP, blocked)

    def test_a_reaction_says_what_came_and_what_went(self) -> None:
        body = {
            "chat": CHAT,
            "message_id": 4,
            "user": ANNA,
            "date": 1,
            "old_reaction": [{"type": "emoji", "emoji": "👍"}],
            "new_reaction": [{"type": "emoji", "emoji": "🔥"}],
        }
        heard = read({"update_id": 1, "message_reaction": body})
        assert (heard.kind, heard.reply_to) == (InboundKind.REACTION, "7100000001:4")
        assert (heard.card["added"], heard.card["removed"]) == (["🔥"], ["👍"])

    def test_reactions_that_are_only_counted_are_told_too(self) -> None:
        counted = [{"type": {"type": "emoji", "emoji": "👍"}, "total_count": 3}, {"type": {"type": "paid"}, "total_count": 1}]
        heard = read({"update_id": 1, "message_reaction_count": {"chat": CHAT, "message_id": 4, "date": 1, "reactions": counted}})
        assert (heard.kind, heard.reply_to, heard.card["counts"]) == (InboundKind.REACTION, "7100000001:4", [["👍", 3], ["paid", 1]])

    def test_a_channel_post_is_kept_and_never_answered(self) -> None:
        heard = message("channel_post", text="x", chat={"id": -1, "type": "channel", "title": "News"})
        assert (heard.kind, heard.held, heard.card["chat_type"]) == (InboundKind.UNSUPPORTED, True, "channel")


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.just("\ud83d"),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
# fmt: off
FIELDS = st.sampled_from((
    "message", "edited_message", "callback_query", "my_chat_member", "message_reaction", "from", "chat", "id", "date", "text",
    "entities", "photo", "document", "sticker", "contact", "location", "venue", "caption", "message_id", "media_group_id",
    "reply_to_message", "new_chat_member", "data", "file_id", "type", "is_bot",
))
# fmt: on


class TestNothingStopsIt:
    @settings(max_examples=400)
    @given(
        st.dictionaries(FIELDS, st.dictionaries(FIELDS, ANYTHING | st.dictionaries(FIELDS, ANYTHING, max_size=5), max_size=8), max_size=3)
    )
    def test_whatever_shape_an_update_has(self, update: dict[str, Any]) -> None:
        heard = read({"update_id": 7, **update})
        assert heard.external_id == "u7"
        assert heard.lane.startswith("in:box:")
        assert InboundMessage.from_json(json.loads(json.dumps(heard.to_json()))).kind is heard.kind
        heard.text.encode()

    def test_not_even_an_update_without_a_number(self) -> None:
        first, second = read({"message": {"text": "a"}}), read({"message": {"text": "b"}})
        assert first.external_id != second.external_id
        assert first.external_id == read({"message": {"text": "a"}}).external_id

    def test_every_update_of_the_corpus_is_read(self) -> None:
        folder = Path(os.environ.get("PRIYOM_DATA") or ROOT.parent / "shared" / "data") / "telegram" / "nutgram_updates"
        samples = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.json"))] if folder.is_dir() else []
        samples += [
            {"update_id": 1, "message": {"message_id": 1, "chat": CHAT, "from": ANNA, "date": 1, "dice": {"emoji": "🎲", "value": 4}}}
        ]
        for sample in samples:
            heard = read(sample)
            assert heard.card.get("kind") != "unreadable", sample
            assert heard.external_id == f"u{sample['update_id']}"


def test_mapping_does_not_load_the_library() -> None:
    """aiogram's types cost 135 MB and seconds; whoever only receives must not pay for them."""
    program = "import sys, channels.telegram.mapping; print(sorted({'aiogram', 'pydantic', 'sqlalchemy', 'aiohttp'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.strip() == "[]"


def test_building_a_channel_does_not_load_the_library_either() -> None:
    """It is loaded in a thread when the channel first sends, while receiving already runs."""
    program = "import sys, channels.telegram.channel, channels.telegram.webhook; print('aiogram' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.strip() == "False"
