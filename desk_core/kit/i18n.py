"""Translation: gettext catalogues in `desk_core/locale`, English texts as message ids, Russian and English shipped."""

import gettext
import io
from functools import cache
from pathlib import Path

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


def translate(language: str, text: str, **params: object) -> str:
    """`text` in `language`, with `%(name)s` placeholders filled."""
    translated = translation(language).gettext(text)
    return translated % params if params else translated


def ntranslate(language: str, singular: str, plural: str, n: int, **params: object) -> str:
    """The right plural of a text for `n`; `%(n)s` is filled."""
    return translation(language).ngettext(singular, plural, n) % {"n": n, **params}
