"""A desk and its Rasa project say the same; a project of others is brought in, and what has no counterpart is named."""

from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from desk_core.catalogue.export import write_files
from desk_core.catalogue.presets import Preset, load_preset
from desk_core.catalogue.rasa_export import rasa_project
from desk_core.catalogue.rasa_import import Joined, join
from desk_core.catalogue.rasa_project import UnreadableRasaProject, read_project, unmarked
from desk_core.kit.errors import NotFound

ROOT = Path(__file__).parents[4]
BAKERY = ROOT / "tests" / "data" / "rasa_bakery"


@pytest.fixture(scope="module")
def preset() -> Preset:
    return load_preset(ROOT / "presets" / "it_service_desk")


@pytest.fixture(scope="module")
def bakery(preset: Preset) -> Joined:
    return join(preset, read_project(BAKERY), language="ru")


def left(joined: Joined, kind: str) -> list[str]:
    return [one.name for one in joined.left if one.kind == kind]


class TestRoundTrip:
    def test_an_export_brought_in_and_written_again_is_the_same(self, preset: Preset, tmp_path: Path) -> None:
        files = rasa_project(preset, language="en")
        write_files(tmp_path / "project", files)
        joined = join(preset, read_project(tmp_path / "project"), language="ru")
        assert rasa_project(joined.preset, language="en") == files

    def test_nothing_of_our_own_is_without_a_counterpart_but_the_models(self, preset: Preset, tmp_path: Path) -> None:
        write_files(tmp_path / "project", rasa_project(preset, language="en"))
        joined = join(preset, read_project(tmp_path / "project"), language="ru")
        assert {one.kind for one in joined.left} == {"pipeline", "policy"}

    def test_a_project_of_others_settles_after_one_import(self, bakery: Joined, tmp_path: Path) -> None:
        files = rasa_project(bakery.preset, language="en")
        write_files(tmp_path / "project", files)
        again = join(bakery.preset, read_project(tmp_path / "project"), language="ru")
        assert rasa_project(again.preset, language="en") == files

    def test_an_example_taken_out_of_an_export_is_gone(self, preset: Preset, tmp_path: Path) -> None:
        files = rasa_project(preset, language="en")
        assert "- forgot my pass\n" not in files["data/nlu.yml"]
        files["data/nlu.yml"] = files["data/nlu.yml"].replace("- forgot my password again\n", "- forgot my pass\n")
        write_files(tmp_path / "project", files)
        examples = join(preset, read_project(tmp_path / "project"), language="ru").preset.examples["access.password", "en"]
        assert "forgot my pass" in examples
        assert "forgot my password again" not in examples

    def test_rules_name_only_what_the_domain_declares(self, preset: Preset) -> None:
        files = {name: yaml.safe_load(text) for name, text in rasa_project(preset, language="ru").items()}
        domain = files["domain.yml"]
        known = {*domain["actions"], *domain["forms"], *domain["responses"], "action_deactivate_loop"}
        steps = [step for rule in files["data/rules.yml"]["rules"] for step in rule["steps"]]
        assert {step["action"] for step in steps if "action" in step} <= known
        assert {step["intent"] for step in steps if "intent" in step} <= set(domain["intents"])


class TestAProjectOfOthers:
    def test_brings_what_has_a_counterpart(self, bakery: Joined) -> None:
        assert bakery.brought == {"forms": 2, "slots": 4, "responses": 4, "intents": 6, "examples": 12, "entities": 1}

    def test_an_unknown_intent_becomes_a_topic_with_its_form(self, bakery: Joined) -> None:
        topics = {one.key: one.form for one in bakery.preset.categories if one.parent == "imported"}
        assert topics == {"imported.order_cake": "cake_form", "imported.report_damage": "damage_form"}

    def test_examples_lose_their_marks_and_find_their_language(self, bakery: Joined) -> None:
        assert bakery.preset.examples["imported.order_cake", "en"] == (
            "I would like a cherry cake for Saturday",
            "order a cake with the bee one",
        )
        assert bakery.preset.examples["imported.order_cake", "ru"] == ("хочу заказать торт на субботу",)

    def test_known_turns_gain_examples_and_lose_none(self, bakery: Joined, preset: Preset) -> None:
        assert bakery.preset.examples["confirm", "en"] == (*preset.examples["confirm", "en"], "yes, wrap it")

    def test_synonyms_and_marked_values_are_the_words_of_a_choice(self, bakery: Joined) -> None:
        words = {one.value: one.words["en"] for one in bakery.preset.slots["flavour"].choices}
        assert words == {"honey": ("honey", "the bee one"), "poppy": ("poppy", "poppy seed", "mohn"), "cherry": ("cherry",)}

    def test_yes_and_no_are_words(self, bakery: Joined) -> None:
        assert [one.value for one in bakery.preset.slots["gift_wrapped"].choices] == ["yes", "no"]

    def test_every_form_can_be_asked_in_every_language(self, bakery: Joined) -> None:
        for form in ("cake_form", "damage_form"):
            for slot in bakery.preset.forms[form].slots:
                asked = bakery.preset.slots[slot]
                assert {**asked.questions, **asked.form_questions.get(form, {})}.keys() == {"ru", "en"}

    @pytest.mark.parametrize(
        ("kind", "names"),
        [
            ("form", ["cake_form"]),
            ("slot", ["pickup_day", "answered_twice", "damaged_parts"]),
            ("response", ["utter_goodbye", "utter_ask_gift_wrapped", "utter_faq/opening"]),
            ("response part", ["utter_ask_flavour: buttons", "utter_ask_damaged_parts: image"]),
            ("intent", ["inform"]),
            ("retrieval intent", ["faq", "faq/opening"]),
            ("entity", ["size", "loyalty_level"]),
            ("synonym", ["tomorrow"]),
            ("regex", ["order_code"]),
            ("lookup table", ["flavour"]),
            ("rule", ["look into the oven"]),
            ("story", ["a damaged cake"]),
            ("custom action", ["action_check_oven"]),
            ("pipeline", ["WhitespaceTokenizer, RegexEntityExtractor, DIETClassifier"]),
            ("policy", ["MemoizationPolicy", "TEDPolicy", "RulePolicy"]),
            ("connection", ["slack", "tracker_store"]),
        ],
    )
    def test_names_what_has_no_counterpart(self, bakery: Joined, kind: str, names: list[str]) -> None:
        assert left(bakery, kind) == names

    def test_leaves_the_rest_of_the_desk_alone(self, bakery: Joined, preset: Preset) -> None:
        kept = replace(
            bakery.preset,
            categories=preset.categories,
            forms=preset.forms,
            slots=preset.slots,
            replies=preset.replies,
            variations=preset.variations,
            examples=preset.examples,
        )
        assert kept == preset
        assert bakery.preset.slots["printer_device"] == preset.slots["printer_device"]


class TestBadProjects:
    def test_a_folder_without_one_is_not_found(self, tmp_path: Path) -> None:
        with pytest.raises(NotFound):
            read_project(tmp_path)

    @pytest.mark.parametrize("text", ["intents: [greet", "nlu: [1, 2]", "slots: [a]", "forms: 5", "a: !!python/object/apply:os.getcwd []"])
    def test_a_broken_file_is_named(self, tmp_path: Path, text: str) -> None:
        (tmp_path / "domain.yml").write_text(text, encoding="utf-8")
        with pytest.raises(UnreadableRasaProject) as refused:
            read_project(tmp_path)
        assert refused.value.fields["file"] == "domain.yml"

    def test_values_that_look_like_truth_stay_words(self, tmp_path: Path) -> None:
        (tmp_path / "domain.yml").write_text("slots: {wrap: {type: categorical, values: [yes, no, on]}}", encoding="utf-8")
        assert read_project(tmp_path).slots["wrap"]["values"] == ["yes", "no", "on"]

    def test_a_mark_without_an_end_is_text(self) -> None:
        assert unmarked("error [0x80] in [row](") == ("error [0x80] in [row](", [])
