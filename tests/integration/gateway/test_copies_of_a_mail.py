"""One mail that reaches two inboxes is one request, whoever is faster, and its answers find it by either."""

import asyncio
from dataclasses import dataclass
from email.message import EmailMessage

import pytest
from sqlalchemy import select

from channels.email.intake import InboxAddress, MailIntake
from desk_core.conversations.entities import Inbox, Message, RawInbound
from desk_core.conversations.ports import ChannelKind
from desk_core.tickets.entities import Ticket
from gateway import inboxes
from tests.integration.gateway.conftest import SmallDesk

pytestmark = pytest.mark.timeout(60)

ADDRESSES = ("support@desk.example", "it@desk.example")


@dataclass
class Mails:
    """Two mail inboxes, and mail for them."""

    desk: SmallDesk
    inboxes: tuple[Inbox, ...]

    async def arrives(self, mail: EmailMessage, *, at: int) -> None:
        """Accept a mail at one of the two."""
        inbox = self.inboxes[at]
        intake = MailIntake(blobs=self.desk.blobs, secret=self.desk.key, clock=self.desk.clock)
        await intake.take(mail.as_bytes(), inbox=InboxAddress(inbox.id, inbox.address, ADDRESSES), accept=self.desk.accept)

    async def are_handled(self) -> None:
        """By two workers at once, each of which takes one lane at a time."""
        await asyncio.gather(*(self.desk.worker(concurrency=1).drain() for _ in range(2)))

    async def requests(self) -> list[Ticket]:
        async with self.desk.database.read() as session:
            return list(await session.scalars(select(Ticket).order_by(Ticket.number)))

    async def said(self, direction: str) -> list[Message]:
        async with self.desk.database.read() as session:
            return list(await session.scalars(select(Message).where(Message.direction == direction).order_by(Message.id)))


@pytest.fixture
async def mails(desk: SmallDesk) -> Mails:
    made = []
    async with desk.database.unit() as uow:
        for number, address in enumerate(ADDRESSES):
            made.append(
                await inboxes.add(
                    uow, name=f"mail{number}", channel=ChannelKind.EMAIL, address=address, language="ru", config={}, sealed=None,
                    clock=desk.clock,
                )
            )  # fmt: skip
    return Mails(desk, tuple(made))


def letter(name: str, text: str = "Не печатает принтер в кабинете 305", *, answers: str = "", file: bool = False) -> EmailMessage:
    mail = EmailMessage()
    mail["From"], mail["To"] = "Анна <anna@company.example>", ", ".join(ADDRESSES)
    mail["Subject"], mail["Message-ID"] = "Принтер", f"<{name}@company.example>"
    if answers:
        mail["In-Reply-To"] = f"<{answers}@company.example>"
    mail.set_content(text)
    if file:
        mail.add_attachment(b"\x89PNG\r\n\x1a\n" + bytes(200), maintype="image", subtype="png", filename="снимок.png")
    return mail


@pytest.mark.parametrize("known", [False, True], ids=["a newcomer", "a known person"])
@pytest.mark.parametrize("file", [False, True], ids=["words", "words and a file"])
async def test_both_copies_are_kept_and_one_request_is_opened(mails: Mails, *, known: bool, file: bool) -> None:
    if known:
        await mails.arrives(letter("before", "Нет доступа к папке отдела продаж"), at=0)
        await mails.are_handled()
    before = len(await mails.requests())
    for at in (0, 1):
        await mails.arrives(letter("one", file=file), at=at)
    await mails.are_handled()
    assert len(await mails.requests()) == before + 1
    async with mails.desk.database.read() as session:
        rows = list(await session.scalars(select(RawInbound).where(RawInbound.external_id == "one@company.example")))
    assert [row.state for row in rows] == ["done", "done"]
    copies = [message for message in await mails.said("inbound") if message.external_id == "one@company.example"]
    assert [message.verdict_code for message in copies] == ["received", "duplicate"]
    assert len({message.ticket_id for message in copies}) == 1
    told = [message for message in await mails.said("outbound") if message.ticket_id == copies[0].ticket_id]
    assert [message.meta["key"] for message in told] == ["created"], "one acknowledgement"


async def test_an_answer_by_the_inbox_of_the_second_copy_joins(mails: Mails) -> None:
    for at in (0, 1):
        await mails.arrives(letter("one"), at=at)
        await mails.are_handled()
    await mails.arrives(letter("two", "и ещё замялась бумага", answers="one"), at=1)
    await mails.are_handled()
    (ticket,) = await mails.requests()
    answer = (await mails.said("inbound"))[-1]
    assert (answer.text, answer.ticket_id, answer.verdict_code) == ("и ещё замялась бумага", ticket.id, "joined_references")
