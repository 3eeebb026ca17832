"""An e-mail address is proven in a chat by a code that goes there by letter; what was asked from it comes along, and nothing before."""

import re
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any, ClassVar

import pytest
from sqlalchemy import select, update

from desk_core.context import Actor
from desk_core.conversations.entities import Conversation, Inbox, Message
from desk_core.conversations.ports import ChannelKind, InboundKind, InboundMessage, OutboundMessage, Receipt, Refused, Sender
from desk_core.kit.i18n import translate
from desk_core.kit.ids import new_id
from desk_core.people import codes, joining
from desk_core.people import service as people
from desk_core.people.entities import AddressCode, Contact, ContactIdentity, ContactJoin
from desk_core.tickets import service as tickets
from desk_core.tickets.entities import Ticket
from gateway import inboxes
from gateway.flows.proving import MASK
from nlu import labels
from tests.fakes.channel import FakeChannel
from tests.integration.gateway.conftest import Chat, SmallDesk, everything

ADDRESS = "anna@example.org"


@pytest.fixture
async def mail(desk: SmallDesk) -> AsyncIterator[Inbox]:
    async with desk.database.unit() as uow:
        inbox = await inboxes.add(
            uow,
            name="mail",
            channel=ChannelKind.EMAIL,
            address="help@desk.example",
            language="ru",
            config={},
            sealed=None,
            clock=desk.clock,
        )
    yield inbox


class NoMail(FakeChannel):
    """Refuses every letter."""

    async def send(self, message: OutboundMessage) -> Receipt:
        if "@" in message.to:
            raise Refused("no such user")
        return await super().send(message)


def letters(desk: SmallDesk) -> list[OutboundMessage]:
    return [message for message in desk.fake.sent if "@" in message.to]


def code_in(letter: OutboundMessage) -> str:
    found = re.search(r"[0-9]{6}", letter.text)
    assert found is not None
    return found[0]


def wrong(code: str) -> str:
    return f"{(int(code) + 1) % 1_000_000:06d}"


async def asks(chat: Chat, address: str = ADDRESS) -> str:
    """/email, and the code that came by letter."""
    before = len(letters(chat.desk))
    await chat.says(f"/email {address}", command="email", card={"args": address})
    (letter,) = letters(chat.desk)[before:]
    return code_in(letter)


async def identities(desk: SmallDesk) -> dict[str, ContactIdentity]:
    async with desk.database.read() as session:
        return {one.address: one for one in await session.scalars(select(ContactIdentity))}


async def wrote(desk: SmallDesk, inbox: Inbox, address: str, *, number: int = 1, contact: Contact | None = None) -> Ticket:
    """A request that came by mail; nobody has proven the address."""
    ctx = await desk.context()
    async with desk.database.unit() as uow:
        who = contact or await people.identify(
            uow, channel="email", address=address, name="Анна", language="ru", verified=False, now=ctx.now
        )
        talk = Conversation(
            id=new_id(), inbox_id=inbox.id, channel="email", contact_id=who.id, thread_key=f"{address}{number}", subject=None,
            agent_id=None, language="ru", dialogue={}, active_ticket_id=None, blocked_at=None, blocked_reason=None, last_inbound_at=ctx.now,
            created_at=ctx.now, updated_at=ctx.now,
        )  # fmt: skip
        uow.add(talk)
        await uow.flush()
        ticket = await tickets.open_ticket(
            uow, ctx, contact=who, conversation=talk, channel="email", inbox_id=inbox.id, inbox_name="mail", subject="Принтер",
            text="Не печатает принтер", language="ru", category=None, actor=Actor.requester(who),
        )  # fmt: skip
        uow.add(
            Message(
                id=new_id(), conversation_id=talk.id, inbox_id=inbox.id, ticket_id=ticket.id, direction="inbound", author_kind="contact",
                author="Анна", text="Не печатает принтер", at=ctx.now, meta={"address": address},
            )
        )  # fmt: skip
    return ticket


async def owner_of(desk: SmallDesk, ticket: Ticket) -> str:
    async with desk.database.read() as session:
        return str((await session.get_one(Ticket, ticket.id)).contact_id)


class TestAnAddress:
    async def test_is_proven_by_the_code_and_leaves_no_code_behind(self, desk: SmallDesk, chat: Chat, mail: Inbox) -> None:
        code = await asks(chat)
        letter = letters(desk)[-1]
        assert letter.to == ADDRESS and letter.automatic and letter.ticket_number is None
        assert "Анна" not in letter.text and chat.address not in letter.text
        await chat.says(f"код {code[:3]} {code[3:]}")
        assert ADDRESS in chat.heard[-1].text
        assert (await identities(desk))[ADDRESS].verified_at == desk.clock.now()
        dump = await everything(desk)
        assert code not in dump and MASK in dump
        async with desk.database.read() as session:
            assert (await session.scalars(select(Ticket))).all() == []

    async def test_is_asked_for_by_a_button_and_then_told_alone(self, desk: SmallDesk, chat: Chat, mail: Inbox) -> None:
        await chat.says("/me", command="me")
        await chat.presses(translate("ru", labels.LABELS["prove_email"]))
        assert chat.heard[-1].text == translate("ru", labels.ASK_EMAIL)
        await chat.says("Anna@Example.org")
        assert letters(desk)[-1].to == ADDRESS
        await chat.says("boris@example.org")
        assert len(letters(desk)) == 1, "only the first address was asked for"

    async def test_that_is_none_or_ours_gets_no_letter(self, desk: SmallDesk, chat: Chat, mail: Inbox) -> None:
        for told, words in (("anna@", labels.NOT_AN_ADDRESS), ("Help+x@desk.example", codes.OurAddress.text)):
            await chat.says(f"/email {told}", command="email", card={"args": told})
            assert chat.heard[-1].text == translate("ru", words)
        assert letters(desk) == []

    async def test_cannot_be_proven_without_a_mailbox(self, desk: SmallDesk, chat: Chat) -> None:
        await chat.says(f"/email {ADDRESS}", command="email", card={"args": ADDRESS})
        assert chat.heard[-1].text == translate("ru", codes.NoMailbox.text)
        await chat.says("/me", command="me")
        assert not any(message.buttons for message in chat.heard)

    async def test_is_told_in_private_alone(self, desk: SmallDesk, chat: Chat, mail: Inbox) -> None:
        code = await asks(chat)
        other = Chat(desk, chat.inbox, address="7002")
        await other.says(code)
        await chat.says(code, card={"chat_type": "supergroup"})
        assert ADDRESS not in await identities(desk)

    async def test_known_or_not_is_answered_alike(self, desk: SmallDesk, chat: Chat, mail: Inbox) -> None:
        await wrote(desk, mail, ADDRESS)
        await asks(chat)
        known = chat.heard[-1].text
        await asks(chat, "nobody@example.org")
        assert chat.heard[-1].text == known.replace(ADDRESS, "nobody@example.org")

    async def test_whose_letter_is_refused_is_told(self, desk: SmallDesk, chat: Chat, mail: Inbox) -> None:
        desk.fake = NoMail()
        await chat.says(f"/email {ADDRESS}", command="email", card={"args": ADDRESS})
        assert {message.text for message in chat.heard} >= {translate("ru", labels.CODE_NOT_SENT, address=ADDRESS)}
        await chat.says("123456")
        assert "123456" in await everything(desk), "nothing is waited for any more"

    async def test_whose_letter_comes_back_is_told(self, desk: SmallDesk, chat: Chat, mail: Inbox) -> None:
        code = await asks(chat)
        report = InboundMessage(
            kind=InboundKind.BOUNCE, external_id=new_id(), lane="in:email:x", sender=Sender("mailer-daemon@example.org"),
            at=desk.clock.now(), tokens=(letters(desk)[-1].conversation_id,),
            card={"permanent": True, "address": ADDRESS, "reason": "550 no such user"},
        )  # fmt: skip
        await desk.accept(mail.id, report)
        await desk.worker().drain()
        assert chat.heard[-1].text == translate("ru", labels.CODE_NOT_SENT, address=ADDRESS)
        await chat.says(code)
        assert ADDRESS not in await identities(desk)


class TestACode:
    async def test_is_void_after_five_wrong_ones(self, desk: SmallDesk, chat: Chat, mail: Inbox) -> None:
        code = await asks(chat)
        for left in (4, 3, 2, 1):
            await chat.says(wrong(code))
            assert str(left) in chat.heard[-1].text
        await chat.says(wrong(code))
        assert chat.heard[-1].text == translate("ru", labels.CODE_VOID)
        await chat.says(code)
        assert chat.heard[-1].text == translate("ru", labels.CODE_LATE)
        assert ADDRESS not in await identities(desk)
        assert wrong(code) not in await everything(desk)

    async def test_lasts_a_quarter_of_an_hour_and_is_forgotten_after_an_hour(self, desk: SmallDesk, chat: Chat, mail: Inbox) -> None:
        code = await asks(chat)
        desk.clock.advance(codes.LIFE)
        await chat.says(code)
        assert chat.heard[-1].text == translate("ru", labels.CODE_LATE)
        assert ADDRESS not in await identities(desk)
        desk.clock.advance(codes.KEPT)
        await desk.worker().drain()
        async with desk.database.read() as session:
            assert (await session.scalars(select(AddressCode))).all() == []

    async def test_counts_once_and_a_newer_one_voids_it(self, desk: SmallDesk, chat: Chat, mail: Inbox) -> None:
        first = await asks(chat, "first@example.org")
        second = await asks(chat)
        await chat.says(first)
        assert "first@example.org" not in await identities(desk)
        await chat.says(second)
        await chat.says(second)
        assert chat.heard[-1].text == translate("ru", labels.CODE_LATE)

    async def test_goes_out_three_times_an_hour_to_a_person_and_to_an_address(self, desk: SmallDesk, chat: Chat, mail: Inbox) -> None:
        for place in range(3):
            await asks(chat, f"a{place}@example.org")
        await chat.says(f"/email {ADDRESS}", command="email", card={"args": ADDRESS})
        assert chat.heard[-1].text == translate("ru", codes.TooManyCodes.text)
        for place in range(3):
            await asks(Chat(desk, chat.inbox, address=f"80{place}"), "a0@example.org" if place else ADDRESS)
        other = Chat(desk, chat.inbox, address="8009")
        await other.says("/email a0@example.org", command="email", card={"args": "a0@example.org"})
        assert other.heard[-1].text == translate("ru", codes.TooManyLetters.text)
        desk.clock.advance(codes.KEPT + timedelta(seconds=1))
        await asks(chat)

    async def test_that_nobody_waits_for_is_what_somebody_wrote(self, desk: SmallDesk, chat: Chat, mail: Inbox) -> None:
        await chat.says("123456")
        assert "123456" in await everything(desk)

    async def test_in_the_place_of_other_words_counts_too(self, desk: SmallDesk, chat: Chat, mail: Inbox) -> None:
        code = await asks(chat)
        said = await chat.says(wrong(code))
        await chat.says(code, kind=InboundKind.EDIT, edits=said.shown_id, shown_id=None)
        assert (await identities(desk))[ADDRESS].verified_at is not None
        assert code not in await everything(desk)


class TestAFormQuestion:
    FORM: ClassVar[dict[str, Any]] = {"phase": "form", "category": "hardware.printer", "pending": "location", "text": "не печатает принтер"}

    async def put(self, chat: Chat) -> None:
        async with chat.desk.database.unit() as uow:
            await uow.execute(update(Conversation).where(Conversation.thread_key == chat.address).values(dialogue=self.FORM))

    async def pending(self, chat: Chat) -> Any:
        async with chat.desk.database.read() as session:
            return (await session.scalar(select(Conversation.dialogue).where(Conversation.thread_key == chat.address))).get("pending")

    async def test_that_was_open_before_waits_for_the_code_and_is_put_again(self, desk: SmallDesk, chat: Chat, mail: Inbox) -> None:
        await chat.says("/me", command="me")
        await self.put(chat)
        code = await asks(chat)
        question = chat.heard[-2].text
        await chat.says(code)
        assert ADDRESS in chat.heard[-3].text and chat.heard[-1].text == question
        assert await self.pending(chat) == "location"
        assert (await identities(desk))[ADDRESS].verified_at is not None

    async def test_that_was_put_after_the_code_takes_the_digits(self, desk: SmallDesk, chat: Chat, mail: Inbox) -> None:
        code = await asks(chat)
        await self.put(chat)
        await chat.says(code)
        assert ADDRESS not in await identities(desk)
        assert await self.pending(chat) != "location"
        await self.put(chat)
        await chat.says(f"код {code}")
        assert (await identities(desk))[ADDRESS].verified_at is not None


class TestWhoSpeaks:
    async def agent_speaks(self, chat: Chat) -> int:
        async with chat.desk.database.unit() as uow:
            await uow.execute(update(Conversation).where(Conversation.thread_key == chat.address).values(baton="agent"))
        return len(chat.heard)

    async def test_is_the_operator_alone_while_an_address_is_proven(self, desk: SmallDesk, chat: Chat, mail: Inbox) -> None:
        await chat.says("/me", command="me")
        before = await self.agent_speaks(chat)
        code = await asks(chat)
        await chat.says(wrong(code))
        await chat.says(code)
        assert len(chat.heard) == before
        assert (await identities(desk))[ADDRESS].verified_at is not None
        dump = await everything(desk)
        assert code not in dump and wrong(code) in dump, "other digits may be what the operator asked for"


class TestWhatWasAskedFromIt:
    async def test_comes_along_with_the_proof_alone(self, desk: SmallDesk, chat: Chat, mail: Inbox) -> None:
        ticket = await wrote(desk, mail, ADDRESS)
        code = await asks(chat)
        await chat.says("/my", command="my")
        assert not any("Принтер" in str(message.buttons) for message in chat.heard)
        await chat.says(code)
        known = await identities(desk)
        assert await owner_of(desk, ticket) == known[ADDRESS].contact_id == known["7001"].contact_id
        await chat.says("/my", command="my")
        assert "Принтер" in str(chat.heard[-1].buttons)

    async def test_is_given_back_when_the_join_is_undone(self, desk: SmallDesk, chat: Chat, mail: Inbox) -> None:
        ticket = await wrote(desk, mail, ADDRESS)
        before = ticket.contact_id
        await chat.says(await asks(chat))
        me = (await identities(desk))["7001"].contact_id
        async with desk.database.unit() as uow:
            (made,) = await joining.joins_of(uow.session, me)
            assert made.reason == "email" and made.by == "Анна"
            await joining.undo_join(uow, await desk.context(), made.id, of=me, by=Actor("agent", None, "Ольга"))
        assert await owner_of(desk, ticket) == before

    async def test_goes_alone_where_its_holder_is_known_by_more(self, desk: SmallDesk, chat: Chat, mail: Inbox) -> None:
        """Somebody else bore the address without a proof: what they asked in their own chat stays theirs."""
        other = Chat(desk, chat.inbox, address="7002")
        await other.says("/me", command="me")
        async with desk.database.unit() as uow:
            holder = await uow.session.get_one(Contact, (await identities(desk))["7002"].contact_id)
            uow.add(
                ContactIdentity(
                    id=new_id(), contact_id=holder.id, channel="email", address=ADDRESS, display=None, verified_at=None, failed_at=None,
                    failed_reason=None,
                )
            )  # fmt: skip
        from_it = await wrote(desk, mail, ADDRESS, contact=holder)
        from_elsewhere = await wrote(desk, mail, "other@example.org", contact=holder, number=2)
        await chat.says(await asks(chat))
        known = await identities(desk)
        assert await owner_of(desk, from_it) == known[ADDRESS].contact_id == known["7001"].contact_id
        assert await owner_of(desk, from_elsewhere) == holder.id == known["7002"].contact_id

    async def test_makes_one_of_two_who_prove_the_same(self, desk: SmallDesk, chat: Chat, mail: Inbox) -> None:
        other = Chat(desk, chat.inbox, address="7002")
        for one in (chat, other):
            await one.says(await asks(one))
        known = await identities(desk)
        assert known["7001"].contact_id == known["7002"].contact_id == known[ADDRESS].contact_id
        async with desk.database.read() as session:
            made = (await session.scalars(select(ContactJoin))).one()
        assert made.reason == "email"
