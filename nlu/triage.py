"""Triage of one text: intent, category, priority and danger, each with its confidence and its reasons."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from models.encoder import Encoder, NullEncoder
from models.registry import Loaded
from models.scoring import Scored
from nlu import asking, cues, lexicon, reasons, sentiment
from nlu.text import has_words, normalise
from nlu.understood import Band, CategoryDef, Guess, Intent, Reason, Triage

_GREETING = re.compile(
    r"^(?:(?:здравствуйте|здравствуй|добрый (?:день|вечер)|доброе утро|доброго (?:дня|времени суток)|приветствую|привет|"
    r"коллеги|уважаемые коллеги|"
    r"hello|hi|hey|good (?:morning|afternoon|evening)|dear (?:team|support|colleagues))"
    r"(?: (?:всем|коллеги|there|all|team|everyone))?[\s,.!)–-]+)+",
    re.IGNORECASE,
)
# A turn with one of these intents tells something that belongs into a category.
_TELLING = frozenset({Intent.REPORT, Intent.ASK, Intent.COMPLAINT, Intent.ADD_DETAILS, Intent.UNKNOWN})
# A courtesy or a command is short. In a longer text the words around it are the message.
_SHORT_ONLY = frozenset(
    {
        Intent.GREET,
        Intent.THANKS,
        Intent.CONFIRM,
        Intent.DENY,
        Intent.BACK,
        Intent.SKIP,
        Intent.CANCEL,
        Intent.EDIT,
        Intent.HELP,
        Intent.LANGUAGE,
    }
)
_SHORT_WORDS = 8
_INTENT_SURE = 0.5
_OUTSIDE_SURE = 0.5
_OUTSIDE_CLEAR = 0.75
# Whether a text is outside is told by three: what the intent model gives "out of scope", what the category model learned of rejected
# examples, and how sure of its topic it is. A logistic line over their log odds, fitted on the shipped examples held back in four folds:
# from .35 on it finds 87 of 100 of what is outside, half of which was written to be mistaken, and 3 of 100 that are not. A hint is enough
# where nothing known is like the text.
_OUTSIDE_LINE = (0.5, 0.8, 0.1, -0.4)
_OUTSIDE_LEARNED = 0.35
_OUTSIDE_HINTED = 0.1
_COURTESY_SURE = 0.9
# Intents whose words a topic may overrule as being outside; courtesy and commands are answered as what they are.
_OUTSIDE_HIDES = frozenset({*_TELLING, Intent.STATUS, Intent.EDIT, Intent.OUT_OF_SCOPE})
_PERSON_SURE = 0.7  # a category that wants a person at once is believed from here on
_REASONS = 3
_INTENTS = 50  # all of them: what the model gives "out of scope" counts even where it is not the first
_WEIGHED = 10  # words, of which those are shown that mean something


@dataclass(frozen=True, slots=True)
class _Topic:
    """The category part of a triage."""

    ranked: tuple[Guess, ...]
    band: Band
    strange: bool
    outside: float | None = None  # the learned chance that no topic fits, where there were enough examples to learn it


_NOTHING = _Topic((), Band.ASK, strange=False)


class TriageEngine:
    """Scores a text with whatever models the desk has; with none, everything is a report without category."""

    def __init__(
        self,
        *,
        category_model: Loaded | None,
        intent_model: Loaded | None,
        catalogue: Mapping[str, CategoryDef],
        encoder: Encoder | None = None,
    ) -> None:
        self._category = category_model
        self._intent = intent_model
        self._catalogue = catalogue
        self._encoder: Encoder = encoder if encoder is not None else NullEncoder()

    @classmethod
    def null(cls, catalogue: Mapping[str, CategoryDef] | None = None) -> "TriageEngine":
        """An engine with nothing trained: fixed phrases and rules only."""
        return cls(category_model=None, intent_model=None, catalogue=catalogue or {})

    @property
    def model(self) -> str:
        """Which versions are in use, as tickets record it."""
        return " ".join(loaded.title for loaded in (self._category, self._intent) if loaded is not None)

    def triage(self, text: str, *, language: str) -> Triage:
        """Understand one text; one model serves both languages. Odd input never fails: what has no words is an unknown intent."""
        given, text = text, normalise(text)
        read = cues.read(text)
        danger = next((cue for cue in read if cue.kind == "danger"), None)
        fixed = lexicon.intent_of(text)
        if fixed is not None and danger is None:
            return Triage(fixed, 1.0, None, 0.0, Band.ASK, model=self.model, explain=lambda: (Reason("rule", text, 1.0),))
        if not has_words(text):
            return Triage(Intent.UNKNOWN, 0.0, None, 0.0, Band.ASK, model=self.model)
        body = _body(text)
        vector = self._encoder.encode_one(body) if self._needs_vector else None
        topic = self._topic(self._category.model.score(body, vector, top=3)) if self._category is not None else None
        scored = self._intent.model.score(body, vector, top=_INTENTS) if self._intent is not None else None
        intent, sure = self._choose_intent(body, scored, topic)
        if danger is not None:
            intent = Intent.REPORT
        told = topic if topic is not None and intent in _TELLING else _NOTHING
        guesses, band = told.ranked, told.band
        if band is Band.ACT and len(body.split()) < 2:
            band = Band.SUGGEST  # one word names a topic, not a problem
        best = guesses[0] if guesses else None
        known = self._catalogue.get(best.label) if best else None
        sure_of_topic = best.confidence if best else 0.0
        urgent = next((cue for cue in read if cue.kind == "urgency"), None)
        wide = next((cue for cue in read if cue.kind == "impact"), None)
        return Triage(
            intent=intent,
            intent_confidence=round(sure, 4),
            category=best.label if best else None,
            confidence=sure_of_topic,
            band=band,
            categories=guesses,
            kind=known.kind if known else "question" if intent is Intent.ASK else "incident",
            impact=wide.value if wide else known.impact if known else "individual",
            urgency=urgent.value if urgent else known.urgency if known else "medium",
            human_now=danger is not None or bool(known and known.human_now and band is Band.ACT and sure_of_topic >= _PERSON_SURE),
            model=self.model,
            mood=sentiment.read(text).mood,
            familiarity=scored.familiarity if scored is not None and scored.similarity is None else 1.0,
            explain=partial(self._explain, given, body, best.label if best else None, read),
        )

    def glance(self, text: str) -> Guess | None:
        """The topic that the words of a text alone speak for, at a tenth of the cost of a triage; None without a model of topics."""
        if self._category is None:
            return None
        scored = self._category.model.score(_body(normalise(text)), top=1)
        return Guess(scored.label, scored.confidence)

    @property
    def _needs_vector(self) -> bool:
        return any(loaded is not None and loaded.model.uses_encoder for loaded in (self._category, self._intent))

    def _topic(self, scored: Scored) -> _Topic:
        loaded = self._category
        if loaded is None:
            return _Topic((), Band.ASK, strange=True)
        limits = loaded.thresholds
        sure = scored.confidence
        if scored.similarity is not None:
            strange = sure < limits.act and scored.similarity < limits.similar
        else:
            strange = sure < limits.suggest and scored.familiarity < limits.familiar
        return _Topic(
            tuple(Guess(label, round(value, 4)) for label, value in scored.ranked),
            Band.ACT if sure >= limits.act else Band.SUGGEST if sure >= limits.suggest else Band.ASK,
            strange,
            scored.outside,
        )

    def _explain(self, text: str, body: str, label: str | None, read: Sequence[cues.Cue]) -> tuple[Reason, ...]:
        """The words of a text that speak for its topic, and what its rules read."""
        words: tuple[Reason, ...] = ()
        if self._category is not None and label is not None:
            words = reasons.terms(text, self._category.model.explain(body, label, limit=_WEIGHED), limit=_REASONS)
        return (*words, *(Reason("rule", f"{cue.words} → {cue.kind}: {cue.value}", 1.0) for cue in read))

    def _choose_intent(self, body: str, scored: Scored | None, topic: _Topic | None) -> tuple[Intent, float]:
        if scored is None:
            return (Intent.ASK if lexicon.is_question(body) else Intent.REPORT), 0.0
        sure, intent = scored.confidence, _intent(scored.label)
        if intent in _SHORT_ONLY and (len(body.split()) > _SHORT_WORDS or (topic is not None and _has_story(sure, topic))):
            if intent is not Intent.HELP or self._kind(topic) != "question":  # "what may I ask?" is near to what people ask
                intent = Intent.REPORT
        elif intent in _OUTSIDE_HIDES:
            outside = _outside(scored, topic)
            if outside is not None:
                return Intent.OUT_OF_SCOPE, outside
            if intent is Intent.OUT_OF_SCOPE:  # then it tells something; a command is not carried out on a second guess
                told = (_intent(label) for label, _ in scored.ranked[1:2])
                intent = next((one for one in told if one in _TELLING), Intent.REPORT)
        if intent not in _TELLING and sure < _INTENT_SURE:
            intent = Intent.REPORT
        if intent in {Intent.REPORT, Intent.ASK}:
            return self._told_as(body, topic) or intent, sure
        return intent, sure

    def _told_as(self, body: str, topic: _Topic | None) -> Intent | None:
        """What kind of telling a text is, by its topic and by how it is put; None where neither says."""
        said = asking.told_as(body, self._kind(topic))
        return None if said is Intent.REPORT else said

    def _kind(self, topic: _Topic | None) -> str:
        """The kind of a topic that is clear; an incident where none is."""
        best = topic.ranked[0].label if topic is not None and topic.ranked and topic.band is Band.ACT else None
        known = self._catalogue.get(best) if best else None
        return known.kind if known is not None else "incident"


def _body(text: str) -> str:
    """A text without its greeting, unless it is nothing else."""
    return _GREETING.sub("", text) or text


def _intent(label: str) -> Intent:
    try:
        return Intent(label)
    except ValueError:  # an intent of the desk's own that the dialogue has no answer to yet
        return Intent.REPORT


def _has_story(sure: float, topic: _Topic) -> bool:
    """Whether a text that looks like courtesy has a topic in it; where the intent is clear, a topic has to be clear too."""
    if sure < _COURTESY_SURE:
        return topic.band is not Band.ASK
    return topic.band is Band.ACT and (topic.outside is None or topic.outside < _OUTSIDE_SURE)


def _outside(scored: Scored, topic: _Topic | None) -> float | None:
    """How sure it is that a text lies beyond what the desk does; None where it does not seem so."""
    said = dict(scored.ranked).get(Intent.OUT_OF_SCOPE, 0.0)
    if topic is None:
        return said if said >= _OUTSIDE_SURE else None
    if topic.outside is None:
        # The category model knows no outside here and is often sure of nonsense, so a clear word of the intent model goes first.
        clear = said >= _OUTSIDE_CLEAR or (said >= _OUTSIDE_SURE and topic.band is not Band.ACT)
        return said if clear or topic.strange else None
    bias, *factors = _OUTSIDE_LINE
    best = topic.ranked[0].confidence if topic.ranked else 0.0
    odds = bias + sum(factor * _log_odds(chance) for factor, chance in zip(factors, (said, topic.outside, best), strict=True))
    chance = 1 / (1 + math.exp(-odds))
    return chance if chance >= (_OUTSIDE_HINTED if topic.strange else _OUTSIDE_LEARNED) else None


def _log_odds(chance: float) -> float:
    kept = min(max(chance, 1e-4), 1 - 1e-4)
    return math.log(kept / (1 - kept))
