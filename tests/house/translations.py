"""The catalogues of texts: what the code says, what each language says to it, and whether the two agree.

`python -m tests.house.translations update` (that is `make i18n`) brings new texts in; `check` tells what is wrong and changes nothing.
"""

import ast
import io
import re
import sys
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).resolve().parents[2]
LOCALE = ROOT / "desk_core" / "locale"
TEMPLATE = LOCALE / "priyom.pot"
LANGUAGES = ("ru", "en")
PACKAGES = ("desk_core", "nlu", "models", "channels", "gateway")
KEYWORDS: dict[str, Any] = {
    "_": None,
    "gettext": None,
    "gettext_noop": None,
    "ngettext": (1, 2),
    "translate": (2,),
    "ntranslate": (2, 3),
    "plural": (2, 3),
}
PLACEHOLDER = re.compile(r"%%|%\((\w+)\)[sd]")


def path_of(language: str) -> Path:
    """Where the catalogue of a language lies."""
    return LOCALE / language / "LC_MESSAGES" / "priyom.po"


def calls(
    source: BinaryIO, keywords: Mapping[str, Any], comment_tags: Collection[str], options: Mapping[str, Any]
) -> Iterator[tuple[int, str, list[str | None], list[str]]]:
    """Babel's extractor for Python, over the syntax tree: texts inside f-strings count in every version of Python."""
    for node in ast.walk(ast.parse(source.read())):
        if not isinstance(node, ast.Call):
            continue
        name = node.func.id if isinstance(node.func, ast.Name) else node.func.attr if isinstance(node.func, ast.Attribute) else ""
        if name in keywords:
            yield node.lineno, name, [_literal(argument) for argument in node.args], []


def _literal(node: ast.expr) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def said() -> Catalog:
    """Every text the code says, found anew."""
    catalogue = Catalog()
    with (ROOT / "babel.cfg").open(encoding="utf-8") as config:
        methods, options = parse_mapping_cfg(config)
    for package in PACKAGES:
        for _file, _line, message, _comments, _context in extract_from_dir(ROOT / package, methods, options, keywords=KEYWORDS):
            catalogue.add(message)
    return catalogue


def stored(path: Path, language: str | None = None) -> Catalog:
    """A catalogue as it lies in the repository; empty where there is none yet."""
    if not path.exists():
        return Catalog(locale=language)
    with path.open("rb") as source:
        return read_po(source, locale=language)


def texts(catalogue: Catalog) -> list[Message]:
    """The messages of a catalogue without its header."""
    return [message for message in catalogue if message.id]


def written(catalogue: Catalog, language: str | None = None) -> str:
    """The text of a catalogue's file: no dates, no line numbers, no places, so that it changes only when texts change."""
    body = io.BytesIO()
    write_po(body, catalogue, width=0, no_location=True, omit_header=True, sort_output=True, ignore_obsolete=True)
    about = ["Project-Id-Version: priyom", *([f"Language: {language}"] if language else [])]
    about += ["MIME-Version: 1.0", "Content-Type: text/plain; charset=utf-8", "Content-Transfer-Encoding: 8bit"]
    if language:
        about.append(f"Plural-Forms: {Catalog(locale=language).plural_forms}")
    head = ["# The texts of Priyom. `make i18n` keeps this file in step with the code.", 'msgid ""', 'msgstr ""']
    head += [f'"{line}\\n"' for line in about]
    return "\n".join([*head, "", body.getvalue().decode()])


def brought_in(language: str, template: Catalog) -> Catalog:
    """The catalogue of a language with the texts of `template`: what was translated stays, what nobody says any more goes."""
    before = stored(path_of(language), language)
    after = Catalog(locale=language)
    for message in texts(template):
        known = before.get(message.id)
        words = known.string if known is not None and isinstance(known.id, str) == isinstance(message.id, str) else ""
        if language == "en":
            words = message.id
        after.add(message.id, string=words, flags=set(message.flags))
    return after


def update() -> list[str]:
    """Bring the texts of the code into every catalogue; return what is untranslated."""
    template = said()
    for language, catalogue in [(None, template), *((language, brought_in(language, template)) for language in LANGUAGES)]:
        path = path_of(language) if language else TEMPLATE
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(written(catalogue, language), encoding="utf-8")
    return untranslated("ru")


def untranslated(language: str) -> list[str]:
    """The texts a language has no words for, or no form of them for some number."""
    return [_name(message) for message in texts(stored(path_of(language), language)) if message.fuzzy or not all(_forms(message, language))]


def stale() -> list[str]:
    """Texts in which the code and the files differ: `+` is new in the code, `-` is said no more."""
    now = {_key(message) for message in texts(said())}
    found = []
    for path in (TEMPLATE, *map(path_of, LANGUAGES)):
        kept = {_key(message) for message in texts(stored(path))}
        found += [f"{path.name}: + {key[0]}" for key in sorted(now - kept)] + [f"{path.name}: - {key[0]}" for key in sorted(kept - now)]
    return found


def misfit(language: str) -> list[str]:
    """Translations whose placeholders are not those of the text; a form that stands for one number alone may leave it out."""
    found = []
    alone = Catalog(locale=language).num_plurals == 2
    for message in texts(stored(path_of(language), language)):
        wanted = [_placeholders(form) for form in _ids(message)]
        for number, form in enumerate(_forms(message, language)):
            have = _placeholders(form)
            fits = have == wanted[-1] or (alone and number == 0 and have == wanted[0])
            if form and not fits:
                found.append(f"{_name(message)} → {form}")
    return found


def _ids(message: Message) -> tuple[str, ...]:
    return message.id if isinstance(message.id, tuple) else (message.id,)


def _forms(message: Message, language: str) -> tuple[str, ...]:
    """What is said for each number; a form that is missing is an empty text."""
    if not isinstance(message.id, tuple):
        return (str(message.string or ""),)
    have = message.string if isinstance(message.string, tuple) else (message.string,)
    wanted = Catalog(locale=language).num_plurals
    return tuple(str(form or "") for form in (*have, *[""] * (wanted - len(have))))


def _key(message: Message) -> tuple[str, ...]:
    return _ids(message)


def _name(message: Message) -> str:
    return " | ".join(_ids(message))


def _placeholders(text: str) -> frozenset[str]:
    return frozenset(match[0] for match in PLACEHOLDER.finditer(text))


def faults() -> list[str]:
    """Everything that keeps the catalogues from being complete, in sentences."""
    named: Iterable[tuple[str, list[str]]] = [
        ("not in step with the code (make i18n)", stale()),
        *((f"untranslated in {language}", untranslated(language)) for language in LANGUAGES),
        *((f"placeholders differ in {language}", misfit(language)) for language in LANGUAGES),
    ]
    return [f"{what}: {text}" for what, found in named for text in found]


def main(command: str) -> int:
    if command == "update":
        missing = update()
        sys.stdout.write("".join(f"untranslated in ru: {text}\n" for text in missing))
        sys.stdout.write(f"{len(texts(stored(TEMPLATE)))} texts, {len(missing)} without Russian\n")
        return 0
    found = faults()
    sys.stdout.write("".join(f"{fault}\n" for fault in found))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else "check"))
