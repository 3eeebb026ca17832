"""Russian is said in Russian: every text, every plural, every reason inside a sentence."""

import pytest

from desk_core.kit.blobs import human_size
from desk_core.kit.errors import Invalid
from desk_core.kit.i18n import Phrase, ntranslate, translate
from tests.fakes.reading import NAMES
from tests.house import translations

MESSAGES = translations.texts(translations.stored(translations.path_of("ru"), "ru"))
FORMS = [(translations._name(message), form) for message in MESSAGES for form in translations._forms(message, "ru")]


def test_every_text_is_said_in_russian() -> None:
    assert translations.untranslated("ru") == []


def test_placeholders_are_those_of_the_text() -> None:
    assert translations.misfit("ru") == []


def test_nothing_but_names_is_left_in_latin() -> None:
    def is_russian(text: str) -> bool:
        letters = translations.PLACEHOLDER.sub("", text)
        return any("а" <= letter.lower() <= "я" or letter.lower() == "ё" for letter in letters)

    def is_name(text: str) -> bool:
        rest = translations.PLACEHOLDER.sub(" ", text)
        return all(word in NAMES or not word.isalpha() for word in rest.split())

    assert [(name, form) for name, form in FORMS if not is_russian(form) and not is_name(form)] == []


def test_quotes_and_address_are_those_of_russian() -> None:
    assert [form for _, form in FORMS if any(mark in form for mark in "“”")] == []
    assert [form for _, form in FORMS if {"ты", "тебе", "твой"} & set(form.lower().split())] == []


@pytest.mark.parametrize(
    ("n", "said"), [(1, "1 звезда"), (2, "2 звезды"), (5, "5 звёзд"), (11, "11 звёзд"), (21, "21 звезда"), (104, "104 звезды")]
)
def test_plurals_follow_the_number(n: int, said: str) -> None:
    assert ntranslate("ru", "%(num)s star", "%(num)s stars", n, num=n) == said


class TestPhrase:
    """A text that knows what it is about and waits for its language."""

    def test_is_english_until_it_is_translated(self) -> None:
        phrase = Phrase("no time zone “%(zone)s”", zone="Mars")
        assert phrase == "no time zone “Mars”"
        assert translate("ru", phrase) == "нет часового пояса «Mars»"

    def test_inside_a_refusal_follows_the_reader(self) -> None:
        refusal = Invalid(reason=Phrase("no time zone “%(zone)s”", zone="Mars"))
        assert refusal.said("ru") == "Это значение не подходит: нет часового пояса «Mars»"
        assert refusal.said("en") == "This value does not fit: no time zone “Mars”"

    def test_sizes_are_said_as_the_reader_writes_them(self) -> None:
        assert human_size(25 * 1024 * 1024) == "25 MB"
        assert translate("ru", "This file is larger than %(limit)s.", limit=human_size(1536)) == "Этот файл больше 1.5 КБ."
