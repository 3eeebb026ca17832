"""The desk's tables back into a preset folder, in the formats that `presets` reads: readable, mergeable, Rasa's where Rasa has one."""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import yaml
from sqlalchemy import select

from desk_core.catalogue.entities import Category, DeskSetting, Form, Reply, Slot, TrainingExample
from desk_core.kit.db import ReadSession
from desk_core.kit.errors import Invalid
from desk_core.kit.i18n import Phrase
from desk_core.kit.i18n import gettext_noop as _
from desk_core.knowledge.entities import Article
from desk_core.people.entities import Team
from desk_core.routing.entities import RoutingRule
from desk_core.sla.durations import format_duration
from desk_core.sla.entities import BusinessCalendar, SlaPolicy

RASA = "3.1"


class Block(str):
    """A text written as a YAML block, as Rasa writes its examples."""

    __slots__ = ()


class _Dumper(yaml.SafeDumper):
    def ignore_aliases(self, data: Any) -> bool:
        return True


_Dumper.add_representer(Block, lambda dumper, data: dumper.represent_scalar("tag:yaml.org,2002:str", str(data), style="|"))


async def export_preset(session: ReadSession, folder: Path) -> int:
    """Write every file of a preset; the answer is their number. Raises `Invalid` when the folder holds something already."""
    settings = {row.key: row.value for row in await session.scalars(select(DeskSetting))}
    desk = settings["desk"]
    files: dict[str, str] = {
        "preset.yml": yaml_text(
            {
                "key": desk["preset"],
                "version": desk["preset_version"],
                "titles": desk["organisation"],
                "languages": desk["languages"],
                "time_zone": desk["time_zone"],
            }
        ),
        "catalogue.yml": yaml_text(
            {"categories": [_category(row) for row in await session.scalars(select(Category).order_by(Category.position))]}
        ),
        "desk.yml": yaml_text(await _desk(session, settings)),
    }
    slots = list((await session.scalars(select(Slot).order_by(Slot.name))).all())
    forms = list((await session.scalars(select(Form).order_by(Form.key))).all())
    replies = list((await session.scalars(select(Reply).order_by(Reply.key, Reply.language))).all())
    examples = list((await session.scalars(select(TrainingExample).order_by(TrainingExample.label, TrainingExample.id))).all())
    files["slots.yml"] = yaml_text({"slots": {slot.name: _slot(slot) for slot in slots}})
    files["domain.yml"] = yaml_text(_domain(slots, forms, replies, examples))
    if settings.get("names"):
        files["names.yml"] = yaml_text(settings["names"])
    files["rules.yml"] = yaml_text({"version": RASA, "rules": []})
    for language in desk["languages"]:
        files[f"nlu/{language}.yml"] = yaml_text(_nlu(one for one in examples if one.language == language))
    files |= await _articles(session)
    write_files(folder, files)
    return len(files)


async def export_articles(session: ReadSession, folder: Path) -> int:
    """Write every article as Markdown with its head, as `knowledge.reading` reads it; the answer is their number."""
    files = await _articles(session)
    write_files(folder, files)
    return len(files)


async def _articles(session: ReadSession) -> dict[str, str]:
    rows = await session.scalars(select(Article).order_by(Article.key, Article.language))
    return {f"articles/{article.language}/{article.key}.md": _article(article) for article in rows}


def write_files(folder: Path, files: Mapping[str, str]) -> None:
    """Write texts by their names into a new or empty folder; raises `Invalid` when it holds something already."""
    if folder.exists() and any(folder.iterdir()):
        raise Invalid(reason=Phrase(_("%(folder)s is not empty"), folder=folder))
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def yaml_text(value: Any) -> str:
    """A value as YAML for people: in its own order, with letters as they are."""
    return yaml.dump(value, Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=140)


def _category(row: Category) -> dict[str, Any]:
    return {
        "key": row.key, "parent": row.parent_key, "titles": row.titles, "kind": row.kind, "impact": row.impact, "urgency": row.urgency,
        "form": row.form_key, "team": row.team_key, "human_now": row.human_now, "description": row.descriptions,
    }  # fmt: skip


def _slot(row: Slot) -> dict[str, Any]:
    told = row.definition
    kept: dict[str, Any] = {"titles": told["titles"], "kind": row.kind}
    if told.get("choices"):
        kept["choices"] = told["choices"]
    if told.get("pattern"):
        kept["pattern"] = told["pattern"]
    kept |= {"example": told["examples"], "max_length": told["max_length"]}
    return {**kept, **{name: told[name] for name in ("sets", "when") if told.get(name)}}


async def _desk(session: ReadSession, settings: Mapping[str, Any]) -> dict[str, Any]:
    calendars = await session.scalars(select(BusinessCalendar).order_by(BusinessCalendar.key))
    teams = await session.scalars(select(Team).order_by(Team.line, Team.key))
    policies = await session.scalars(select(SlaPolicy).order_by(SlaPolicy.key))
    rules = await session.scalars(select(RoutingRule).order_by(RoutingRule.position))
    return {
        "organisation": settings["desk"]["organisation"],
        "calendars": [
            {"key": one.key, "titles": one.titles, "zone": one.zone, "weekly": one.weekly, "holidays": one.holidays} for one in calendars
        ],
        "lines": [{"number": int(number), "titles": titles} for number, titles in sorted(settings["lines"].items())],
        "teams": [
            {"key": one.key, "titles": one.titles, "line": one.line, "calendar": one.calendar_key, "sla_policy": one.policy_key}
            for one in teams
        ],
        "priority_matrix": settings["priority_matrix"],
        "default_sla_policy": settings["desk"]["default_policy"],
        "sla_policies": [
            {"key": one.key, "titles": one.titles, "calendar": one.calendar_key, "targets": _targets(one.targets)} for one in policies
        ],
        "routing_rules": [
            {"position": one.position, "name": one.names, "conditions": one.conditions, "actions": one.actions} for one in rules
        ],
        "close_ladder": settings["close_ladder"],
        "limits": settings.get("limits", {}),
    }


def _targets(targets: Mapping[str, Mapping[str, int]]) -> dict[str, dict[str, str]]:
    return {
        priority: {metric: format_duration(timedelta(seconds=seconds)) for metric, seconds in row.items()}
        for priority, row in targets.items()
    }


def _domain(slots: Iterable[Slot], forms: Iterable[Form], replies: Iterable[Reply], examples: Iterable[TrainingExample]) -> dict[str, Any]:
    responses: dict[str, list[dict[str, Any]]] = {}
    for reply in replies:
        condition = [{"type": "slot", "name": "language", "value": reply.language}]
        responses.setdefault(f"utter_{reply.key}", []).append({"text": reply.text, "condition": condition})
    mappings = [{"type": "custom"}]
    declared: dict[str, Any] = {"language": {"type": "categorical", "values": ["ru", "en"], "mappings": mappings}}
    for slot in slots:
        values = [one["value"] for one in slot.definition.get("choices", ())]
        kind = {"type": "categorical", "values": values} if values else {"type": "text"}
        declared[slot.name] = {**kind, "influence_conversation": False, "mappings": mappings}
    return {
        "version": RASA,
        "intents": sorted({example.label for example in examples}),
        "entities": [],
        "slots": declared,
        "forms": {form.key: {"required_slots": form.slots} for form in forms},
        "responses": responses,
    }


def _nlu(examples: Iterable[TrainingExample]) -> dict[str, Any]:
    by_label: dict[str, list[str]] = {}
    for example in examples:
        by_label.setdefault(example.label, []).append(" ".join(example.text.split()))
    return {
        "version": RASA,
        "nlu": [
            {"intent": label, "examples": Block("".join(f"- {text}\n" for text in texts))} for label, texts in sorted(by_label.items())
        ],
    }


def _article(article: Article) -> str:
    front: dict[str, Any] = {
        "title": article.title, "category": article.category_key, "keywords": article.keywords, "audience": article.audience,
        "state": article.state, "summary": article.summary,
    }  # fmt: skip
    front |= {"expires": article.expires_on} if article.expires_on else {}
    return f"---\n{yaml_text(front)}---\n\n{article.body.strip()}\n"
