"""Letters of a whole desk on their way out: where reports about them come back to, and what becomes of them then."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from channels.email.intake import InboxAddress, MailIntake
from channels.email.sandbox.mailbox import Opened
from channels.email.threading import read_token
from desk_core.catalogue.install import install
from desk_core.conversations import service as conversations
from desk_core.conversations.entities import Conversation, Inbox, Message
from desk_core.conversations.ports import Channel, ChannelKind, RetryLater
from desk_core.kit.clock import FakeClock
from desk_core.lanes.entities import WorkItem
from desk_core.people import service as people
from desk_core.people.entities import Agent, ContactIdentity
from desk_core.people.permissions import Role
from desk_core.tickets import service as tickets
from desk_core.tickets.entities import Ticket, TicketEvent
from gateway import inboxes
from gateway.bootstrap import Desk
from gateway.mail import sandbox_of
from gateway.settings import Settings
from tests.integration.gateway.conftest import PRESET, SmallDesk

pytestmark = pytest.mark.parametrize("store", ["sqlite"], indirect=True)

VERA = "vera@example.com"


class MailDesk(SmallDesk):
    """A desk whose mail goes into the sandbox."""

    async def channel(self, inbox_id: str) -> Channel | None:
        return await Desk.channel(self, inbox_id)


@dataclass
class Post:
    """Mail comes in as it does from the listener, and what goes out is opened."""

    desk: MailDesk
    inbox: Inbox
    agent: Agent
    written: int = field(default=0)

    async def comes(self, head: str, body: str, *, envelope_from: str = VERA, to: str = "help@desk.example") -> None:
        """A mail arrives, and the desk handles everything that is ready."""
        intake = MailIntake(blobs=self.desk.blobs, secret=self.desk.key, clock=self.desk.clock)
        raw = f"{head}\nTo: {to}\n\n{body}".replace("\n", "\r\n").encode()
        address = InboxAddress(self.inbox.id, self.inbox.address)
        await intake.take(raw, inbox=address, accept=self.desk.accept, envelope_from=envelope_from, envelope_to=(to,))
        await self.desk.worker().drain()

    async def vera_writes(self, text: str = "Не печатает принтер в приёмной, помогите, пожалуйста.", *, headers: str = "") -> None:
        self.written += 1
        await self.comes(f"From: Вера <{VERA}>\nSubject: Принтер\nMessage-ID: <v{self.written}@example.com>{headers}", text)

    async def answers(self, text: str = "Уже идём.") -> Message:
        """The operator answers; it is not delivered yet."""
        ticket = await self.ticket()
        ctx = await self.desk.context()
        async with self.desk.database.unit() as uow:
            return await tickets.reply(uow, ctx, ticket.id, by=self.agent, text=text)

    async def letters(self) -> list[Opened]:
        """What was sent, oldest first."""
        sandbox = sandbox_of(self.desk.settings, self.desk.clock)
        found = [await sandbox.open(letter.id) for letter in reversed(await sandbox.letters())]
        return [letter for letter in found if letter is not None]

    async def ticket(self) -> Ticket:
        async with self.desk.database.read() as session:
            return (await session.scalars(select(Ticket))).one()

    async def message(self, message_id: str) -> Message:
        async with self.desk.database.read() as session:
            return await session.get_one(Message, message_id)

    async def happened(self) -> list[str]:
        async with self.desk.database.read() as session:
            return list((await session.scalars(select(TicketEvent.kind).order_by(TicketEvent.id))).all())


@pytest.fixture
async def post(database_url: str, tmp_path: Path, clock: FakeClock) -> AsyncIterator[Post]:
    settings = Settings(home=tmp_path, secret_key="k" * 40, database={"url": database_url}, work={"burst_seconds": 0})
    desk = MailDesk(settings, clock=clock)
    async with desk.database.unit() as uow:
        await install(uow, PRESET, language="ru", now=clock.now())
        inbox = await inboxes.add(
            uow, name="mail", channel=ChannelKind.EMAIL, address="help@desk.example", language="ru", config={}, sealed=None, clock=clock
        )
        agent = await people.add_agent(
            uow, email="olga@desk.example", name="Ольга", password_hash="", role=Role.AGENT, language="ru", time_zone="Europe/Moscow",
            team_keys=["service_desk"], now=clock.now(),
        )  # fmt: skip
    yield Post(desk, inbox, agent)
    await desk.close()


class TestReports:
    async def test_come_back_to_the_very_conversation(self, post: Post) -> None:
        await post.vera_writes()
        answer = await post.answers()
        await post.desk.worker().drain()
        envelopes = [letter.letter.envelope_from for letter in await post.letters()]
        assert len(envelopes) > 1
        assert {read_token(one, post.desk.key) for one in envelopes} == {answer.conversation_id}
        assert {letter.letter.sender for letter in await post.letters()} == {"help@desk.example"}

    async def test_that_name_no_mail_of_ours_are_shown_at_the_last_one(self, post: Post) -> None:
        await post.vera_writes()
        answer = await post.answers()
        await post.desk.worker().drain()
        sent = (await post.letters())[-1]
        await post.comes(
            "From: MAILER-DAEMON@relay.example\nSubject: Undelivered Mail Returned to Sender\nMessage-ID: <r1@relay.example>",
            f"<{VERA}>: 550 5.1.1 no such person here\n\nMessage-ID: <changed-by-the-relay@relay.example>\n",
            envelope_from="",
            to=sent.letter.envelope_from,
        )
        failed = await post.message(answer.id)
        assert failed.delivery_state == "failed"
        assert "no such person here" in str(failed.delivery_reason)
        assert (await post.happened()).count("delivery_failed") == 1
        assert (await post.ticket()).unread
        async with post.desk.database.read() as session:
            identity = (await session.scalars(select(ContactIdentity).where(ContactIdentity.address == VERA))).one()
            report = (await session.scalars(select(Message).where(Message.verdict_code == "bounce"))).one()
        assert "no such person here" in str(identity.failed_reason)
        assert (report.conversation_id, report.ticket_id) == (answer.conversation_id, answer.ticket_id)
        assert len(await post.letters()) == 2, "nobody answers a report"

    async def test_of_a_delay_change_nothing(self, post: Post) -> None:
        await post.vera_writes()
        answer = await post.answers()
        await post.desk.worker().drain()
        await post.comes(
            "From: MAILER-DAEMON@relay.example\nSubject: Delayed Mail (still being retried)\nMessage-ID: <r1@relay.example>",
            f"<{VERA}>: 451 4.3.0 try again later, will be retried\n",
            envelope_from="",
            to=(await post.letters())[-1].letter.envelope_from,
        )
        assert (await post.message(answer.id)).delivery_state == "sent"
        assert "delivery_failed" not in await post.happened()

    async def test_are_not_asked_for_where_a_robot_is_answered(self, post: Post) -> None:
        await post.vera_writes()
        await post.vera_writes("Меня нет на месте.", headers="\nAuto-Submitted: auto-replied\nIn-Reply-To: <v1@example.com>")
        ctx = await post.desk.context()
        ticket = await post.ticket()
        async with post.desk.database.unit() as uow:
            conversation = await uow.session.get_one(Conversation, ticket.conversation_id)
            await conversations.say(uow, ctx, conversation, text="Всё получилось?", ticket_id=ticket.id)
        await post.answers("Это пишу я.")
        await post.desk.worker().drain()
        robot, person = (await post.letters())[-2:]
        assert (robot.letter.envelope_from, read_token(person.letter.envelope_from, post.desk.key)) == ("", ticket.conversation_id)


class Waiting:
    """A way out that has no room at the moment."""

    async def deliver(self, raw: bytes, *, sender: str, recipient: str) -> None:
        raise RetryLater("enough", after=timedelta(seconds=30), free=True)

    async def test(self) -> list[tuple[str, bool, str]]:
        return []

    async def close(self) -> None:
        """Holds nothing."""


async def test_a_letter_that_waits_for_the_pace_is_not_given_up(post: Post, clock: FakeClock) -> None:
    post.desk._mail_sender = Waiting()
    await post.vera_writes()
    for _ in range(15):
        clock.advance(timedelta(seconds=31))
        await post.desk.worker().drain()
    async with post.desk.database.read() as session:
        [item] = (await session.scalars(select(WorkItem).where(WorkItem.kind == "deliver"))).all()
    assert (item.attempts, item.last_error) == (0, "not sent: enough")
