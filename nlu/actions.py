"""Slot validation in rasa-sdk's terms: run in-process for our own dialogue, or served to a Rasa 3.x server by `priyom actions`."""

from collections.abc import Callable, Collection, Coroutine, Iterable, Mapping
from contextlib import AbstractAsyncContextManager
from datetime import date
from typing import TYPE_CHECKING, Any, TypeVar

from desk_core.kit.clock import SystemClock
from nlu import forms as form_rules
from nlu import validators
from nlu.desk_calls import DeskCalls
from nlu.understood import FormDef, SlotDef, Validated

if TYPE_CHECKING:
    from rasa_sdk.executor import ActionExecutor


T = TypeVar("T")


def _today() -> date:
    return SystemClock().now().date()


class FormValidator:
    """Validates answers through rasa-sdk's own executor, without an event loop or a server."""

    def __init__(self, forms: Iterable[FormDef], *, today: Callable[[], date] = _today) -> None:
        self._forms = tuple(forms)
        self._today = today
        self._executor: ActionExecutor | None = None
        # The form an action is run for: the first that asks the slot. A slot means the same in every form.
        self._form_of = {slot.name: form.key for form in reversed(self._forms) for slot in form.slots}

    def warm(self) -> None:
        """Import rasa-sdk and build the actions now rather than at the first answer (0.7 s)."""
        if self._executor is None:
            from nlu.rasa_actions import executor_for

            self._executor = executor_for(self._forms, today=self._today)

    def validate(self, slot: SlotDef, answer: str, *, language: str, slots: Mapping[str, str]) -> Validated:
        """What the slot's validation action makes of an answer; a slot of no known form is checked without an action."""
        form = self._form_of.get(slot.name)
        if form is None:
            return validators.validate(slot, answer, language=language, today=self._today())
        self.warm()
        if self._executor is None:
            raise RuntimeError("the validation actions were not built")
        result = finished(self._executor.run(action_call(form, slot.name, answer, language=language, slots=slots)))
        return read_result(slot, result.events if result else [], language=language)


def action_call(form: str, slot: str, answer: str, *, language: str, slots: Mapping[str, str]) -> dict[str, Any]:
    """A call of a form's validation action as a Rasa server sends it, with only the part of the domain that matters for this slot."""
    return {
        "next_action": f"validate_{form}",
        "sender_id": "priyom",
        "tracker": {
            "sender_id": "priyom",
            "slots": {**slots, "language": language, slot: answer},
            "latest_message": {"text": answer},
            "events": [{"event": "slot", "name": slot, "value": answer}],
            "active_loop": {"name": form},
            "paused": False,
        },
        "domain": {"forms": {form: {"required_slots": [slot]}}, "slots": {}},
    }


def read_result(slot: SlotDef, events: Iterable[Mapping[str, Any]], *, language: str) -> Validated:
    """The outcome of a validation action from the slots it set."""
    values = {str(event["name"]): event["value"] for event in events if event.get("event") == "slot"}
    value = values.pop(slot.name, None)
    if value == validators.SKIPPED and value not in {known for known, _ in slot.choices}:
        return Validated(value=None, skip=True)
    if value is None:
        return Validated(value=None)
    extra = {name: str(other) for name, other in values.items() if other is not None and name != "requested_slot"}
    title = form_rules.choice_title(slot, str(value), language)
    return Validated(value=str(value), title=title if slot.choices else None, extra=extra)


def finished(work: Coroutine[Any, Any, T]) -> T:
    """The result of a coroutine that waits for nothing, without an event loop."""
    try:
        work.send(None)
    except StopIteration as done:
        result: T = done.value
        return result
    work.close()
    raise RuntimeError("a validation action waited for something; it must compute only")


def serve(
    host: str,
    port: int,
    forms: Iterable[FormDef],
    *,
    desk: AbstractAsyncContextManager[DeskCalls] | None = None,
    topics: Collection[str] = (),
    today: Callable[[], date] = _today,
) -> None:
    """Serve the actions over rasa-sdk's HTTP protocol until stopped (`/webhook`, `/actions`, `/health`); verbs where a desk is given."""
    from rasa_sdk.endpoint import create_app

    from nlu.rasa_actions import add_desk, executor_for

    known = tuple(forms)
    executor = executor_for(known, today=today)
    app = create_app(executor, cors_origins=[])
    if desk is not None:

        async def begin(_app: object) -> None:
            add_desk(executor, await desk.__aenter__(), topics=topics, slots={slot.name for form in known for slot in form.slots})

        async def end(_app: object) -> None:
            await desk.__aexit__(None, None, None)

        # The desk's connections belong to the loop that serves, so they open when it runs.
        app.register_listener(begin, "before_server_start")
        app.register_listener(end, "after_server_stop")
    app.run(host=host, port=port, single_process=True, access_log=False, motd=False)
