"""A group of operators on a small desk, as its members use it."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, cast

from sqlalchemy import select

from desk_core.conversations.entities import Conversation
from desk_core.conversations.ports import InboundKind, InboundMessage, Sender
from desk_core.groups import service
from desk_core.kit.clock import FakeClock
from desk_core.kit.ids import new_id
from desk_core.people import service as people
from desk_core.people.entities import Agent
from desk_core.people.permissions import Role
from desk_core.tickets.entities import Ticket
from gateway.flows import group_view
from tests.fakes.group import CHAT, FakeGroupChannel
from tests.integration.gateway.conftest import Chat, SmallDesk

OLGA, PAVEL, STRANGER = "501", "502", "599"


@dataclass
class Group:
    """The group as its members use it."""

    chat: Chat
    fake: FakeGroupChannel
    agents: dict[str, Agent]
    written: int = 0

    @property
    def desk(self) -> SmallDesk:
        return self.chat.desk

    @property
    def clock(self) -> FakeClock:
        return cast("FakeClock", self.desk.clock)

    async def settle(self) -> None:
        self.desk.forget_config()
        await self.desk.worker().drain()
        self.desk.forget_config()

    async def writes(self, who: str, text: str = "", *, thread: str | None = None, **more: Any) -> str:
        """A member writes in a topic (the only one, unless told); the answer is the place of the message."""
        self.written += 1
        self.clock.advance(timedelta(seconds=1))
        thread = self.fake.only[0] if thread is None else thread
        place = f"{CHAT}:{9000 + self.written}"
        command, _sep, args = (
            text.removeprefix("/").partition(" ") if text.startswith("/") and not text.startswith("//") else (None, "", "")
        )
        message = InboundMessage(
            **{
                "kind": InboundKind.MESSAGE, "external_id": new_id(), "lane": f"in:{self.chat.inbox.id}:{CHAT}",
                "thread_key": f"{CHAT}:{thread}" if thread else CHAT, "shown_id": place, "sender": Sender(who, name=who, verified=True),
                "at": self.desk.clock.now(), "text": text, "command": command,
                "card": {"chat_type": "supergroup", **({"args": args} if command else {})}, **more,
            }
        )  # fmt: skip
        await self.desk.accept(self.chat.inbox.id, message)
        await self.settle()
        return place

    async def presses(self, who: str, name: str, *, newest: bool = False) -> str | None:
        """Press a button of the card (or of the newest message that has it); the words that the client showed."""
        topic = self.fake.only[1]
        found = [
            (place, button.token)
            for place, message in topic.posts.items()
            for row in message.buttons
            for button in row
            if button.label == name
        ]
        assert found, f"no button {name} among {[b.label for m in topic.posts.values() for row in m.buttons for b in row]}"
        place, token = found[-1]
        await self.writes(who, kind=InboundKind.PRESS, button=token, callback_id=new_id(), reply_to=place)
        return self.fake.answered[-1][1]

    async def ticket(self) -> Ticket:
        async with self.desk.database.read() as session:
            found: Ticket = (await session.scalars(select(Ticket).order_by(Ticket.number.desc()).limit(1))).one()
            return found

    async def baton(self) -> tuple[str, str | None]:
        async with self.desk.database.read() as session:
            talk = (await session.scalars(select(Conversation).where(Conversation.thread_key == self.chat.address))).one()
            return talk.baton, talk.agent_id

    async def acts(self, verb: Any, **options: Any) -> Any:
        """An act in the console."""
        ctx, ticket = await self.desk.context(), await self.ticket()
        async with self.desk.database.unit() as uow:
            done = await verb(uow, ctx, ticket.id, **options)
        await self.settle()
        return done

    def word(self, name: str) -> str:
        from desk_core.kit.i18n import translate

        return translate("ru", group_view.LABELS[name])

    @property
    def seen(self) -> str:
        return "\n".join(self.fake.only[1].texts)


async def linked(chat: Chat) -> Group:
    """A group linked to the desk, with two operators in it."""
    desk = chat.desk
    fake = desk.fake = FakeGroupChannel()
    agents = {}
    async with desk.database.unit() as uow:
        for address, name, role in ((OLGA, "Ольга", Role.ADMINISTRATOR), (PAVEL, "Павел", Role.AGENT)):
            agents[address] = await people.add_agent(
                uow, email=f"{address}@desk.test", name=name, password_hash="-", role=role, language="ru", time_zone="Europe/Moscow",
                team_keys=[], now=desk.clock.now(),
            )  # fmt: skip
        code = await service.make_code(uow, purpose=service.FOR_GROUP, subject=chat.inbox.id, by="admin", now=desk.clock.now())
    made = Group(chat, fake, agents)
    await made.writes(OLGA, f"/link {code}", thread="")
    for address, agent in agents.items():
        async with desk.database.unit() as uow:
            mine = await service.make_code(uow, purpose=service.FOR_AGENT, subject=agent.id, by="admin", now=desk.clock.now())
        me = Sender(address, name=agent.name, verified=True)
        await chat.says(
            f"/me {mine}", command="me", card={"args": mine}, sender=me, thread_key=address, lane=f"in:{chat.inbox.id}:{address}"
        )
    assert "Операторы" in fake.general[0].text
    fake.general.clear()
    desk.forget_config()
    return made


async def asks_for_a_person(group: Group) -> None:
    await group.chat.says("Не печатает принтер в кабинете 305")
    await group.chat.says("/human", command="human")
    await group.settle()
