"""What operators correct is learned: forty corrections teach a new category, a poisoned batch teaches nothing, one step leads back."""

import random
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import delete, func, select

from desk_core.catalogue.entities import Category, TrainingExample
from desk_core.context import Actor
from desk_core.kit.clock import FakeClock
from desk_core.kit.db import Database
from desk_core.knowledge.entities import Article
from desk_core.lanes.entities import DeadItem
from desk_core.lanes.signal import LocalSignal
from desk_core.lanes.worker import Worker
from desk_core.learning import service as learning
from desk_core.learning.entities import Correction, ModelRun
from desk_core.learning.service import RETRAIN, TrainingRunning
from desk_core.people.entities import Agent
from gateway.flows.learn import Retrain
from gateway.understanding import Understanding
from models.encoder import NullEncoder
from models.registry import Registry
from models.retrain import Outcome
from tests.factories.desk import DeskFactory
from tests.fakes.shelf import shelved_once
from tests.fakes.webdesk import FakeWebDesk
from tests.integration.console.conftest import Browser

KEPT = {"access.password", "network.vpn", "hardware.printer", "software.install"}
LIFT = "building.lift"
LIFTS = [
    f"{what} {where}"
    for what in ("the lift is stuck", "lift does not come", "lift doors will not close", "the elevator stopped")
    for where in ("on floor three", "in block B", "since morning", "at the store", "again", "in the hall", "and hums", "between floors")
] + ["the lift smells", "lift button is dead", "no light in the lift", "elevator shakes", "lift is out of order", "stuck in the lift",
     "lift alarm does not ring", "the lift skips my floor"]  # fmt: skip


@pytest.fixture
async def small(database: Database) -> None:
    """Four categories of the preset with some of their examples, and one that nobody has examples for."""
    async with database.unit() as uow:
        others = select(Category.key).where(Category.parent_key.is_not(None), Category.key.not_in(KEPT)).scalar_subquery()
        await uow.execute(delete(TrainingExample).where(TrainingExample.label.in_(others)))
        await uow.execute(delete(Category).where(Category.parent_key.is_not(None), Category.key.not_in(KEPT)))
        await uow.execute(delete(Article))
        uow.add(
            Category(
                key=LIFT, parent_key="hardware", titles={"ru": "Здание", "en": "Premises"}, descriptions={}, kind="incident",
                impact="group", urgency="high", form_key=None, team_key=None, human_now=False, position=99,
            )
        )  # fmt: skip


@pytest.fixture
async def make(small: None, database: Database, clock: FakeClock, signal: LocalSignal) -> DeskFactory:
    return await DeskFactory.of(database, clock, signal)


@pytest.fixture
def understanding(database: Database, clock: FakeClock, tmp_path: Path) -> Understanding:
    return Understanding(database, Registry(tmp_path, secret="a secret"), clock=clock, encoder=NullEncoder(), shelved=shelved_once)


@pytest.fixture
def worker(desk: FakeWebDesk, understanding: Understanding) -> Worker:
    async def train() -> Mapping[str, Outcome]:
        return await understanding.retrain(await desk.config())

    handler = Retrain(desk.database, context=desk.context, train=train)
    return Worker(desk.database, handlers={RETRAIN: handler}, clock=desk.clock, signal=desk.signal)


async def retrained(desk: FakeWebDesk, worker: Worker, by: Agent) -> ModelRun:
    """Ask for a training, let the worker do it, and give what became of it."""
    desk.clock.advance(timedelta(minutes=5))
    async with desk.database.unit() as uow:
        asked = await learning.ask_training(uow, await desk.context(), by=Actor.of(by))
    for _look in range(30):
        await worker.drain()
        async with desk.database.read() as session:
            run = await session.get_one(ModelRun, asked.id)
        if run.state != learning.WAITING:
            return run
        desk.clock.advance(timedelta(seconds=2))
    raise AssertionError("the training never ended")


async def corrected(console: Browser, make: DeskFactory, said: Sequence[tuple[str, str]]) -> None:
    """Requests with these texts come in under a wrong category, and an operator puts each under the one given with it."""
    conversation = await make.conversation()
    for text, category in said:
        ticket = await make.ticket(conversation, subject=text, category=None)
        response = await console.post(f"/console/tickets/{ticket.number}/category", data={"category": category})
        assert response.status_code == 303


async def test_models_that_can_be_read_no_more_are_trained_again_when_the_desk_starts(
    small: None, desk: FakeWebDesk, understanding: Understanding, tmp_path: Path, clock: FakeClock
) -> None:
    config = await desk.config()
    assert await understanding.ensure_trained(config)
    before = understanding.registry.current("category")
    clock.advance(timedelta(minutes=5))
    assert await understanding.ensure_trained(config)
    assert understanding.registry.current("category") == before, "what can be read is left alone"
    (tmp_path / "models" / "category" / str(before) / "manifest.sig").write_text("of another desk", encoding="ascii")
    assert await understanding.ensure_trained(config)
    assert understanding.registry.current("category") != before
    assert understanding.registry.load("category") is not None


class TestCorrections:
    async def test_a_correction_is_an_example_with_who_and_when(
        self, console: Browser, make: DeskFactory, database: Database, anna: Agent, clock: FakeClock
    ) -> None:
        ticket = await make.ticket(subject="the lift is stuck", category="network.vpn")
        await console.post(f"/console/tickets/{ticket.number}/category", data={"category": LIFT})
        await console.post(f"/console/tickets/{ticket.number}/priority", data={"priority": "P1"})
        async with database.read() as session:
            rows = (await session.scalars(select(Correction).order_by(Correction.kind))).all()
        assert [(row.kind, row.before, row.after) for row in rows] == [
            ("category", "network.vpn", LIFT),
            ("priority", ticket.priority, "P1"),
        ]
        assert {(row.text, row.agent_id, row.at) for row in rows} == {("the lift is stuck", anna.id, clock.now())}

    async def test_of_one_request_the_last_word_counts(self, console: Browser, make: DeskFactory, database: Database) -> None:
        ticket = await make.ticket(subject="the lift is stuck", category=None)
        for category in ("network.vpn", LIFT):
            await console.post(f"/console/tickets/{ticket.number}/category", data={"category": category})
        async with database.read() as session:
            assert [row.after for row in await learning.corrections(session)] == [LIFT]


class TestRetraining:
    async def test_forty_corrections_teach_a_new_category_and_one_step_leads_back(
        self, console: Browser, make: DeskFactory, desk: FakeWebDesk, worker: Worker, understanding: Understanding, anna: Agent
    ) -> None:
        assert (await retrained(desk, worker, anna)).state == "published"
        assert await category_of(desk, understanding, "the lift has stopped again") != LIFT
        await corrected(console, make, [(text, LIFT) for text in LIFTS])
        run = await retrained(desk, worker, anna)
        assert run.state == "published", run.outcome
        assert run.outcome["category"]["corrections"]["texts"] == 40
        assert await category_of(desk, understanding, "the lift has stopped again") == LIFT
        understanding.registry.rollback("category")
        assert await category_of(desk, understanding, "the lift has stopped again") != LIFT

    async def test_a_poisoned_batch_is_refused_and_the_model_stays(
        self, console: Browser, make: DeskFactory, desk: FakeWebDesk, worker: Worker, understanding: Understanding, anna: Agent
    ) -> None:
        await retrained(desk, worker, anna)
        before = understanding.registry.current("category")
        async with desk.database.read() as session:
            examples = select(TrainingExample.text).where(TrainingExample.label.in_(KEPT)).order_by(TrainingExample.text)
            texts = (await session.scalars(examples)).all()
        chance = random.Random(7)
        labels = sorted(KEPT)
        await corrected(console, make, [(f"{text} !", chance.choice(labels)) for text in chance.sample(texts, 60)])
        run = await retrained(desk, worker, anna)
        assert run.state == "kept", run.outcome
        assert understanding.registry.current("category") == before

    async def test_of_two_at_once_the_second_is_told(self, desk: FakeWebDesk, make: DeskFactory, anna: Agent) -> None:
        async with desk.database.unit() as uow:
            await learning.ask_training(uow, await desk.context(), by=Actor.of(anna))
        with pytest.raises(TrainingRunning):
            async with desk.database.unit() as uow:
                await learning.ask_training(uow, await desk.context(), by=Actor.of(anna))

    async def test_a_training_waits_for_one_that_somebody_began_by_hand(
        self, desk: FakeWebDesk, make: DeskFactory, worker: Worker, understanding: Understanding, anna: Agent
    ) -> None:
        async with desk.database.unit() as uow:
            asked = await learning.ask_training(uow, await desk.context(), by=Actor.of(anna))
        with understanding.registry.training():
            await worker.drain()
            async with desk.database.read() as session:
                assert (await session.get_one(ModelRun, asked.id)).state == learning.WAITING
                assert await session.scalar(select(func.count()).select_from(DeadItem)) == 0


async def category_of(desk: FakeWebDesk, understanding: Understanding, text: str) -> str | None:
    tools = await understanding.tools(await desk.config())
    return tools.triage(text, language="en").category
