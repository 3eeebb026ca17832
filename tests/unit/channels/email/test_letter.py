"""Greeting, signature, footer and history around the words of a letter."""

from dataclasses import replace

import pytest

from channels.email.compose import Mailbox, plain_body
from channels.email.letter import Letter, fault, letters_of, worded
from tests.unit.channels.email.mails import NOW
from tests.unit.channels.email.test_compose import MAILBOX, MESSAGE, written

LETTER = Letter(
    greeting="Здравствуйте, %(name)s!", signature="**%(name)s**, %(team)s\nобращение %(number)s, 100 % внимания", footer=True, history=True
)
ASKED = {"author": "Анна", "at": NOW.isoformat(), "text": "Не печатает"}
AUTOMATIC = replace(MESSAGE, text="Принято.", language="ru", team="Техподдержка", original=ASKED)
ANSWER = replace(AUTOMATIC, text="Готово.", author="agent", author_name="Ольга", automatic=False)


def test_it_stands_around_the_words_in_both_bodies() -> None:
    mail = written(ANSWER, mailbox=replace(MAILBOX, letters={"ru": LETTER}))
    plain = mail.get_body(("plain",)).get_content()  # type: ignore[union-attr]
    assert plain.startswith("Здравствуйте, Анна Петрова!\n\nГотово.\n\nОльга, Техподдержка\nобращение 1042, 100 % внимания\n\n-- \n")
    html = mail.get_body(("html",)).get_content()  # type: ignore[union-attr]
    assert "<p>Здравствуйте, Анна Петрова!</p>" in html
    assert "<strong>Ольга</strong>, Техподдержка" in html


def test_another_language_has_its_own() -> None:
    plain = written(replace(ANSWER, language="en"), mailbox=replace(MAILBOX, letters={"ru": LETTER})).get_body(("plain",))
    assert plain.get_content().startswith("Готово.\n\n-- ")  # type: ignore[union-attr]


def test_the_desk_signs_what_it_writes_itself() -> None:
    said = worded(AUTOMATIC, Letter(signature="%(name)s"), organisation="Служба")
    assert said.text == "Принято.\n\nСлужба"


def test_whose_name_is_not_known_is_greeted_without() -> None:
    said = worded(replace(ANSWER, to_name=ANSWER.to), LETTER, organisation="Служба")
    assert said.text.startswith("Здравствуйте!\n\n")


def test_a_name_is_no_markup() -> None:
    evil = replace(ANSWER, to_name="[Анна](https://evil.example) **x** <b>", author_name="_Ольга_")
    mail = written(evil, mailbox=replace(MAILBOX, letters={"ru": LETTER}))
    html = mail.get_body(("html",)).get_content()  # type: ignore[union-attr]
    assert 'href="https://evil.example"' not in html
    assert "<b>" not in html
    plain = mail.get_body(("plain",)).get_content()  # type: ignore[union-attr]
    assert plain.startswith("Здравствуйте, [Анна](https://evil.example) **x** <b>!")


def test_footer_and_history_are_left_out_where_they_are_not_wanted() -> None:
    bare = Letter(footer=False, history=False)
    answer, automatic = (worded(one, bare, organisation="Служба") for one in (ANSWER, AUTOMATIC))
    assert "> Не печатает" in plain_body(worded(ANSWER, Letter(), organisation="Служба"))
    assert plain_body(answer) == "Готово.\n"
    assert "> Не печатает" in plain_body(automatic), "what goes by itself always shows what it is about"
    subject = written(ANSWER, mailbox=replace(MAILBOX, letters={"ru": bare}))["Subject"]
    assert "[#1042]" in subject


@pytest.mark.parametrize("text", ["", "%(name)s %(number)s %(team)s", "100 %", "50% скидка", "% (name)"])
def test_what_can_be_filled_is_fine(text: str) -> None:
    assert fault(text) is None


@pytest.mark.parametrize(
    ("text", "found"),
    [("%(phone)s", "%(phone)s"), ("a %(name) b", "%(name)"), ("%(name)d", "%(name)d"), ("%(name", "%(name"), ("%{name}", "%{name}")],
)
def test_what_cannot_is_named(text: str, found: str) -> None:
    assert fault(text) == found


def test_it_is_read_from_the_configuration() -> None:
    assert letters_of({"letter": {"ru": LETTER.to_json(), "en": {"signature": "x", "later": 1}, "de": "no"}}) == {
        "ru": LETTER,
        "en": Letter(signature="x"),
    }
    assert letters_of({}) == {}
    assert Mailbox("a@b", "c").letters == {}
