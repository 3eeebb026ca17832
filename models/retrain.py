"""Retraining: train in a child process, compare with what is in use, and publish only what passes the gate."""

import threading
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from models.artefact import HELD, ArtefactRefused
from models.comparison import Comparison, compare, first, unchanged
from models.encoder import Encoder
from models.held import Held
from models.registry import Loaded, Registry
from models.rows import Row, data_hash
from models.training import drafts


class TrainingBusy(Exception):
    """Another training of this desk is under way."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one model: the version that was trained, if any, whether it is in use now, and the comparison."""

    version: str | None
    comparison: Comparison

    @property
    def published(self) -> bool:
        return self.version is not None and self.comparison.verdict.publish

    def to_json(self) -> dict[str, Any]:
        return {"version": self.version, "published": self.published, **self.comparison.to_json()}


def retrain(
    registry: Registry,
    sets: Mapping[str, Sequence[Row]],
    *,
    labels: Mapping[str, Collection[str]],
    encoder: Encoder,
    created_at: datetime,
    stop: threading.Event | None = None,
) -> dict[str, Outcome]:
    """Train every set that changed since its model was trained; raises `TrainingBusy`, or `TrainingFailed` with the child's words.

    Blocks: call it in a thread. `labels` are those the desk has today, by model. What the gate refuses stays as the challenger.
    """
    with registry.training() as alone:
        if not alone:
            raise TrainingBusy
        champions = {name: _champion(registry, name) for name in sets}
        outcomes: dict[str, Outcome] = {}
        changed: dict[str, Sequence[Row]] = {}
        for name, rows in sets.items():
            champion = champions[name]
            told = [row for row in rows if row.text.strip()]
            if champion is not None and champion.manifest["data_hash"] == data_hash(told) and champion.manifest["encoder"] == encoder.name:
                outcomes[name] = Outcome(None, unchanged(champion.version))
            else:
                changed[name] = told
        if changed:
            with drafts(changed, encoder=encoder.dimension > 0, stop=stop) as output:
                for name, rows in changed.items():
                    found = _compared(registry, champions[name], output / name, rows, encoder=encoder, labels=labels.get(name, ()))
                    _name, version = registry.keep(output / name, created_at=created_at, facts={"comparison": found.to_json()})
                    if found.verdict.publish:
                        registry.promote(name)
                    outcomes[name] = Outcome(version, found)
        return {name: outcomes[name] for name in sets}


def _champion(registry: Registry, name: str) -> Loaded | None:
    """The model in use; None before the first training, and where no version can be trusted any more, as after a change of format."""
    try:
        return registry.load(name)
    except ArtefactRefused:
        return None


def _compared(
    registry: Registry, champion: Loaded | None, draft: Path, rows: Sequence[Row], *, encoder: Encoder, labels: Collection[str]
) -> Comparison:
    known = registry.held(champion.name, champion.version) if champion is not None else None
    if champion is None or known is None:
        return first()
    challenger = Held.read((draft / HELD).read_bytes())
    return compare(champion, known, challenger, rows, encoder=encoder, labels=labels)
