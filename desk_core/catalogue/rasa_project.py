"""Reading a Rasa 3.x project: every YAML file of the folder by the keys it holds, as Rasa itself does. Nothing is executed."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from desk_core.catalogue.preset_read import SafeLoader, split_examples
from desk_core.kit.errors import DeskError, NotFound
from desk_core.kit.i18n import gettext_noop as _

_MARKED = re.compile(r"\[(?P<text>[^\[\]]+)\](?:\((?P<plain>[^()]*)\)|\{(?P<rich>[^{}]*)\})")
_RICH = re.compile(r"[\"'](?P<name>entity|value)[\"']\s*:\s*[\"'](?P<value>[^\"']*)[\"']")
_NOT_OURS = frozenset({"models", "node_modules", "venv", "results", "__pycache__"})
_FILES_AT_MOST, _SIZE_AT_MOST = 2_000, 20_000_000


class UnreadableRasaProject(DeskError):
    code, status, text = "unreadable_rasa_project", 422, _("The file %(file)s of the Rasa project cannot be read: %(reason)s.")


@dataclass(frozen=True, slots=True)
class RasaProject:
    """What the files of a project say, joined. Examples are plain texts by intent and, where they say it, language."""

    language: str | None = None
    intents: tuple[str, ...] = ()
    entities: tuple[str, ...] = ()
    slots: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    forms: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    responses: Mapping[str, tuple[Mapping[str, Any], ...]] = field(default_factory=dict)
    actions: tuple[str, ...] = ()
    examples: Mapping[tuple[str, str | None], tuple[str, ...]] = field(default_factory=dict)
    said: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # a value of an entity -> what people say for it
    synonyms: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    regexes: tuple[str, ...] = ()
    lookups: tuple[str, ...] = ()
    rules: tuple[Mapping[str, Any], ...] = ()
    stories: tuple[Mapping[str, Any], ...] = ()
    pipeline: tuple[str, ...] = ()
    policies: tuple[str, ...] = ()
    connections: tuple[str, ...] = ()

    def starts(self) -> dict[str, str]:
        """The form that an intent starts, by the project's rules and stories."""
        found: dict[str, str] = {}
        for told in (*self.rules, *self.stories):
            intent = None
            for step in told.get("steps") or ():
                if not isinstance(step, Mapping):
                    continue
                if "intent" in step:
                    intent = str(step["intent"])
                elif intent and (form := str(step.get("action"))) in self.forms:
                    found.setdefault(intent, form)
                    intent = None
        return found


def read_project(folder: Path) -> RasaProject:
    """Read a project's folder; raises `NotFound` where there is none and `UnreadableRasaProject` with the file that is broken."""
    files = [file for file in _files(folder) if file.stat().st_size <= _SIZE_AT_MOST] if folder.is_dir() else []
    if not files:
        raise NotFound(rasa_project=str(folder))
    heap = _Heap()
    for file in files:
        heap.take(_mapping(file, str(file.relative_to(folder))), str(file.relative_to(folder)))
    return heap.project()


def unmarked(text: str) -> tuple[str, list[tuple[str, str]]]:
    """An example without its entity marks, and the marks as (what is said, the value it means)."""
    marks: list[tuple[str, str]] = []

    def plain(found: re.Match[str]) -> str:
        told = dict(_RICH.findall(found["rich"] or ""))
        said = str(found["text"])
        marks.append((said, str(told.get("value", said))))
        return said

    return _MARKED.sub(plain, text), marks


class _Loader(SafeLoader):  # type: ignore[misc]  # one of two parsers, chosen when it is known which is there
    """YAML 1.2 as Rasa reads it: `yes` and `no` are words, and values of many a slot."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag not in ("tag:yaml.org,2002:bool", "tag:yaml.org,2002:timestamp")]
    for first, resolvers in SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"^(?:true|True|TRUE|false|False|FALSE)$"), list("tTfF"))


def _files(folder: Path) -> Iterator[Path]:
    found = sorted(file for ending in ("*.yml", "*.yaml") for file in folder.rglob(ending))
    for file in found[:_FILES_AT_MOST]:
        parts = file.relative_to(folder).parts
        if not any(part in _NOT_OURS or part.startswith(".") for part in parts):
            yield file


def _mapping(file: Path, name: str) -> Mapping[str, Any]:
    try:
        value = yaml.load(file.read_text(encoding="utf-8"), Loader=_Loader)  # noqa: S506 - built from the safe loader
    except (OSError, ValueError, RecursionError, yaml.YAMLError) as error:
        raise UnreadableRasaProject(file=name, reason=" ".join(str(error).split())[:300]) from error
    return value if isinstance(value, Mapping) else {}


class _Heap:
    """Gathers the keys of many files; what is not of the expected shape names its file."""

    def __init__(self) -> None:
        self._language: str | None = None
        self._examples: dict[tuple[str, str | None], tuple[str, ...]] = {}
        self._said: dict[str, tuple[str, ...]] = {}
        self._synonyms: dict[str, tuple[str, ...]] = {}
        self._lists: dict[str, list[Any]] = {}
        self._maps: dict[str, dict[str, Any]] = {}

    def take(self, told: Mapping[str, Any], file: str) -> None:
        try:
            for key in ("intents", "entities", "actions", "rules", "stories", "pipeline", "policies"):
                self._lists.setdefault(key, []).extend(told.get(key) or ())
            for key in ("slots", "forms", "responses"):
                self._maps.setdefault(key, {}).update(told.get(key) or {})
            if "pipeline" in told or "policies" in told:
                self._language = str(told["language"]) if told.get("language") else None
            for one in told.get("nlu") or ():
                self._nlu(one)
            self._lists.setdefault("connections", []).extend(self._connections(told))
        except (TypeError, ValueError, AttributeError, KeyError) as error:
            raise UnreadableRasaProject(file=file, reason=repr(error)) from error

    def project(self) -> RasaProject:
        lists, maps = self._lists, self._maps
        return RasaProject(
            language=self._language,
            intents=tuple(_names(lists["intents"])),
            entities=tuple(_names(lists["entities"])),
            slots={str(name): slot if isinstance(slot, Mapping) else {} for name, slot in maps["slots"].items()},
            forms={str(name): _required(form) for name, form in maps["forms"].items()},
            responses={
                str(name): tuple(one if isinstance(one, Mapping) else {"text": str(one)} for one in texts or ())
                for name, texts in maps["responses"].items()
            },
            actions=tuple(_names(lists["actions"])),
            examples=self._examples,
            said=self._said,
            synonyms=self._synonyms,
            regexes=tuple(_names(lists.get("regex", []))),
            lookups=tuple(_names(lists.get("lookup", []))),
            rules=tuple(one for one in lists["rules"] if isinstance(one, Mapping)),
            stories=tuple(one for one in lists["stories"] if isinstance(one, Mapping)),
            pipeline=tuple(str(one.get("name", one)) if isinstance(one, Mapping) else str(one) for one in lists["pipeline"]),
            policies=tuple(str(one.get("name", one)) if isinstance(one, Mapping) else str(one) for one in lists["policies"]),
            connections=tuple(_names(lists["connections"])),
        )

    def _nlu(self, one: Mapping[str, Any]) -> None:
        texts = _texts(one.get("examples"))
        if "intent" in one:
            metadata = one.get("metadata")
            language = str(metadata["language"]) if isinstance(metadata, Mapping) and metadata.get("language") else None
            key = (str(one["intent"]), language)
            self._examples[key] = tuple(dict.fromkeys((*self._examples.get(key, ()), *(self._plain(text) for text in texts))))
        elif "synonym" in one:
            value = str(one["synonym"])
            self._synonyms[value] = (*self._synonyms.get(value, ()), *texts)
        for kind in ("regex", "lookup"):
            if kind in one:
                self._lists.setdefault(kind, []).append(one[kind])

    def _plain(self, text: str) -> str:
        plain, marks = unmarked(text)
        for said, value in marks:
            self._said[value] = tuple(dict.fromkeys((*self._said.get(value, ()), said)))
        return plain

    @staticmethod
    def _connections(told: Mapping[str, Any]) -> list[str]:
        """Names of what endpoints.yml and credentials.yml connect to; their secrets are not read on."""
        stores = [key for key in ("tracker_store", "event_broker", "lock_store", "model_server", "nlg") if told.get(key)]
        channels = [key for key in ("telegram", "slack", "facebook", "twilio", "mattermost", "webexteams", "socketio") if key in told]
        return [*stores, *channels]


def _names(values: Iterable[Any]) -> list[str]:
    """Names of a list whose items are names or one-key mappings with settings, each once."""
    return list(dict.fromkeys(str(next(iter(one), "")) if isinstance(one, Mapping) else str(one) for one in values))


def _required(form: Any) -> tuple[str, ...]:
    slots = form.get("required_slots", form) if isinstance(form, Mapping) else form
    return tuple(str(slot) for slot in slots or () if str(slot) != "ignored_intents")


def _texts(examples: Any) -> list[str]:
    if isinstance(examples, list):
        told = [str(one.get("text", "")) if isinstance(one, Mapping) else str(one) for one in examples]
        return [line for text in told for line in (split_examples(text) or [text.strip()]) if line]
    return split_examples(str(examples or ""))
