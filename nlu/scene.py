"""One turn being thought about: what is known, what was heard, in which language, and how a `Turn` is put together."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from desk_core.kit.i18n import translate
from nlu import forms, labels, lexicon, sentiment
from nlu.text import SENTENCE_END
from nlu.tried import tried
from nlu.turn import Action, AddToTicket, Button, DialogueState, HandOver, Heard, Manner, OpenTicket, Phase, Say, Snapshot, Turn
from nlu.understood import Band, CategoryDef, FormDef, Intent, Tools, Triage

SUBJECT_LENGTH = 80
# What a state may carry from turn to turn; the messages themselves are kept whole by the desk.
STORY_LENGTH = 12_000
# Models and search judge by the beginning; the rest of a very long text is logs.
JUDGED_LENGTH = 4_000
MAX_QUESTIONS = 3
MODELS_BEST = 0.9999
# Slots of ours that stand beside the slots of a form; no slot of a form starts with "@".
PROBLEM = "@problem"
CATEGORY = "@category"
SPLIT = "@split"  # "one request or two?", where a letter asks all its questions at once
TWO_TOPICS = "two_topics"  # the tag by which people see that a request may be two
BUILDING = frozenset({Phase.PROBLEM, Phase.ARTICLES, Phase.FORM, Phase.SUMMARY})

Buttons = tuple[tuple[Button, ...], ...]

_UNSTORABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff]")
_GREETING_START = re.compile(
    r"^(?:здравствуйте|здравствуй|привет(?:ствую)?|добр(?:ый|ое|ого)\s+(?:день|вечер|утро|дня|времени\s+суток)|коллеги|уважаемые\s+коллеги|всем\s+привет|"
    r"hi(?:\s+(?:there|all|team|everyone))?|hello(?:\s+(?:there|all|team|everyone))?|hey|dear\s+\w+|good\s+(?:morning|afternoon|evening|day)|greetings)\b[\s,.!:;-]*",
    re.IGNORECASE,
)


def storable(text: str) -> str:
    """A text without what neither store nor JSON can hold."""
    return _UNSTORABLE.sub("", text)


def subject_of(text: str, fallback: str = "") -> str:
    """The first meaningful sentence of a text, at most 80 characters."""
    first = ""
    for piece in SENTENCE_END.split(text[:JUDGED_LENGTH]):
        sentence = " ".join(_GREETING_START.sub("", piece.strip()).split())
        if lexicon.word_count(sentence) >= 2 and lexicon.intent_of(sentence) is None and not lexicon.is_vague(sentence):
            first = sentence
            break
        if not first and lexicon.word_count(sentence) >= 1:
            first = sentence
    return shortened(first.rstrip(".") or " ".join(text.split())[:SUBJECT_LENGTH] or fallback, SUBJECT_LENGTH)


def shortened(text: str, length: int) -> str:
    """A text cut at a word, with an ellipsis where something was cut."""
    if len(text) <= length:
        return text
    cut = text[: length - 1]
    head, _, _ = cut.rpartition(" ")
    return (head if len(head) > length // 2 else cut).rstrip(" ,;:-") + "…"


@dataclass(slots=True)
class Scene:
    """A snapshot, what was heard, and the tools, with answers of the models kept for the turn."""

    snapshot: Snapshot
    heard: Heard
    tools: Tools
    language: str
    _judged: dict[str, Triage] = field(default_factory=dict)

    @property
    def state(self) -> DialogueState:
        return self.snapshot.state

    @property
    def text(self) -> str:
        return self.heard.text

    @property
    def triage(self) -> Triage:
        """What the models think of this turn's text alone."""
        return self.judge(self.text)

    def judge(self, text: str) -> Triage:
        """What the models think of a text; asked once a turn for each text."""
        sample = text[:JUDGED_LENGTH]
        if sample not in self._judged:
            self._judged[sample] = self.tools.triage(sample, language=self.language)
        return self._judged[sample]

    def say(self, key: str, *, buttons: Iterable[Iterable[Button]] = (), text: str | None = None, **params: Any) -> Say:
        return Say(key=key, params=params, text=text, buttons=tuple(row for row in (tuple(row) for row in buttons) if row))

    def own(self, key: str, message: str, *, buttons: Iterable[Iterable[Button]] = (), **params: object) -> Say:
        """A small question of the dialogue's own, translated here; a desk may still word it in its replies under the key."""
        return self.say(key, text=translate(self.language, message, **params), buttons=buttons)

    def button(self, name: str, **value: Any) -> Button:
        """A button whose word and action have the same name."""
        return Button(label=labels.label(self.language, name), action=name, value=value)

    def titled(self, titles: Mapping[str, str], fallback: str) -> str:
        """A title in the language of the turn, else in any."""
        return titles.get(self.language) or next((title for title in titles.values() if title), fallback)

    def form(self, state: DialogueState) -> FormDef | None:
        return self.tools.form(state.category) if state.category else None

    def example(self) -> str:
        return translate(self.language, labels.EXAMPLE)

    def turn(
        self,
        state: DialogueState,
        *replies: Say,
        actions: Iterable[Action] = (),
        intent: Intent | None = None,
    ) -> Turn:
        judged = self._judged.get(self.text[:JUDGED_LENGTH])
        return Turn(
            language=self.language,
            intent=intent or (judged.intent if judged else Intent.UNKNOWN),
            state=state,
            replies=replies,
            actions=tuple(actions),
            triage=judged,
            known="\n".join(forms.summary_lines(self.form(state), state, language=self.language)) if state.phase is Phase.FORM else "",
        )


def told(state: DialogueState, text: str, *, attachments: int = 0) -> DialogueState:
    """The state with another paragraph of the story."""
    story = "\n".join(part for part in (state.text, text.strip()) if part)[:STORY_LENGTH]
    return replace(state, text=story, attachments=state.attachments + attachments)


def judged(state: DialogueState, triage: Triage, *, category: CategoryDef | None) -> DialogueState:
    """The state with what the models think of its story; an unsure category is kept among the alternatives only."""
    sure = triage.band is not Band.ASK and category is not None
    return replace(
        state,
        category=triage.category if sure else None,
        # Only what a person chose is certain, however sure a model is.
        confidence=min(triage.confidence, MODELS_BEST) if sure else 0.0,
        kind=triage.kind,
        impact=triage.impact,
        urgency=triage.urgency,
        reasons=tuple({"kind": reason.kind, "text": reason.text, "weight": reason.weight} for reason in triage.reasons),
        alternatives=tuple({"label": guess.label, "confidence": guess.confidence} for guess in triage.categories),
        model=triage.model,
    )


def classified(state: DialogueState, category: CategoryDef, *, confidence: float = 1.0) -> DialogueState:
    """The state under a category that a person chose."""
    return replace(
        state, category=category.key, confidence=confidence, kind=category.kind, impact=category.impact, urgency=category.urgency
    )


def opened(
    state: DialogueState,
    *,
    form: FormDef | None,
    language: str,
    tags: tuple[str, ...] = (),
    questions: tuple[str, ...] = (),
    articles: tuple[str, ...] = (),
) -> OpenTicket:
    """The request a state amounts to, with everything collected; answers move impact and urgency where the form says so."""
    impact, urgency = state.impact, state.urgency
    for slot in form.slots if form else ():
        moved = slot.sets.get(state.slots.get(slot.name, ""), {})
        impact, urgency = moved.get("impact", impact), moved.get("urgency", urgency)
    unnamed = translate(language, labels.SUBJECT_FILES if state.attachments else labels.SUBJECT_UNNAMED)
    return OpenTicket(
        subject=shortened(state.subject, SUBJECT_LENGTH) or subject_of(state.text, unnamed),
        text=state.text,
        category=state.category,
        kind=state.kind,
        impact=impact,
        urgency=urgency,
        slots=dict(state.slots),
        confidence=state.confidence,
        reasons=state.reasons,
        alternatives=state.alternatives,
        model=state.model,
        tags=tags,
        shown=state.shown,
        read=state.read,
        refused=state.refused,
        tried=tried(state.text),
        mood=sentiment.read(state.text).mood,
        questions=questions,
        articles=articles,
    )


def filed(state: DialogueState, *, tools: Tools, language: str, tags: tuple[str, ...] = ("unfinished",)) -> OpenTicket:
    """An unfinished form as the request it has become so far; the flow files it when the person does not come back."""
    return opened(state, form=tools.form(state.category) if state.category else None, language=language, tags=tags)


def hand_over(scene: Scene, state: DialogueState, *, reason: str, intent: Intent | None = None) -> Turn:
    """Give the conversation to people with everything collected; the flow fills `number` and `when` of the reply."""
    key = "human" if scene.snapshot.working_now else "human_out_of_hours"
    active = scene.snapshot.active if state.phase not in BUILDING else None
    if active is not None:
        # Words of this turn go to the request; those that waited for a choice come with them.
        words = scene.state.text if scene.state.phase is Phase.CHOOSING else ""
        heard = (AddToTicket(ticket_id=active.ticket_id, text=words),) if scene.text or scene.heard.attachments or words else ()
        return scene.turn(DialogueState(), scene.say(key, number=active.number), actions=(*heard, HandOver(reason=reason)), intent=intent)
    if not state.subject and lexicon.intent_of(state.text) is Intent.HUMAN:
        state = replace(state, subject=translate(scene.language, labels.SUBJECT_HUMAN))
    ticket = opened(state, form=scene.form(state), language=scene.language)
    if not ticket.text and not state.attachments:
        ticket = replace(ticket, subject=translate(scene.language, labels.SUBJECT_HUMAN))
    return scene.turn(DialogueState(), scene.say(key), actions=(ticket, HandOver(reason=reason)), intent=intent)


def spoken_language(snapshot: Snapshot, heard: Heard, tools: Tools) -> str:
    """The language of this turn: of the message where it is clear, otherwise of the conversation, the contact, the inbox."""
    offered = snapshot.languages or (snapshot.inbox_language,)
    current = next((one for one in (snapshot.language, snapshot.contact_language, snapshot.inbox_language) if one in offered), offered[0])
    text = heard.text
    if lexicon.word_count(text) == 0 and snapshot.language is None:
        text = heard.subject or ""  # of a letter that says all in its subject; of an answer it is the thread's, whose language is known
    words = lexicon.word_count(text)
    if heard.press is not None or words == 0 or lexicon.language_wish(heard.text) or (heard.command and heard.command != "new"):
        return current
    detected, confidence = tools.detect_language(text[:JUDGED_LENGTH])
    if detected is None or detected == current or detected not in offered:
        return current
    # A product name or a person's name typed as an answer is not a change of language.
    answering = snapshot.manner is Manner.CHAT and snapshot.state.phase in BUILDING
    if detected == "en" and answering and not lexicon.is_english_sentence(text):
        return current
    if words < (3 if answering else 2) and snapshot.language is not None:
        return current
    if detected == "ru" and lexicon.mostly_cyrillic(text):
        return detected
    return detected if confidence >= 0.6 else current
