"""The console of an operator who reads Russian has no English words in it."""

import pytest

from desk_core.conversations.entities import Conversation
from desk_core.kit.db import Database
from desk_core.people.entities import Agent
from desk_core.people.permissions import Role
from desk_core.tickets.entities import Ticket
from tests.factories.desk import DeskFactory
from tests.fakes.reading import english, read
from tests.integration.console.conftest import Browser, LogIn

ADDRESSES = frozenset({"in", "desk", "example", "site", "telegram", "email", "webform", "priyom", "inbox", "add"})
OURS = {"origin": "http://testserver"}


@pytest.fixture
async def olga(make: DeskFactory) -> Agent:
    return await make.agent("Ольга Белова", role=Role.ADMINISTRATOR, language="ru", teams=("service_desk",))


@pytest.fixture
async def console(log_in: LogIn, olga: Agent) -> Browser:
    """A browser of somebody who reads Russian."""
    return await log_in(olga)


def untranslated(page: str) -> list[str]:
    return english(read(page), names=ADDRESSES)


@pytest.mark.parametrize("view", ["mine", "unassigned", "my_line", "overdue", "waiting", "bot", "failed", "all", "closed"])
async def test_every_empty_list_is_russian(console: Browser, view: str) -> None:
    assert untranslated((await console.get(f"/console?view={view}")).text) == []


async def test_lists_and_searches_are_russian(console: Browser, make: DeskFactory) -> None:
    boris = await make.contact("Борис Петров")
    ticket = await make.ticket(await make.conversation(boris), subject="Принтер молчит")
    await make.failed_message(ticket, reason="канал не принял")
    for address in ("/console?view=all", "/console?view=unassigned", "/console?view=failed", "/console?q=сканер"):
        assert untranslated((await console.get(address)).text) == [], address


async def test_a_request_with_everything_that_can_happen_is_russian(console: Browser, make: DeskFactory, database: Database) -> None:
    boris = await make.contact("Борис Петров")
    conversation = await make.conversation(boris)
    ticket = await make.ticket(conversation, subject="Принтер молчит", reasons=("принтер",))
    async with database.unit() as uow:
        (await uow.session.get_one(Conversation, conversation.id)).language = "ru"
        (await uow.session.get_one(Ticket, ticket.id)).language = "ru"
    await make.bot_says(conversation, "Похоже, поможет вот это:", ticket=ticket, buttons=("Помогло",))
    address = f"/console/tickets/{ticket.number}"
    acts = (
        ("baton", {"to": "agent"}),
        ("note", {"text": "Картридж заказан"}),
        ("reply", {"text": "Скоро привезём картридж"}),
        ("priority", {"priority": "P1"}),
        ("category", {"category": "network.wifi"}),
        ("tags", {"add": "склад"}),
        ("status", {"status": "waiting"}),
        ("escalate", {"to": "line:2", "reason": "нужен картридж"}),
        ("return", {"reason": "картридж есть"}),
        ("baton", {"to": "queue"}),
        ("status", {"status": "resolved"}),
        ("status", {"status": "closed"}),
    )
    for act, body in acts:
        answer = await console.post(f"{address}/{act}", data=body, headers=OURS)
        assert answer.status_code == 303, (act, read(answer.text)[:300])
        assert untranslated((await console.get(address)).text) == [], act


async def test_refusals_are_russian(console: Browser, make: DeskFactory) -> None:
    ticket = await make.ticket(await make.conversation(await make.contact("Борис Петров")), subject="Принтер молчит", reasons=("принтер",))
    for act, body in (("return", {"reason": "назад"}), ("reply", {"text": ""}), ("priority", {"priority": "P9"})):
        answer = await console.post(f"/console/tickets/{ticket.number}/{act}", data=body, headers=OURS)
        assert answer.status_code >= 400, act
        assert untranslated(answer.text) == [], act


async def test_the_other_rooms_are_russian(console: Browser, stranger: Browser, make: DeskFactory) -> None:
    await make.inbox("telegram", name="телеграм")
    await make.dead_item(reason="ошибка разбора")
    for address in ("/console/settings", "/console/dead", "/console/nowhere?lang=ru"):
        assert untranslated((await console.get(address)).text) == [], address
    talk = await make.conversation(await make.contact("Борис Петров"))
    await make.says(talk, "Здравствуйте")
    assert untranslated((await console.get(f"/console/conversations/{talk.id}")).text) == []
    for address in ("/login?lang=ru", "/nowhere"):
        assert untranslated((await stranger.get(address)).text) == [], address
