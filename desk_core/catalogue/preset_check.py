"""Looking through a preset folder: every fault with its file and line, for `priyom preset check` and before a desk is made."""

import re
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from string import Formatter
from typing import Any

from desk_core.catalogue.preset_check_desk import check_desk, check_routes, unique
from desk_core.catalogue.preset_check_names import check_names
from desk_core.catalogue.preset_read import QUESTION, language_of, split_front_matter
from desk_core.catalogue.preset_source import Located, Problem, Report, Where, locate, locate_text
from desk_core.catalogue.preset_words import DIALOGUE_INTENTS, REPLIES
from desk_core.catalogue.priority import Impact, Urgency
from desk_core.kit.i18n import gettext_noop as _
from desk_core.routing.patterns import UnsafePattern, compile_safely

FEW_EXAMPLES, ENOUGH_EXAMPLES, ENOUGH_TURNS = 5, 25, 20
MAX_QUESTIONS = 3

_KINDS = frozenset({"incident", "service_request", "question", "complaint"})
_SLOT_KINDS = frozenset({"text", "choice", "phone", "email", "date", "number", "location", "device", "asset", "person"})
_EFFECTS: Mapping[str, frozenset[str]] = {
    "impact": frozenset(one.value for one in Impact),
    "urgency": frozenset(one.value for one in Urgency),
}
_DOMAIN = frozenset({"version", "intents", "entities", "slots", "forms", "responses"})
_DOMAIN_MAY = frozenset({"actions", "session_config", "config", "e2e_actions"})
_KEY = re.compile(r"[a-z][a-z0-9_]{0,30}(\.[a-z][a-z0-9_]{0,30})?")


def check_preset(path: Path) -> list[Problem]:
    """Everything wrong with the folder `path`, in order of file and line; nothing for a good one."""
    return _Check(path).run()


class _Check:
    """One pass over a folder; each method looks at one file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._report = Report()
        names = ("preset", "catalogue", "desk", "slots", "domain")
        self._about, self._catalogue, self._desk, self._slots, self._domain = (
            locate(path / f"{name}.yml", f"{name}.yml", self._report) for name in names
        )
        languages = self._about.get("languages")
        self._languages: tuple[str, ...] = tuple(map(str, languages)) if isinstance(languages, list) and languages else ("ru", "en")

    def run(self) -> list[Problem]:
        self._check_about()
        teams = check_desk(self._report, self._desk, self._languages)
        self._check_catalogue(teams)
        check_routes(self._report, self._catalogue, self._desk)
        self._check_slots()
        self._check_names()
        self._check_domain()
        self._check_replies()
        self._check_examples()
        self._check_rules()
        self._check_articles()
        return sorted(set(self._report.problems))

    # --- preset.yml and catalogue.yml ---------------------------------------------------------------------------------

    def _check_about(self) -> None:
        if not self._about.value:
            return
        required = frozenset({"key", "version", "titles", "languages", "time_zone"})
        if self._report.keys(self._about, (), required=required):
            self._report.texts(self._about, ("titles",), self._languages)
            for index, language in enumerate(self._report.items(self._about, "languages")):
                if language not in ("ru", "en"):
                    text = _("“%(lang)s” is not a language Priyom speaks.")
                    self._report.error(self._about, ("languages", index), text, lang=language)

    def _categories(self) -> list[tuple[int, Mapping[str, Any]]]:
        found = self._catalogue.get("categories")
        return [(i, one) for i, one in enumerate(found if isinstance(found, list) else ()) if isinstance(one, Mapping)]

    def _second_level(self) -> dict[str, int]:
        return {str(one.get("key")): index for index, one in self._categories() if one.get("parent") is not None}

    def _check_catalogue(self, teams: frozenset[str]) -> None:
        doc, report = self._catalogue, self._report
        if not doc.value:
            return
        report.keys(doc, (), required=frozenset({"categories"}))
        names = "key parent titles kind impact urgency form team human_now description"
        good = report.records(doc, "categories", required=frozenset(names.split()))
        unique(report, doc, [("categories", index, "key") for index, _one in self._categories()])
        parents = {one.get("key"): one.get("parent") for _index, one in self._categories()}
        forms = self._domain.get("forms") or {}
        for index in good:
            at: Where = ("categories", index)
            key, parent, form = (doc.get(*at, name) for name in ("key", "parent", "form"))
            if not isinstance(key, str) or not _KEY.fullmatch(key):
                report.error(doc, (*at, "key"), _("“%(key)s” is not a key: use small Latin letters, digits, _ and one dot."), key=key)
            if parent is not None and parents.get(parent, "none") is not None:
                report.error(doc, (*at, "parent"), _("There is no first-level category “%(key)s”."), key=parent)
            report.texts(doc, (*at, "titles"), self._languages)
            report.texts(doc, (*at, "description"), self._languages)
            report.one_of(doc, (*at, "kind"), _KINDS)
            report.one_of(doc, (*at, "impact"), _EFFECTS["impact"])
            report.one_of(doc, (*at, "urgency"), _EFFECTS["urgency"])
            report.one_of(doc, (*at, "team"), teams)
            if form is not None and form not in forms:
                report.error(doc, (*at, "form"), _("There is no form “%(form)s” in domain.yml."), form=form)
            if type(doc.get(*at, "human_now")) is not bool:
                report.error(doc, (*at, "human_now"), _("This must be true or false."))

    # --- slots.yml and domain.yml -------------------------------------------------------------------------------------

    def _check_slots(self) -> None:
        doc, report = self._slots, self._report
        if not doc.value:
            return
        report.keys(doc, (), required=frozenset({"slots"}))
        required, optional = frozenset({"titles", "kind", "example"}), frozenset({"choices", "pattern", "max_length", "sets", "when"})
        for name in report.mapping(doc, "slots"):
            at: Where = ("slots", name)
            if not report.keys(doc, at, required=required, optional=optional):
                continue
            report.texts(doc, (*at, "titles"), self._languages)
            report.texts(doc, (*at, "example"), self._languages)
            report.one_of(doc, (*at, "kind"), _SLOT_KINDS)
            self._check_choices(at)
            self._check_when(at)
            pattern, length = doc.get(*at, "pattern"), doc.get(*at, "max_length")
            if pattern is not None:
                try:
                    compile_safely(str(pattern))
                except UnsafePattern as error:
                    text = _("This regular expression cannot be used: %(reason)s.")
                    report.error(doc, (*at, "pattern"), text, reason=error.reason)
            if length is not None and (type(length) is not int or length < 1):
                report.error(doc, (*at, "max_length"), _("“%(value)s” is not a whole number."), value=length)

    def _check_when(self, at: Where) -> None:
        """A question may hang on a choice of another one, never on itself."""
        doc, report = self._slots, self._report
        if doc.get(*at, "when") is None:
            return
        for other in report.mapping(doc, *at, "when"):
            here: Where = (*at, "when", other)
            offered = {choice.get("value") for choice in doc.get("slots", other, "choices") or () if isinstance(choice, dict)}
            if other == at[-1] or not offered:
                report.error(doc, here, _("“%(slot)s” is no other slot with choices."), slot=other)
                continue
            values = doc.get(*here)
            unknown = [str(value) for value in values if value not in offered] if isinstance(values, list) and values else [str(values)]
            if unknown:
                report.error(doc, here, _("“%(slot)s” has no choice “%(value)s”."), slot=other, value=", ".join(unknown))

    def _check_names(self) -> None:
        """A folder may be without the file: what every workplace has is known anyway."""
        if (self._path / "names.yml").exists():
            doc = locate(self._path / "names.yml", "names.yml", self._report)
            check_names(self._report, doc, self._languages, slots=self._slots.get("slots") or {})

    def _check_choices(self, at: Where) -> None:
        doc, report = self._slots, self._report
        if doc.get(*at, "kind") != "choice" and doc.get(*at, "choices") is None:
            return
        good = report.records(doc, *at, "choices", required=frozenset({"value", "titles"}), optional=frozenset({"words"}))
        for index in good:
            report.texts(doc, (*at, "choices", index, "titles"), self._languages)
            if doc.get(*at, "choices", index, "words") is not None:
                for language in self._languages:
                    report.items(doc, *at, "choices", index, "words", language)
        values = unique(report, doc, [(*at, "choices", index, "value") for index in good])
        effects = doc.get(*at, "sets")
        for value, effect in effects.items() if isinstance(effects, Mapping) else ():
            where = (*at, "sets", value)
            if value not in values:
                report.error(doc, where, _("“%(value)s” is not one of the choices."), value=value)
            for name in effect if isinstance(effect, Mapping) else ():
                if name in _EFFECTS:
                    report.one_of(doc, (*where, name), _EFFECTS[name])
                else:
                    report.error(doc, (*where, name), _("An answer may set impact or urgency, not “%(name)s”."), name=name)
        declared = self._domain.get("slots", at[1], "values")
        if isinstance(declared, list) and set(map(str, declared)) != values:
            text = _("The values of “%(slot)s” differ between slots.yml and domain.yml.")
            report.error(self._domain, ("slots", at[1], "values"), text, slot=at[1])

    def _check_domain(self) -> None:
        doc, report = self._domain, self._report
        if not doc.value:
            return
        report.keys(doc, (), required=_DOMAIN, optional=_DOMAIN_MAY)
        declared = self._slots.get("slots") or {}
        for form in report.mapping(doc, "forms"):
            slots = report.items(doc, "forms", form, "required_slots")
            if len(slots) > MAX_QUESTIONS:
                text = _("The form asks %(count)s questions; people answer %(most)s.")
                report.error(doc, ("forms", form, "required_slots"), text, count=len(slots), most=MAX_QUESTIONS)
            for index, slot in enumerate(slots):
                at: Where = ("forms", form, "required_slots", index)
                if slot not in declared:
                    report.error(doc, at, _("The slot “%(slot)s” is not declared in slots.yml."), slot=slot)
                if slot not in (doc.get("slots") or {}):
                    report.error(doc, at, _("The slot “%(slot)s” is not declared in domain.yml."), slot=slot)
                self._check_question(at, str(form), str(slot))
        for intent in sorted({*self._second_level(), *DIALOGUE_INTENTS} - set(map(str, doc.get("intents") or ()))):
            report.error(doc, ("intents",), _("The intent “%(intent)s” is missing here."), intent=intent)

    def _check_question(self, at: Where, form: str, slot: str) -> None:
        asked = {
            language_of(response)
            for name in (f"{QUESTION}{form}_{slot}", f"{QUESTION}{slot}")
            for response in self._domain.get("responses", name) or ()
            if isinstance(response, Mapping)
        }
        for language in self._languages:
            if language not in asked:
                text = _("The form “%(form)s” has no question for “%(slot)s” in “%(lang)s”.")
                self._report.error(self._domain, at, text, form=form, slot=slot, lang=language)

    def _check_replies(self) -> None:
        doc, report = self._domain, self._report
        if not isinstance(doc.get("responses"), Mapping):
            return
        for name in sorted(REPLIES):
            if f"utter_{name}" not in doc.get("responses"):
                report.error(doc, ("responses",), _("The reply “%(name)s” is missing."), name=f"utter_{name}")
        for name in doc.get("responses"):
            used: dict[str, set[str]] = {}
            lines: dict[str, Where] = {}
            for index, response in enumerate(report.items(doc, "responses", name)):
                at: Where = ("responses", name, index)
                if not report.keys(doc, at, required=frozenset({"text", "condition"}), optional=frozenset({"buttons", "id"})):
                    continue
                language = language_of(response)
                if language not in self._languages:
                    report.error(doc, (*at, "condition"), _("Say which language this text is for: a condition on the slot “language”."))
                    continue
                lines.setdefault(language, (*at, "text"))
                used.setdefault(language, set()).update(self._placeholders(at, str(name), str(response["text"])))
            self._compare(str(name), used, lines)

    def _placeholders(self, at: Where, name: str, text: str) -> set[str]:
        doc, report = self._domain, self._report
        if not text.strip():
            report.error(doc, (*at, "text"), _("This text is empty."))
        try:
            found = {field for _text, field, _spec, _conversion in Formatter().parse(text) if field is not None}
        except ValueError:
            report.error(doc, (*at, "text"), _("A brace is open or closed alone in this text."))
            return set()
        allowed = REPLIES.get(name.removeprefix("utter_"))
        for placeholder in sorted(found - allowed) if allowed is not None else ():
            text = _("There is no placeholder {%(name)s} in this reply. Known: %(known)s.")
            report.error(doc, (*at, "text"), text, name=placeholder, known=", ".join(sorted(allowed or ())) or "-")
        return found

    def _compare(self, name: str, used: Mapping[str, set[str]], lines: Mapping[str, Where]) -> None:
        for language in self._languages:
            if language not in used:
                self._report.error(self._domain, ("responses", name), _("“%(key)s” has no text in “%(lang)s”."), key=name, lang=language)
        first = next((language for language in self._languages if language in used), None)
        for language in used:
            if first is not None and used[language] != used[first]:
                names = ", ".join(f"{{{one}}}" for one in sorted(used[language] ^ used[first]))
                text = _("The placeholders %(names)s of “%(key)s” differ between “%(first)s” and “%(second)s”.")
                self._report.error(self._domain, lines[language], text, names=names, key=name, first=first, second=language)

    # --- nlu/, rules.yml and articles/ --------------------------------------------------------------------------------

    def _check_examples(self) -> None:
        second, seen = self._second_level(), dict[str, tuple[str, int]]()
        for language in self._languages:
            name = f"nlu/{language}.yml"
            doc = locate(self._path / name, name, self._report)
            if not doc.value:
                continue
            self._report.keys(doc, (), required=frozenset({"version", "nlu"}))
            counts: dict[str, int] = {}
            for index in self._report.records(doc, "nlu", required=frozenset({"intent", "examples"})):
                intent = str(doc.get("nlu", index, "intent"))
                if intent not in second and intent not in DIALOGUE_INTENTS:
                    text = _("“%(intent)s” is neither a second-level category nor a turn of the dialogue.")
                    self._report.error(doc, ("nlu", index, "intent"), text, intent=intent)
                counts[intent] = counts.get(intent, 0) + self._count(doc, index, seen)
            for intent in sorted({*second, *DIALOGUE_INTENTS}):
                self._enough(doc, intent, counts.get(intent, 0), second.get(intent))

    def _count(self, doc: Located, index: int, seen: dict[str, tuple[str, int]]) -> int:
        """How many examples an intent has; every text that came before, here or elsewhere, is reported."""
        start, count = doc.line(("nlu", index, "examples")) + 1, 0
        for offset, line in enumerate(str(doc.get("nlu", index, "examples")).splitlines()):
            text = line.strip()
            if not text:
                continue
            if not text.startswith("-") or not text[1:].strip():
                self._report.at(doc.file, start + offset, _("An example is a line that begins with “- ”."))
                continue
            count += 1
            example = normalised(text[1:])
            if example in seen:
                file, earlier = seen[example]
                again = _("This example is already in %(file)s, line %(line)s.")
                self._report.at(doc.file, start + offset, again, file=file, line=earlier)
            else:
                seen[example] = (doc.file, start + offset)
        return count

    def _enough(self, doc: Located, intent: str, count: int, category: int | None) -> None:
        where: Where = next((("nlu", i) for i, one in enumerate(doc.get("nlu") or ()) if doc.get("nlu", i, "intent") == intent), ("nlu",))
        text = _("“%(intent)s” has %(count)s examples in %(file)s; %(wanted)s or more make it reliable.")
        wanted = ENOUGH_TURNS if category is None else ENOUGH_EXAMPLES
        if count < FEW_EXAMPLES:
            self._report.error(doc, where, text, intent=intent, count=count, file=doc.file, wanted=wanted)
        elif count < wanted:
            self._report.warning(doc, where, text, intent=intent, count=count, file=doc.file, wanted=wanted)

    def _check_rules(self) -> None:
        doc = locate(self._path / "rules.yml", "rules.yml", self._report)
        if not doc.value:
            return
        self._report.keys(doc, (), required=frozenset({"version", "rules"}))
        intents = frozenset(map(str, self._domain.get("intents") or ()))
        forms = frozenset(map(str, self._domain.get("forms") or ()))
        actions = forms | frozenset(map(str, self._domain.get("responses") or ())) | frozenset(map(str, self._domain.get("actions") or ()))
        may = frozenset({"condition", "conversation_start", "wait_for_user_input"})
        for index in self._report.records(doc, "rules", required=frozenset({"rule", "steps"}), optional=may):
            for part in ("condition", "steps"):
                for number, step in enumerate(doc.get("rules", index, part) or ()):
                    at: Where = ("rules", index, part, number)
                    if not isinstance(step, Mapping):
                        self._report.error(doc, at, _("“%(key)s” must be a mapping of names to values."), key=part)
                        continue
                    if "intent" in step:
                        self._report.one_of(doc, (*at, "intent"), intents)
                    if "action" in step and not str(step["action"]).startswith("action_"):
                        self._report.one_of(doc, (*at, "action"), actions)
                    if step.get("active_loop") is not None:
                        self._report.one_of(doc, (*at, "active_loop"), forms)

    def _check_articles(self) -> None:
        found: dict[str, dict[str, Located]] = {language: {} for language in self._languages}
        for language in self._languages:
            for file in sorted((self._path / "articles" / language).glob("*.md")):
                doc = self._article(file, f"articles/{language}/{file.name}")
                if doc is not None:
                    found[language][file.stem] = doc
        keys = sorted({key for docs in found.values() for key in docs})
        for key in keys:
            missing = [language for language in self._languages if key not in found[language]]
            for language in missing:
                doc = next(docs[key] for docs in found.values() if key in docs)
                text = _("This article has no pair in “%(lang)s”: articles/%(lang)s/%(key)s.md.")
                self._report.error(doc, (), text, lang=language, key=key)

    def _article(self, file: Path, name: str) -> Located | None:
        report = self._report
        try:
            parts = split_front_matter(file.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError):
            report.at(name, 1, _("This file is missing or cannot be opened."))
            return None
        if parts is None:
            report.at(name, 1, _("An article begins with a head between two lines of “---”."))
            return Located(name, {})
        doc = locate_text(parts[0], name, report, first_line=2)
        required, optional = frozenset({"title", "category", "audience", "state"}), frozenset({"keywords", "summary", "expires"})
        if report.keys(doc, (), required=required, optional=optional):
            known = frozenset(str(one.get("key")) for _index, one in self._categories())
            report.one_of(doc, ("category",), known)
            report.one_of(doc, ("audience",), ("public", "internal"))
            report.one_of(doc, ("state",), ("draft", "review", "published"))
            if not isinstance(doc.get("expires"), date | None):
                report.error(doc, ("expires",), _("A day is written as 2027-01-31."))
            if not str(doc.get("title")).strip():
                report.error(doc, ("title",), _("This text is empty."))
        if not parts[1]:
            report.at(name, len(parts[0].splitlines()) + 2, _("The article has no text."))
        return doc


def normalised(text: str) -> str:
    """An example without what a classifier hardly sees: case, «ё», punctuation and spaces."""
    even = text.casefold().replace("ё", "е")
    return " ".join(re.findall(r"\w+", even)) or even.strip()
