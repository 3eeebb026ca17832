"""A model is published whole, loaded only when unaltered, and can be taken back."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from models.artefact import FORMAT, ArtefactRefused, Draft, write_draft
from models.encoder import NullEncoder
from models.registry import Registry
from models.rows import data_hash, read_rows, write_rows
from models.train import fit, main
from models.training import TrainingFailed, train_and_publish
from tests.unit.models.small import HashEncoder, category

AT = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def draft() -> Draft:
    return fit(category(), encoder=NullEncoder())


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    return Registry(tmp_path, secret="a secret of this desk")


def test_nothing_is_loaded_before_the_first_training(registry: Registry) -> None:
    assert registry.load("category") is None
    assert registry.versions("category") == []


def test_a_published_model_scores_as_before(registry: Registry, draft: Draft) -> None:
    version = registry.publish(draft, created_at=AT)
    loaded = registry.load("category")
    assert loaded is not None
    assert loaded.version == version == f"20261123-120000-{draft.data_hash[:8]}"
    assert loaded.model.score("застряла бумага").ranked == draft.model.score("застряла бумага").ranked
    assert loaded.thresholds == draft.thresholds
    assert loaded.manifest["created_at"] == AT.isoformat()


def test_the_encoder_half_survives_the_disk(registry: Registry) -> None:
    encoder = HashEncoder()
    trained = fit(category(), encoder=encoder)
    registry.publish(trained, created_at=AT)
    loaded = registry.load("category")
    assert loaded is not None
    vector = encoder.encode_one("vpn error")
    assert loaded.model.score("vpn error", vector).confidence == pytest.approx(
        trained.model.score("vpn error", vector).confidence, abs=1e-6
    )


@pytest.mark.parametrize("name", ["arrays.npz", "manifest.json", "manifest.sig"])
def test_an_altered_file_is_refused(registry: Registry, draft: Draft, tmp_path: Path, name: str) -> None:
    version = registry.publish(draft, created_at=AT)
    path = tmp_path / "models" / "category" / version / name
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(bytes(data))
    with pytest.raises(ArtefactRefused):
        registry.load("category")


@pytest.mark.parametrize("name", ["arrays.npz", "manifest.json", "manifest.sig"])
def test_a_missing_file_is_refused(registry: Registry, draft: Draft, tmp_path: Path, name: str) -> None:
    (tmp_path / "models" / "category" / registry.publish(draft, created_at=AT) / name).unlink()
    with pytest.raises(ArtefactRefused):
        registry.load("category")


def test_a_model_signed_with_another_key_is_refused(tmp_path: Path, draft: Draft) -> None:
    Registry(tmp_path, secret="of somebody else").publish(draft, created_at=AT)
    with pytest.raises(ArtefactRefused, match="signature"):
        Registry(tmp_path, secret="ours").load("category")


def test_a_model_moved_under_another_name_or_version_is_refused(registry: Registry, draft: Draft, tmp_path: Path) -> None:
    version = registry.publish(draft, created_at=AT)
    (tmp_path / "models" / "category" / version).rename(tmp_path / "models" / "category" / "20270101-000000-newer")
    with pytest.raises(ArtefactRefused, match="another model"):
        registry.load_version("category", "20270101-000000-newer")


def test_a_broken_model_falls_back_to_the_one_before_and_says_so(registry: Registry, draft: Draft, tmp_path: Path) -> None:
    first = registry.publish(draft, created_at=AT)
    second = registry.publish(draft, created_at=AT + timedelta(hours=1))
    (tmp_path / "models" / "category" / second / "arrays.npz").write_bytes(b"not a model")
    loaded = registry.load("category")
    assert loaded is not None
    assert loaded.version == first
    assert [refusal.name for refusal in loaded.refused] == [f"category/{second}"]


def test_rollback_returns_to_the_version_before(registry: Registry, draft: Draft) -> None:
    first = registry.publish(draft, created_at=AT)
    registry.publish(draft, created_at=AT + timedelta(hours=1))
    assert registry.rollback("category") == first == registry.current("category")
    with pytest.raises(ArtefactRefused, match="no earlier"):
        registry.rollback("category")


def test_what_an_earlier_release_left_is_no_version_to_return_to(registry: Registry, draft: Draft, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = registry.publish(draft, created_at=AT)
    for module in ("artefact", "registry"):
        monkeypatch.setattr(f"models.{module}.FORMAT", FORMAT - 1)
    registry.publish(draft, created_at=AT + timedelta(hours=1))
    for module in ("artefact", "registry"):
        monkeypatch.setattr(f"models.{module}.FORMAT", FORMAT)
    now = registry.publish(draft, created_at=AT + timedelta(hours=2))
    assert [manifest["version"] for manifest in registry.usable("category")] == [now, kept]
    assert registry.before("category") == kept


def test_two_trainings_in_one_second_both_keep_their_place(registry: Registry, draft: Draft) -> None:
    assert registry.publish(draft, created_at=AT) != registry.publish(draft, created_at=AT)
    assert len(registry.versions("category")) == 2


def test_a_draft_that_does_not_hold_together_is_not_published(registry: Registry, draft: Draft, tmp_path: Path) -> None:
    folder = tmp_path / "draft"
    write_draft(folder, draft)
    manifest = json.loads((folder / "manifest.json").read_text())
    (folder / "manifest.json").write_text(json.dumps(manifest | {"classes": ["only one"]}))
    with pytest.raises(ArtefactRefused, match="do not fit"):
        registry.publish(folder, created_at=AT)
    assert registry.versions("category") == []
    assert [entry.name for entry in (tmp_path / "models" / "category").iterdir()] == []


@pytest.mark.parametrize("name", ["../category", "Category", "", "a/b", "."])
def test_a_name_that_is_a_path_is_refused(registry: Registry, name: str) -> None:
    with pytest.raises(ArtefactRefused):
        registry.load(name)


def test_the_card_tells_figures_and_labels(registry: Registry, draft: Draft, tmp_path: Path) -> None:
    version = registry.publish(draft, created_at=AT)
    text = (tmp_path / "models" / "category" / version / "card.md").read_text(encoding="utf-8")
    assert "| accuracy |" in text
    assert "| hardware.printer | 16 |" in text
    assert "принтер" not in text  # no words of people


def test_rows_survive_the_disk(tmp_path: Path) -> None:
    write_rows(tmp_path / "rows.json", {"category": category()})
    assert read_rows(tmp_path / "rows.json") == {"category": category()}
    assert data_hash(category()) == data_hash(category()[::-1])


def test_the_child_process_trains_and_the_desk_publishes(registry: Registry) -> None:
    versions = train_and_publish(registry, {"category": category()}, created_at=AT, encoder=False)
    loaded = registry.load("category")
    assert loaded is not None
    assert versions == {"category": loaded.version}
    assert loaded.model.score("сбросьте пароль").label == "access.password"


def test_a_refused_training_says_why_and_leaves_the_old_model(registry: Registry, draft: Draft) -> None:
    version = registry.publish(draft, created_at=AT)
    with pytest.raises(TrainingFailed, match="two labels"):
        train_and_publish(registry, {"category": category()[:3]}, created_at=AT, encoder=False)
    assert registry.current("category") == version


def test_the_command_answers_with_a_code(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_rows(tmp_path / "rows.json", {"category": category()[:1]})
    assert main(["--input", str(tmp_path / "rows.json"), "--output", str(tmp_path / "out"), "--no-encoder"]) == 2
    assert "refused category" in capsys.readouterr().out
