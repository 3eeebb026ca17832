"""The desk's verbs for a Rasa dialogue: articles, requests, their state, a person. Requests go the way of every message."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from sqlalchemy import select

from channels.webform import lookup
from channels.webform.forms import clean
from channels.webform.protection import Signer, thread_of
from desk_core.context import BOT
from desk_core.conversations import service as conversations
from desk_core.conversations.entities import Conversation
from desk_core.conversations.ports import ChannelKind, InboundKind, InboundMessage, Sender
from desk_core.conversations.service import Baton
from desk_core.kit.i18n import known_language, translate
from desk_core.kit.ids import new_id
from desk_core.people import repository as people
from desk_core.tickets import history
from desk_core.tickets.entities import Ticket
from desk_core.tickets.lifecycle import Status
from gateway.api.v1.tickets import PATIENCE, api_inbox
from nlu import labels
from nlu.desk_calls import Told

if TYPE_CHECKING:
    from gateway.bootstrap import Desk
    from gateway.settings import Settings

SHOWN = 5
ASKED = "person_asked"
_OVER = (Status.CLOSED.value, Status.CANCELLED.value, Status.MERGED.value)


class RasaCalls:
    """Implements `nlu.desk_calls.DeskCalls` over a desk; a worker of that desk has to run somewhere."""

    def __init__(self, desk: "Desk") -> None:
        self._desk = desk

    async def suggest(self, told: Told) -> list[str]:
        """The best article for the story, or the words for having none."""
        config, tools = await self._desk.config(), await self._desk.tools()
        hits = tools.search(told.text, language=told.language, category=told.topic)
        if not hits:
            return [config.reply("articles_none", told.language)]
        return [config.reply("article_intro", told.language), f"{hits[0].title}\n\n{hits[0].passage}".strip()]

    async def create(self, told: Told) -> list[str]:
        """Open a request with its topic and answers, once for a turn however often Rasa asks."""
        return await self._open(told, text=told.text, subject=None, said="created_no_promise")

    async def hand_over(self, told: Told) -> list[str]:
        """Give the person's open request to people, once however often Rasa asks; where there is none, open one with all that was said."""
        if (open_one := next(iter(await self._mine(told)), None)) is not None:
            return await self._call_people(told, open_one)
        subject = translate(told.language, labels.SUBJECT_HUMAN)
        return await self._open(told, text="\n".join(told.history) or subject, subject=subject, said="handed_over")

    async def status(self, told: Told) -> list[str]:
        """The person's own open requests, newest first."""
        config, mine = await self._desk.config(), await self._mine(told)
        if not mine:
            return [config.reply("status_none", told.language)]
        return [
            config.reply(
                "status", told.language, number=one.number, subject=one.subject or "", promise="",
                state=translate(told.language, labels.STATES.get(one.status, one.status)),
            ).strip()
            for one in mine
        ]  # fmt: skip

    async def _mine(self, told: Told) -> list[Ticket]:
        """Open requests of who speaks, the newest first."""
        async with self._desk.database.read() as session:
            contact = await people.contact_by_identity(session, channel=ChannelKind.API.value, address=_address(told))
            query = select(Ticket).where(Ticket.status.not_in(_OVER)).order_by(Ticket.number.desc()).limit(SHOWN)
            return list(await session.scalars(query.where(Ticket.contact_id == contact.id))) if contact else []

    async def _call_people(self, told: Told, seen: Ticket) -> list[str]:
        """Say in a request's history that its person wants to speak to people; nobody speaks for the bot there any more."""
        ctx = await self._desk.context()
        async with self._desk.database.unit() as uow:
            ticket = await history.get(uow, seen.id)
            if ticket.hand_over.get("reason") != ASKED:
                ticket.hand_over = {"text": "\n".join(told.history)[:4000], **ticket.hand_over, "reason": ASKED}
                history.note_event(uow, ctx, ticket, "handed_over", actor=BOT, data={"reason": ASKED})
                conversation = await uow.session.get(Conversation, ticket.conversation_id) if ticket.conversation_id else None
                if conversation is not None and conversation.baton == Baton.BOT:
                    conversations.pass_baton(conversation, to=Baton.QUEUE)
        team = ctx.config.team_title(seen.team_id, told.language)
        return [ctx.config.reply("handed_over", told.language, number=seen.number, team=team)]

    async def _open(self, told: Told, *, text: str, subject: str | None, said: str) -> list[str]:
        desk, config = self._desk, await self._desk.config()
        inbox = await api_inbox(desk, config.language)
        token = Signer(desk.key).secret("rasa", told.sender, told.key)
        thread = thread_of(token)
        await desk.accept(inbox.id, InboundMessage(
            kind=InboundKind.MESSAGE, external_id=f"rasa:{thread}", shown_id=new_id(), lane=f"in:{inbox.id}:{thread}", thread_key=thread,
            sender=Sender(address=_address(told), name=clean(told.sender)[:120], language=known_language(told.language)),
            at=desk.clock.now(), text=clean(text)[:20_000], subject=subject, category=told.topic,
            slots={name[:100]: clean(value)[:2000] for name, value in told.answers.items()}, card={"token": token, "by": "Rasa"},
        ))  # fmt: skip
        ticket = await lookup.processed_message(desk.database, inbox.id, f"rasa:{thread}", seconds=PATIENCE)
        if ticket is None:
            return [f"{desk.public_url}/s/{token}"]
        team = config.team_title(ticket.team_id, told.language)
        return [config.reply(said, told.language, number=ticket.number, team=team)]


@asynccontextmanager
async def calls_of(settings: "Settings") -> AsyncIterator[RasaCalls]:
    """The verbs of the desk of these settings, which is closed afterwards."""
    from gateway.bootstrap import Desk

    desk = Desk(settings)
    try:
        yield RasaCalls(desk)
    finally:
        await desk.close()


def _address(told: Told) -> str:
    return f"rasa:{told.sender}"[:200]
