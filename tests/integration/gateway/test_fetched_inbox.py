"""A mailbox that is fetched by a whole desk: how it is doing, and that the desk's mail to itself opens nothing."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator

import pytest
from sqlalchemy import func, select

from desk_core.conversations.checkups import State
from desk_core.conversations.entities import Inbox, Message, RawInbound
from desk_core.conversations.ports import ChannelKind
from desk_core.kit.clock import FakeClock
from desk_core.tickets.entities import Ticket
from gateway import inboxes, mail_inboxes
from gateway.bootstrap import Desk
from gateway.checkups import checkup_of
from gateway.mail import start_listener
from gateway.mail_inboxes import MailOptions
from gateway.settings import Smtp
from tests.integration.gateway.conftest import SmallDesk
from tests.services.imap import ImapServer
from tests.services.process import free_port

pytestmark = pytest.mark.parametrize("store", ["sqlite"], indirect=True)


@pytest.fixture(scope="module")
def server() -> Iterator[ImapServer]:
    made = ImapServer()
    yield made
    made.remove()


async def add(desk: Desk, url: str) -> Inbox:
    config, hidden = MailOptions(imap_url=url).over({}, {})
    async with desk.database.unit() as uow:
        return await inboxes.add(
            uow, name="mail", channel=ChannelKind.EMAIL, address="help@desk.example", language="ru", config=config,
            sealed=desk.box.seal(hidden), clock=desk.clock,
        )  # fmt: skip


async def until(happened: Callable[[], Awaitable[bool]]) -> None:
    for _ in range(300):
        if await happened():
            return
        await asyncio.sleep(0.05)
    raise AssertionError("it did not happen in time")


async def test_tells_since_when_it_works_and_what_went_wrong(desk: SmallDesk, server: ImapServer, clock: FakeClock) -> None:
    inbox = await add(desk, server.url)

    async def now() -> Inbox:
        async with desk.database.read() as session:
            return await session.get_one(Inbox, inbox.id)

    async def fails() -> bool:
        return (await now()).last_error is not None

    async def works() -> bool:
        return (await now()).last_success_at is not None

    adapter = await Desk.channel(desk, inbox.id)
    assert adapter is not None
    running = asyncio.create_task(adapter.run(desk.accept))
    await until(works)
    assert ((await now()).last_success_at, (await now()).last_error) == (clock.now(), None)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    async with desk.database.unit() as uow:
        there = await uow.session.get_one(Inbox, inbox.id)
        await mail_inboxes.set_mail(uow, there, MailOptions(imap_url=server.url.replace("demopass", "wr0ng")), box=desk.box)
    desk._channels_checked.clear()
    adapter = await Desk.channel(desk, inbox.id)
    assert adapter is not None
    running = asyncio.create_task(adapter.run(desk.accept))
    await until(fails)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    told = await now()
    assert "wr0ng" not in str(told.last_error)
    assert told.last_success_at == clock.now()
    assert told.version == inbox.version + 1, "reports of state build no adapter anew"


async def test_a_mail_to_itself_is_known_as_its_own_and_waits_for_nobody(desk: SmallDesk, server: ImapServer) -> None:
    inbox = await add(desk, server.url)
    desk.settings = desk.settings.model_copy(update={"smtp": Smtp(port=free_port())})
    listener = await start_listener(desk)
    account = mail_inboxes.mail_account(inbox.config, desk.box.open(inbox.secrets))
    examined = await checkup_of(desk, address=inbox.address, account=account, inbox=inbox)
    steps = {step.key: step for step in await examined.run()}
    await listener.stop()
    assert (steps["loop"].state, steps["imap_login"].state) == (State.OK, State.OK)
    await desk.worker().drain()
    async with desk.database.read() as session:
        assert await session.scalar(select(func.count()).select_from(Ticket)) == 0
        assert (await session.scalars(select(RawInbound.external_id))).all() == [steps["loop"].words]
        [message] = (await session.scalars(select(Message))).all()
    assert (message.verdict_code, message.hold) == ("own_check", "left")
