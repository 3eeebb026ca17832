"""What is out of scope is told from what is not by both models together; courtesy stays courtesy."""

from dataclasses import dataclass
from typing import Any

import pytest

from models.evaluate import Thresholds
from models.registry import Loaded
from models.scoring import Scored
from nlu.triage import TriageEngine
from nlu.understood import CategoryDef, Intent

CATALOGUE = {
    "hardware.printer": CategoryDef("hardware.printer", "hardware", {}, "incident", "individual", "medium", "printer"),
    "general.question": CategoryDef("general.question", "general", {}, "question", "individual", "low", None),
    "general.complaint": CategoryDef("general.complaint", "general", {}, "complaint", "individual", "medium", None),
}


@dataclass
class Says:
    """A model that says one thing of every text."""

    scored: Scored
    uses_encoder: bool = False

    def score(self, text: str, vector: Any = None, *, top: int = 3, reasons: int = 0) -> Scored:
        return self.scored


def judged(
    text: str,
    *,
    intent: tuple[str, float],
    topic: tuple[str, float],
    outside: float | None,
    similar: float | None = 0.6,
    next_one: float = 0.0,
) -> Intent:
    """The intent where the intent model says the one (and gives "out of scope" `next_one`) and the category model the other."""
    told = (intent, ("out_of_scope", next_one)) if next_one else (intent,)
    limits = Thresholds(act=0.5, suggest=0.2, familiar=0.4, similar=0.4)
    models: list[Any] = [Says(Scored((topic,), 1.0, similar, outside=outside)), Says(Scored(told, 1.0, similar))]
    category, said = (Loaded(name, "1", model, limits, {}) for name, model in zip(("category", "intent"), models, strict=True))
    return TriageEngine(category_model=category, intent_model=said, catalogue=CATALOGUE).triage(text, language="ru").intent


@pytest.mark.parametrize(
    ("intent", "next_one", "topic", "outside", "expected"),
    [
        (("report", 0.5), 0.45, ("hardware.printer", 0.4), 0.95, Intent.OUT_OF_SCOPE),  # neither is first, together they tell
        (("status", 0.6), 0.3, ("hardware.printer", 0.4), 0.95, Intent.OUT_OF_SCOPE),
        (("report", 0.8), 0.15, ("hardware.printer", 0.97), 0.5, Intent.REPORT),  # a topic that is sure of itself stands
        (("out_of_scope", 0.8), 0.0, ("hardware.printer", 0.4), 0.4, Intent.OUT_OF_SCOPE),  # both lean that way
        (("out_of_scope", 0.5), 0.0, ("hardware.printer", 0.98), 0.05, Intent.REPORT),  # the other model knows better
        (("out_of_scope", 0.6), 0.0, ("hardware.printer", 0.9), None, Intent.REPORT),  # nothing learned: a clear topic goes first
        (("out_of_scope", 0.8), 0.0, ("hardware.printer", 0.9), None, Intent.OUT_OF_SCOPE),
        (("thanks", 0.95), 0.0, ("hardware.printer", 0.9), 0.95, Intent.THANKS),  # courtesy is no topic's, however sure one is
        (("thanks", 0.95), 0.0, ("hardware.printer", 0.9), 0.1, Intent.REPORT),
        (("thanks", 0.7), 0.0, ("hardware.printer", 0.3), 0.6, Intent.REPORT),
    ],
)
def test_both_models_decide_what_is_outside(
    intent: tuple[str, float], next_one: float, topic: tuple[str, float], outside: float | None, expected: Intent
) -> None:
    assert judged("несколько слов о чём-то", intent=intent, next_one=next_one, topic=topic, outside=outside) is expected


def test_what_is_like_nothing_known_is_outside_on_a_hint() -> None:
    said: dict[str, Any] = {"intent": ("report", 0.9), "topic": ("hardware.printer", 0.3), "outside": 0.2}
    assert judged("слова", next_one=0.08, similar=0.2, **said) is Intent.OUT_OF_SCOPE
    assert judged("слова", next_one=0.08, similar=0.6, **said) is Intent.REPORT
    assert judged("слова", next_one=0.005, similar=0.2, **said) is Intent.REPORT


@pytest.mark.parametrize(
    ("topic", "expected"), [("general.complaint", Intent.COMPLAINT), ("general.question", Intent.ASK), ("hardware.printer", Intent.REPORT)]
)
def test_the_kind_of_a_clear_topic_says_what_telling_it_is(topic: str, expected: Intent) -> None:
    assert judged("несколько слов о чём-то", intent=("report", 0.9), topic=(topic, 0.9), outside=0.01) is expected
    assert judged("несколько слов о чём-то", intent=("report", 0.9), topic=(topic, 0.3), outside=0.01) is Intent.REPORT


def test_a_question_about_a_topic_is_asked_and_not_reported() -> None:
    assert judged("как печатать с двух сторон?", intent=("report", 0.9), topic=("hardware.printer", 0.9), outside=0.01) is Intent.ASK
