"""A colleague is invited and leaves by a command in the chat; the link's secret lies nowhere."""

import re

import pytest
from sqlalchemy import select, update

from desk_core.conversations.entities import Conversation, Inbox, Message
from desk_core.kit.i18n import translate
from desk_core.tickets.entities import Invitation, Ticket
from desk_core.tickets.invitations import JOIN_LIFE, MASK, mark_of
from nlu import labels
from tests.integration.gateway.conftest import Chat, everything
from tests.integration.gateway.test_switching import TROUBLES, asks_for


@pytest.fixture
async def named(chat: Chat) -> Chat:
    """The chat of a bot whose name is known."""
    async with chat.desk.database.unit() as uow:
        inbox = await uow.session.get_one(Inbox, chat.inbox.id)
        inbox.config = {**inbox.config, "username": "desk_bot"}
    return chat


async def command(chat: Chat, name: str, args: object = "") -> None:
    await chat.says(f"/{name} {args}".strip(), command=name, card={"args": str(args)})


async def invitations(chat: Chat) -> dict[str, Invitation]:
    async with chat.desk.database.read() as session:
        return {one.token_hash: one for one in await session.scalars(select(Invitation))}


def secret_in(text: str) -> str:
    found = re.search(r"t\.me/desk_bot\?start=(go-[0-9a-f]{32})>", text)
    assert found is not None, text
    return found[1]


async def joins(boris: Chat, anna: Chat, number: int) -> None:
    await command(anna, "invite", number)
    secret = secret_in(anna.heard[-1].text)
    await boris.says(f"/start {secret}", command="start", tokens=(secret,))
    await boris.presses(translate("ru", labels.LABELS["join_in"]))


async def rests(chat: Chat) -> None:
    """The bot speaks again in the main chat, about nothing in particular."""
    async with chat.desk.database.unit() as uow:
        await uow.execute(update(Conversation).values(active_ticket_id=None, baton="bot", dialogue={}))


class TestInviting:
    async def test_gives_a_link_whose_secret_is_not_kept(self, named: Chat) -> None:
        (ticket,) = await asks_for(named, TROUBLES[0])
        await command(named, "invite")
        secret = secret_in(named.heard[-1].text)
        made = (await invitations(named))[mark_of(secret)]
        assert (made.ticket_id, made.purpose, made.invited_by) == (ticket.id, "join", "Анна")
        assert made.expires_at == named.desk.clock.now() + JOIN_LIFE
        async with named.desk.database.read() as session:
            texts = repr((await session.scalars(select(Message.text))).all())
        assert secret not in texts and MASK in texts

    async def test_is_about_the_number_or_the_request_talked_about(self, named: Chat) -> None:
        first, second = await asks_for(named, *TROUBLES[:2])
        await command(named, "invite")
        assert f"#{second.number}" in named.heard[-1].text
        await command(named, "invite", first.number)
        assert f"#{first.number}" in named.heard[-1].text
        await rests(named)
        await command(named, "invite")
        assert translate("ru", labels.INVITE_WHICH) in {message.text for message in named.heard[-2:]}
        await command(named, "invite", 999_999)
        assert "#999999" in named.heard[-2].text
        assert len(await invitations(named)) == 2

    async def test_is_for_ones_own_requests(self, named: Chat) -> None:
        (ticket,) = await asks_for(named, TROUBLES[0])
        other = Chat(named.desk, named.inbox, address="7002")
        await command(other, "invite", ticket.number)
        assert await invitations(named) == {}

    async def test_needs_a_bot_with_a_name(self, chat: Chat) -> None:
        await asks_for(chat, TROUBLES[0])
        await command(chat, "invite")
        assert chat.heard[-1].text == translate("ru", labels.INVITE_NOT_NOW)


class TestALinkTypedIn:
    """Not everybody can open a link; some copy it into the chat."""

    @pytest.mark.parametrize("shape", ["https://t.me/desk_bot?start={}", " t.me/desk_bot?start={}\n"])
    async def test_alone_it_is_as_good_as_opened(self, named: Chat, shape: str) -> None:
        (ticket,) = await asks_for(named, TROUBLES[0])
        await command(named, "invite", ticket.number)
        secret = secret_in(named.heard[-1].text)
        boris = Chat(named.desk, named.inbox, address="7002")
        await boris.says(shape.format(secret))
        assert f"#{ticket.number}" in boris.heard[-1].text
        await boris.presses(translate("ru", labels.LABELS["join_in"]))
        assert (await invitations(named))[mark_of(secret)].used_at is not None
        assert secret not in await everything(named.desk)

    async def test_among_other_words_it_is_hidden_and_opens_nothing(self, named: Chat) -> None:
        (ticket,) = await asks_for(named, TROUBLES[0])
        await command(named, "invite", ticket.number)
        secret = secret_in(named.heard[-1].text)
        await command(named, "invite", ticket.number)
        other = secret_in(named.heard[-1].text)
        boris = Chat(named.desk, named.inbox, address="7002")
        await boris.says(f"Вчера был {other}, https://t.me/desk_bot?start={other}, а теперь https://t.me/desk_bot?start={secret} что это?")
        kept = await everything(named.desk)
        assert secret not in kept
        assert other not in kept
        assert f"start={MASK} что это?" in kept
        assert (await invitations(named))[mark_of(secret)].used_at is None


class TestLeaving:
    async def test_is_from_the_only_one_or_by_number(self, named: Chat) -> None:
        first, second = await asks_for(named, *TROUBLES[:2])
        boris = Chat(named.desk, named.inbox, address="7002")
        await command(boris, "leave")
        assert boris.heard[-1].text == translate("ru", labels.NOT_ON_ANY)
        for ticket in (first, second):
            await joins(boris, named, ticket.number)
        await command(boris, "leave")
        assert boris.heard[-1].text == translate("ru", labels.LEAVE_WHICH)
        assert len(boris.heard[-1].buttons) == 2
        await command(boris, "leave", 999_999)
        assert "#999999" in boris.heard[-1].text
        await command(boris, "leave", first.number)
        assert boris.heard[-1].text == translate("ru", labels.LEFT, number=first.number)
        await command(boris, "leave")
        assert boris.heard[-1].text == translate("ru", labels.LEFT, number=second.number)

    async def test_is_not_from_ones_own(self, named: Chat) -> None:
        (ticket,) = await asks_for(named, TROUBLES[0])
        await command(named, "leave", ticket.number)
        assert f"#{ticket.number}" in named.heard[-1].text
        async with named.desk.database.read() as session:
            assert (await session.get_one(Ticket, ticket.id)).contact_id == ticket.contact_id
