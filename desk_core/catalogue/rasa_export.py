"""A desk as a Rasa 3.x project: domain, examples, rules and a light configuration, ready for `rasa train`. Pure: texts by file name."""

from collections.abc import Iterable, Mapping
from typing import Any

from desk_core.catalogue.export import RASA, Block, yaml_text
from desk_core.catalogue.preset_model import Preset
from desk_core.catalogue.preset_words import DIALOGUE_INTENTS

VALIDATE = "validate_"
SUGGEST, CREATE, STATUS, HAND_OVER = "action_suggest_articles", "action_create_ticket", "action_ticket_status", "action_hand_over"
DESK_ACTIONS = (SUGGEST, CREATE, STATUS, HAND_OVER)
"""What `priyom actions` does besides validating answers."""

LANGUAGE, REQUESTED = "language", "requested_slot"
ACTIONS_URL = "http://127.0.0.1:5055/webhook"
_CUSTOM: list[dict[str, Any]] = [{"type": "custom"}]
_ANSWERS: Mapping[str, tuple[str, ...]] = {
    "greet": ("utter_greet",),
    "thanks": ("utter_thanks",),
    "help": ("utter_help",),
    "smalltalk": ("utter_smalltalk",),
    "out_of_scope": ("utter_out_of_scope",),
    "complaint": ("utter_complaint", HAND_OVER),
    "human": (HAND_OVER,),
    "status": (STATUS,),
    "ask": (SUGGEST,),
}


def rasa_project(preset: Preset, *, language: str) -> dict[str, str]:
    """The files of a Rasa project that says and asks what this desk does; `language` is what it speaks before it knows better."""
    return {
        "domain.yml": yaml_text(_domain(preset, language)),
        "data/nlu.yml": yaml_text({"version": RASA, "nlu": _examples(preset)}),
        "data/rules.yml": yaml_text({"version": RASA, "rules": rules_of(preset)}),
        "config.yml": yaml_text(_config(preset, language)),
        "endpoints.yml": yaml_text({"action_endpoint": {"url": ACTIONS_URL}}),
        "credentials.yml": yaml_text({"rest": None}),
    }


def rules_of(preset: Preset) -> list[dict[str, Any]]:
    """Rasa's rules for what our dialogue does by itself: topics start forms, a filled form becomes a request."""
    topics = sorted((one for one in preset.categories if one.parent is not None), key=lambda one: one.key)
    return [
        *(_starts(one.key, one.form) if one.form else _passes(one.key, human=one.human_now) for one in topics),
        *(_filled(form) for form in sorted(preset.forms)),
        *(_leaves(form) for form in sorted(preset.forms)),
        *(_says(intent, actions) for intent, actions in _ANSWERS.items()),
    ]


def _starts(topic: str, form: str) -> dict[str, Any]:
    return {"rule": f"{topic} starts its form", "steps": [{"intent": topic}, {"action": form}, {"active_loop": form}]}


def _passes(topic: str, *, human: bool) -> dict[str, Any]:
    action = HAND_OVER if human else CREATE
    return {"rule": f"{topic} asks nothing", "steps": [{"intent": topic}, {"action": action}]}


def _filled(form: str) -> dict[str, Any]:
    steps = [{"action": form}, {"active_loop": None}, {"slot_was_set": [{REQUESTED: None}]}, {"action": CREATE}]
    return {"rule": f"the form {form} is filled", "condition": [{"active_loop": form}], "steps": steps}


def _leaves(form: str) -> dict[str, Any]:
    steps = [{"intent": "cancel"}, {"action": "action_deactivate_loop"}, {"active_loop": None}, {"action": "utter_cancelled"}]
    return {"rule": f"leaving the form {form}", "condition": [{"active_loop": form}], "steps": steps}


def _says(intent: str, actions: Iterable[str]) -> dict[str, Any]:
    return {"rule": f"answer {intent}", "steps": [{"intent": intent}, *({"action": action} for action in actions)]}


def _domain(preset: Preset, language: str) -> dict[str, Any]:
    topics = {one.key for one in preset.categories if one.parent is not None}
    return {
        "version": RASA,
        "intents": sorted({*topics, *DIALOGUE_INTENTS, *(label for label, _language in preset.examples)}),
        "entities": [],
        "slots": _slots(preset, language),
        "forms": {key: {"required_slots": list(form.slots)} for key, form in sorted(preset.forms.items())},
        "actions": [*(f"{VALIDATE}{form}" for form in sorted(preset.forms)), *DESK_ACTIONS],
        "responses": {
            name: [
                {"text": text, "condition": [{"type": "slot", "name": LANGUAGE, "value": spoken}]}
                for spoken in sorted(preset.languages)
                for text in preset.variations.get((name, spoken), ())
            ]
            for name in sorted({name for name, _language in preset.variations})
        },
        "session_config": {"session_expiration_time": 60, "carry_over_slots_to_new_session": True},
    }


def _slots(preset: Preset, language: str) -> dict[str, Any]:
    declared: dict[str, Any] = {
        LANGUAGE: {
            "type": "categorical",
            "values": sorted(preset.languages),
            "initial_value": language,
            "influence_conversation": False,
            "mappings": _CUSTOM,
        },
    }
    for name, slot in sorted(preset.slots.items()):
        values = [one.value for one in slot.choices]
        kind = {"type": "categorical", "values": values} if values else {"type": "text"}
        # Rasa takes the whole answer while the slot is asked, and our validation makes a value of it.
        asked = [{"active_loop": form, REQUESTED: name} for form in sorted(preset.forms) if name in preset.forms[form].slots]
        mappings = [{"type": "from_text", "conditions": asked}] if asked else _CUSTOM
        declared[name] = {**kind, "influence_conversation": False, "mappings": mappings}
    return declared


def _examples(preset: Preset) -> list[dict[str, Any]]:
    return [
        {
            "intent": label,
            "metadata": {LANGUAGE: spoken},
            "examples": Block("".join(f"- {text}\n" for text in sorted({" ".join(one.split()) for one in texts}))),
        }
        for (label, spoken), texts in sorted(preset.examples.items())
        if texts
    ]


def _config(preset: Preset, language: str) -> dict[str, Any]:
    return {
        "recipe": "default.v1",
        "assistant_id": preset.key,
        "language": language,
        "pipeline": [
            {"name": "WhitespaceTokenizer"},
            {"name": "LexicalSyntacticFeaturizer"},
            {"name": "CountVectorsFeaturizer"},
            {"name": "CountVectorsFeaturizer", "analyzer": "char_wb", "min_ngram": 2, "max_ngram": 4},
            {"name": "LogisticRegressionClassifier", "max_iter": 200},
        ],
        "policies": [{"name": "RulePolicy"}],
    }
