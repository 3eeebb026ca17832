"""Other addresses of a mail inbox: their mail comes to it over real SMTP and IMAP, and is never taken for a person's."""

import asyncio
import smtplib
from collections.abc import AsyncIterator, Iterator
from email.message import EmailMessage
from typing import Any

import pytest
from sqlalchemy import select, update

from channels.email.smtp_in import MailListener
from desk_core.conversations.entities import Inbox, RawInbound
from desk_core.conversations.ports import ChannelKind
from desk_core.kit.errors import Invalid
from desk_core.tickets import copies, participants
from desk_core.tickets.entities import TicketEvent
from desk_core.tickets.participants import OwnAddress
from gateway import inboxes, mail_inboxes
from gateway.bootstrap import Desk
from gateway.mail import BELIEVED_SECONDS, start_listener
from gateway.mail_import import MailImport
from gateway.mail_inboxes import AddressTaken, MailOptions
from gateway.settings import Smtp
from tests.integration.gateway.conftest import Post, SmallDesk
from tests.services.imap import ImapServer
from tests.services.process import free_port

HELP, ALIAS, OLD = "help@desk.example", "info@desk.example", "help@старая-фирма.рф"
OLD_ASCII = "help@xn----7sbab3byayddk0a4k.xn--p1ai"


async def add(desk: Desk, name: str, address: str, *, imap_url: str = "") -> Inbox:
    config, hidden = MailOptions(imap_url=imap_url).over({}, {})
    async with desk.database.unit() as uow:
        return await inboxes.add(
            uow, name=name, channel=ChannelKind.EMAIL, address=address, language="ru", config=config, sealed=desk.box.seal(hidden),
            clock=desk.clock,
        )  # fmt: skip


async def set_aliases(desk: Desk, inbox: Inbox, *aliases: str) -> list[str]:
    ctx = await desk.context()
    async with desk.database.unit() as uow:
        return await mail_inboxes.set_aliases(uow, ctx, await uow.session.get_one(Inbox, inbox.id), aliases)


async def now(desk: Desk, inbox: Inbox) -> Inbox:
    async with desk.database.read() as session:
        return await session.get_one(Inbox, inbox.id)


@pytest.fixture
async def inbox(desk: SmallDesk) -> Inbox:
    return await add(desk, "help", HELP)


class TestWhatMayBeOne:
    async def test_addresses_are_kept_once_in_lower_case_and_in_their_order(self, desk: SmallDesk, inbox: Inbox) -> None:
        assert await set_aliases(desk, inbox, " Info@Desk.Example", OLD, ALIAS, OLD_ASCII.upper()) == ["aliases"]
        kept = await now(desk, inbox)
        assert kept.addresses == (HELP, ALIAS, OLD)
        assert await set_aliases(desk, inbox, *kept.addresses[1:]) == []
        assert await set_aliases(desk, inbox) == ["aliases"]
        assert (await now(desk, inbox)).addresses == (HELP,)

    @pytest.mark.parametrize("alias", ["help", HELP, "HELP@Desk.Example", "help+vip@desk.example", "a b@desk.example"])
    async def test_neither_what_is_no_address_nor_what_comes_here_anyway(self, desk: SmallDesk, inbox: Inbox, alias: str) -> None:
        with pytest.raises(Invalid) as refused:
            await set_aliases(desk, inbox, ALIAS, alias)
        assert alias.lower() in refused.value.said("en").lower()
        assert (await now(desk, inbox)).addresses == (HELP,)

    @pytest.mark.parametrize(
        "taken", ["it@почта.рф", "IT@xn--80a1acny.xn--p1ai", "it+vip@почта.рф", "old-it@desk.example", "Old-IT+x@desk.example"]
    )
    async def test_nor_what_goes_to_another_inbox_however_it_is_written(self, desk: SmallDesk, inbox: Inbox, taken: str) -> None:
        other = await add(desk, "it", "it@почта.рф")
        await set_aliases(desk, other, "old-it@desk.example")
        with pytest.raises(AddressTaken) as refused:
            await set_aliases(desk, inbox, taken)
        assert "“it”" in refused.value.said("en")

    @pytest.mark.parametrize("address", [HELP, ALIAS, OLD_ASCII])
    async def test_a_new_inbox_takes_no_address_of_another(self, desk: SmallDesk, inbox: Inbox, address: str) -> None:
        await set_aliases(desk, inbox, ALIAS, OLD)
        with pytest.raises(AddressTaken):
            await add(desk, "other", address)

    async def test_two_who_give_out_the_same_address_at_once_do_not_both_get_it(self, desk: SmallDesk, inbox: Inbox) -> None:
        other = await add(desk, "it", "it@desk.example")
        ended = await asyncio.gather(set_aliases(desk, inbox, ALIAS), set_aliases(desk, other, ALIAS), return_exceptions=True)
        assert sorted(type(one).__name__ for one in ended) == ["AddressTaken", "list"]

    async def test_an_inbox_of_another_channel_has_none(self, desk: SmallDesk) -> None:
        async with desk.database.unit() as uow:
            form = await inboxes.add(
                uow, name="form", channel=ChannelKind.WEBFORM, address="/f/form", language="ru", config={}, sealed=None, clock=desk.clock
            )
        with pytest.raises(Invalid):
            await set_aliases(desk, form, ALIAS)


@pytest.fixture
async def listener(desk: SmallDesk, inbox: Inbox) -> AsyncIterator[MailListener]:
    await set_aliases(desk, inbox, ALIAS, OLD)
    desk.settings = desk.settings.model_copy(update={"smtp": Smtp(port=free_port(), lmtp_port=free_port())})
    listener = await start_listener(desk)
    yield listener
    await listener.stop()


def letter(*to: str, name: str = "one", cc: str = "", sender: str = "anna@example.com") -> EmailMessage:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = f"Анна <{sender}>", ", ".join(to), "Принтер"
    mail["Message-ID"] = f"<{name}@example.com>"
    if cc:
        mail["Cc"] = cc
    mail.set_content("Не печатает принтер в кабинете 305")
    return mail


async def sends(listener: MailListener, mail: EmailMessage, *to: str, lmtp: bool = False) -> None:
    def client() -> None:
        kind, port = (smtplib.LMTP, listener.lmtp_port) if lmtp else (smtplib.SMTP, listener.port)
        with kind("127.0.0.1", port or 0, timeout=10) as smtp:
            smtp.ehlo()
            smtp.sendmail("anna@example.com", list(to), mail.as_bytes())

    await asyncio.to_thread(client)


async def raws(desk: Desk) -> list[RawInbound]:
    async with desk.database.read() as session:
        return list((await session.scalars(select(RawInbound).order_by(RawInbound.received_at))).all())


class TestMailThatArrives:
    @pytest.mark.parametrize("lmtp", [False, True], ids=["SMTP", "LMTP"])
    @pytest.mark.parametrize("to", [ALIAS, "INFO+anything@Desk.Example", OLD_ASCII])
    async def test_for_an_alias_comes_to_the_inbox(
        self, desk: SmallDesk, inbox: Inbox, listener: MailListener, to: str, *, lmtp: bool
    ) -> None:
        await sends(listener, letter(ALIAS), to, lmtp=lmtp)
        assert [row.inbox_id for row in await raws(desk)] == [inbox.id]

    async def test_for_what_is_no_alias_any_more_is_refused(self, desk: SmallDesk, inbox: Inbox, listener: MailListener) -> None:
        await sends(listener, letter(ALIAS), ALIAS)
        await set_aliases(desk, inbox)
        await asyncio.sleep(BELIEVED_SECONDS)
        with pytest.raises(smtplib.SMTPRecipientsRefused):
            await sends(listener, letter(ALIAS, name="two"), ALIAS)

    async def test_for_the_inbox_and_an_alias_is_one_letter(self, desk: SmallDesk, listener: MailListener) -> None:
        mail = letter(HELP, cc=ALIAS)
        await sends(listener, mail, HELP, ALIAS)
        for to in (ALIAS, HELP):
            await sends(listener, mail, to)
            await sends(listener, mail, to, lmtp=True)
        [row] = await raws(desk)
        assert row.body["recipients"] == [HELP, ALIAS]

    async def test_from_an_alias_is_our_own_that_came_back(self, desk: SmallDesk, listener: MailListener) -> None:
        await sends(listener, letter(HELP, sender="info+x@desk.example"), HELP)
        [row] = await raws(desk)
        assert row.body["verdict"] == "own_loop"


class TestWhoIsOnARequest:
    @pytest.fixture
    async def kept(self, desk: SmallDesk, inbox: Inbox, listener: MailListener) -> Any:
        async with desk.database.unit() as uow:
            config = {**(await uow.session.get_one(Inbox, inbox.id)).config, "participants": True}
            await uow.execute(update(Inbox).values(config=config))
        return listener

    async def test_no_alias_of_any_inbox_in_any_spelling(self, desk: SmallDesk, kept: MailListener) -> None:
        cc = f"info@desk.example, Info+x@desk.example, {OLD_ASCII}, boss@example.com"
        await sends(kept, letter(HELP, cc=cc), HELP)
        [row] = await raws(desk)
        assert row.body["card"]["people"] == [["", "boss@example.com"]]

    async def test_nobody_adds_one(self, post: Post) -> None:
        await set_aliases(post.desk, post.inbox, ALIAS, OLD)
        await post.vera_writes()
        ticket, ctx = await post.ticket(), await post.desk.context()
        for address in (ALIAS, "info+x@desk.example", OLD, OLD_ASCII):
            with pytest.raises(OwnAddress):
                async with post.desk.database.unit() as uow:
                    await participants.add(uow, ctx, ticket.id, by=post.agent, address=address)

    async def test_one_that_was_on_it_before_is_on_it_no_more(self, post: Post) -> None:
        await post.vera_writes()
        ticket, ctx = await post.ticket(), await post.desk.context()
        for address in (ALIAS, "boss@example.com"):
            async with post.desk.database.unit() as uow:
                await participants.add(uow, ctx, ticket.id, by=post.agent, address=address)
        await set_aliases(post.desk, post.inbox, ALIAS)
        async with post.desk.database.read() as session:
            assert [one.address for one in await copies.of(session, ticket.id)] == ["boss@example.com"]
            events = (await session.scalars(select(TicketEvent).where(TicketEvent.kind == "participant_removed"))).all()
        assert [(event.actor_kind, event.data) for event in events] == [("system", {"address": ALIAS})]


class TestAnswers:
    async def test_go_out_from_the_address_of_the_inbox(self, post: Post) -> None:
        await set_aliases(post.desk, post.inbox, ALIAS)
        await post.comes("From: Вера <vera@example.com>\nSubject: Принтер\nMessage-ID: <v@example.com>", "Не печатает принтер", to=ALIAS)
        senders = {one.letter.sender for one in await post.letters()}
        assert senders == {HELP}


@pytest.fixture(scope="module")
def server() -> Iterator[ImapServer]:
    made = ImapServer()
    yield made
    made.remove()


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
class TestAMailboxThatIsFetched:
    async def test_knows_the_addresses_of_every_inbox_and_what_changes_in_them(self, desk: SmallDesk, server: ImapServer) -> None:
        fetched, other = await add(desk, "box", HELP, imap_url=server.url), await add(desk, "it", "it@desk.example")
        before = (await now(desk, fetched)).version
        await set_aliases(desk, other, "old-it@desk.example")
        assert (await now(desk, fetched)).version == before + 1, "its adapter is built anew"
        await set_aliases(desk, fetched, ALIAS)
        mail = letter(ALIAS, cc="it@desk.example, old-it@desk.example, help@desk.example, boss@example.com")
        server.put(mail.as_bytes())
        adapter = await Desk.channel(desk, fetched.id)
        assert adapter is not None
        running = asyncio.create_task(adapter.run(desk.accept))
        for _ in range(300):
            if await raws(desk):
                break
            await asyncio.sleep(0.05)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        [row] = await raws(desk)
        assert row.body["card"]["people"] == [["", "boss@example.com"]]

    async def test_so_does_an_import(self, desk: SmallDesk, inbox: Inbox) -> None:
        await set_aliases(desk, inbox, ALIAS)
        bringing = await MailImport.of(desk, "help", answer=False, dry_run=False)
        await bringing._one("one.eml", letter(HELP, sender=ALIAS).as_bytes())
        assert dict(bringing.verdicts) == {"own_loop": 1}
