"""The page "Model": figures, charts, too few data in words, and one press back."""

from datetime import timedelta
from pathlib import Path

import pytest
from fastapi import FastAPI
from sqlalchemy import select

from desk_core.kit.clock import FakeClock
from desk_core.lanes.entities import WorkItem
from desk_core.learning.entities import ModelRun
from desk_core.people.permissions import Role
from models.artefact import Draft
from models.encoder import NullEncoder
from models.rows import Row
from models.train import fit
from tests.factories.desk import DeskFactory
from tests.fakes.webdesk import FakeWebDesk
from tests.integration.console.conftest import Browser, LogIn
from tests.unit.models.small import category


@pytest.fixture(scope="module")
def draft() -> Draft:
    more = [Row(f"{row.text} {word}", row.label, row.language) for row in category() for word in ("today", "снова")]
    return fit([*category(), *more], encoder=NullEncoder())


@pytest.fixture
async def admin(log_in: LogIn, make: DeskFactory) -> Browser:
    return await log_in(await make.agent("Vera", role=Role.ADMINISTRATOR))


async def test_before_the_first_training_it_says_what_to_do(admin: Browser) -> None:
    page = await admin.get("/console/model")
    assert page.status_code == 200
    assert "Nothing is trained yet" in page.text


async def test_it_draws_matrix_and_diagram_and_names_what_thresholds_change(
    admin: Browser, desk: FakeWebDesk, draft: Draft, clock: FakeClock
) -> None:
    desk.registry.publish(draft, created_at=clock.now())
    page = (await admin.get("/console/model")).text
    assert '<svg class="matrix"' in page
    assert '<svg class="reliability"' in page
    assert "with 95 % certainty" in page
    assert "Sorted by itself" in page


async def test_with_too_few_examples_it_says_so_instead_of_drawing(admin: Browser, desk: FakeWebDesk, clock: FakeClock) -> None:
    desk.registry.publish(fit(category(), encoder=NullEncoder()), created_at=clock.now())
    page = (await admin.get("/console/model")).text
    assert "too few examples for charts" in page
    assert '<svg class="matrix"' not in page
    assert "few examples" in page


async def test_a_model_of_an_earlier_release_does_not_hide_the_one_in_use(
    admin: Browser, desk: FakeWebDesk, draft: Draft, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("models.artefact.FORMAT", 0)
    monkeypatch.setattr("models.registry.FORMAT", 0)
    desk.registry.publish(draft, created_at=clock.now())
    monkeypatch.undo()
    desk.registry.publish(draft, created_at=clock.now() + timedelta(hours=1))
    page = (await admin.get("/console/model")).text
    assert '<svg class="matrix"' in page
    assert "damaged" not in page


async def test_one_press_returns_to_the_model_before(admin: Browser, desk: FakeWebDesk, draft: Draft, clock: FakeClock) -> None:
    first = desk.registry.publish(draft, created_at=clock.now())
    desk.registry.publish(fit(category(), encoder=NullEncoder()), created_at=clock.now())
    assert "Return to the model before" in (await admin.get("/console/model")).text
    assert (await admin.post("/console/model/rollback")).status_code == 303
    assert desk.registry.current("category") == first
    assert (await admin.post("/console/model/rollback")).status_code == 404
    assert "Vera" in (await admin.get("/console/model")).text


async def test_training_is_asked_for_once(admin: Browser, desk: FakeWebDesk) -> None:
    assert (await admin.post("/console/model/train")).status_code == 303
    again = await admin.post("/console/model/train")
    assert again.status_code == 409
    assert "already running" in again.text
    async with desk.database.read() as session:
        assert len((await session.scalars(select(WorkItem))).all()) == 1
        assert [run.state for run in await session.scalars(select(ModelRun))] == ["waiting"]


async def test_a_challenger_that_lost_is_used_only_by_an_explicit_word(
    admin: Browser, desk: FakeWebDesk, draft: Draft, clock: FakeClock
) -> None:
    lost = {"publish": False, "grounds": ["not_better"], "labels": []}
    desk.registry.keep(draft, created_at=clock.now(), facts={"comparison": lost})
    assert (await admin.post("/console/model/publish")).status_code == 409
    assert (await admin.post("/console/model/publish", data={"anyway": "1"})).status_code == 303
    assert desk.registry.challenger("category") is None


async def test_supervisors_look_and_operators_do_not(log_in: LogIn, make: DeskFactory, console: Browser) -> None:
    supervisor = await log_in(await make.agent("Semyon", role=Role.SUPERVISOR))
    page = await supervisor.get("/console/model")
    assert page.status_code == 200
    assert "/console/model/train" not in page.text
    assert (await supervisor.post("/console/model/train")).status_code == 403
    assert (await console.get("/console/model")).status_code == 403


async def test_a_damaged_model_is_told_in_words(
    admin: Browser, desk: FakeWebDesk, draft: Draft, clock: FakeClock, tmp_path: Path, app: FastAPI
) -> None:
    version = desk.registry.publish(draft, created_at=clock.now())
    (tmp_path / "models" / "category" / version / "manifest.json").write_text("{}")
    page = await admin.get("/console/model")
    assert page.status_code == 200
    assert "damaged or altered" in page.text
