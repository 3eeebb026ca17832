"""Updates of Telegram: those of the public sets, and generated ones of every kind that the schema of the Bot API knows."""

import json
import os
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from benchmarks.report import ROOT

DATA: Final = Path(os.environ.get("PRIYOM_DATA") or ROOT.parent / "shared" / "data") / "telegram"
MESSAGES: Final = frozenset((
    "message", "edited_message", "channel_post", "edited_channel_post", "business_message", "edited_business_message", "guest_message",
))  # fmt: skip
_DEEPEST, _MOST_OPTIONAL = 4, 3
_QUOTED: Final = re.compile(r"[“\"]([a-z_]+)[”\"]")
_WORDS: Final = st.sampled_from(
    ("", "Принтер не печатает", "the VPN is down", "/start", "/new принтер", "👍", "a\x00b", "\ud83d", "<b>&")
) | st.text(max_size=30)
_FEW: Final = st.integers(1, 40)
"""Ids from a small world, so that edits, reactions and answers find what they are about."""

Update = dict[str, Any]


def samples() -> Iterator[tuple[str, Update]]:
    """Every update and message of the public sets by its name; a message alone is put into an update.

    Their own numbers repeat, and the same number is the same update to a bot: each gets one of its own.
    """
    number = 900_000_000
    for folder in ("nutgram_updates", "nutgram_messages", "nutgram_responses"):
        for path in sorted((DATA / folder).glob("*.json")):
            body = json.loads(path.read_text(encoding="utf-8"))
            for at, one in enumerate(body if isinstance(body, list) else [body]):
                number += 1
                name = f"{folder}/{path.stem}" + (f"[{at}]" if isinstance(body, list) else "")
                yield name, {**_as_update(one), "update_id": number}


def _as_update(one: Any) -> Update:
    if isinstance(one, dict) and "update_id" in one:
        return one
    inner = one.get("result", one) if isinstance(one, dict) else one
    return {"message": inner} if isinstance(inner, dict) and "message_id" in inner else {"answer": one}


@cache
def schema() -> Mapping[str, Any]:
    """The types of the Bot API."""
    types: Mapping[str, Any] = json.loads((DATA / "botapi_api.json").read_text(encoding="utf-8"))["types"]
    return types


def update_kinds() -> tuple[str, ...]:
    return tuple(field["name"] for field in schema()["Update"]["fields"] if field["name"] != "update_id")


def message_kinds() -> tuple[str, ...]:
    """The fields that a message may have beside those that every message has."""
    return tuple(field["name"] for field in schema()["Message"]["fields"] if not field["required"])


@st.composite
def objects(draw: st.DrawFn, type_name: str, depth: int = 0, forced: str = "") -> Any:
    """A value of a type of the schema, with all that it must have, some of what it may have, and `forced`."""
    known = schema().get(type_name)
    if known is None:  # a plain type among the subtypes: a text, or a list
        return draw(_value({"name": "", "types": [type_name]}, depth))
    if subtypes := known.get("subtypes"):
        return draw(objects(draw(st.sampled_from(subtypes)), depth, forced))
    fields = known.get("fields", [])
    optional = [field["name"] for field in fields if not field["required"]]
    most = _MOST_OPTIONAL if depth < _DEEPEST else 0
    chosen = set(draw(st.lists(st.sampled_from(optional), max_size=most))) if optional and most else set()
    made: dict[str, Any] = {}
    for field in fields:
        if field["required"] or field["name"] in chosen or field["name"] == forced:
            made[field["name"]] = draw(_value(field, depth))
    return made


@st.composite
def _value(draw: st.DrawFn, field: Mapping[str, Any], depth: int) -> Any:
    type_name, name = draw(st.sampled_from(field["types"])), field["name"]
    lists = 0
    while type_name.startswith("Array of "):
        type_name, lists = type_name.removeprefix("Array of "), lists + 1
    if lists and depth >= _DEEPEST:
        return []
    if lists:
        inner: st.SearchStrategy[Any] = _one(type_name, name, field, depth)
        for _ in range(lists):
            inner = st.lists(inner, max_size=3)
        return draw(inner)
    return draw(_one(type_name, name, field, depth))


def _one(type_name: str, name: str, field: Mapping[str, Any], depth: int) -> st.SearchStrategy[Any]:
    match type_name:
        case "Integer" if name == "date" or name.endswith("_date"):
            return st.integers(0, 2**31) | st.just(0)
        case "Integer" if name == "id" or name.endswith("_id"):
            return _FEW
        case "Integer":
            return st.integers(0, 100) | st.integers(-(2**63), 2**63)
        case "Float":
            return st.floats(-180, 180)
        case "Boolean" | "True":
            return st.just(True) if type_name == "True" else st.booleans()
        case "String" if name in ("type", "status", "source") and (words := _QUOTED.findall(field.get("description", ""))):
            return st.sampled_from(words)
        case "String":
            return _WORDS
        case _ if depth > 2 * _DEEPEST:
            return st.just({})
        case _:
            return objects(type_name, depth + 1)


def updates(kind: str, *, content: str = "") -> st.SearchStrategy[Update]:
    """Updates of one kind; `content` is what their message has for certain."""
    types = next(field["types"] for field in schema()["Update"]["fields"] if field["name"] == kind)
    return st.builds(lambda body: {kind: body}, objects(types[0], 0, content))


def generate(count: int, *, start: int = 1) -> list[tuple[str, Update]]:
    """`count` updates, as many of each kind as of every other; messages take turns in what they carry. Always the same ones."""
    kinds, contents = update_kinds(), message_kinds()
    made: list[tuple[str, Update]] = []
    for at, kind in enumerate(kinds):
        wanted = count // len(kinds) + (at < count % len(kinds))
        turns = contents if kind in MESSAGES else ("",)
        for turn, content in enumerate(turns):
            share = wanted // len(turns) + (turn < wanted % len(turns))
            found = _drawn(updates(kind, content=content), share, salt=at * 1000 + turn) if share else []
            made += [(f"{kind} {content}".strip(), one) for one in found]
    return [(name, {"update_id": start + number, **one}) for number, (name, one) in enumerate(made)]


def _drawn(strategy: st.SearchStrategy[Update], count: int, *, salt: int) -> list[Update]:
    found: list[Update] = []

    @seed(salt)
    @settings(max_examples=count, phases=[Phase.generate], database=None, deadline=None, suppress_health_check=list(HealthCheck))
    @given(strategy)
    def collect(one: Update) -> None:
        found.append(one)

    collect()
    # A kind with few shapes runs out of them: the same content under another number is another update all the same.
    return [found[number % len(found)] for number in range(count)] if found else []
