"""Slot validation as rasa-sdk form actions, one a form: the same objects run in-process and behind rasa-sdk's HTTP server.

Importing this costs about 0.7 s (rasa-sdk brings its server along), so `nlu.actions` imports it when it is first needed.
"""

from collections.abc import Callable, Iterable
from datetime import date
from functools import partial
from typing import Any

from rasa_sdk.executor import ActionExecutor, CollectingDispatcher
from rasa_sdk.forms import FormValidationAction
from rasa_sdk.interfaces import Tracker

from nlu import forms, validators
from nlu.turn import FormDef, SlotDef


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
