"""Every text a person reads is in step with the code and said in Russian."""

import pytest

from tests.house import translations


def test_catalogues_are_in_step_with_the_code() -> None:
    assert translations.stale() == [], "run: make i18n"


@pytest.mark.parametrize("language", translations.LANGUAGES)
def test_every_text_is_translated_in_every_plural_form(language: str) -> None:
    assert translations.untranslated(language) == []


@pytest.mark.parametrize("language", translations.LANGUAGES)
def test_placeholders_are_those_of_the_text(language: str) -> None:
    assert translations.misfit(language) == []


@pytest.mark.parametrize("path", [translations.TEMPLATE, *map(translations.path_of, translations.LANGUAGES)], ids=lambda path: path.name)
def test_files_hold_nothing_that_changes_by_itself(path: translations.Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert "Date:" not in text
    assert "#: " not in text


def test_writing_what_is_stored_changes_nothing() -> None:
    for language in translations.LANGUAGES:
        path = translations.path_of(language)
        assert translations.written(translations.stored(path, language), language) == path.read_text(encoding="utf-8")
