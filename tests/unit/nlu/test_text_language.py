"""Texts are read alike everywhere; language is told where it can be told."""

import pytest

from nlu.language import detect
from nlu.text import LIMIT, fold, has_words, mask, normalise, stems, tokens


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("  a \t b\r\n\r\n\r\nc ", "a b\nc"),
        ("при\u200bвет\ufeff\x00", "привет"),
        ("ﬁle №５", "file No5"),
        ("Z̸a̷l̶g̵o̴", "Zalgo"),
        ("йод и ёлка", "йод и ёлка"),
        ("\u202eabc", "abc"),
        ("", ""),
    ],
)
def test_normalises(text: str, expected: str) -> None:
    assert normalise(text) == expected
    assert normalise(normalise(text)) == expected


def test_long_texts_are_bounded() -> None:
    assert len(normalise("ﷺ" * 100_000)) <= LIMIT
    assert len(tokens("слово " * 100_000)) <= 400


def test_masks_what_a_model_should_not_see() -> None:
    assert mask("a@b.example").strip() == "_email_"
    assert mask("см. https://x.example/?q=1").split() == ["см.", "_url_"]
    assert mask("счёт 1234567").split() == ["счёт", "_num_"]
    assert mask("ошибка 691 и 0x80070005") == "ошибка 691 и 0x80070005"


def test_look_alike_letters_are_turned_back() -> None:
    assert fold("пpинтeр") == "принтер"
    assert fold("1C") == fold("1С") == "1с"
    assert stems("Принтеры, принтером!") == ["принтер", "принтер"]


def test_emoji_is_no_word_but_is_kept() -> None:
    assert not has_words("👍 123")
    assert tokens("ок 👍") == ["ок", "👍"]


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("не работает впн", "ru"),
        ("не работает Microsoft Outlook Exchange Server", "ru"),
        ("Добрий день, не працює пошта", "ru"),
        ("да", "ru"),
        ("printer is not working", "en"),
        ("I can't open 1С", "en"),
        ("what is going on with Иванов account", "en"),
        ("VPN doesn't connect", "en"),
        ("our AutoCAD licence runs out on Friday", "en"),
        ("prnter wont print pls hlep", "en"),
        ("Good morning!", "en"),
        ("error in 1C when posting a document", "en"),
        ("Bonjour, mon imprimante ne marche pas", None),
        ("Ich habe mein Passwort vergessen", None),
        ("il mio computer non si accende", None),
        ("net interneta v ofise", None),
        ("ok", None),
        ("vpn", None),
        ("Teams Outlook Excel", None),
        ("ne rabotaet printer na 3 etazhe", None),
        ("Mein Drucker funktioniert nicht, bitte helfen Sie mir", None),
        ("こんにちは、プリンターが動きません", None),
        ("👍", None),
        ("12345", None),
        ("", None),
        ("https://example.com/the/is/my a@the.example", None),
    ],
)
def test_detects(text: str, language: str | None) -> None:
    found, confidence = detect(text)
    assert found == language
    assert (confidence > 0) == (language is not None)


def test_a_huge_text_is_read_from_its_beginning() -> None:
    assert detect("the printer is broken " * 10_000)[0] == "en"
