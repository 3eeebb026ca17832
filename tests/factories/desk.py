"""A small desk with people in it: `DeskFactory.make(database, ...)` loads the preset, then `agent`, `contact`, `ticket`, `says`, ..."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import presets
from desk_core.catalogue import desk as catalogue
from desk_core.catalogue.desk import DeskConfig
from desk_core.catalogue.install import install
from desk_core.catalogue.presets import load_preset
from desk_core.context import BOT, Actor, Context
from desk_core.conversations import service as conversations
from desk_core.conversations.entities import Attachment, Conversation, Inbox, Message
from desk_core.conversations.files import NewFile
from desk_core.kit.clock import FakeClock
from desk_core.kit.db import Database, UnitOfWork
from desk_core.kit.ids import new_id
from desk_core.lanes.entities import DeadItem
from desk_core.lanes.signal import LocalSignal
from desk_core.people import service as people
from desk_core.people.entities import Agent, Contact
from desk_core.people.permissions import Role
from desk_core.tickets import service as tickets
from desk_core.tickets.entities import Ticket

PRESET = load_preset(Path(presets.__file__).parent / "it_service_desk")


async def furnish(database: Database, *, language: str, now: datetime) -> None:
    """Install the shipped preset."""
    async with database.unit() as uow:
        await install(uow, PRESET, language=language, now=now)


@dataclass
class DeskFactory:
    """Makes rows of one desk. Every method is one committed unit of work at the clock's present moment."""

    database: Database
    clock: FakeClock
    signal: LocalSignal
    config: DeskConfig
    inboxes: dict[str, Inbox] = field(default_factory=dict)
    made: int = 0

    @classmethod
    async def make(cls, database: Database, clock: FakeClock, signal: LocalSignal, *, language: str = "en") -> "DeskFactory":
        await furnish(database, language=language, now=clock.now())
        return await cls.of(database, clock, signal)

    @classmethod
    async def of(cls, database: Database, clock: FakeClock, signal: LocalSignal) -> "DeskFactory":
        """A factory for a store that holds a desk already."""
        async with database.read() as session:
            config = await catalogue.load(session)
        return cls(database, clock, signal, config)

    def context(self) -> Context:
        return Context(config=self.config, now=self.clock.now(), signal=self.signal)

    async def agent(
        self,
        name: str = "Anna Orlova",
        *,
        email: str | None = None,
        role: Role = Role.AGENT,
        teams: tuple[str, ...] = ("service_desk",),
        language: str = "en",
        password_hash: str = "",
        seen: bool = False,
    ) -> Agent:
        async with self.database.unit() as uow:
            self.made += 1
            agent = await people.add_agent(
                uow, email=email or f"agent{self.made}@desk.example", name=name, password_hash=password_hash, role=role, language=language,
                time_zone="Europe/Moscow", team_keys=list(teams), now=self.clock.now(),
            )  # fmt: skip
            agent.seen_at = self.clock.now() if seen else None
        return agent

    async def inbox(self, channel: str = "telegram", *, name: str | None = None) -> Inbox:
        if channel not in self.inboxes:
            address = {"telegram": "@help_bot", "email": "help@desk.example", "webform": "/f/site"}.get(channel, channel)
            inbox = Inbox(
                id=new_id(), name=name or channel, channel=channel, address=address, language="en", state="active", config={}, secrets=None,
                last_received_at=self.clock.now(), last_success_at=None, last_error=None, created_at=self.clock.now(), version=1,
            )  # fmt: skip
            async with self.database.unit() as uow:
                uow.add(inbox)
            self.inboxes[channel] = inbox
        return self.inboxes[channel]

    async def contact(self, name: str = "Boris Petrov", *, channel: str = "telegram", address: str | None = None) -> Contact:
        async with self.database.unit() as uow:
            self.made += 1
            return await people.identify(
                uow, channel=channel, address=address or f"address{self.made}", name=name, language="en", verified=True,
                now=self.clock.now(),
            )  # fmt: skip

    async def conversation(self, contact: Contact | None = None, *, channel: str = "telegram", baton: str = "bot") -> Conversation:
        contact = contact or await self.contact(channel=channel)
        inbox = await self.inbox(channel)
        now = self.clock.now()
        conversation = Conversation(
            id=new_id(), inbox_id=inbox.id, channel=channel, contact_id=contact.id, thread_key=new_id(), subject=None, baton=baton,
            agent_id=None, language="en", dialogue={}, active_ticket_id=None, blocked_at=None, blocked_reason=None, last_inbound_at=now,
            created_at=now, updated_at=now, version=1,
        )  # fmt: skip
        async with self.database.unit() as uow:
            uow.add(conversation)
        return conversation

    async def says(self, conversation: Conversation, text: str, *, ticket: Ticket | None = None, **fields: Any) -> Message:
        """The contact writes."""
        async with self.database.unit() as uow:
            return await self._message(uow, conversation, text, ticket=ticket, **fields)

    async def _message(self, uow: UnitOfWork, conversation: Conversation, text: str, *, ticket: Ticket | None, **fields: Any) -> Message:
        contact = await uow.session.get_one(Contact, conversation.contact_id)
        values: dict[str, Any] = {
            "id": new_id(), "conversation_id": conversation.id, "inbox_id": conversation.inbox_id,
            "ticket_id": ticket.id if ticket else None, "direction": "inbound", "author_kind": "contact", "agent_id": None,
            "author": contact.name, "text": text, "original_text": None, "html": None, "subject": None, "card": {}, "buttons": [],
            "external_id": new_id(), "reply_to": None, "verdict_code": "received", "verdict": {}, "delivery_state": None,
            "delivery_reason": None, "delivery_attempts": 0, "at": self.clock.now(), "edited_at": None, "meta": {"kind": "message"},
        }  # fmt: skip
        message = Message(**{**values, **fields})
        uow.add(message)
        await uow.flush()
        return message

    async def attach(self, message: Message, file: NewFile) -> Attachment:
        attachment = Attachment(
            id=new_id(), message_id=message.id, name=file.name, size=file.size, sha256=file.sha256, content_type=file.content_type,
            declared_type=file.declared_type, inline=False,
        )  # fmt: skip
        async with self.database.unit() as uow:
            uow.add(attachment)
        return attachment

    async def bot_says(
        self, conversation: Conversation, text: str, *, ticket: Ticket | None = None, buttons: tuple[str, ...] = ()
    ) -> Message:
        rows = [[conversations.NewButton(label, "helped", {})] for label in buttons]
        async with self.database.unit() as uow:
            held = await uow.session.get_one(Conversation, conversation.id)
            message = await conversations.say(
                uow, self.context(), held, text=text, author=BOT, ticket_id=ticket.id if ticket else None, buttons=rows
            )
            message.delivery_state = "sent"
        return message

    async def ticket(
        self,
        conversation: Conversation | None = None,
        *,
        subject: str = "The printer does not print",
        category: str | None = "hardware.printer",
        slots: dict[str, str] | None = None,
        confidence: float | None = 0.87,
        reasons: tuple[str, ...] = ("printer", "print"),
        channel: str = "telegram",
        baton: str = "queue",
    ) -> Ticket:
        """A request opened from a conversation, with its first message."""
        conversation = conversation or await self.conversation(channel=channel)
        ctx = self.context()
        async with self.database.unit() as uow:
            held = await uow.session.get_one(Conversation, conversation.id)
            held.baton = baton
            contact = await uow.session.get_one(Contact, held.contact_id)
            triage = {
                "reasons": [{"kind": "term", "text": text, "weight": 0.5} for text in reasons],
                "alternatives": [{"label": "hardware.peripherals", "confidence": 0.08}],
                "model": "test",
            }
            made = await tickets.open_ticket(
                uow, ctx, contact=contact, conversation=held, channel=held.channel, inbox_id=held.inbox_id, inbox_name="test",
                subject=subject, text=subject, language="en", category=category, slots=slots or {}, triage=triage, confidence=confidence,
                actor=Actor.requester(contact),
            )  # fmt: skip
            await self._message(uow, held, subject, ticket=made)
        return made

    async def tickets(self, count: int, **fields: Any) -> list[Ticket]:
        """Several requests of several people, a minute apart."""
        made = []
        for number in range(count):
            made.append(
                await self.ticket(await self.conversation(await self.contact(f"Person {number}")), subject=f"Request {number}", **fields)
            )
            self.clock.advance(timedelta(minutes=1))
        return made

    async def failed_message(self, ticket: Ticket, *, reason: str = "blocked by the person") -> Message:
        async with self.database.unit() as uow:
            held = await uow.session.get_one(Conversation, ticket.conversation_id)
            message = await conversations.say(uow, self.context(), held, text="Did not arrive", ticket_id=ticket.id)
            message.delivery_state, message.delivery_reason, message.delivery_attempts = "failed", reason, 3
        return message

    async def dead_item(self, *, reason: str = "KeyError: no such thing", ticket: Ticket | None = None) -> DeadItem:
        item = DeadItem(
            id=new_id(), lane="in:test", kind="inbound", payload={"id": "1"}, reason=reason, attempts=5, at=self.clock.now(),
            ticket_number=ticket.number if ticket else None, conversation_id=None, replayed_at=None,
        )  # fmt: skip
        async with self.database.unit() as uow:
            uow.add(item)
        return item
