"""One outbound message becomes the calls Telegram takes, the keyboard always on the last."""

from datetime import UTC, datetime
from typing import Any

from channels.telegram.plan import Place, Step, steps
from desk_core.conversations.ports import OutboundButton, OutboundFile, OutboundMessage

YES = ((OutboundButton("Да", token="t1"),),)
PHOTO = OutboundFile("a.jpg", "image/jpeg", 1000, "0" * 64)
BIG_PHOTO = OutboundFile("b.png", "image/png", 9_000_000, "1" * 64)
PAPER = OutboundFile("c.pdf", "application/pdf", 1000, "2" * 64)


def plan(text: str = "", **more: Any) -> list[Step]:
    at = datetime(2026, 3, 2, tzinfo=UTC)
    return steps(OutboundMessage("m", "c", "1", "1", "Анна", text, "ru", at, **more))


def test_a_text_is_one_call() -> None:
    assert plan("**hi**") == [Step(html="<b>hi</b>")]


def test_the_words_of_an_operator_begin_with_their_name() -> None:
    assert plan("**hi**", author_name="O<l>ga") == [Step(html="<b>O&lt;l&gt;ga</b>\n<b>hi</b>")]


def test_a_long_text_has_its_keyboard_on_the_last_part() -> None:
    parts = plan("слово " * 2000, buttons=YES)
    assert len(parts) == 3
    assert [bool(part.buttons) for part in parts] == [False, False, True]


def test_a_file_carries_a_short_text_as_its_caption() -> None:
    assert plan("смотрите", files=(PHOTO,), buttons=YES) == [Step("смотрите", files=(PHOTO,), buttons=YES, as_photos=True)]


def test_a_long_text_is_no_caption() -> None:
    text, file = plan("ё" * 1025, files=(PAPER,))
    assert (text.html, file.html) == ("ё" * 1025, "")


def test_an_album_cannot_have_a_keyboard_so_the_text_follows_it() -> None:
    album, text = plan("выберите", files=(PHOTO, PHOTO), buttons=YES)
    assert (album.files, text.html, text.buttons) == ((PHOTO, PHOTO), "выберите", YES)


def test_an_album_without_text_leaves_its_last_file_for_the_keyboard() -> None:
    album, last = plan("", files=(PAPER, PAPER, PAPER), buttons=YES)
    assert (len(album.files), len(last.files), last.buttons) == (2, 1, YES)


def test_more_than_ten_files_are_several_albums() -> None:
    assert [len(step.files) for step in plan("", files=(PAPER,) * 21)] == [10, 10, 1]


def test_only_small_pictures_are_sent_as_photos() -> None:
    assert [plan("", files=(file,))[0].as_photos for file in (PHOTO, BIG_PHOTO, PAPER)] == [True, False, False]
    assert plan("", files=(PHOTO, PAPER))[0].as_photos is False


def test_a_link_into_the_house_is_written_out_since_telegram_refuses_it() -> None:
    buttons = ((OutboundButton("Статус", url="http://localhost:8080/s/x"), OutboundButton("Да", token="t")),)
    (step,) = plan("Готово", buttons=buttons)
    assert step.html == "Готово\n\nСтатус: http://localhost:8080/s/x"
    assert step.buttons == ((OutboundButton("Да", token="t"),),)


class TestLongLogs:
    LOG = "\n".join(f"10:00:{number % 60:02} error 0x{number:04x} <cable & плата>" for number in range(200))

    def test_are_files_with_their_beginning_in_sight(self) -> None:
        text, file = plan(f"Вот журнал:\n\n```\n{self.LOG}\n```\n\nПосмотрите строку 5.")
        assert file.written is not None
        assert file.written.name == "log.log"
        assert file.written.content.decode().strip() == self.LOG
        assert "error 0x0000 &lt;cable" in text.html
        assert "0x00c7" not in text.html
        assert "Посмотрите строку 5." in text.html

    def test_that_are_short_stay(self) -> None:
        (text,) = plan("```\nshort\n```")
        assert text.written is None

    def test_a_text_of_many_messages_is_one_file(self) -> None:
        story = "\n\n".join(f"Шаг {number}. " + "слово " * 100 for number in range(40))
        text, file = plan(story, buttons=YES)[::-1]
        assert file.written is not None
        assert file.written.content.decode() == story
        assert (text.html[:6], text.html[-1], bool(text.buttons)) == ("Шаг 0.", "…", True)


def test_nothing_to_say_is_no_call() -> None:
    assert plan("  ") == []


class TestEasier:
    def test_leaves_out_only_what_was_refused(self) -> None:
        step = Step("<b>x</b>", as_photos=True)
        assert step.easier("Bad Request: can't parse entities: Unsupported start tag") == Step("<b>x</b>", formatted=False, as_photos=True)
        assert step.easier("Bad Request: message thread not found") == Step("<b>x</b>", in_topic=False, as_photos=True)
        assert step.easier("Bad Request: PHOTO_INVALID_DIMENSIONS") == Step("<b>x</b>", as_photos=False)
        assert step.easier("Bad Request: chat not found") is None

    def test_gives_up_when_it_was_left_out_already(self) -> None:
        assert Step("x", formatted=False).easier("Bad Request: can't parse entities") is None

    def test_turns_refused_link_buttons_into_text(self) -> None:
        step = Step("x", buttons=((OutboundButton("Go", url="https://y.example"),),))
        easier = step.easier("Bad Request: inline keyboard button URL 'https://y.example' is invalid")
        assert easier == Step("x\n\nGo: https://y.example")


class TestPlace:
    def test_knows_chat_and_topic(self) -> None:
        assert Place.of("-100200:33") == Place(-100200, 33)
        assert Place.of("7") == Place(7)

    def test_knows_its_own_messages_only(self) -> None:
        assert Place.of("-100200:33").message_id("-100200:5") == 5
        assert Place.of("7").message_id("8:5") is None
        assert Place.of("7").message_id("<mail@id>") is None
