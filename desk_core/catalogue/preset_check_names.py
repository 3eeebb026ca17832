"""What may be wrong with a preset's `names.yml`: numbers that cannot be told, patterns that run away, words that mean two things."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from desk_core.catalogue.preset_source import Located, Report, Where
from desk_core.kit.i18n import gettext_noop as _
from desk_core.routing.patterns import UnsafePattern, compile_safely

# What stands in any letter and is no number of a desk: a pattern that needs no word before it must not take these.
ORDINARY = ("2026", "24.12.2026", "10:30", "305", "2", "1200", "89123456789", "+79123456789", "Windows 10", "4990", "принтер", "printer")


def check_names(report: Report, doc: Located, languages: Sequence[str], *, slots: Mapping[str, Any]) -> None:
    """Report every fault of the file."""
    if not doc.value:
        return
    report.keys(doc, (), required=frozenset({"numbers", "devices", "programs"}))
    keys: set[str] = set()
    may = frozenset({"words", "alone", "slots"})
    for index in report.records(doc, "numbers", required=frozenset({"key", "titles", "pattern", "examples"}), optional=may):
        at: Where = ("numbers", index)
        report.texts(doc, (*at, "titles"), languages)
        if (key := str(doc.get(*at, "key"))) in keys:
            report.error(doc, (*at, "key"), _("“%(key)s” is here twice; the later one would win."), key=key)
        keys.add(key)
        _words(report, doc, (*at, "words"), languages)
        _pattern(report, doc, at)
        for number, slot in enumerate(doc.get(*at, "slots") or ()):
            if not isinstance(slots.get(slot), Mapping) or slots[slot].get("kind") != "asset":
                report.error(doc, (*at, "slots", number), _("“%(slot)s” is not a slot of kind “asset” in slots.yml."), slot=slot)
    for section in ("devices", "programs"):
        _gazetteer(report, doc, section, languages)


def _pattern(report: Report, doc: Located, at: Where) -> None:
    try:
        pattern = compile_safely(str(doc.get(*at, "pattern")))
    except UnsafePattern as error:
        report.error(doc, (*at, "pattern"), _("This regular expression cannot be used: %(reason)s."), reason=error.reason)
        return
    for number, example in enumerate(report.items(doc, *at, "examples")):
        if not pattern.fullmatch(str(example)):
            report.error(doc, (*at, "examples", number), _("The pattern does not take its own example “%(text)s”."), text=example)
    if doc.get(*at, "alone"):
        taken = next((text for text in ORDINARY if pattern.fullmatch(text)), None)
        if taken is not None:
            text = _("“%(text)s” would be taken for such a number; leave “alone” out and give the words that stand before it.")
            report.error(doc, (*at, "alone"), text, text=taken)
    elif not doc.get(*at, "words"):
        report.error(doc, at, _("Give the words that stand before such a number, or “alone: true” where its form is telling enough."))


def _gazetteer(report: Report, doc: Located, section: str, languages: Sequence[str]) -> None:
    said: dict[str, str] = {}
    for index in report.records(doc, section, required=frozenset({"name"}), optional=frozenset({"words"})):
        at: Where = (section, index)
        name = str(doc.get(*at, "name"))
        words = _words(report, doc, (*at, "words"), languages)
        for where, word in (((*at, "name"), name), *words):
            if not re.search(r"\w", word):
                report.error(doc, where, _("This text is empty."))
            known = said.setdefault(word.casefold(), name)
            if known != name:
                report.error(doc, where, _("“%(word)s” is said for “%(name)s” already."), word=word, name=known)


def _words(report: Report, doc: Located, at: Where, languages: Sequence[str]) -> list[tuple[Where, str]]:
    """Every word with its place; a language may have none."""
    if doc.get(*at) is None:
        return []
    found: list[tuple[Where, str]] = []
    for language in report.mapping(doc, *at):
        if language not in languages:
            report.error(doc, (*at, language), _("“%(lang)s” is not a language of this desk."), lang=language)
        found += [((*at, language, number), str(word)) for number, word in enumerate(report.items(doc, *at, language))]
    return found
