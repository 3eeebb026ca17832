"""What may be wrong with a preset's `desk.yml`: calendars, lines, teams, promises, the matrix, routing rules and the close ladder."""

from collections.abc import Mapping, Sequence
from typing import Any

from desk_core.catalogue.preset_source import Located, Report, Where
from desk_core.catalogue.priority import Impact, PriorityMatrix, Urgency
from desk_core.kit.errors import DeskError
from desk_core.kit.i18n import gettext_noop as _
from desk_core.routing.rules import Facts, Rule, route, validate_rule
from desk_core.sla.clock import WEEKDAYS, Calendar, Metric
from desk_core.sla.durations import parse_duration
from desk_core.tickets.ladder import Ladder
from desk_core.tickets.lifecycle import Priority

_SECTIONS = frozenset(
    {
        "organisation",
        "calendars",
        "lines",
        "teams",
        "priority_matrix",
        "default_sla_policy",
        "sla_policies",
        "routing_rules",
        "close_ladder",
    }
)
_METRICS = frozenset(metric.value for metric in Metric)
_PRIORITIES = frozenset(priority.value for priority in Priority)


def check_desk(report: Report, desk: Located, languages: Sequence[str]) -> frozenset[str]:
    """Report every fault of the file; returns the keys of its teams."""
    if not desk.value:
        return frozenset()
    report.keys(desk, (), required=_SECTIONS, optional=frozenset({"limits"}))
    if "organisation" in desk.value:
        report.texts(desk, ("organisation",), languages)
    calendars = _calendars(report, desk, languages)
    policies = _policies(report, desk, languages, calendars)
    if "default_sla_policy" in desk.value:
        report.one_of(desk, ("default_sla_policy",), policies)
    lines = _lines(report, desk, languages)
    teams = _teams(report, desk, languages, lines=lines, calendars=calendars, policies=policies)
    _matrix(report, desk)
    _rules(report, desk, languages, teams=teams, lines=lines)
    _ladder(report, desk)
    return teams


def check_routes(report: Report, catalogue: Located, desk: Located) -> None:
    """Every category must arrive at the team it names, as far as category, kind and priority decide."""
    try:
        rules = [Rule.from_mapping(rule) for rule in desk.get("routing_rules") or ()]
        matrix = PriorityMatrix.from_mapping(desk.get("priority_matrix") or {})
    except (DeskError, ValueError, TypeError, AttributeError):
        return  # reported where it stands
    for index, category in enumerate(catalogue.get("categories") or ()):
        if not isinstance(category, Mapping) or not isinstance(category.get("team"), str):
            continue
        try:
            priority = matrix.priority(str(category.get("impact")), str(category.get("urgency")))
        except ValueError:
            continue
        found = route(Facts(category=str(category.get("key")), kind=str(category.get("kind")), priority=priority), rules)
        if found.team is not None and found.team != category["team"]:
            text = _("The category names the team “%(team)s”, but rule %(position)s sends it to “%(found)s”.")
            where: Where = ("categories", index, "team")
            report.error(catalogue, where, text, team=category["team"], position=found.explanation.position, found=found.team)


def unique(report: Report, doc: Located, wheres: Sequence[Where]) -> frozenset[str]:
    """The values at these paths, each reported where it comes a second time."""
    seen: set[str] = set()
    for where in wheres:
        value = str(doc.get(*where))
        if value in seen:
            report.error(doc, where, _("“%(key)s” is here twice; the later one would win."), key=value)
        seen.add(value)
    return frozenset(seen)


def _calendars(report: Report, desk: Located, languages: Sequence[str]) -> frozenset[str]:
    if "calendars" not in desk.value:
        return frozenset()
    required = frozenset({"key", "titles", "zone", "weekly"})
    found = report.records(desk, "calendars", required=required, optional=frozenset({"holidays"}))
    for index in found:
        at: Where = ("calendars", index)
        report.texts(desk, (*at, "titles"), languages)
        _fits(report, desk, (*at, "zone"), zone=desk.get(*at, "zone"))
        _holidays(report, desk, (*at, "holidays"))
        weekly = report.mapping(desk, *at, "weekly")
        if weekly and not any(weekly.values()):
            report.error(desk, (*at, "weekly"), _("This calendar is never open."))
        for day in weekly:
            if day not in WEEKDAYS:
                text = _("“%(day)s” is not a day of the week. Known: %(known)s.")
                report.error(desk, (*at, "weekly", day), text, day=day, known=", ".join(WEEKDAYS))
            elif not isinstance(weekly[day], list) or not all(isinstance(one, str) for one in weekly[day]):
                report.error(desk, (*at, "weekly", day), _("Hours are a list like [“09:00-13:00”, “14:00-18:00”]."))
            else:
                _fits(report, desk, (*at, "weekly", day), weekly={day: weekly[day]})
    return unique(report, desk, [("calendars", index, "key") for index in found])


def _fits(report: Report, desk: Located, where: Where, *, zone: Any = "UTC", weekly: Mapping[str, Sequence[str]] | None = None) -> None:
    """The calendar itself says what is wrong with its zone and hours."""
    try:
        Calendar.from_weekly(zone=str(zone), weekly=weekly or {})
    except DeskError as error:
        report.error(desk, where, _("These hours cannot be used: %(reason)s."), reason=error.fields.get("reason", error.code))


def _holidays(report: Report, desk: Located, where: Where) -> None:
    for number, day in enumerate(desk.get(*where) or ()):
        try:
            Calendar.from_weekly(zone="UTC", weekly={}, holidays=[day])
        except (DeskError, ValueError, TypeError):
            report.error(desk, (*where, number), _("“%(day)s” is not a date. Write it like 2027-01-07."), day=day)


def _lines(report: Report, desk: Located, languages: Sequence[str]) -> frozenset[int]:
    if "lines" not in desk.value:
        return frozenset()
    found = report.records(desk, "lines", required=frozenset({"number", "titles"}))
    for index in found:
        report.texts(desk, ("lines", index, "titles"), languages)
        if type(desk.get("lines", index, "number")) is not int:
            report.error(desk, ("lines", index, "number"), _("A line is a number."))
    unique(report, desk, [("lines", index, "number") for index in found])
    return frozenset(number for number in (desk.get("lines", index, "number") for index in found) if type(number) is int)


def _teams(
    report: Report, desk: Located, languages: Sequence[str], *, lines: frozenset[int], calendars: frozenset[str], policies: frozenset[str]
) -> frozenset[str]:
    if "teams" not in desk.value:
        return frozenset()
    required = frozenset({"key", "titles", "line", "calendar"})
    found = report.records(desk, "teams", required=required, optional=frozenset({"sla_policy"}))
    for index in found:
        at: Where = ("teams", index)
        report.texts(desk, (*at, "titles"), languages)
        report.one_of(desk, (*at, "calendar"), calendars)
        if desk.get(*at, "sla_policy") is not None:
            report.one_of(desk, (*at, "sla_policy"), policies)
        if desk.get(*at, "line") not in lines:
            report.error(desk, (*at, "line"), _("There is no line “%(line)s”."), line=desk.get(*at, "line"))
    return unique(report, desk, [("teams", index, "key") for index in found])


def _policies(report: Report, desk: Located, languages: Sequence[str], calendars: frozenset[str]) -> frozenset[str]:
    if "sla_policies" not in desk.value:
        return frozenset()
    found = report.records(desk, "sla_policies", required=frozenset({"key", "titles", "calendar", "targets"}))
    for index in found:
        at: Where = ("sla_policies", index)
        report.texts(desk, (*at, "titles"), languages)
        report.one_of(desk, (*at, "calendar"), calendars)
        if not report.keys(desk, (*at, "targets"), required=_PRIORITIES):
            continue
        for priority in _PRIORITIES:
            report.keys(desk, (*at, "targets", priority), required=_METRICS)
            for metric, length in report.mapping(desk, *at, "targets", priority).items():
                try:
                    parse_duration(length)
                except DeskError:
                    text = _("“%(value)s” is not a length of time. Write it like 15m, 4h or 2d 4h (w, d, h, m, s).")
                    report.error(desk, (*at, "targets", priority, metric), text, value=length)
    return unique(report, desk, [("sla_policies", index, "key") for index in found])


def _matrix(report: Report, desk: Located) -> None:
    if "priority_matrix" not in desk.value:
        return
    at: Where = ("priority_matrix",)
    if report.keys(desk, at, required=frozenset(impact.value for impact in Impact)):
        for impact in Impact:
            where = (*at, impact.value)
            report.keys(desk, where, required=frozenset(urgency.value for urgency in Urgency))
            for urgency in report.mapping(desk, *where):
                report.one_of(desk, (*where, urgency), _PRIORITIES)


def _rules(report: Report, desk: Located, languages: Sequence[str], *, teams: frozenset[str], lines: frozenset[int]) -> None:
    if "routing_rules" not in desk.value:
        return
    found = report.records(desk, "routing_rules", required=frozenset({"position", "name", "conditions", "actions"}))
    for index in found:
        at: Where = ("routing_rules", index)
        report.texts(desk, (*at, "name"), languages)
        report.keys(desk, (*at, "actions"), required=frozenset(), optional=frozenset({"team", "line", "priority", "tags"}))
        conditions = report.records(desk, *at, "conditions", required=frozenset({"field", "op", "value"}))
        actions = report.mapping(desk, *at, "actions")
        if "team" in actions:
            report.one_of(desk, (*at, "actions", "team"), teams)
        if "line" in actions and actions["line"] not in lines:
            report.error(desk, (*at, "actions", "line"), _("There is no line “%(line)s”."), line=actions["line"])
        if "priority" in actions:
            report.one_of(desk, (*at, "actions", "priority"), _PRIORITIES)
        if len(conditions) == len(desk.get(*at, "conditions") or ()):
            _one_rule(report, desk, at)
    unique(report, desk, [("routing_rules", index, "position") for index in found])
    if found:
        last = max(found, key=lambda index: _number(desk.get("routing_rules", index, "position")))
        if desk.get("routing_rules", last, "conditions"):
            report.error(desk, ("routing_rules", last), _("The last rule must have no conditions, so that it takes the rest."))


def _one_rule(report: Report, desk: Located, at: Where) -> None:
    """The routing module says what is wrong inside a rule."""
    try:
        rule = Rule.from_mapping(desk.get(*at))
    except (ValueError, TypeError):
        return  # a priority or number that is reported already
    for problem in validate_rule(rule):
        names = problem.where.replace("]", "").replace("[", ".").split(".")  # conditions[1].value
        steps = [int(name) if name.isdigit() else name for name in names]
        report.error(desk, (*at, *steps), problem.text, **problem.params)


def _number(value: Any) -> int:
    return value if type(value) is int else 0


def _ladder(report: Report, desk: Located) -> None:
    names = frozenset({"remind_after_business_days", "close_after_business_days", "reopen_days"})
    if "close_ladder" in desk.value and report.keys(desk, ("close_ladder",), required=names):
        ladder = report.mapping(desk, "close_ladder")
        wrong = [name for name in sorted(names) if type(ladder[name]) is not int]
        for name in wrong:
            report.error(desk, ("close_ladder", name), _("“%(value)s” is not a whole number."), value=ladder[name])
        if not wrong:
            try:
                Ladder(**{name: ladder[name] for name in names})
            except DeskError as error:
                report.error(desk, ("close_ladder",), _("The close ladder cannot be used: %(reason)s."), reason=error.fields.get("reason"))
    if "limits" in desk.value:
        for name, value in report.mapping(desk, "limits").items():
            if type(value) is not int or value < 0:
                report.error(desk, ("limits", name), _("“%(value)s” is not a whole number."), value=value)
