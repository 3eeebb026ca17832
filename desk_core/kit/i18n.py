"""Translation: gettext catalogues in `desk_core/locale`, English texts as message ids, Russian and English shipped."""

import gettext
import io
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Self

LANGUAGES = ("ru", "en")
LOCALE_DIR = Path(__file__).resolve().parent.parent / "locale"


def gettext_noop(text: str) -> str:
    """Mark a text for extraction without translating it here."""
    return text


def known_language(language: str | None, default: str = "en") -> str:
    """The shipped language that `language` (a BCP 47 tag or None) stands for."""
    base = (language or "").replace("_", "-").split("-")[0].lower()
    if base in LANGUAGES:
        return base
    # Ukrainian, Belarusian and Kazakh speakers read Russian far more often than English in the offices this is made for.
    return "ru" if base in {"be", "kk", "uk"} else default


@cache
def translation(language: str) -> gettext.NullTranslations:
    """The catalogue of a language, compiled once a process from its .po file."""
    path = LOCALE_DIR / known_language(language) / "LC_MESSAGES" / "priyom.po"
    if known_language(language) == "en" or not path.exists():
        return gettext.NullTranslations()
    from babel.messages.mofile import write_mo
    from babel.messages.pofile import read_po

    compiled = io.BytesIO()
    with path.open("rb") as source:
        write_mo(compiled, read_po(source, locale=known_language(language)))
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)


class Phrase(str):
    """A text with its placeholders filled, whose language is chosen later: as it stands it is English, `translate` says it in another."""

    __slots__ = ("params", "text")

    text: str
    params: Mapping[str, object]

    def __new__(cls, text: str, /, **params: object) -> Self:
        phrase = super().__new__(cls, text % params if params else text)
        phrase.text, phrase.params = text, params
        return phrase

    def to_json(self) -> dict[str, Any]:
        """For the store; `of_json` reads it."""
        return {"text": self.text, "params": {name: _packed(value) for name, value in self.params.items()}}

    @classmethod
    def of_json(cls, body: Mapping[str, Any]) -> Self:
        params = {name: cls.of_json(value) if isinstance(value, Mapping) else value for name, value in body["params"].items()}
        return cls(str(body["text"]), **params)


def _packed(value: object) -> object:
    if isinstance(value, Phrase):
        return value.to_json()
    return value if isinstance(value, str | int | float) else str(value)


def translate(language: str, text: str, /, **params: object) -> str:
    """`text` in `language`, with `%(name)s` placeholders filled; a `Phrase` fills its own, also where it is a placeholder's value."""
    if isinstance(text, Phrase):
        return translate(language, text.text, **text.params)
    translated = translation(language).gettext(text)
    said = {name: translate(language, value) if isinstance(value, Phrase) else value for name, value in params.items()}
    return translated % said if said else translated


def ntranslate(language: str, singular: str, plural: str, n: int, **params: object) -> str:
    """The right plural of a text for `n`; `%(n)s` is filled."""
    return translation(language).ngettext(singular, plural, n) % {"n": n, **params}
