"""The shipped preset is good, and a fault planted into a copy is named with its file and line."""

import re
import shutil
from dataclasses import FrozenInstanceError
from pathlib import Path

import pytest

from desk_core.catalogue.presets import Preset, Problem, Severity, UnreadablePreset, check_preset, load_preset

PRESET = Path(__file__).parents[4] / "presets" / "it_service_desk"
TEAMS = {"service_desk", "workplace", "infrastructure", "business_apps", "security"}


@pytest.fixture(scope="module")
def preset() -> Preset:
    return load_preset(PRESET)


def others(folder: str, names: list[str]) -> list[str]:
    """All articles but the one that faults are planted into: they are most of the files, and say nothing about the others."""
    return [name for name in names if name.endswith(".md") and name != "forgot-password.md"] if "articles" in Path(folder).parts else []


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    return Path(shutil.copytree(PRESET, tmp_path / "desk", ignore=others))


def test_the_copy_is_good_before_a_fault_is_planted(copy: Path) -> None:
    assert check_preset(copy) == []
    assert len(load_preset(copy).articles) == 2


def plant(folder: Path, file: str, old: str, new: str) -> int:
    """Replace the first `old` of a file; answers the line where the change begins."""
    text = (folder / file).read_text(encoding="utf-8")
    assert old in text, f"{old!r} is not in {file}"
    before, after = text.split(old, 1)
    (folder / file).write_text(before + new + after, encoding="utf-8")
    return before.count("\n") + 1


def problems_at(folder: Path, file: str, line: int) -> list[str]:
    return [problem.message for problem in check_preset(folder) if (problem.file, problem.line) == (file, line)]


class TestTheShippedPreset:
    def test_has_no_problem(self) -> None:
        assert [str(problem) for problem in check_preset(PRESET)] == []

    def test_has_enough_of_everything(self, preset: Preset) -> None:
        second = [category.key for category in preset.categories if category.parent is not None]
        assert len(second) >= 12
        assert len(preset.forms) >= 6
        for language in ("ru", "en"):
            assert min(len(preset.examples[key, language]) for key in second) >= 25
            assert len([article for article in preset.articles if article.language == language]) >= 30

    def test_asks_three_questions_at_most_in_both_languages(self, preset: Preset) -> None:
        for form in preset.forms.values():
            assert 1 <= len(form.slots) <= 3
            for name in form.slots:
                assert set(preset.slots[name].questions) == {"ru", "en"}

    def test_has_three_lines_and_five_teams(self, preset: Preset) -> None:
        assert [line.number for line in preset.lines] == [1, 2, 3]
        assert {team.key for team in preset.teams} == TEAMS

    def test_reads_targets_as_business_seconds(self, preset: Preset) -> None:
        standard = next(policy for policy in preset.sla_policies if policy.key == "standard")
        assert standard.targets["P1"] == {"first_response": 900, "next_response": 1800, "resolution": 14400}

    def test_never_shouts_but_in_a_greeting(self, preset: Preset) -> None:
        shouting = {name for (name, _language), texts in preset.variations.items() if any("!" in text for text in texts)}
        assert shouting <= {"utter_greet"}

    def test_a_form_may_ask_in_its_own_words(self, preset: Preset) -> None:
        approver = preset.slots["approver"]
        assert approver.form_questions["equipment"]["en"] != approver.questions["en"]
        assert approver.definition()["form_questions"]["equipment"] == dict(approver.form_questions["equipment"])

    def test_an_answer_may_change_the_urgency(self, preset: Preset) -> None:
        assert preset.slots["work_blocked"].definition()["sets"]["stopped"] == {"urgency": "high"}

    def test_articles_come_in_pairs_with_a_body(self, preset: Preset) -> None:
        keys = {language: {one.key for one in preset.articles if one.language == language} for language in preset.languages}
        assert keys["ru"] == keys["en"]
        assert all(article.body and article.title for article in preset.articles)

    def test_is_frozen(self, preset: Preset) -> None:
        with pytest.raises(FrozenInstanceError):
            preset.key = "other"  # type: ignore[misc]  # that it is refused is the point


ANCHOR_CATEGORY = "  - key: access.password\n    parent: access\n"
FAULTS = {
    # file, what is replaced, what stands there instead, lines from the change to the fault, words of the message
    "an unknown key": ("catalogue.yml", "    parent: access\n", "    colour: red\n    parent: access\n", 0, "no key “colour”"),
    "a missing key": ("catalogue.yml", ANCHOR_CATEGORY, "  - key: access.password\n", 0, "“parent” is missing"),
    "a key twice": ("catalogue.yml", "    parent: access\n", "    parent: access\n    parent: access\n", 1, "here twice"),
    "a category twice": ("catalogue.yml", "key: access.locked", "key: access.password", 0, "here twice"),
    "an unknown parent": ("catalogue.yml", "parent: access\n", "parent: acess\n", 0, "no first-level category “acess”"),
    "a parent of the second level": ("catalogue.yml", "parent: network\n", "parent: access.password\n", 0, "no first-level category"),
    "a title in one language": ("catalogue.yml", ', en: "Password reset"}', "}", 0, "“titles” has no text in “en”"),
    "an empty title": ("catalogue.yml", '"Password reset"', '" "', 0, "“titles” has no text in “en”"),
    "a language nobody speaks": ("catalogue.yml", '{ru: "Сброс пароля"', '{de: "x", ru: "Сброс пароля"', 0, "“de” is not a language"),
    "an unknown team of a category": ("catalogue.yml", "team: security", "team: police", 0, "“police” is not a known value of “team”"),
    "a team that the rules do not send it to": ("catalogue.yml", "team: business_apps", "team: workplace", 0, "rule 40 sends it to"),
    "an unknown kind": ("catalogue.yml", "kind: complaint", "kind: rant", 0, "“rant” is not a known value of “kind”"),
    "an unknown form": ("catalogue.yml", "form: printer", "form: printers", 0, "no form “printers”"),
    "a bad key": ("catalogue.yml", "key: general.question", "key: General.Question", 0, "is not a key"),
    "a yes where true belongs": ("catalogue.yml", "human_now: true", "human_now: sometimes", 0, "true or false"),
    "reversed hours": ("desk.yml", '"09:00-13:00"', '"13:00-09:00"', 0, "cannot be used"),
    "overlapping hours": ("desk.yml", '"14:00-18:00"', '"12:00-18:00"', 0, "not overlap"),
    "a day that is none": ("desk.yml", "mon:", "monday:", 0, "not a day of the week"),
    "a zone that is none": ("desk.yml", "zone: Europe/Moscow", "zone: Europe/Moskow", 0, "no time zone"),
    "a holiday that is none": ("desk.yml", "2026-02-23", "2026-02-30x", 0, "not a date"),
    "a bad duration": ("desk.yml", "first_response: 15m", "first_response: soon", 0, "“soon” is not a length of time"),
    "a missing metric": ("desk.yml", "{first_response: 15m, ", "{", 0, "“first_response” is missing"),
    "an unknown priority in the matrix": ("desk.yml", "low: P4", "low: P9", 0, "“P9” is not a known value"),
    "an unknown team in a rule": ("desk.yml", "actions: {team: security", "actions: {team: guards", 0, "“guards” is not a known value"),
    "an unknown line in a rule": ("desk.yml", "line: 3, tags: [security]", "line: 7, tags: [security]", 0, "no line “7”"),
    "an unknown field in a rule": ("desk.yml", "field: kind", "field: mood", 0, "no field “mood”"),
    "an operator that does not fit": ("desk.yml", "field: kind, op: is", "field: kind, op: matches", 0, "cannot be asked of kind"),
    "a broken regular expression": ("desk.yml", "value: '(?i)", "value: '((", 0, "regular expression cannot be used"),
    "a regular expression that may run away": ("desk.yml", "value: '(?i)", "value: '(a+)+$|", 0, "a repeat inside a repeat"),
    "no rule for the rest": ("desk.yml", "conditions: []", "conditions: [{field: kind, op: is, value: question}]", -2, "takes the rest"),
    "an unknown calendar of a team": ("desk.yml", "line: 1, calendar: support", "line: 1, calendar: never", 0, "known value of “calendar”"),
    "an impatient ladder": ("desk.yml", "remind_after_business_days: 2", "remind_after_business_days: 5", 0, "ladder cannot be used"),
    "an unknown slot kind": ("slots.yml", "kind: device", "kind: gadget", 0, "“gadget” is not a known value of “kind”"),
    "a bomb in a slot": ("slots.yml", "pattern: '", "pattern: '(\\d+)*x", 0, "regular expression cannot be used"),
    "an effect of no choice": ("slots.yml", "      stopped: {", "      halted: {", 0, "“halted” is not one of the choices"),
    "an effect on something else": ("slots.yml", "stopped: {urgency: high}", "stopped: {mood: high}", 0, "may set impact or urgency"),
    "an example in one language": ("slots.yml", ', en: "printer 305, third floor"}', "}", 0, "“example” has no text in “en”"),
    "a bomb in a number": ("names.yml", "'CHG-?[0-9]{4,8}'", "'(CHG|[A-Z]+)*x'", 0, "a repeat inside a repeat"),
    "a pattern too greedy to count": ("names.yml", "'CHG-?[0-9]{4,8}'", "'.*.*.*G'", 0, "too many ways to match"),
    "a pattern that misses its example": ("names.yml", "'CHG-?[0-9]{4,8}'", "'CHG[0-9]{4,8}'", 2, "its own example “CHG-2217”"),
    "a pattern that takes everything": ("names.yml", "'CHG-?[0-9]{4,8}'", "'[A-Z]{0,3}-?[0-9]{4,11}'", 1, "would be taken for"),
    "a number that nothing tells": ("names.yml", "    alone: true\n", "", -3, "Give the words that stand before"),
    "a number in a slot that takes none": ("names.yml", "slots: [device_number]", "slots: [location]", 0, "not a slot of kind “asset”"),
    "a word for two things": ("names.yml", '["фигма"]', '["диадок"]', 0, "is said for “Диадок” already"),
    "words in a language that is not ours": ("names.yml", '{ru: ["фигма"]}', '{fr: ["figma"]}', 0, "not a language of this desk"),
    "a slot that is not declared": ("domain.yml", "[printer_device,", "[printer_colour,", 0, "not declared in slots.yml"),
    "four questions": ("domain.yml", "[printer_device,", "[location, printer_device,", 0, "people answer 3"),
    "a reply that is missing": ("domain.yml", "  utter_greet:", "  utter_greeting:", None, "The reply “utter_greet” is missing"),
    "a placeholder nobody fills": ("domain.yml", "С вами {name}.", "С вами {nane}.", 0, "no placeholder {nane}"),
    "an open brace": ("domain.yml", "С вами {name}.", "С вами {name.", 0, "open or closed alone"),
    "a text without a language": ("domain.yml", "name: language, value: ru", "name: mood, value: ru", 0, "which language"),
    "values that differ": ("domain.yml", "values: [no_print, ", "values: [no_ink, ", 0, "differ between slots.yml and domain.yml"),
    "an intent that is missing": ("domain.yml", "  - add_details\n", "", None, "intent “add_details” is missing"),
    "an unknown intent": ("nlu/en.yml", "- intent: storage.files", "- intent: storage.boxes", 0, "neither a second-level category"),
    "an example that is none": ("nlu/en.yml", "      - reset my pasword pls", "      reset my pasword pls", 0, "begins with “- ”"),
    "an example twice": ("nlu/en.yml", "- reset my pasword pls", "- Forgot my PASSWORD again!", 0, "already in nlu/en.yml, line"),
    "an example in another category too": ("nlu/ru.yml", "- залочилась учетка", "- забыл пароль…", 0, "already in nlu/ru.yml, line"),
    "an unknown form in a Rasa rule": ("rules.yml", "- action: account", "- action: acount", 0, "“acount” is not a known value"),
    "an unknown intent in a Rasa rule": ("rules.yml", "- intent: greet", "- intent: greetings", 0, "“greetings” is not a known value"),
    "an article on nothing": ("articles/en/forgot-password.md", "category: access.password", "category: access.pass", 0, "“access.pass”"),
    "an article for nobody": ("articles/en/forgot-password.md", "audience: public", "audience: nobody", 0, "“nobody”"),
    "an unknown key of an article": ("articles/ru/forgot-password.md", "state: published", "state: published\nmood: good", 1, "“mood”"),
    "a language that is not ours": ("preset.yml", "languages: [ru, en]", "languages: [ru, en, xx]", 0, "not a language Priyom speaks"),
}  # fmt: skip


class TestAFault:
    @pytest.mark.parametrize("fault", FAULTS)
    def test_is_named_with_its_file_and_line(self, copy: Path, fault: str) -> None:
        file, old, new, offset, words = FAULTS[fault]
        line = plant(copy, file, old, new)
        if offset is None:
            found = [problem for problem in check_preset(copy) if problem.file == file and words in problem.message]
            assert found
        else:
            assert any(words in message for message in problems_at(copy, file, line + offset)), check_preset(copy)

    def test_of_placeholders_that_differ_is_shown_at_the_other_language(self, copy: Path) -> None:
        for text in ("{name} is with you now.", "Now {name} is answering you."):
            line = plant(copy, "domain.yml", text, "An operator is with you now.")
        text = (copy / "domain.yml").read_text(encoding="utf-8")
        line = text[: text.index("An operator is with you now.")].count("\n") + 1
        assert any("{name} of “utter_taken_over” differ" in message for message in problems_at(copy, "domain.yml", line))

    def test_of_a_question_in_one_language_is_shown_at_the_form(self, copy: Path) -> None:
        text = (copy / "domain.yml").read_text(encoding="utf-8")
        start = text.index("  utter_ask_printer_device:")
        end = text.index("  utter_ask_", start + 1)
        block = re.sub(r"    - text: .*\n.*value: en\}\]\n", "", text[start:end])
        (copy / "domain.yml").write_text(text[:start] + block + text[end:], encoding="utf-8")
        line = text[: text.index("[printer_device,")].count("\n") + 1
        assert any("no question for “printer_device” in “en”" in message for message in problems_at(copy, "domain.yml", line))

    @pytest.mark.parametrize(("left", "severity"), [(4, Severity.ERROR), (24, Severity.WARNING)])
    def test_of_too_few_examples_is_an_error_below_five_and_else_a_warning(self, copy: Path, left: int, severity: Severity) -> None:
        file = copy / "nlu" / "en.yml"
        head, rest = file.read_text(encoding="utf-8").split("- intent: storage.files\n    examples: |\n")
        block, after = rest.split("\n\n", 1)
        kept = "\n".join(block.splitlines()[:left])
        file.write_text(f"{head}- intent: storage.files\n    examples: |\n{kept}\n\n{after}", encoding="utf-8")
        (problem,) = check_preset(copy)
        assert (problem.file, problem.line, problem.severity) == ("nlu/en.yml", head.count("\n") + 1, severity)
        assert f"has {left} examples" in problem.message

    def test_of_an_article_without_its_pair_names_the_other_file(self, copy: Path) -> None:
        (copy / "articles/en/forgot-password.md").unlink()
        (problem,) = check_preset(copy)
        assert problem.file == "articles/ru/forgot-password.md"
        assert "articles/en/forgot-password.md" in problem.message

    def test_of_an_article_without_a_head_is_at_its_first_line(self, copy: Path) -> None:
        (copy / "articles/en/forgot-password.md").write_text("Just text.\n", encoding="utf-8")
        assert any("between two lines" in message for message in problems_at(copy, "articles/en/forgot-password.md", 1))

    def test_is_told_in_the_readers_language(self, copy: Path) -> None:
        problem = Problem("desk.yml", 3, "The key “%(key)s” is missing.", {"key": "team"})
        assert str(problem) == "desk.yml:3: error: The key “team” is missing."


class TestAFileThatIsNoYaml:
    @pytest.mark.parametrize("name", ["preset.yml", "catalogue.yml", "desk.yml", "slots.yml", "domain.yml", "nlu/ru.yml", "rules.yml"])
    def test_missing_is_named(self, copy: Path, name: str) -> None:
        (copy / name).unlink()
        assert Problem(name, 1, "This file is missing or cannot be opened.") in check_preset(copy)

    @pytest.mark.parametrize("content", ["- 1\n- 2\n", "just words\n", ""])
    def test_of_another_shape_is_named(self, copy: Path, content: str) -> None:
        (copy / "desk.yml").write_text(content, encoding="utf-8")
        assert any(problem.file in ("desk.yml", "catalogue.yml") for problem in check_preset(copy))

    def test_with_a_syntax_error_is_named_with_its_line(self, copy: Path) -> None:
        line = plant(copy, "desk.yml", "    weekly: &office_week\n", "    weekly: [\n")
        assert any("not valid YAML" in problem.message and problem.line >= line for problem in check_preset(copy))

    def test_in_another_encoding_is_named_with_its_line(self, copy: Path) -> None:
        (copy / "slots.yml").write_bytes("slots:\n  имя:\n".encode("cp1251"))
        assert problems_at(copy, "slots.yml", 2) == ["This line is not UTF-8 text."]

    def test_executes_nothing(self, copy: Path) -> None:
        trap = copy / "trap"
        line = plant(copy, "preset.yml", "key: it_service_desk", f'key: !!python/object/apply:pathlib.Path.touch ["{trap}"]')
        assert any("not valid YAML" in message for message in problems_at(copy, "preset.yml", line))
        with pytest.raises(UnreadablePreset):
            load_preset(copy)
        assert not trap.exists()

    def test_that_unfolds_without_end_is_refused(self, copy: Path) -> None:
        layers = "\n".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 9))
        (copy / "preset.yml").write_text(f"a0: &a0 [x]\n{layers}\n", encoding="utf-8")
        assert any("too many values" in problem.message for problem in check_preset(copy))

    def test_that_contains_itself_is_refused(self, copy: Path) -> None:
        (copy / "preset.yml").write_text("key: &again [*again]\n", encoding="utf-8")
        assert any("not valid YAML" in problem.message for problem in check_preset(copy))


class TestLoading:
    def test_says_which_file_cannot_be_read(self, copy: Path) -> None:
        (copy / "slots.yml").unlink()
        with pytest.raises(UnreadablePreset) as caught:
            load_preset(copy)
        assert caught.value.fields["file"] == "slots.yml"
        assert str(copy) not in str(caught.value.fields["reason"])

    def test_says_which_article_has_no_head(self, copy: Path) -> None:
        (copy / "articles/en/forgot-password.md").write_text("Just text.\n", encoding="utf-8")
        with pytest.raises(UnreadablePreset) as caught:
            load_preset(copy)
        assert caught.value.fields["file"] == "articles/en/forgot-password.md"

    def test_of_a_desk_without_a_part_is_refused(self, copy: Path) -> None:
        plant(copy, "desk.yml", "routing_rules:", "rooting_rules:")
        with pytest.raises(UnreadablePreset):
            load_preset(copy)


class TestAQuestionThatHangsOnAnother:
    @pytest.mark.parametrize(
        ("condition", "message"),
        [
            ("{phone_trouble: [no_calls, nonsense]}", "“phone_trouble” has no choice “nonsense”."),
            ("{phone_trouble: []}", "“phone_trouble” has no choice “[]”."),
            ("{location: [here]}", "“location” is no other slot with choices."),
            ("{phone_number: [1]}", "“phone_number” is no other slot with choices."),
        ],
    )
    def test_names_a_condition_that_cannot_come_true(self, copy: Path, condition: str, message: str) -> None:
        line = plant(copy, "slots.yml", "when: {phone_trouble: [no_calls, no_sound, dead, forwarding, other]}", f"when: {condition}")
        assert message in problems_at(copy, "slots.yml", line)

    def test_comes_back_as_it_went(self, preset: Preset) -> None:
        assert preset.slots["phone_number"].when == {"phone_trouble": ("no_calls", "no_sound", "dead", "forwarding", "other")}
        assert preset.slots["phone_number"].definition()["when"] == {
            "phone_trouble": ["no_calls", "no_sound", "dead", "forwarding", "other"]
        }
