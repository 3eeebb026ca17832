"""Reading a preset folder. Pure reading: nothing is stored and nothing in a file is executed (safe YAML only).

`load_preset` trusts a folder that `preset_check.check_preset` found good; of any other it says which file cannot be read.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from desk_core.catalogue.preset_model import (
    Preset,
    PresetArticle,
    PresetCalendar,
    PresetCategory,
    PresetChoice,
    PresetForm,
    PresetLine,
    PresetPolicy,
    PresetRule,
    PresetSlot,
    PresetTeam,
)
from desk_core.kit.errors import DeskError
from desk_core.kit.i18n import Phrase
from desk_core.kit.i18n import gettext_noop as _
from desk_core.sla.durations import parse_duration

# The C parser is about ten times faster; where libyaml is missing the Python one reads the same.
SafeLoader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

QUESTION = "utter_ask_"
FENCE = "---"


class UnreadablePreset(DeskError):
    """A preset that cannot be read; `priyom preset check` says more."""

    code, status, text = (
        "unreadable_preset",
        422,
        _("The preset file %(file)s cannot be read: %(reason)s. “priyom preset check” names every fault with its line."),
    )


def load_preset(path: Path) -> Preset:
    """Read the folder `path`; raises `UnreadablePreset` with the file's name."""
    reader = _Reader(path)
    about, catalogue, desk = reader.yaml("preset.yml"), reader.yaml("catalogue.yml"), reader.yaml("desk.yml")
    slots, domain = reader.yaml("slots.yml"), reader.yaml("domain.yml")
    languages = tuple(about.get("languages") or ())
    try:
        variations = replies_of(domain)
        forms = {key: PresetForm(key, tuple(form["required_slots"])) for key, form in domain["forms"].items()}
        replies = {name: texts[0] for name, texts in variations.items()}
        return Preset(
            key=about["key"],
            version=str(about["version"]),
            titles=about["titles"],
            languages=languages,
            time_zone=about["time_zone"],
            organisation=desk["organisation"],
            categories=tuple(_category(position, one) for position, one in enumerate(catalogue["categories"])),
            forms=forms,
            slots={name: _slot(name, one, replies, forms, languages) for name, one in slots["slots"].items()},
            replies=replies,
            variations=variations,
            examples=reader.examples(languages),
            teams=tuple(PresetTeam(o["key"], o["titles"], o["line"], o["calendar"], o.get("sla_policy")) for o in desk["teams"]),
            lines=tuple(PresetLine(o["number"], o["titles"]) for o in desk["lines"]),
            calendars=tuple(_calendar(one) for one in desk["calendars"]),
            sla_policies=tuple(_policy(one) for one in desk["sla_policies"]),
            default_sla_policy=desk["default_sla_policy"],
            rules=tuple(PresetRule(o["position"], o["name"], tuple(o["conditions"]), o["actions"]) for o in desk["routing_rules"]),
            priority_matrix=desk["priority_matrix"],
            ladder=desk["close_ladder"],
            limits=desk.get("limits") or {},
            articles=reader.articles(languages),
            names=reader.yaml("names.yml") if (path / "names.yml").exists() else {},
        )
    except (KeyError, TypeError, AttributeError, ValueError, IndexError, DeskError) as error:
        if isinstance(error, UnreadablePreset):
            raise
        raise UnreadablePreset(file=str(path.name), reason=repr(error)) from error


def split_examples(block: str) -> list[str]:
    """The lines of a Rasa `examples: |` block without their dashes; a line that is no item is left out."""
    return [line.strip()[1:].strip() for line in block.splitlines() if line.strip().startswith("-") and line.strip() != "-"]


def split_front_matter(text: str) -> tuple[str, str] | None:
    """The YAML between the `---` lines and the Markdown after it; None where an article has no such head."""
    lines = text.replace("\r\n", "\n").split("\n")
    if lines[0].strip() != FENCE:
        return None
    for number, line in enumerate(lines[1:], start=1):
        if line.strip() == FENCE:
            return "\n".join(lines[1:number]), "\n".join(lines[number + 1 :]).strip()
    return None


def language_of(response: Mapping[str, Any]) -> str | None:
    """The language a Rasa response variation is for: the value its condition wants of the slot `language`."""
    for condition in response.get("condition") or ():
        if isinstance(condition, Mapping) and condition.get("name") == "language":
            return str(condition.get("value"))
    return None


def replies_of(domain: Mapping[str, Any]) -> dict[tuple[str, str], tuple[str, ...]]:
    """Every text of a domain's responses by name and language, in the file's order."""
    found: dict[tuple[str, str], list[str]] = {}
    for name, responses in domain["responses"].items():
        for response in responses:
            language = language_of(response)
            if language is not None:
                found.setdefault((name, language), []).append(str(response["text"]))
    return {name: tuple(texts) for name, texts in found.items()}


def questions_of(
    slot: str, replies: Mapping[tuple[str, str], str], forms: Mapping[str, PresetForm], languages: tuple[str, ...]
) -> tuple[dict[str, str], dict[str, dict[str, str]]]:
    """The question for a slot by language, and where a form asks in its own words, those by form."""

    def texts(key: str) -> dict[str, str]:
        return {language: replies[key, language] for language in languages if (key, language) in replies}

    own = {form: texts(f"{QUESTION}{form}_{slot}") for form in forms if slot in forms[form].slots}
    own = {form: asked for form, asked in own.items() if asked}
    return texts(f"{QUESTION}{slot}") or next(iter(own.values()), {}), own


def _category(position: int, one: Mapping[str, Any]) -> PresetCategory:
    return PresetCategory(
        key=one["key"],
        parent=one["parent"],
        titles=one["titles"],
        descriptions=one["description"],
        kind=one["kind"],
        impact=one["impact"],
        urgency=one["urgency"],
        form=one["form"],
        team=one["team"],
        human_now=bool(one["human_now"]),
        position=position,
    )


def _slot(
    name: str,
    one: Mapping[str, Any],
    replies: Mapping[tuple[str, str], str],
    forms: Mapping[str, PresetForm],
    languages: tuple[str, ...],
) -> PresetSlot:
    questions, own = questions_of(name, replies, forms, languages)
    return PresetSlot(
        name=name,
        kind=one["kind"],
        titles=one["titles"],
        questions=questions,
        examples=one["example"],
        form_questions=own,
        choices=tuple(
            PresetChoice(
                value=choice["value"],
                titles=choice["titles"],
                words={language: tuple(words) for language, words in (choice.get("words") or {}).items()},
            )
            for choice in one.get("choices") or ()
        ),
        pattern=one.get("pattern"),
        max_length=one.get("max_length", 500),
        sets=one.get("sets") or {},
        when={other: tuple(values) for other, values in (one.get("when") or {}).items()},
    )


def _calendar(one: Mapping[str, Any]) -> PresetCalendar:
    return PresetCalendar(
        key=one["key"],
        titles=one["titles"],
        zone=one["zone"],
        weekly={day: tuple(intervals) for day, intervals in one["weekly"].items()},
        holidays=tuple(str(day) for day in one.get("holidays") or ()),
    )


def _policy(one: Mapping[str, Any]) -> PresetPolicy:
    return PresetPolicy(
        key=one["key"],
        titles=one["titles"],
        calendar=one["calendar"],
        targets={
            priority: {metric: int(parse_duration(length).total_seconds()) for metric, length in metrics.items()}
            for priority, metrics in one["targets"].items()
        },
    )


class _Reader:
    """Reads the files of one folder, and says which one could not be."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def yaml(self, name: str) -> dict[str, Any]:
        return self._mapping(name, self._text(self._path / name, name))

    def examples(self, languages: tuple[str, ...]) -> dict[tuple[str, str], tuple[str, ...]]:
        found: dict[tuple[str, str], tuple[str, ...]] = {}
        for language in languages:
            for one in self.yaml(f"nlu/{language}.yml")["nlu"]:
                key = (one["intent"], language)
                found[key] = found.get(key, ()) + tuple(split_examples(one["examples"]))
        return found

    def articles(self, languages: tuple[str, ...]) -> tuple[PresetArticle, ...]:
        files = [(language, file) for language in languages for file in sorted((self._path / "articles" / language).glob("*.md"))]
        return tuple(self._article(language, file) for language, file in files)

    def _article(self, language: str, file: Path) -> PresetArticle:
        name = f"articles/{language}/{file.name}"
        parts = split_front_matter(self._text(file, name))
        if parts is None:
            raise UnreadablePreset(file=name, reason=_("it does not begin with a head between two --- lines"))
        head = self._mapping(name, parts[0])
        try:
            return PresetArticle(
                key=file.stem,
                language=language,
                title=head["title"],
                category=head["category"],
                keywords=tuple(str(word) for word in head.get("keywords") or ()),
                audience=head["audience"],
                state=head["state"],
                summary=head.get("summary") or "",
                body=parts[1],
                expires_on=head.get("expires"),
            )
        except KeyError as error:
            raise UnreadablePreset(file=name, reason=Phrase(_("%(key)s is missing"), key=error)) from error

    def _text(self, file: Path, name: str) -> str:
        try:
            return file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise UnreadablePreset(file=name, reason=str(error).replace(str(self._path), self._path.name)) from error

    def _mapping(self, name: str, text: str) -> dict[str, Any]:
        try:
            value = yaml.load(text, Loader=SafeLoader)  # noqa: S506 - a safe loader, whichever parser is behind it
        except (yaml.YAMLError, ValueError, RecursionError) as error:
            raise UnreadablePreset(file=name, reason=" ".join(str(error).split())) from error
        if not isinstance(value, dict):
            raise UnreadablePreset(file=name, reason=_("it is not a mapping of names to values"))
        return value
