"""Routing: conditions over the facts of a request lead to a team, a line, a priority and tags. Pure.

Rules are tried by position and the first that matches decides. Why it matched is data, kept on the ticket as "why here".
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import Any

from desk_core.kit.i18n import gettext_noop as _
from desk_core.kit.i18n import known_language, translate
from desk_core.routing.patterns import MAX_TEXT, UnsafePattern, compile_safely, search
from desk_core.tickets.lifecycle import Kind, Priority

Value = str | int | tuple[str | int, ...]
Name = str | Mapping[str, str]  # one text, or a text for each language

_MAX_FOUND = 80  # characters of a text quoted in an explanation


class Field(StrEnum):
    """What a condition may look at."""

    CATEGORY = "category"
    KIND = "kind"
    PRIORITY = "priority"
    CHANNEL = "channel"
    LANGUAGE = "language"
    TEXT = "text"
    TAGS = "tags"
    INBOX = "inbox"
    CONTACT_DOMAIN = "contact_domain"
    LINE = "line"


class Op(StrEnum):
    """How a condition looks at it."""

    IS = "is"
    IS_NOT = "is_not"
    IN = "in"
    NOT_IN = "not_in"
    STARTS_WITH = "starts_with"  # a category or anything below it: "access" takes "access.password"
    ENDS_WITH = "ends_with"  # a domain or anything below it: "example.org" takes "mail.example.org"
    CONTAINS = "contains"  # a tag; in a text a word or phrase by its beginning: "принтер" takes "принтеры"
    CONTAINS_ANY = "contains_any"
    LACKS = "lacks"
    MATCHES = "matches"  # a regular expression, see `patterns`
    AT_LEAST = "at_least"  # P2 takes P1 and P2; line 2 takes 2 and 3
    AT_MOST = "at_most"


_ONE = frozenset({Op.IS, Op.IS_NOT, Op.IN, Op.NOT_IN})
_SEVERAL = frozenset({Op.CONTAINS, Op.CONTAINS_ANY, Op.LACKS})
_ORDER = frozenset({Op.AT_LEAST, Op.AT_MOST})
OPS: Mapping[Field, frozenset[Op]] = {
    Field.CATEGORY: _ONE | {Op.STARTS_WITH},
    Field.KIND: _ONE,
    Field.PRIORITY: _ONE | _ORDER,
    Field.CHANNEL: _ONE,
    Field.LANGUAGE: _ONE,
    Field.TEXT: _SEVERAL | {Op.MATCHES},
    Field.TAGS: _SEVERAL,
    Field.INBOX: _ONE,
    Field.CONTACT_DOMAIN: _ONE | {Op.ENDS_WITH},
    Field.LINE: _ONE | _ORDER,
}
_LISTS = frozenset({Op.IN, Op.NOT_IN, Op.CONTAINS_ANY})
_CLOSED: Mapping[Field, frozenset[str]] = {
    Field.KIND: frozenset(Kind),
    Field.PRIORITY: frozenset(Priority),
}


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a request when it is routed."""

    category: str | None = None
    kind: str = Kind.INCIDENT
    priority: Priority | None = None
    channel: str = ""
    language: str = ""
    text: str = ""
    tags: tuple[str, ...] = ()
    inbox: str = ""
    contact_domain: str = ""
    line: int = 1


@dataclass(frozen=True, slots=True)
class Condition:
    field: str
    op: str
    value: Value

    @classmethod
    def from_mapping(cls, data: Mapping[str, Any]) -> "Condition":
        value = data.get("value", "")
        return cls(
            field=str(data.get("field", "")),
            op=str(data.get("op", "")),
            value=tuple(value) if isinstance(value, list | tuple) else value,
        )

    def to_mapping(self) -> dict[str, Any]:
        value = list(self.value) if isinstance(self.value, tuple) else self.value
        return {"field": self.field, "op": self.op, "value": value}


@dataclass(frozen=True, slots=True)
class Actions:
    """What a rule decides; what it leaves out stays as it was."""

    team: str | None = None
    line: int | None = None
    priority: Priority | None = None
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Rule:
    """All conditions must hold; a rule without conditions takes everything."""

    position: int
    name: Name
    conditions: tuple[Condition, ...] = ()
    actions: Actions = Actions()
    enabled: bool = True

    @classmethod
    def from_mapping(cls, data: Mapping[str, Any]) -> "Rule":
        """Read a rule of a preset (`name`) or a table row (`names`); raises ValueError for a priority or number that is none."""
        actions = data.get("actions") or {}
        line, priority = actions.get("line"), actions.get("priority")
        return cls(
            position=int(data.get("position", 0)),
            name=data.get("names") or data.get("name") or "",
            conditions=tuple(Condition.from_mapping(condition) for condition in data.get("conditions") or ()),
            actions=Actions(
                team=actions.get("team"),
                line=None if line is None else int(line),
                priority=None if priority is None else Priority(priority),
                tags=tuple(actions.get("tags") or ()),
            ),
            enabled=bool(data.get("enabled", True)),
        )


@dataclass(frozen=True, slots=True)
class Because:
    """One condition that held, and what it found."""

    field: str
    op: str
    value: Value
    found: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """ "Why here": the rule that decided (None: no rule did) and what it saw."""

    rule: Name | None = None
    position: int | None = None
    because: tuple[Because, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Plain JSON, for the ticket."""
        rule = dict(self.rule) if isinstance(self.rule, Mapping) else self.rule
        because = [{"field": one.field, "op": one.op, "value": _plain(one.value), "found": one.found} for one in self.because]
        return {"rule": rule, "position": self.position, "because": because}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Explanation":
        because = (
            Because(
                field=one["field"],
                op=one["op"],
                value=tuple(one["value"]) if isinstance(one["value"], list) else one["value"],
                found=one["found"],
            )
            for one in data.get("because") or ()
        )
        return cls(rule=data.get("rule"), position=data.get("position"), because=tuple(because))

    def render(self, language: str, *, titles: Mapping[str, str] | None = None) -> str:
        """One sentence for the operator. `titles` names values (category keys, teams) in their language."""
        say = partial(translate, language)
        if self.rule is None:
            return say(_("No rule matched; the first line takes it."))
        name = named(self.rule, language)
        if not self.because:
            return say(_("Rule “%(name)s”: it takes every request."), name=name)
        known = titles or {}
        reasons = "; ".join(
            say(
                _REASONS[one.op],
                field=say(_FIELDS[one.field]),
                value=", ".join(known.get(str(part), str(part)) for part in _as_tuple(one.value)),
                found=known.get(one.found, one.found),
            )
            for one in self.because
            if one.op in _REASONS and one.field in _FIELDS
        )
        return say(_("Rule “%(name)s”: %(reasons)s."), name=name, reasons=reasons)


@dataclass(frozen=True, slots=True)
class Route:
    """Where a request goes. `tags` are those the rule adds; `team` None: the desk's first team."""

    team: str | None
    line: int
    priority: Priority | None
    tags: tuple[str, ...]
    explanation: Explanation


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with a rule. `where` is a path inside it, such as `conditions[1].value`."""

    where: str
    text: str
    params: Mapping[str, object]

    def render(self, language: str) -> str:
        return f"{self.where}: {translate(language, self.text, **self.params)}"


def route(facts: Facts, rules: Iterable[Rule]) -> Route:
    """The first enabled rule that matches decides; without one the request stays as it is."""
    for rule in sorted(rules, key=lambda rule: rule.position):
        because = _why(facts, rule) if rule.enabled else None
        if because is None:
            continue
        actions = rule.actions
        return Route(
            team=actions.team,
            line=facts.line if actions.line is None else actions.line,
            priority=actions.priority or facts.priority,
            tags=actions.tags,
            explanation=Explanation(rule=rule.name, position=rule.position, because=because),
        )
    return Route(team=None, line=facts.line, priority=facts.priority, tags=(), explanation=Explanation())


def validate_rule(rule: Rule) -> tuple[Problem, ...]:
    """Everything that is wrong with a rule; nothing for a good one."""
    problems: list[Problem] = []
    if not rule.name:
        problems.append(Problem("name", _("A rule needs a name."), {}))
    actions = rule.actions
    if actions.team is None and actions.line is None and actions.priority is None and not actions.tags:
        problems.append(Problem("actions", _("A rule must decide something: team, line, priority or tags."), {}))
    for index, condition in enumerate(rule.conditions):
        problems += _problems_of(condition, f"conditions[{index}]")
    return tuple(problems)


def named(name: Name, language: str) -> str:
    """A name in a language, or in any it has."""
    if isinstance(name, str):
        return name
    return name.get(known_language(language)) or next(iter(name.values()), "")


def _problems_of(condition: Condition, where: str) -> list[Problem]:
    if condition.field not in set(Field):
        params = {"field": condition.field, "known": ", ".join(Field)}
        return [Problem(f"{where}.field", _("There is no field “%(field)s”. Known: %(known)s."), params)]
    field = Field(condition.field)
    if condition.op not in OPS[field]:
        params = {"op": condition.op, "field": field.value, "known": ", ".join(op for op in Op if op in OPS[field])}
        text = _("“%(op)s” cannot be asked of %(field)s. Known: %(known)s.")
        return [Problem(f"{where}.op", text, params)]
    op, values = Op(condition.op), _as_tuple(condition.value)
    if isinstance(condition.value, tuple) != (op in _LISTS):
        text = _("This needs a list of values.") if op in _LISTS else _("This needs a single value.")
        return [Problem(f"{where}.value", text, {})]
    if not values or any(value == "" for value in values):
        return [Problem(f"{where}.value", _("A value is missing."), {})]
    if field is Field.LINE and not all(type(value) is int for value in values):
        return [Problem(f"{where}.value", _("A line is a number."), {})]
    unknown = [str(value) for value in values if field in _CLOSED and value not in _CLOSED[field]]
    if unknown:
        params = {"value": ", ".join(unknown), "known": ", ".join(sorted(_CLOSED[field]))}
        return [Problem(f"{where}.value", _("There is no “%(value)s”. Known: %(known)s."), params)]
    if op is Op.MATCHES:
        try:
            compile_safely(_even(str(condition.value)))
        except UnsafePattern as error:
            text = _("This regular expression cannot be used: %(reason)s.")
            return [Problem(f"{where}.value", text, {"reason": error.reason})]
    return []


def _why(facts: Facts, rule: Rule) -> tuple[Because, ...] | None:
    """What every condition found, or None where one does not hold."""
    because: list[Because] = []
    for condition in rule.conditions:
        # A rule that went bad (edited by hand, imported) must not stop intake: it never matches.
        found = None if _problems_of(condition, "") else _find(facts, condition)
        if found is None:
            return None
        because.append(Because(condition.field, condition.op, condition.value, found[:_MAX_FOUND]))
    return tuple(because)


def _find(facts: Facts, condition: Condition) -> str | None:
    """What the condition found, or None where it does not hold."""
    field, op, values = Field(condition.field), Op(condition.op), _as_tuple(condition.value)
    if field is Field.TEXT:
        return _find_in_text(facts.text, op, values)
    if field is Field.TAGS:
        return _find_in_tags(facts.tags, op, values)
    have: str | int | None = getattr(facts, field.value)
    shown = "" if have is None else str(have)
    held = _TESTS[op](_comparable(have), tuple(_comparable(value) for value in values))
    return shown if held else None


def _find_in_text(text: str, op: Op, values: tuple[str | int, ...]) -> str | None:
    text = _even(text[:MAX_TEXT])
    if op is Op.MATCHES:
        return search(_even(str(values[0])), text)
    present = [str(value) for value in values if _begins_a_word(str(value), text)]
    if op is Op.LACKS:
        return None if present else ""
    return ", ".join(present) or None


def _find_in_tags(tags: tuple[str, ...], op: Op, values: tuple[str | int, ...]) -> str | None:
    held = {tag.casefold() for tag in tags}
    present = [str(value) for value in values if str(value).casefold() in held]
    if op is Op.LACKS:
        return None if present else ""
    return ", ".join(present) or None


def _begins_a_word(phrase: str, text: str) -> bool:
    words = r"\s+".join(map(re.escape, _even(phrase).split()))
    return re.search(rf"(?<!\w){words}", text, re.IGNORECASE) is not None


def _even(text: str) -> str:
    """Russian is written with and without «ё»; a rule must not care."""
    return text.replace("ё", "е").replace("Ё", "Е")


_Comparable = str | int | None
_TESTS: Mapping[Op, Callable[[Any, tuple[Any, ...]], bool]] = {
    Op.IS: lambda have, values: have == values[0],
    Op.IS_NOT: lambda have, values: have != values[0],
    Op.IN: lambda have, values: have in values,
    Op.NOT_IN: lambda have, values: have not in values,
    Op.STARTS_WITH: lambda have, values: have is not None and f"{have}.".startswith(f"{str(values[0]).rstrip('.')}."),
    Op.ENDS_WITH: lambda have, values: f".{have}".endswith(f".{str(values[0]).lstrip('.@')}"),
    # Numbers of lines grow with seniority; P1 is the most of priorities, so its order is turned round.
    Op.AT_LEAST: lambda have, values: have is not None and _rank(have) >= _rank(values[0]),
    Op.AT_MOST: lambda have, values: have is not None and _rank(have) <= _rank(values[0]),
}


def _rank(value: str | int) -> int:
    return value if isinstance(value, int) else -int(value.lstrip("p"))


def _comparable(value: str | int | None) -> _Comparable:
    return value.casefold() if isinstance(value, str) else value


def _as_tuple(value: Value) -> tuple[str | int, ...]:
    return value if isinstance(value, tuple) else (value,)


def _plain(value: Value) -> Any:
    return list(value) if isinstance(value, tuple) else value


_FIELDS: Mapping[str, str] = {
    Field.CATEGORY: _("category"),
    Field.KIND: _("kind"),
    Field.PRIORITY: _("priority"),
    Field.CHANNEL: _("channel"),
    Field.LANGUAGE: _("language"),
    Field.TEXT: _("text"),
    Field.TAGS: _("tags"),
    Field.INBOX: _("inbox"),
    Field.CONTACT_DOMAIN: _("mail domain"),
    Field.LINE: _("line"),
}
_REASONS: Mapping[str, str] = {
    Op.IS: _("%(field)s is %(found)s"),
    Op.IS_NOT: _("%(field)s is not %(value)s"),
    Op.IN: _("%(field)s is %(found)s"),
    Op.NOT_IN: _("%(field)s is none of %(value)s"),
    Op.STARTS_WITH: _("%(field)s is %(found)s, below %(value)s"),
    Op.ENDS_WITH: _("%(field)s is %(found)s, below %(value)s"),
    Op.CONTAINS: _("%(field)s: “%(found)s”"),
    Op.CONTAINS_ANY: _("%(field)s: “%(found)s”"),
    Op.LACKS: _("%(field)s: no “%(value)s”"),
    Op.MATCHES: _("%(field)s: “%(found)s”"),
    Op.AT_LEAST: _("%(field)s is %(found)s, at least %(value)s"),
    Op.AT_MOST: _("%(field)s is %(found)s, at most %(value)s"),
}
