"""A preset becomes the desk's tables; from then on the tables are the truth."""

from datetime import datetime
from typing import Any

from sqlalchemy import delete, insert, select, update

from desk_core.catalogue.desk import REVISION
from desk_core.catalogue.entities import Category, DeskSetting, Form, Reply, Slot, TrainingExample
from desk_core.catalogue.preset_model import Preset, PresetTeam
from desk_core.kit.db import UnitOfWork
from desk_core.kit.ids import new_id
from desk_core.knowledge.entities import Article
from desk_core.people.entities import Team
from desk_core.routing.entities import RoutingRule
from desk_core.sla.entities import BusinessCalendar, SlaPolicy

PRESET = "preset"
"""Source of training examples that came with a preset."""


async def install(uow: UnitOfWork, preset: Preset, *, language: str, now: datetime) -> None:
    """Load a whole preset into an empty or an existing desk: what the preset names is replaced, people's own rows stay."""
    await install_understanding(uow, preset, now=now)
    await _replace(uow, BusinessCalendar, [
        {
            "key": one.key, "titles": dict(one.titles), "zone": one.zone, "holidays": list(one.holidays),
            "weekly": {day: list(hours) for day, hours in one.weekly.items()},
        }
        for one in preset.calendars
    ])  # fmt: skip
    await _replace(uow, SlaPolicy, [
        {
            "key": one.key, "titles": dict(one.titles), "calendar_key": one.calendar,
            "targets": {priority: dict(targets) for priority, targets in one.targets.items()},
        }
        for one in preset.sla_policies
    ])  # fmt: skip
    await _replace(uow, RoutingRule, [
        {
            "id": new_id(), "position": rule.position, "names": dict(rule.names), "conditions": [_plain(one) for one in rule.conditions],
            "actions": _plain(rule.actions), "enabled": True,
        }
        for rule in preset.rules
    ])  # fmt: skip
    await _teams(uow, preset.teams)
    await _articles(uow, preset, now=now)
    settings: dict[str, dict[str, Any]] = {
        "desk": {
            "organisation": dict(preset.organisation), "languages": list(preset.languages), "language": language,
            "time_zone": preset.time_zone, "default_policy": preset.default_sla_policy, "preset": preset.key,
            "preset_version": preset.version,
        },
        "lines": {str(line.number): dict(line.titles) for line in preset.lines},
        "priority_matrix": {impact: dict(row) for impact, row in preset.priority_matrix.items()},
        "close_ladder": dict(preset.ladder),
        "limits": dict(preset.limits),
        "names": _plain(preset.names),
        REVISION: {},
    }  # fmt: skip
    await uow.execute(delete(DeskSetting).where(DeskSetting.key.in_(settings)))  # others are the desk's own
    await uow.execute(insert(DeskSetting), [{"key": key, "value": value, "updated_at": now} for key, value in settings.items()])


async def install_understanding(uow: UnitOfWork, preset: Preset, *, now: datetime) -> None:
    """Replace what the bot knows and says: topics, forms, questions, replies and the examples that came with a preset."""
    await _replace(uow, Category, [
        {
            "key": one.key, "parent_key": one.parent, "titles": dict(one.titles), "descriptions": dict(one.descriptions), "kind": one.kind,
            "impact": one.impact, "urgency": one.urgency, "form_key": one.form, "team_key": one.team, "human_now": one.human_now,
            "position": one.position,
        }
        for one in preset.categories
    ])  # fmt: skip
    await _replace(uow, Form, [{"key": form.key, "slots": list(form.slots)} for form in preset.forms.values()])
    await _replace(uow, Slot, [{"name": slot.name, "kind": slot.kind, "definition": slot.definition()} for slot in preset.slots.values()])
    await _replace(uow, Reply, [
        {"key": key.removeprefix("utter_"), "language": lang, "text": text} for (key, lang), text in preset.replies.items()
    ])  # fmt: skip
    await uow.execute(delete(TrainingExample).where(TrainingExample.source == PRESET))
    own = {(one.label, one.language, one.text) for one in await uow.scalars(select(TrainingExample))}
    examples = [
        {"id": new_id(), "label": label, "language": lang, "text": text, "source": PRESET, "created_by": None, "created_at": now}
        for (label, lang), texts in preset.examples.items()
        for text in texts
        if (label, lang, text) not in own
    ]
    if examples:
        await uow.execute(insert(TrainingExample), examples)
    await uow.execute(update(DeskSetting).where(DeskSetting.key == REVISION).values(updated_at=now))


async def _replace(uow: UnitOfWork, entity: Any, rows: list[dict[str, Any]]) -> None:
    await uow.execute(delete(entity))
    if rows:
        await uow.execute(insert(entity), rows)


async def _teams(uow: UnitOfWork, teams: tuple[PresetTeam, ...]) -> None:
    """Teams are referred to by requests and people, so a known key keeps its row."""
    known = {team.key: team for team in await uow.scalars(select(Team))}
    for one in teams:
        team = known.get(one.key)
        if team is None:
            team = Team(id=new_id(), key=one.key, titles={}, line=one.line, calendar_key=None, policy_key=None)
            uow.add(team)
        team.titles, team.line, team.calendar_key, team.policy_key = dict(one.titles), one.line, one.calendar, one.sla_policy
    await uow.flush()


async def _articles(uow: UnitOfWork, preset: Preset, *, now: datetime) -> None:
    """Articles keep their identity by key and language, so that feedback on them stays theirs."""
    known = {(article.key, article.language): article for article in await uow.scalars(select(Article))}
    for one in preset.articles:
        article = known.get((one.key, one.language))
        if article is None:
            article = Article(id=new_id(), key=one.key, language=one.language, version=0)
            uow.add(article)
        article.title, article.summary, article.body, article.category_key = one.title, one.summary, one.body, one.category
        article.keywords, article.audience, article.state, article.updated_at = list(one.keywords), one.audience, one.state, now
        article.expires_on, article.updated_by = one.expires_on, PRESET
        article.version += 1
    await uow.flush()


def _plain(value: Any) -> Any:
    """Tuples and mappings as JSON stores them."""
    if isinstance(value, tuple | list):
        return [_plain(one) for one in value]
    return {key: _plain(one) for key, one in value.items()} if hasattr(value, "items") else value
