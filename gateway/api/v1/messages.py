"""What is said on a request, over REST: read it, write in the requester's or an operator's name."""

from typing import Annotated, Any, Self

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field, model_validator
from sqlalchemy import select, tuple_

from channels.webform import lookup
from channels.webform.forms import clean
from channels.webform.protection import Signer
from desk_core.conversations.entities import Message
from desk_core.conversations.ports import InboundKind, InboundMessage, Sender
from desk_core.kit.errors import NotFound
from desk_core.kit.ids import new_id
from desk_core.people import repository as people
from desk_core.people.entities import Agent
from desk_core.tickets import service, taking_back
from desk_core.tickets.entities import Ticket
from desk_core.tickets.repository import ticket_by_number
from gateway import shapes
from gateway.api.v1 import examples
from gateway.api.v1.access import Caller, Reader, Writer, problem
from gateway.api.v1.tickets import Key, Limit, desk_of
from gateway.bootstrap import Desk
from gateway.correcting import correct
from gateway.web.language import language_of
from gateway.web.paths import Ident

router = APIRouter(tags=["messages"])

PATIENCE = 10.0
CONTACT = "contact"


class NewMessage(BaseModel):
    """Words on a request. `by` is "contact" (its requester) or the e-mail of an operator."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [examples.NEW_MESSAGE]})

    text: str = Field(min_length=1, max_length=20_000)
    by: str = Field(CONTACT, max_length=254)
    note: bool = Field(False, description="Only colleagues see it; an operator's alone.")
    resolve: bool = Field(False, description="The answer solves the request; an operator's alone.")
    copies: list[str] | None = Field(
        None,
        max_length=50,
        description="Addresses of people of the request who get a copy by mail; by default those of the letter answered.",
    )
    undoable: bool = Field(
        False, description="An operator's answer waits as long as one of the console does, and can be taken back until then."
    )


class Correction(BaseModel):
    """What becomes of an own answer that is with the person already: other words, or it is taken away."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [examples.CORRECTION]})

    by: str = Field(max_length=254, description="E-mail of the operator who wrote it.")
    text: str | None = Field(None, min_length=1, max_length=20_000)
    deleted: bool = False

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.text is None) is not self.deleted:
            raise ValueError("either text or deleted")
        return self


async def _ticket(desk: Desk, number: int) -> Ticket:
    async with desk.database.read() as session:
        found = await ticket_by_number(session, number)
    if found is None:
        raise NotFound(ticket=f"#{number}")
    return found


@router.get(
    "/tickets/{number}/messages",
    responses={200: examples.answered("A page of what was said, oldest first", examples.page_of(examples.MESSAGE))},
)
async def list_messages(
    request: Request,
    _caller: Reader,
    number: int,
    limit: Limit = 100,
    after: Annotated[str, Query(max_length=100, description="`next` of the page before.")] = "",
) -> dict[str, Any]:
    """Everything on a request, notes included, oldest first."""
    desk = desk_of(request)
    ticket = await _ticket(desk, number)
    query = select(Message).where(Message.ticket_id == ticket.id).limit(limit + 1)
    async with desk.database.read() as session:
        if after:
            last = await session.get(Message, after) if len(after) == 36 else None
            if last is None or last.ticket_id != ticket.id:
                raise NotFound(after=after)
            query = query.where(tuple_(Message.at, Message.id) > (last.at, last.id))
        found = await shapes.messages(session, query, language=language_of(request))
    return {"items": found[:limit], "next": found[limit - 1]["id"] if len(found) > limit else None}


@router.post(
    "/tickets/{number}/messages",
    status_code=201,
    responses={201: examples.answered("The message, stored", examples.MESSAGE)},
)
async def write_message(request: Request, calling: Writer, number: int, body: NewMessage, key: Key = None) -> JSONResponse:
    """Write on a request. An operator's answer goes out on the requester's channel; the requester's words wake the request."""
    desk = desk_of(request)
    ticket = await _ticket(desk, number)
    if body.by == CONTACT:
        message_id = await _from_contact(desk, ticket, body, calling, key)
    else:
        message_id = await _from_agent(desk, ticket, body)
    if message_id is None:
        return JSONResponse({"ticket": number}, 202)
    async with desk.database.read() as session:
        found = await shapes.messages(session, select(Message).where(Message.id == message_id), language=language_of(request))
    return JSONResponse(found[0], 201)


async def _from_contact(desk: Desk, ticket: Ticket, body: NewMessage, calling: Caller, key: str | None) -> str | None:
    async with desk.database.read() as session:
        way = await lookup.way_into(session, ticket)
    if way is None:
        raise NotFound(conversation=ticket.number)
    once = Signer(desk.key).secret("api-message", calling.token_id, ticket.id, key) if key else new_id()
    message = InboundMessage(
        kind=InboundKind.MESSAGE,
        external_id=f"api:{once}",
        shown_id=new_id(),
        lane=way.lane,
        thread_key=way.thread_key,
        sender=Sender(address=way.address, name=way.name),
        at=desk.clock.now(),
        text=clean(body.text),
        card={"ticket": ticket.id, "by": calling.name},
    )
    await desk.accept(way.inbox_id, message)
    return await lookup.processed_id(desk.database, way.inbox_id, message.external_id, seconds=PATIENCE)


async def _agent(desk: Desk, email: str) -> Agent:
    async with desk.database.read() as session:
        agent = await people.agent_by_email(session, email)
    if agent is None or agent.disabled_at is not None:
        raise NotFound(agent=email)
    return agent


async def _from_agent(desk: Desk, ticket: Ticket, body: NewMessage) -> str:
    agent = await _agent(desk, body.by)
    ctx = await desk.context()
    async with desk.database.unit() as uow:
        if body.note:
            return (await service.note(uow, ctx, ticket.id, by=agent, text=clean(body.text))).id
        window = desk.settings.work.undo_window() if body.undoable else {}
        answer = await service.reply(
            uow, ctx, ticket.id, by=agent, text=clean(body.text), resolve=body.resolve, copies=body.copies, window=window
        )
        return answer.id


@router.patch(
    "/tickets/{number}/messages/{message_id}",
    status_code=202,
    responses={
        202: examples.answered("The message as it stands so far", examples.MESSAGE),
        409: problem("Not one's own, too old, or by a channel that cannot", "unchangeable", "This message can no longer be changed."),
    },
)
async def correct_message(request: Request, _calling: Writer, number: int, message_id: Ident, body: Correction) -> JSONResponse:
    """Correct an answer in the person's chat or take it away, within two days, in order with what else goes there.

    Where the person has answered it already, the correction follows as a new message. Old words stay in `versions`.
    """
    desk = desk_of(request)
    ticket = await _ticket(desk, number)
    text = clean(body.text) if body.text is not None else None
    await correct(desk, message_id, by=await _agent(desk, body.by), text=text, ticket_id=ticket.id)
    async with desk.database.read() as session:
        found = await shapes.messages(session, select(Message).where(Message.id == message_id), language=language_of(request))
    return JSONResponse(found[0], 202)


@router.delete(
    "/tickets/{number}/messages/{message_id}",
    responses={
        200: examples.answered("What was taken back", {"ticket": 1042, "text": "On my way.", "files": []}),
        409: problem("It has left", "already_left", "This answer is on its way already and cannot be taken back."),
    },
)
async def take_back(
    request: Request,
    _calling: Writer,
    number: int,
    message_id: Ident,
    by: Annotated[str, Query(max_length=254, description="E-mail of the operator who takes it back; its author by default.")] = "",
) -> dict[str, Any]:
    """Take an answer back before it leaves, by the rule of the console's "Undo": its words and the names of its files are the answer."""
    desk = desk_of(request)
    ticket = await _ticket(desk, number)
    agent = await _agent(desk, by) if by else None
    ctx = await desk.context()
    async with desk.database.unit() as uow:
        message = await uow.session.get(Message, message_id)
        if message is None or message.ticket_id != ticket.id:
            raise NotFound(message=message_id)
        taken = await taking_back.take_back(uow, ctx, message_id, by=agent)
    return {"ticket": number, "text": taken.text, "files": list(taken.files)}
