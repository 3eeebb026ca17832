"""The desk's understanding in this process: models, article index and forms, built from tables and artefacts, replaced as a whole."""

import asyncio
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

import structlog
from sqlalchemy import select

from desk_core.catalogue.desk import DeskConfig
from desk_core.catalogue.entities import TrainingExample
from desk_core.catalogue.form_use import Use, measured, ordered
from desk_core.kit.clock import Clock
from desk_core.kit.db import Database, ReadSession
from desk_core.knowledge import questions
from desk_core.knowledge.entities import Article, ArticleQuestion
from desk_core.knowledge.repository import offered
from desk_core.learning import service as learning
from desk_core.learning.service import TrainingRunning
from gateway.gap_board import GapBoard
from gateway.learning import TrainingBroken
from models.artefact import ArtefactRefused
from models.encoder import Encoder, load_encoder
from models.registry import Loaded, Registry
from models.relearn import LEAST, click, learned
from models.retrain import Outcome, TrainingBusy, retrain
from models.retrieval import ArticleIndex, IndexedArticle
from models.rows import Row, category_rows, intent_rows, with_corrections
from models.sharing import shared
from models.training import TrainingFailed
from nlu import asking
from nlu.actions import FormValidator
from nlu.extract import Extractor, Vocabulary
from nlu.language import detect
from nlu.tools import DeskTools, NoIncidents
from nlu.triage import TriageEngine
from nlu.understood import CategoryDef, FormDef, SlotDef, Tools

log = structlog.get_logger()

MODELS = ("category", "intent")
CLICKS = 500
"""Judged searches that the order of articles is learned from, the latest; comparing them takes a second or two."""


class Understanding:
    """Gives `Tools` to the dialogue; loads lazily, trains in a child process when the desk has no model yet."""

    def __init__(
        self,
        database: Database,
        registry: Registry,
        *,
        clock: Clock,
        encoder: Encoder | None = None,
        shelved: Callable[..., ArticleIndex] = ArticleIndex.build,
    ) -> None:
        self._database, self.registry, self._clock = database, registry, clock
        self.encoder: Encoder = encoder or load_encoder()
        self.board = GapBoard(database, self.encoder, clock=clock)
        self._shelved = shelved
        self._tools: Tools | None = None
        self._index: ArticleIndex | None = None
        self._built_for: tuple[Any, ...] = ()
        self._lock = asyncio.Lock()

    async def tools(self, config: DeskConfig) -> Tools:
        """The tools for this configuration and the published models; rebuilt only when one of them changed."""
        today = config.today(self._clock.now())  # articles expire overnight
        wanted = (config.revision, today, *(self.registry.current(name) for name in MODELS))
        if self._tools is not None and wanted == self._built_for:
            return self._tools
        async with self._lock:
            if self._tools is None or wanted != self._built_for:
                self._tools = await self._build(config, today)
                self._built_for = wanted
        return self._tools

    async def shelf(self, config: DeskConfig) -> ArticleIndex:
        """The articles that the tools of this configuration search."""
        await self.tools(config)
        assert self._index is not None, "built with the tools"  # noqa: S101
        return self._index

    async def ensure_trained(self, config: DeskConfig) -> bool:
        """Train from the desk's own examples when nothing that can be read is published.

        False when training failed (the desk works on, less cleverly).
        """
        if all(self._readable(name) for name in MODELS):
            return True
        try:
            await self.retrain(config)
        except TrainingRunning:
            log.info("understanding.trained_elsewhere")  # by another process of this home; its models are seen when they are there
            return False
        except TrainingBroken as error:
            log.error("understanding.training_failed", error=str(error)[:300])
            return False
        return True

    async def retrain(self, config: DeskConfig) -> dict[str, Outcome]:
        """Train what has changed and publish what passes the gate; raises `TrainingRunning` or `TrainingBroken`."""
        async with self._database.read() as session:
            sets = await training_sets(session, config)
        labels = {"category": [key for key, category in config.categories.items() if category.parent is not None]}
        stop = threading.Event()
        try:
            outcomes = await asyncio.to_thread(
                retrain, self.registry, sets, labels=labels, encoder=self.encoder, created_at=self._clock.now(), stop=stop
            )
        except asyncio.CancelledError:
            # The desk ends. Its thread cannot be cancelled, and would keep the process until the child is done.
            stop.set()
            raise
        except TrainingBusy as busy:
            raise TrainingRunning from busy
        except TrainingFailed as failed:
            raise TrainingBroken(reason=str(failed)[:300]) from failed
        log.info("understanding.trained", published=[name for name, outcome in outcomes.items() if outcome.published])
        return outcomes

    async def _build(self, config: DeskConfig, today: date) -> Tools:
        async with self._database.read() as session:
            articles = await offered_articles(session, today)
            catalogue, forms = catalogue_of(config), forms_of(config, await measured(session, config))
            said = await questions.judged(session, limit=CLICKS)
        self._index = await asyncio.to_thread(self._taught, articles, said)
        category, intent = await asyncio.to_thread(self._models)
        engine = TriageEngine(category_model=category, intent_model=intent, catalogue=catalogue, encoder=self.encoder)
        validator = FormValidator(forms.values(), today=lambda: config.today(self._clock.now()))
        await asyncio.to_thread(validator.warm)
        return DeskTools(
            catalogue=catalogue, forms=forms, engine=engine, index=self._index, validator=validator, detect=detect,
            incidents=NoIncidents(), extract=Extractor(Vocabulary.from_json(config.names)).fill,
        )  # fmt: skip

    def _taught(self, articles: Sequence[IndexedArticle], said: Sequence[ArticleQuestion]) -> ArticleIndex:
        """The index, ordered as people's opinions taught it once there are enough."""
        index = self._shelved(articles, self.encoder, previous=self._index)
        if sum(len(one.opinions) for one in said) >= LEAST:
            made = [
                click(
                    index, one.text, one.language, one.category_key, shown=one.shown,
                    helped=[article for article, verdict in one.opinions.items() if verdict == questions.Became.HELPED],
                    refused=[article for article, verdict in one.opinions.items() if verdict == questions.Became.REFUSED],
                )
                for one in said
            ]  # fmt: skip
            index.blend = learned([one for one in made if one is not None], index.blend)
        return index

    def _readable(self, name: str) -> bool:
        version = self.registry.current(name)
        try:
            return version is not None and bool(self.registry.manifest(name, version))
        except ArtefactRefused as error:
            log.warning("understanding.model_unreadable", model=name, error=str(error))
            return False

    def _models(self) -> tuple[Loaded | None, Loaded | None]:
        category, intent = self._load("category"), self._load("intent")
        if category is None or intent is None:
            return category, intent
        one, other = shared(category.model, intent.model)
        return replace(category, model=one), replace(intent, model=other)

    def _load(self, name: str) -> Loaded | None:
        try:
            loaded = self.registry.load(name, encoder=bool(self.encoder.dimension))
        except ArtefactRefused as error:
            log.error("understanding.model_refused", model=name, error=str(error))
            return None
        for refused in loaded.refused if loaded else ():
            log.error("understanding.model_refused", model=name, error=str(refused))
        return loaded


async def offered_articles(session: ReadSession, today: date) -> list[IndexedArticle]:
    """What may be offered: published, public and not expired."""
    rows = await session.scalars(select(Article).where(*offered(today)).order_by(Article.key, Article.language))
    asked = await questions.answered(session)
    return [
        IndexedArticle(
            article_id=row.id, key=row.key, language=row.language, title=row.title, body=row.body, keywords=tuple(row.keywords),
            category=row.category_key, summary=row.summary, asked=asked.get(row.id, ()),
        )
        for row in rows
    ]  # fmt: skip


async def training_sets(session: ReadSession, config: DeskConfig) -> dict[str, list[Row]]:
    """Everything the desk knows of its own language, as labelled rows for both models."""
    examples: dict[str, dict[str, list[str]]] = {}
    for row in await session.scalars(select(TrainingExample).order_by(TrainingExample.id)):
        examples.setdefault(row.language, {}).setdefault(row.label, []).append(row.text)
    articles = await session.scalars(select(Article).where(Article.state == "published").order_by(Article.key, Article.language))
    second_level = [category.key for category in config.categories.values() if category.parent is not None]
    catalogue = [
        (category.key, language, text)
        for category in config.categories.values()
        if category.parent is not None
        for texts in (category.titles, category.descriptions)
        for language, text in texts.items()
    ]

    def told(label: str, text: str) -> str:
        return asking.told_as(text, config.categories[label].kind) if label in config.categories else label

    corrected = [Row(row.text, row.after, row.language, "correction") for row in await learning.corrections(session)]
    return {
        "category": with_corrections(
            category_rows(
                examples,
                categories=second_level,
                articles=[(article.category_key or "", article.language, article.title, article.keywords) for article in articles],
                catalogue=catalogue,
            ),
            [row for row in corrected if row.label in second_level],
        ),
        "intent": intent_rows(examples, told=told),
    }


def catalogue_of(config: DeskConfig) -> dict[str, CategoryDef]:
    """The service catalogue in the words of the dialogue."""
    return {
        key: CategoryDef(
            key=key, parent=one.parent, titles=one.titles, kind=one.kind, impact=one.impact, urgency=one.urgency, form=one.form,
            human_now=one.human_now,
        )
        for key, one in config.categories.items()
    }  # fmt: skip


def forms_of(config: DeskConfig, found: Sequence[Use] = ()) -> dict[str, FormDef]:
    """The desk's forms in the words of the dialogue; a form may ask a slot in its own words."""
    return {
        key: FormDef(
            key=key, slots=tuple(slot_of(name, config.slots[name], form=key) for name in ordered(key, names, found) if name in config.slots)
        )
        for key, names in config.forms.items()
    }


def slot_of(name: str, definition: Mapping[str, Any], *, form: str = "") -> SlotDef:
    own = definition.get("form_questions", {}).get(form, {})
    choices = definition.get("choices", ())
    return SlotDef(
        name=name,
        kind=definition["kind"],
        titles=definition["titles"],
        questions={**definition["questions"], **own},
        examples=definition["examples"],
        choices=tuple((one["value"], one["titles"]) for one in choices),
        words={one["value"]: tuple(word for words in one["words"].values() for word in words) for one in choices},
        pattern=definition.get("pattern"),
        max_length=definition.get("max_length", 500),
        sets=definition.get("sets", {}),
        when={other: tuple(values) for other, values in definition.get("when", {}).items()},
    )
