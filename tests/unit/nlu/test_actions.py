"""The same validation actions in-process and behind rasa-sdk's own HTTP server."""

import json
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
from rasa_sdk.interfaces import Tracker

from nlu import rasa_actions
from nlu.actions import FormValidator, action_call, finished, read_result
from nlu.desk_calls import Told
from nlu.understood import SlotDef, Validated
from tests.fakes.tools import DEVICE, FORMS, PHONE, SCOPE, WHEN

MONDAY = date(2026, 11, 23)
ANSWERS = [
    (SCOPE, "у всех в отделе"),
    (SCOPE, "зелёный"),
    (SCOPE, "не знаю"),
    (PHONE, "8 912 345-67-89"),
    (PHONE, "позвоните"),
    (DEVICE, "HP 305"),
    (WHEN, "I don't know"),
    (WHEN, "с утра"),
]


@pytest.fixture(scope="module")
def validator() -> FormValidator:
    return FormValidator(FORMS.values(), today=lambda: MONDAY)


@pytest.fixture(scope="module")
def served() -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    program = f"from nlu.actions import serve; from tests.fakes.tools import FORMS; serve('127.0.0.1', {port}, FORMS.values())"
    process = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    base = f"http://127.0.0.1:{port}"
    try:
        for _ in range(300):
            try:
                with urllib.request.urlopen(f"{base}/health", timeout=1):
                    break
            except OSError:
                assert process.poll() is None, "the action server ended"
                time.sleep(0.1)
        yield base
    finally:
        process.terminate()
        assert process.wait(timeout=15) is not None


def post(base: str, call: dict[str, Any]) -> dict[str, Any]:
    body = urllib.request.Request(f"{base}/webhook", json.dumps(call).encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(body, timeout=10) as answer:
        result: dict[str, Any] = json.load(answer)
    return result


def form_of(slot: SlotDef) -> str:
    return next(form.key for form in FORMS.values() if slot in form.slots)


class TestInProcess:
    def test_a_choice_is_kept_with_its_title(self, validator: FormValidator) -> None:
        assert validator.validate(SCOPE, "у всех", language="ru", slots={}) == Validated(value="all", title="У всех")

    def test_what_does_not_fit_is_nothing(self, validator: FormValidator) -> None:
        assert validator.validate(PHONE, "позвоните", language="ru", slots={}) == Validated(value=None)

    def test_not_knowing_skips(self, validator: FormValidator) -> None:
        assert validator.validate(PHONE, "не знаю", language="ru", slots={}) == Validated(value=None, skip=True)

    def test_slots_of_the_dialogue_are_left_alone(self, validator: FormValidator) -> None:
        slots = {"device": "HP 305"}
        validator.validate(PHONE, "8 912 345-67-89", language="ru", slots=slots)
        assert slots == {"device": "HP 305"}

    def test_a_slot_of_no_form_is_checked_all_the_same(self, validator: FormValidator) -> None:
        stray = SlotDef(name="stray", kind="number", titles={}, questions={}, examples={})
        assert validator.validate(stray, "15 штук", language="ru", slots={}) == Validated(value="15")

    def test_costs_little(self, validator: FormValidator) -> None:
        validator.validate(SCOPE, "me", language="ru", slots={})
        started = time.process_time()
        for _ in range(200):
            validator.validate(SCOPE, "me", language="ru", slots={})
        # About 0.05 ms here; the bound only catches a loop or a reload creeping in.
        assert (time.process_time() - started) / 200 < 0.005

    def test_an_action_that_waits_is_refused(self) -> None:
        class Never:
            def __await__(self) -> Iterator[None]:
                yield

        async def waits() -> None:
            await Never()

        with pytest.raises(RuntimeError, match="compute only"):
            finished(waits())


class TestServed:
    def test_every_form_has_its_action(self, served: str) -> None:
        with urllib.request.urlopen(f"{served}/actions", timeout=10) as answer:
            assert {one["name"] for one in json.load(answer)} == {"validate_equipment", "validate_network"}

    @pytest.mark.parametrize(("slot", "answer"), ANSWERS)
    def test_answers_as_in_process(self, served: str, validator: FormValidator, slot: SlotDef, answer: str) -> None:
        result = post(served, action_call(form_of(slot), slot.name, answer, language="ru", slots={}))
        over_http = read_result(slot, result["events"], language="ru")
        assert over_http == validator.validate(slot, answer, language="ru", slots={})

    def test_a_rasa_server_is_told_the_example_to_utter(self, served: str) -> None:
        result = post(served, action_call("equipment", "phone", "позвоните", language="ru", slots={}))
        assert result["events"] == [{"event": "slot", "timestamp": None, "name": "phone", "value": None}]
        assert result["responses"][0]["response"] == "utter_example"
        assert result["responses"][0]["example"] == "+7 912 345-67-89"


class TestWhatIsTold:
    TOPICS = frozenset({"hardware.printer", "network.vpn"})

    def told(self, *events: dict[str, Any]) -> Told:
        tracker = Tracker.from_dict({"sender_id": "anna", "slots": {"language": "en", "device": "HP 305"}, "events": list(events)})
        return rasa_actions.told(tracker, topics=self.TOPICS)

    def test_the_story_is_the_first_message_with_a_topic_and_not_an_answer_that_looks_like_one(self) -> None:
        told = self.told(heard("the printer on floor 3 is dead", "hardware.printer"), heard("VPN room", "network.vpn"))
        assert (told.text, told.topic) == ("the printer on floor 3 is dead", "hardware.printer")
        assert told.answers == {"device": "HP 305"}

    def test_what_went_into_a_request_is_not_told_again(self) -> None:
        done = {"event": "action", "name": "action_create_ticket"}
        told = self.told(heard("the printer is dead", "hardware.printer"), done, heard("and VPN drops", "network.vpn"))
        assert (told.text, told.topic) == ("and VPN drops", "network.vpn")


def heard(text: str, intent: str) -> dict[str, Any]:
    return {"event": "user", "text": text, "timestamp": 1.0, "parse_data": {"intent": {"name": intent}}}
