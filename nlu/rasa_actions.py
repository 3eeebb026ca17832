"""rasa-sdk actions: slot validation, one a form (in-process and behind rasa-sdk's HTTP server alike), and what the desk does.

Importing this costs about 0.7 s (rasa-sdk brings its server along), so `nlu.actions` imports it when it is first needed.
"""

from collections.abc import Awaitable, Callable, Collection, Iterable
from datetime import date
from functools import partial
from typing import Any

from rasa_sdk.events import SlotSet
from rasa_sdk.executor import ActionExecutor, CollectingDispatcher
from rasa_sdk.forms import FormValidationAction
from rasa_sdk.interfaces import Action, Tracker
from rasa_sdk.types import DomainDict

from desk_core.catalogue.rasa_export import CREATE, HAND_OVER, STATUS, SUGGEST
from nlu import forms, validators
from nlu.desk_calls import DeskCalls, Told
from nlu.understood import FormDef, SlotDef


class ValidateForm(FormValidationAction):
    """`validate_<form>`: each slot of the form goes through `nlu.validators`."""

    def __init__(self, form: FormDef, *, today: Callable[[], date]) -> None:
        self._form = form
        self._today = today
        # rasa-sdk finds the method of a slot by its name.
        for slot in form.slots:
            setattr(self, f"validate_{slot.name.replace('-', '_')}", partial(self._validate, slot))

    def name(self) -> str:
        return action_name(self._form)

    def _validate(
        self,
        slot: SlotDef,
        value: Any,
        dispatcher: CollectingDispatcher,
        tracker: Tracker,
        domain: dict[str, Any],
    ) -> dict[str, Any]:
        if value is None or value == validators.SKIPPED:
            return {slot.name: value}
        language = str(tracker.slots.get("language") or "en")
        checked = validators.validate(slot, str(value), language=language, today=self._today())
        if checked.skip:
            return {slot.name: validators.SKIPPED}
        if checked.value is None:
            dispatcher.utter_message(response="utter_example", example=forms.example(slot, language))
        return {slot.name: checked.value, **checked.extra}


def action_name(form: FormDef) -> str:
    return f"validate_{form.key}"


def executor_for(all_forms: Iterable[FormDef], *, today: Callable[[], date]) -> ActionExecutor:
    """rasa-sdk's executor with the validation actions of these forms."""
    executor = ActionExecutor()
    for form in all_forms:
        executor.register_action(ValidateForm(form, today=today))
    return executor


class DeskAction(Action):
    """One of the desk's verbs: says what the desk answers, and forgets the answers that went into a request."""

    def __init__(self, name: str, call: Callable[[Told], Awaitable[list[str]]], *, topics: Collection[str], forgets: Iterable[str]) -> None:
        self._name, self._call, self._topics, self._forgets = name, call, topics, tuple(forgets)

    def name(self) -> str:
        return self._name

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict) -> list[dict[str, Any]]:
        for text in await self._call(told(tracker, topics=self._topics)):
            dispatcher.utter_message(text=text)
        return [SlotSet(name, None) for name in self._forgets if tracker.slots.get(name) is not None]


def told(tracker: Tracker, *, topics: Collection[str]) -> Told:
    """What the conversation has come to since the last request: its story, the first message that has a topic, and everything known.

    A later one with a topic is an answer that Rasa took for a story.
    """
    said = [event for event in tracker.events if event.get("event") == "user" and event.get("text")]
    newest = said[-1] if said else {}
    story = next((event for event in _since_last_request(tracker) if _intent(event) in topics), newest)
    known = {name: str(value) for name, value in tracker.slots.items() if value not in (None, "", validators.SKIPPED)}
    language = known.pop("language", "en")
    return Told(
        sender=str(tracker.sender_id),
        key=f"{newest.get('timestamp') or newest.get('message_id') or len(said)}",
        text=str(story.get("text") or ""),
        language=language,
        topic=_intent(story) if _intent(story) in topics else None,
        answers={name: value for name, value in known.items() if name != "requested_slot"},
        history=tuple(str(event["text"]) for event in said[-20:]),
    )


def _since_last_request(tracker: Tracker) -> list[dict[str, Any]]:
    events = list(tracker.events)
    ended = [place for place, event in enumerate(events) if event.get("event") == "action" and event.get("name") in (CREATE, HAND_OVER)]
    return [event for event in events[ended[-1] + 1 if ended else 0 :] if event.get("event") == "user" and event.get("text")]


def _intent(event: dict[str, Any]) -> str:
    return str((event.get("parse_data") or {}).get("intent", {}).get("name") or "")


def add_desk(executor: ActionExecutor, desk: DeskCalls, *, topics: Collection[str], slots: Iterable[str]) -> None:
    """Let the executor do the desk's verbs too."""
    slots = tuple(slots)
    for name, call, forgets in (
        (SUGGEST, desk.suggest, ()),
        (CREATE, desk.create, slots),
        (STATUS, desk.status, ()),
        (HAND_OVER, desk.hand_over, slots),
    ):
        executor.register_action(DeskAction(name, call, topics=topics, forgets=forgets))
