"""Who somebody in a chat is: a phone counts when the channel says whose it is, and makes one of two who prove the same."""

from typing import Any

from sqlalchemy import select

from desk_core.conversations.ports import Sender
from desk_core.kit.i18n import translate
from desk_core.people.entities import Contact, ContactIdentity, ContactJoin
from nlu import labels
from tests.integration.gateway.conftest import Chat, SmallDesk

PHONE = "+79990001122"
BUTTON = translate("ru", labels.SHARE_PHONE)


async def shares(chat: Chat, *, own: bool = True, **card: Any) -> None:
    shared = {"kind": "contact", "phone_number": PHONE, "name": "Анна", "own": own, **card}
    sender = Sender(address=chat.address, name="Анна", language="ru", verified=True)
    await chat.says(f"Анна, {PHONE}", card=shared, sender=sender)


async def owners(desk: SmallDesk) -> list[tuple[str, str]]:
    """Whose each address is."""
    async with desk.database.read() as session:
        rows = await session.execute(select(ContactIdentity.address, ContactIdentity.contact_id).order_by(ContactIdentity.id))
        return [(address, owner) for address, owner in rows.all()]


class TestAPhone:
    async def test_is_asked_for_proven_and_the_button_goes(self, desk: SmallDesk, chat: Chat) -> None:
        await chat.says("/me", command="me")
        assert chat.heard[-1].phone_button == BUTTON
        await shares(chat)
        assert PHONE in chat.heard[-1].text
        assert chat.heard[-1].phone_button == ""
        async with desk.database.read() as session:
            proven = (await session.scalars(select(ContactIdentity).where(ContactIdentity.channel == "phone"))).one()
        assert (proven.address, proven.verified_at) == (PHONE, desk.clock.now())
        await chat.says("/me", command="me")
        assert PHONE in chat.heard[-1].text
        assert chat.heard[-1].phone_button is None

    async def test_of_somebody_else_or_in_a_group_proves_nothing(self, desk: SmallDesk, chat: Chat) -> None:
        await chat.says("/me", command="me")
        await shares(chat, own=False)
        await shares(chat, chat_type="supergroup")
        assert PHONE not in dict(await owners(desk))

    async def test_joins_those_who_prove_the_same(self, desk: SmallDesk, chat: Chat) -> None:
        other = Chat(desk, chat.inbox, address="7002")
        for one in (chat, other):
            await one.says("/me", command="me")
            await shares(one)
        whose = dict(await owners(desk))
        assert whose["7001"] == whose["7002"] == whose[PHONE]
        async with desk.database.read() as session:
            made = (await session.scalars(select(ContactJoin))).one()
            assert (made.reason, made.contact_id) == ("phone", whose[PHONE])
            assert len((await session.scalars(select(Contact))).all()) == 2
