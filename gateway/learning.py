"""Learning as people meet it: retraining, publishing, returning, and the words for what the gate decided."""

from collections.abc import Mapping
from typing import Any

from desk_core.kit.errors import DeskError, NotFound
from desk_core.kit.i18n import gettext_noop as _
from desk_core.kit.i18n import translate
from models.artefact import ArtefactRefused
from models.gate import Ground
from models.registry import Registry


class TrainingBroken(DeskError):
    """The training process ended without a model."""

    code, status, text = "training_failed", 500, _("The training did not succeed; the present model stays in use. %(reason)s")


class NoChallenger(NotFound):
    """Nothing was trained that is not in use already."""

    code, text = "no_challenger", _("No trained model is waiting to be published.")


class NoEarlierModel(NotFound):
    """There is nothing to return to."""

    code, text = "no_earlier_model", _("There is no earlier model to return to.")


class NoModel(NotFound):
    """The desk has no such model."""

    code, text = "no_model", _("There is no such model.")


class HeldByTheGate(DeskError):
    """The challenger lost; only an explicit word of a person publishes it."""

    code, status, text = "held_by_the_gate", 409, _("This model did not pass the comparison. %(reason)s")


class Altered(DeskError):
    """A model's files are not what was signed."""

    code, status, text = "model_altered", 409, _("The files of this model are damaged or altered; it is not used.")


_WORDS = {
    Ground.FIRST: _("There was no model to compare with, so this one is in use."),
    Ground.BETTER: _("It reads messages it has not seen better than the one before, and not by chance."),
    Ground.BETTER_ON_CORRECTIONS: _("It follows the latest corrections of operators better, and not by chance."),
    Ground.NOTHING_NEW: _("There is nothing new to learn from since the last training."),
    Ground.NOT_BETTER: _("It is not clearly better than the one in use, so that one stays."),
    Ground.WORSE: _("It reads messages it has not seen worse than the one in use."),
    Ground.WORSE_ON_CORRECTIONS: _("It goes against the latest corrections of operators more often than the one in use."),
    Ground.COLLAPSED: _("It has nearly unlearned these categories: %(labels)s."),
    Ground.NOT_LEARNED: _("It could not learn these categories from their examples: %(labels)s."),
    Ground.LOST: _("It does not know these categories of the desk: %(labels)s."),
}


def verdict_words(language: str, comparison: Mapping[str, Any]) -> str:
    """Why a model was published or kept back, in sentences."""
    labels = ", ".join(comparison["labels"])
    return " ".join(translate(language, _WORDS[Ground(ground)], labels=labels) for ground in comparison["grounds"])


def publish(registry: Registry, name: str, *, language: str, anyway: bool = False) -> str:
    """Put the challenger into use; raises `HeldByTheGate` where it lost, unless a person says `anyway`."""
    version = registry.challenger(name)
    if version is None:
        raise NoChallenger(model=name)
    try:
        comparison = registry.manifest(name, version)["comparison"]
        if not comparison["publish"] and not anyway:
            raise HeldByTheGate(reason=verdict_words(language, comparison))
        return registry.promote(name)
    except ArtefactRefused as refused:
        raise Altered(model=f"{name}/{version}") from refused


def roll_back(registry: Registry, name: str) -> str:
    """Return to the version that the current one replaced."""
    if registry.before(name) is None:
        raise NoEarlierModel(model=name)
    return registry.rollback(name)


def manifest_of(registry: Registry, name: str, version: str | None = None) -> dict[str, Any]:
    """The manifest of a version, the current one by default; raises `NoModel`, or `Altered` where it cannot be trusted."""
    chosen = version or registry.current(name)
    if chosen is None or chosen not in {*registry.versions(name), registry.challenger(name)}:
        raise NoModel(model=f"{name}/{chosen}" if chosen else name)
    try:
        return registry.manifest(name, chosen)
    except ArtefactRefused as refused:
        raise Altered(model=f"{name}/{chosen}") from refused
