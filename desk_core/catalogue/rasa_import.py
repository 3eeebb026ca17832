"""A Rasa project joined into a desk: what has a counterpart becomes the desk's own, everything else is named with advice. Pure."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from string import Formatter
from typing import Any

from desk_core.catalogue.preset_check import MAX_QUESTIONS
from desk_core.catalogue.preset_model import Preset, PresetCategory, PresetChoice, PresetForm, PresetSlot
from desk_core.catalogue.preset_read import QUESTION, language_of, questions_of
from desk_core.catalogue.preset_words import DIALOGUE_INTENTS, REPLIES
from desk_core.catalogue.rasa_export import DESK_ACTIONS, LANGUAGE, REQUESTED, VALIDATE, rules_of
from desk_core.catalogue.rasa_project import RasaProject
from desk_core.kit.i18n import Phrase
from desk_core.kit.i18n import gettext_noop as _

IMPORTED = "imported"
"""The first-level category of topics that came from a Rasa project."""

_TURNS: Mapping[str, str] = {
    "affirm": "confirm", "yes": "confirm", "no": "deny", "thank": "thanks", "thankyou": "thanks", "thank_you": "thanks",
    "goodbye": "thanks", "bye": "thanks", "stop": "cancel", "bot_challenge": "smalltalk", "chitchat": "smalltalk", "hello": "greet",
    "handoff": "human", "human_handoff": "human", "talk_to_human": "human", "faq": "ask",
}  # fmt: skip
_ANSWERS = {"utter_default": "utter_not_understood", "utter_please_rephrase": "utter_not_understood", "utter_iamabot": "utter_smalltalk"}
_OF_RASA = frozenset({"nlu_fallback", "restart", "session_start", "back"}) - DIALOGUE_INTENTS
_ANSWERS_ONLY = frozenset({"inform", "enter_data", "provide_info"})
_FRAME = frozenset({LANGUAGE, REQUESTED, "session_started_metadata"})
_CYRILLIC = re.compile(r"[а-яё]", re.IGNORECASE)
_EMPTY: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Left:
    """Something of the project without a counterpart here, and what to do about it."""

    kind: str
    name: str
    advice: str


@dataclass(frozen=True, slots=True)
class Joined:
    """The desk with the project in it; `brought` counts what has a counterpart, by kind."""

    preset: Preset
    brought: Mapping[str, int]
    left: tuple[Left, ...]


def join(preset: Preset, project: RasaProject, *, language: str) -> Joined:
    """The desk's preset with the project's intents, forms, slots and responses; `language` is assumed where the project names none."""
    return _Join(preset, project, project.language if project.language in preset.languages else language).joined()


class _Join:
    """One import; each step changes the preset or says what is left."""

    def __init__(self, preset: Preset, project: RasaProject, language: str) -> None:
        self._preset, self._project, self._language = preset, project, language
        self._left: list[Left] = []
        self._brought: dict[str, int] = {}

    def joined(self) -> Joined:
        self._forms()
        self._slots()
        self._responses()
        self._ask_everything()
        self._intents()
        self._entities()
        self._flow()
        return Joined(self._preset, self._brought, tuple(self._left))

    def _leave(self, kind: str, names: Iterable[str], advice: str) -> None:
        self._left += [Left(kind, name, advice) for name in names]

    # --- what is asked ------------------------------------------------------------------------------------------------

    def _forms(self) -> None:
        forms = dict(self._preset.forms)
        for name, slots in self._project.forms.items():
            forms[name] = PresetForm(name, slots[:MAX_QUESTIONS])
            if len(slots) > MAX_QUESTIONS:
                said = Phrase(
                    _("people answer %(most)s questions; left out: %(slots)s"), most=MAX_QUESTIONS, slots=", ".join(slots[MAX_QUESTIONS:])
                )
                self._leave("form", [name], said)
        self._preset = replace(self._preset, forms=forms)
        self._brought["forms"] = len(self._project.forms)

    def _slots(self) -> None:
        asked = {slot for form in self._preset.forms.values() for slot in form.slots}
        slots = dict(self._preset.slots)
        declared = {name: slot for name, slot in self._project.slots.items() if name not in _FRAME}
        unasked = [name for name in declared if name not in asked and name not in slots]
        self._leave("slot", unasked, _("no form asks it; the desk keeps only answers to questions"))
        brought = [name for name in (*declared, *(one for one in asked if one not in slots)) if name not in unasked]
        for name in dict.fromkeys(brought):
            slots[name] = self._slot(name, declared.get(name, {}), slots.get(name))
        self._preset = replace(self._preset, slots=slots)
        self._brought["slots"] = len(set(brought))

    def _slot(self, name: str, told: Mapping[str, Any], known: PresetSlot | None) -> PresetSlot:
        type_ = str(told.get("type", "text"))
        values = [str(one) for one in told.get("values") or ()] if type_ == "categorical" else ["yes", "no"] if type_ == "bool" else []
        if known is not None:
            if not values or {one.value for one in known.choices} == set(values):
                return known
            kept = {one.value: one for one in known.choices}
            choices = tuple(kept.get(value) or self._choice(value) for value in values)
            return replace(known, kind="choice", choices=choices, sets={value: one for value, one in known.sets.items() if value in values})
        if type_ not in ("text", "categorical", "bool", "float"):
            self._leave("slot", [name], Phrase(_("type %(type)s became text"), type=type_))
        if not any(_is_whole_answer(one) for one in told.get("mappings") or ()) and not values:
            self._leave("slot mapping", [name], _("the whole answer is taken; add a recogniser where only a part of it is meant"))
        example = _human(values[0]) if values else _EXAMPLES.get(_kind(name, type_, values)) or _human(name)
        return PresetSlot(
            name=name,
            kind=_kind(name, type_, values),
            titles=dict.fromkeys(self._preset.languages, _human(name)),
            questions={},
            examples=dict.fromkeys(self._preset.languages, example),
            choices=tuple(self._choice(value) for value in values),
        )

    def _choice(self, value: str) -> PresetChoice:
        said = dict.fromkeys((value.replace("_", " "), *self._project.said.get(value, ()), *self._project.synonyms.get(value, ())))
        words: dict[str, tuple[str, ...]] = dict.fromkeys(self._preset.languages, _EMPTY)
        for word in said:
            language = self._language_of(word)
            words[language] = (*words[language], word)
        titles = {language: _BOOLEAN.get(value, {}).get(language, _human(value)) for language in self._preset.languages}
        return PresetChoice(value=value, titles=titles, words=words)

    # --- what is said -------------------------------------------------------------------------------------------------

    def _responses(self) -> None:
        variations = dict(self._preset.variations)
        asked = {f"{QUESTION}{slot}" for slot in self._preset.slots}
        asked |= {f"{QUESTION}{form}_{slot}" for form in self._preset.forms for slot in self._preset.forms[form].slots}
        brought = 0
        for name, responses in self._project.responses.items():
            ours = _ANSWERS.get(name, name)
            known = (
                ours in asked or ours.removeprefix("utter_") in REPLIES or any(ours == one for one, _language in self._preset.variations)
            )
            if not known:
                advice = (
                    _("write it as an article") if "/" in name else _("no turn of the dialogue says it; an article or a reply template may")
                )
                self._leave("response", [name], advice)
                continue
            texts = self._texts(name, responses, REPLIES.get(ours.removeprefix("utter_")))
            brought += bool(texts)
            for language, found in texts.items():
                variations[ours, language] = found
        replies = {key: texts[0] for key, texts in variations.items()}
        self._preset = replace(self._preset, variations=variations, replies=replies)
        self._brought["responses"] = brought

    def _texts(self, name: str, responses: Sequence[Mapping[str, Any]], allowed: frozenset[str] | None) -> dict[str, tuple[str, ...]]:
        found: dict[str, tuple[str, ...]] = {}
        extras = {key for one in responses for key in ("buttons", "image", "attachment", "custom", "channel") if one.get(key)}
        self._leave(
            "response part", [f"{name}: {key}" for key in sorted(extras)], _("only the text is kept; choices become buttons by themselves")
        )
        for one in responses:
            text = str(one.get("text") or "").strip()
            language = language_of(one) or self._language_of(text)
            if not text or language not in self._preset.languages:
                continue
            unknown = _placeholders(text) - (allowed or frozenset())
            if unknown:
                said = Phrase(_("the desk cannot fill %(names)s"), names=", ".join(f"{{{each}}}" for each in sorted(unknown)))
                self._leave("response", [name], said)
            else:
                found[language] = (*found.get(language, ()), text)
        return found

    def _ask_everything(self) -> None:
        """Every slot of a form gets its question in every language; another language's or the title stands in where there is none."""
        variations, missing = dict(self._preset.variations), []
        for form in self._preset.forms.values():
            for slot in form.slots:
                names = (f"{QUESTION}{form.key}_{slot}", f"{QUESTION}{slot}")
                asked = [
                    variations[name, language][0] for name in names for language in self._preset.languages if (name, language) in variations
                ]
                for language in self._preset.languages:
                    if not any((name, language) in variations for name in names):
                        variations[names[1], language] = (asked[0] if asked else f"{self._preset.slots[slot].titles[language]}?",)
                        missing.append(f"{names[1]} ({language})")
        self._leave("question", missing, _("there is no text in this language; put one in the console"))
        replies = {key: texts[0] for key, texts in variations.items()}
        slots = {}
        for name, one in self._preset.slots.items():
            questions, own = questions_of(name, replies, self._preset.forms, self._preset.languages)
            slots[name] = replace(one, questions=questions, form_questions=own)
        self._preset = replace(self._preset, variations=variations, replies=replies, slots=slots)

    # --- what is understood -------------------------------------------------------------------------------------------

    def _intents(self) -> None:
        starts = self._project.starts()
        named = dict.fromkeys((*self._project.intents, *(intent for intent, _language in self._project.examples)))
        known = {one.key for one in self._preset.categories if one.parent is not None} | DIALOGUE_INTENTS
        known |= {label for label, _language in self._preset.examples}
        examples = dict(self._preset.examples)
        brought = 0
        for intent in named:
            if intent in _OF_RASA:
                continue
            if "/" in intent or any(one.startswith(f"{intent}/") for one in named):
                self._leave("retrieval intent", [intent], _("write its answer as an article; its examples belong to no topic"))
                continue
            if intent in _ANSWERS_ONLY:
                self._leave("intent", [intent], _("an answer is recognised by the question it answers; no examples are needed"))
                continue
            label = intent if intent in known else _TURNS.get(intent.lower(), "")
            if not label:
                label = self._topic(intent, starts.get(intent))
            elif intent in starts:
                self._start(label, starts[intent])
            brought += 1
            self._examples(examples, intent, label)
        self._preset = replace(self._preset, examples=examples)
        self._brought["intents"] = brought
        self._brought["examples"] = sum(map(len, self._project.examples.values()))

    def _examples(self, examples: dict[tuple[str, str], tuple[str, ...]], intent: str, label: str) -> None:
        """Examples that name their language are an export of ours and replace the desk's; others join them."""
        for (of, marked), texts in self._project.examples.items():
            if of == intent and marked in self._preset.languages:
                examples[label, str(marked)] = texts
            elif of == intent:
                for text in texts:
                    key = (label, self._language_of(text))
                    examples[key] = tuple(dict.fromkeys((*examples.get(key, ()), text)))

    def _topic(self, intent: str, form: str | None) -> str:
        """A category for an intent that the desk does not know, under one first-level category for all of them."""
        key = f"{IMPORTED}.{_slug(intent)}"
        categories = {one.key: one for one in self._preset.categories}
        position = max((one.position for one in categories.values()), default=-1)
        for wanted, parent, title in ((IMPORTED, None, "Rasa"), (key, IMPORTED, _human(intent))):
            if wanted not in categories:
                position += 1
                titles = dict.fromkeys(self._preset.languages, title)
                categories[wanted] = PresetCategory(
                    key=wanted, parent=parent, titles=titles, descriptions=titles, kind="service_request", impact="individual",
                    urgency="medium", form=None, team=min(self._preset.teams, key=lambda team: team.line).key, human_now=False,
                    position=position,
                )  # fmt: skip
        self._preset = replace(self._preset, categories=tuple(categories.values()))
        if form is not None:
            self._start(key, form)
        return key

    def _start(self, category: str, form: str) -> None:
        categories = tuple(replace(one, form=form) if one.key == category else one for one in self._preset.categories)
        self._preset = replace(self._preset, categories=categories)

    def _entities(self) -> None:
        filling = {
            str(one.get("entity"))
            for slot in self._project.slots.values()
            for one in slot.get("mappings") or ()
            if isinstance(one, Mapping)
        }
        with_slot = [one for one in self._project.entities if one in self._preset.slots or one in filling]
        self._brought["entities"] = len(with_slot)
        self._leave(
            "entity", [one for one in self._project.entities if one not in with_slot], _("no slot takes it; declare one if it is asked")
        )
        values = {one.value for slot in self._preset.slots.values() for one in slot.choices}
        synonyms = [one for one in self._project.synonyms if one not in values]
        self._leave("synonym", synonyms, _("synonyms are the words of a choice; this value is no choice"))
        self._leave("regex", self._project.regexes, _("put it as the pattern of a slot"))
        self._leave("lookup table", self._project.lookups, _("put its entries as the choices of a slot"))

    def _language_of(self, text: str) -> str:
        """The language of a text that does not say: Cyrillic tells, otherwise it is the project's."""
        return "ru" if _CYRILLIC.search(text) and "ru" in self._preset.languages else self._language

    # --- what steers --------------------------------------------------------------------------------------------------

    def _flow(self) -> None:
        ours = [one["steps"] for one in rules_of(self._preset)]
        starting = self._project.starts()
        for kind, told in (("rule", self._project.rules), ("story", self._project.stories)):
            for one in told:
                steps = one.get("steps") or ()
                if steps not in ours and not (kind == "rule" and _only_starts(steps, starting)):
                    self._leave(kind, [str(one.get(kind) or "?")], _("the dialogue decides by itself; see the forms and categories"))
        known = {*DESK_ACTIONS, *(f"{VALIDATE}{form}" for form in self._preset.forms)}
        actions = [one for one in self._project.actions if one not in known and not one.startswith("utter_")]
        self._leave("custom action", actions, _("its code is not run; a webhook or a routing rule may do the same"))
        if self._project.pipeline:
            self._leave("pipeline", [", ".join(self._project.pipeline)], _("the desk trains models of its own"))
        self._leave("policy", self._project.policies, _("the dialogue decides by itself, without a trained policy"))
        self._leave("connection", self._project.connections, _("add an inbox for a channel; stores are settings of the desk"))


_EXAMPLES = {"phone": "+7 912 345-67-89", "email": "name@example.org", "date": "24.11.2026", "number": "2"}
_BOOLEAN: Mapping[str, Mapping[str, str]] = {"yes": {"ru": "Да", "en": "Yes"}, "no": {"ru": "Нет", "en": "No"}}


def _only_starts(steps: Sequence[Any], starting: Mapping[str, str]) -> bool:
    named = [one for one in steps if isinstance(one, Mapping)]
    intents = [str(one["intent"]) for one in named if "intent" in one]
    actions = [str(one["action"]) for one in named if "action" in one]
    return len(intents) == 1 and actions == [starting.get(intents[0])]


def _is_whole_answer(mapping: object) -> bool:
    return isinstance(mapping, Mapping) and mapping.get("type") in ("from_text", "custom")


def _kind(name: str, type_: str, values: Sequence[str]) -> str:
    if values:
        return "choice"
    if type_ == "float":
        return "number"
    words = set(name.lower().split("_"))
    for kind, signs in (
        ("phone", {"phone", "mobile"}),
        ("email", {"email", "mail"}),
        ("date", {"date", "day"}),
        ("location", {"location"}),
    ):
        if words & signs:
            return kind
    return "text"


def _human(name: str) -> str:
    text = re.sub(r"[_\W]+", " ", name).strip()
    return text[:1].upper() + text[1:]


def _slug(intent: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", intent.lower()).strip("_")[:31] or "topic"


def _placeholders(text: str) -> set[str]:
    try:
        return {name for _text, name, _spec, _conversion in Formatter().parse(text) if name is not None}
    except ValueError:
        return {"?"}
