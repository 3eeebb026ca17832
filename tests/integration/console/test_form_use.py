"""A question counts by what its answers changed; without enough of them the author's order stands."""

from dataclasses import replace

from sqlalchemy import update

from desk_core.catalogue.form_use import ENOUGH, Use, measured, ordered, uses
from desk_core.kit.clock import FakeClock
from desk_core.kit.db import Database
from desk_core.people.permissions import Role
from desk_core.tickets.entities import Ticket
from gateway.understanding import forms_of
from tests.factories.desk import DeskFactory
from tests.fakes.webdesk import FakeWebDesk
from tests.integration.console.conftest import LogIn


async def test_an_answer_counts_where_the_priority_without_it_is_another(desk: FakeWebDesk) -> None:
    config = await desk.config()
    answers = [("hardware.printer", {"printer_device": "HP", "printer_trouble": "jam", "affected": who}) for who in ("me", "group", "all")]
    found = {use.slot: use for use in uses(answers, config) if use.form == "printer"}
    assert (found["affected"].answered, found["affected"].moved) == (3, 2)  # "only me" is what was assumed
    assert (found["printer_device"].answered, found["printer_device"].moved) == (3, 0)
    assert uses([("gone", {"affected": "all"}), (None, {})], config)[0].answered == 0


def test_what_changes_most_is_asked_first_once_enough_was_answered() -> None:
    names = ("device", "trouble", "affected")
    few = [Use("printer", name, 5, 0 if name != "affected" else 4) for name in names]
    many = [replace(use, answered=2 * ENOUGH, moved=use.moved * 10) for use in few]
    assert ordered("printer", names, few) == names
    assert ordered("printer", names, many) == ("affected", "device", "trouble")
    assert ordered("other", names, many) == names


def test_a_question_that_never_changed_anything_is_named_after_enough_answers() -> None:
    assert Use("f", "s", ENOUGH, 0).idle
    assert not Use("f", "s", ENOUGH - 1, 0).idle
    assert not Use("f", "s", ENOUGH, 1).idle
    assert not Use("f", "s", ENOUGH, 0, tells=False).idle


async def test_the_desk_asks_first_what_its_own_requests_show_and_says_so(
    desk: FakeWebDesk, make: DeskFactory, database: Database, clock: FakeClock, log_in: LogIn
) -> None:
    config = await desk.config()
    assert [slot.name for slot in forms_of(config)["printer"].slots] == ["printer_device", "printer_trouble", "affected"]
    console = await log_in(await make.agent("Olga Belova", role=Role.SUPERVISOR))
    assert "No request with answers is solved yet" in (await console.get("/console/model")).text
    await make.tickets(ENOUGH, category="hardware.printer")
    async with database.unit() as uow:
        slots = {"printer_device": "HP", "printer_trouble": "jam", "affected": "all"}
        await uow.execute(update(Ticket).values(status="closed", slots=slots))
    async with database.read() as session:
        found = await measured(session, config)
    assert [slot.name for slot in forms_of(config, found)["printer"].slots] == ["affected", "printer_device", "printer_trouble"]
    page = (await console.get("/console/model")).text
    assert "never changed anything" not in page  # which printer and what is wrong with it nobody asks for the priority's sake
