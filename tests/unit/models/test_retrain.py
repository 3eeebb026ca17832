"""Retraining: what is better is published, what is not waits, and one step leads back."""

import random
import shutil
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from models.artefact import FORMAT, ArtefactRefused
from models.encoder import NullEncoder
from models.gate import Ground
from models.held import Held, fingerprint
from models.registry import Registry
from models.retrain import Outcome, TrainingBusy, retrain
from models.rows import Row
from tests.unit.models.small import category

AT = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
LIFTS = [
    f"{what} {where}"
    for what in ("лифт застрял", "не едет лифт", "двери лифта не закрываются", "лифт стоит")
    for where in ("на третьем", "в корпусе Б", "с утра", "у склада", "второй день", "в холле", "опять", "и гудит", "внизу", "в подвале")
]


SECRET = "a secret of this desk"


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    return Registry(tmp_path, secret=SECRET)


@pytest.fixture(scope="module")
def trained_once(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Outcome]:
    """A home with the first model of the small catalogue, which most tests begin with."""
    home = tmp_path_factory.mktemp("trained")
    return home, train(Registry(home, secret=SECRET), category())


@pytest.fixture
def first(trained_once: tuple[Path, Outcome], registry: Registry, tmp_path: Path) -> Outcome:
    """That model published in the home of this test."""
    home, outcome = trained_once
    shutil.copytree(home, tmp_path, dirs_exist_ok=True)
    return outcome


def train(registry: Registry, rows: list[Row], *, hours: int = 0) -> Outcome:
    labels = {"category": {row.label for row in rows}}
    told = retrain(registry, {"category": rows}, labels=labels, encoder=NullEncoder(), created_at=AT + timedelta(hours=hours))
    return told["category"]


def test_the_first_model_is_published(registry: Registry, first: Outcome) -> None:
    assert first.published
    assert first.comparison.verdict.grounds == (Ground.FIRST,)
    assert registry.current("category") == first.version


@pytest.mark.usefixtures("first")
def test_the_same_rows_are_not_trained_again(registry: Registry) -> None:
    outcome = train(registry, category()[::-1], hours=1)
    assert outcome.version is None
    assert outcome.comparison.verdict.grounds == (Ground.NOTHING_NEW,)


def test_models_of_an_earlier_format_are_trained_again(registry: Registry, first: Outcome, tmp_path: Path) -> None:
    manifest = tmp_path / "models" / "category" / str(first.version) / "manifest.json"
    manifest.write_bytes(manifest.read_bytes().replace(f'"format": {FORMAT}'.encode(), b'"format": 0'))
    manifest.with_suffix(".sig").write_text(registry._sign(manifest.read_bytes()), encoding="ascii")
    with pytest.raises(ArtefactRefused, match="another format"):
        registry.load("category")
    outcome = train(registry, category(), hours=1)
    assert outcome.published
    assert outcome.comparison.verdict.grounds == (Ground.FIRST,)


def test_corrections_of_a_new_class_are_learned_and_one_step_leads_back(registry: Registry, first: Outcome) -> None:
    before = first.version
    outcome = train(registry, [*category(), *(Row(text, "building.lift", "ru", "correction") for text in LIFTS)], hours=1)
    assert outcome.published, outcome.comparison.to_json()
    assert Ground.BETTER_ON_CORRECTIONS in outcome.comparison.verdict.grounds
    loaded = registry.load("category")
    assert loaded is not None
    assert loaded.model.score("лифт не приезжает").label == "building.lift"
    assert registry.rollback("category") == before


def test_a_poisoned_batch_is_refused_and_waits_as_the_challenger(registry: Registry, first: Outcome) -> None:
    rows = category()
    before = first.version
    labels = [row.label for row in rows]
    random.Random(5).shuffle(labels)
    poison = [replace(row, text=f"{row.text} прошу", label=label, source="correction") for row, label in zip(rows, labels, strict=True)]
    outcome = train(registry, [*rows, *poison], hours=1)
    assert not outcome.published, outcome.comparison.to_json()
    assert registry.current("category") == before
    assert registry.challenger("category") == outcome.version
    assert registry.manifest("category", str(outcome.version))["comparison"]["publish"] is False


def test_a_challenger_may_be_published_by_hand_and_taken_back(registry: Registry, first: Outcome) -> None:
    before = first.version
    after = train(registry, [*category(), Row("принтер молчит", "hardware.printer", "ru", "correction")], hours=1).version
    assert registry.current("category") == before
    assert registry.promote("category") == after == registry.current("category")
    assert registry.challenger("category") is None
    assert registry.rollback("category") == before


@pytest.mark.usefixtures("first")
def test_without_a_challenger_nothing_is_published(registry: Registry) -> None:
    with pytest.raises(ArtefactRefused, match="no challenger"):
        registry.promote("category")


def test_a_second_training_is_told(registry: Registry) -> None:
    with registry.training() as alone:
        assert alone
        with pytest.raises(TrainingBusy):
            train(registry, category())


def test_what_was_held_back_is_kept_without_words(registry: Registry, first: Outcome, tmp_path: Path) -> None:
    version = first.version
    assert version is not None
    held = registry.held("category", version)
    assert held is not None
    assert len(held.texts) == 48
    assert fingerprint("Забыл  ПАРОЛЬ") in held.answers
    path = tmp_path / "models" / "category" / version / "held.json"
    assert Held.read(path.read_bytes()) == held
    assert "пароль" not in path.read_text()
    path.write_bytes(path.read_bytes().replace(b"0", b"1"))
    with pytest.raises(ArtefactRefused, match="altered"):
        registry.held("category", version)
