"""Requests over REST: list, read, open. Opening goes the way of every message: stored first, then understood, then answered."""

import hashlib
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Header, Query, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import select

from channels.webform import lookup
from channels.webform.forms import clean
from channels.webform.protection import Signer, thread_of
from desk_core.conversations.entities import Inbox
from desk_core.conversations.ports import ChannelKind, InboundKind, InboundMessage, Sender
from desk_core.kit.errors import DeskError, Invalid, NotFound
from desk_core.kit.i18n import LANGUAGES, Phrase
from desk_core.kit.i18n import gettext_noop as _
from desk_core.kit.ids import new_id, new_token
from desk_core.tickets.entities import Ticket
from desk_core.tickets.lifecycle import Status
from gateway import inboxes, shapes
from gateway.api.v1 import examples
from gateway.api.v1.access import Caller, Reader, Writer
from gateway.bootstrap import Desk
from gateway.web.language import language_of

router = APIRouter(tags=["tickets"])

PATIENCE = 10.0
INBOX = "api"

Limit = Annotated[int, Query(ge=1, le=200, description="How many at most.")]
After = Annotated[str, Query(max_length=100, description="`next` of the page before.")]
Key = Annotated[
    str | None, Header(alias="Idempotency-Key", max_length=200, description="The same key is the same request, however often it is sent.")
]


class IdempotencyMismatch(DeskError):
    code, status, text = "idempotency_mismatch", 409, _("This Idempotency-Key was used for another request.")


class NewContact(BaseModel):
    """Who asks. With an e-mail (or an address of your own) later requests join the same person."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1, max_length=120)
    email: str | None = Field(None, max_length=254, pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$")
    address: str | None = Field(None, max_length=200, description="An id of the person in your own system.")
    language: str | None = Field(None, description="ru or en.")


class NewTicket(BaseModel):
    """A request to open. Without a category the desk decides by the text."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [examples.NEW_TICKET]})

    contact: NewContact
    text: str = Field(min_length=1, max_length=20_000)
    subject: str | None = Field(None, max_length=300)
    category: str | None = Field(None, max_length=200, description="A key of the service catalogue.")
    slots: dict[str, str] = Field(default_factory=dict, description="Answers to the questions of the category's form.")


def desk_of(request: Request) -> Desk:
    desk: Desk = request.app.state.desk
    return desk


@router.get("/tickets", responses={200: examples.answered("A page of requests, oldest first", examples.page_of(examples.TICKET))})
async def list_tickets(
    request: Request,
    _caller: Reader,
    status: Annotated[list[Status] | None, Query(description="May be repeated.")] = None,
    channel: Annotated[ChannelKind | None, Query()] = None,
    limit: Limit = 50,
    after: After = "",
) -> dict[str, Any]:
    """Requests, oldest first. `next` is the cursor of the following page, null on the last."""
    desk = desk_of(request)
    query = select(Ticket).order_by(Ticket.number).limit(limit + 1)
    if after:
        if not after.isdecimal() or not after.isascii() or len(after) > 12:
            raise Invalid(field="after", reason=_("not a cursor of ours"))
        query = query.where(Ticket.number > int(after))
    if status:
        query = query.where(Ticket.status.in_([one.value for one in status]))
    if channel is not None:
        query = query.where(Ticket.channel == channel.value)
    async with desk.database.read() as session:
        found = await shapes.tickets(session, await desk.config(), query, language=language_of(request))
    return {"items": found[:limit], "next": str(found[limit - 1]["number"]) if len(found) > limit else None}


@router.get("/tickets/{number}", responses={200: examples.answered("The request with its messages, events, slots", examples.TICKET)})
async def read_ticket(request: Request, _caller: Reader, number: int) -> dict[str, Any]:
    """One request with its messages, events, slots and conversations."""
    desk = desk_of(request)
    async with desk.database.read() as session:
        found = await shapes.ticket_whole(session, await desk.config(), number, language=language_of(request))
    if found is None:
        raise NotFound(ticket=f"#{number}")
    return found


@router.post(
    "/tickets",
    status_code=201,
    responses={
        201: examples.answered("The request, opened (or opened before under the same key)", examples.TICKET),
        202: examples.answered("Stored, but not processed yet: its page tells when it is", {"status_url": "https://desk.example/s/…"}),
    },
)
async def open_ticket(request: Request, calling: Writer, body: NewTicket, key: Key = None) -> JSONResponse:
    """Open a request. It gets category, priority, team and promise as if it had come by a form."""
    desk = desk_of(request)
    config = await desk.config()
    if body.category is not None and body.category not in config.categories:
        raise Invalid(field="category", reason=Phrase(_("no category “%(key)s”"), key=body.category))
    token = Signer(desk.key).secret("api", calling.token_id, key) if key else new_token(18)
    digest = hashlib.sha256(orjson.dumps(body.model_dump(), option=orjson.OPT_SORT_KEYS)).hexdigest()
    inbox = await api_inbox(desk, config.language)
    message = _message(inbox, body, calling, token=token, digest=digest, desk=desk)
    accepted = await desk.accept(inbox.id, message)
    if accepted.duplicate:
        async with desk.database.read() as session:
            before = await lookup.raw_by_external_id(session, message.external_id, inbox_id=inbox.id)
        if before is None or before.body["card"].get("digest") != digest:
            raise IdempotencyMismatch(key=key)
    ticket = await lookup.processed_ticket(desk.database, token, seconds=PATIENCE)
    headers = {"idempotency-replayed": "true"} if accepted.duplicate else {}
    if ticket is None:
        return JSONResponse({"status_url": f"{desk.public_url}/s/{token}"}, 202, headers=headers)
    async with desk.database.read() as session:
        found = await shapes.ticket_whole(session, config, ticket.number, language=language_of(request))
    headers["location"] = f"/api/v1/tickets/{ticket.number}"
    return JSONResponse(found, 201, headers=headers)


def _message(inbox: Inbox, body: NewTicket, calling: Caller, *, token: str, digest: str, desk: Desk) -> InboundMessage:
    thread = thread_of(token)
    person = body.contact
    language = person.language if person.language in LANGUAGES else None
    return InboundMessage(
        kind=InboundKind.MESSAGE,
        external_id=f"api:{thread}",
        shown_id=new_id(),
        lane=f"in:{inbox.id}:{thread}",
        thread_key=thread,
        sender=Sender(
            address=(person.email or "").lower() or person.address or f"api:{thread}", name=clean(person.name), language=language
        ),
        at=desk.clock.now(),
        text=clean(body.text),
        subject=clean(body.subject) if body.subject else None,
        category=body.category,
        slots={name[:100]: clean(value)[:2000] for name, value in body.slots.items()},
        card={"token": token, "digest": digest, "by": calling.name},
    )


async def api_inbox(desk: Desk, language: str) -> Inbox:
    """The inbox behind the interface; made when the first program writes."""

    async def find() -> Inbox | None:
        async with desk.database.read() as session:
            found: Inbox | None = await session.scalar(select(Inbox).where(Inbox.channel == ChannelKind.API.value).limit(1))
            return found

    inbox = await find()
    if inbox is not None:
        return inbox
    try:
        async with desk.database.unit() as uow:
            return await inboxes.add(
                uow, name=INBOX, channel=ChannelKind.API, address="/api/v1", language=language, config={}, sealed=None, clock=desk.clock
            )
    except inboxes.InboxExists:
        inbox = await find()
        if inbox is None:
            raise
        return inbox
