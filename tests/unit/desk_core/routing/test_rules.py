"""Routing: the first rule that matches decides, and says why."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from desk_core.routing.rules import (
    OPS,
    Actions,
    Because,
    Condition,
    Explanation,
    Facts,
    Field,
    Op,
    Route,
    Rule,
    Value,
    named,
    route,
    validate_rule,
)
from desk_core.tickets.lifecycle import Priority

PRESET = Path(__file__).parents[4] / "presets" / "it_service_desk" / "desk.yml"

FACTS = Facts(
    category="network.vpn",
    kind="incident",
    priority=Priority.P3,
    channel="telegram",
    language="ru",
    text="Не подключается VPN, а принтёры  молчат",
    tags=("VIP",),
    inbox="support",
    contact_domain="msk.example.org",
    line=2,
)


def rule(*conditions: Condition, position: int = 10, name: str = "a rule", **actions: Any) -> Rule:
    return Rule(position=position, name=name, conditions=conditions, actions=Actions(**(actions or {"line": 1})))


@pytest.mark.parametrize(
    ("field", "op", "value", "found"),
    [
        ("category", "is", "network.vpn", "network.vpn"),
        ("category", "is", "network", None),
        ("category", "is_not", "network", "network.vpn"),
        ("category", "in", ("network.vpn", "mail"), "network.vpn"),
        ("category", "not_in", ("mail",), "network.vpn"),
        ("category", "not_in", ("network.vpn",), None),
        ("category", "starts_with", "network", "network.vpn"),
        ("category", "starts_with", "net", None),
        ("kind", "is", "incident", "incident"),
        ("priority", "at_least", "P3", "P3"),
        ("priority", "at_least", "P2", None),
        ("priority", "at_most", "P2", "P3"),
        ("channel", "in", ("telegram",), "telegram"),
        ("language", "is", "RU", "ru"),
        ("inbox", "is", "support", "support"),
        ("contact_domain", "ends_with", "example.org", "msk.example.org"),
        ("contact_domain", "ends_with", "ample.org", None),
        ("line", "is", 2, "2"),
        ("line", "at_least", 3, None),
        ("line", "at_most", 3, "2"),
        ("line", "in", (1, 2), "2"),
        ("tags", "contains", "vip", "vip"),
        ("tags", "lacks", "spam", ""),
        ("tags", "lacks", "vip", None),
        ("text", "contains", "vpn", "vpn"),
        ("text", "contains", "принтер", "принтер"),
        ("text", "contains", "принтеры молчат", "принтеры молчат"),
        ("text", "contains", "ключается", None),
        ("text", "contains_any", ("wifi", "впн", "vpn"), "vpn"),
        ("text", "contains_any", ("wifi",), None),
        ("text", "lacks", "почта", ""),
        ("text", "matches", r"не\s+подключа\w{0,5}", "Не подключается"),
        ("text", "matches", r"принтёр", "принтер"),
    ],
)
def test_a_condition_finds_what_it_looks_for(field: str, op: str, value: Value, found: str | None) -> None:
    condition = Condition(field, op, value)
    assert validate_rule(rule(condition)) == ()
    because = route(FACTS, [rule(condition)]).explanation.because
    assert because == (() if found is None else (Because(field, op, value, found),))


def test_every_pair_of_field_and_operation_is_tried_somewhere_and_none_fails() -> None:
    for field, ops in OPS.items():
        for op in ops:
            one: Value = 2 if field is Field.LINE else "P2" if field is Field.PRIORITY else "question"
            several = op in {Op.IN, Op.NOT_IN, Op.CONTAINS_ANY}
            condition = Condition(field, op, (one,) if isinstance(one, str | int) and several else one)
            if field is not Field.KIND:
                assert validate_rule(rule(condition)) == ()
            for facts in (FACTS, Facts()):
                route(facts, [rule(condition)])


class TestTheFirstMatch:
    vpn = rule(Condition("category", "is", "network.vpn"), position=20, name="vpn", team="infrastructure", line=3)
    rest = rule(position=100, name="rest", team="service_desk", line=1)

    def test_decides_whatever_the_order_they_come_in(self) -> None:
        for rules in ([self.vpn, self.rest], [self.rest, self.vpn]):
            assert route(FACTS, rules).team == "infrastructure"

    def test_needs_all_its_conditions(self) -> None:
        both = rule(Condition("category", "is", "network.vpn"), Condition("language", "is", "en"), position=1, team="x")
        assert route(FACTS, [both, self.rest]).team == "service_desk"

    def test_passes_over_rules_that_are_switched_off_or_broken(self) -> None:
        off = Rule(position=1, name="off", actions=Actions(team="nobody"), enabled=False)
        broken = rule(Condition("text", "matches", "(a+)+"), position=2, team="nobody")
        unknown = rule(Condition("colour", "is", "red"), position=3, team="nobody")
        assert route(FACTS, [off, broken, unknown, self.vpn]).team == "infrastructure"

    def test_leaves_what_it_does_not_decide(self) -> None:
        tagged = rule(name="tag", tags=("night",))
        assert route(FACTS, [tagged]) == Route(
            team=None,
            line=2,
            priority=Priority.P3,
            tags=("night",),
            explanation=Explanation(rule="tag", position=10, because=()),
        )

    def test_without_any_the_request_stays_as_it_is(self) -> None:
        assert route(FACTS, []) == Route(team=None, line=2, priority=Priority.P3, tags=(), explanation=Explanation())

    def test_conditions_on_what_is_unknown_do_not_match(self) -> None:
        for condition in (Condition("priority", "at_least", "P4"), Condition("category", "starts_with", "network")):
            assert route(Facts(), [rule(condition, team="x")]).team is None


class TestTheExplanation:
    here = route(
        FACTS,
        [
            rule(
                Condition("category", "starts_with", "network"),
                Condition("text", "contains_any", ("vpn", "впн")),
                name="VPN",
                team="infrastructure",
            )
        ],
    ).explanation

    def test_is_kept_as_json(self) -> None:
        kept = json.loads(json.dumps(self.here.to_json()))
        assert Explanation.from_json(kept) == self.here
        assert Explanation.from_json(Explanation().to_json()) == Explanation()
        assert Explanation.from_json({}) == Explanation()

    def test_reads_as_a_sentence(self) -> None:
        assert self.here.render("en") == "Rule “VPN”: category is network.vpn, below network; text: “vpn”."

    def test_names_values_by_their_titles(self) -> None:
        told = self.here.render("en", titles={"network.vpn": "VPN access", "network": "Network"})
        assert "category is VPN access, below Network" in told

    def test_tells_when_there_was_nothing_to_see(self) -> None:
        assert Explanation().render("en") == "No rule matched; the first line takes it."
        assert Explanation(rule="Rest", position=1).render("en") == "Rule “Rest”: it takes every request."

    def test_can_be_told_in_russian_with_the_name_in_russian(self) -> None:
        both = Explanation(rule={"ru": "Всё остальное", "en": "The rest"}, position=1)
        assert "Всё остальное" in both.render("ru")
        assert "The rest" in both.render("en")

    def test_of_another_version_still_renders(self) -> None:
        strange = Explanation(rule="Old", position=1, because=(Because("colour", "is", "red", "red"),))
        assert "Old" in strange.render("en")

    def test_quotes_a_little_of_a_long_text_only(self) -> None:
        facts = Facts(text="a" * 500)
        because = route(facts, [rule(Condition("text", "matches", "a+"))]).explanation.because
        assert len(because[0].found) == 80


@pytest.mark.parametrize(
    ("condition", "where", "words"),
    [
        (Condition("colour", "is", "red"), "field", "no field “colour”"),
        (Condition("category", "matches", "x"), "op", "cannot be asked of category"),
        (Condition("category", "in", "access"), "value", "list"),
        (Condition("category", "is", ("access",)), "value", "single"),
        (Condition("category", "is", ""), "value", "missing"),
        (Condition("category", "in", ()), "value", "missing"),
        (Condition("line", "is", "two"), "value", "number"),
        (Condition("priority", "at_least", "P7"), "value", "no “P7”"),
        (Condition("kind", "is", "accident"), "value", "no “accident”"),
        (Condition("text", "matches", "(a+)+"), "value", "repeat inside a repeat"),
    ],
)
def test_what_is_wrong_is_named_with_its_place(condition: Condition, where: str, words: str) -> None:
    good = Condition("channel", "is", "email")
    problems = validate_rule(rule(good, condition))
    assert [problem.where for problem in problems] == [f"conditions[1].{where}"]
    assert words in problems[0].render("en")


def test_a_rule_needs_a_name_and_something_to_decide() -> None:
    assert [problem.where for problem in validate_rule(Rule(position=1, name=""))] == ["name", "actions"]


class TestReadingRules:
    def test_from_rows_and_presets(self) -> None:
        row = {
            "position": 5,
            "names": {"ru": "Связь", "en": "Network"},
            "conditions": [{"field": "category", "op": "in", "value": ["network", "mail"]}],
            "actions": {"team": "infrastructure", "line": 2, "priority": "P2", "tags": ["net"]},
        }
        read = Rule.from_mapping(row)
        assert read.conditions == (Condition("category", "in", ("network", "mail")),)
        assert read.actions == Actions(team="infrastructure", line=2, priority=Priority.P2, tags=("net",))
        assert read.enabled
        assert named(read.name, "ru") == "Связь"
        assert named({"ru": "Связь"}, "en") == "Связь"
        assert read.conditions[0].to_mapping() == row["conditions"][0]  # type: ignore[index]  # the row is a plain dict

    def test_a_priority_that_is_none_is_refused(self) -> None:
        with pytest.raises(ValueError, match="P9"):
            Rule.from_mapping({"name": "x", "actions": {"priority": "P9"}})


class TestTheItDesk:
    rules = tuple(Rule.from_mapping(entry) for entry in yaml.safe_load(PRESET.read_text("utf-8"))["routing_rules"])

    def test_has_only_good_rules(self) -> None:
        assert [problem for one in self.rules for problem in validate_rule(one)] == []

    @pytest.mark.parametrize(
        ("facts", "team", "priority"),
        [
            (Facts(category="security.incident"), "security", None),
            (Facts(category="network.vpn", priority=Priority.P3), "infrastructure", Priority.P3),
            (Facts(category="hardware.printer", text="Из принтера идёт дым!"), "workplace", Priority.P1),
            (Facts(category="business.onec"), "business_apps", None),
            (Facts(), "service_desk", None),
        ],
    )
    def test_sends_requests_where_they_belong(self, facts: Facts, team: str, priority: Priority | None) -> None:
        decided = route(facts, self.rules)
        assert (decided.team, decided.priority) == (team, priority)
