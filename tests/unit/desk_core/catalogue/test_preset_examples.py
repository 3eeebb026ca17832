"""The shipped presets keep what they promise: enough of everything, no example twice in other clothes, none from the public sets."""

import csv
import json
import os
from collections import defaultdict
from collections.abc import Iterator
from itertools import combinations
from math import ceil
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from desk_core.catalogue.preset_check import normalised
from desk_core.catalogue.presets import Preset, check_preset, load_preset

ROOT = Path(__file__).resolve().parents[4]
DATA = Path(os.environ.get("PRIYOM_DATA") or ROOT.parent / "shared" / "data")
TEXT_SETS = ("banking77", "clinc150", "hwu64", "ru_intents_hwu", "ru_rutube_support", "stackfaq")
NEAR = 0.9


class Promise(NamedTuple):
    categories: int
    forms: int
    examples: int
    articles: int


PROMISES = {"it_service_desk": Promise(23, 15, 60, 50), "customer_care": Promise(20, 16, 40, 60)}


@pytest.fixture(scope="module", params=PROMISES)
def preset(request: pytest.FixtureRequest) -> Preset:
    return load_preset(ROOT / "presets" / request.param)


def second_level(preset: Preset) -> list[str]:
    return [category.key for category in preset.categories if category.parent is not None]


def tokens(text: str) -> frozenset[str]:
    return frozenset(normalised(text).split())


def near(one: frozenset[str], other: frozenset[str]) -> bool:
    return len(one & other) > NEAR * len(one | other)


def strings(value: Any) -> Iterator[str]:
    """Every text inside a value read from JSON."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from strings(inner)


def public_rows() -> Iterator[str]:
    """Every text of the public sets beside the repository (or in PRIYOM_DATA); nothing where there are none."""
    for path in sorted(path for name in TEXT_SETS for path in (DATA / name).glob("*")):
        if path.suffix == ".csv":
            with path.open(encoding="utf-8", newline="") as file:
                for row in csv.reader(file):
                    yield from row
        elif path.suffix == ".jsonl":
            for line in path.read_text(encoding="utf-8").splitlines():
                yield from strings(json.loads(line))
        elif path.suffix == ".json":
            yield from strings(json.loads(path.read_text(encoding="utf-8")))


@pytest.fixture(scope="module")
def public() -> dict[str, list[frozenset[str]]]:
    """The public texts by each of their words."""
    found: dict[str, list[frozenset[str]]] = defaultdict(list)
    for text in {tokens(row) for row in public_rows()}:
        for token in text:
            found[token].append(text)
    return found


def copied(text: str, public: dict[str, list[frozenset[str]]]) -> bool:
    """Two texts that share more than NEAR of their words share one of the first few rare ones, so only those are looked up."""
    words = tokens(text)
    rare = sorted(words, key=lambda word: (len(public.get(word, ())), word))[: len(words) - ceil(NEAR * len(words)) + 1]
    return any(near(words, other) for word in rare for other in public.get(word, ()))


def test_it_has_no_problem(preset: Preset) -> None:
    assert [str(problem) for problem in check_preset(ROOT / "presets" / preset.key)] == []


def test_it_has_as_much_as_promised(preset: Preset) -> None:
    promise, keys = PROMISES[preset.key], second_level(preset)
    assert len(keys) >= promise.categories
    assert len(preset.forms) >= promise.forms
    for language in ("ru", "en"):
        few = {key: len(preset.examples[key, language]) for key in keys if len(preset.examples[key, language]) < promise.examples}
        assert few == {}
        assert len([article for article in preset.articles if article.language == language]) >= promise.articles


def test_no_category_says_the_same_twice(preset: Preset) -> None:
    twice = [
        (key, language, one, other)
        for key in second_level(preset)
        for language in ("ru", "en")
        for one, other in combinations(preset.examples[key, language], 2)
        if near(tokens(one), tokens(other))
    ]
    assert twice == []


def test_no_topic_example_comes_from_the_public_sets(preset: Preset, public: dict[str, list[frozenset[str]]]) -> None:
    taken = [
        (key, text)
        for key in second_level(preset)
        for language in ("ru", "en")
        for text in preset.examples[key, language]
        if copied(text, public)
    ]
    assert taken == []


def test_a_copy_of_a_public_row_would_be_noticed() -> None:
    row = "a made up row of ten or more plain words that nobody wrote"
    found = {token: [tokens(row)] for token in tokens(row)}
    assert copied(row.upper() + "!", found)
    assert not copied("something else entirely", found)
