"""The desk's configuration as one frozen snapshot: what every decision looks at, read from the tables and cached by the gateway."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from string import Formatter
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select

from desk_core.catalogue.entities import Category, DeskSetting, Form, Reply, Slot
from desk_core.catalogue.priority import Impact, PriorityMatrix, Urgency
from desk_core.groups.entities import OperatorGroup
from desk_core.kit.db import ReadSession
from desk_core.kit.i18n import Phrase, known_language, translate
from desk_core.people.entities import Team
from desk_core.routing.entities import RoutingRule
from desk_core.routing.rules import Rule
from desk_core.sla.clock import Calendar, Metric
from desk_core.sla.entities import BusinessCalendar, SlaPolicy
from desk_core.tickets.ladder import Ladder

REVISION = "revision"
"""The desk setting that every change of configuration touches, so that other processes notice."""


@dataclass(frozen=True, slots=True)
class CategoryInfo:
    key: str
    parent: str | None
    titles: Mapping[str, str]
    descriptions: Mapping[str, str]
    kind: str
    impact: str
    urgency: str
    form: str | None
    team: str | None
    human_now: bool


@dataclass(frozen=True, slots=True)
class TeamInfo:
    id: str
    key: str
    titles: Mapping[str, str]
    line: int
    calendar: str | None
    policy: str | None


@dataclass(frozen=True, slots=True)
class GroupInfo:
    """A group of operators; `teams` are those whose requests it shows, none for all."""

    id: str
    inbox_id: str
    chat: str
    language: str
    teams: tuple[str, ...]
    alerts: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class PolicyInfo:
    key: str
    titles: Mapping[str, str]
    calendar: str
    targets: Mapping[str, Mapping[str, int]]  # priority -> metric -> business seconds

    def target(self, priority: str, metric: Metric) -> int | None:
        return self.targets.get(priority, {}).get(metric.value)


@dataclass(frozen=True, slots=True)
class DeskConfig:
    """Everything configured, ready for decisions. Built by `load`; `revision` tells whether a cached one is still true."""

    revision: datetime
    organisation: Mapping[str, str]
    languages: tuple[str, ...]
    language: str
    time_zone: str
    categories: Mapping[str, CategoryInfo]
    forms: Mapping[str, tuple[str, ...]]
    slots: Mapping[str, Mapping[str, Any]]  # name -> definition, with its "kind"
    replies: Mapping[tuple[str, str], str]
    teams: Mapping[str, TeamInfo]
    lines: Mapping[int, Mapping[str, str]]
    calendars: Mapping[str, Calendar]
    policies: Mapping[str, PolicyInfo]
    default_policy: str
    rules: tuple[Rule, ...]
    matrix: PriorityMatrix
    ladder: Ladder
    limits: Mapping[str, int] = field(default_factory=dict)
    names: Mapping[str, Any] = field(default_factory=dict)  # numbers, devices and programs that are recognised in a text
    groups: tuple[GroupInfo, ...] = ()

    def today(self, now: datetime) -> date:
        """The day at the desk."""
        return now.astimezone(ZoneInfo(self.time_zone)).date()

    def title(self, category: str | None, language: str) -> str:
        """A category's title, the key itself where it is unknown, a dash where there is none."""
        if category is None:
            return "—"
        known = self.categories.get(category)
        return pick(known.titles, language) if known else category

    def team_title(self, team_id: str | None, language: str) -> str:
        team = self.team_by_id(team_id)
        return pick(team.titles, language) if team else "—"

    def team_by_id(self, team_id: str | None) -> TeamInfo | None:
        return next((team for team in self.teams.values() if team.id == team_id), None)

    def group_for(self, team_id: str | None) -> GroupInfo | None:
        """The operators' group that shows the requests of this team."""
        team = self.team_by_id(team_id)
        return next((group for group in self.groups if not group.teams or (team is not None and team.key in group.teams)), None)

    def group_by_chat(self, inbox_id: str, chat: str) -> GroupInfo | None:
        return next((group for group in self.groups if (group.inbox_id, group.chat) == (inbox_id, chat)), None)

    def line_title(self, line: int, language: str) -> str:
        return pick(self.lines[line], language) if line in self.lines else str(line)

    def policy_titles(self, language: str) -> list[str]:
        return [pick(policy.titles, language) or policy.key for policy in self.policies.values()]

    def reply(self, key: str, language: str, **params: Any) -> str:
        """What the bot says for `key`; unknown placeholders are left out rather than shown."""
        text = self.replies.get((key, known_language(language))) or self.replies.get((key, self.language)) or ""
        return fill(text, {name: translate(language, value) if isinstance(value, Phrase) else value for name, value in params.items()})

    def policy_for(self, team: TeamInfo | None) -> PolicyInfo:
        return self.policies[(team.policy if team else None) or self.default_policy]

    def calendar_of(self, policy: PolicyInfo) -> Calendar:
        return self.calendars[policy.calendar]

    def calendar_for(self, team: TeamInfo | None) -> Calendar:
        """The hours in which this team keeps its promises."""
        return self.calendar_of(self.policy_for(team))

    def priority(self, impact: str, urgency: str) -> str:
        return self.matrix.priority(Impact(impact), Urgency(urgency)).value


def pick(texts: Mapping[str, str], language: str) -> str:
    """The text in `language`, otherwise in any language there is."""
    return texts.get(known_language(language)) or next(iter(texts.values()), "")


class _Blank(dict[str, Any]):
    def __missing__(self, key: str) -> str:
        return ""


def fill(template: str, params: Mapping[str, Any]) -> str:
    """`{name}` placeholders filled from `params`; anything else in braces, which an administrator may have typed, stays as it is."""
    try:
        names = {name for _, name, _, _ in Formatter().parse(template) if name}
    except ValueError:
        return template
    if not all(name.isidentifier() for name in names):
        return template
    return template.format_map(_Blank(params))


async def revision(session: ReadSession) -> datetime | None:
    """When the configuration last changed; None while the desk is not set up."""
    found: datetime | None = await session.scalar(select(DeskSetting.updated_at).where(DeskSetting.key == REVISION))
    return found


async def load(session: ReadSession) -> DeskConfig:
    """Read the whole configuration: twelve small tables, one statement each."""
    settings = {row.key: (row.value, row.updated_at) for row in await session.scalars(select(DeskSetting))}
    values = {key: value for key, (value, _) in settings.items()}
    desk = values["desk"]
    categories = (await session.scalars(select(Category).order_by(Category.position))).all()
    calendars = (await session.scalars(select(BusinessCalendar))).all()
    policies = (await session.scalars(select(SlaPolicy))).all()
    rules = (await session.scalars(select(RoutingRule).order_by(RoutingRule.position))).all()
    teams = (await session.scalars(select(Team).order_by(Team.line, Team.key))).all()
    linked = select(OperatorGroup).where(OperatorGroup.ended_at.is_(None)).order_by(OperatorGroup.linked_at, OperatorGroup.id)
    groups = (await session.scalars(linked.limit(100))).all()
    return DeskConfig(
        revision=settings[REVISION][1],
        organisation=desk["organisation"],
        languages=tuple(desk["languages"]),
        language=desk["language"],
        time_zone=desk["time_zone"],
        categories={
            row.key: CategoryInfo(
                key=row.key, parent=row.parent_key, titles=row.titles, descriptions=row.descriptions, kind=row.kind, impact=row.impact,
                urgency=row.urgency, form=row.form_key, team=row.team_key, human_now=row.human_now,
            )
            for row in categories
        },
        forms={row.key: tuple(row.slots) for row in await session.scalars(select(Form))},
        slots={row.name: {**row.definition, "kind": row.kind} for row in await session.scalars(select(Slot))},
        replies={(row.key, row.language): row.text for row in await session.scalars(select(Reply))},
        teams={
            row.key: TeamInfo(id=row.id, key=row.key, titles=row.titles, line=row.line, calendar=row.calendar_key, policy=row.policy_key)
            for row in teams
        },
        lines={int(number): titles for number, titles in values["lines"].items()},
        calendars={
            row.key: Calendar.from_weekly(zone=row.zone, weekly=row.weekly, holidays=row.holidays) for row in calendars
        },
        policies={row.key: PolicyInfo(key=row.key, titles=row.titles, calendar=row.calendar_key, targets=row.targets) for row in policies},
        default_policy=desk["default_policy"],
        rules=tuple(
            Rule.from_mapping(
                {"position": row.position, "name": row.names, "conditions": row.conditions, "actions": row.actions, "enabled": row.enabled}
            )
            for row in rules
        ),
        matrix=PriorityMatrix.from_mapping(values["priority_matrix"]),
        ladder=Ladder(**values["close_ladder"]),
        limits=values.get("limits", {}),
        names=values.get("names", {}),
        groups=tuple(
            GroupInfo(
                id=row.id, inbox_id=row.inbox_id, chat=row.chat, language=row.language, teams=tuple(row.teams), alerts=row.alerts
            )
            for row in groups
        ),
    )  # fmt: skip
